// SPDX-License-Identifier: GPL-2.0-only
/* version: of the command, and of the host that is loaded. */
#include <stdio.h>

#include <tiffin/packet_steering.h>
#include <tiffin/plugin.h>

#include "command.h"
#include "sysfs.h"

static struct json_object *host_versions(void)
{
	struct json_object *host = json_object_new_object();
	struct json_object *abis = json_object_new_object();
	struct strings families = sysfs_families();
	char *version __free_on_exit = sysfs_read("version");
	char *abi __free_on_exit = sysfs_read("abi");

	json_add_string(host, "version", version);
	json_add_string(host, "core_abi", abi);
	for (size_t i = 0; i < families.count; i++) {
		char *text __free_on_exit = sysfs_read("%s/abi", families.item[i]);

		json_add_string(abis, families.item[i], text);
	}
	json_add(host, "family_abi", abis);
	strings_free(&families);
	return host;
}

static enum tiffin_exit version_run(const struct invocation *inv)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *host = sysfs_exists("abi") ? host_versions() : NULL;
	struct json_object *abis = json_object_new_object();

	json_add_string(doc, "version", TIFFIN_VERSION);
	json_add_string(doc, "core_abi", TIFFIN_STRING(TIFFIN_CORE_ABI_TEXT));
	json_add_string(abis, "packet_steering", TIFFIN_STRING(TIFFIN_packet_steering_ABI_TEXT));
	json_add(doc, "family_abi", abis);
	json_add(doc, "host", host);
	if (inv->json) {
		json_print(doc);
	} else {
		printf("tiffin %s, core ABI %s\n", TIFFIN_VERSION, json_text(doc, "core_abi"));
		if (host)
			printf("host %s, core ABI %s\n", json_text(host, "version"),
			       json_text(host, "core_abi"));
		else
			puts("host not loaded");
	}
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "print the versions of the command and of the host",
	.run = version_run,
};
