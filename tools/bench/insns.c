// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin that counts the instructions that a guest executes, those of its kernel and those
 * of its programs, on all its CPUs, and writes both counts down each time the guest executes a mark
 * (mark.h). A halted CPU executes none.
 *
 *	-plugin insns.so,out=FILE	FILE gets a line "KERNEL USER" for each mark
 *
 * The counters are plain: exact where one host thread runs all CPUs (-icount, or
 * tcg,thread=single).
 *
 * Debian's QEMU 7.2 supports plugins but ships no header for them: what is used of version 1 of
 * their interface is declared here, as its documentation describes it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"

#define EXPORT		__attribute__((visibility("default")))
#define INLINE_ADD	0	/* enum qemu_plugin_op */
#define NO_REGS		0	/* enum qemu_plugin_cb_flags */
#define KERNEL		(1ull << 63)

typedef uint64_t plugin_id;
struct tb;
struct insn;

typedef void (*tb_trans_fn)(plugin_id id, struct tb *tb);
typedef void (*insn_exec_fn)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_trans_fn fn);
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct insn *insn);
size_t qemu_plugin_insn_size(const struct insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *insn, insn_exec_fn fn, int flags,
					    void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct insn *insn, int op, void *counter,
						uint64_t by);

EXPORT int qemu_plugin_version = 1;

static uint64_t kernel_insns, user_insns;
static FILE *out;

static void on_mark(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	fprintf(out, "%lu %lu\n", kernel_insns, user_insns);
	fflush(out);
}

static void on_translation(plugin_id id, struct tb *tb)
{
	static const uint8_t mark[] = { MARK_BYTES };

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
		bool kernel = qemu_plugin_insn_vaddr(insn) & KERNEL;

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD,
							   kernel ? &kernel_insns : &user_insns, 1);
		if (qemu_plugin_insn_size(insn) == sizeof(mark) &&
		    !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fputs("insns: want out=FILE\n", stderr);
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
