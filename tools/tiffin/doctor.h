/* SPDX-License-Identifier: GPL-2.0-only */
/* What this kernel offers, and what of it each family needs. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "output.h"

/**
 * struct doctor - an examination under way
 * @release: of the running kernel
 * @config: text of the kernel's configuration, or NULL where none is found
 * @findings: array of family (null: for all families), check, result (ok, note or miss), message,
 *	next
 * @family: whose needs are looked at now, or NULL
 * @misses: so far
 */
struct doctor {
	char *release;
	char *config;
	struct json_object *findings;
	const char *family;
	int misses;
};

/* Note how a check came out. */
void doctor_ok(struct doctor *d, const char *check, const char *fmt, ...) __printf(3, 4);
void doctor_note(struct doctor *d, const char *check, const char *next, const char *fmt, ...)
	__printf(4, 5);
void doctor_miss(struct doctor *d, const char *check, const char *next, const char *fmt, ...)
	__printf(4, 5);

/**
 * enum config - how an option of the kernel is set
 * @CONFIG_UNKNOWN: no configuration was found
 * @CONFIG_OFF: not set
 * @CONFIG_ON: built in or a module
 */
enum config {
	CONFIG_UNKNOWN,
	CONFIG_OFF,
	CONFIG_ON,
};

/* How option @name, without CONFIG_, is set. */
enum config doctor_config(const struct doctor *d, const char *name);

/* Is @flag one of the processor's, as the kernel uses it? */
bool doctor_cpu_flag(const char *flag);

/* Whether this kernel can load modules at all; one that can't is told once, by doctor_core(). */
bool doctor_loads_modules(void);

/* What every family needs. */
void doctor_core(struct doctor *d);

/* What of a bad policy is contained on this kernel, and what not. */
void doctor_contain(struct doctor *d);

/**
 * struct doctor_option - an option of the kernel that is needed
 * @name: without CONFIG_
 * @why: what there is not where it is off
 */
struct doctor_option {
	const char *name;
	const char *why;
};

/* Each option that is off is a miss; where none is, @all_well is said. */
void doctor_options(struct doctor *d, const struct doctor_option *needed, size_t nr,
		    const char *all_well);

/* What putting a function in the place of one of the kernel's takes, for whatever family. */
void doctor_interpose(struct doctor *d);

/* Does this kernel say that @function can be interposed? False where that can't be read, too. */
bool doctor_has_function(const char *function);

/* Can @function be interposed? */
void doctor_function(struct doctor *d, const char *function);

/* Does somebody else interpose @function? @ours: a host module that is loaded does. */
void doctor_owner(struct doctor *d, const char *function, bool ours);

/* Is the family's host module @module there? */
void doctor_module(struct doctor *d, const char *module);

/**
 * struct doctor_family - a family whose needs are known
 * @name: of the family
 * @examine: looks at them
 */
struct doctor_family {
	const char *name;
	void (*examine)(struct doctor *d);
};

extern const struct doctor_family doctor_packet_steering;
extern const struct doctor_family doctor_page_placement;

#endif /* DOCTOR_H */
