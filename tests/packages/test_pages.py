"""The pages of board/ for people who switch: what they show works as written."""

import os
import re
import subprocess

import pytest

from daemon import BUILD

from lab.board import TOP

PAGES = sorted((TOP / "board").glob("*.md"))


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.M | re.S)


CONFIGURATIONS = [(page.name, i, text) for page in PAGES
                  for i, text in enumerate(blocks(page, "conf"))]


def test_there_are_pages():
    assert {page.name for page in PAGES} >= {"from-nut.md", "from-apcupsd.md",
                                             "secondary-of-a-nas.md"}
    assert len(CONFIGURATIONS) >= 6


@pytest.mark.parametrize("page, i, text", CONFIGURATIONS, ids=lambda value: str(value)[:24])
def test_configurations_are_sound(page, i, text, tmp_path):
    path = tmp_path / "upsmon.conf"
    # the commands are those of the reader's machine; the file is the reader's own
    path.write_text(re.sub(r'"/sbin/[^"]*"|/etc/nut/apccontrol', "/bin/true", text))
    path.chmod(0o600)
    result = subprocess.run([BUILD / "host" / "upsmon", "-t", "-f", path], capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0 and "sound" in result.stdout, result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_script_for_apccontrol(tmp_path):
    script, = blocks(TOP / "board" / "from-apcupsd.md", "sh")
    place = tmp_path / "apcupsd"
    place.mkdir()
    for event in ("onbattery", "offbattery", "doshutdown"):
        (place / event).write_text(f'#!/bin/sh\necho "{event} $1"\n')
        (place / event).chmod(0o755)
    file = tmp_path / "apccontrol"
    file.write_text(script.replace("/etc/apcupsd", str(place)))
    subprocess.run(["shellcheck", file], check=True)

    def said(kind):
        return subprocess.run(["busybox", "sh", file, "message"], check=True, text=True,
                              stdout=subprocess.PIPE,
                              env={**os.environ, "NOTIFYTYPE": kind, "UPSNAME": "ups@x"}).stdout
    assert said("ONBATT") == "onbattery ups@x\n"
    assert said("ONLINE") == "offbattery ups@x\n"
    # no script there, and one that would shut down a second time
    assert said("COMMBAD") == said("SHUTDOWN") == said("REPLBATT") == ""
