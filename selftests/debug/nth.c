// SPDX-License-Identifier: GPL-2.0-only
/*
 * One operation with its Nth allocation failing; what runs in the guest.
 *
 * usage: nth N load FILE.ko [PARAMETERS]
 *        nth N unload MODULE
 *        nth N write FILE TEXT
 *
 * With N 0 nothing fails. Prints "INJECTED ERROR": whether an allocation was made to fail (0 or 1),
 * and the error of the operation (0: none). Only the operation's own system call is counted, not
 * how this program gets there. Which allocations count is set in debugfs, see guest/faults.sh.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	const char *what, *object, *text;
	char left[16] = "";
	int nth, fd = -1, error;
	long rc;

	if (argc < 4 || argc > 5)
		errx(2, "usage: nth N load|unload|write OBJECT [TEXT]");
	what = argv[2];
	object = argv[3];
	text = argc > 4 ? argv[4] : "";
	nth = open_or_die("/proc/thread-self/fail-nth", O_RDWR);
	if (!strcmp(what, "load"))
		fd = open_or_die(object, O_RDONLY);
	else if (!strcmp(what, "write"))
		fd = open_or_die(object, O_WRONLY);
	else if (strcmp(what, "unload"))
		errx(2, "%s: neither load, unload nor write", what);

	if (write(nth, argv[1], strlen(argv[1])) < 0)
		err(2, "fail-nth");
	if (*what == 'l')
		rc = syscall(SYS_finit_module, fd, text, 0);
	else if (*what == 'u')
		rc = syscall(SYS_delete_module, object, O_NONBLOCK);
	else
		rc = write(fd, text, strlen(text));
	error = rc < 0 ? errno : 0;
	/* What is left of N: nothing if it came to that. */
	if (pread(nth, left, sizeof(left) - 1, 0) < 0 || pwrite(nth, "0", 1, 0) < 0)
		err(2, "fail-nth");
	printf("%d %d\n", atoi(argv[1]) && !atoi(left), error);
	return 0;
}
