// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ident.h"

static const char usage_text[] =
"usage: ident recv [-p PORT] [-n SESSIONS] [-g MS]\n"
"       ident udp|tcp [OPTION]... HOST\n"
"\n"
"recv      receive, session after session; what it saw is sent back to the sender\n"
"  -p PORT    TCP and UDP port (7400)\n"
"  -n N       exit after N sessions (0: never)\n"
"  -g MS      how long to wait for what is still missing (2000)\n"
"\n"
"udp, tcp  send datagrams or streams to HOST; print the receiver's report, one line of JSON\n"
"  -p PORT    the receiver's port (7400)\n"
"  -d PORT    send the traffic itself to this port instead\n"
"  -f N       flows, each from a port of its own: 1 to 64 (1)\n"
"  -r N       packets, or bytes, a second, all flows together; 0: no limit (1000, 1000000)\n"
"  -s N       bytes of a datagram, 32 to 8192, or of a write (256, 4096)\n"
"  -t N       seconds; 0: until SIGINT or -c (0)\n"
"  -c N       packets, or bytes, all flows together; 0: no such end (0)\n"
"  -w N       packets on the way at once (128)\n"
"\n"
"A rate is the most that is sent: what could not be sent in time is not caught up with.\n"
"\n"
"Exit status: 0 all arrived once, in order, unchanged; 1 something did not (streams: bytes are\n"
"missing or changed); 2 wrong usage; 3 the run failed and there is no report.\n";

__attribute__((noreturn)) static void usage(const char *problem)
{
	fprintf(stderr, "ident: %s; `ident --help` explains\n", problem);
	exit(EXIT_USAGE);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min || n > max) {
		fprintf(stderr, "ident: '%s' is not a number from %lu to %lu\n", text, min, max);
		exit(EXIT_USAGE);
	}
	return n;
}

static int do_recv(int argc, char **argv)
{
	unsigned int port = IDENT_PORT, sessions = 0, grace_ms = 2000;
	int c;

	while ((c = getopt(argc, argv, "p:n:g:")) != -1) {
		switch (c) {
		case 'p':
			port = number(optarg, 1, 65535);
			break;
		case 'n':
			sessions = number(optarg, 0, UINT32_MAX);
			break;
		case 'g':
			grace_ms = number(optarg, 1, 600000);
			break;
		default:
			usage("recv: what was that?");
		}
	}
	if (optind != argc)
		usage("recv takes no arguments");
	receiver_run(port, sessions, grace_ms);
	return EXIT_CLEAN;
}

static int do_send(enum ident_mode mode, int argc, char **argv)
{
	struct sender_options o = {
		.mode = mode,
		.port = IDENT_PORT,
		.flows = 1,
		.rate = mode == IDENT_UDP ? 1000 : 1000000,
		.size = mode == IDENT_UDP ? 256 : 4096,
		.window = 128,
	};
	int c;

	while ((c = getopt(argc, argv, "p:d:f:r:s:t:c:w:")) != -1) {
		switch (c) {
		case 'p':
			o.port = number(optarg, 1, 65535);
			break;
		case 'd':
			o.data_port = number(optarg, 1, 65535);
			break;
		case 'f':
			o.flows = number(optarg, 1, IDENT_MAX_FLOWS);
			break;
		case 'r':
			o.rate = number(optarg, 0, 1000000000000);
			break;
		case 's':
			o.size = number(optarg, IDENT_MIN_SIZE, IDENT_MAX_SIZE);
			break;
		case 't':
			o.seconds = number(optarg, 0, 1000000);
			break;
		case 'c':
			o.count = number(optarg, 0, UINT64_MAX);
			break;
		case 'w':
			o.window = number(optarg, 1, 1000000);
			break;
		default:
			usage("what was that?");
		}
	}
	if (optind != argc - 1)
		usage("want one HOST");
	o.host = argv[optind];
	if (!o.data_port)
		o.data_port = o.port;
	return sender_run(&o);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		fputs(usage_text, stdout);
		return EXIT_CLEAN;
	}
	if (argc >= 2 && !strcmp(argv[1], "recv"))
		return do_recv(argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[1], "udp"))
		return do_send(IDENT_UDP, argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[1], "tcp"))
		return do_send(IDENT_TCP, argc - 1, argv + 1);
	usage("want recv, udp or tcp");
}
