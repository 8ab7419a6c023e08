// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what a policy says of itself: .modinfo, the descriptor, ABI versions. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tiffin/packet_steering.h>
#include <tiffin/plugin.h>

#include "root.h"
#include "sysfs.h"
#include "verify.h"

#define REBUILD	"build it with: tools/policy/build FILE.c"

/* 1 to @room - 1 letters, digits and '_', and '.' where @dots: the host's rule for names. */
static bool policy_name_ok(const char *name, size_t room, bool dots)
{
	size_t len = strlen(name);

	if (!len || len >= room)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && !(dots && *name == '.'))
			return false;
	return true;
}

static bool build_ok(const char *build)
{
	return strlen(build) == 8 && strspn(build, "0123456789abcdef") == 8;
}

static bool abi_ok(const char *text, unsigned int *major, unsigned int *minor)
{
	char end;

	return isdigit((unsigned char)text[0]) &&
	       sscanf(text, "%5u.%5u%c", major, minor, &end) == 2;
}

/* The one value of a key; notes a miss where it is not there exactly once. */
static const char *single(struct verify *v, const char *key)
{
	const char *value = image_modinfo(v->img, key, 0);

	if (!value)
		verify_miss(v, "modinfo", REBUILD, "there is no %s= in .modinfo", key);
	else if (image_modinfo(v->img, key, 1))
		verify_miss(v, "modinfo", REBUILD, "there is more than one %s= in .modinfo", key);
	return value;
}

static void module_name_check(struct verify *v, const char *build)
{
	const char *name = single(v, "name");
	char *tail __free_on_exit = xasprintf("_%s", build);
	size_t len;

	if (!name)
		return;
	len = strlen(name);
	if (strncmp(name, "tiffin_", strlen("tiffin_")) ||
	    len <= strlen("tiffin_") + strlen(tail) ||
	    strcmp(name + len - strlen(tail), tail))
		verify_miss(v, "name",
			    "two builds could not be loaded side by side; " REBUILD,
			    "the module is named '%s', not tiffin_NAME_%s", name, build);
	else
		verify_ok(v, "name", "module %s carries its build id", name);
}

static void import_ns_check(struct verify *v)
{
	const char *value;

	for (size_t i = 0; (value = image_modinfo(v->img, "import_ns", i)); i++)
		if (strcmp(value, "TIFFIN"))
			verify_miss(v, "modinfo", "a policy calls nothing but the host; " REBUILD,
				    "it imports from symbol namespace %s", value);
	if (!image_modinfo(v->img, "import_ns", 0))
		verify_miss(v, "modinfo", REBUILD,
			    "it does not import symbol namespace TIFFIN, so the kernel would not let it register");
}

void verify_modinfo(struct verify *v)
{
	int64_t before = json_number(v->findings, "misses");
	const char *policy = single(v, "tiffin_policy");
	const char *version, *family, *build, *license;

	version = single(v, "tiffin_version");
	family = single(v, "tiffin_family");
	build = single(v, "tiffin_build");
	license = single(v, "license");
	if (policy &&
	    (!policy_name_ok(policy, TIFFIN_NAME_LEN, false) || !strcmp(policy, "default")))
		verify_miss(v, "modinfo", "1 to 31 letters, digits and '_'; 'default' is taken",
			    "'%s' can't be a policy's name", policy);
	if (version && !policy_name_ok(version, TIFFIN_VERSION_LEN, true))
		verify_miss(v, "modinfo", "1 to 15 letters, digits, '.' and '_'",
			    "'%s' can't be a policy's version", version);
	if (family && !policy_name_ok(family, TIFFIN_NAME_LEN, false))
		verify_miss(v, "modinfo", "name a family: packet_steering, ...",
			    "'%s' can't be a family's name", family);
	if (build && !build_ok(build))
		verify_miss(v, "modinfo", REBUILD, "build id '%s' is not 8 hex digits", build);
	if (license && strcmp(license, "GPL") && strcmp(license, "GPL v2"))
		verify_miss(v, "modinfo", REBUILD,
			    "its license is '%s', and the host exports its symbols to GPL modules only",
			    license);
	import_ns_check(v);
	if (json_number(v->findings, "misses") == before)
		verify_ok(v, "modinfo", "policy %s %s, build %s, for family %s", policy, version,
			  build, family);
	if (build)
		module_name_check(v, build);
}

/* Version that @name ("core" or a family) has at the target; @where tells who says so. */
static char *host_abi(const struct verify *v, const char *name, const char **where)
{
	const struct strings *given = v->target->host_abi;
	size_t len = strlen(name);
	char *text;

	*where = "--host-abi";
	/* The last one counts, as with other options. */
	for (size_t i = given ? given->count : 0; i--;)
		if (!strncmp(given->item[i], name, len) && given->item[i][len] == '=')
			return xstrdup(given->item[i] + len + 1);
	*where = "the host here";
	if (!strcmp(name, "core"))
		text = sysfs_read("abi");
	else
		text = name_ok(name) ? sysfs_read("%s/abi", name) : NULL;
	if (text)
		return text;
	*where = "as of this command; no host is loaded";
	if (!strcmp(name, "core"))
		return xstrdup(TIFFIN_STRING(TIFFIN_CORE_ABI_TEXT));
	if (!strcmp(name, "packet_steering"))
		return xstrdup(TIFFIN_STRING(TIFFIN_packet_steering_ABI_TEXT));
	return NULL;
}

static void abi_check(struct verify *v, const char *key, const char *name)
{
	const char *text = single(v, key), *where;
	char *host __free_on_exit = host_abi(v, name, &where);
	unsigned int major, minor, host_major, host_minor;

	if (!text)
		return;
	if (!abi_ok(text, &major, &minor)) {
		verify_miss(v, "abi", REBUILD, "%s=%s is no version", key, text);
		return;
	}
	if (!host) {
		verify_note(v, "abi", "give it: --host-abi FAMILY=MAJOR.MINOR",
			    "family %s is not loaded, so its ABI version is not known", name);
		return;
	}
	if (!abi_ok(host, &host_major, &host_minor)) {
		verify_miss(v, "abi", "it looks like 1.0", "%s: ABI version '%s' is no version",
			    where, host);
		return;
	}
	if (major != host_major)
		verify_miss(v, "abi",
			    major < host_major ?
			    "carry its source over to the newer version, then build it again" :
			    "load a newer host, or build an older version of the policy",
			    "it was built for %s ABI %s, which %s (%s) does not fit", name, text,
			    host, where);
	else if (minor > host_minor)
		verify_miss(v, "abi", "load a newer host, or build the policy with the older headers",
			    "it was built for %s ABI %s, newer than %s (%s)", name, text, host,
			    where);
	else
		verify_ok(v, "abi", "%s ABI %s fits %s (%s)", name, text, host, where);
}

void verify_abi(struct verify *v)
{
	const char *family = image_modinfo(v->img, "tiffin_family", 0);

	abi_check(v, "tiffin_core_abi", "core");
	if (family)
		abi_check(v, "tiffin_family_abi", family);
}
