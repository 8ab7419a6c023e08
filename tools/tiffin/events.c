// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "output.h"

#define KERNEL_GROUP	1

int events_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int room = 1024 * 1024;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	/* Only a wish: what is dropped is told by ENOBUFS. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

struct json_object *event_parse(const char *buf, size_t len)
{
	static const struct {
		const char *variable;
		const char *key;
	} words[] = {
		{ "TIFFIN_EVENT=", "event" },
		{ "TIFFIN_FAMILY=", "family" },
		{ "TIFFIN_SCOPE=", "scope" },
		{ "TIFFIN_POLICY=", "policy" },
		{ "TIFFIN_SWAP=", "swap" },
		{ "TIFFIN_FROM=", "from" },
		{ "TIFFIN_TO=", "to" },
		{ "TIFFIN_REASON=", "reason" },
	};
	char *found[ARRAY_SIZE(words)] = { NULL };
	struct json_object *event = NULL;
	bool ours = false;

	for (size_t at = 0; at < len;) {
		size_t n = strnlen(buf + at, len - at);
		char *line __free_on_exit = xstrndup(buf + at, n);

		ours |= !strcmp(line, "SUBSYSTEM=tiffin");
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t skip = strlen(words[i].variable);

			if (!found[i] && !strncmp(line, words[i].variable, skip))
				found[i] = xstrdup(line + skip);
		}
		at += n + 1;
	}
	if (ours && found[0]) {
		event = json_object_new_object();
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			if (!strcmp(words[i].key, "swap"))
				json_add_numeral(event, words[i].key, found[i]);
			else
				json_add_string(event, words[i].key, found[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		free(found[i]);
	return event;
}

/* One datagram: an event of the host, or NULL for another, or one that the kernel did not send. */
static int receive(int fd, struct json_object **event)
{
	char buf[EVENT_BUFFER];
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);

	*event = NULL;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (from_len == sizeof(from) && !from.nl_pid && from.nl_groups == KERNEL_GROUP)
		*event = event_parse(buf, n);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int events_next(int fd, int timeout_ms, struct json_object **event)
{
	int64_t end = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = -1, n;

		if (timeout_ms >= 0) {
			int64_t ms = end - now_ms();

			left = ms > 0 ? (int)ms : 0;
		}
		n = poll(&p, 1, left);
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		n = receive(fd, event);
		if (n < 0)
			return n;
		if (*event)
			return 1;
	}
}
