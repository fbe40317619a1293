"""A man in the middle, and servers that are broken: no password in the clear, nobody else waits."""

import os
import pathlib
import ssl
import time

import pytest

from gateway import Gateway
from lab.upsd import wait_for

EVERY = ["swallow", "plain", "inject", "silent", "slow", "truncate", "garbage", "alter"]
SAYS = {"plain": "a plain-text answer", "inject": "plain text behind the answer to STARTTLS",
        "truncate": "TLS failed: ", "garbage": "connection lost: ", "alter": "connection lost: "}


@pytest.mark.parametrize("what", EVERY)
def test_a_man_in_the_middle(watch, upsd, pki, what):
    """And a second UPS, in the clear, is polled as if nothing were."""
    with Gateway(upsd.port, pki.good, what) as bad, Gateway(upsd.port, what="pass") as plain:
        daemon = watch(bad, f"MONITOR ups@127.0.0.1:{plain.port} 0 monuser2 secret2 secondary\n"
                            f"CERTPATH {pki.ca.path}\nCERTHOST localhost localhost 1 1\n"
                            "MINSUPPLIES 0\nFORCESSL 0\n")
        if what in SAYS:
            daemon.wait_log(SAYS[what])
        wait_for("a second try, or a few polls",
                 lambda: bad.connections > 1 or len(plain.polls) > 8, 60)
        begin = len(plain.polls)
        wait_for("polls of the other one", lambda: len(plain.polls) >= begin + 4)
        gaps = [b - a for a, b in zip(plain.polls, plain.polls[1:])]
        print(f"{what}: the longest time between two polls of the other UPS: {max(gaps):.3f} s")
        assert max(gaps) < 2
        assert b"PASSWORD" not in bad.clear and b"USERNAME" not in bad.clear
        assert daemon.monitor() and "ended by signal" not in daemon.log()


def test_a_swallowed_starttls_that_is_not_forced(watch, upsd, pki):
    """As a server would be that knows nothing of it: in the clear, on the next connection."""
    with Gateway(upsd.port, pki.good, "swallow") as gateway:
        daemon = watch(gateway)
        daemon.wait_log("does not answer STARTTLS")
        daemon.wait_log("logged in")


def test_a_chain_of_64_kib(watch, upsd, pki, tmp_path):
    """More than the records of a static build hold: refused, and nothing worse."""
    import types
    chain = tmp_path / "long.pem"
    long = pki.good.chain.read_text() + pki.ca.path.read_text() * 60
    chain.write_text(long)
    cert = types.SimpleNamespace(chain=chain, key=pki.good.key)
    with Gateway(upsd.port, cert) as gateway:
        daemon = watch(gateway, f"CERTPATH {pki.ca.path}\nCERTVERIFY 1\n")
        wait_for("a verdict", lambda: "TLS failed" in daemon.log() or "logged in" in daemon.log())
        assert daemon.monitor() and "ended by signal" not in daemon.log()


@pytest.mark.parametrize("version, order", [(ssl.TLSVersion.TLSv1_2, "R"), (None, "K")])
def test_new_keys_on_the_way(watch, upsd, pki, has_tls13, version, order):
    """A renegotiation, and TLS 1.3's new keys: refused or carried out, the UPS is watched on."""
    if order == "K" and not has_tls13:
        pytest.skip("of TLS 1.3")
    with Gateway(upsd.port, pki.good, "openssl", version=version) as gateway:
        daemon = watch(gateway, f"CERTPATH {pki.ca.path}\nCERTVERIFY 1\nFORCESSL 1\n")
        daemon.wait_log("logged in")
        pid = daemon.monitor()
        gateway.order(order)
        wait_for("it", lambda: b"SSL_do_handshake -> " in gateway.openssl)
        upsd.set_status("OB")
        wait_for("on battery", lambda: "ONBATT" in daemon.events())
        assert daemon.monitor() == pid
        print(f"{order}: {gateway.connections} connections")
        assert b"PASSWORD" not in gateway.clear


def memory(pid):
    """What it has written to, in kB: a page of a library is private or not as others come and go."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith("Private_Dirty"))


def test_memory_is_flat(watch, upsd, pki):
    """Over many reconnects of which each is a handshake that fails late, or is altered."""
    with Gateway(upsd.port, pki.good, "alter") as gateway:
        daemon = watch(gateway, f"CERTPATH {pki.ca.path}\nCERTVERIFY 1\n")
        wait_for("some handshakes", lambda: gateway.handshakes >= 10, 60)
        pid, first = daemon.monitor(), memory(daemon.monitor())
        wait_for("many handshakes", lambda: gateway.handshakes >= 40, 120)
        last = memory(pid)
        print(f"written memory of the monitor after 10 and {gateway.handshakes} handshakes: "
              f"{first}, {last} kB")
        # what a heap settles to, and less than 2 kB for each
        assert last <= first + 48
        assert len(os.listdir(f"/proc/{pid}/fd")) < 16
