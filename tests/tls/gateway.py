"""A server of the lab that does what a real upsd will not do: STARTTLS before a plain upsd, by
Python's ssl, and everything that a man in the middle could think of.

It keeps all that a client has sent it in the clear.
"""

import os
import re
import select
import socket
import ssl
import subprocess
import threading
import time


class Gateway:
    """what: one of
        pass         nothing at all: what upsd says
        tls          a server with TLS
        swallow      does not answer STARTTLS, and everything else
        plain        OK STARTTLS, and then a line of the protocol instead of TLS
        inject       lines in the clear behind the OK
        silent       OK STARTTLS, and nothing more
        slow         its part of the handshake byte by byte
        truncate     half of its part of the handshake, and it is gone
        garbage      bytes that are no TLS, behind the handshake
        alter        changes a byte of what it sends, behind the handshake
        openssl      a server with TLS as well, but openssl s_server, which order() gives orders
    """

    def __init__(self, upsd_port, cert=None, what="tls", version=None, clients_of=None,
                 pace=0.2, ciphers=None):
        self.upsd_port = upsd_port
        self.cert = cert
        self.what = what
        self.version = version
        self.ciphers = ciphers
        self.clients_of = clients_of
        self.pace = pace
        self.clear = bytearray()
        self.polls = []         # when they came, as time.monotonic() has it
        self.handshakes = 0
        self.versions = []
        self.connections = 0
        self.clients = []
        self._open = []
        self._orders = None
        self.openssl = bytearray()      # what s_server had to tell
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def order(self, letter):
        """To s_server of the last connection: R renegotiates (TLS 1.2), K makes new keys (1.3)."""
        self._orders.write(letter.encode() + b"\n")
        self._orders.flush()

    def break_all(self):
        """Every connection that there is, as by a server that is started anew."""
        for one in list(self._open):
            one.shutdown(socket.SHUT_RDWR)

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.version:
            # below 1.2 OpenSSL wants to be asked nicely
            context.minimum_version = context.maximum_version = self.version
            if self.version < ssl.TLSVersion.TLSv1_2:
                context.set_ciphers("ALL:@SECLEVEL=0")
        if self.ciphers:
            context.set_ciphers(self.ciphers)
        context.load_cert_chain(self.cert.chain, self.cert.key)
        if self.clients_of:
            context.load_verify_locations(self.clients_of.path)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _accept(self):
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            client, _ = self._listener.accept()
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.upsd_port)) as server:
            self._open.append(client)
            try:
                if self._until_starttls(client, server):
                    self._secure(client, server)
            except (OSError, ssl.SSLError):
                pass
            self._open.remove(client)

    def _receive(self, client, others=()):
        """What can be read, of whom: (socket, bytes); (None, b"") at the end."""
        while not self._stop.is_set():
            ready = select.select([client, *others], [], [], 0.1)[0]
            for one in ready:
                data = one.recv(65536)
                return (one, data) if data else (None, b"")
        return None, b""

    def _until_starttls(self, client, server):
        """In the clear; True once TLS is to begin."""
        line = b""
        while True:
            who, data = self._receive(client, [server])
            if who is None:
                return False
            if who is server:
                client.sendall(data)
                continue
            self.clear += data
            if data.startswith(b"GET VAR"):
                self.polls.append(time.monotonic())
            line = (line + data)[-200:]
            if b"STARTTLS\n" not in line or self.what == "pass":
                server.sendall(data)
            elif self.what != "swallow":
                client.sendall(b"OK STARTTLS\n" +
                               (b"OK\nOK\nOK\n" if self.what == "inject" else b""))
                return True
            line = b"" if b"STARTTLS\n" in line else line

    def _send(self, client, data):
        if self.what == "slow":
            for i in range(len(data)):
                if self._stop.wait(self.pace):
                    return
                client.sendall(data[i:i + 1])
        elif self.what == "truncate":
            client.sendall(data[:len(data) // 2])
            raise OSError("truncated")
        else:
            client.sendall(data)

    def _secure(self, client, server):
        if self.what == "silent":
            while self._receive(client)[0]:
                pass
            return
        if self.what == "plain":
            self._receive(client)
            client.sendall(b'VAR ups ups.status "OL"\n' * 20)
            while self._receive(client)[0]:
                pass
            return
        if self.what == "openssl":
            self._by_openssl(client, server)
            return
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context().wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._send(client, outgoing.read())
                who, data = self._receive(client)
                if who is None:
                    return
                incoming.write(data)
            except ssl.SSLError:
                # a socket that is closed with something unread in it takes the alert with it
                client.sendall(outgoing.read())
                client.shutdown(socket.SHUT_WR)
                while self._receive(client)[0]:
                    pass
                raise
        self._send(client, outgoing.read())
        self.handshakes += 1
        self.versions.append(tls.version())
        self.clients.append(tls.getpeercert())
        if self.what == "garbage":
            client.sendall(os.urandom(600))
        self._tunnel(client, server, tls, incoming, outgoing)

    def _by_openssl(self, client, server):
        """s_server takes one connection, has the clear text on its pipes, and talks beside it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        # what it prints is to come at once
        command = ["stdbuf", "-oL", "openssl", "s_server", "-accept", f"127.0.0.1:{port}",
                   "-naccept", "1", "-cert", self.cert.chain, "-key", self.cert.key]
        command += ["-tls1_2"] if self.version == ssl.TLSVersion.TLSv1_2 else []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            try:
                while b"ACCEPT" not in process.stdout.readline():
                    pass
                self._orders = process.stdin
                with socket.create_connection(("127.0.0.1", port)) as inner:
                    self._splice(client, server, inner, process)
            finally:
                process.kill()

    def _splice(self, client, server, inner, process):
        clear = process.stdout
        while not self._stop.is_set():
            for one in select.select([client, server, inner, clear], [], [], 0.1)[0]:
                data = os.read(one.fileno(), 65536)
                if not data:
                    return
                if one is server:
                    process.stdin.write(data)
                    process.stdin.flush()
                elif one is clear:
                    self.openssl += data
                    # what a client of upsd says, among the rest
                    server.sendall(b"".join(re.findall(
                        rb"^(?:USER|PASS|LOGIN|GET|VER|LOGOUT|FSD|PRIM|MAST).*\n", data, re.M)))
                else:
                    (inner if one is client else client).sendall(data)

    def _tunnel(self, client, server, tls, incoming, outgoing):
        while True:
            try:
                while True:
                    data = tls.read(65536)
                    if not data:
                        return
                    server.sendall(data)
            except ssl.SSLWantReadError:
                pass
            who, data = self._receive(client, [server])
            if who is None:
                return
            if who is client:
                incoming.write(data)
                continue
            tls.write(data)
            sent = bytearray(outgoing.read())
            if self.what == "alter":
                sent[-1] ^= 1
            client.sendall(sent)
