/* SPDX-License-Identifier: ISC */
/*
 * options.h - every number that is fixed at build time, in one place, each
 * with its reason.  Change one with  make CPPFLAGS=-DUPS_MAX=32 .
 *
 * Tables are static: nothing is allocated while the daemon runs, and a table
 * that is not used costs address space, not memory: nothing writes to it.  What
 * a table costs is given for each entry.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

/*
 * For a table that is large and mostly not used.  These stand together at the end
 * (the linker sorts by name), so that all that is small shares its pages: 20 KiB
 * less of the PSS of the two processes.
 */
#define MOSTLY_UNUSED __attribute__((section(".bss.zz_mostly_unused")))

/* MONITOR lines.  1.6 KiB each in the monitor, half of it for one line of the server; 0.1 in the guard. */
#ifndef UPS_MAX
#define UPS_MAX 16
#endif

/* All strings of one upsmon.conf and its upssched.conf together, each with its NUL. */
#ifndef CONF_TEXT_MAX
#define CONF_TEXT_MAX 8192
#endif

/* One line of upsmon.conf or of the protocol, split into words. */
#ifndef WORDS_TEXT_MAX
#define WORDS_TEXT_MAX 640
#endif
#ifndef WORDS_MAX
#define WORDS_MAX 32
#endif

/* A notify message, expanded; longer ones are cut. */
#ifndef MESSAGE_MAX
#define MESSAGE_MAX 320
#endif

/* AT lines of upssched.conf, 12 bytes each; the timers that run at once, 64 bytes each. */
#ifndef SCHED_RULES_MAX
#define SCHED_RULES_MAX 64
#endif
#ifndef SCHED_TIMERS_MAX
#define SCHED_TIMERS_MAX (2 * UPS_MAX)
#endif
/* The name of a timer, with its NUL: an action holds no longer one. */
#define SCHED_NAME_MAX 52

/* Addresses of one host that are tried.  36 bytes each for each MONITOR line. */
#ifndef ADDRESSES_MAX
#define ADDRESSES_MAX 4
#endif

/* Commands running at once: NOTIFYCMD, CMDSCRIPT, wall, name look-ups.  16 bytes each. */
#ifndef CHILD_MAX
#define CHILD_MAX 40
#endif

/*
 * How the name of a process is read (procname.h): one switch for each file that
 * kernels offer, and what it adds to the static binary on x86_64 and mipsel.
 * Each works without the others, and tells what the others do not; with none
 * of them a number is gone or unknown, never a match.
 */
#ifndef PROC_COMM	/* 80, 128 bytes.  Linux from 2.6.33 on: the name, and no more */
#define PROC_COMM 1
#endif
#ifndef PROC_STAT	/* 272, 384.  Linux, NetBSD: zombies, ancestors, and the start time, */
#define PROC_STAT 1	/* without which nothing is signalled where there are no pidfds */
#endif
#ifndef PROC_STATUS	/* 400, 560.  Linux: whose process it is */
#define PROC_STATUS 1
#endif
#ifndef PROC_BSD	/* 688, 1040.  FreeBSD, NetBSD: what else the daemon needs there is missing */
#define PROC_BSD 0
#endif
#ifndef PROC_PSINFO	/* 320, 512.  Solaris, illumos: likewise */
#define PROC_PSINFO 0
#endif

/* Signals by pidfd (target.h); without, as on kernels before 5.3.  100 bytes. */
#ifndef USE_PIDFD
#define USE_PIDFD 1
#endif

/*
 * Features that can be left out, each by a variable of make, which also leaves
 * their files out: make UPGRADE=no CHECK=no JSON=no UPSSCHED=no IPV6=no
 * SECCOMP=no SUPERVISOR=no.  SMALLEST=1 is UPGRADE, CHECK, JSON and SUPERVISOR.
 * What each adds to the static binary, on x86_64 and mipsel:
 */
#ifndef WITH_UPGRADE	/* 6.0 and 8.3 KB.  -c upgrade, and USR2 */
#define WITH_UPGRADE 1
#endif
#ifndef WITH_CHECK	/* 3.5 and 4.0 KB.  -t; errors in the file are found at the start all the same */
#define WITH_CHECK 1
#endif
#ifndef WITH_JSON	/* 1.4 and 1.4 KB.  -c status -j */
#define WITH_JSON 1
#endif
#ifndef WITH_UPSSCHED	/* 6.8 and 7.6 KB.  upssched's timers (UPSSCHED file) */
#define WITH_UPSSCHED 1
#endif
/*
 * TLS, which is not there unless asked for: make TLS=mbedtls (the README has what
 * it adds).  It comes with the library and src/tls.
 */
#ifndef WITH_TLS
#define WITH_TLS 0
#endif
/*
 * A static mbedTLS takes all its memory from a pool, which grows with the number
 * of MONITOR lines and the length of CERTPATH, up to TLS_POOL: what is not
 * needed of that costs address space, not memory.  A connection takes 25 KiB
 * at its peak.
 */
#ifndef TLS_POOL_ONCE
#define TLS_POOL_ONCE ((size_t)24 * 1024)
#endif
#ifndef TLS_POOL_EACH
#define TLS_POOL_EACH ((size_t)26 * 1024)
#endif
#ifndef TLS_POOL
#define TLS_POOL (UPS_MAX * TLS_POOL_EACH + (size_t)96 * 1024)
#endif
#ifndef WITH_IPV6	/* 0.3 and 0.4 KB, and more with a libc that has none either */
#define WITH_IPV6 1
#endif
#ifndef WITH_SUPERVISOR	/* 1.0 and 1.2 KB.  NOTIFY_SOCKET and NUTLET_READY_FD; busybox's init has neither */
#define WITH_SUPERVISOR 1
#endif
#ifndef WITH_SECCOMP	/* 0.6 and 0.7 KB.  A filter for each of the two processes (confine.h) */
#define WITH_SECCOMP 1
#endif

/*
 * No clock that is right stands before this: with TLS, the dates of certificates
 * are not looked at until then.  Seconds since 1970; of the release.
 */
#ifndef NUTLET_DATE
#define NUTLET_DATE 1795651200 /* 2026-11-26 */
#endif

/* Compiled-in places; the environment overrides the first three. */
#ifndef CONF_DIR
#define CONF_DIR "/etc/nut"
#endif
#ifndef PID_DIR
#define PID_DIR "/run/nut"
#endif
#ifndef ALT_PID_DIR
#define ALT_PID_DIR "/run/nut"
#endif
/*
 * Without RUN_AS_USER and -u, the first of these that exists: whom the packages
 * of NUT have made on Debian, OpenWrt and others, and whose files those are.
 */
#ifndef DEFAULT_USERS
#define DEFAULT_USERS "nut nutmon ups nobody"
#endif
#ifndef SHELL_PATH
#define SHELL_PATH "/bin/sh"
#endif

#define PROGRAM_NAME "upsmon"
#ifndef NUTLET_VERSION
#define NUTLET_VERSION "0.1.0"
#endif

#endif
