"""Debian's own upsmon, which has TLS by NSS, with the same servers and certificates.

Same outcome: encrypted, in the clear, or not connected.
"""

import pytest

from gateway import Gateway
from lab.upsd import wait_for
from nss import TlsUpsd, database
from peer import PEER, Peer, cannot_run

REASON = cannot_run()
pytestmark = pytest.mark.skipif(bool(REASON), reason=str(REASON))

NAME = "localhost"

# The certificate of the server, or plain: it has no TLS; what upsmon is told; the outcome.
ROWS = {
    "nothing asked for, no TLS": ("plain", "", "clear"),
    "nothing asked for": ("good", "", "encrypted"),
    "FORCESSL, no TLS": ("plain", "FORCESSL 1\n", "none"),
    "FORCESSL": ("good", "CERTPATH {ca}\nFORCESSL 1\n", "encrypted"),
    "CERTVERIFY": ("good", "CERTPATH {ca}\nCERTVERIFY 1\n", "encrypted"),
    "CERTVERIFY and FORCESSL": ("good", "CERTPATH {ca}\nCERTVERIFY 1\nFORCESSL 1\n", "encrypted"),
    "CERTVERIFY, another CA": ("of_other", "CERTPATH {ca}\nCERTVERIFY 1\n", "none"),
    "CERTVERIFY 0, another CA": ("of_other", "CERTPATH {ca}\nCERTVERIFY 0\n", "encrypted"),
    "CERTVERIFY, expired": ("expired", "CERTPATH {ca}\nCERTVERIFY 1\n", "none"),
    "CERTVERIFY 0, expired": ("expired", "CERTPATH {ca}\nCERTVERIFY 0\n", "encrypted"),
    "CERTVERIFY, another name": ("san_of_other", "CERTPATH {ca}\nCERTVERIFY 1\n", "none"),
    "CERTHOST with the name": ("san_of_other",
                               'CERTPATH {ca}\nCERTHOST localhost "elsewhere.lan" 1 1\n',
                               "encrypted"),
    "CERTHOST lifts CERTVERIFY": ("of_other",
                                  "CERTPATH {ca}\nCERTVERIFY 1\nCERTHOST localhost x 0 1\n",
                                  "encrypted"),
    "CERTHOST forces, no TLS": ("plain", "CERTPATH {ca}\nCERTHOST localhost x 0 1\n", "none"),
    "CERTHOST lifts FORCESSL, no TLS": (
        "plain", "CERTPATH {ca}\nFORCESSL 1\nCERTHOST localhost x 0 0\n", "clear"),
    "CERTVERIFY, no TLS": ("plain", "CERTPATH {ca}\nCERTVERIFY 1\n", "none"),
}


def outcome(gateway, upsd):
    """none: it has tried twice, and is not logged in."""
    wait_for("an outcome", lambda: upsd.logins() == 1 or gateway.connections >= 3, 60)
    if upsd.logins() != 1:
        assert b"PASSWORD" not in gateway.clear
        return "none"
    return "clear" if b"LOGIN" in gateway.clear else "encrypted"


def configure(peer, port, extra):
    peer.configure(port, extra=extra, flag="")
    peer.write(peer.conf.read_text().replace("@127.0.0.1:", f"@{NAME}:"))


def run(binary, directory, cert, pki, upsd, extra):
    with Gateway(upsd.port, cert, "tls" if cert else "pass") as gateway:
        peer = Peer(binary, directory)
        configure(peer, gateway.port, extra)
        try:
            peer.run()
            return outcome(gateway, upsd)
        finally:
            peer.end()


@pytest.mark.parametrize("row", ROWS)
def test_row(row, upsd, pki, tmp_path, binary):
    server, extra, both = ROWS[row]
    cert = None if server == "plain" else getattr(pki, server)
    nss = database(tmp_path / "nss", pki.ca)
    assert run(PEER, tmp_path / "nut", cert, pki, upsd, extra.format(ca=nss)) == both
    wait_for("nobody is logged in", lambda: upsd.logins() == 0)
    assert run(binary, tmp_path / "ours", cert, pki, upsd,
               extra.format(ca=pki.ca.path)) == both


@pytest.mark.parametrize("side", ["nut", "ours"])
def test_a_real_upsd(side, pki, tmp_path, binary):
    """Both with NUT's own server, and not only with Python's."""
    with TlsUpsd(tmp_path / "upsd", pki.ca, pki.good) as upsd:
        nss = database(tmp_path / "nss", pki.ca)
        peer = Peer(PEER if side == "nut" else binary, tmp_path / side)
        ca = nss if side == "nut" else pki.ca.path
        configure(peer, upsd.port, f"CERTPATH {ca}\nCERTVERIFY 1\nFORCESSL 1\n")
        try:
            peer.run()
            wait_for("a login", lambda: upsd.logins() == 1)
        finally:
            peer.end()
