"""The external tree of board/buildroot/: the menu, what the package builds and installs, and its
files as they are."""

import hashlib
import itertools
import re
import subprocess

import pytest

from buildroot_lab import OPTIONS, PACKAGE, TREE, Buildroot, menu, mipsel
from lab.board import TOP

UPSMON = TOP / "build" / "host" / "upsmon"
SYMBOL = "BR2_PACKAGE_NUTLET"


def check(conf):
    """upsmon -t of the full build: (exit code, complaints without file and line)."""
    done = subprocess.run([UPSMON, "-t", "-f", conf], capture_output=True, text=True, check=False)
    return done.returncode, re.findall(r"(?:error|warning): .*", done.stderr)


# -- the menu ---------------------------------------------------------------------------------

def test_menu_has_the_options_and_all_are_on():
    symbols = menu()
    assert not symbols.warnings
    symbols.syms[SYMBOL].set_value("y")
    on = {name for name, symbol in symbols.syms.items()
          if name.startswith(SYMBOL) and symbol.str_value == "y"}
    assert on == {SYMBOL} | {f"{SYMBOL}_{name}" for name in OPTIONS}
    for name in on:
        node = symbols.syms[name].nodes[0]
        assert node.prompt and node.help, name


def test_menu_is_not_offered_without_an_mmu():
    symbols = menu()
    symbols.syms["BR2_USE_MMU"].set_value("n")
    symbols.syms[SYMBOL].set_value("y")
    assert symbols.syms[SYMBOL].str_value == "n"


def test_readme_tells_of_each_option():
    readme = (TREE / "README.md").read_text()
    for name, variable in OPTIONS.items():
        assert f"`{variable}`" in readme, name


# -- what is built and installed --------------------------------------------------------------

@pytest.mark.parametrize("off", [off for n in range(len(OPTIONS) + 1)
                                 for off in itertools.combinations(OPTIONS, n)],
                         ids=lambda off: "-".join(off) or "none")
def test_variables_for_make(tmp_path, off):
    shown = Buildroot(tmp_path, off=off).make("show")
    assert sorted(re.findall(r"[A-Z0-9]+=no\b", shown)) == sorted(OPTIONS[name] for name in off)


@pytest.mark.parametrize("more,own", [
    ((), False), (("BR2_STATIC_LIBS",), False), (("BR2_TOOLCHAIN_USES_UCLIBC",), False),
    (("BR2_STATIC_LIBS", "BR2_TOOLCHAIN_USES_UCLIBC"), True)])
def test_small_c_library_where_it_saves_something(tmp_path, more, own):
    assert ("SMALL_LIBC=yes" in Buildroot(tmp_path, more=more).make("show")) == own


def test_takes_the_place_of_the_package_nut(tmp_path):
    assert "DEPENDENCIES=\n" in Buildroot(tmp_path / "alone").make("show")
    assert "DEPENDENCIES=nut\n" in Buildroot(tmp_path / "beside",
                                             more=["BR2_PACKAGE_NUT"]).make("show")


def test_tls_is_mbedtls(tmp_path):
    said = Buildroot(tmp_path / "with", more=["BR2_PACKAGE_NUTLET_TLS"]).make("show")
    assert " TLS=mbedtls\n" in said and "DEPENDENCIES= mbedtls\n" in said
    assert "TLS" not in Buildroot(tmp_path / "without").make("show")
    built = Buildroot(tmp_path / "built", more=["BR2_PACKAGE_NUTLET_TLS"], cflags="-O0").build()
    libraries = subprocess.run(["readelf", "-d", built.target / "usr/sbin/upsmon"], text=True,
                               capture_output=True, check=True).stdout
    assert "libmbedtls.so" in libraries


def users_and_permissions(built):
    user, = built.table("users")
    # name uid group gid password home shell groups comment: nobody can log in
    assert user[:8] == ["nut", "-1", "nut", "-1", "*", "-", "-", "-"] and len(user) > 8
    # name type mode uid gid major minor start inc count
    line, = built.table("permissions")
    assert line == ["/etc/nut/upsmon.conf", "F", "0600", "0", "0", "-", "-", "-", "-", "-"]


def test_installs_what_a_board_needs(tmp_path):
    built = mipsel(tmp_path).build()
    assert built.files() == {"usr/sbin/upsmon": 0o755, "etc/init.d/S60upsmon": 0o755,
                             "etc/nut/upsmon.conf": 0o600}
    users_and_permissions(built)
    kind = subprocess.run(["file", "-b", built.target / "usr/sbin/upsmon"], capture_output=True,
                          text=True, check=True).stdout
    assert "MIPS" in kind and "statically linked" in kind and ", stripped" in kind
    # not the toolchains and images of this repository
    source = next((tmp_path / "build").iterdir())
    assert sorted(path.name for path in (source / "build").iterdir()) == ["host"]
    # as small as what this repository builds itself for that architecture, but for LTO (8 %)
    own = TOP / "build" / "mipsel-uclibc" / "upsmon"
    assert (built.target / "usr/sbin/upsmon").stat().st_size <= own.stat().st_size * 1.09


def test_under_systemd(tmp_path):
    # quick: this is about the file
    built = Buildroot(tmp_path, more=["BR2_INIT_SYSTEMD"], cflags="-O0").build()
    assert built.files() == {"usr/sbin/upsmon": 0o755, "etc/nut/upsmon.conf": 0o600,
                             "usr/lib/systemd/system/upsmon.service": 0o644}
    # no tables for unwinding but those of libc's start files; mipsel has none in any case
    sections = subprocess.run(["size", "-A", built.target / "usr/sbin/upsmon"], text=True,
                              capture_output=True, check=True).stdout
    assert int(re.search(r"^\.eh_frame +(\d+)", sections, re.M).group(1)) < 1000


def test_options_are_the_features_of_the_makefile():
    features = re.search(r"^FEATURES := (.*)$", (TOP / "Makefile").read_text(), re.M).group(1)
    assert sorted(features.split()) == sorted(OPTIONS)


def missing(upsmon, folder):
    """Which options a build lacks, by what it says."""
    conf = folder / "upsmon.conf"
    conf.write_text("SHUTDOWNCMD /bin/true\nUPSSCHED /none\n")
    tries = {"CHECK": ["-t", "-f", "/none"], "JSON": ["-c", "status", "-j"],
             "IPV6": ["-6", "-f", "/none"], "UPSSCHED": ["-F", "-f", conf]}
    said = {name: subprocess.run([upsmon, *words], capture_output=True, text=True, check=False,
                                 env={"NUT_PIDPATH": str(folder)}, timeout=60).stderr
            for name, words in tries.items()}
    lacks = {name for name, text in said.items() if "built without" in text}
    # these are asked of a daemon that runs: here, by what it would log, or look for
    texts = {"UPGRADE": b"rehearsing with", "SECCOMP": b"no seccomp filter",
             "SUPERVISOR": b"NUTLET_READY_FD"}
    program = upsmon.read_bytes()
    return lacks | {name for name, text in texts.items() if text not in program}


@pytest.mark.parametrize("off", [*OPTIONS, "all"])
def test_builds_without(tmp_path, off):
    names = list(OPTIONS) if off == "all" else [off]
    built = Buildroot(tmp_path, off=names, cflags="-O0").build()
    assert missing(built.target / "usr/sbin/upsmon", tmp_path) == set(names)


# -- the files --------------------------------------------------------------------------------

def test_licence_has_the_hash_that_is_noted():
    lines = [line.split("  ") for line in (PACKAGE / "nutlet.hash").read_text().splitlines()
             if not line.startswith("#")]
    assert lines == [["sha256", hashlib.sha256((TOP / "LICENSE").read_bytes()).hexdigest(),
                      "LICENSE"]]


def test_version_is_that_of_the_program():
    version = re.search(r"^NUTLET_VERSION = (.*)$", (PACKAGE / "nutlet.mk").read_text(), re.M)
    said = subprocess.run([UPSMON, "-V"], capture_output=True, text=True, check=True).stdout
    assert version.group(1) in said.split()


def test_example_sets_nothing(tmp_path):
    """What it lacks is named, and nothing else is wrong with it."""
    conf = tmp_path / "upsmon.conf"
    conf.write_text((PACKAGE / "upsmon.conf").read_text())
    conf.chmod(0o600)
    code, said = check(conf)
    assert code == 1 and len(said) == 2
    assert "there is no MONITOR line" in said[0] and "there is no SHUTDOWNCMD" in said[1]


def test_example_is_right_without_its_number_signs(tmp_path):
    text = (PACKAGE / "upsmon.conf").read_text()
    conf = tmp_path / "upsmon.conf"
    # a directive follows # at once, a sentence after a space
    conf.write_text(re.sub(r"^#(?=\S)", "", text, flags=re.M)
                    .replace("/sbin/poweroff", "/bin/true")
                    .replace("/usr/bin/upsmon-notify", "/bin/true"))
    conf.chmod(0o600)
    assert check(conf) == (0, [])


def test_defconfigs():
    files = list((TREE / "configs").glob("*_defconfig"))
    assert files
    known = menu().syms
    for file in files:
        lines = file.read_text().splitlines()
        assert f"{SYMBOL}=y" in lines
        for line in lines:
            name = line.split("=")[0]
            assert not name.startswith(SYMBOL) or name in known, line
            for path in re.findall(r"\$\(BR2_EXTERNAL_NUTLET_PATH\)/([^\" ]+)", line):
                assert (TREE / path).exists(), line


def test_configuration_of_the_board_in_qemu(tmp_path):
    conf = tmp_path / "upsmon.conf"
    conf.write_text((TREE / "qemu-malta/overlay/etc/nut/upsmon.conf").read_text()
                    .replace("/sbin/poweroff", "/bin/true"))
    conf.chmod(0o600)
    assert check(conf) == (0, [])


def test_init_script_is_clean():
    subprocess.run(["shellcheck", PACKAGE / "S60upsmon"], check=True)


def test_unit_is_what_systemd_knows(tmp_path):
    """The program's place is Buildroot's, and not this machine's."""
    unit = tmp_path / "upsmon.service"
    text = (PACKAGE / "upsmon.service").read_text()
    unit.write_text(text.replace("/usr/sbin/upsmon", str(UPSMON)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and str(unit.name) not in done.stderr, done.stderr
