// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving side: one session at a time.
 *
 * A session is a TCP connection, the control connection, on which the sender says
 *	start MODE SESSION FLOWS
 * and gets "ready". Then come the datagrams, or one more connection for each stream. Meanwhile the
 * receiver says "got N" now and then: how many packets have come, which bounds what may be on the
 * way. In the end the sender says, for each flow, how much it sent and retransmitted,
 *	end SENT RETRANSMITTED SENT RETRANSMITTED ...
 * and gets the report, one line of JSON.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ident.h"

#define BATCH		64	/* datagrams a system call */
#define GOT_EVERY	32	/* packets */
#define GOT_NS		5000000ull
#define LATE_NS		200000000ull	/* a duplicate may come after all is complete */

/**
 * struct peer - a TCP connection
 * @fd: of it, or -1
 * @control: it is a control connection
 * @hello: IDENT_MAGIC_LEN bytes, of a data connection then session and flow, big endian
 * @hello_len: bytes of @hello that have come
 * @flow: of a data connection whose hello is complete
 * @line: of a control connection: text without a newline so far
 * @line_len: bytes of it
 */
struct peer {
	int fd;
	bool control;
	uint8_t hello[IDENT_MAGIC_LEN + 8];
	size_t hello_len;
	struct tally_flow *flow;
	char line[IDENT_MAX_LINE];
	size_t line_len;
};

#define MAX_PEERS	(IDENT_MAX_FLOWS + 4)

static struct receiver {
	int listen_fd;
	int udp_fd;
	struct peer peers[MAX_PEERS];
	struct peer *control;		/* of the session; NULL: none */
	bool ended;
	uint64_t told;			/* packets, by the last "got" */
	uint64_t told_ns;
	uint64_t last_ns;		/* anything came */
	uint64_t grace_ns;
	unsigned int sessions;
	struct tally tally;
} r;

static int open_socket(int type, unsigned int port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htobe16(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htobe16(port) };
	int on = 1, off = 0, size = IDENT_RCVBUF, fd, error;

	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	else
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		broken("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (type == SOCK_DGRAM) {
		setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	error = bind(fd, (struct sockaddr *)&any6, sizeof(any6));
	if (error && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		error = bind(fd, (struct sockaddr *)&any4, sizeof(any4));
	if (error)
		broken("port %u can't be had; choose another with -p", port);
	if (type == SOCK_STREAM && listen(fd, MAX_PEERS))
		broken("listen on port %u", port);
	return fd;
}

static void close_peer(struct peer *peer)
{
	if (peer == r.control)
		r.control = NULL;
	close(peer->fd);
	peer->fd = -1;
}

static void end_session(void)
{
	for (unsigned int i = 0; i < MAX_PEERS; i++) {
		if (r.peers[i].fd >= 0)
			close_peer(&r.peers[i]);
	}
	r.sessions++;
}

static void say(struct peer *peer, const char *text)
{
	if (!write_all(peer->fd, text, strlen(text)))
		close_peer(peer);
}

static void say_got(void)
{
	char text[32];

	if (!r.control || r.tally.received == r.told)
		return;
	r.told = r.tally.received;
	r.told_ns = now_ns();
	snprintf(text, sizeof(text), "got %lu\n", r.told);
	say(r.control, text);
}

static void report(void)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		broken("no memory for the report");
	tally_report(&r.tally, to);
	fclose(to);
	say(r.control, text);
	free(text);
	end_session();
}

static void start(struct peer *peer, enum ident_mode mode, const char *args)
{
	uint64_t n[2];

	if (r.control) {
		say(peer, "busy: another session is under way; use another port\n");
		return;
	}
	if (parse_numbers(args, n, 2) != 2 || n[0] > UINT32_MAX || !n[1] ||
	    n[1] > IDENT_MAX_FLOWS) {
		say(peer, "start: want MODE SESSION FLOWS\n");
		return;
	}
	tally_begin(&r.tally, mode, n[0], n[1]);
	r.control = peer;
	r.ended = false;
	r.told = 0;
	r.last_ns = now_ns();
	r.told_ns = r.last_ns;
	say(peer, "ready\n");
}

static void end(struct peer *peer, const char *args)
{
	uint64_t n[2 * IDENT_MAX_FLOWS];
	unsigned int count = parse_numbers(args, n, 2 * r.tally.nr_flows);

	if (count != 2 * r.tally.nr_flows) {
		say(peer, "end: want two numbers for each flow\n");
		return;
	}
	for (unsigned int i = 0; i < r.tally.nr_flows; i++) {
		r.tally.flows[i].sent = n[2 * i];
		r.tally.flows[i].retransmitted = n[2 * i + 1];
	}
	r.ended = true;
}

static void control_line(struct peer *peer, const char *line)
{
	if (!strncmp(line, "start udp ", 10))
		start(peer, IDENT_UDP, line + 10);
	else if (!strncmp(line, "start tcp ", 10))
		start(peer, IDENT_TCP, line + 10);
	else if (!strncmp(line, "end ", 4) && peer == r.control)
		end(peer, line + 4);
	else
		say(peer, "what?\n");
}

static void control_input(struct peer *peer)
{
	char *newline;
	ssize_t n = recv(peer->fd, peer->line + peer->line_len,
			 sizeof(peer->line) - 1 - peer->line_len, MSG_DONTWAIT);

	if (n <= 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (peer == r.control)
			end_session();
		else
			close_peer(peer);
		return;
	}
	peer->line_len += n;
	peer->line[peer->line_len] = 0;
	while (peer->fd >= 0 && (newline = strchr(peer->line, '\n'))) {
		*newline = 0;
		control_line(peer, peer->line);
		peer->line_len -= newline + 1 - peer->line;
		memmove(peer->line, newline + 1, peer->line_len + 1);
	}
	if (peer->line_len == sizeof(peer->line) - 1)
		close_peer(peer);
}

static void data_end(struct peer *peer)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (!getsockopt(peer->fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	    len >= offsetof(struct tcp_info, tcpi_rcv_ooopack) + sizeof(info.tcpi_rcv_ooopack))
		peer->flow->reordered += info.tcpi_rcv_ooopack;
	close_peer(peer);
}

static void data_input(struct peer *peer)
{
	static uint8_t buf[1 << 16];
	ssize_t n = recv(peer->fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct tally_flow *flow = peer->flow;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		data_end(peer);
		return;
	}
	flow->corrupted += wire_differ(buf, n, flow - r.tally.flows, flow->received);
	flow->received += n;
	r.tally.received += n;
}

/* Who is it? Until that is known at most the hello is read. */
static void hello_input(struct peer *peer)
{
	size_t want = peer->hello_len < IDENT_MAGIC_LEN ? IDENT_MAGIC_LEN : sizeof(peer->hello);
	ssize_t n = recv(peer->fd, peer->hello + peer->hello_len, want - peer->hello_len,
			 MSG_DONTWAIT);
	uint32_t session, flow;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_peer(peer);
		return;
	}
	peer->hello_len += n;
	if (peer->hello_len == IDENT_MAGIC_LEN) {
		peer->control = !memcmp(peer->hello, IDENT_CONTROL, IDENT_MAGIC_LEN);
		if (!peer->control && memcmp(peer->hello, IDENT_DATA, IDENT_MAGIC_LEN))
			close_peer(peer);
	}
	if (peer->hello_len < sizeof(peer->hello))
		return;
	memcpy(&session, peer->hello + IDENT_MAGIC_LEN, sizeof(session));
	memcpy(&flow, peer->hello + IDENT_MAGIC_LEN + sizeof(session), sizeof(flow));
	flow = be32toh(flow);
	if (!r.control || be32toh(session) != r.tally.session || flow >= r.tally.nr_flows)
		close_peer(peer);
	else
		peer->flow = &r.tally.flows[flow];
}

static void peer_input(struct peer *peer)
{
	r.last_ns = now_ns();
	if (peer->control)
		control_input(peer);
	else if (peer->flow)
		data_input(peer);
	else
		hello_input(peer);
}

static void accept_peer(void)
{
	int fd = accept(r.listen_fd, NULL, NULL);

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < MAX_PEERS; i++) {
		if (r.peers[i].fd < 0) {
			memset(&r.peers[i], 0, sizeof(r.peers[i]));
			r.peers[i].fd = fd;
			return;
		}
	}
	close(fd);
}

static void udp_input(void)
{
	static uint8_t data[BATCH][IDENT_MAX_SIZE];
	static uint64_t space[BATCH][CMSG_SPACE(sizeof(uint32_t)) / sizeof(uint64_t) + 1];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	struct cmsghdr *c;
	int n;

	for (unsigned int i = 0; i < BATCH; i++) {
		iov[i].iov_base = data[i];
		iov[i].iov_len = sizeof(data[i]);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_control = space[i];
		msgs[i].msg_hdr.msg_controllen = sizeof(space[i]);
	}
	n = recvmmsg(r.udp_fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		tally_datagram(&r.tally, data[i], msgs[i].msg_len);
		c = CMSG_FIRSTHDR(&msgs[i].msg_hdr);
		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t drops;

			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			r.tally.socket_drops = drops;
		}
	}
	if (n > 0) {
		r.last_ns = now_ns();
		if (r.tally.received - r.told >= GOT_EVERY)
			say_got();
	}
}

static bool streams_open(void)
{
	for (unsigned int i = 0; i < MAX_PEERS; i++) {
		if (r.peers[i].fd >= 0 && r.peers[i].flow)
			return true;
	}
	return false;
}

/* What time has brought; return: ms until it has to be called again. */
static int tick(void)
{
	uint64_t now = now_ns();
	bool complete;

	if (r.tally.mode == IDENT_UDP && now - r.told_ns >= GOT_NS)
		say_got();
	/* Nobody has asked, or who did has gone. */
	if (!r.control)
		return -1;
	if (!r.ended)
		return r.tally.mode == IDENT_UDP ? 5 : -1;
	complete = tally_complete(&r.tally) && !streams_open();
	if (now - r.last_ns >= (complete ? LATE_NS : r.grace_ns))
		report();
	return 5;
}

void receiver_run(unsigned int port, unsigned int sessions, unsigned int grace_ms)
{
	struct pollfd fds[2 + MAX_PEERS];

	r.listen_fd = open_socket(SOCK_STREAM, port);
	r.udp_fd = open_socket(SOCK_DGRAM, port);
	r.grace_ns = grace_ms * 1000000ull;
	for (unsigned int i = 0; i < MAX_PEERS; i++)
		r.peers[i].fd = -1;
	printf("listening on port %u\n", port);
	fflush(stdout);

	while (!sessions || r.sessions < sessions) {
		int timeout = tick();

		/* poll() passes over an entry whose fd is -1. */
		fds[0] = (struct pollfd){ .fd = r.listen_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = r.udp_fd, .events = POLLIN };
		for (unsigned int i = 0; i < MAX_PEERS; i++)
			fds[2 + i] = (struct pollfd){ .fd = r.peers[i].fd, .events = POLLIN };
		if (poll(fds, 2 + MAX_PEERS, timeout) < 0) {
			if (errno == EINTR)
				continue;
			broken("poll");
		}
		/* Datagrams first: what was sent before "end" is counted before it is read. */
		if (fds[1].revents)
			udp_input();
		for (unsigned int i = 0; i < MAX_PEERS; i++) {
			if (fds[2 + i].revents && r.peers[i].fd >= 0)
				peer_input(&r.peers[i]);
		}
		if (fds[0].revents)
			accept_peer();
	}
	close(r.udp_fd);
	close(r.listen_fd);
}
