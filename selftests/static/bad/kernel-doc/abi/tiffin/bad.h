/* SPDX-License-Identifier: GPL-2.0-only */

/**
 * struct half - a structure of which half is documented
 * @first: is
 */
struct half {
	__u32 first;
	__u32 second;
};

struct none {
	__u32 first;
};
