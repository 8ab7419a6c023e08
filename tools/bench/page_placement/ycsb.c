// SPDX-License-Identifier: GPL-2.0-only
/*
 * A load after YCSB's for Redis, with every answer checked.
 *
 *	ycsb SOCKET RECORDS VALUE_BYTES OPERATIONS THETA NAME:UPDATE_PERCENT...
 *
 * It sets RECORDS records, then for each NAME does OPERATIONS: reads of a record, or updates that
 * write its whole value anew, records by Zipf's law, 16 operations on their way at a time. Before
 * each NAME and after the last it says "at N", executes a mark, and goes on at a line on standard
 * input. A value follows from its record and from how often that was set: an answer that is older
 * than the last update, or anything else, is wrong. In the end all records are read once more.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../mark.h"
#include "zipf.h"

enum { DEPTH = 16, MAX_VALUE = 4096, ROOM = DEPTH * (MAX_VALUE + 128) };

struct operation {
	uint32_t record;
	uint32_t version;
	bool update;
};

static int redis;
static uint32_t nr_records, value_words;
static uint32_t *version_of;
static uint64_t reads, updates, wrong;
static char request[ROOM], answer[ROOM];

static void fill_value(char *at, uint32_t record, uint32_t version)
{
	uint64_t word = ((uint64_t)record << 32 | version) * 0x9e3779b97f4a7c15ull | 1;

	for (uint32_t i = 0; i < value_words; i++, word += 0x5bd1e995)
		memcpy(at + i * sizeof(word), &word, sizeof(word));
}

static size_t ask(char *at, const struct operation *op)
{
	size_t bytes = value_words * sizeof(uint64_t);
	int n;

	if (!op->update)
		return (size_t)sprintf(at, "*2\r\n$3\r\nGET\r\n$14\r\nuser%010u\r\n", op->record);
	n = sprintf(at, "*3\r\n$3\r\nSET\r\n$14\r\nuser%010u\r\n$%zu\r\n", op->record, bytes);
	fill_value(at + n, op->record, op->version);
	memcpy(at + n + bytes, "\r\n", 2);
	return n + bytes + 2;
}

/* The answer that is right; as long as any that Redis gives to such a request, but for an error. */
static size_t expect(char *at, const struct operation *op)
{
	size_t bytes = value_words * sizeof(uint64_t);
	int n;

	if (op->update)
		return (size_t)sprintf(at, "+OK\r\n");
	n = sprintf(at, "$%zu\r\n", bytes);
	fill_value(at + n, op->record, op->version);
	memcpy(at + n + bytes, "\r\n", 2);
	return n + bytes + 2;
}

static void talk(const struct operation *ops, int n)
{
	static char want[MAX_VALUE + 128];
	size_t length = 0, due = 0, sent = 0, got = 0, at = 0;
	ssize_t bytes;

	for (int i = 0; i < n; i++) {
		length += ask(request + length, &ops[i]);
		due += expect(want, &ops[i]);
	}
	for (; sent < length; sent += (size_t)bytes) {
		bytes = write(redis, request + sent, length - sent);
		if (bytes <= 0)
			err(2, "write to Redis");
	}
	for (; got < due; got += (size_t)bytes) {
		bytes = read(redis, answer + got, due - got);
		if (bytes <= 0)
			err(2, "read from Redis");
		if (memchr(answer, '-', 1))
			errx(2, "Redis says: %.60s", answer);
	}
	for (int i = 0; i < n; i++) {
		length = expect(want, &ops[i]);
		wrong += memcmp(answer + at, want, length) != 0;
		at += length;
		*(ops[i].update ? &updates : &reads) += 1;
	}
}

static void everything(bool update)
{
	struct operation ops[DEPTH];
	int n = 0;

	for (uint32_t record = 0; record < nr_records; record++) {
		ops[n++] = (struct operation){ record, version_of[record], update };
		if (n == DEPTH || record == nr_records - 1) {
			talk(ops, n);
			n = 0;
		}
	}
}

static void workload(uint64_t operations, unsigned int update_percent)
{
	struct operation ops[DEPTH];

	while (operations) {
		int n = operations < DEPTH ? (int)operations : DEPTH;

		for (int i = 0; i < n; i++) {
			uint32_t record = zipf_thing(next_random());
			bool update = next_random() % 100 < update_percent;

			version_of[record] += update;
			ops[i] = (struct operation){ record, version_of[record], update };
		}
		talk(ops, n);
		operations -= (uint64_t)n;
	}
}

static void stop_at(int nr)
{
	char line[16];

	mark();
	printf("at %d\n", nr);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		errx(2, "nobody says how to go on");
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uint64_t operations, before;

	if (argc < 7)
		errx(2, "want six arguments or more");
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[1]);
	nr_records = (uint32_t)strtoul(argv[2], NULL, 10);
	value_words = (uint32_t)strtoul(argv[3], NULL, 10) / sizeof(uint64_t);
	operations = strtoull(argv[4], NULL, 10);
	if (!nr_records || !value_words || value_words * sizeof(uint64_t) > MAX_VALUE)
		errx(2, "no records, or values that are too large");
	version_of = calloc(nr_records, sizeof(*version_of));
	redis = socket(AF_UNIX, SOCK_STREAM, 0);
	if (!version_of || redis < 0 || connect(redis, (struct sockaddr *)&to, sizeof(to)))
		err(2, "%s", argv[1]);
	zipf_begin(nr_records, strtod(argv[5], NULL));

	everything(true);
	before = updates;
	for (int i = 6; i < argc; i++) {
		const char *percent = strchr(argv[i], ':');

		if (!percent)
			errx(2, "%s: want NAME:PERCENT", argv[i]);
		stop_at(i - 6);
		workload(operations, (unsigned int)strtoul(percent + 1, NULL, 10));
	}
	stop_at(argc - 6);
	before = updates - before;
	everything(false);
	printf("{\"operations\": %lu, \"writes\": %lu, \"lost\": 0, \"wrong\": %lu}\n",
	       operations * (uint64_t)(argc - 6), before, wrong);
	return wrong != 0;
}
