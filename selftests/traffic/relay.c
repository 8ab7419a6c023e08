// SPDX-License-Identifier: GPL-2.0-only
/*
 * A relay that puts in one fault: what checks the checker.
 *
 * It stands between `ident udp -d PORT` or `ident tcp -d PORT` and the receiver. A datagram goes on
 * as it came, but for the one with number N, from 0:
 *	drop		it doesn't
 *	duplicate	it goes twice
 *	swap		it goes after the next one
 *	corrupt		with one bit changed
 * Of a stream, byte N is left out (drop) or has one bit changed (corrupt).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ident.h"

enum fault {
	NONE,
	DROP,
	DUPLICATE,
	SWAP,
	CORRUPT,
};

static const char *const fault_names[] = { "none", "drop", "duplicate", "swap", "corrupt" };

static int open_socket(int type, unsigned int listen_port, unsigned int to_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	address.sin_addr.s_addr = htobe32(INADDR_LOOPBACK);
	if (fd < 0)
		broken("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	address.sin_port = htobe16(listen_port);
	if (listen_port && bind(fd, (struct sockaddr *)&address, sizeof(address)))
		broken("bind to port %u", listen_port);
	address.sin_port = htobe16(to_port);
	if (to_port && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		broken("connect to port %u", to_port);
	return fd;
}

static void pass(int fd, const void *data, size_t len)
{
	if (!write_all(fd, data, len))
		broken("the receiver has gone away");
}

static void relay_datagrams(int in, int out, enum fault fault, uint64_t at)
{
	uint8_t data[IDENT_MAX_SIZE], held[IDENT_MAX_SIZE];
	size_t held_len = 0;

	for (uint64_t number = 0;; number++) {
		ssize_t len = recv(in, data, sizeof(data), 0);
		bool this_one = number == at;

		if (len < 0)
			broken("recv");
		if (this_one && fault == DROP)
			continue;
		if (this_one && fault == SWAP) {
			held_len = len;
			memcpy(held, data, len);
			continue;
		}
		if (this_one && fault == CORRUPT)
			data[len / 2] ^= 0x10;
		pass(out, data, len);
		if (this_one && fault == DUPLICATE)
			pass(out, data, len);
		if (held_len) {
			pass(out, held, held_len);
			held_len = 0;
		}
	}
}

static void relay_stream(int in, int out, enum fault fault, uint64_t at)
{
	uint64_t offset = 0;
	uint8_t data[4096];
	ssize_t len;

	/* The hello of a data connection is not part of its stream. */
	len = recv(in, data, IDENT_MAGIC_LEN + 8, MSG_WAITALL);
	if (len > 0)
		pass(out, data, len);
	while ((len = recv(in, data, sizeof(data), 0)) > 0) {
		size_t i = at - offset;

		offset += len;
		if (at < offset - len || at >= offset) {
			pass(out, data, len);
			continue;
		}
		if (fault == CORRUPT)
			data[i] ^= 0x10;
		pass(out, data, i);
		if (fault != DROP)
			pass(out, data + i, 1);
		pass(out, data + i + 1, len - i - 1);
	}
}

int main(int argc, char **argv)
{
	enum fault fault = NONE;
	unsigned int from, to;
	int udp, tcp;
	uint64_t at;

	if (argc != 5) {
		fputs("usage: ident_relay PORT RECEIVER-PORT none|drop|duplicate|swap|corrupt N\n",
		      stderr);
		return EXIT_USAGE;
	}
	from = atoi(argv[1]);
	to = atoi(argv[2]);
	at = strtoull(argv[4], NULL, 10);
	while (strcmp(argv[3], fault_names[fault])) {
		if (++fault > CORRUPT) {
			fprintf(stderr, "ident_relay: no fault '%s'\n", argv[3]);
			return EXIT_USAGE;
		}
	}
	udp = open_socket(SOCK_DGRAM, from, 0);
	tcp = open_socket(SOCK_STREAM, from, 0);
	if (listen(tcp, 1))
		broken("listen");
	puts("relaying");
	fflush(stdout);

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = udp, .events = POLLIN },
			{ .fd = tcp, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			broken("poll");
		if (fds[0].revents)
			relay_datagrams(udp, open_socket(SOCK_DGRAM, 0, to), fault, at);
		if (fds[1].revents) {
			int in = accept(tcp, NULL, NULL), out = open_socket(SOCK_STREAM, 0, to);

			relay_stream(in, out, fault, at);
			close(out);
			close(in);
		}
	}
}
