// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load test modules one after the other and unload each before the next: what
 * runs inside the kernel under test. As process 1 of the User Mode Linux
 * kernel it also mounts what it needs and powers the machine off; in a VM it
 * is an ordinary program.
 *
 * usage: load [leaks] [[+]FILE.ko [PARAMETER=VALUE...]] ...
 *
 * Fault injection is set up where the kernel has it.
 * A module with a + before its name stays loaded.
 * With the word leaks, what the modules left allocated is looked for at the
 * end (kmemleak; it takes some seconds).
 *
 * What goes wrong here becomes a `Bail out!` line in the kernel log, which is
 * where the judge looks: KUnit's own output goes there too, in order. The
 * kernel has to be started with printk.devkmsg=on, else it drops lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KMEMLEAK "/sys/kernel/debug/kmemleak"
/* kmemleak reports nothing that is younger than 5 s */
#define KMEMLEAK_AGE_S 6

static int kmsg = -1;

__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	char buf[900];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(buf))
		n = sizeof(buf) - 1;
	/* One write makes one record of the log. */
	if (write(kmsg, buf, n) != n)
		fprintf(stderr, "%s\n", buf);
}

static void module_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	char *c;

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	for (c = name; *c && strcmp(c, ".ko"); c++)
		if (*c == '-')
			*c = '_';
	*c = '\0';
}

static int insert(const char *path, const char *params)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static void run(const char *path, const char *params)
{
	char name[NAME_MAX];
	int stay = path[0] == '+';
	int ret;

	path += stay;
	module_name(path, name, sizeof(name));
	say("tiffin-kunit: load %s", name);
	ret = insert(path, params);
	if (ret) {
		say("Bail out! %s can't be loaded: %s", path, strerror(-ret));
		return;
	}
	if (!stay && syscall(SYS_delete_module, name, O_NONBLOCK))
		say("Bail out! %s can't be unloaded: %s", name, strerror(errno));
}

static void scan(void)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "scan", 4) != 4)
		say("Bail out! %s: %s", KMEMLEAK, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Report what the modules that have come and gone left allocated. */
static void leaks(void)
{
	char line[256];
	FILE *f;

	sleep(KMEMLEAK_AGE_S);
	/* The first scan after a change only takes checksums. */
	scan();
	scan();
	f = fopen(KMEMLEAK, "r");
	if (!f) {
		say("Bail out! %s: %s", KMEMLEAK, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		say("%s", line);
	}
	fclose(f);
}

/* Where a function of the kernel begins and ends; it fails where there is none of that name. */
static int span(const char *name, unsigned long *begin, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], symbol[256];
	unsigned long at;
	int pass;

	*begin = 0;
	*end = ULONG_MAX;
	if (!f)
		return -errno;
	for (pass = 0; pass < 2; pass++) {
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "%lx %*c %255s", &at, symbol) != 2)
				continue;
			if (!pass && !strcmp(symbol, name))
				*begin = at;
			else if (pass && at > *begin && at < *end)
				*end = at;
		}
		rewind(f);
	}
	fclose(f);
	return *begin ? 0 : -ENOENT;
}

static void set(const char *what, const char *file, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", what, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		say("Bail out! %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Have any allocation fail, also one that may wait, but for those of function @keep. */
static void inject(const char *what, const char *keep)
{
	unsigned long begin, end;
	char text[32];

	if (span(keep, &begin, &end)) {
		say("Bail out! this kernel has no function %s", keep);
		return;
	}
	snprintf(text, sizeof(text), "%#lx", end);
	set(what, "reject-end", text);
	snprintf(text, sizeof(text), "%#lx", begin);
	set(what, "reject-start", text);
	set(what, "stacktrace-depth", "32");
	set(what, "verbose", "0");
	set(what, "times", "-1");
	/* Of tasks that want it so; in this order. */
	set(what, "task-filter", "Y");
	set(what, "probability", "100");
	set(what, "ignore-gfp-wait", "N");
}

/*
 * What memory_test.c needs, on kernels that have it. Allocations are counted there, and of these it
 * is never known how many there are: kmemleak's, which gives up for good when it gets nothing, and
 * the pages that make up for objects that are gone.
 */
static void injections(void)
{
	if (access("/sys/kernel/debug/failslab", F_OK))
		return;
	inject("failslab", "__alloc_object");
	inject("fail_page_alloc", "___slab_alloc");
	set("fail_page_alloc", "ignore-gfp-highmem", "N");
	set("fail_page_alloc", "min-order", "0");
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mknod("/dev/kmsg", S_IFCHR | 0600, 1 << 8 | 11);
}

int main(int argc, char **argv)
{
	int init = getpid() == 1;
	char params[1024];
	int check_leaks;
	int i, last;

	if (init)
		mount_all();
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (kmsg < 0) {
		perror("load: /dev/kmsg");
		return 1;
	}

	say("tiffin-kunit: begin");
	injections();
	check_leaks = argc > 1 && !strcmp(argv[1], "leaks");
	for (i = 1 + check_leaks; i < argc; i = last) {
		params[0] = '\0';
		for (last = i + 1; last < argc && strchr(argv[last], '='); last++) {
			size_t used = strlen(params);

			snprintf(params + used, sizeof(params) - used, "%s ",
				 argv[last]);
		}
		run(argv[i], params);
	}
	if (check_leaks)
		leaks();
	say("tiffin-kunit: end");

	if (init) {
		sync();
		reboot(RB_POWER_OFF);
	}
	return 0;
}
