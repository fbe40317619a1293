import pathlib
import sys
import tempfile
import types

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
for folder in ("system", "compare"):
    sys.path.append(str(TOP / "tests" / folder))
if "daemon" not in sys.modules:
    pytest.register_assert_rewrite("daemon")

from certs import Authority
from daemon import Daemon
from lab.upsd import Upsd

BUILD = TOP / "build" / "tls"
BINARIES = {"host": BUILD / "host" / "upsmon",
            "uclibc": BUILD / "host-uclibc" / "upsmon",
            "default": BUILD / "default" / "host" / "upsmon"}


@pytest.fixture(params=[name for name in BINARIES])
def binary(request):
    """The builds with Debian's mbedTLS 2.28, with our own 3.6, and with 3.6 as others share it."""
    path = BINARIES[request.param]
    assert path.exists(), f"{path} is missing: make tls-test"
    return path


@pytest.fixture
def has_tls13(binary):
    """Debian 12 shares mbedTLS 2.28, which has not; nothing tells but the library."""
    return b"tls13 " in binary.read_bytes()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Certificates of every kind, by name."""
    top = tmp_path_factory.mktemp("pki")
    ca = Authority(top / "ca")
    other = Authority(top / "other", "another CA")
    between = Authority(top / "between", "an intermediate", issuer=ca)
    here = "DNS:localhost,IP:127.0.0.1"
    made = types.SimpleNamespace(
        ca=ca, other_ca=other, dir=top,
        good=ca.cert(top / "good", san=here),
        ec=ca.cert(top / "ec", san=here, key="ec"),
        cn=ca.cert(top / "cn"),
        san_of_other=ca.cert(top / "san_of_other", san="DNS:elsewhere.lan"),
        address=ca.cert(top / "address", name="nas", san="IP:127.0.0.1"),
        of_other=other.cert(top / "of_other", san=here),
        of_between=between.cert(top / "of_between", san=here),
        expired=ca.cert(top / "expired", san=here, dates=("20200101000000Z", "20210101000000Z")),
        future=ca.cert(top / "future", san=here, dates=("20600101000000Z", "20610101000000Z")),
        client=ca.cert(top / "client", name="a client"),
    )
    made.self_signed = types.SimpleNamespace(chain=other.path, key=other.key)
    return made


@pytest.fixture
def tmp_path():
    """In the place of pytest's, which is closed to the user of the monitor."""
    with tempfile.TemporaryDirectory(prefix="tls-", ignore_cleanup_errors=True) as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path


@pytest.fixture
def upsd(tmp_path):
    with Upsd(tmp_path / "upsd") as server:
        yield server


@pytest.fixture
def run_dir():
    """In memory: only there does the daemon keep what -c status tells."""
    with tempfile.TemporaryDirectory(prefix="tls-", dir="/dev/shm") as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path


@pytest.fixture
def watch(binary, tmp_path, run_dir):
    """watch(server, extra, host="localhost"): a daemon that watches it, running."""
    made = []

    def start(server, extra="", host="localhost", run=True):
        daemon = Daemon(binary, tmp_path / f"daemon{len(made)}", port=server.port, extra=extra)
        daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", f"@{host}:", 1))
        if not made:
            daemon.pid_dir = run_dir
            daemon.pidfile = run_dir / "upsmon.pid"
            daemon.lockfile = run_dir / "upsmon.lock"
            daemon.env["NUT_PIDPATH"] = daemon.env["NUT_ALTPIDPATH"] = str(run_dir)
        made.append(daemon)
        return daemon.run() if run else daemon

    yield start
    for daemon in made:
        daemon.end()
