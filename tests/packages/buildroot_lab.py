"""The external tree of board/buildroot/ without Buildroot: its menu is read by kconfiglib, and its
commands are run by the stand-in makefile beside this file."""

import os
import pathlib
import subprocess

import kconfiglib

from lab.board import TOP

TREE = TOP / "board" / "buildroot"
PACKAGE = TREE / "package" / "nutlet"
HERE = pathlib.Path(__file__).resolve().parent
MIPSEL = TOP / "build" / "toolchain" / "mipsel"

# option of the menu -> variable of the Makefile that leaves it out
OPTIONS = {"CHECK": "CHECK=no", "JSON": "JSON=no", "UPGRADE": "UPGRADE=no",
           "UPSSCHED": "UPSSCHED=no", "IPV6": "IPV6=no", "SECCOMP": "SECCOMP=no",
           "SUPERVISOR": "SUPERVISOR=no"}


def menu():
    """The menu as Buildroot has it; symbols have no CONFIG_ in front."""
    os.environ["BR2_EXTERNAL_NUTLET_PATH"] = str(TREE)
    os.environ["CONFIG_"] = ""
    return kconfiglib.Kconfig(str(HERE / "buildroot_standin.Config.in"), warn_to_stderr=False)


class Buildroot:
    """An output folder of the stand-in.  off: options that are switched off; more: symbols that
    are switched on."""

    def __init__(self, out, off=(), more=(), cc=None, strip=None, cflags=None):
        self.out = pathlib.Path(out)
        self.target = self.out / "target"
        self.out.mkdir(parents=True, exist_ok=True)
        symbols = menu()
        for name in ("BR2_PACKAGE_NUTLET", *more):
            assert symbols.syms[name].set_value("y"), name
        for name in off:
            assert symbols.syms[f"BR2_PACKAGE_NUTLET_{name}"].set_value("n"), name
        symbols.write_config(str(self.out / ".config"))
        assert not symbols.warnings, symbols.warnings
        self.variables = [f"O={self.out}", f"BR2_EXTERNAL_NUTLET_PATH={TREE}",
                          f"TARGET_CC={cc or 'gcc'}"]
        if strip:
            self.variables.append(f"TARGET_STRIP={strip}")
        if cflags:
            self.variables.append(f"TARGET_CFLAGS={cflags}")

    def make(self, *goals):
        # what the make that runs the tests has exported is not Buildroot's
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        done = subprocess.run(["make", "--no-print-directory", "-f",
                               str(HERE / "buildroot_standin.mk"), *self.variables, *goals],
                              env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def build(self):
        """Builds and installs, and sets permissions as Buildroot does in fakeroot."""
        self.make()
        self.set_permissions(self.target)
        return self

    def set_permissions(self, tree):
        for name, kind, mode, *_ in self.table("permissions"):
            file = tree / name.lstrip("/")
            assert kind == "F"
            if file.exists():
                file.chmod(int(mode, 8))

    def table(self, name):
        """Lines of the users or of the permissions, split into fields."""
        return [line.split() for line in (self.out / name).read_text().splitlines()
                if line.strip()]

    def files(self):
        """path -> mode of each file of the target folder."""
        return {str(path.relative_to(self.target)): path.stat().st_mode & 0o7777
                for path in self.target.rglob("*") if path.is_file()}

    def passwd(self):
        """What Buildroot makes of the users table: an account that nobody can log in to."""
        lines = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/home:/bin/false"]
        for user, uid, _, _, _, home, shell, *_ in self.table("users"):
            assert (uid, home, shell) == ("-1", "-", "-")
            lines.append(f"{user}:x:100:100::/:/bin/false")
        return "\n".join(lines) + "\n"


def mipsel(out, **options):
    """For the board: with the repository's own uClibc-ng toolchain, stripped as Buildroot does."""
    more = [*options.pop("more", []), "BR2_STATIC_LIBS", "BR2_TOOLCHAIN_USES_UCLIBC"]
    return Buildroot(out, cc=MIPSEL / "cc", strip=MIPSEL / "strip", more=more, **options)
