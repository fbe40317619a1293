"""make install INIT=...: what lies where, and what a second install leaves alone."""

import subprocess

import pytest

from init_machine import TOP, make_install

PLACES = {
    "systemd": "usr/local/lib/systemd/system/nut-monitor.service",
    "s6": "conf/s6/sv/upsmon/run",
    "runit": "conf/sv/upsmon/run",
    "openrc": "conf/init.d/upsmon",
    "busybox": "conf/init.d/S60upsmon",
    "sysv": "conf/init.d/upsmon",
}


def install(tmp_path, init):
    """Not through the whole make install: only what INIT adds."""
    return subprocess.run(["make", "-s", "install-init", f"INIT={init}", f"DESTDIR={tmp_path}",
                           "PREFIX=/usr/local", "SYSCONFDIR=/conf"], cwd=TOP, text=True,
                          capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("init", list(PLACES))
def test_places_are_written_into_the_files(tmp_path, init):
    result = install(tmp_path, init)
    assert result.returncode == 0, result.stderr
    file = tmp_path / PLACES[init]
    text = file.read_text()
    assert "/usr/local/sbin/upsmon" in text
    for other in [path for path in tmp_path.rglob("*") if path.is_file()]:
        text = other.read_text()
        assert "/usr/sbin/upsmon" not in text
        assert "/etc/default/" not in text and "/etc/init.d/S" not in text
        # a script stays one, and nothing else becomes one
        assert bool(other.stat().st_mode & 0o111) == text.startswith("#!")
    assert "start it: " in result.stdout


def test_an_unknown_init_is_refused(tmp_path):
    for init in ("upstart", "", "systemd s6"):
        result = install(tmp_path / "dest", init)
        assert result.returncode != 0
        assert f"INIT={init}: there is systemd, s6, runit, openrc, busybox and sysv" in \
            result.stderr
    assert not (tmp_path / "dest").exists()


@pytest.mark.parametrize("init, settings", [("openrc", "conf/conf.d/upsmon"),
                                            ("runit", "conf/sv/upsmon/conf")])
def test_settings_are_the_machines_own(tmp_path, init, settings):
    assert install(tmp_path, init).returncode == 0
    (tmp_path / settings).write_text("mine\n")
    (tmp_path / PLACES[init]).write_text("old\n")
    assert install(tmp_path, init).returncode == 0
    assert (tmp_path / settings).read_text() == "mine\n"
    assert (tmp_path / PLACES[init]).read_text() != "old\n"


def test_inittab_gets_its_line_once(tmp_path):
    inittab = tmp_path / "conf" / "inittab"
    assert "respawn:/conf/init.d/S60upsmon supervise" in install(tmp_path, "busybox").stdout
    assert not inittab.exists()
    inittab.write_text("::sysinit:/conf/init.d/rcS")    # its end is missing
    for _ in range(2):
        assert install(tmp_path, "busybox").returncode == 0
        lines = inittab.read_text().splitlines()
        assert lines[0] == "::sysinit:/conf/init.d/rcS"
        assert lines.count("::respawn:/conf/init.d/S60upsmon supervise") == 1
    assert sorted(path.name for path in (tmp_path / "conf").iterdir()) == ["init.d", "inittab"]


def test_make_install_brings_it_with_the_program(tmp_path):
    make_install(tmp_path, "sysv")
    assert (tmp_path / "usr/sbin/upsmon").exists()
    assert (tmp_path / "etc/init.d/upsmon").exists()


def test_the_openrc_script_is_sound():
    """It has no #!/bin/sh, by which make lint finds scripts."""
    subprocess.run(["shellcheck", "-s", "sh", "board/init/openrc/upsmon"], cwd=TOP, check=True)
