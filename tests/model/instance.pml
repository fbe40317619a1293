/* SPDX-License-Identifier: ISC */
/*
 * Which process is upsmon?  A model of src/identity: lock.c, instance.c and
 * target.c for SPIN, in which everything happens in every order:
 *
 *   three processes start, run, stop and are upgraded; each may be killed
 *   between any two of its steps; its number then goes to whoever comes next: a
 *   stranger, an upsmon of elsewhere, or the next start itself; somebody plants
 *   a lock file, somebody renames one; and `upsmon -c stop` is under way.
 *
 * Proved, for the numbers of processes, numbers and events given here:
 *
 *   one     never two owners, unless a lock was removed from under its holder;
 *           and then not for long
 *   aim     a signal reaches nobody but a process that holds or held the lock
 *   start   when all is quiet and nobody runs, a start succeeds, whatever was
 *           left behind
 *   keep    an upgrade ends as the owner; who stops removes no other's pidfile
 *
 * Each guard of the program is a switch, on unless it is taken out by
 * -DNO_<GUARD>, and each of them that is taken out must make the proof fail:
 * test_model.py does both.  The line of the source that a step models stands behind
 * it as  //: file: text ; test_model.py looks whether it still stands there.
 */

#ifndef LIVES
#define LIVES 4		/* starts, among three processes */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef UPGRADES
#define UPGRADES 1
#endif
#ifndef STRANGERS
#define STRANGERS 1
#endif
#ifndef PLANTS
#define PLANTS 1	/* a foreign file gets the lock's name while nobody holds it */
#endif
#ifndef RENAMES
#define RENAMES 0	/* a lock loses its name although it is held */
#endif
#ifndef SIGNALS
#define SIGNALS 0	/* upsmon -c stop */
#endif
#ifndef LEFTOVERS
#define LEFTOVERS 1	/* an earlier power cut has left files */
#endif

#ifndef PIDS
#define PIDS 3		/* numbers that the kernel has to give; scarce, so that they come back */
#endif
#define INODES 6

mtype = {
	NOBODY,
	UPSMON,		/* of this directory */
	ELSEWHERE,	/* a nutlet of another directory */
	NAMESAKE,	/* called upsmon, and nothing more can be told of it */
	STRANGER
};

/* the kernel: who has a number, and who he is */
mtype who[PIDS + 1] = NOBODY;
byte birth[PIDS + 1];		/* start time; a pidfd is one, too */
bool renamed[PIDS + 1];		/* in the midst of an exec it is called like its file */
bool held[PIDS + 1];		/* it has, or had, the lock */
byte kill9;			/* the number that kill -9 goes to */
byte owns[PIDS + 1];		/* the inode of an owner's lock, for lockless.c */

/* the directory */
byte turn;			/* who has the directory's flock */
byte name;			/* the inode called upsmon.lock; 0: none */
byte inodes;			/* how many there were */
bool planted[INODES + 1];
byte holder[INODES + 1];	/* by fcntl; 0: nobody */
byte note[INODES + 1];		/* the lock's text: a number ... */
byte note_file[INODES + 1];	/* ... and which pidfile it was written to */
byte pidfile;			/* 0: none */
byte pidfile_id;
byte pidfile_next = 1;
bool pidfile_foreign;		/* NUT's upsmon wrote it */

/* what may still happen */
byte lives = LIVES, crashes = CRASHES, stops = STOPS, upgrades = UPGRADES;
byte strangers = STRANGERS, plants = PLANTS, renames = RENAMES, signals = SIGNALS;

byte owners;
bool disturbed;			/* a lock lost its name while it was held */

inline fork(p, kind)
{
	/* the kernel gives any number that is free */
	if
	:: who[1] == NOBODY -> p = 1
	:: who[2] == NOBODY -> p = 2
#if PIDS > 2
	:: who[3] == NOBODY -> p = 3
#endif
#if PIDS > 3
	:: who[4] == NOBODY -> p = 4
#endif
	fi;
	who[p] = kind;
	/* only a client asks */
	birth[p] = birth[p] + (SIGNALS > 0 -> 1 : 0);
	held[p] = false;
	renamed[p] = false;
	owns[p] = 0
}

/* exit and kill -9 alike: the kernel drops the locks */
inline gone(p)
{
	i = 1;
	do
	:: i <= INODES -> if :: holder[i] == p -> holder[i] = 0 :: else fi; i++
	:: else -> break
	od;
	i = 0;
	if :: turn == p -> turn = 0 :: else fi;
	owners = owners - (owns[p] > 0 -> 1 : 0);
	owns[p] = 0;
	who[p] = NOBODY
}

inline new_inode(bad)
{
	inodes++;
	assert(inodes <= INODES);
	name = inodes;
	planted[name] = bad
}

/* lock_take(): result is the inode, or 0 if somebody else has the lock */
inline take(p, fd)
{
#ifndef NO_TURNS
	atomic { turn == 0 -> turn = p };	//: rundir.c: while (flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
#endif
	do
	:: d_step {				//: lock.c: int fd = openat(d->fd, LOCK_FILE, O_RDWR | O_CREAT
		if :: name == 0 -> new_inode(false) :: else fi;
		fd = name
	   };
	   if
	   :: planted[fd] ->			//: lock.c: fd >= 0 && fstat(fd, &st) == 0 && is_ours(&st)
#ifdef NO_HEALING
		fd = 0;
		break
#else
		name = 0			//: lock.c: if (rundir_clear(d, LOCK_FILE))
#endif
	   :: else ->
		if
#ifdef NO_LOCK
		:: true -> held[p] = (SIGNALS > 0)
#else
		:: d_step { holder[fd] == 0 || holder[fd] == p -> holder[fd] = p; held[p] = (SIGNALS > 0) }	//: lock.c: return file_lock(fd, F_WRLCK);
		:: holder[fd] != 0 && holder[fd] != p -> fd = 0; break	//: lock.c: if (*holder >= 0) {
#endif
		fi;
#ifdef NO_NAMED
		break
#else
		if
		:: name == fd -> break		//: lock.c: if (lock_is_named(d, fd))
		:: else -> holder[fd] = 0
		fi
#endif
	   fi
	od;
	if :: turn == p -> turn = 0 :: else fi	//: lock.c: rundir_leave(d);
}

/* judge_pidfile(): may the holder of the lock `fd` start? */
inline judge(p, fd, ok)
{
	d_step {				//: instance.c: v->pid = read_pidfile(in, &st);
		ok = true;
		if
		:: pidfile == 0 -> skip
		:: pidfile == p -> skip		//: instance.c: if (is_self(in, v->pid, starting)) {
		:: else ->
			if
			:: who[pidfile] == NOBODY -> skip	//: instance.c: case PROC_GONE:
#ifndef NO_NAME
			:: who[pidfile] == STRANGER -> skip	//: instance.c: case PROC_MISMATCH:
#endif
#ifndef NO_NOTE
			:: who[pidfile] != NOBODY && note[fd] == pidfile && note_file[fd] == pidfile_id -> skip	//: instance.c: !is_noted(note, v->pid, &st) && by_name_may_be(
#endif
#ifndef NO_LOCKLESS
			:: who[pidfile] == ELSEWHERE -> skip	//: by_name.c: return lock == LOCK_SPOILT;
			:: who[pidfile] == UPSMON && owns[pidfile] == 0 -> skip	//: by_name.c: same_thing(l->root, pid, "exe", false)
#endif
			:: else -> ok = false
			fi
		fi
	}
}

/*
 * instance_write_pid().  A stale pidfile goes first: with the note of another
 * one beside it, it would be judged by the name of whoever has its number now.
 */
inline write_pid(p, fd)
{
#ifndef NO_CLEARING
	pidfile = 0;			//: instance.c: rundir_remove(&in->dir, PID_FILE);
#endif
	d_step { note[fd] = p; note_file[fd] = pidfile_next };		//: instance.c: if (!write_note(in->lock, getpid(), st)) {
	d_step {							//: instance.c: in->pid_written = rundir_commit(&in->dir, PID_FILE);
		pidfile = p;
		pidfile_id = pidfile_next;
		pidfile_next++;
		pidfile_foreign = false
	}
}

/* lock_retake(): changes nothing while it is held */
inline retake(p, fd, ok)
{
#ifdef NO_RETAKE
	ok = true
#else
	d_step {				//: lock.c: return file_lock(fd, F_WRLCK);
		ok = (holder[fd] == 0 || holder[fd] == p);
		if :: ok -> holder[fd] = p :: else fi
	}
#endif
}

inline own(p, fd)
{
	d_step {
		owns[p] = fd;
		owners++;
		assert(owners == 1 || disturbed)
	}
}

inline disown(p)
{
	d_step { owns[p] = 0; owners-- }
}

proctype Daemon()
{
	byte p, fd, fresh, i;
	bool ok;

	do
	:: atomic { lives > 0 -> lives--; fork(p, UPSMON) };
	   {
		take(p, fd);
		if :: fd == 0 -> goto leave :: else fi;
		judge(p, fd, ok);
		if :: !ok -> goto leave :: else -> ok = false fi;	//: instance.c: if (v->kind != VERDICT_RUNNING_NAME)
		own(p, fd);
		write_pid(p, fd);
running:	do
#ifdef NO_RETAKE
		:: name != fd ->
#else
		:: name != fd || holder[fd] != p ->	//: guard.c: switch (instance_check(&self.instance, &v, text, sizeof(text))) {
#endif
#ifdef NO_CHECK
			false
#else
			retake(p, fd, ok);		//: instance.c: if (!lock_retake(in->lock)) {
			if :: !ok -> disown(p); goto leave :: else -> ok = false fi;
			if :: name == fd -> goto running :: else fi;
			/* the old one goes when the new one is there */
			take(p, fresh);			//: instance.c: fresh.lock = lock_take(&fresh.dir, &holder);
			if
			:: fresh == 0 ->		//: guard.c: case CLAIM_LOST:
				disown(p);
				goto leave
			:: else ->
				/* a close drops the lock, even if it is the same file by now */
				d_step { holder[fd] = 0; fd = fresh; owns[p] = fd; fresh = 0 };
				retake(p, fd, ok);	//: instance.c: if (lock_retake(in->lock))
				if :: !ok -> disown(p); goto leave :: else -> ok = false fi;
				write_pid(p, fd)
			fi
#endif
		:: atomic { upgrades > 0 -> upgrades-- };
			d_step {			//: upgrade.c: execv(self.setup.program, self.setup.argv);
				renamed[p] = true;
#ifdef NO_KEEPING
				holder[fd] = 0
#else
				skip			//: upgrade.c: fcntl(handover.lock, F_SETFD, keep ? 0 : FD_CLOEXEC);
#endif
			};
			d_step {			//: instance.c: if (fcntl(lock, F_SETFD, FD_CLOEXEC) < 0 || !lock_retake(lock))
				renamed[p] = false;	//: main.c: prctl(PR_SET_NAME, PROGRAM_NAME);
				assert(holder[fd] == p || disturbed)
			}
		:: atomic { stops > 0 -> stops-- };
			break
		od;
#ifdef NO_ORDER
		skip;	/* the lock first */
		d_step { holder[fd] = 0; owns[p] = 0; owners-- };
#endif
		if
		:: pidfile == p ->			//: instance.c: if (in->pid_written && read_pidfile(in, &st) == getpid())
			d_step { assert(pidfile == p || disturbed); pidfile = 0 }	//: instance.c: rundir_remove(&in->dir, PID_FILE);
		:: else
		fi;
#ifndef NO_ORDER
		disown(p);
#endif
leave:		skip
	   } unless { atomic { kill9 == p && p != 0 -> kill9 = 0 } };
	   d_step { gone(p); p = 0; fd = 0; fresh = 0; ok = false }
	:: lives == 0 -> break
	od
}

/* SIGKILL comes between any two steps of anybody. */
proctype Killer()
{
	byte p;

	do
	:: atomic {
		crashes > 0 && kill9 == 0 ->
		if
		:: who[1] == UPSMON -> p = 1
		:: who[2] == UPSMON -> p = 2
#if PIDS > 2
		:: who[3] == UPSMON -> p = 3
#endif
#if PIDS > 3
		:: who[4] == UPSMON -> p = 4
#endif
		fi;
		crashes--;
		kill9 = p;
		p = 0
	   }
	:: crashes == 0 -> break
	od
}

/* Somebody else gets a number; he stays until the end, or leaves. */
proctype Strangers()
{
	byte p, i;

	do
	:: atomic {
		strangers > 0 ->
		strangers--;
		if
		:: fork(p, STRANGER)
		:: fork(p, ELSEWHERE)
		:: fork(p, NAMESAKE)
		fi
	   };
	   if
	   :: d_step { gone(p) }
	   /* some tool that locks whatever it finds */
	   :: d_step { who[p] == STRANGER && name != 0 && holder[name] == 0 -> holder[name] = p };
	      d_step { gone(p) }
	   :: strangers == 0 -> break
	   fi
	:: strangers == 0 -> break
	od
}

/* The directory may belong to an enemy. */
proctype Enemy()
{
	byte away;	/* a lock that he has renamed, and may give its name back */

	do
	:: d_step {
		plants > 0 && (name == 0 || holder[name] == 0) ->
		plants--;
		new_inode(true)
	   }
	:: d_step {
		renames > 0 && name != 0 && !planted[name] ->
		renames--;
		disturbed = true;
		away = name;
		name = 0
	   }
	:: d_step { away != 0 -> name = away; away = 0 }
	:: plants == 0 && renames == 0 -> break
	od
}

/* upsmon -c stop: target_find(), target_signal() */
proctype Client()
{
	byte p, look;
	byte born;

	do
	:: atomic { signals > 0 -> signals-- };
	   if
	   :: d_step { name != 0 && !planted[name] && holder[name] != 0 -> p = holder[name] };	//: target.c: t->pid = lock_holder(&in->dir, t->lock);
#ifndef NO_PIDFD
	      born = birth[p];			//: target.c: t->pidfd = open_pidfd(t->pid);
#endif
#ifndef NO_SECOND
	      if				//: target.c: if (!prove_name(t))
	      :: who[p] != NOBODY && who[p] != STRANGER && !renamed[p]
	      :: else -> break
	      fi;
#endif
#ifndef NO_AGAIN
	      if				//: target.c: if (lock_holder(&in->dir, t->lock) == t->pid)
	      :: d_step { name != 0 && holder[name] == p -> skip }
	      :: else -> break
	      fi;
#endif
	      d_step {				//: target.c: return syscall(SYS_pidfd_send_signal, t->pidfd, sig, NULL, 0) == 0;
		if
#ifndef NO_PIDFD
		:: birth[p] != born
#endif
		:: who[p] == NOBODY
		:: else -> assert(who[p] == UPSMON && held[p])
		fi
	      };
	      look = 0; p = 0; born = 0
	   :: else
	   fi
	:: signals == 0 -> break
	od
}

/* When nothing more happens: at most one runs, and if none does a start succeeds. */
proctype Last()
{
	byte p, fd, i;
	bool ok;

	timeout;
	/* nobody waits for one who is gone */
	assert(turn == 0);
	assert(owners <= 1);
	if
	:: owners == 0 ->
		atomic { fork(p, UPSMON) };
		take(p, fd);
		assert(fd != 0);
		judge(p, fd, ok);
		/* unless one that may be NUT's upsmon has the number in a file of NUT's */
		assert(ok || (pidfile_foreign && who[pidfile] == NAMESAKE))
	:: else
	fi
}

init
{
	atomic {
		/* what a power cut has left: nothing, our files, NUT's, or halves of ours */
		if
		:: skip
#if LEFTOVERS
		:: new_inode(false)
		:: new_inode(false); note[1] = 1; note_file[1] = 1; pidfile = 1; pidfile_id = 1; pidfile_next = 2
		:: new_inode(false); note[1] = 2; note_file[1] = 2; pidfile_next = 3
		:: pidfile = 1; pidfile_id = 1; pidfile_next = 2; pidfile_foreign = true
#endif
		fi;
		run Daemon();
		run Daemon();
#if LIVES > 2
		run Daemon();
#endif
		if :: CRASHES > 0 -> run Killer() :: else fi;
		if :: STRANGERS > 0 -> run Strangers() :: else fi;
		if :: PLANTS + RENAMES > 0 -> run Enemy() :: else fi;
		if :: SIGNALS > 0 -> run Client() :: else fi;
		run Last()
	}
}
