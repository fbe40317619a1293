"""The package with TLS: UCI's options become a connection that is encrypted and verified."""

import pytest

from certs import Authority
from lab.upsd import wait_for
from nss import TlsUpsd, database
from openwrt_lab import MONITOR, TIMES, configure, make_ipk, made, options, part
from openwrt_lab import ipk, router, tmp_path  # noqa: F401  fixtures


@pytest.fixture(scope="session")
def ipk():  # noqa: F811
    return make_ipk("nutlet-upsmon-mbedtls")


@pytest.fixture
def ca(tmp_path):  # noqa: F811
    return Authority(tmp_path / "ca")


@pytest.fixture
def upsd(tmp_path, ca):  # noqa: F811
    cert = ca.cert(tmp_path / "server", san="DNS:localhost,IP:127.0.0.1")
    with TlsUpsd(tmp_path / "upsd", ca, cert) as server:
        yield server


def install_ca(router, ca):  # noqa: F811
    router.file("/etc/nut/ca.pem").write_bytes(ca.path.read_bytes())


def of(values, more="", port=3493):
    return TIMES + options(values) + more + MONITOR.format(port=port)


def test_it_stands_for_the_package_without(ipk):  # noqa: F811
    with part(ipk, "control") as tar:
        said = tar.extractfile("./control").read().decode().splitlines()
    assert "Package: nutlet-upsmon-mbedtls" in said
    assert "Provides: nut-upsmon, nutlet-upsmon" in said
    assert "Conflicts: nut-upsmon, nutlet-upsmon" in said
    # static: OpenWrt's own build has libmbedtls here
    assert not [line for line in said if line.startswith("Depends")]


def test_every_option_arrives(router, ca):  # noqa: F811
    router.file("/etc/nut/a b.pem").write_bytes(ca.path.read_bytes())
    router.config(of({"certpath": "/etc/nut/a b.pem", "certfile": "/etc/nut/a b.pem",
                      "certident": '"a \\"name\\"" p#w', "certverify": "on", "forcessl": 1},
                     "\tlist certhost 'nas.lan \"a name\" 0 1'\n\tlist certhost 'b c 1 0'\n"))
    assert configure(router) == 0
    assert 'CERTHOST "nas.lan" "a name" "0" "1"' in router.made()
    got = made(router)
    assert got["CERTPATH"] == got["CERTFILE"] == ["/etc/nut/a b.pem"]
    assert got["CERTIDENT"] == ['a "name"', "p#w"] and got["CERTHOST"] == ["b", "c", "1", "0"]
    assert got["CERTVERIFY"] == got["FORCESSL"] == ["1"]


def test_a_database_of_nss_where_nothing_is_verified(router):  # noqa: F811
    """As people have it from nut-upsmon: the UPS is watched all the same."""
    database(router.file("/etc/nut/cert_db"))
    router.config(of({"certpath": "/etc/nut/cert_db"}))
    assert configure(router) == 0
    assert "CERTPATH" not in made(router)
    logged = router.logged()
    assert "nut_monitor.upsmon.certpath: CERTPATH /etc/nut/cert_db is a database of NSS" in logged
    assert "certutil -L" in logged and "it is left out" in logged


@pytest.mark.parametrize("lines, why", [
    ("\toption certverify 1\n\toption certpath /etc/nut/cert_db\n", "is a database of NSS"),
    ("\toption certverify 1\n\toption certpath relative.pem\n", "must be an absolute path"),
    ("\toption certverify 1\n\toption certpath /etc/nut/none.pem\n", "No such file"),
    ("\toption certverify 1\n", "there is no CERTPATH"),
    ("\toption certhost '127.0.0.1 name 1 0'\n", "there is no CERTPATH"),
    ("\toption certhost '127.0.0.1 name yes'\n", "CERTHOST host"),
    ("\toption certhost '127.0.0.1 name maybe 0'\n", "is neither 1 nor 0"),
])
def test_a_verification_is_not_given_up(router, lines, why):  # noqa: F811
    database(router.file("/etc/nut/cert_db"))
    router.config(of({}, lines))
    assert configure(router) == 3
    assert why in router.logged()
    assert not router.file("/var/etc/nut/upsmon.conf").exists()


@pytest.mark.parametrize("values", [{"certverify": 1, "forcessl": 1}, {"forcessl": 1}, {}])
def test_from_uci_to_a_server(router, ca, upsd, values):  # noqa: F811
    install_ca(router, ca)
    router.config(of({"certpath": "/etc/nut/ca.pem", **values}, port=upsd.port))
    assert router.service("start").returncode == 0
    wait_for("login", lambda: upsd.logins() == 1)
    said = router.run("/usr/sbin/upsmon", "-c", "status", NUT_PIDPATH="/var/run").stdout
    assert ("encrypted and verified" if "certverify" in values else "encrypted, not verified") in said


def test_a_certificate_of_another(router, upsd, tmp_path):  # noqa: F811
    install_ca(router, Authority(tmp_path / "other"))
    router.config(of({"certpath": "/etc/nut/ca.pem", "certverify": 1}, port=upsd.port))
    router.service("start")
    router.wait_log("is of an unknown CA")
    assert upsd.logins() == 0
