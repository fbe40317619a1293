"""The ways to start upsmon, each as a small adapter with the same words."""

import os

from init_machine import Machine
from lab.upsd import wait_for

SYSLOG = "/var/log/messages"


class Supervisor:
    """What the scenario asks for. `start` may return before upsmon is ready."""

    suite = "trixie"
    init = None             # of `make install INIT=`
    build = "host"
    prefix = "/usr"
    knows_ready = True      # and not only that it has started something
    restarts = True         # what dies, and what could not start
    refuses = False         # `start` itself fails with a broken configuration
    waits = False           # `start` returns when upsmon is ready
    gives_up = False        # where wrong options make every start fail
    power_off = None        # the command of this init
    variant = False         # of another one here: what is the same is not tested again

    def __init__(self, directory):
        self.machine = Machine(directory, self.suite, self.build, self.prefix)
        self.prepare()
        self.machine.install(self.init)
        self.after_install()

    def prepare(self):
        """What the machine has before nutlet is installed."""

    def after_install(self):
        """What its owner changes after that."""

    def boot(self):
        raise NotImplementedError

    def start(self):
        raise NotImplementedError

    def start_command(self):
        """The command that waits, to be run in the background."""
        raise NotImplementedError

    def run(self, *command):
        return self.machine.run(*command)

    def ready(self):
        raise NotImplementedError

    def is_down(self):
        """It says itself that upsmon is down, and that this is as it shall be."""
        raise NotImplementedError

    def reload(self):
        return self.machine.upsmon("-c", "reload")

    def upgrade(self):
        return self.machine.upsmon("-c", "upgrade")

    def stop(self):
        raise NotImplementedError

    def exit_code(self):
        """Of the upsmon that was stopped, where the supervisor can tell."""
        return None

    def log(self):
        return self.machine.read(SYSLOG)

    def end(self):
        self.machine.end()


class Systemd(Supervisor):
    init = "systemd"
    gives_up = True
    power_off = "systemctl poweroff"
    unit = "nut-monitor"
    # what a container needs none of, and would only take time
    masked = ("systemd-firstboot systemd-sysusers console-getty ldconfig systemd-logind "
              "systemd-networkd systemd-network-generator systemd-update-utmp "
              "systemd-journal-catalog-update systemd-update-done systemd-machine-id-commit "
              "systemd-pstore systemd-hwdb-update systemd-udevd getty@tty1").split()

    def prepare(self):
        units = self.machine.layer / "etc" / "systemd" / "system"
        units.mkdir(parents=True)
        for name in self.masked:
            (units / f"{name}.service").symlink_to("/dev/null")
        self.machine.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")

    def boot(self):
        self.machine.boot("/usr/lib/systemd/systemd", "--show-status=0", "--log-target=journal")
        wait_for("the end of the boot", lambda: self.run(
            "systemctl", "is-active", "multi-user.target").returncode == 0)

    def start_command(self):
        return "systemctl", "start", self.unit

    waits = True

    def start(self):
        return self.run(*self.start_command())

    def ready(self):
        return self.show("ActiveState") == "active"

    def is_down(self):
        return self.show("ActiveState") == "inactive" and self.show("Result") == "success"

    def reload(self):
        return self.run("systemctl", "reload", self.unit)

    def stop(self):
        return self.run("systemctl", "stop", self.unit)

    def exit_code(self):
        return int(self.show("ExecMainStatus"))

    def has_given_up(self):
        return self.show("ActiveState") == "failed"

    def show(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, self.unit).stdout.strip()

    def log(self):
        self.run("journalctl", "--sync")    # what is on its way to the journal is in it now
        return self.run("journalctl", "--no-pager", "-q", "-u", self.unit).stdout


class Systemd252(Systemd):
    """Where NUT's own units are, too, as on a Debian with nut-client and nut-server."""
    suite = "bookworm"
    prefix = "/usr/local"

    def prepare(self):
        super().prepare()
        units = "lib/systemd/system"
        for name in "nut-monitor.service nut-server.service nut.target".split():
            for top in ("/usr", "/"):
                if os.path.exists(f"{top}/{units}/{name}"):
                    with open(f"{top}/{units}/{name}", encoding="utf-8") as file:
                        self.machine.write(f"/usr/{units}/{name}", file.read())
                    break


class SystemdHardened(Systemd):
    variant = True

    def after_install(self):
        text = (self.machine.layer / "usr/share/nutlet/systemd/hardened.conf").read_text()
        self.machine.write(f"/etc/systemd/system/{self.unit}.service.d/hardened.conf", text)


class S6(Supervisor):
    init = "s6"
    build = "uclibc"
    gives_up = True
    scan = "/run/service"
    service = "/run/service/upsmon"

    def boot(self):
        self.machine.boot("/bin/sh", "-c", f"mkdir -p {self.scan}; exec s6-svscan {self.scan}")

    def start(self):
        if self.machine.path(self.service).is_dir():
            return self.run("s6-svc", "-u", self.service)
        return self.run("sh", "-c", f"until s6-svscanctl {self.scan}; do sleep 0.1; done; "
                        f"cp -a /etc/s6/sv/upsmon {self.scan}/; s6-svscanctl -a {self.scan}")

    def ready(self):
        return self.run("s6-svstat", "-o", "up,ready", self.service).stdout.split() == \
            ["true", "true"]

    def is_down(self):
        return self.run("s6-svstat", "-o", "up,wantedup", self.service).stdout.split() == \
            ["false", "false"]

    def stop(self):
        return self.run("s6-svc", "-wD", "-d", self.service)

    def exit_code(self):
        return int(self.run("s6-svstat", "-o", "exitcode", self.service).stdout)

    def has_given_up(self):
        return self.is_down()

    def log(self):
        return self.machine.read("/var/log/upsmon/current")


class Runit(Supervisor):
    init = "runit"
    build = "uclibc"
    gives_up = True
    service = "/etc/service/upsmon"

    def boot(self):
        (self.machine.layer / "etc" / "service").mkdir(parents=True, exist_ok=True)
        self.machine.boot("runsvdir", "-P", "/etc/service")

    def start(self):
        if self.machine.path(self.service).is_symlink():
            return self.run("sv", "start", self.service)
        return self.run("ln", "-s", "/etc/sv/upsmon", self.service)

    def ready(self):
        return self.run("sv", "-w", "1", "check", self.service).returncode == 0

    def is_down(self):
        return self.run("sv", "status", self.service).stdout.startswith("down:")

    def has_given_up(self):
        return self.is_down()

    def stop(self):
        return self.run("sv", "-w", "30", "stop", self.service)

    def log(self):
        return self.machine.read("/var/log/upsmon/current")


class OpenRC(Supervisor):
    init = "openrc"
    power_off = "openrc-shutdown --poweroff now"
    refuses = True
    waits = True

    def prepare(self):
        for name in "sysinit boot default shutdown nonetwork".split():
            (self.machine.layer / "etc" / "runlevels" / name).mkdir(parents=True)

    def boot(self):
        self.machine.boot("/sbin/openrc-init")
        self.run("sh", "-c", f"syslogd -O {SYSLOG}; "
                 "until [ \"$(cat /run/openrc/softlevel)\" = default ]; do sleep 0.1; done")

    def start_command(self):
        return "rc-service", "upsmon", "start"

    def start(self):
        return self.run(*self.start_command())

    def ready(self):
        return self.run("rc-service", "upsmon", "status").returncode == 0

    def is_down(self):
        return self.run("rc-service", "upsmon", "status").returncode == 3

    def reload(self):
        return self.run("rc-service", "upsmon", "reload")

    def upgrade(self):
        return self.run("rc-service", "upsmon", "upgrade")

    def stop(self):
        return self.run("rc-service", "upsmon", "stop")


class Script(Supervisor):
    """One that is a script with the words of the LSB."""

    def ready(self):
        return self.run(self.script, "status").returncode == 0

    def is_down(self):
        return self.run(self.script, "status").returncode == 3

    def reload(self):
        return self.run(self.script, "reload")

    def stop(self):
        return self.run(self.script, "stop")


class Busybox(Script):
    init = "busybox"
    power_off = "poweroff"
    build = "uclibc"
    knows_ready = False
    script = "/etc/init.d/S60upsmon"

    def prepare(self):
        self.machine.write("/etc/inittab", "::sysinit:/etc/init.d/rcS\n")
        self.machine.write("/etc/init.d/rcS", f"#!/bin/sh\nsyslogd -O {SYSLOG}\n: >/run/rcS\n",
                           0o755)

    def after_install(self):
        """Not at the boot: there is no configuration yet."""
        self.inittab = self.machine.read("/etc/inittab")
        self.machine.write("/etc/inittab", self.inittab.split("#")[0])

    def boot(self):
        self.machine.boot("/sbin/init")
        self.run("sh", "-c", "until [ -e /run/rcS ]; do sleep 0.1; done")

    def start(self):
        if self.machine.read("/etc/inittab") != self.inittab:
            self.machine.write("/etc/inittab", self.inittab)
            self.run("kill", "-HUP", "1")
        return self.run(self.script, "start")


class Sysv(Script):
    init = "sysv"
    restarts = False
    refuses = True
    waits = True
    script = "/etc/init.d/upsmon"

    def boot(self):
        self.machine.boot("/bin/sh", "-c", f"syslogd -O {SYSLOG}; while :; do sleep 1000; done")

    def start_command(self):
        return self.script, "start"

    def start(self):
        return self.run(self.script, "start")

    def upgrade(self):
        return self.run(self.script, "upgrade")


ALL = {"systemd-252": Systemd252, "systemd-257": Systemd, "systemd-hardened": SystemdHardened,
       "s6": S6, "runit": Runit, "openrc": OpenRC, "busybox": Busybox, "sysv": Sysv}
