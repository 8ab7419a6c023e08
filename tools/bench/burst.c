// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send datagrams from one network namespace to another in bursts, with a mark (mark.h) before the
 * first and after the last: what the guest's kernel executes in between is what they cost.
 *
 * Nothing else of this program lies between the marks: the datagrams stay in the receiving socket's
 * buffer until all is over. Then each is looked for, and whether it came in order.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

#define PORT		7401	/* the receiver's; flow N sends from the Nth one above it */
#define MAX_FLOWS	16
#define MAX_BURST	256
#define MAX_BYTES	1400

static const char usage[] =
"usage: burst FROM-NETNS TO-NETNS ADDRESS FLOWS BURSTS PACKETS BYTES GAP-US\n"
"Send BURSTS bursts of PACKETS datagrams of BYTES bytes, GAP-US microseconds apart, of FLOWS flows\n"
"in turn; print one line of JSON: sent, received, reordered. With 0 PACKETS only the gaps are left.\n"
"Exit status: 0 all came in order, 1 not all did, 2 wrong usage, 3 the run failed.\n";

static uint8_t data[MAX_BURST][MAX_BYTES];

__attribute__((noreturn, format(printf, 1, 2))) static void broken(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("burst: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(3);
}

static int socket_in(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		broken("network namespace %s", netns);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		broken("socket in %s", netns);
	return fd;
}

static void send_burst(int fd, unsigned int packets, size_t bytes, uint64_t *seq)
{
	static struct mmsghdr msgs[MAX_BURST];
	static struct iovec iov[MAX_BURST];
	unsigned int done = 0;

	for (unsigned int i = 0; i < packets; i++) {
		memcpy(data[i], seq, sizeof(*seq));
		++*seq;
		iov[i].iov_base = data[i];
		iov[i].iov_len = bytes;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < packets) {
		int n = sendmmsg(fd, msgs + done, packets - done, 0);

		if (n < 0)
			broken("send");
		done += n;
	}
}

/* Empty the socket; count what came, and what came after a later one. */
static void receive(int fd, uint64_t *received, uint64_t *reordered)
{
	uint64_t seq, next = 0;

	*received = *reordered = 0;
	while (recv(fd, &seq, sizeof(seq), MSG_DONTWAIT) == sizeof(seq)) {
		++*received;
		if (seq < next)
			++*reordered;
		else
			next = seq + 1;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int out[MAX_FLOWS], in, size = 256 << 20;
	struct timespec gap = { 0 }, settle = { .tv_nsec = 50000000 };
	unsigned long flows, bursts, packets, bytes;
	uint64_t seq = 0, received, reordered;

	if (argc != 9) {
		fputs(usage, stderr);
		return 2;
	}
	flows = strtoul(argv[4], NULL, 10);
	bursts = strtoul(argv[5], NULL, 10);
	packets = strtoul(argv[6], NULL, 10);
	bytes = strtoul(argv[7], NULL, 10);
	gap.tv_nsec = strtoul(argv[8], NULL, 10) * 1000;
	if (inet_pton(AF_INET, argv[3], &to.sin_addr) != 1 || !flows || flows > MAX_FLOWS ||
	    packets > MAX_BURST || bytes < sizeof(seq) || bytes > MAX_BYTES ||
	    gap.tv_nsec > 999999000) {
		fputs(usage, stderr);
		return 2;
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		broken("mlockall");

	in = socket_in(argv[2]);
	if (setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(in, (struct sockaddr *)&any, sizeof(any)))
		broken("receiving socket");
	for (unsigned int i = 0; i < flows; i++) {
		out[i] = socket_in(argv[1]);
		any.sin_port = htons(PORT + 1 + i);
		if (bind(out[i], (struct sockaddr *)&any, sizeof(any)) ||
		    connect(out[i], (struct sockaddr *)&to, sizeof(to)))
			broken("sending socket");
	}

	/* Neighbours are known, caches filled, flows placed before the first mark. */
	for (unsigned int i = 0; i < 2 * flows; i++) {
		send_burst(out[i % flows], packets, bytes, &seq);
		nanosleep(&settle, NULL);
	}
	receive(in, &received, &reordered);
	seq = 0;

	mark();
	for (unsigned long i = 0; i < bursts; i++) {
		send_burst(out[i % flows], packets, bytes, &seq);
		nanosleep(&gap, NULL);
	}
	mark();

	nanosleep(&settle, NULL);
	receive(in, &received, &reordered);
	printf("{\"sent\":%lu,\"received\":%lu,\"reordered\":%lu}\n", seq, received, reordered);
	return seq == received && !reordered ? 0 : 1;
}
