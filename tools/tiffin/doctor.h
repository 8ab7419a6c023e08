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

/* Whether this kernel can load modules at all; one that can't is told once, by doctor_core(). */
bool doctor_loads_modules(void);

/* What every family needs. */
void doctor_core(struct doctor *d);

/* What of a bad policy is contained on this kernel, and what not. */
void doctor_contain(struct doctor *d);

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

#endif /* DOCTOR_H */
