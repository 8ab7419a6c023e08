// SPDX-License-Identifier: GPL-2.0-only
/* verify: say why a policy's .ko would be refused, without loading it. */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "root.h"
#include "verify.h"

static enum tiffin_exit host_abi_check(const struct strings *given)
{
	for (size_t i = 0; i < given->count; i++) {
		unsigned int major, minor;
		const char *equals = strchr(given->item[i], '=');
		char end;

		if (!equals || equals == given->item[i] || !isdigit((unsigned char)equals[1]) ||
		    sscanf(equals + 1, "%5u.%5u%c", &major, &minor, &end) != 2)
			return fail(TIFFIN_EXIT_USAGE,
				    "for example: --host-abi core=1.0 --host-abi packet_steering=1.0",
				    "--host-abi: '%s' is not NAME=MAJOR.MINOR", given->item[i]);
	}
	return TIFFIN_EXIT_OK;
}

/* Two numbers, such as 6.12: a series of kernels, not a release. */
static bool is_series(const char *text)
{
	unsigned int major, minor;
	char end;

	return isdigit((unsigned char)text[0]) &&
	       sscanf(text, "%5u.%5u%c", &major, &minor, &end) == 2;
}

/* The newest release of a series that modules or headers are installed for; NULL where none is. */
static char *series_newest(const char *series)
{
	char *path __free_on_exit = root_path("/lib/modules");
	size_t len = strlen(series);
	struct dirent *entry;
	char *newest = NULL;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, series, len) || entry->d_name[len] != '.' ||
		    (newest && strverscmp(entry->d_name, newest) <= 0))
			continue;
		free(newest);
		newest = xstrdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return newest;
}

static enum tiffin_exit verify_run(const struct invocation *inv)
{
	const char *release = option(inv, "kernel");
	char *newest __free_on_exit = NULL;
	struct verify_target target = { .host_abi = option_all(inv, "host-abi") };
	enum tiffin_exit code = host_abi_check(target.host_abi);
	struct json_object *doc, *files;
	struct utsname uts;
	int refused = 0;

	if (!code)
		code = verify_need_files(inv->argv, inv->argc);
	if (code)
		return code;
	if (release && !name_ok(release))
		return fail(TIFFIN_EXIT_USAGE, "write what uname -r prints there",
			    "--kernel: '%s' is no release", release);
	if (release && is_series(release)) {
		newest = series_newest(release);
		if (!newest)
			return fail(TIFFIN_EXIT_NOT_FOUND,
				    "give the whole release, as uname -r prints it there",
				    "--kernel: no kernel %s is below /lib/modules", release);
		release = newest;
	}
	uname(&uts);
	target.release = release ? release : uts.release;
	target.running = !strcmp(target.release, uts.release);

	doc = json_object_new_object();
	files = json_object_new_array();
	json_add(doc, "files", files);
	for (int i = 0; i < inv->argc; i++) {
		struct json_object *findings = verify_file(inv->argv[i], &target);

		refused += json_number(findings, "misses") > 0;
		json_object_array_add(files, findings);
		if (!inv->json)
			verify_print(findings, false);
	}
	json_add_number(doc, "refused", refused);
	if (inv->json)
		json_print(doc);
	json_object_put(doc);
	return refused ? TIFFIN_EXIT_MISSES : TIFFIN_EXIT_OK;
}

static const struct option_spec options[] = {
	{ .name = "kernel", .arg = "RELEASE",
	  .help = "check against this kernel, not the running one; 6.12: the newest one" },
	{ .name = "host-abi", .arg = "NAME=VERSION", .many = true,
	  .help = "ABI version of the host (NAME: core or a family), not that of the one here" },
	{ 0 }
};

const struct command command_verify = {
	.name = "verify",
	.operands = "FILE.ko...",
	.summary = "say why a policy would be refused, and what to do, without loading it",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
	.run = verify_run,
};
