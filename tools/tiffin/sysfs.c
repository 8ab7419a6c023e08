// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "root.h"
#include "sysfs.h"

/* More than the longest text that the host gives. */
#define SYSFS_FILE_MAX	(16 * 1024 * 1024)

const char *sysfs_root(void)
{
	const char *root = secure_getenv("TIFFIN_SYSFS");

	return root ? root : "/sys/kernel/tiffin";
}

static char *path_of(const char *fmt, va_list args)
{
	char *name = xvasprintf(fmt, args);
	char *path;

	path = xasprintf("%s/%s", sysfs_root(), name);
	free(name);
	return path;
}

char *sysfs_read(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return file_read(path, SYSFS_FILE_MAX);
}

int sysfs_write(const char *text, const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	char *line __free_on_exit = xasprintf("%s\n", text);
	ssize_t n, len = strlen(line);
	va_list args;
	int fd, err;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);

	fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	if (fd < 0)
		return -errno;
	n = write(fd, line, len);
	err = n < 0 ? -errno : n < len ? -EIO : 0;
	close(fd);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static struct strings entries(const char *path, mode_t kind)
{
	struct strings names = { 0 };
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return names;
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] != '.' &&
		    !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    (st.st_mode & S_IFMT) == kind)
			strings_add(&names, entry->d_name);
	}
	closedir(dir);
	if (names.count)
		qsort(names.item, names.count, sizeof(*names.item), by_name);
	return names;
}

struct strings sysfs_folders(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return entries(path, S_IFDIR);
}

struct strings sysfs_files(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return entries(path, S_IFREG);
}

bool sysfs_exists(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return !access(path, F_OK);
}

struct strings sysfs_families(void)
{
	struct strings all = sysfs_folders(".");
	struct strings families = { 0 };

	for (size_t i = 0; i < all.count; i++)
		if (sysfs_exists("%s/scopes", all.item[i]))
			strings_add(&families, all.item[i]);
	strings_free(&all);
	return families;
}

struct strings sysfs_scopes(const char *family)
{
	return sysfs_folders("%s/scopes", family);
}

enum tiffin_exit sysfs_need_host(void)
{
	if (sysfs_exists("abi"))
		return TIFFIN_EXIT_OK;
	return fail(TIFFIN_EXIT_NOT_LOADED,
		    "load it: modprobe tiffin_packet_steering\n"
		    "what this kernel offers: tiffin doctor",
		    "tiffin is not loaded: there is no %s", sysfs_root());
}

enum tiffin_exit sysfs_need_family(const char *family, const char *scope)
{
	if (!name_ok(family) || !sysfs_exists("%s/scopes", family)) {
		struct strings families = sysfs_families();
		char *names __free_on_exit = strings_join(&families, ", ", 20);
		char *next __free_on_exit = xasprintf("loaded families: %s\n"
						      "load another: modprobe tiffin_FAMILY",
						      families.count ? names : "none");

		strings_free(&families);
		return fail(TIFFIN_EXIT_NOT_FOUND, next, "no family '%s' is loaded", family);
	}
	if (scope && (!name_ok(scope) || !sysfs_exists("%s/scopes/%s", family, scope))) {
		struct strings scopes = sysfs_scopes(family);
		char *names __free_on_exit = strings_join(&scopes, ", ", 20);
		char *next __free_on_exit = xasprintf("its scopes: %s", names);

		strings_free(&scopes);
		return fail(TIFFIN_EXIT_NOT_FOUND, next, "family %s has no scope '%s'", family,
			    scope);
	}
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit code_of(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
		return TIFFIN_EXIT_NOT_FOUND;
	case -EBUSY:
		return TIFFIN_EXIT_BUSY;
	case -ETIMEDOUT:
		return TIFFIN_EXIT_TIMED_OUT;
	case -EPERM:
	case -EACCES:
		return TIFFIN_EXIT_NO_PERMISSION;
	default:
		return TIFFIN_EXIT_REFUSED;
	}
}

static const char *remedy(enum tiffin_exit code)
{
	switch (code) {
	case TIFFIN_EXIT_NOT_FOUND:
		return "what is loaded: tiffin list";
	case TIFFIN_EXIT_BUSY:
		return "what it is busy with: tiffin show FAMILY";
	case TIFFIN_EXIT_TIMED_OUT:
		return "what is active now: tiffin show FAMILY\n"
		       "allow a swap more time: --timeout TIME";
	case TIFFIN_EXIT_NO_PERMISSION:
		return "it takes CAP_SYS_ADMIN in the initial user namespace\n"
		       "try again as root, outside containers";
	default:
		return "more may stand in the kernel log: dmesg";
	}
}

/* What to do about a refusal that the scope's error explains. */
static const char *remedy_of(int err, enum tiffin_exit code)
{
	if (err == -ENOTRECOVERABLE || err == -EFAULT)
		return "what it did: tiffin show POLICY, as root\n"
		       "load its next build beside it: tiffin load FILE.ko";
	return code == TIFFIN_EXIT_REFUSED ? NULL : remedy(code);
}

enum tiffin_exit sysfs_request(const char *family, const char *scope, const char *file,
			       const char *text, bool *already)
{
	int err = sysfs_write(text, "%s/scopes/%s/%s", family, scope, file);
	char *why __free_on_exit = NULL;
	enum tiffin_exit code;

	*already = err == -EALREADY;
	if (!err || *already)
		return TIFFIN_EXIT_OK;
	code = code_of(err);
	/* Where the file could not even be opened, "error" tells of some earlier request. */
	if (code != TIFFIN_EXIT_NO_PERMISSION)
		why = sysfs_read("%s/scopes/%s/error", family, scope);
	if (why && *why)
		return fail(code, remedy_of(err, code), "%s/%s: %s", family, scope, why);
	return fail(code, remedy(code), "%s/%s: the host refused '%s': %s", family, scope, text,
		    strerror(-err));
}
