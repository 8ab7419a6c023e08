/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's files under /sys/kernel/tiffin: the only way in which the command talks to it.
 * Described in abi/sysfs-kernel-tiffin. All paths here are relative to that folder.
 */
#ifndef SYSFS_H
#define SYSFS_H

#include "output.h"

/* Where the host's files are: /sys/kernel/tiffin, or $TIFFIN_SYSFS in tests. */
const char *sysfs_root(void);

/* Text of a file without the newline at its end, to be freed; NULL where it can't be read. */
char *sysfs_read(const char *fmt, ...) __printf(1, 2);

/**
 * sysfs_write - write a file in one call
 * @text: what to write
 * @fmt: the file
 *
 * Return: 0 or -errno.
 */
int sysfs_write(const char *text, const char *fmt, ...) __printf(2, 3);

/* Names in a folder, sorted; only folders, or only files. Empty where it can't be read. */
struct strings sysfs_folders(const char *fmt, ...) __printf(1, 2);
struct strings sysfs_files(const char *fmt, ...) __printf(1, 2);

bool sysfs_exists(const char *fmt, ...) __printf(1, 2);

/* Names of the families that are loaded, sorted. */
struct strings sysfs_families(void);

/* Names of a family's scopes, sorted. */
struct strings sysfs_scopes(const char *family);

/* Fail with TIFFIN_EXIT_NOT_LOADED unless the host is there. */
enum tiffin_exit sysfs_need_host(void);

/* Fail unless @family, and @scope in it where not NULL, exist. */
enum tiffin_exit sysfs_need_family(const char *family, const char *scope);

/**
 * sysfs_request - ask something of the host
 * @family: whose scope
 * @scope: which one
 * @file: of the scope: swap, rollback, commit, reset
 * @text: the request
 *
 * Where the host refuses, the failure says why in the words of the scope's file "error".
 * Return: %TIFFIN_EXIT_OK or what the failure comes to; @already is set where the host answered
 * that there is nothing to do, which is no failure.
 */
enum tiffin_exit sysfs_request(const char *family, const char *scope, const char *file,
			       const char *text, bool *already);

#endif /* SYSFS_H */
