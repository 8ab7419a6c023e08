// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of Redis that knows what each answer has to be: it keeps a copy of all that it has
 * stored. It starts the server with memory of one node, and asks it all the time: mostly for
 * records of a window, which moves on. A quarter of the records is written, as a whole or 8 bytes
 * in place; the others are only read.
 *
 * usage: client NODE RECORDS WINDOW SOCKET
 *
 * Its first line is the server's pid. Then it reads commands, one a line, and answers each with
 * one:
 *	count	"ANSWERS": right ones, so far
 *	check	"good", once all records were compared, too; or what was wrong first
 *	spoil	a record is changed behind the copy's back, and put right again: "noticed"
 *	end	as check; and the server ends
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/mempolicy.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

/* With what Redis and its allocator add, a record has a page of its own. */
#define VALUE		4000ul

#define DEPTH		8	/* requests on their way at a time */
#define PATCH		8ul	/* bytes written in place */
#define MOVE		2000	/* batches until the window moves on */

enum kind { GET, SET, PATCH_IN };

struct request {
	enum kind kind;
	unsigned long record;
	unsigned long at;
	char bytes[VALUE];
};

static unsigned long records, window;
static char *copy;
static pid_t server;
static int redis;
static pthread_mutex_t talking = PTHREAD_MUTEX_INITIALIZER;
static unsigned long answers;
static char wrong[160];
static bool ending;

static __attribute__((format(printf, 1, 2))) void is_wrong(const char *fmt, ...)
{
	va_list args;

	if (wrong[0])
		return;
	va_start(args, fmt);
	vsnprintf(wrong, sizeof(wrong), fmt, args);
	va_end(args);
}

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t random_word(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static char *copy_of(unsigned long record)
{
	return copy + record * VALUE;
}

static void fill(char *bytes, unsigned long length)
{
	unsigned long i;
	uint64_t word;

	for (i = 0; i < length; i += sizeof(word)) {
		word = random_word();
		memcpy(bytes + i, &word, sizeof(word));
	}
}

static void send_all(const char *bytes, size_t length)
{
	ssize_t n;

	for (; length; bytes += n, length -= (size_t)n) {
		n = send(redis, bytes, length, MSG_NOSIGNAL);
		if (n <= 0)
			die("no request goes to the server");
	}
}

static void receive_all(char *bytes, size_t length)
{
	ssize_t n;

	for (; length; bytes += n, length -= (size_t)n) {
		n = recv(redis, bytes, length, 0);
		if (n <= 0)
			die("no answer from the server");
	}
}

static size_t put(char *at, const struct request *r)
{
	char key[16], where[16];
	int n = 0;

	snprintf(key, sizeof(key), "r%08lu", r->record);
	snprintf(where, sizeof(where), "%lu", r->at);
	switch (r->kind) {
	case GET:
		return (size_t)sprintf(at, "*2\r\n$3\r\nGET\r\n$9\r\n%s\r\n", key);
	case SET:
		n = sprintf(at, "*3\r\n$3\r\nSET\r\n$9\r\n%s\r\n$%lu\r\n", key, VALUE);
		memcpy(at + n, r->bytes, VALUE);
		n += VALUE;
		break;
	case PATCH_IN:
		n = sprintf(at, "*4\r\n$8\r\nSETRANGE\r\n$9\r\n%s\r\n$%zu\r\n%s\r\n$%lu\r\n",
			    key, strlen(where), where, PATCH);
		memcpy(at + n, r->bytes, PATCH);
		n += PATCH;
		break;
	}
	return (size_t)n + (size_t)sprintf(at + n, "\r\n");
}

/* The one right answer. The copy is brought up to date where that says that the server's is. */
static void answered(const struct request *r)
{
	static char got[VALUE + 32], want[VALUE + 32];
	size_t length = 0;

	switch (r->kind) {
	case GET:
		length = (size_t)sprintf(want, "$%lu\r\n", VALUE);
		memcpy(want + length, copy_of(r->record), VALUE);
		length += VALUE;
		length += (size_t)sprintf(want + length, "\r\n");
		break;
	case SET:
		length = (size_t)sprintf(want, "+OK\r\n");
		memcpy(copy_of(r->record), r->bytes, VALUE);
		break;
	case PATCH_IN:
		length = (size_t)sprintf(want, ":%lu\r\n", VALUE);
		memcpy(copy_of(r->record) + r->at, r->bytes, PATCH);
		break;
	}
	receive_all(got, length);
	if (memcmp(got, want, length))
		is_wrong("request %d of record %lu after %lu answers: %.24s", r->kind, r->record,
			 answers, got);
	else
		answers++;
}

/* All are sent before the first answer is read. */
static void talk(const struct request *r, unsigned int nr)
{
	static char line[DEPTH * (VALUE + 128)];
	size_t length = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		length += put(line + length, &r[i]);
	send_all(line, length);
	/* After an answer that is wrong, nobody knows where the next one begins. */
	for (i = 0; i < nr && !wrong[0]; i++)
		answered(&r[i]);
}

static void choose(struct request *r, unsigned long from)
{
	unsigned int dice = random_word() >> 60;

	/* One of 16 is any record. */
	r->record = dice ? (from + (random_word() >> 32) % window) % records :
		    (random_word() >> 32) % records;
	r->kind = GET;
	r->at = 0;
	if (r->record % 4 || dice % 2)
		return;
	r->kind = dice % 8 ? PATCH_IN : SET;
	if (r->kind == PATCH_IN)
		r->at = (random_word() >> 32) % (VALUE - PATCH);
	fill(r->bytes, r->kind == SET ? VALUE : PATCH);
}

static void *user(void *unused __attribute__((unused)))
{
	static struct request r[DEPTH];
	unsigned long from = 0, batch;
	unsigned int i;

	for (batch = 1;; batch++) {
		/* Emulated CPUs are slow, and others want them, too. */
		struct timespec pause = { .tv_nsec = 1000000 };

		if (batch % MOVE == 0)
			from = (from + window / 2) % records;
		pthread_mutex_lock(&talking);
		if (ending || wrong[0]) {
			pthread_mutex_unlock(&talking);
			return NULL;
		}
		for (i = 0; i < DEPTH; i++)
			choose(&r[i], from);
		talk(r, DEPTH);
		pthread_mutex_unlock(&talking);
		nanosleep(&pause, NULL);
	}
}

static void everything(enum kind kind)
{
	static struct request r;

	for (r.record = 0; r.record < records && !wrong[0]; r.record++) {
		r.kind = kind;
		if (kind == SET)
			fill(r.bytes, VALUE);
		talk(&r, 1);
	}
}

static void check(void)
{
	everything(GET);
	printf("%s\n", wrong[0] ? wrong : "good");
}

/* Another one changes a record: is that noticed? Then it is put right again. */
static void spoil(void)
{
	struct request r = { .kind = PATCH_IN, .record = records / 2 };
	char before[PATCH];
	bool noticed;

	memcpy(before, copy_of(r.record), PATCH);
	fill(r.bytes, PATCH);
	talk(&r, 1);
	memcpy(copy_of(r.record), before, PATCH);
	if (!wrong[0]) {
		everything(GET);
		noticed = wrong[0];
		wrong[0] = '\0';
		memcpy(r.bytes, before, PATCH);
		talk(&r, 1);
		printf("%s\n", noticed ? "noticed" : "not noticed");
		return;
	}
	printf("%s\n", wrong);
}

static void start_server(int node, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 300 };
	unsigned long mask = 1ul << node;
	int i;

	server = fork();
	if (server < 0)
		die("fork");
	if (!server) {
		if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, &mask, sizeof(mask) * 8) ||
		    !freopen("/dev/null", "r", stdin) || !freopen("redis.log", "w", stdout))
			_exit(2);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save",
		       "", "--appendonly", "no", NULL);
		_exit(2);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	redis = socket(AF_UNIX, SOCK_STREAM, 0);
	if (redis < 0 || setsockopt(redis, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("socket");
	for (i = 0; connect(redis, (struct sockaddr *)&address, sizeof(address)); i++) {
		if (i == 3000)
			die("the server does not come up");
		usleep(100000);
	}
}

static void end_server(void)
{
	int status = -1;

	send_all("SHUTDOWN NOSAVE\r\n", 17);
	if (waitpid(server, &status, 0) != server || status)
		is_wrong("the server ended with status %d", status);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc != 5)
		return 2;
	records = strtoul(argv[2], NULL, 10);
	window = strtoul(argv[3], NULL, 10);
	copy = calloc(records, VALUE);
	if (!copy)
		die("calloc");
	start_server(atoi(argv[1]), argv[4]);
	everything(SET);
	if (pthread_create(&thread, NULL, user, NULL))
		die("thread");
	printf("%d\n", server);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		pthread_mutex_lock(&talking);
		if (!strcmp(line, "count"))
			printf("%lu\n", answers);
		else if (!strcmp(line, "check"))
			check();
		else if (!strcmp(line, "spoil"))
			spoil();
		else
			ending = true;
		pthread_mutex_unlock(&talking);
		if (ending)
			break;
	}
	pthread_join(thread, NULL);
	if (!wrong[0])
		everything(GET);
	end_server();
	printf("%s\n", wrong[0] ? wrong : "good");
	return wrong[0] != '\0';
}
