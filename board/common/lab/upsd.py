"""A real upsd with dummy-ups drivers, on a free port of loopback."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

DRIVER = "/lib/nut/dummy-ups"
# /usr/sbin/upsd is a wrapper of Debian's, which wants /etc/nut/nut.conf
UPSD = "/lib/nut/upsd"

PRIMARY = ("monuser", "secret")
SECONDARY = ("monuser2", "secret2")
ADMIN = ("admin", "admin-secret")


def held_port():
    """A free port of loopback, and the socket that keeps it: while it is open, nobody else is
    given the port, and a server that sets SO_REUSEADDR may listen there all the same."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    # not before: of two who are ready to share, both may be given the same port
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s.getsockname()[1], s


def wait_for(what, condition, seconds=30.0, step=0.05):
    """Waits until condition() is true and returns what it gave.

    The time is for a machine that is busy with other things; what is promised within a time has
    its own.
    """
    until = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > until:
            raise TimeoutError(f"after {seconds} s still not: {what}")
        time.sleep(step)


def clean_up_when_ended():
    """Makes TERM and HUP an exception, so that what was started is ended, too."""
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda number, _: sys.exit(128 + number))


def end_process(process, seconds=3):
    """Ends a child of ours: asks first, then insists."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


class Upsd:
    """ups: the names of the UPSes; each starts on line with a full battery."""

    def __init__(self, directory, ups=("ups",), users="", listen="127.0.0.1", port=None):
        self.dir = pathlib.Path(directory)
        self.names = list(ups)
        self.address = listen
        self.reached_at = "127.0.0.1" if listen == "0.0.0.0" else listen
        # also while it is stopped: others look for ports at the same time
        self.port, self.held = (port, None) if port else held_port()
        self.extra_users = users
        self.drivers = {}
        self.server = None
        self.log = None
        self._write_files()

    # -- files ---------------------------------------------------------------

    def _write_files(self):
        for sub in ("etc", "state"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
            # upsd refuses a state directory that others may read
            (self.dir / sub).chmod(0o700)
        etc = self.dir / "etc"
        sections = []
        for name in self.names:
            sections.append(
                f'[{name}]\n driver = dummy-ups\n pollinterval = 1\n port = {name}.dev\n desc = "lab"\n')
            (etc / f"{name}.dev").write_text(
                "ups.status: OL\nbattery.charge: 100\nbattery.runtime: 3600\n")
        (etc / "ups.conf").write_text("maxretry = 1\n" + "".join(sections))
        self._write_upsd_conf()
        (etc / "upsd.users").write_text(
            f"[{ADMIN[0]}]\n password = {ADMIN[1]}\n actions = SET\n actions = FSD\n"
            " instcmds = ALL\n"
            f"[{PRIMARY[0]}]\n password = {PRIMARY[1]}\n upsmon primary\n"
            f"[{SECONDARY[0]}]\n password = {SECONDARY[1]}\n upsmon secondary\n"
            + self.extra_users)
        for file in etc.iterdir():
            file.chmod(0o600)

    def _write_upsd_conf(self, max_age=15):
        (self.dir / "etc" / "upsd.conf").write_text(
            f"LISTEN {self.address} {self.port}\nMAXAGE {max_age}\n")

    def _environment(self):
        return dict(os.environ, NUT_CONFPATH=str(self.dir / "etc"),
                    NUT_STATEPATH=str(self.dir / "state"),
                    NUT_ALTPIDPATH=str(self.dir / "state"),
                    NUT_PIDPATH=str(self.dir / "state"))

    def _spawn(self, *command):
        if os.geteuid() == 0:
            command += ("-u", "root")
        if self.log is None:
            self.log = open(self.dir / "log", "ab")
        return subprocess.Popen(command, env=self._environment(), stdin=subprocess.DEVNULL,
                                stdout=self.log, stderr=self.log)

    # -- life ----------------------------------------------------------------

    def start(self):
        for name in self.names:
            self.start_driver(name)
        self.start_server()
        for name in self.names:
            wait_for(f"{name} on line", lambda n=name: self.status(n) == "OL")
        return self

    def start_driver(self, name):
        self.drivers[name] = self._spawn(DRIVER, "-a", name, "-F")

    def stop_driver(self, name):
        end_process(self.drivers.pop(name))

    def start_server(self):
        self.server = self._spawn(UPSD, "-F")
        wait_for("upsd listens", self._listens)

    def stop_server(self):
        end_process(self.server)
        self.server = None

    def stop(self):
        self.stop_server()
        for name in list(self.drivers):
            self.stop_driver(name)
        if self.log:
            self.log.close()
            self.log = None
        if self.held:
            self.held.close()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def _listens(self):
        try:
            socket.create_connection((self.reached_at, self.port), 5).close()
            return True
        except OSError:
            return False

    # -- the protocol --------------------------------------------------------

    def ask(self, *lines, user=None):
        """Sends lines, returns the replies: a list, one reply each."""
        replies = []
        with socket.create_connection((self.reached_at, self.port), 20) as s:
            f = s.makefile("rw", newline="\n")
            login = [f"USERNAME {user[0]}", f"PASSWORD {user[1]}"] if user else []
            for line in login + list(lines):
                f.write(line + "\n")
                f.flush()
                replies.append(f.readline().rstrip("\n"))
        return replies[len(login):]

    def status(self, name="ups"):
        reply = self.ask(f"GET VAR {name} ups.status")[0]
        return reply.split('"')[1] if '"' in reply else reply

    def login_history(self):
        """By the server's log: how many logins and logouts there were, and the fewest at once
        after the first."""
        logins, logouts, fewest = 0, 0, None
        for line in (self.dir / "log").read_text(errors="replace").splitlines():
            if "logged into UPS" in line:
                logins += 1
            elif "logged out from UPS" in line:
                logouts += 1
                fewest = min(logins - logouts, logins if fewest is None else fewest)
        return logins, logouts, logins if fewest is None else fewest

    def logins(self, name="ups"):
        reply = self.ask(f"GET NUMLOGINS {name}")[0].split()
        return int(reply[2]) if reply[0] == "NUMLOGINS" else None

    def set(self, variable, value, name="ups"):
        """Sets a variable of the dummy and waits until the server shows it."""
        reply = self.ask(f'SET VAR {name} {variable} "{value}"', user=ADMIN)[0]
        if not reply.startswith("OK"):
            raise RuntimeError(f"SET VAR {variable}: {reply}")
        # FSD, once set, stays in front of whatever the driver says
        wait_for(f"{variable} is {value}",
                 lambda: value in self.ask(f"GET VAR {name} {variable}")[0])

    def set_status(self, status, name="ups"):
        self.set("ups.status", status, name)
