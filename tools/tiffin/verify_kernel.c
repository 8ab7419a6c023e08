// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a policy against a kernel: version magic, symbol versions, signature. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "modules.h"
#include "root.h"
#include "verify.h"

#define SIGNATURE_MARK	"~Module signature appended~\n"

/* Far more than a policy imports. */
#define VERSIONS_MAX	256

/* One entry of the section __versions, as the kernel reads it. */
struct symbol_version {
	uint64_t crc;
	char name[56];
};

static char *rebuild_for(const char *release)
{
	return xasprintf("build it for that kernel: tools/policy/build --kernel %s FILE.c",
			 release);
}

static char *first_word(const char *text)
{
	return xstrndup(text, strcspn(text, " "));
}

/**
 * struct crc_count - how symbol versions compare
 * @same: number of those that agree
 * @other: names of those that do not
 *
 * Symbols that are not the kernel's are the host's; the kernel compares those when it loads.
 */
struct crc_count {
	size_t same;
	struct strings other;
};

/* The version that Module.symvers, "0xCRC\tSYMBOL\t...", gives for a symbol. */
static bool symvers_find(const char *symvers, const char *name, uint64_t *crc)
{
	char *needle __free_on_exit = xasprintf("\t%s\t", name);
	const char *hit = strstr(symvers, needle);

	if (!hit)
		return false;
	while (hit > symvers && hit[-1] != '\n')
		hit--;
	return sscanf(hit, "0x%" SCNx64, crc) == 1;
}

static void versions_compare(const struct verify *v, const char *symvers, struct crc_count *count)
{
	const struct image_section *s = image_section(v->img, "__versions");
	uint64_t entries = s && s->data ? s->header.sh_size / sizeof(struct symbol_version) : 0;

	for (uint64_t i = 0; i < entries && i < VERSIONS_MAX; i++) {
		struct symbol_version version;
		uint64_t crc;

		memcpy(&version, s->data + i * sizeof(version), sizeof(version));
		version.name[sizeof(version.name) - 1] = '\0';
		if (!*version.name || !symvers_find(symvers, version.name, &crc))
			continue;
		if (crc == version.crc)
			count->same++;
		else
			strings_add(&count->other, version.name);
	}
}

static char *symvers_read(const char *release)
{
	char *text = root_read("/lib/modules/%s/build/Module.symvers", release);

	return text ? text : root_read("/usr/src/linux-headers-%s/Module.symvers", release);
}

/* What follows the release in the version magic must be the same to the letter. */
static bool flags_check(struct verify *v, const char *vermagic)
{
	char *kernel __free_on_exit = module_vermagic(v->target->running ? NULL :
						      v->target->release);
	char *next __free_on_exit = rebuild_for(v->target->release);
	const char *ours = vermagic + strcspn(vermagic, " ");
	const char *theirs;

	if (!kernel)
		return true;
	theirs = kernel + strcspn(kernel, " ");
	if (!strcmp(ours, theirs))
		return true;
	verify_miss(v, "kernel", next, "it was built for a kernel of another kind:%s, where %s is%s",
		    ours, v->target->release, theirs);
	return false;
}

static void release_check(struct verify *v, const char *vermagic)
{
	const char *release = v->target->release;
	char *built_for __free_on_exit = first_word(vermagic);
	char *symvers __free_on_exit = symvers_read(release);
	char *next __free_on_exit = rebuild_for(release);
	char *other __free_on_exit = NULL;
	bool same_release = !strcmp(built_for, release);
	struct crc_count count = { 0 };

	if (symvers)
		versions_compare(v, symvers, &count);
	other = strings_join(&count.other, ", ", 8);
	if (!same_release && (count.other.count || !count.same))
		verify_miss(v, "kernel", next, "it was built for kernel %s, not for %s%s%s",
			    built_for, release, *other ? ", which has other versions of: " : "",
			    other);
	else if (count.other.count)
		verify_miss(v, "kernel", next,
			    "it was built for another kernel that calls itself %s too; this one has other versions of: %s",
			    release, other);
	else if (!same_release)
		verify_ok(v, "kernel", "built for %s, but all %zu symbol versions are those of %s",
			  built_for, count.same, release);
	else if (symvers)
		verify_ok(v, "kernel", "built for %s; %zu symbol versions agree", release,
			  count.same);
	else
		verify_ok(v, "kernel", "built for %s", release);
	strings_free(&count.other);
}

/* True where the running kernel takes only modules with a signature that it can check. */
static const char *signature_wanted_by(void)
{
	char *enforce __free_on_exit = root_read("/sys/module/module/parameters/sig_enforce");
	char *lockdown __free_on_exit = root_read("/sys/kernel/security/lockdown");

	if (enforce && *enforce == 'Y')
		return "module.sig_enforce";
	if (lockdown && strchr(lockdown, '[') && !strstr(lockdown, "[none]"))
		return "lockdown";
	return NULL;
}

static void signature_check(struct verify *v)
{
	size_t len = strlen(SIGNATURE_MARK);
	bool is_signed = v->img->size >= len &&
			 !memcmp(v->img->bytes + v->img->size - len, SIGNATURE_MARK, len);
	const char *wanted = v->target->running ? signature_wanted_by() : NULL;

	if (is_signed)
		verify_ok(v, "signature", "it is signed; whether the kernel knows the key shows at load");
	else if (wanted)
		verify_miss(v, "signature",
			    "sign it with a key that the kernel trusts (kmodsign, mokutil --import)",
			    "it is not signed, and this kernel takes only signed modules (%s)",
			    wanted);
	else
		verify_note(v, "signature", NULL,
			    "it is not signed; loading it marks the kernel as tainted (E)");
}

void verify_kernel(struct verify *v)
{
	const char *vermagic = image_modinfo(v->img, "vermagic", 0);

	if (!vermagic) {
		verify_miss(v, "kernel", "build it with: tools/policy/build FILE.c",
			    "there is no vermagic= in .modinfo, so no kernel loads it");
		return;
	}
	if (flags_check(v, vermagic))
		release_check(v, vermagic);
	signature_check(v);
}
