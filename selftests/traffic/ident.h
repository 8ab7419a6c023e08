/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ident: traffic in which each packet, and each byte of a stream, says who it is, so that a
 * receiver can tell what was lost, doubled, overtaken or changed on the way.
 */
#ifndef IDENT_H
#define IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define IDENT_PORT		7400	/* unless told */
#define IDENT_MAX_FLOWS		64	/* of one session */
#define IDENT_MIN_SIZE		32	/* bytes of a datagram: its header */
#define IDENT_MAX_SIZE		8192
#define IDENT_MAX_LINE		32768	/* of the control connection; a report is one line */
#define IDENT_RCVBUF		(16 << 20)

/* How a report begins: nothing went wrong, or something did. */
#define IDENT_CLEAN		"{\"clean\":true,"
#define IDENT_DIRTY		"{\"clean\":false,"

/* Exit statuses of ident. */
#define EXIT_CLEAN		0	/* everything arrived once, in order, unchanged */
#define EXIT_DIRTY		1	/* it did not; the report says what */
#define EXIT_USAGE		2
#define EXIT_BROKEN		3	/* the run itself failed; there is no report */

/* The first bytes on a TCP connection say what it is. */
#define IDENT_CONTROL		"IDc1"
#define IDENT_DATA		"IDd1"
#define IDENT_MAGIC_LEN		4

enum ident_mode {
	IDENT_UDP,
	IDENT_TCP,
};

/**
 * struct ident_id - what a datagram says of itself
 * @session: drawn by the sender; tells this run's packets from an earlier one's
 * @flow: below the session's number of flows
 * @seq: from 0, without a gap, for each flow
 */
struct ident_id {
	uint32_t session;
	uint32_t flow;
	uint64_t seq;
};

/* wire.c */

/* Write a datagram of @size bytes (IDENT_MIN_SIZE or more) that carries @id. */
void wire_encode(void *datagram, size_t size, const struct ident_id *id);

/* Return: true, with @id filled, if @datagram is one of @size bytes as it was encoded. */
bool wire_decode(const void *datagram, size_t size, struct ident_id *id);

/* Write bytes @offset to @offset + @len of the stream of @flow. */
void wire_fill(void *buf, size_t len, uint32_t flow, uint64_t offset);

/* Return: how many of these bytes differ from what wire_fill() writes. */
size_t wire_differ(const void *buf, size_t len, uint32_t flow, uint64_t offset);

/* tally.c */

/**
 * struct tally_flow - what became of one flow
 * @sent: packets, or bytes of a stream; known at the end only
 * @received: packets of different sequence numbers, or bytes
 * @duplicated: packets that came again
 * @reordered: packets that came after a later one; of a stream, segments that TCP had to put back
 *	in order
 * @furthest: the largest number of sequence numbers by which a reordered packet was late
 * @retransmitted: segments that a stream's sender sent again
 * @corrupted: bytes of a stream that differ
 * @next: one above the highest sequence number seen
 * @seen: one bit a sequence number
 * @seen_words: 64-bit words of @seen
 */
struct tally_flow {
	uint64_t sent;
	uint64_t received;
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t furthest;
	uint64_t retransmitted;
	uint64_t corrupted;
	uint64_t next;
	uint64_t *seen;
	size_t seen_words;
};

/**
 * struct tally - what became of one session's traffic
 * @mode: which kind of traffic
 * @session: its number
 * @nr_flows: entries of @flows in use
 * @received: sum over the flows, kept as packets come
 * @corrupted: datagrams that are not as they were encoded; whose they were can't be known
 * @foreign: well-formed datagrams of another session
 * @socket_drops: datagrams that the receiving socket had no room for, as its kernel counts
 * @flows: each flow's part
 */
struct tally {
	enum ident_mode mode;
	uint32_t session;
	unsigned int nr_flows;
	uint64_t received;
	uint64_t corrupted;
	uint64_t foreign;
	uint64_t socket_drops;
	struct tally_flow flows[IDENT_MAX_FLOWS];
};

void tally_begin(struct tally *tally, enum ident_mode mode, uint32_t session, unsigned int flows);
void tally_datagram(struct tally *tally, const void *datagram, size_t size);

/* Return: true if all that the flows' @sent says has been received. */
bool tally_complete(const struct tally *tally);

/* Write the report, one JSON object on one line, that begins with IDENT_CLEAN or IDENT_DIRTY. */
void tally_report(const struct tally *tally, FILE *to);

/* receiver.c */

/* Serve @sessions sessions, or without end if 0, on TCP and UDP @port. */
void receiver_run(unsigned int port, unsigned int sessions, unsigned int grace_ms);

/* sender.c */

/**
 * struct sender_options - what `ident udp` and `ident tcp` were told
 * @mode: which kind of traffic
 * @host: IPv4 or IPv6 address of the receiver
 * @port: of its control connection
 * @data_port: where the traffic goes; @port unless a relay stands in between
 * @flows: number of flows, each with a port of its own
 * @rate: packets a second, or bytes a second, of all flows together; 0: as fast as it goes
 * @size: bytes of a datagram, or of one write
 * @seconds: duration; 0: until SIGINT or SIGTERM, or @count
 * @count: packets, or bytes, of all flows together; 0: no such end
 * @window: packets that may be on their way at once
 */
struct sender_options {
	enum ident_mode mode;
	const char *host;
	unsigned int port;
	unsigned int data_port;
	unsigned int flows;
	uint64_t rate;
	size_t size;
	uint64_t seconds;
	uint64_t count;
	unsigned int window;
};

/* Send, wait for the receiver's report, print it. Return: EXIT_CLEAN or EXIT_DIRTY. */
int sender_run(const struct sender_options *options);

/* util.c */

uint64_t now_ns(void);

/* Say "ident: ..." on stderr, with what errno means if it isn't 0, and exit with EXIT_BROKEN. */
__attribute__((noreturn, format(printf, 1, 2))) void broken(const char *format, ...);

/* Write all of @len bytes. Return: false, with errno set, if the other side is gone. */
bool write_all(int fd, const void *buf, size_t len);

/* Numbers of a line: parse up to @max of them at @text. Return: how many there were. */
unsigned int parse_numbers(const char *text, uint64_t *numbers, unsigned int max);

#endif /* IDENT_H */
