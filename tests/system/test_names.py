"""Names of hosts: a real name server, and one that does what a real one would not.

The static build has a resolver of its own, the dynamic one that of glibc; both have to do.
"""

import os
import socket
import struct
import subprocess
import threading
import time

import pytest

from lab.upsd import PRIMARY, Upsd, clean_up_when_ended, end_process, wait_for

pytestmark = pytest.mark.root  # port 53, and an /etc of its own

NAME = "nas.lan.test"


def own_address():
    """One of the loopback network that no other test has."""
    return "127.53.%d.%d" % tuple(1 + byte % 253 for byte in os.urandom(2))


class Names:
    """An /etc/hosts and an /etc/resolv.conf for one daemon."""

    def __init__(self, directory, daemon):
        self.dir = directory
        self.daemon = daemon
        self.hosts = directory / "hosts"
        self.conf = directory / "resolv.conf"
        self.hosts.write_text("127.0.0.1 here\n")
        self.conf.write_text("")
        if not daemon.inside(f"mount --bind {self.hosts} /etc/hosts\n"
                             f"mount --bind {self.conf} /etc/resolv.conf"):
            pytest.skip("cannot mount here")

    def monitor(self, host):
        text = self.daemon.conf.read_text()
        self.daemon.write(text.replace("@127.0.0.1:", f"@{host}:"))


@pytest.fixture
def names(daemon, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind((own_address(), 53))
        except PermissionError:
            pytest.skip("port 53 is for others here, as in a user namespace")
    return Names(tmp_path, daemon)


@pytest.fixture
def dnsmasq(tmp_path):
    """Starts name servers with these options: the address of each."""
    started = []

    def start(*options):
        address = own_address()
        log = tmp_path / f"dnsmasq-{len(started)}.log"
        clean_up_when_ended()
        started.append(subprocess.Popen(
            ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv",
             "--bind-interfaces", f"--listen-address={address}",
             "--user=root", "--pid-file=", "--local=/test/", "--log-queries", f"--log-facility={log}",
             *options]))
        wait_for("dnsmasq", lambda: log.exists() and "started" in log.read_text())
        return address, log

    yield start
    for process in started:
        end_process(process)


class Server:
    """A name server in a thread: `answer(query, question, type, number)` makes its datagrams."""

    def __init__(self, answer):
        self.address = own_address()
        self.answer = answer
        self.count = 0
        self.first = None  # when it was asked first
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(512)
            except OSError:
                return
            if not query:
                return
            question = query[12:]
            kind = struct.unpack("!H", question[-4:-2])[0]
            self.count += 1
            self.first = self.first or time.monotonic()
            for datagram in self.answer(query, question, kind, self.count):
                self.socket.sendto(datagram, peer)

    def close(self):
        # wakes recvfrom(), which close() alone does not
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", (self.address, 53))
        self.thread.join()
        self.socket.close()


@pytest.fixture
def server():
    started = []

    def start(answer):
        started.append(Server(answer))
        return started[-1]

    yield start
    for one in started:
        one.close()


def header(query, flags, answers=0, questions=1):
    return query[:2] + struct.pack("!HHHHH", flags, questions, answers, 0, 0)


def address_record(kind, data):
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def tell(query, question, kind):
    """The right answer: 127.0.0.1, and no IPv6."""
    if kind != 1:
        return header(query, 0x8180) + question
    return header(query, 0x8180, 1) + question + address_record(1, socket.inet_aton("127.0.0.1"))


def logged_in(daemon, upsd, seconds=30):
    daemon.run()
    wait_for("a login", lambda: upsd.logins() == 1, seconds)


# -- /etc/hosts ----------------------------------------------------------------------------

@pytest.mark.parametrize("host", ["nas", "NAS.Lan", "alias"])
def test_hosts(names, daemon, upsd, server, host):
    dns = server(lambda query, question, kind, n: [])
    names.conf.write_text(f"nameserver {dns.address}\n")
    names.hosts.write_text("# 127.9.9.9 nas\n127.9.9.9 nasty\n\n::1 other\n"
                           + "".join(f"127.9.8.7 blocked-{i}.example  # nas\n" for i in range(3000))
                           + "127.0.0.1\tlocal nas.lan  nas alias# the box in the cellar\n")
    names.monitor(host)
    logged_in(daemon, upsd)
    assert dns.count == 0


def test_a_changed_address_is_found_at_the_next_connection(names, daemon, upsd, tmp_path):
    names.hosts.write_text("127.0.0.1 nas\n")
    names.monitor("nas")
    logged_in(daemon, upsd)
    upsd.stop()
    wait_for("COMMBAD", lambda: "COMMBAD" in daemon.events())
    with Upsd(tmp_path / "moved", listen="127.0.0.3", port=upsd.port) as moved:
        names.hosts.write_text("127.0.0.3 nas\n")
        wait_for("a login at the new place", lambda: moved.logins() == 1, 60)


# -- a real name server ----------------------------------------------------------------------

@pytest.mark.parametrize("host,conf", [
    (NAME, ""), (NAME + ".", "search other.test\n"), ("NAS.lan.TEST", ""),
    ("nas", "search other.test lan.test\n"), ("nas", "domain lan.test\n"),
    ("nas.lan", "search test\noptions ndots:1\n"), ("nas.lan", "options timeout:3 ndots:2 # dots\nsearch\ttest\n"),
])
def test_name_server(names, daemon, upsd, dnsmasq, host, conf):
    address, log = dnsmasq(f"--host-record={NAME},127.0.0.1")
    names.conf.write_text(f"# made by hand\n{conf}nameserver {address} # the router\n")
    names.monitor(host)
    logged_in(daemon, upsd)
    asked = [line.split("query[A] ")[1].split()[0] for line in log.read_text().splitlines()
             if "query[A] " in line]
    if host == "nas.lan" and "ndots:2" in conf:
        assert asked[0].lower() == NAME  # few dots: the domain comes first
    if host == "nas.lan" and "ndots:1" in conf:
        assert asked[0] == "nas.lan"


def test_alias(names, daemon, upsd, dnsmasq):
    address, _ = dnsmasq(f"--host-record={NAME},127.0.0.1", f"--cname=ups.lan.test,{NAME}")
    names.conf.write_text(f"nameserver {address}\n")
    names.monitor("ups.lan.test")
    logged_in(daemon, upsd)


def test_answer_that_does_not_fit_a_datagram(names, daemon, upsd, dnsmasq):
    """A long chain of aliases: the address itself only comes by TCP."""
    links = [f"{'x' * 60}.{'y' * 60}.a{i}.lan.test" for i in range(8)] + [NAME]
    address, log = dnsmasq(f"--host-record={NAME},127.0.0.1",
                           *(f"--cname={a},{b}" for a, b in zip(links, links[1:])))
    names.conf.write_text(f"nameserver {address}\n")
    names.monitor(links[0])
    logged_in(daemon, upsd)
    assert log.read_text().count("query[A]") > 1


def test_many_addresses(names, daemon, upsd, dnsmasq):
    """More than the daemon tries, and more than fit a datagram: enough of them are the same."""
    address, _ = dnsmasq(*(f"--host-record={NAME},127.0.0.1,::{i:x}:ffff" for i in range(1, 60)))
    names.conf.write_text(f"nameserver {address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


def test_ipv6(names, daemon, dnsmasq, tmp_path):
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    address, _ = dnsmasq(f"--host-record={NAME},::1")
    names.conf.write_text(f"nameserver {address}\n")
    with Upsd(tmp_path / "six", listen="::1") as upsd:
        daemon.configure(upsd.port)
        names.monitor(NAME)
        logged_in(daemon, upsd)


def test_unknown_name(names, daemon, upsd, dnsmasq):
    address, _ = dnsmasq(f"--host-record={NAME},127.0.0.1")
    names.conf.write_text(f"nameserver {address}\nsearch lan.test\n")
    daemon.write(daemon.conf.read_text() + "MONITOR ups@nobody.lan.test 1 u p secondary\n")
    daemon.run()
    daemon.wait_log("ups@nobody.lan.test: cannot connect: Name or service not known")
    assert upsd.logins() == 1


# -- servers that are no help ------------------------------------------------------------------

def test_silent_server_first(names, daemon, upsd, dnsmasq, server):
    dead = server(lambda query, question, kind, n: [])
    address, _ = dnsmasq(f"--host-record={NAME},127.0.0.1")
    names.conf.write_text(f"nameserver {dead.address}\nnameserver {address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)
    assert dead.count > 0


def test_no_server_at_the_first_address(names, daemon, upsd, dnsmasq):
    address, _ = dnsmasq(f"--host-record={NAME},127.0.0.1")
    names.conf.write_text(f"nameserver {own_address()}\nnameserver {address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


@pytest.mark.parametrize("rcode", [2, 5, 1])
def test_server_that_fails_first(names, daemon, upsd, dnsmasq, server, rcode):
    failing = server(lambda query, question, kind, n:
                     [header(query, 0x8180 | rcode, questions=0 if rcode == 1 else 1)
                      + (b"" if rcode == 1 else question)])
    address, _ = dnsmasq(f"--host-record={NAME},127.0.0.1")
    names.conf.write_text(f"nameserver {failing.address}\nnameserver {address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)
    assert failing.count > 0


def test_who_fails_costs_no_time(names, daemon, upsd, server):
    """The next one is asked at once; who is silent costs a second."""
    failing = [server(lambda query, question, kind, n: [header(query, 0x8182) + question]) for _ in range(2)]
    good = server(lambda query, question, kind, n: [tell(query, question, kind)])
    names.conf.write_text("".join(f"nameserver {one.address}\n" for one in [*failing, good]))
    names.monitor(NAME)
    logged_in(daemon, upsd)
    assert good.first - failing[0].first < 1.5


def test_slow_router_before_a_server_that_knows_less(names, daemon, upsd, server):
    """The second one denies the names of the house, and is quicker."""
    def slow(query, question, kind, _):
        time.sleep(1.3)
        return [tell(query, question, kind)]

    router = server(slow)
    public = server(lambda query, question, kind, n: [header(query, 0x8183) + question])
    names.conf.write_text(f"nameserver {router.address}\nnameserver {public.address}\n")
    names.monitor(NAME)
    daemon.run()
    wait_for("a login", lambda: upsd.logins() == 1)
    assert "Name or service not known" not in daemon.log()


def test_dead_router_before_a_server_that_knows_less(names, binary, daemon, server):
    """The dead one is waited for once, and not for each domain: or the look-up would take too long."""
    if "uclibc" not in str(binary):
        pytest.skip("glibc's own does not come to an end in 10 s")
    dead = server(lambda query, question, kind, n: [])
    public = server(lambda query, question, kind, n: [header(query, 0x8183) + question])
    names.conf.write_text(f"nameserver {dead.address}\nnameserver {public.address}\nsearch a.test b.test\n")
    names.monitor("nas")
    daemon.run()
    daemon.wait_log("cannot connect: Name or service not known", 60)


def test_no_ipv6_and_not_the_first_domain(names, daemon, upsd, server):
    """Questions about IPv6 are dropped, and the name is not in the first domain of the list."""
    dns = server(lambda query, question, kind, n: [] if kind != 1 else
                 [tell(query, question, kind)] if b"lan" in question else [header(query, 0x8183) + question])
    names.conf.write_text(f"nameserver {dns.address}\nsearch home.test lan.test\noptions timeout:1 attempts:1\n")
    names.monitor("nas")
    logged_in(daemon, upsd)


def test_lame_server_first(names, daemon, upsd, server):
    lame = server(lambda query, question, kind, n: [header(query, 0x8100) + question])
    good = server(lambda query, question, kind, n: [tell(query, question, kind)])
    names.conf.write_text(f"nameserver {lame.address}\nnameserver {good.address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


def test_two_refuse_and_the_third_is_slow(names, daemon, upsd, server):
    def slow(query, question, kind, _):
        time.sleep(1.7)  # for each of the two questions
        return [tell(query, question, kind)]

    late = server(slow)
    names.conf.write_text(f"nameserver {own_address()}\nnameserver {own_address()}\nnameserver {late.address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


def test_no_answer_about_ipv6(names, daemon, upsd, server):
    """As some routers do it: the question is dropped."""
    dns = server(lambda query, question, kind, n: [tell(query, question, kind)] if kind == 1 else [])
    names.conf.write_text(f"nameserver {dns.address}\noptions timeout:1 attempts:1\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


@pytest.mark.parametrize("rcode", [2, 3, 5])
def test_bad_answer_about_ipv6(names, daemon, upsd, server, rcode):
    """A home's server knows the IPv4 address, and says of IPv6 that there is no such name, or refuses."""
    dns = server(lambda query, question, kind, n:
                 [tell(query, question, kind) if kind == 1 else header(query, 0x8180 | rcode) + question])
    names.conf.write_text(f"nameserver {dns.address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


def test_domain_whose_server_fails(names, daemon, upsd, server):
    """The next one of the list is tried all the same."""
    dns = server(lambda query, question, kind, n:
                 [header(query, 0x8182) + question if b"broken" in question else tell(query, question, kind)])
    names.conf.write_text(f"nameserver {dns.address}\nsearch broken.test lan.test\n")
    names.monitor("nas")
    logged_in(daemon, upsd)


def test_lost_question(names, daemon, upsd, server):
    dns = server(lambda query, question, kind, n: [] if n < 3 else [tell(query, question, kind)])
    names.conf.write_text(f"nameserver {dns.address}\noptions timeout:1\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)


def test_answers_to_other_questions(names, daemon, upsd, server):
    """Garbage, a wrong number, another name: then the right one."""
    def answer(query, question, kind, _):
        lie = address_record(1, socket.inet_aton("127.66.66.66"))
        other = question.replace(b"nas", b"foo")
        number = bytes([query[0] ^ 1, query[1]])
        good = header(query, 0x8180, 1)
        return [os.urandom(300), number + good[2:] + question + lie, good + other + lie,
                tell(query, question, kind)]

    dns = server(answer)
    names.conf.write_text(f"nameserver {dns.address}\n")
    names.monitor(NAME)
    logged_in(daemon, upsd)
    assert "127.66.66.66" not in daemon.log()


@pytest.mark.parametrize("answer", ["silence", "garbage"])
def test_no_answer_at_all(names, daemon, upsd, server, answer):
    """Said, tried again, and nobody else waits for it."""
    dns = server(lambda query, question, kind, n: [] if answer == "silence" else
                 [query[:2] + b"\x81\x80\0\1\xff\xff\0\0\0\0" + question + b"\xc0" * 200])
    names.conf.write_text(f"nameserver {dns.address}\n")
    daemon.write(daemon.conf.read_text()
                 + f"MONITOR ups@{NAME}:{upsd.port} 1 {PRIMARY[0]} {PRIMARY[1]} primary\n")
    daemon.run()
    daemon.wait_log(f"UPS ups@{NAME}:{upsd.port}: ")
    upsd.set_status("OB")
    wait_for("ONBATT", lambda: "ONBATT" in daemon.events())
    asked = dns.count
    wait_for("another try", lambda: dns.count > asked, 60)
