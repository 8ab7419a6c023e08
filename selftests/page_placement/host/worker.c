// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program with memory on one node, a part of which it uses all the time: reads and writes. It
 * knows nothing of page placement; it checks that each page holds what it wrote there, and says
 * where its pages are when asked.
 *
 * usage: worker NODE PAGES HOT [fork]
 *
 * It reads commands, one a line, and answers each with one line:
 *	where	"HOT0 HOT1 COLD0 COLD1": pages of the used and the unused part on nodes 0 and 1
 *	check	"good", or which page is wrong
 *	use FIRST COUNT EVERY	from now on that part is used, each EVERYth page of it written
 *	file PATH	a private mapping of that file, each page written, is used from now on, too
 *	pageout	what is not used goes to swap
 *	watch	its memory is watched by userfaultfd
 *	faults	page faults that it had, without I/O
 *	move NODE	its pages are moved there; how many are not: somebody holds them
 *	fork	a child does the same in its place; "PID"; the parent waits for it
 *	exec	the same program begins anew in its place; "PID"
 *	execfork	the same, and it forks at once, as daemons do: the child goes on; "PID"
 *	share	a process that has the same memory, and does nothing, until it is killed; "PID"
 *	chain LINKS	a child of a child of a child..., so many, goes on, the others end; "PID"
 *	end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PAGE		4096ul
#define WORDS		(PAGE / sizeof(uint64_t))

/* Two words of a page that the using thread counts in; the others never change. */
#define COUNT_A		17
#define COUNT_B		(WORDS - 3)

static uint64_t *memory;
static unsigned long pages;

/* What is used: so many pages from the first on, each @every th of which is written. */
static unsigned long first, hot, every = 1;

/* As many pages of a file, or NULL. */
static volatile uint64_t *mapped;

/* How often each page was counted in: what is written must not come back as it was before. */
static uint64_t *counted;

static atomic_bool ending;
static pthread_mutex_t using = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t *page_at(unsigned long page)
{
	return memory + page * WORDS;
}

static uint64_t content(unsigned long page, unsigned long word)
{
	return page * 0x9e3779b97f4a7c15ull ^ word * 0xc2b2ae3d27d4eb4full;
}

/* One pass: each page is read at three places; one that is written is counted in at two of them. */
static bool use(unsigned long page, uint64_t pass)
{
	volatile uint64_t *p = page_at(page);
	unsigned long word = 64 + pass * 7 % 256;

	if (p[COUNT_A] != counted[page] || p[COUNT_B] != counted[page] ||
	    p[word] != content(page, word))
		return false;
	if (every && page % every == 0) {
		counted[page]++;
		p[COUNT_A]++;
		p[COUNT_B]++;
	}
	return true;
}

static void *user(void *unused __attribute__((unused)))
{
	unsigned long i;
	uint64_t pass;

	for (pass = 0; !atomic_load(&ending); pass++) {
		struct timespec pause = { .tv_nsec = 2000000 };

		pthread_mutex_lock(&using);
		for (i = first; i < first + hot; i++)
			if (!use(i, pass)) {
				printf("page %lu is wrong\n", i);
				_exit(2);
			}
		for (i = 0; mapped && i < pages; i++)
			if (mapped[i * WORDS] != content(i, 0)) {
				printf("page %lu of the file is wrong\n", i);
				_exit(2);
			}
		pthread_mutex_unlock(&using);
		/* Many run on emulated CPUs, next to the host's threads. */
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void where(void)
{
	unsigned long i, on[2][2] = {};

	for (i = 0; i < pages; i++) {
		void *addr = page_at(i);
		int status = -1;

		if (syscall(SYS_move_pages, 0, 1ul, &addr, NULL, &status, 0))
			die("move_pages");
		if (status == 0 || status == 1)
			on[i < first || i >= first + hot][status]++;
	}
	printf("%lu %lu %lu %lu\n", on[0][0], on[0][1], on[1][0], on[1][1]);
}

static void faults(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		die("getrusage");
	printf("%ld\n", usage.ru_minflt);
}

static void use_part(const char *numbers)
{
	unsigned long from, nr, nth;

	if (sscanf(numbers, "%lu %lu %lu", &from, &nr, &nth) != 3 || from + nr > pages) {
		printf("no such part\n");
		return;
	}
	pthread_mutex_lock(&using);
	first = from;
	hot = nr;
	every = nth;
	pthread_mutex_unlock(&using);
	printf("used\n");
}

/* The kernel moves a page where all who hold it are known to it. */
static void move(int node)
{
	void **addr = calloc(pages, sizeof(*addr));
	int *nodes = calloc(pages, sizeof(*nodes)), *status = calloc(pages, sizeof(*status));
	unsigned long i, elsewhere = 0;

	if (!addr || !nodes || !status)
		die("calloc");
	for (i = 0; i < pages; i++) {
		addr[i] = page_at(i);
		nodes[i] = node;
		status[i] = -1;
	}
	if (syscall(SYS_move_pages, 0, pages, addr, nodes, status, MPOL_MF_MOVE) < 0)
		die("move_pages");
	/* Of those that could not be moved it does not always say so. */
	if (syscall(SYS_move_pages, 0, pages, addr, NULL, status, 0))
		die("move_pages");
	for (i = 0; i < pages; i++)
		elsewhere += status[i] != node;
	printf("%lu\n", elsewhere);
	free(addr);
	free(nodes);
	free(status);
}

/* On node 1, as NUMA balancing likes pages to be where they are used. */
static void map_file(const char *path)
{
	unsigned long mask = 1ul << 1, i;
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	uint64_t *mem;

	if (fd < 0 || ftruncate(fd, pages * PAGE))
		die(path);
	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (mem == MAP_FAILED || syscall(SYS_set_mempolicy, MPOL_BIND, &mask, sizeof(mask) * 8))
		die(path);
	for (i = 0; i < pages; i++)
		mem[i * WORDS] = content(i, 0);
	if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0))
		die("set_mempolicy");
	close(fd);
	pthread_mutex_lock(&using);
	mapped = mem;
	pthread_mutex_unlock(&using);
	printf("mapped\n");
}

static void page_out(void)
{
	if (madvise(page_at(first + hot), (pages - first - hot) * PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	printf("out\n");
}

/* All pages are there: it hears of no fault. */
static void watch(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)memory, pages * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		die("userfaultfd");
	printf("watched\n");
}

static void check(void)
{
	unsigned long page, word;

	pthread_mutex_lock(&using);
	for (page = 0; page < pages; page++)
		for (word = 0; word < WORDS; word++)
			if (page_at(page)[word] != (word == COUNT_A || word == COUNT_B ?
						    counted[page] : content(page, word))) {
				printf("page %lu word %lu is wrong\n", page, word);
				pthread_mutex_unlock(&using);
				return;
			}
	pthread_mutex_unlock(&using);
	printf("good\n");
}

static void fill(int node)
{
	unsigned long mask = 1ul << node, page, word;

	if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, sizeof(mask) * 8))
		die("set_mempolicy");
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		die("mmap");
	counted = calloc(pages, sizeof(*counted));
	if (!counted)
		die("calloc");
	for (page = 0; page < pages; page++)
		for (word = 0; word < WORDS; word++)
			page_at(page)[word] = word == COUNT_A || word == COUNT_B ? 0 :
					      content(page, word);
	if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0))
		die("set_mempolicy");
}

/* Threads are not inherited: the child starts its own. */
static void work(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, user, NULL))
		die("thread");
}

static void be_forked(void)
{
	pid_t pid;

	fflush(stdout);
	/* Not while a page is half counted in. */
	pthread_mutex_lock(&using);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0) {
		int status = 0;

		atomic_store(&ending, true);
		pthread_mutex_unlock(&using);
		waitpid(pid, &status, 0);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
	}
	pthread_mutex_unlock(&using);
	work();
	printf("%d\n", getpid());
}

/* No time goes by between one fork and the next. */
static void be_chained(unsigned long links)
{
	pid_t pid;

	fflush(stdout);
	pthread_mutex_lock(&using);
	while (links--) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid > 0)
			_exit(0);
	}
	pthread_mutex_unlock(&using);
	work();
	printf("%d\n", getpid());
}

/* Nobody waits for it: it ends with this program, if not before. */
static int share(void *unused __attribute__((unused)))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (1)
		pause();
	return 0;
}

static void be_shared(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int pid = clone(share, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	if (pid < 0)
		die("clone");
	printf("%d\n", pid);
}

/* As daemons do: nothing is between exec and fork. */
static void fork_first(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid < 0)
		die("fork");
	if (!pid)
		return;
	waitpid(pid, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static void be_again(char **argv, char *how)
{
	execl(argv[0], argv[0], argv[1], argv[2], argv[3], how, NULL);
	die("exec");
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc == 5 && !strcmp(argv[4], "fork"))
		fork_first();
	else if (argc != 4)
		return 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	pages = strtoul(argv[2], NULL, 10);
	hot = strtoul(argv[3], NULL, 10);
	/* Huge pages are left to the kernel. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	fill(atoi(argv[1]));
	work();
	printf("%d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "where"))
			where();
		else if (!strcmp(line, "check"))
			check();
		else if (!strncmp(line, "use ", 4))
			use_part(line + 4);
		else if (!strncmp(line, "file ", 5))
			map_file(line + 5);
		else if (!strcmp(line, "pageout"))
			page_out();
		else if (!strcmp(line, "watch"))
			watch();
		else if (!strcmp(line, "faults"))
			faults();
		else if (!strncmp(line, "move ", 5))
			move(atoi(line + 5));
		else if (!strcmp(line, "fork"))
			be_forked();
		else if (!strcmp(line, "share"))
			be_shared();
		else if (!strncmp(line, "chain ", 6))
			be_chained(strtoul(line + 6, NULL, 10));
		else if (!strcmp(line, "exec"))
			be_again(argv, NULL);
		else if (!strcmp(line, "execfork"))
			be_again(argv, "fork");
		else
			break;
	}
	atomic_store(&ending, true);
	check();
	return 0;
}
