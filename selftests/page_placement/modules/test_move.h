/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test-only module that drives the movers is told, and tells. */
#ifndef TEST_MOVE_H
#define TEST_MOVE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TEST_MOVE_DEVICE	"tiffin_test_move"
#define TEST_MOVE_PAGES		16

/* As enum pp_shadow_end. */
#define TEST_MOVE_ENDS		6

/**
 * struct test_move - a batch; names and meaning as in struct pp_batch
 * @node: target
 * @method: 0 plain, 1 transactional
 * @flags: TEST_MOVE_KEEP and the like
 * @retries: of aborted transactions
 * @nr: pages
 * @windows: how many there were
 * @addr: of the pages
 * @result: enum pp_result
 * @reason: enum pp_reason
 * @kept: shadows kept
 * @unmapped_ns: longest time a page was unmapped
 * @copied: bytes
 * @by_table: pages noted in the page tables
 * @by_window: pages noted by a window
 */
struct test_move {
	__s32 node;
	__u32 method;
	__u32 flags;
	__u32 retries;
	__u32 nr;
	__u32 windows;
	__u64 addr[TEST_MOVE_PAGES];
	__u8 result[TEST_MOVE_PAGES];
	__u8 reason[TEST_MOVE_PAGES];
	__u8 kept[TEST_MOVE_PAGES];
	__u32 unmapped_ns[TEST_MOVE_PAGES];
	__u64 copied;
	__u32 by_table;
	__u32 by_window;
};

/* As PP_KEEP_SHADOW, PP_OR_PLAIN, PP_BY_WINDOW. */
#define TEST_MOVE_KEEP		1
#define TEST_MOVE_OR_PLAIN	2
#define TEST_MOVE_BY_WINDOW	4

/* enum pp_result, enum pp_reason, enum pp_shadow_end once more, for user space. */
enum {
	TEST_UNTRIED,
	TEST_COPIED,
	TEST_COMMITTED,
	TEST_REMAPPED,
	TEST_ABORTED,
	TEST_REFUSED,
};

enum {
	TEST_FINE,
	TEST_GONE,
	TEST_FOREIGN,
	TEST_HOLE,
	TEST_SWAPPED,
	TEST_THERE,
	TEST_HUGE,
	TEST_SHARED,
	TEST_LAZYFREE,
	TEST_PINNED,
	TEST_BUSY,
	TEST_POISONED,
	TEST_NO_MEMORY,
	TEST_REASONS,
};

enum {
	TEST_END_USED,
	TEST_END_WRITTEN,
	TEST_END_CHANGED,
	TEST_END_PRESSURE,
	TEST_END_RECLAIMED,
	TEST_END_DETACHED,
};

/**
 * struct test_move_figures - of a node
 * @node: which
 * @recycled: pages kept as destinations
 * @kept: shadows kept, ever
 * @now: shadows there are
 * @ended: how they went
 */
struct test_move_figures {
	__s32 node;
	__u32 recycled;
	__u64 kept;
	__u64 now;
	__u64 ended[TEST_MOVE_ENDS];
};

/**
 * struct test_move_sweep - look for shadows whose pages have been written to
 * @addr: where to begin; where to go on
 * @nr: at most so many
 * @dropped: how many went
 */
struct test_move_sweep {
	__u64 addr;
	__u64 nr;
	__u64 dropped;
};

/**
 * struct test_move_reclaim - free shadows
 * @node: on it
 * @nr: at most so many
 * @done: how many went
 */
struct test_move_reclaim {
	__s32 node;
	__u32 nr;
	__u64 done;
};

/* An open file watches one process: that of this id, or, 0, none any more. */
#define TEST_MOVE_WATCH		_IOW('m', 1, __s32)
#define TEST_MOVE_MOVE		_IOWR('m', 2, struct test_move)
#define TEST_MOVE_FIGURES	_IOWR('m', 3, struct test_move_figures)
#define TEST_MOVE_SWEEP		_IOWR('m', 4, struct test_move_sweep)
#define TEST_MOVE_RECLAIM	_IOWR('m', 5, struct test_move_reclaim)
/* Play a secondary MMU of the watched process: 1, or not any more: 0. */
#define TEST_MOVE_NOTIFIER	_IOW('m', 6, __s32)
/*
 * 1: who unmaps memory of the watched process is held up by that MMU, until 0. TEST_MOVE_HELD waits
 * until somebody is.
 */
#define TEST_MOVE_HOLD_UP	_IOW('m', 7, __s32)
#define TEST_MOVE_HELD		_IO('m', 8)

#endif /* TEST_MOVE_H */
