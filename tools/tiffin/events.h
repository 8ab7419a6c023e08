/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's uevents (SUBSYSTEM=tiffin), as the kernel itself sends them. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* Longer than any uevent: the kernel's buffer for one is 2 KiB. */
#define EVENT_BUFFER	8192

/**
 * events_open - subscribe
 *
 * Return: a file descriptor or -errno.
 */
int events_open(void);

/**
 * events_next - wait for the next event of the host
 * @fd: from events_open()
 * @timeout_ms: longest wait; -1 for ever
 * @event: receives the event, to be put
 *
 * Return: 1 for an event, 0 where the time passed, -ENOBUFS where the kernel had to drop some, or
 * another -errno.
 */
int events_next(int fd, int timeout_ms, struct json_object **event);

/**
 * event_parse - read a uevent
 * @buf: as received; need not end with a NUL
 * @len: bytes of @buf
 *
 * Return: an object with event, family, scope, policy, swap, from, to, reason (null where the event
 * has none); NULL for an event that is not the host's.
 */
struct json_object *event_parse(const char *buf, size_t len);

#endif /* EVENTS_H */
