/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading and unloading kernel modules, by libkmod. */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

/* Load the module in a file, alone. Return: 0 or -errno. */
int module_insert(const char *path);

/* Unload a module that nobody uses. Return: 0 or -errno. */
int module_remove(const char *name);

/**
 * module_probe - load an installed module and what it depends on, as modprobe does
 * @name: of the module
 *
 * Return: 0, also where it is loaded already; -ENOENT where none is installed; another -errno.
 */
int module_probe(const char *name);

/* True where a module is loaded. */
bool module_loaded(const char *name);

/* True where a module is installed for @release (NULL: the running kernel). */
bool module_installed(const char *name, const char *release);

/**
 * module_vermagic - the version magic that the modules of an installed kernel carry
 * @release: NULL for the running kernel
 *
 * Return: the text, to be freed, or NULL where no module of it is installed.
 */
char *module_vermagic(const char *release);

#endif /* MODULES_H */
