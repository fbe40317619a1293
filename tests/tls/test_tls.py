"""TLS with servers as they are: what is verified, what is refused and why, and what is said."""

import json
import os
import pathlib
import signal
import ssl
import subprocess
import time

import pytest

from gateway import Gateway
from lab.upsd import wait_for
from nss import TlsUpsd, database

VERIFIED = "and the server's certificate is verified"
UNVERIFIED = "the server's certificate is not verified"


def verify(pki, extra=""):
    return f"CERTPATH {pki.ca.path}\nCERTVERIFY 1\n" + extra


def shown(daemon, words):
    wait_for(f"status with {words}", lambda: words in daemon.command("-c", "status").stdout)


def is_down(gateway):
    """Nothing was said in the clear that should not be, and nobody logged in."""
    return b"PASSWORD" not in gateway.clear


def test_a_real_upsd(watch, tmp_path, pki):
    """Debian's, with NSS: from the start to the power cut."""
    with TlsUpsd(tmp_path / "upsd", pki.ca, pki.good) as upsd:
        daemon = watch(upsd, verify(pki, "FORCESSL 1\n"))
        daemon.wait_log(VERIFIED)
        shown(daemon, ", encrypted and verified, logged in")
        told = json.loads(daemon.command("-c", "status", "-j").stdout)
        assert told["ups"][0]["tls"] == "verified"
        upsd.set_status("OB LB")
        daemon.wait_down()
        assert daemon.flag.exists()


@pytest.mark.parametrize("cert, host, extra, words", [
    ("good", "localhost", "", VERIFIED),
    ("good", "127.0.0.1", "", VERIFIED),
    ("ec", "localhost", "", VERIFIED),
    ("of_between", "localhost", "", VERIFIED),
    ("cn", "localhost", "", VERIFIED),
    ("cn", "127.0.0.1", "", "another name than 127.0.0.1"),
    ("address", "127.0.0.1", "", VERIFIED),
    ("address", "localhost", "", "another name than localhost"),
    ("san_of_other", "localhost", "", "another name than localhost"),
    ("san_of_other", "localhost", 'CERTHOST LOCALHOST "elsewhere.lan" 1 1\n', VERIFIED),
    ("address", "localhost", 'CERTHOST localhost "127.0.0.1" 1 0\n', VERIFIED),
    ("of_other", "localhost", "", "unknown CA"),
    ("self_signed", "localhost", "", "unknown CA"),
    ("expired", "localhost", "", "has expired"),
    ("future", "localhost", "", "not yet valid"),
    ("of_other", "localhost", "CERTHOST localhost x 0 0\n", UNVERIFIED),
])
def test_certificates(watch, upsd, pki, cert, host, extra, words):
    with Gateway(upsd.port, getattr(pki, cert)) as gateway:
        daemon = watch(gateway, verify(pki, extra), host)
        daemon.wait_log(words)
        if words in (VERIFIED, UNVERIFIED):
            daemon.wait_log("logged in")
            assert upsd.logins() == 1
        else:
            assert "TLS failed: " in daemon.log() and upsd.logins() == 0
        assert is_down(gateway)


@pytest.mark.parametrize("cert", ["self_signed", "expired", "san_of_other"])
def test_without_certverify_every_certificate_will_do(watch, upsd, pki, cert):
    with Gateway(upsd.port, getattr(pki, cert)) as gateway:
        daemon = watch(gateway)
        daemon.wait_log(UNVERIFIED)
        shown(daemon, ", encrypted, not verified, logged in")
        told = json.loads(daemon.command("-c", "status", "-j").stdout)
        assert told["ups"][0]["tls"] == "encrypted"


def test_a_server_that_has_none(watch, upsd, pki):
    daemon = watch(upsd)
    daemon.wait_log("not encrypted: the server has no TLS (FEATURE-NOT-")
    shown(daemon, ", not encrypted, logged in")
    assert json.loads(daemon.command("-c", "status", "-j").stdout)["ups"][0]["tls"] is None


@pytest.mark.parametrize("extra", ["FORCESSL 1\n", "CERTHOST localhost x 0 1\n", None])
def test_nothing_in_the_clear_where_it_is_forced(watch, upsd, pki, extra):
    with Gateway(upsd.port, what="pass") as gateway:
        daemon = watch(gateway, extra or verify(pki))
        daemon.wait_log("not connecting in the clear, as FORCESSL or CERTVERIFY has it")
        wait_for("another try", lambda: gateway.connections > 2)
        assert is_down(gateway) and b"LOGIN" not in gateway.clear
        assert "COMMBAD" in daemon.events()


def test_versions(watch, upsd, pki, has_tls13):
    with Gateway(upsd.port, pki.good, version=ssl.TLSVersion.TLSv1_3) as gateway:
        daemon = watch(gateway, verify(pki))
        daemon.wait_log("encrypted (TLSv1.3)" if has_tls13 else "no common version")


def test_old_versions(watch, upsd, pki):
    with Gateway(upsd.port, pki.good, version=ssl.TLSVersion.TLSv1_1) as gateway:
        watch(gateway, verify(pki)).wait_log("no common version")


def test_no_common_cipher(watch, upsd, pki):
    with Gateway(upsd.port, pki.good, version=ssl.TLSVersion.TLSv1_2,
                 ciphers="ADH-AES128-SHA256:@SECLEVEL=0") as gateway:
        watch(gateway, verify(pki)).wait_log("no common cipher")


@pytest.mark.parametrize("password", [None, "key-password"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, None])
def test_our_own_certificate(watch, upsd, pki, tmp_path, password, version):
    bundle = pki.client.bundle(tmp_path / "client.pem", password)
    ident = f'CERTIDENT "a client" "{password}"\n' if password else ""
    with Gateway(upsd.port, pki.good, clients_of=pki.ca, version=version) as gateway:
        # a key that only root may read
        daemon = watch(gateway, verify(pki, f"CERTFILE {bundle}\n{ident}"))
        daemon.wait_log("logged in")
        assert gateway.clients[-1]["subject"][0][0] == ("commonName", "a client")


def test_without_our_own_certificate(watch, upsd, pki):
    with Gateway(upsd.port, pki.good, clients_of=pki.ca, version=ssl.TLSVersion.TLSv1_2) as gateway:
        watch(gateway, verify(pki)).wait_log("certificate (CERTFILE)")


def test_a_wrong_key_password(watch, upsd, pki, tmp_path):
    bundle = pki.client.bundle(tmp_path / "client.pem", "right")
    with Gateway(upsd.port, pki.good) as gateway:
        daemon = watch(gateway, verify(pki, f'CERTFILE {bundle}\nCERTIDENT x "wrong"\n'))
        daemon.wait_log("is the password in CERTIDENT right?")
        daemon.wait_log(VERIFIED)


@pytest.mark.parametrize("names", [["a.pem"], ["a.crt", "noise.txt"], ["1a2b3c4d.0", "broken.pem"]])
def test_a_directory_of_authorities(watch, upsd, pki, tmp_path, names):
    folder = tmp_path / "certs"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("no certificate\n" if name in ("noise.txt", "broken.pem")
                                   else pki.other_ca.path.read_text() + pki.ca.path.read_text())
    with Gateway(upsd.port, pki.good) as gateway:
        watch(gateway, f"CERTPATH {folder}\nCERTVERIFY 1\n").wait_log(VERIFIED)


def test_what_cannot_be_used_is_an_error(watch, upsd, pki, tmp_path, run_dir):
    nss = database(run_dir / "nss", pki.ca)
    daemon = watch(upsd, run=False)
    text = daemon.conf.read_text()
    (tmp_path / "rubbish").write_text("rubbish")
    whole = pki.ca.path.read_text()
    (tmp_path / "cut").write_text(whole[:len(whole) // 2])
    (tmp_path / "part").write_text(whole + whole.replace("MII", "AAA", 1))
    (tmp_path / "no_key").write_text(whole)
    for extra, code, words in [
            (f"CERTPATH {nss}\n", 1, "certutil -L -d . -n NAME -a >/etc/nut/ca.pem"),
            (f"CERTVERIFY 1\nCERTPATH {tmp_path}/missing\n", 1, "No such file"),
            (f"CERTVERIFY 1\nCERTPATH {tmp_path}/rubbish\n", 1, "no certificate in PEM"),
            (f"CERTVERIFY 1\nCERTPATH {daemon.dir}\n", 1, "no *.pem, *.crt or *.cer"),
            (f"CERTVERIFY 1\nCERTPATH {tmp_path}/cut\n", 1, "no certificate in PEM that can be"),
            (f"CERTPATH {tmp_path}/cut\n", 0, "no certificate in PEM that can be"),
            (f"CERTVERIFY 1\nCERTPATH {tmp_path}/part\n", 0, "1 of its certificates cannot be"),
            (f"CERTFILE {tmp_path}/no_key\n", 0, "its key is missing"),
            (f"CERTPATH {tmp_path}/missing\n", 0, "warning: CERTPATH"),
            (f"CERTFILE {tmp_path}/missing\n", 0, "warning: CERTFILE"),
            ("CERTVERIFY 1\n", 1, "there is no CERTPATH")]:
        daemon.write(text + extra)
        result = daemon.command("-t")
        assert (result.returncode, words in result.stderr) == (code, True), result.stderr
        if code:
            assert daemon.start().returncode != 0


def test_a_reload_takes_over_all(watch, upsd, pki):
    """And one that cannot be used changes nothing."""
    with Gateway(upsd.port, pki.good) as gateway:
        daemon = watch(gateway)
        daemon.wait_log(UNVERIFIED)
        daemon.wait_log("logged in")
        text = daemon.conf.read_text()
        broken = daemon.dir / "broken.pem"
        broken.write_text(pki.ca.path.read_text()[:600])
        for path in ("/nowhere", broken):
            daemon.write(text + f"CERTVERIFY 1\nCERTPATH {path}\n")
            assert daemon.command("-c", "reload").returncode == 1
            shown(daemon, ", encrypted, not verified, logged in")
        daemon.write(text + verify(pki))
        assert daemon.command("-c", "reload").returncode == 0
        shown(daemon, ", encrypted and verified, logged in")
        daemon.write(text + f"CERTPATH {pki.other_ca.path}\nCERTVERIFY 1\n")
        assert set(daemon.events()) <= {"COMMOK"}
        assert daemon.command("-c", "reload").returncode == 0
        daemon.wait_log("unknown CA")


@pytest.mark.parametrize("how", ["upgrade", "kill", "reload"])
def test_a_new_monitor_shakes_hands_anew(watch, upsd, pki, how):
    """A session of TLS cannot be handed over: there is a new one, and nobody is frightened."""
    with Gateway(upsd.port, pki.good) as gateway:
        daemon = watch(gateway, verify(pki, "FORCESSL 1\n"))
        shown(daemon, ", encrypted and verified, logged in")
        before = gateway.handshakes
        if how == "kill":
            os.kill(daemon.monitor(), signal.SIGKILL)
        else:
            assert daemon.command("-c", how).returncode == 0
        wait_for("a handshake", lambda: gateway.handshakes > before)
        shown(daemon, ", encrypted and verified, logged in")
        assert not {"COMMBAD", "FSD", "SHUTDOWN", "NOCOMM"} & set(daemon.events())
        assert is_down(gateway)


@pytest.mark.parametrize("binary", ["host"], indirect=True)  # the other one takes no LD_PRELOAD
@pytest.mark.parametrize("cert, in_1970, today", [
    ("good", "is verified, but not its dates", VERIFIED),
    ("expired", "is verified, but not its dates", "has expired"),
    ("of_other", "unknown CA", None),
    ("san_of_other", "another name", None),
])
def test_a_board_without_a_clock(watch, upsd, pki, tmp_path, cert, in_1970, today):
    """The dates, and nothing else, are let pass until the clock is set."""
    shim, clock = tmp_path / "clock.so", tmp_path / "clock"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim,
                    pathlib.Path(__file__).parents[1] / "compare" / "clock.c"], check=True)
    clock.write_text(f"{60 - int(time.time())}\n")
    with Gateway(upsd.port, getattr(pki, cert)) as gateway:
        daemon = watch(gateway, verify(pki), run=False)
        daemon.env.update(LD_PRELOAD=str(shim), CLOCK_JUMP=str(clock))
        daemon.run()
        daemon.wait_log(in_1970)
        if not today:
            return
        shown(daemon, "encrypted and verified but for the dates, logged in")
        fresh = tmp_path / "fresh"
        fresh.write_text("0\n")
        fresh.rename(clock)
        # the connection that stands is not judged again
        shown(daemon, "encrypted and verified but for the dates, logged in")
        gateway.break_all()
        daemon.wait_log(today)
