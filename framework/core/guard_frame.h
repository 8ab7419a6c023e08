/* SPDX-License-Identifier: GPL-2.0-only */
/* What guard_entry.S has to know of struct tiffin_guard_frame (guard.h). */
#ifndef TIFFIN_CORE_GUARD_FRAME_H
#define TIFFIN_CORE_GUARD_FRAME_H

#define TIFFIN_FRAME_FLAGS	24
#define TIFFIN_FRAME_PREEMPT	32
#define TIFFIN_FRAME_SIZE	48

#endif /* TIFFIN_CORE_GUARD_FRAME_H */
