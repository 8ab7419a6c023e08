// SPDX-License-Identifier: GPL-2.0-only
/* What became of each packet. */
#include <stdlib.h>
#include <string.h>

#include "ident.h"

/* No sender gets this far; one bit each of what lies below takes 2 GiB. */
#define MAX_SEQ	(1ull << 34)

void tally_begin(struct tally *tally, enum ident_mode mode, uint32_t session, unsigned int flows)
{
	for (unsigned int i = 0; i < IDENT_MAX_FLOWS; i++)
		free(tally->flows[i].seen);
	memset(tally, 0, sizeof(*tally));
	tally->mode = mode;
	tally->session = session;
	tally->nr_flows = flows;
}

/* Return: true if @seq of @flow had been seen before. It is from now on. */
static bool test_and_set_seen(struct tally_flow *flow, uint64_t seq)
{
	size_t word = seq / 64;
	uint64_t bit = 1ull << (seq % 64);
	bool seen;

	if (word >= flow->seen_words) {
		size_t words = (word + 1) * 2;

		flow->seen = reallocarray(flow->seen, words, sizeof(*flow->seen));
		if (!flow->seen)
			broken("no memory for %zu sequence numbers", words * 64);
		memset(flow->seen + flow->seen_words, 0,
		       (words - flow->seen_words) * sizeof(*flow->seen));
		flow->seen_words = words;
	}
	seen = flow->seen[word] & bit;
	flow->seen[word] |= bit;
	return seen;
}

void tally_datagram(struct tally *tally, const void *datagram, size_t size)
{
	struct tally_flow *flow;
	struct ident_id id;

	if (!wire_decode(datagram, size, &id)) {
		tally->corrupted++;
		return;
	}
	if (id.session != tally->session || id.flow >= tally->nr_flows || id.seq >= MAX_SEQ) {
		tally->foreign++;
		return;
	}
	flow = &tally->flows[id.flow];
	if (test_and_set_seen(flow, id.seq)) {
		flow->duplicated++;
		return;
	}
	flow->received++;
	tally->received++;
	if (id.seq >= flow->next) {
		flow->next = id.seq + 1;
	} else {
		flow->reordered++;
		if (flow->next - 1 - id.seq > flow->furthest)
			flow->furthest = flow->next - 1 - id.seq;
	}
}

bool tally_complete(const struct tally *tally)
{
	for (unsigned int i = 0; i < tally->nr_flows; i++) {
		if (tally->flows[i].received < tally->flows[i].sent)
			return false;
	}
	return true;
}

static uint64_t lost(const struct tally_flow *flow)
{
	return flow->sent > flow->received ? flow->sent - flow->received : 0;
}

static void report_flow(const struct tally_flow *flow, FILE *to)
{
	fprintf(to, "\"sent\":%lu,\"received\":%lu,\"lost\":%lu,\"duplicated\":%lu,"
		"\"reordered\":%lu,\"furthest\":%lu,\"retransmitted\":%lu,\"corrupted\":%lu",
		flow->sent, flow->received, lost(flow), flow->duplicated, flow->reordered,
		flow->furthest, flow->retransmitted, flow->corrupted);
}

void tally_report(const struct tally *tally, FILE *to)
{
	struct tally_flow sum = { .corrupted = tally->corrupted };
	uint64_t sum_lost = 0;
	bool clean;

	for (unsigned int i = 0; i < tally->nr_flows; i++) {
		const struct tally_flow *flow = &tally->flows[i];

		sum.sent += flow->sent;
		sum.received += flow->received;
		sum.duplicated += flow->duplicated;
		sum.reordered += flow->reordered;
		sum.retransmitted += flow->retransmitted;
		sum.corrupted += flow->corrupted;
		sum_lost += lost(flow);
		if (flow->furthest > sum.furthest)
			sum.furthest = flow->furthest;
	}
	/* A stream puts its segments back in order by itself: nothing went wrong there. */
	clean = sum.sent == sum.received && !sum_lost && !sum.duplicated && !sum.corrupted &&
		(tally->mode == IDENT_TCP || !sum.reordered);
	fprintf(to, "%s\"mode\":\"%s\",\"session\":%u,\"sent\":%lu,\"received\":%lu,\"lost\":%lu,"
		"\"duplicated\":%lu,\"reordered\":%lu,\"furthest\":%lu,\"retransmitted\":%lu,"
		"\"corrupted\":%lu,\"foreign\":%lu,\"socket_drops\":%lu,\"flows\":[",
		clean ? IDENT_CLEAN : IDENT_DIRTY, tally->mode == IDENT_UDP ? "udp" : "tcp",
		tally->session, sum.sent, sum.received,
		sum_lost, sum.duplicated, sum.reordered, sum.furthest, sum.retransmitted,
		sum.corrupted, tally->foreign, tally->socket_drops);
	for (unsigned int i = 0; i < tally->nr_flows; i++) {
		fprintf(to, "%s{\"flow\":%u,", i ? "," : "", i);
		report_flow(&tally->flows[i], to);
		fputc('}', to);
	}
	fputs("]}\n", to);
}
