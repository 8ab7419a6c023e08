// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: reading them, and that only the kernel's own are believed. To be run in a network
 * namespace of its own, as it sends events itself.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events.h"
#include "output.h"

#define TEXT(s)	(s), sizeof(s) - 1

static int passed, failed;

static void expect(bool ok, const char *what)
{
	if (ok) {
		passed++;
	} else {
		failed++;
		printf("FAILED  events: %s\n", what);
	}
}

static void parse_swap(void)
{
	static const char text[] =
		"change@/kernel/tiffin/packet_steering/scopes/default\0ACTION=change\0"
		"SUBSYSTEM=tiffin\0TIFFIN_EVENT=rollback\0TIFFIN_FAMILY=packet_steering\0"
		"TIFFIN_SCOPE=default\0TIFFIN_SWAP=12\0TIFFIN_FROM=a-1+b\0TIFFIN_TO=default\0"
		"TIFFIN_REASON=gate x<1 does not hold: 3\0SEQNUM=77";
	struct json_object *event = event_parse(TEXT(text));

	expect(event, "a swap is read");
	expect(!strcmp(json_text(event, "event"), "rollback"), "its kind");
	expect(!strcmp(json_text(event, "family"), "packet_steering"), "its family");
	expect(json_number(event, "swap") == 12, "its number");
	expect(!strcmp(json_text(event, "to"), "default"), "where it went");
	expect(!strcmp(json_text(event, "reason"), "gate x<1 does not hold: 3"), "its reason");
	expect(!json_object_object_get(event, "policy"), "what it does not have is null");
	json_object_put(event);
}

static void parse_quarantine(void)
{
	static const char text[] =
		"change@/kernel/tiffin/policies/a-1+b\0ACTION=change\0SUBSYSTEM=tiffin\0"
		"TIFFIN_EVENT=quarantine\0TIFFIN_FAMILY=packet_steering\0TIFFIN_POLICY=a-1+b";
	struct json_object *event = event_parse(TEXT(text));

	expect(event, "a quarantine is read");
	expect(!strcmp(json_text(event, "event"), "quarantine"), "that it is one");
	expect(!strcmp(json_text(event, "policy"), "a-1+b"), "whose");
	expect(!json_object_object_get(event, "swap"), "it is no swap");
	json_object_put(event);
}

static void parse_others(void)
{
	static const struct {
		const char *what;
		const char *text;
		size_t len;
	} none[] = {
		{ "nothing", TEXT("") },
		{ "a line", TEXT("change@/x") },
		{ "another subsystem", TEXT("change@/x\0SUBSYSTEM=net\0TIFFIN_EVENT=swap") },
		{ "a subsystem that begins alike",
		  TEXT("x\0SUBSYSTEM=tiffins\0TIFFIN_EVENT=swap") },
		{ "no event", TEXT("change@/x\0SUBSYSTEM=tiffin") },
		{ "only NULs", TEXT("\0\0\0\0") },
	};
	struct json_object *event;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		event = event_parse(none[i].text, none[i].len);
		expect(!event, none[i].what);
		json_object_put(event);
	}
	event = event_parse(TEXT("x\0SUBSYSTEM=tiffin\0TIFFIN_EVENT=swap\0TIFFIN_SWAP=x"));
	expect(event && !json_object_object_get(event, "swap"), "a number that is none is null");
	json_object_put(event);
}

static ssize_t forge(int fd)
{
	static const char text[] =
		"change@/kernel/tiffin/x\0SUBSYSTEM=tiffin\0TIFFIN_EVENT=swap\0TIFFIN_FAMILY=x";
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	return sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&to, sizeof(to));
}

static void forged(void)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int sender = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	int control = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	struct json_object *event = NULL;
	char buf[EVENT_BUFFER];
	int fd = events_open();

	expect(fd >= 0 && !bind(control, (struct sockaddr *)&group, sizeof(group)), "subscribe");
	expect(forge(sender) > 0, "an event can be forged");
	expect(recv(control, buf, sizeof(buf), 0) > 0, "and whoever does not look takes it");
	expect(!events_next(fd, 100, &event) && !event, "but it is not taken for the kernel's");
	json_object_put(event);
	close(fd);
	close(control);
	close(sender);
}

int main(void)
{
	parse_swap();
	parse_quarantine();
	parse_others();
	forged();
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
