"""The Debian packages as `make deb` builds them, once for all tests of a run."""

import fcntl
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "deb"
ARCHES = ("amd64", "armhf", "arm64")


def version():
    text = (TOP / "src" / "options.h").read_text()
    return text.split('#define NUTLET_VERSION "')[1].split('"')[0]


def build(tmp_path_factory, arch):
    """The package of this architecture, built in this run."""
    # with pytest-xdist, the folder above is the one that all workers share
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):
        shared = shared.parent
    done = shared / f"deb-{arch}"
    with open(shared / f"deb-{arch}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            result = subprocess.run(["make", "deb", f"DEB_ARCH={arch}"], cwd=TOP, check=False,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert result.returncode == 0, result.stdout
            done.touch()
    return OUT / f"nutlet_{version()}_{arch}.deb"


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], check=True, capture_output=True,
                          text=True).stdout.strip()


def unpack(deb, directory):
    subprocess.run(["dpkg-deb", "-R", deb, directory], check=True)
    return pathlib.Path(directory)


def repack(directory, out):
    """From the folder of unpack(); its owners go with it."""
    subprocess.run(["dpkg-deb", "--build", "-Znone", directory, out], check=True,
                   stdout=subprocess.DEVNULL)
    return pathlib.Path(out)


def next_version(deb, directory):
    """The same as a later version: with another program, as its content differs."""
    tree = unpack(deb, directory)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {field(deb, 'Version')}",
                                                   f"Version: {field(deb, 'Version')}+1"))
    with open(tree / "usr/lib/nut/upsmon", "ab") as program:
        # behind its end: the program itself does not see it
        program.write(b"later")
    return repack(tree, pathlib.Path(directory).with_suffix(".deb"))
