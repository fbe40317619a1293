"""A program file that is exchanged under a running daemon, as a package manager does it."""

import pathlib
import shutil


class Installed:
    """daemon.binary becomes a copy of the first of these builds, and put() the next in turn.

    Orders are given with a build that is never exchanged: on the disk may lie anything.
    """

    def __init__(self, daemon, builds):
        self.daemon = daemon
        self.builds = [pathlib.Path(build) for build in builds]
        assert self.builds[0].read_bytes() != self.builds[1].read_bytes()
        self.path = daemon.dir / "sbin" / "upsmon"
        self.path.parent.mkdir()
        self.turn = 0
        self._install(lambda fresh: shutil.copy(self.builds[0], fresh))
        daemon.binary = str(self.path)

    def _install(self, write):
        fresh = self.path.with_name("upsmon.new")
        write(fresh)
        fresh.chmod(0o755)
        fresh.rename(self.path)

    def put_next(self):
        """The build that is not there now; returns its path."""
        self.turn += 1
        build = self.builds[self.turn % len(self.builds)]
        self._install(lambda fresh: shutil.copy(build, fresh))
        return build

    def put_back(self):
        """What put_next() had put there, after break_it()."""
        build = self.builds[self.turn % len(self.builds)]
        self._install(lambda fresh: shutil.copy(build, fresh))

    def break_it(self, text):
        """text: what lies there instead; None: nothing."""
        if text is None:
            self.path.unlink()
        else:
            self._install(lambda fresh: fresh.write_text(text))

    def command(self, *args, **options):
        binary, self.daemon.binary = self.daemon.binary, str(self.builds[0])
        try:
            return self.daemon.command(*args, **options)
        finally:
            self.daemon.binary = binary

    def upgrade(self):
        return self.command("-c", "upgrade", timeout=60)


def runs(pid, build):
    """The process runs this file's content, wherever it was copied to."""
    return pathlib.Path(f"/proc/{pid}/exe").read_bytes() == pathlib.Path(build).read_bytes()
