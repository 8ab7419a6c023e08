// SPDX-License-Identifier: GPL-2.0-only
/* load and unload: policies as kernel modules. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "modules.h"
#include "policy.h"
#include "sysfs.h"
#include "verify.h"

/* Check every file first: where one would be refused, none is loaded. */
static enum tiffin_exit verify_all(const struct invocation *inv, struct json_object *files)
{
	struct utsname uts;
	struct verify_target target = { .running = true };
	struct strings refused = { 0 };
	enum tiffin_exit code = TIFFIN_EXIT_OK;

	uname(&uts);
	target.release = uts.release;
	for (int i = 0; i < inv->argc; i++) {
		struct json_object *findings = verify_file(inv->argv[i], &target);

		if (json_number(findings, "misses")) {
			strings_add(&refused, inv->argv[i]);
			if (!inv->json)
				verify_print(findings, true);
		}
		json_object_array_add(files, findings);
	}
	if (refused.count) {
		char *names __free_on_exit = strings_join(&refused, ", ", 8);
		char *next __free_on_exit = xasprintf("%sall there is to say: tiffin verify FILE.ko",
						      inv->argc > 1 ? "no policy was loaded\n" : "");

		code = fail(TIFFIN_EXIT_MISSES, next, "would be refused: %s", names);
	}
	strings_free(&refused);
	return code;
}

static enum tiffin_exit family_load(const char *family)
{
	char *module __free_on_exit = xasprintf("tiffin_%s", family);
	char *next __free_on_exit = NULL;
	int rc;

	if (sysfs_exists("%s/scopes", family))
		return TIFFIN_EXIT_OK;
	rc = module_probe(module);
	if (!rc && sysfs_exists("%s/scopes", family))
		return TIFFIN_EXIT_OK;
	if (rc == -ENOENT) {
		next = xasprintf("where you built it: insmod tiffin.ko; insmod %s.ko\n"
				 "or install it for this kernel (depmod), then try again", module);
		return fail(TIFFIN_EXIT_NOT_LOADED, next,
			    "family %s is not loaded, and module %s is not installed for this kernel",
			    family, module);
	}
	if (rc == -EPERM)
		return fail(TIFFIN_EXIT_NO_PERMISSION, "try again as root, outside containers",
			    "loading module %s: %s", module, strerror(-rc));
	next = xasprintf("why: dmesg | tail\nwhat this kernel offers: tiffin doctor %s", family);
	return fail(TIFFIN_EXIT_REFUSED, next, "loading module %s: %s", module,
		    rc ? strerror(-rc) : "it is there, but its family is not");
}

/*
 * What the host said when it refused the policy, or NULL where it was the kernel that did. @before
 * is what stood there before the attempt; two attempts may fail for the same reason.
 */
static char *host_words(const char *policy, const char *before, int rc)
{
	char *text = sysfs_read("last_error");
	bool fresh = text && (!before || strcmp(text, before) || rc == -EINVAL || rc == -EPROTO);

	if (fresh && !strncmp(text, policy, strlen(policy)))
		return text;
	free(text);
	return NULL;
}

static enum tiffin_exit load_failure(const char *file, const char *words, int rc)
{
	if (words)
		return fail(TIFFIN_EXIT_REFUSED, NULL, "%s: %s", file, words);
	switch (rc) {
	case -EEXIST:
		return fail(TIFFIN_EXIT_REFUSED, "what is loaded: tiffin list",
			    "%s: this policy is loaded already", file);
	case -EPERM:
	case -EACCES:
		return fail(TIFFIN_EXIT_NO_PERMISSION,
			    "it takes CAP_SYS_MODULE: try again as root, outside containers\n"
			    "is loading modules forbidden? tiffin doctor", "%s: %s", file,
			    strerror(-rc));
	case -EKEYREJECTED:
	case -ENOKEY:
		return fail(TIFFIN_EXIT_REFUSED,
			    "sign it with a key that the kernel trusts (kmodsign, mokutil --import)",
			    "%s: the kernel does not accept its signature", file);
	case -EPROTO:
		return fail(TIFFIN_EXIT_REFUSED, "which versions: tiffin verify FILE.ko",
			    "%s: the host does not speak its ABI version", file);
	default:
		return fail(TIFFIN_EXIT_REFUSED, "why stands in the kernel log: dmesg | tail",
			    "%s: the kernel refused it: %s", file, strerror(-rc));
	}
}

/* The policy that a module brought. */
static struct json_object *policy_of_module(const char *module)
{
	struct json_object *policies = policies_read();
	struct json_object *found = NULL;

	for (size_t i = 0; i < json_object_array_length(policies) && !found; i++)
		if (!strcmp(json_text(json_at(policies, i), "module"), module))
			found = json_object_get(json_at(policies, i));
	json_object_put(policies);
	return found;
}

static enum tiffin_exit load_one(struct json_object *findings, struct json_object *loaded)
{
	const char *file = json_text(findings, "file");
	struct json_object *policy;
	enum tiffin_exit code = family_load(json_text(findings, "family"));
	char *before __free_on_exit = NULL;
	int rc;

	if (code)
		return code;
	before = sysfs_read("last_error");
	rc = module_insert(file);
	if (rc) {
		char *words __free_on_exit = host_words(json_text(findings, "policy"), before, rc);

		return load_failure(file, words, rc);
	}
	policy = policy_of_module(json_text(findings, "module"));
	if (!policy)
		return fail(TIFFIN_EXIT_REFUSED, "why stands in the kernel log: dmesg | tail",
			    "%s: its module is loaded, but its policy is not there", file);
	json_object_array_add(loaded, policy);
	return TIFFIN_EXIT_OK;
}

/* All or none: what was loaded before one failed goes again. */
static void unload_all(struct json_object *loaded)
{
	for (size_t i = json_object_array_length(loaded); i--;)
		module_remove(json_text(json_at(loaded, i), "module"));
}

static void loaded_print(struct json_object *loaded, bool json)
{
	struct json_object *doc;

	for (size_t i = 0; !json && i < json_object_array_length(loaded); i++) {
		struct json_object *policy = json_at(loaded, i);

		printf("loaded %s; to make it the active one: tiffin swap %s %s\n",
		       json_text(policy, "id"), json_text(policy, "family"),
		       json_text(policy, "id"));
	}
	if (!json)
		return;
	doc = json_object_new_object();
	json_add(doc, "loaded", json_object_get(loaded));
	json_print(doc);
	json_object_put(doc);
}

static enum tiffin_exit load_run(const struct invocation *inv)
{
	struct json_object *files = json_object_new_array();
	struct json_object *loaded = json_object_new_array();
	enum tiffin_exit code = verify_need_files(inv->argv, inv->argc);

	if (!code)
		code = verify_all(inv, files);
	for (size_t i = 0; !code && i < json_object_array_length(files); i++)
		code = load_one(json_at(files, i), loaded);
	if (code)
		unload_all(loaded);
	else
		loaded_print(loaded, inv->json);
	json_object_put(files);
	json_object_put(loaded);
	return code;
}

static enum tiffin_exit in_use(struct json_object *policy)
{
	const char *state = json_text(policy, "state");
	const char *family = json_text(policy, "family");
	const char *id = json_text(policy, "id");
	char *next __free_on_exit = NULL;

	if (!strcmp(state, "active")) {
		next = xasprintf("make another one active first: tiffin default %s", family);
		return fail(TIFFIN_EXIT_BUSY, next, "%s is active", id);
	}
	if (!strcmp(state, "quarantined")) {
		next = xasprintf("again when the calls that are in it have ended: tiffin show %s",
				 family);
		return fail(TIFFIN_EXIT_BUSY, next, "%s is in quarantine, and is being replaced",
			    id);
	}
	if (!strcmp(state, "preparing")) {
		next = xasprintf("again when that has ended: tiffin show %s", family);
		return fail(TIFFIN_EXIT_BUSY, next, "a swap to %s is under way", id);
	}
	next = xasprintf("end the probation first: tiffin commit %s, or tiffin rollback %s", family,
			 family);
	return fail(TIFFIN_EXIT_BUSY, next, "%s is part of a probation (state: %s)", id, state);
}

static enum tiffin_exit unload_policy(struct json_object *policy)
{
	const char *id = json_text(policy, "id");
	int rc;

	if (json_number(policy, "instances"))
		return in_use(policy);
	rc = module_remove(json_text(policy, "module"));
	switch (rc) {
	case 0:
		return TIFFIN_EXIT_OK;
	case -EAGAIN:
	case -EBUSY:
		return fail(TIFFIN_EXIT_BUSY, "perhaps a swap to it is just beginning: tiffin show",
			    "%s: its module is in use", id);
	case -EPERM:
	case -EACCES:
		return fail(TIFFIN_EXIT_NO_PERMISSION,
			    "it takes CAP_SYS_MODULE: try again as root, outside containers",
			    "%s: unloading module %s: %s", id, json_text(policy, "module"),
			    strerror(-rc));
	default:
		return fail(TIFFIN_EXIT_REFUSED, "why stands in the kernel log: dmesg | tail",
			    "%s: unloading module %s: %s", id, json_text(policy, "module"),
			    strerror(-rc));
	}
}

static enum tiffin_exit unload_run(const struct invocation *inv)
{
	enum tiffin_exit code = sysfs_need_host();
	struct json_object *policy;

	if (code)
		return code;
	if (!strcmp(inv->argv[0], POLICY_DEFAULT))
		return fail(TIFFIN_EXIT_USAGE, NULL, "the default is built in and can't be unloaded");
	code = policy_find(inv->argv[0], NULL, &policy);
	if (code)
		return code;
	code = unload_policy(policy);
	if (!code && inv->json) {
		struct json_object *doc = json_object_new_object();

		json_add(doc, "unloaded", json_object_get(policy));
		json_print(doc);
		json_object_put(doc);
	} else if (!code) {
		printf("unloaded %s\n", json_text(policy, "id"));
	}
	json_object_put(policy);
	return code;
}

const struct command command_load = {
	.name = "load",
	.operands = "FILE.ko...",
	.summary = "check policies and load them, and the modules of their families where needed",
	.min_operands = 1,
	.max_operands = -1,
	.run = load_run,
};

const struct command command_unload = {
	.name = "unload",
	.operands = "POLICY",
	.summary = "unload a policy that is not in use",
	.min_operands = 1,
	.max_operands = 1,
	.run = unload_run,
};
