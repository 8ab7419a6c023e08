// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin that counts, for each memory tier, what the guest's CPUs read and write there and
 * how much of that misses a simulated cache. It begins at the first mark (../mark.h) that the guest
 * executes, so that booting is not slowed down, and writes all counters down at each further one.
 *
 *	-plugin tiers.so,out=FILE,split=MIB,cache=KIB
 *
 * A tier is a range of the guest's memory: below MIB the fast one, from there on the slow one. One
 * cache of KIB, shared by all CPUs, lines of 64 bytes, sets of WAYS lines, the one used longest
 * ago makes room: a write takes a line as a read does. Programs and the kernel go through the same
 * cache and are counted apart. Accesses of the page walker, of devices, and of instruction fetches
 * are not seen.
 *
 * FILE gets, for each mark after the first, a line for each CPU:
 *
 *	MARK CPU INSNS-USER INSNS-KERNEL, then for user-fast user-slow kernel-fast kernel-slow:
 *	READS WRITES MISSES
 *
 * Counters and cache are plain: exact where one host thread runs all CPUs (-icount).
 *
 * Debian's QEMU 7.2 supports plugins but ships no header for them: what is used of version 1 of
 * their interface is declared here, as its documentation describes it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mark.h"

#define EXPORT		__attribute__((visibility("default")))
#define INLINE_ADD	0	/* enum qemu_plugin_op */
#define NO_REGS		0	/* enum qemu_plugin_cb_flags */
#define MEM_RW		3	/* enum qemu_plugin_mem_rw */
#define KERNEL		(1ull << 63)

typedef uint64_t plugin_id;
typedef uint32_t mem_info;
struct tb;
struct insn;
struct hwaddr;

typedef void (*reset_fn)(plugin_id id);
typedef void (*tb_trans_fn)(plugin_id id, struct tb *tb);
typedef void (*exec_fn)(unsigned int cpu, void *data);
typedef void (*mem_fn)(unsigned int cpu, mem_info info, uint64_t vaddr, void *data);

void qemu_plugin_reset(plugin_id id, reset_fn fn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_trans_fn fn);
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct insn *insn);
size_t qemu_plugin_insn_size(const struct insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct tb *tb, exec_fn fn, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *insn, exec_fn fn, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct insn *insn, mem_fn fn, int flags, int rw, void *data);
bool qemu_plugin_mem_is_store(mem_info info);
struct hwaddr *qemu_plugin_get_hwaddr(mem_info info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct hwaddr *hwaddr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct hwaddr *hwaddr);

EXPORT int qemu_plugin_version = 1;

enum { CPUS = 16, WAYS = 8, LINE_SHIFT = 6 };
enum { FAST, SLOW, TIERS };
enum { USER, SYSTEM, MODES };

struct tally {
	uint64_t reads, writes, misses;
};

static struct cpu {
	uint64_t insns[MODES];
	struct tally tally[MODES][TIERS];
} cpus[CPUS];

static uint64_t split;
static uint64_t (*cache)[WAYS];		/* of each set the lines + 1, the one used last in front */
static uint64_t set_mask;
static unsigned int marks;
static plugin_id self;
static FILE *out;

/* Is the line there? It is afterwards. */
static bool cache_hit(uint64_t line)
{
	uint64_t *set = cache[line & set_mask], key = line + 1, was = set[0], moved;

	if (was == key)
		return true;
	set[0] = key;
	for (int way = 1; way < WAYS; way++) {
		moved = set[way];
		set[way] = was;
		if (moved == key)
			return true;
		was = moved;
	}
	return false;
}

static void on_access(unsigned int cpu, mem_info info, uint64_t vaddr, void *data)
{
	struct hwaddr *hwaddr = qemu_plugin_get_hwaddr(info, vaddr);
	struct tally *tally;
	uint64_t at;

	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return;
	at = qemu_plugin_hwaddr_phys_addr(hwaddr);
	tally = &cpus[cpu].tally[(uintptr_t)data][at >= split ? SLOW : FAST];
	if (qemu_plugin_mem_is_store(info))
		tally->writes++;
	else
		tally->reads++;
	tally->misses += !cache_hit(at >> LINE_SHIFT);
}

static void on_block(unsigned int cpu, void *data)
{
	uintptr_t packed = (uintptr_t)data;

	cpus[cpu].insns[packed & 1] += packed >> 1;
}

static void on_mark(unsigned int by, void *data)
{
	(void)by;
	(void)data;
	for (unsigned int nr = 0; nr < CPUS; nr++) {
		const struct cpu *cpu = &cpus[nr];

		if (!cpu->insns[USER] && !cpu->insns[SYSTEM])
			continue;
		fprintf(out, "%u %u %lu %lu", marks, nr, cpu->insns[USER], cpu->insns[SYSTEM]);
		for (int mode = 0; mode < MODES; mode++) {
			for (int tier = 0; tier < TIERS; tier++) {
				const struct tally *tally = &cpu->tally[mode][tier];

				fprintf(out, " %lu %lu %lu", tally->reads, tally->writes,
					tally->misses);
			}
		}
		fputc('\n', out);
	}
	marks++;
	fflush(out);
}

static bool is_mark(const struct insn *insn)
{
	static const uint8_t mark[] = { MARK_BYTES };

	return qemu_plugin_insn_size(insn) == sizeof(mark) &&
	       !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark));
}

static void on_translation(plugin_id id, struct tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	uintptr_t mode = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) & KERNEL ?
			 SYSTEM : USER;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGS, (void *)(n << 1 | mode));
	for (size_t i = 0; i < n; i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGS, MEM_RW, (void *)mode);
		if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NO_REGS, NULL);
	}
}

/* All that was translated before is gone now, and is translated anew. */
static void begin(plugin_id id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
}

static void on_first_mark(unsigned int by, void *data)
{
	static bool once;

	(void)by;
	(void)data;
	if (!once)
		qemu_plugin_reset(self, begin);
	once = true;
}

static void on_early_translation(plugin_id id, struct tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_first_mark, NO_REGS, NULL);
	}
}

/* The number behind "NAME=", or 0. */
static uint64_t number(const char *arg, const char *name)
{
	size_t length = strlen(name);

	return strncmp(arg, name, length) || arg[length] != '=' ? 0 :
	       strtoull(arg + length + 1, NULL, 10);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	uint64_t kib = 0;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4) && !out)
			out = fopen(argv[i] + 4, "w");
		split = split ?: number(argv[i], "split") << 20;
		kib = kib ?: number(argv[i], "cache");
	}
	set_mask = (kib << 10 >> LINE_SHIFT) / WAYS - 1;
	if (!out || !split || !kib || set_mask & (set_mask + 1)) {
		fputs("tiers: want out=FILE,split=MIB,cache=KIB; a power of two of KiB\n", stderr);
		return -1;
	}
	cache = calloc(set_mask + 1, sizeof(*cache));
	if (!cache)
		return -1;
	self = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_early_translation);
	return 0;
}
