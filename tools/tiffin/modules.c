// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <libkmod.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "modules.h"
#include "root.h"
#include "util.h"

/* The command says itself what went wrong, in words that fit what was asked. */
static void silent(void *data, int priority, const char *file, int line, const char *fn,
		   const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

static struct kmod_ctx *kmod_open(const char *release)
{
	char *dir __free_on_exit = release ? root_path("/lib/modules/%s", release) : NULL;
	struct kmod_ctx *ctx = kmod_new(dir, NULL);

	if (ctx)
		kmod_set_log_fn(ctx, silent, NULL);
	return ctx;
}

int module_insert(const char *path)
{
	struct kmod_ctx *ctx = kmod_open(NULL);
	struct kmod_module *module;
	int rc;

	if (!ctx)
		return -ENOMEM;
	rc = kmod_module_new_from_path(ctx, path, &module);
	if (!rc) {
		rc = kmod_module_insert_module(module, 0, NULL);
		kmod_module_unref(module);
	}
	kmod_unref(ctx);
	return rc;
}

int module_remove(const char *name)
{
	struct kmod_ctx *ctx = kmod_open(NULL);
	struct kmod_module *module;
	int rc;

	if (!ctx)
		return -ENOMEM;
	rc = kmod_module_new_from_name(ctx, name, &module);
	if (!rc) {
		rc = kmod_module_remove_module(module, KMOD_REMOVE_NOWAIT);
		kmod_module_unref(module);
	}
	kmod_unref(ctx);
	return rc;
}

static int lookup(struct kmod_ctx *ctx, const char *name, struct kmod_list **found)
{
	int rc;

	*found = NULL;
	rc = kmod_module_new_from_lookup(ctx, name, found);
	if (!rc && !*found)
		rc = -ENOENT;
	return rc;
}

int module_probe(const char *name)
{
	struct kmod_ctx *ctx = kmod_open(NULL);
	struct kmod_list *found;
	int rc;

	if (!ctx)
		return -ENOMEM;
	rc = lookup(ctx, name, &found);
	if (!rc) {
		struct kmod_module *module = kmod_module_get_module(found);

		rc = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL, NULL,
						     NULL, NULL);
		/* Positive: blacklisted by the administrator. */
		if (rc > 0)
			rc = -ENOENT;
		kmod_module_unref(module);
		kmod_module_unref_list(found);
	}
	kmod_unref(ctx);
	return rc;
}

bool module_loaded(const char *name)
{
	char *path __free_on_exit = root_path("/sys/module/%s", name);

	return !access(path, F_OK);
}

bool module_installed(const char *name, const char *release)
{
	struct kmod_ctx *ctx = kmod_open(release);
	struct kmod_list *found;
	bool installed = false;

	if (!ctx)
		return false;
	if (!lookup(ctx, name, &found)) {
		struct kmod_module *module = kmod_module_get_module(found);

		installed = kmod_module_get_path(module);
		kmod_module_unref(module);
		kmod_module_unref_list(found);
	}
	kmod_unref(ctx);
	return installed;
}

/* The kernel's own modules that every build of it has are asked, not those of third parties. */
static char *vermagic_of(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *found, *info = NULL, *item;
	struct kmod_module *module;
	char *vermagic = NULL;

	if (lookup(ctx, name, &found))
		return NULL;
	module = kmod_module_get_module(found);
	if (kmod_module_get_path(module) && kmod_module_get_info(module, &info) >= 0) {
		kmod_list_foreach(item, info) {
			if (!strcmp(kmod_module_info_get_key(item), "vermagic"))
				vermagic = xstrdup(kmod_module_info_get_value(item));
		}
		kmod_module_info_free_list(info);
	}
	kmod_module_unref(module);
	kmod_module_unref_list(found);
	return vermagic;
}

char *module_vermagic(const char *release)
{
	static const char * const candidates[] = {
		"dummy", "veth", "vxlan", "bridge", "loop", "overlay", "xfs", "ext4",
	};
	struct kmod_ctx *ctx = kmod_open(release);
	char *vermagic = NULL;

	if (!ctx)
		return NULL;
	for (size_t i = 0; !vermagic && i < ARRAY_SIZE(candidates); i++)
		vermagic = vermagic_of(ctx, candidates[i]);
	kmod_unref(ctx);
	return vermagic;
}
