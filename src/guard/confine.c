/* SPDX-License-Identifier: ISC */
#include "guard/confine.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "options.h"

#if WITH_SECCOMP
#include <endian.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

/* The numbers below are those of this ABI only. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ABI AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ABI AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ABI AUDIT_ARCH_AARCH64 /* of both byte orders */
#elif defined(__arm__)
#define ABI (__BYTE_ORDER == __LITTLE_ENDIAN ? AUDIT_ARCH_ARM : AUDIT_ARCH_ARMEB)
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#define ABI (__BYTE_ORDER == __LITTLE_ENDIAN ? AUDIT_ARCH_MIPSEL : AUDIT_ARCH_MIPS)
#elif defined(__riscv) && __riscv_xlen == 64
#define ABI AUDIT_ARCH_RISCV64
#endif
#endif

#ifdef ABI
/*
 * What is refused.  A list of what is allowed is not possible: a filter holds
 * for what is executed, and a command may be anything.  So it is a list of what
 * neither upsmon nor a command needs, and what the ways from a user to root
 * have gone through; containers are refused the same.  What takes a capability
 * is refused to the monitor by the kernel.  Older headers lack some.
 */
static const int refused[] = {
	/* other processes, and what was in their memory */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
	/* programs inside the kernel, and work that the kernel does later */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
#define OF_THE_GUARD (sizeof(refused) / sizeof(refused[0]) - OF_THE_MONITOR)
#define OF_THE_MONITOR 5
	/* the monitor only: keys, and the namespaces in which any user is root */
	SYS_keyctl, SYS_add_key, SYS_request_key, SYS_unshare, SYS_setns,
};

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | \
		    CLONE_NEWUTS | CLONE_NEWCGROUP)
/* The first argument of clone(), its lower half where it has two. */
#define FLAGS (offsetof(struct seccomp_data, args[0]) + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0))

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(offset))
#define END(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define REFUSE(error) END(SECCOMP_RET_ERRNO | (error))

static void set_filter(size_t count, bool monitor)
{
	struct sock_filter code[sizeof(refused) / sizeof(refused[0]) * 2 + 16];
	struct sock_fprog program = { 0, code };

#define ADD(...) code[program.len++] = (struct sock_filter)__VA_ARGS__
#define IS(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)(value), 0, 1)
	ADD(LOAD(offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ABI, 1, 0));
	/*
	 * A call by way of another ABI, such as a 32-bit program's on 64 bits, has
	 * other numbers.  It would be the way around the list; but a SHUTDOWNCMD
	 * must never fail for that.
	 */
	ADD(END(monitor ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW));
	ADD(LOAD(offsetof(struct seccomp_data, nr)));
#ifdef __x86_64__
	/* x32: the same ABI to audit, and other numbers */
	ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
	ADD(REFUSE(EPERM));
#endif
	for (size_t i = 0; i < count; i++) {
		ADD(IS(refused[i]));
		ADD(REFUSE(EPERM));
	}
	if (monitor) {
#ifdef SYS_clone3
		/* its flags are out of reach; without it, every libc takes clone() */
		ADD(IS(SYS_clone3));
		ADD(REFUSE(ENOSYS));
#endif
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
		ADD(LOAD(FLAGS));
		ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (unsigned int)NAMESPACES, 0, 1));
		ADD(REFUSE(EPERM));
	}
	ADD(END(SECCOMP_RET_ALLOW));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		log_debug("no seccomp filter: %s", strerror(errno));
}
#endif

void confine_guard(void)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &core);
	}
#ifdef ABI
	/* a container has one of its own, and after an upgrade there is ours */
	if (prctl(PR_GET_SECCOMP) == 0)
		set_filter(OF_THE_GUARD, false);
#endif
}

bool confine_is_wanted(const struct conf *conf)
{
	return conf->no_new_privs < 0 ? !child_wall() : conf->no_new_privs > 0;
}

void confine_monitor(bool no_new_privs)
{
	if (!no_new_privs || geteuid() == 0)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_debug("no_new_privs: %s", strerror(errno));
		return;
	}
#ifdef ABI
	set_filter(sizeof(refused) / sizeof(refused[0]), true);
#endif
}
