// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: whatever stands in a uevent, it is read or left. */
#include <stdlib.h>
#include <string.h>

#include "events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly that size, so that a byte read beyond it is noticed. */
	char *buf = malloc(size ? size : 1);

	if (!buf)
		return 0;
	memcpy(buf, data, size);
	json_object_put(event_parse(buf, size));
	free(buf);
	return 0;
}
