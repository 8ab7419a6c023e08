/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TIFFIN_CORE_VERSION_H
#define TIFFIN_CORE_VERSION_H

/* Of the host modules, as modinfo and sysfs show it. */
#define TIFFIN_VERSION	"0.1.0"

#endif /* TIFFIN_CORE_VERSION_H */
