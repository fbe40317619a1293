"""Our TLS without a daemon around it (client.c): what its pool holds, that it is flat over many
connections, and what ASan and UBSan say to servers that are broken."""

import json
import os
import pathlib
import ssl
import subprocess

import pytest

from gateway import Gateway

CLIENTS = pathlib.Path(__file__).resolve().parents[2] / "build" / "tests" / "tls"
# options.h: TLS_POOL_EACH; with one certificate, it is less
POOL_EACH = 26 * 1024
POOL_AIM = 25 * 1024
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def connect(client, gateway, count, *files):
    """What it tells of so many connections, and what it says; with ASan, it ends well or fails."""
    result = subprocess.run([CLIENTS / f"client-{client}", str(gateway.port), "localhost",
                             str(count), *map(str, files)], capture_output=True, text=True,
                            timeout=3600, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout), result.stderr


@pytest.mark.parametrize("cert", ["good", "ec", "of_between"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_pool(upsd, pki, cert, version):
    """At the peak of a connection, and at rest; each of them gives back what it took."""
    with Gateway(upsd.port, getattr(pki, cert), version=VERSIONS[version]) as gateway:
        told, _ = connect("pool", gateway, 20, pki.ca.path)
        print(f"{cert}, TLS {version}: peak {told['peak']}, at rest {told['rest']} bytes")
        assert told["answered"] == 20 and gateway.versions == [f"TLSv{version}"] * 20
        assert 0 < told["rest"] < told["peak"] <= (POOL_EACH if cert == "of_between" else POOL_AIM)
        assert told["first"] == told["last"]


def test_many_connections(upsd, pki):
    """The pool is as full after the last as after the first."""
    count = 10000 if "NUTLET_SOAK" in os.environ else 300
    with Gateway(upsd.port, pki.ec) as gateway:
        told, _ = connect("pool", gateway, count, pki.ca.path)
        print(f"{count} connections: pool {told['first']} bytes after the first, {told['last']} "
              "after the last")
        assert told["answered"] == count
        assert told["first"] == told["last"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cert, why", [
    ("good", ""), ("ec", ""), ("of_between", ""), ("expired", "has expired"),
    ("of_other", "unknown CA"), ("san_of_other", "another name"), ("self_signed", "unknown CA")])
def test_sanitized(upsd, pki, cert, why, version):
    with Gateway(upsd.port, getattr(pki, cert), version=VERSIONS[version]) as gateway:
        told, _ = connect("asan", gateway, 3, pki.ca.path)
        assert (told["answered"], told["failed"]) == ((0, 3) if why else (3, 0))
        assert why in told["why"]


@pytest.mark.parametrize("what", ["plain", "inject", "truncate", "garbage", "alter"])
def test_sanitized_broken_servers(upsd, pki, what):
    with Gateway(upsd.port, pki.good, what) as gateway:
        told, _ = connect("asan", gateway, 5, pki.ca.path)
        assert told["answered"] == 0 and told["why"]


@pytest.mark.parametrize("password, says", [("right", ""), ("wrong", "is the password")])
def test_sanitized_key(upsd, pki, tmp_path, password, says):
    bundle = pki.client.bundle(tmp_path / "client.pem", "right")
    with Gateway(upsd.port, pki.good, clients_of=None if says else pki.ca) as gateway:
        told, said = connect("asan", gateway, 3, pki.ca.path, bundle, password)
        assert told["answered"] == 3 and says in said


@pytest.mark.parametrize("cut", [100, 600, 1000])
def test_sanitized_broken_files(upsd, pki, tmp_path, cut):
    """A CERTPATH that was not written to its end, as after a power cut."""
    broken = tmp_path / "ca.pem"
    broken.write_text(pki.ca.path.read_text()[:cut])
    with Gateway(upsd.port, pki.good) as gateway:
        told, said = connect("asan", gateway, 1, broken)
        assert told["failed"] == 1 and "no certificate in PEM that can be read" in said
