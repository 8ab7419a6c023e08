// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sending side. receiver.c says what goes over the control connection.
 *
 * At most a window of packets is on the way, however slow the machine between is, so no queue that
 * holds a window overflows: a packet that is lost was lost by a fault. What is overdue because
 * this process did not get to run is not caught up with.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ident.h"

#define STALL_NS	10000000000ull	/* no news for so long: what is out is lost */
#define ANSWER_MS	60000

static volatile sig_atomic_t stop;

static struct sender {
	const struct sender_options *o;
	int control;
	int fds[IDENT_MAX_FLOWS];
	uint32_t session;
	uint64_t sent[IDENT_MAX_FLOWS];
	uint64_t total;
	uint64_t got;			/* packets, by the receiver */
	uint64_t written_off;		/* packets taken for lost */
	uint64_t news_ns;
	char line[IDENT_MAX_LINE];
	size_t line_len;
} s;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static int connect_to(int type, unsigned int port)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htobe16(port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htobe16(port) };
	bool is6 = inet_pton(AF_INET6, s.o->host, &to6.sin6_addr) == 1;
	int fd, error, on = 1;

	if (!is6 && inet_pton(AF_INET, s.o->host, &to4.sin_addr) != 1) {
		errno = 0;
		broken("'%s' is not an IPv4 or IPv6 address", s.o->host);
	}
	fd = socket(is6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		broken("socket");
	if (is6)
		error = connect(fd, (struct sockaddr *)&to6, sizeof(to6));
	else
		error = connect(fd, (struct sockaddr *)&to4, sizeof(to4));
	if (error)
		broken("can't reach %s port %u; is `ident recv -p %u` running there?", s.o->host,
		       port, port);
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/*
 * Read what the receiver says, at most @wait_ms long. Return: a line other than "got", valid until
 * the next call, or NULL.
 */
static char *listen_control(int wait_ms)
{
	struct pollfd p = { .fd = s.control, .events = POLLIN };
	static char line[IDENT_MAX_LINE];
	char *newline;
	ssize_t n;

	if (!memchr(s.line, '\n', s.line_len)) {
		if (poll(&p, 1, wait_ms) <= 0)
			return NULL;
		n = recv(s.control, s.line + s.line_len, sizeof(s.line) - s.line_len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return NULL;
		if (n <= 0)
			broken("the receiver has gone away in the middle of the session");
		s.line_len += n;
	}
	while ((newline = memchr(s.line, '\n', s.line_len))) {
		size_t len = newline + 1 - s.line;

		memcpy(line, s.line, len);
		line[len - 1] = 0;
		s.line_len -= len;
		memmove(s.line, newline + 1, s.line_len);
		if (parse_numbers(strncmp(line, "got ", 4) ? "" : line + 4, &s.got, 1) != 1)
			return line;
		s.news_ns = now_ns();
	}
	return NULL;
}

static void say_control(const char *text)
{
	if (!write_all(s.control, text, strlen(text)))
		broken("the receiver has gone away");
}

static bool over(uint64_t begin)
{
	return stop || (s.o->count && s.total >= s.o->count) ||
	       (s.o->seconds && now_ns() - begin >= s.o->seconds * 1000000000ull);
}

/*
 * Wait until the next packet, or the next @unit bytes, are due, hearing what the receiver says.
 * @due: when; moved on by what they take at the rate asked for.
 */
static void pace(uint64_t *due, uint64_t unit)
{
	uint64_t now = now_ns();
	struct timespec at;

	if (!s.o->rate)
		return;
	if (now < *due) {
		at.tv_sec = *due / 1000000000;
		at.tv_nsec = *due % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	} else {
		*due = now;
	}
	*due += unit * 1000000000ull / s.o->rate;
}

static uint64_t on_the_way(void)
{
	uint64_t gone = s.got + s.written_off;

	return s.total > gone ? s.total - gone : 0;
}

/* An unexpected line is the receiver's complaint. */
static void hear(int wait_ms)
{
	const char *line = listen_control(wait_ms);

	if (line) {
		errno = 0;
		broken("the receiver says: %s", line);
	}
}

static void keep_window(void)
{
	hear(0);
	while (on_the_way() >= s.o->window && !stop) {
		hear(1);
		if (now_ns() - s.news_ns >= STALL_NS) {
			s.written_off += on_the_way();
			s.news_ns = now_ns();
		}
	}
}

static void send_datagrams(void)
{
	uint8_t datagram[IDENT_MAX_SIZE];
	uint64_t begin = now_ns(), due = begin;

	s.news_ns = begin;
	while (!over(begin)) {
		struct ident_id id = { .session = s.session, .flow = s.total % s.o->flows };

		id.seq = s.sent[id.flow];
		pace(&due, 1);
		keep_window();
		wire_encode(datagram, s.o->size, &id);
		while (send(s.fds[id.flow], datagram, s.o->size, 0) < 0) {
			if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
				broken("send to %s port %u", s.o->host, s.o->data_port);
			if (errno == ENOBUFS)
				hear(1);
		}
		s.sent[id.flow]++;
		s.total++;
	}
}

static void open_stream(unsigned int flow)
{
	uint8_t hello[IDENT_MAGIC_LEN + 8] = IDENT_DATA;
	uint32_t session = htobe32(s.session), number = htobe32(flow);

	memcpy(hello + IDENT_MAGIC_LEN, &session, sizeof(session));
	memcpy(hello + IDENT_MAGIC_LEN + sizeof(session), &number, sizeof(number));
	if (!write_all(s.fds[flow], hello, sizeof(hello)))
		broken("stream %u broke off at its beginning", flow);
}

/* Streams take turns; one that can't take more now misses its turn. */
static void send_streams(void)
{
	uint8_t buf[IDENT_MAX_SIZE];
	uint64_t begin, due, turn = 0;

	for (unsigned int i = 0; i < s.o->flows; i++)
		open_stream(i);
	begin = now_ns();
	due = begin;
	while (!over(begin)) {
		unsigned int flow = turn++ % s.o->flows;
		ssize_t n;

		pace(&due, s.o->size);
		hear(0);
		wire_fill(buf, s.o->size, flow, s.sent[flow]);
		n = send(s.fds[flow], buf, s.o->size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = s.fds[flow], .events = POLLOUT };

			poll(&p, 1, 10);
			continue;
		}
		if (n < 0 && errno != EINTR)
			broken("stream %u broke off after %lu bytes", flow, s.sent[flow]);
		if (n > 0) {
			s.sent[flow] += n;
			s.total += n;
		}
	}
	for (unsigned int i = 0; i < s.o->flows; i++)
		shutdown(s.fds[i], SHUT_WR);
}

static void begin_session(void)
{
	char text[64];
	const char *line;

	s.control = connect_to(SOCK_STREAM, s.o->port);
	if (getrandom(&s.session, sizeof(s.session), 0) != sizeof(s.session))
		broken("getrandom");
	snprintf(text, sizeof(text), IDENT_CONTROL "start %s %u %u\n",
		 s.o->mode == IDENT_UDP ? "udp" : "tcp", s.session, s.o->flows);
	say_control(text);
	line = listen_control(ANSWER_MS);
	if (!line || strcmp(line, "ready")) {
		errno = 0;
		broken("the receiver says: %s", line ? line : "nothing for a minute");
	}
}

/* Say what was sent, print the report. Return: true if all is well. */
static bool end_session(void)
{
	char text[IDENT_MAX_LINE];
	const char *line;
	uint64_t begin;
	size_t len;

	len = snprintf(text, sizeof(text), "end");
	for (unsigned int i = 0; i < s.o->flows; i++) {
		struct tcp_info info = { 0 };
		socklen_t info_len = sizeof(info);

		if (s.o->mode == IDENT_TCP)
			getsockopt(s.fds[i], IPPROTO_TCP, TCP_INFO, &info, &info_len);
		len += snprintf(text + len, sizeof(text) - len, " %lu %u", s.sent[i],
				info.tcpi_total_retrans);
	}
	snprintf(text + len, sizeof(text) - len, "\n");
	say_control(text);

	begin = now_ns();
	do {
		line = listen_control(ANSWER_MS);
	} while (!line && now_ns() - begin < ANSWER_MS * 1000000ull);
	if (!line || *line != '{') {
		errno = 0;
		broken("the receiver says: %s", line ? line : "nothing for a minute");
	}
	puts(line);
	return !strncmp(line, IDENT_CLEAN, strlen(IDENT_CLEAN));
}

int sender_run(const struct sender_options *options)
{
	struct sigaction action = { .sa_handler = on_signal };
	bool clean;

	s.o = options;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	begin_session();
	for (unsigned int i = 0; i < s.o->flows; i++)
		s.fds[i] = connect_to(s.o->mode == IDENT_UDP ? SOCK_DGRAM : SOCK_STREAM,
				      s.o->data_port);
	if (s.o->mode == IDENT_UDP)
		send_datagrams();
	else
		send_streams();
	clean = end_session();
	for (unsigned int i = 0; i < s.o->flows; i++)
		close(s.fds[i]);
	close(s.control);
	return clean ? EXIT_CLEAN : EXIT_DIRTY;
}
