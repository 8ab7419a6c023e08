/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin.h: what a kselftest of a policy needs besides kselftest_harness.h.
 *
 * The functions return 0 or a count, or a negative errno. They look at
 * /sys/kernel/tiffin as any user would.
 */
#ifndef TIFFIN_KSELFTEST_H
#define TIFFIN_KSELFTEST_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kselftest_harness.h>

#define TIFFIN_SYSFS	"/sys/kernel/tiffin"

/* Every function here is for tests; none needs all of them. */
#define TIFFIN_TEST_API	static inline __attribute__((unused))

/**
 * tiffin_read() - read a file below /sys/kernel/tiffin
 * @buf: receives the text without its last newline
 * @size: bytes of @buf
 * @fmt: path below /sys/kernel/tiffin
 *
 * Return: length of the text, or a negative errno.
 */
__attribute__((format(printf, 3, 4)))
TIFFIN_TEST_API int tiffin_read(char *buf, size_t size, const char *fmt, ...)
{
	char path[512] = TIFFIN_SYSFS "/";
	size_t root = strlen(path);
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, fmt);
	vsnprintf(path + root, sizeof(path) - root, fmt, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

/**
 * tiffin_write() - write a file below /sys/kernel/tiffin
 * @value: what to write
 * @fmt: path below /sys/kernel/tiffin
 *
 * Return: 0, or a negative errno, the host's answer.
 */
__attribute__((format(printf, 2, 3)))
TIFFIN_TEST_API int tiffin_write(const char *value, const char *fmt, ...)
{
	char path[512] = TIFFIN_SYSFS "/";
	size_t root = strlen(path);
	va_list args;
	int fd, ret = 0;

	va_start(args, fmt);
	vsnprintf(path + root, sizeof(path) - root, fmt, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/**
 * tiffin_policy() - find a loaded policy
 * @name: its name, without version and build
 * @id: receives its full name, as under /sys/kernel/tiffin/policies
 * @size: bytes of @id
 *
 * Return: 0, or -ENOENT where no such policy is loaded.
 */
TIFFIN_TEST_API int tiffin_policy(const char *name, char *id, size_t size)
{
	DIR *dir = opendir(TIFFIN_SYSFS "/policies");
	size_t len = strlen(name);
	int ret = -ENOENT;
	struct dirent *e;

	if (!dir)
		return -errno;
	while (ret && (e = readdir(dir))) {
		if (strncmp(e->d_name, name, len) || e->d_name[len] != '-')
			continue;
		snprintf(id, size, "%s", e->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

/**
 * tiffin_swap() - make a policy the active one and keep it
 * @family: its family
 * @policy: a name, name-version or full name, or "default"
 *
 * Return: 0, also where it is active already, or a negative errno.
 */
TIFFIN_TEST_API int tiffin_swap(const char *family, const char *policy)
{
	int ret;

	ret = tiffin_write(policy, "%s/scopes/default/active", family);
	if (ret == -EALREADY)
		return 0;
	if (ret)
		return ret;
	/* Ends the probation; -EINVAL and the like where there is none. */
	tiffin_write("1", "%s/scopes/default/commit", family);
	return 0;
}

/**
 * tiffin_counter() - read a counter of a loaded policy
 * @policy: its name
 * @counter: the counter's name
 *
 * Return: the count, or a negative errno.
 */
TIFFIN_TEST_API long long tiffin_counter(const char *policy, const char *counter)
{
	char id[256], buf[64];
	int ret;

	ret = tiffin_policy(policy, id, sizeof(id));
	if (!ret)
		ret = tiffin_read(buf, sizeof(buf), "policies/%s/counters/%s", id, counter);
	return ret < 0 ? ret : strtoll(buf, NULL, 10);
}

/**
 * tiffin_tune() - set a tunable of a loaded policy
 * @policy: its name
 * @tunable: the tunable's name
 * @value: the value as text, so that a test may write nonsense
 *
 * Return: 0, or a negative errno: -ERANGE, -EINVAL.
 */
TIFFIN_TEST_API int tiffin_tune(const char *policy, const char *tunable, const char *value)
{
	char id[256];
	int ret;

	ret = tiffin_policy(policy, id, sizeof(id));
	if (ret)
		return ret;
	return tiffin_write(value, "policies/%s/tunables/%s", id, tunable);
}

/**
 * tiffin_stat() - read one of the figures of a family's default scope
 * @family: the family
 * @key: a key of its file stats: "calls", "answered", "bad_answers", ...
 *
 * Return: the figure, or a negative errno.
 */
TIFFIN_TEST_API long long tiffin_stat(const char *family, const char *key)
{
	size_t len = strlen(key);
	char buf[4096], *line;
	int ret;

	ret = tiffin_read(buf, sizeof(buf), "%s/scopes/default/stats", family);
	if (ret < 0)
		return ret;
	for (line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoll(line + len, NULL, 10);
	return -ENOENT;
}

/**
 * tiffin_packets() - send packets over the loopback device to oneself
 * @count: how many
 *
 * Each passes the packet_steering hook once.
 *
 * Return: how many arrived, or a negative errno.
 */
TIFFIN_TEST_API int tiffin_packets(int count)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval wait = { .tv_sec = 10 };
	socklen_t len = sizeof(addr);
	int fd, i, got = 0;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (void *)&addr, sizeof(addr)) || getsockname(fd, (void *)&addr, &len) ||
	    connect(fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))) {
		got = -errno;
		goto out;
	}
	/* One at a time: the socket's buffer never fills. */
	for (i = 0; i < count; i++) {
		if (send(fd, &i, sizeof(i), 0) != sizeof(i))
			break;
		if (recv(fd, &i, sizeof(i), 0) == sizeof(i))
			got++;
	}
out:
	close(fd);
	return got;
}

#endif /* TIFFIN_KSELFTEST_H */
