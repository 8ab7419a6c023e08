// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: whatever stands in a .ko, verify ends with findings. */
#include <stdlib.h>
#include <string.h>

#include "verify.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* Nothing of this machine is read: each run is the same everywhere. */
	setenv("TIFFIN_ROOT", "/nonexistent", 1);
	setenv("TIFFIN_SYSFS", "/nonexistent", 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_target target = { .release = "6.12" };
	struct json_object *findings;
	char *bytes;

	bytes = malloc(size ? size : 1);
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	findings = verify_bytes("fuzz.ko", bytes, size, &target);
	/* A file without any check noted would be one that load takes unseen. */
	if (!json_object_array_length(json_object_object_get(findings, "checks")))
		abort();
	json_object_put(findings);
	return 0;
}
