// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a policy's instructions, by capstone: none that is refused, no recursion, loops. */
#include <inttypes.h>
#include <string.h>

#include <capstone.h>

#include "verify.h"
#include "verify_loops.h"

/* Far more than a policy has. */
#define FUNCTIONS_MAX	4096
#define EDGES_MAX	65536
#define STEPS_MAX	1048576

/* Neither privileged nor forbidden to user space, but no answer may depend on what they give. */
static const unsigned int refused_insns[] = {
	X86_INS_RDTSC, X86_INS_RDTSCP, X86_INS_RDPMC, X86_INS_RDRAND, X86_INS_RDSEED, X86_INS_CPUID,
	/* Privileged, or a way out of the call; not all are in capstone's group of these. */
	X86_INS_CLI, X86_INS_STI, X86_INS_HLT, X86_INS_IN, X86_INS_OUT, X86_INS_INSB,
	X86_INS_INSW, X86_INS_INSD, X86_INS_OUTSB, X86_INS_OUTSW, X86_INS_OUTSD, X86_INS_RDMSR,
	X86_INS_WRMSR, X86_INS_LGDT, X86_INS_LIDT, X86_INS_LLDT, X86_INS_LTR, X86_INS_LMSW,
	X86_INS_CLTS, X86_INS_INVLPG, X86_INS_INVPCID, X86_INS_INVD, X86_INS_WBINVD,
	X86_INS_SWAPGS, X86_INS_SYSCALL, X86_INS_SYSENTER, X86_INS_SYSRET, X86_INS_SYSEXIT,
	X86_INS_IRET, X86_INS_IRETD, X86_INS_IRETQ, X86_INS_INT, X86_INS_INT1, X86_INS_POPF,
	X86_INS_POPFD, X86_INS_POPFQ, X86_INS_XSETBV, X86_INS_MONITOR, X86_INS_MWAIT, X86_INS_STAC,
	X86_INS_CLAC, X86_INS_LJMP, X86_INS_LCALL, X86_INS_RETF, X86_INS_RETFQ,
};

/**
 * struct function - a function of the policy
 * @name: of the symbol
 * @section: number of the section that it stands in
 * @start: offset in it
 * @end: offset behind it
 * @calls: it calls so many of those that are left
 * @callers: so many of those that are left call it
 * @gone: it takes part in no recursion
 */
struct function {
	const char *name;
	size_t section;
	uint64_t start;
	uint64_t end;
	size_t calls;
	size_t callers;
	bool gone;
};

/* A call, by the numbers of two functions. */
struct edge {
	size_t from;
	size_t to;
};

/* A place that is filled in at load, and what with. */
struct place {
	uint64_t offset;
	size_t section;
	uint64_t target;
};

/**
 * struct code - all that is known of a policy's code
 * @v: the check under way
 * @functions: sorted by section and start
 * @nr_functions: entries of @functions
 * @edges: calls among them
 * @nr_edges: entries of @edges
 * @places: of the section that is being read, sorted by offset
 * @nr_places: entries of @places
 * @steps: instructions of the functions so far
 * @nr_steps: entries of @steps
 * @said: findings so far, so that each is told once
 * @bad: there was one
 */
struct code {
	struct verify *v;
	struct function *functions;
	size_t nr_functions;
	struct edge *edges;
	size_t nr_edges;
	struct place *places;
	size_t nr_places;
	struct step *steps;
	size_t nr_steps;
	struct strings said;
	bool bad;
};

static int by_place(const void *a, const void *b)
{
	const struct function *f = a, *g = b;

	if (f->section != g->section)
		return f->section < g->section ? -1 : 1;
	return f->start < g->start ? -1 : f->start > g->start;
}

static int by_offset(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return p->offset < q->offset ? -1 : p->offset > q->offset;
}

static bool is_code(const struct image_section *s)
{
	return s && (s->header.sh_flags & SHF_EXECINSTR) && s->data;
}

static bool functions_find(struct code *code)
{
	const struct image *img = code->v->img;

	code->functions = xrealloc(NULL, FUNCTIONS_MAX * sizeof(*code->functions));
	for (size_t i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];

		if (GELF_ST_TYPE(s->symbol.st_info) != STT_FUNC || !s->symbol.st_size ||
		    s->symbol.st_size > IMAGE_MAX || s->symbol.st_value > IMAGE_MAX ||
		    !strncmp(s->name, "__pfx_", strlen("__pfx_")) ||
		    !is_code(image_section_at(img, s->symbol.st_shndx)))
			continue;
		if (code->nr_functions == FUNCTIONS_MAX)
			return false;
		code->functions[code->nr_functions++] = (struct function){
			.name = s->name,
			.section = s->symbol.st_shndx,
			.start = s->symbol.st_value,
			.end = s->symbol.st_value + s->symbol.st_size,
		};
	}
	if (code->nr_functions)
		qsort(code->functions, code->nr_functions, sizeof(*code->functions), by_place);
	return true;
}

/* The function that stands at, or begins at, an offset; NULL where there is none. */
static struct function *function_at(const struct code *code, size_t section, uint64_t offset)
{
	size_t low = 0, high = code->nr_functions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct function *f = &code->functions[middle];

		if (f->section < section || (f->section == section && f->start <= offset))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || code->functions[low - 1].section != section ||
	    offset >= code->functions[low - 1].end)
		return NULL;
	return &code->functions[low - 1];
}

static bool place_visit(void *arg, uint64_t offset, int64_t addend,
			const struct image_symbol *symbol)
{
	struct code *code = arg;

	code->places = xrealloc(code->places, (code->nr_places + 1) * sizeof(*code->places));
	code->places[code->nr_places++] = (struct place){
		.offset = offset,
		.section = symbol->symbol.st_shndx,
		/* Relative to the end of its four bytes, which end the instruction. */
		.target = symbol->symbol.st_value + (uint64_t)addend + 4,
	};
	return true;
}

/* Where a call or jump of @insn, in @section, goes; false where that is not fixed. */
static bool branch_target(const struct code *code, const struct image_section *section,
			  const cs_insn *insn, size_t *to, uint64_t *offset)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];
	const struct place key = { .offset = insn->address + insn->size - 4 };
	const struct place *place = NULL;

	if (insn->detail->x86.op_count != 1 || op->type != X86_OP_IMM)
		return false;
	if (insn->size >= 5 && code->nr_places)
		place = bsearch(&key, code->places, code->nr_places, sizeof(key), by_offset);
	*to = place ? place->section : section->index;
	*offset = place ? place->target : (uint64_t)op->imm;
	return true;
}

static void insn_finding(struct code *code, const struct function *in, const char *mnemonic,
			 const char *why, const char *next)
{
	char *what __free_on_exit = xasprintf("%s %s", in->name, mnemonic);

	code->bad = true;
	if (strings_have(&code->said, what))
		return;
	strings_add(&code->said, what);
	verify_miss(code->v, "code", next, "%s() has the instruction '%s': %s", in->name, mnemonic,
		    why);
}

static void edge_note(struct code *code, const struct function *from,
		      const struct image_section *section, const cs_insn *insn)
{
	bool is_call = insn->id == X86_INS_CALL;
	const struct function *to;
	uint64_t offset;
	size_t index;

	if (!branch_target(code, section, insn, &index, &offset))
		return;
	to = function_at(code, index, offset);
	/* A jump into itself is a loop; one into another's middle comes from a part put aside. */
	if (!to || (!is_call && (to == from || to->start != offset)))
		return;
	if (code->nr_edges == EDGES_MAX) {
		insn_finding(code, from, insn->mnemonic, "there are more calls than any policy has",
			     "build it with: tools/policy/build FILE.c");
		return;
	}
	code->edges = xrealloc(code->edges, (code->nr_edges + 1) * sizeof(*code->edges));
	code->edges[code->nr_edges++] = (struct edge){
		.from = from - code->functions,
		.to = to - code->functions,
	};
}

static bool in_group(const cs_insn *insn, unsigned int group)
{
	for (uint8_t i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == group)
			return true;
	return false;
}

/* Where execution goes from here; a jump without a fixed target goes away. */
static void step_note(struct code *code, const struct image_section *section,
		      const struct function *in, const cs_insn *insn)
{
	struct step step = {
		.function = in->name, .section = section->index, .address = insn->address,
	};

	switch (insn->id) {
	case 0:
	case X86_INS_RET:
	case X86_INS_UD2:
	case X86_INS_INT3:
		break;
	case X86_INS_JMP:
		step.jumps = branch_target(code, section, insn, &step.to_section, &step.to);
		break;
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
		step.falls = true;
		step.jumps = branch_target(code, section, insn, &step.to_section, &step.to);
		break;
	default:
		step.falls = true;
		step.jumps = in_group(insn, X86_GRP_JUMP) &&
			     branch_target(code, section, insn, &step.to_section, &step.to);
	}
	if (code->nr_steps == STEPS_MAX) {
		insn_finding(code, in, insn->mnemonic, "there is more code than any policy has",
			     "build it with: tools/policy/build FILE.c");
		return;
	}
	/* Room grows by doubling, and is full at each power of two. */
	if (!(code->nr_steps & (code->nr_steps - 1)))
		code->steps = xrealloc(code->steps, (code->nr_steps ? 2 * code->nr_steps : 1) *
				       sizeof(*code->steps));
	code->steps[code->nr_steps++] = step;
}

static bool is_refused(const cs_insn *insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_insns); i++)
		if (insn->id == refused_insns[i])
			return true;
	if (in_group(insn, X86_GRP_PRIVILEGE) || in_group(insn, X86_GRP_VM))
		return true;
	for (uint8_t i = 0; i < insn->detail->x86.op_count; i++) {
		const cs_x86_op *op = &insn->detail->x86.operands[i];

		if (op->type == X86_OP_REG &&
		    ((op->reg >= X86_REG_CR0 && op->reg <= X86_REG_CR15) ||
		     (op->reg >= X86_REG_DR0 && op->reg <= X86_REG_DR15)))
			return true;
	}
	return false;
}

/* Registers that the kernel has not saved for a policy. */
static bool is_floating(const cs_insn *insn)
{
	if (in_group(insn, X86_GRP_FPU))
		return true;
	for (uint8_t i = 0; i < insn->detail->x86.op_count; i++) {
		const cs_x86_op *op = &insn->detail->x86.operands[i];

		if (op->type == X86_OP_REG &&
		    ((op->reg >= X86_REG_MM0 && op->reg <= X86_REG_MM7) ||
		     (op->reg >= X86_REG_ST0 && op->reg <= X86_REG_ST7) ||
		     (op->reg >= X86_REG_XMM0 && op->reg <= X86_REG_ZMM31)))
			return true;
	}
	return false;
}

static void insn_check(struct code *code, const struct image_section *section,
		       const struct function *in, const cs_insn *insn, bool after_end)
{
	if (!insn->id) {
		insn_finding(code, in, "?", "it is none that is known",
			     "build it with: tools/policy/build FILE.c");
		return;
	}
	if (insn->id == X86_INS_CALL || insn->id == X86_INS_JMP)
		edge_note(code, in, section, insn);
	/* Behind a return or jump it only stops speculation. */
	if (is_refused(insn) || (insn->id == X86_INS_INT3 && !after_end))
		insn_finding(code, in, insn->mnemonic, "a policy computes, and nothing else",
			     "time, randomness and the machine's state reach it as arguments only");
	else if (is_floating(insn))
		insn_finding(code, in, insn->mnemonic,
			     "the kernel does not save floating-point and vector registers",
			     "compute with whole numbers; build it with: tools/policy/build FILE.c");
}

static void section_read(struct code *code, csh handle, cs_insn *insn,
			 const struct image_section *section)
{
	const uint8_t *bytes = section->data;
	size_t left = section->header.sh_size;
	uint64_t address = 0;
	bool after_end = false;

	code->nr_places = 0;
	image_relocations(code->v->img, section, place_visit, code);
	if (code->nr_places)
		qsort(code->places, code->nr_places, sizeof(*code->places), by_offset);
	while (cs_disasm_iter(handle, &bytes, &left, &address, insn)) {
		const struct function *in = function_at(code, section->index, insn->address);

		if (in) {
			insn_check(code, section, in, insn,
				   after_end && in->start != insn->address);
			step_note(code, section, in, insn);
		}
		after_end = insn->id == X86_INS_RET || insn->id == X86_INS_JMP ||
			    insn->id == X86_INS_INT3;
	}
}

/*
 * Take away, again and again, who calls nobody that is left, and whom nobody calls that is left.
 * Who remains calls itself, by others or at once.
 */
static void recursion_find(struct code *code)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < code->nr_functions; i++) {
			code->functions[i].calls = 0;
			code->functions[i].callers = 0;
		}
		for (size_t i = 0; i < code->nr_edges; i++) {
			struct function *from = &code->functions[code->edges[i].from];
			struct function *to = &code->functions[code->edges[i].to];

			if (from->gone || to->gone)
				continue;
			from->calls++;
			to->callers++;
		}
		for (size_t i = 0; i < code->nr_functions; i++) {
			struct function *f = &code->functions[i];

			if (f->gone || (f->calls && f->callers))
				continue;
			f->gone = true;
			changed = true;
		}
	}
}

static void recursion_check(struct code *code)
{
	struct strings names = { 0 };

	recursion_find(code);
	for (size_t i = 0; i < code->nr_functions; i++)
		if (!code->functions[i].gone)
			strings_add(&names, code->functions[i].name);
	if (names.count) {
		char *all __free_on_exit = strings_join(&names, ", ", 8);

		code->bad = true;
		verify_miss(code->v, "code", "use a loop",
			    "it has recursion (%s): the depth of its stack must be bounded", all);
	}
	strings_free(&names);
}

static void code_read(struct code *code)
{
	const struct image *img = code->v->img;
	cs_insn *insn;
	csh handle;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
		code->bad = true;
		verify_miss(code->v, "code", NULL, "the disassembler does not start");
		return;
	}
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
	insn = cs_malloc(handle);
	for (size_t i = 0; i < img->nr_sections; i++)
		if (is_code(&img->sections[i]))
			section_read(code, handle, insn, &img->sections[i]);
	cs_free(insn, 1);
	cs_close(&handle);
}

void verify_insns(struct verify *v)
{
	struct code code = { .v = v };

	if (functions_find(&code)) {
		code_read(&code);
		recursion_check(&code);
	} else {
		code.bad = true;
		verify_miss(v, "code", "build it with: tools/policy/build FILE.c",
			    "it has more than %d functions; no policy has so many", FUNCTIONS_MAX);
	}
	if (!code.bad)
		verify_ok(v, "code", "%zu functions: no instruction that they must not have, no recursion",
			  code.nr_functions);
	verify_loops(v, code.steps, code.nr_steps);
	strings_free(&code.said);
	free(code.functions);
	free(code.edges);
	free(code.places);
	free(code.steps);
}
