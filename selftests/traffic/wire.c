// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a datagram and a stream look like.
 *
 * The checksum covers the whole datagram, header included, apart from UDP's own, which a veth or
 * VXLAN path may never compute. The rest of a datagram is filled with words that depend on who it
 * is, so that bytes of another packet in its place are noticed.
 */
#include <endian.h>
#include <string.h>

#include "ident.h"

#define MAGIC	0x69644731	/* "idG1" */

struct header {
	uint32_t magic;
	uint32_t session;
	uint32_t flow;
	uint32_t size;
	uint64_t seq;
	uint64_t check;
};

_Static_assert(sizeof(struct header) == IDENT_MIN_SIZE, "the header is the smallest datagram");

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 29;
	return x;
}

/* Of a datagram whose check field reads as zero. */
static uint64_t checksum(const void *datagram, size_t size)
{
	const uint8_t *p = datagram;
	uint64_t word, sum = size;

	for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = mix(sum ^ le64toh(word));
	}
	word = 0;
	memcpy(&word, p, size);
	return mix(sum ^ le64toh(word));
}

void wire_encode(void *datagram, size_t size, const struct ident_id *id)
{
	struct header h = {
		.magic = htobe32(MAGIC),
		.session = htobe32(id->session),
		.flow = htobe32(id->flow),
		.size = htobe32(size),
		.seq = htobe64(id->seq),
	};

	wire_fill((char *)datagram + sizeof(h), size - sizeof(h), id->flow, id->seq);
	memcpy(datagram, &h, sizeof(h));
	h.check = htobe64(checksum(datagram, size));
	memcpy(datagram, &h, sizeof(h));
}

bool wire_decode(const void *datagram, size_t size, struct ident_id *id)
{
	uint8_t copy[IDENT_MAX_SIZE];
	struct header h;
	uint64_t check;

	if (size < sizeof(h) || size > sizeof(copy))
		return false;
	memcpy(copy, datagram, size);
	memcpy(&h, copy, sizeof(h));
	memset(copy + offsetof(struct header, check), 0, sizeof(h.check));
	check = be64toh(h.check);
	id->session = be32toh(h.session);
	id->flow = be32toh(h.flow);
	id->seq = be64toh(h.seq);
	return be32toh(h.magic) == MAGIC && be32toh(h.size) == size &&
	       check == checksum(copy, size);
}

static uint64_t stream_word(uint32_t flow, uint64_t index)
{
	return mix(index + ((uint64_t)flow << 48) + 1);
}

void wire_fill(void *buf, size_t len, uint32_t flow, uint64_t offset)
{
	uint8_t *p = buf;

	while (len) {
		uint64_t word = htole64(stream_word(flow, offset / sizeof(word)));
		size_t skip = offset % sizeof(word);
		size_t n = sizeof(word) - skip < len ? sizeof(word) - skip : len;

		memcpy(p, (uint8_t *)&word + skip, n);
		p += n;
		offset += n;
		len -= n;
	}
}

size_t wire_differ(const void *buf, size_t len, uint32_t flow, uint64_t offset)
{
	const uint8_t *p = buf;
	uint8_t want[1024];
	size_t bad = 0;

	while (len) {
		size_t n = len < sizeof(want) ? len : sizeof(want);

		wire_fill(want, n, flow, offset);
		if (memcmp(p, want, n)) {
			for (size_t i = 0; i < n; i++)
				bad += p[i] != want[i];
		}
		p += n;
		offset += n;
		len -= n;
	}
	return bad;
}
