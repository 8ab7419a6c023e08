/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a policy's .ko would be refused, found out without loading anything. */
#ifndef VERIFY_H
#define VERIFY_H

#include "image.h"
#include "output.h"

/**
 * struct verify_target - what a policy is checked against
 * @release: of the kernel
 * @running: it is the kernel that runs here
 * @host_abi: "core=1.0", "packet_steering=1.0", ...; each takes the place of what this machine says
 */
struct verify_target {
	const char *release;
	bool running;
	const struct strings *host_abi;
};

/**
 * verify_file - check one file
 * @path: of the .ko
 * @target: against what
 *
 * Return: an object with file, policy, version, build, family, module, core_abi, family_abi,
 * release, misses (a number) and checks: an array of check, result (ok, note or miss), message,
 * next.
 */
struct json_object *verify_file(const char *path, const struct verify_target *target);

/* The same for a file in memory; @bytes is taken over. */
struct json_object *verify_bytes(const char *path, char *bytes, size_t size,
				 const struct verify_target *target);

/* Print the findings for people; without the checks that are fine where @only_misses. */
void verify_print(struct json_object *findings, bool only_misses);

/* Fail with TIFFIN_EXIT_NOT_FOUND where one of the files is not there. */
enum tiffin_exit verify_need_files(char **paths, int count);

/**
 * struct verify - a check under way
 * @path: of the file
 * @img: its contents
 * @target: against what
 * @findings: so far
 */
struct verify {
	const char *path;
	const struct image *img;
	const struct verify_target *target;
	struct json_object *findings;
};

/* Note how a check came out. */
void verify_ok(struct verify *v, const char *check, const char *fmt, ...) __printf(3, 4);
void verify_note(struct verify *v, const char *check, const char *next, const char *fmt, ...)
	__printf(4, 5);
void verify_miss(struct verify *v, const char *check, const char *next, const char *fmt, ...)
	__printf(4, 5);

/* The checks; each notes at least one result. */
void verify_modinfo(struct verify *v);		/* .modinfo is complete and sane; module's name */
void verify_descriptor(struct verify *v);	/* what registration would refuse */
void verify_abi(struct verify *v);		/* core's and family's version against the host's */
void verify_imports(struct verify *v);		/* only what a policy may call */
void verify_sections(struct verify *v);		/* only text, constants and what the kernel adds */
void verify_init(struct verify *v);		/* loading and unloading only register */
void verify_probes(struct verify *v);		/* neither ftrace nor kprobes can get in */
void verify_insns(struct verify *v);		/* nothing privileged, no recursion; loops */
void verify_kernel(struct verify *v);		/* version magic, symbol versions, signature */

#endif /* VERIFY_H */
