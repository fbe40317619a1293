"""The image with TLS in it, on a board in QEMU, against Debian's upsd with NSS."""

import pytest

from certs import Authority
from lab.board import TOP, program, with_tree
from lab.upsd import wait_for
from nss import TlsUpsd
from test_board import protects

@pytest.fixture
def ca(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def upsd(tmp_path, ca):
    cert = ca.cert(tmp_path / "server", san="DNS:upsd")
    with TlsUpsd(tmp_path / "upsd", ca, cert) as server:
        yield server


@pytest.fixture
def boot(name, tmp_path, switch_on):
    """Boots the image with that program, and with this CA to verify upsd by."""
    def with_authority(authority):
        tree = tmp_path / "tree"
        for folder in ("usr/sbin", "etc/nut"):
            (tree / folder).mkdir(parents=True)
        (tree / "usr/sbin/upsmon").write_bytes(program(name, "tls").read_bytes())
        (tree / "usr/sbin/upsmon").chmod(0o755)
        conf = (TOP / "rootfs-overlay/etc/nut/upsmon.conf").read_text()
        (tree / "etc/nut/upsmon.conf").write_text(
            conf + "CERTPATH /etc/nut/ca.pem\nCERTVERIFY 1\nFORCESSL 1\n")
        (tree / "etc/nut/upsmon.conf").chmod(0o600)
        (tree / "etc/nut/ca.pem").write_bytes(authority.path.read_bytes())
        image = with_tree(name, tree, tmp_path / "tls.cpio.gz")
        return switch_on(image=image).boot().shell()

    return with_authority


def test_a_verified_server_from_boot_to_power_off(boot, ca, upsd):
    board = boot(ca)
    wait_for("login", lambda: upsd.logins() == 1, 60)
    said = board.run("upsmon -c status")[1]
    assert "OL" in said and "encrypted and verified" in said and "dates" not in said
    upsd.set_status("OB DISCHRG")
    board.expect("UPS ups@upsd on battery")
    protects(board, upsd)


def test_a_server_of_another_ca_is_not_used(boot, tmp_path, upsd):
    board = boot(Authority(tmp_path / "other"))
    wait_for("the reason", lambda: "is of an unknown CA" in board.run("logread")[1], 60)
    assert upsd.logins() == 0
    assert "communication lost, not logged in" in board.run("upsmon -c status")[1]
