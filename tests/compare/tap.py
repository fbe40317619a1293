"""A wire tap between an upsmon and its upsd: what was said, and a way to say something else.

Tests wait on it ("two polls since the status changed") instead of on the clock. It also stands
in for the server where dummy-ups cannot: `answer` replies in the server's place, `frozen` lets
the server hang, close() and open() take it away and bring it back. Without a server_port there
is no upsd behind it at all: then `answer` is the server (see Scripted).
"""

import select
import socket
import threading
import time

from lab.upsd import held_port


class Tap:
    def __init__(self, server_port):
        self.server_port = server_port
        self.requests = []  # (line, reply), in order
        self.frozen = False
        self.answer = lambda line: None
        self.lock = threading.Lock()
        self.listener = None
        self.connections = []
        # its port stays its own while it is closed
        self.port, self.held = held_port()
        self.open()

    # -- the server comes and goes -------------------------------------------

    def open(self):
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        listener, self.listener = self.listener, None
        if listener:
            # close() alone does not wake a thread in accept()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.lock:
            connections, self.connections = self.connections, []
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self):
        self.close()
        self.held.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.append(client)
            threading.Thread(target=self._guarded, args=(client,), daemon=True).start()

    def _guarded(self, client):
        with client:
            try:
                if self.server_port is None:
                    self._talk(client, None)
                else:
                    with socket.create_connection(("127.0.0.1", self.server_port), 5) as server:
                        self._talk(client, server)
            except OSError:
                pass
            with self.lock:
                if client in self.connections:
                    self.connections.remove(client)

    # -- one connection ------------------------------------------------------

    def _talk(self, client, server):
        replies = server.makefile("rb") if server else None
        ends = [client, server] if server else [client]
        waiting = b""
        while True:
            readable, _, _ = select.select(ends, [], [])
            # a server that speaks unasked has closed the connection
            if server in readable:
                return
            data = client.recv(4096)
            if not data:
                return
            waiting += data
            while b"\n" in waiting:
                line, waiting = waiting.split(b"\n", 1)
                while self.frozen:
                    # as a server that hangs: the client may give up meanwhile
                    if select.select([client], [], [], 0.05)[0] and \
                            not client.recv(1, socket.MSG_PEEK):
                        return
                    time.sleep(0.02)
                reply = self._ask(line, server, replies)
                if not reply:
                    return
                client.sendall(reply)
                # what stands here has been delivered
                self.requests.append((line.decode(errors="replace").rstrip("\r"),
                                      reply.decode(errors="replace").rstrip("\n")))

    def _ask(self, line, server, replies):
        text = line.decode(errors="replace").rstrip("\r")
        own = self.answer(text)
        if own is not None or server is None:
            reply = (own or "ERR UNKNOWN-COMMAND").encode() + b"\n"
        else:
            server.sendall(line + b"\n")
            reply = replies.readline()
            if reply.startswith(b"BEGIN"):
                while not reply.splitlines()[-1].startswith(b"END"):
                    more = replies.readline()
                    if not more:
                        return b""
                    reply += more
        return reply

    # -- what was said -------------------------------------------------------

    def said(self, start):
        """The requests that begin so, each with its reply."""
        return [item for item in list(self.requests) if item[0].startswith(start)]

    def polls(self, ups="ups"):
        """The replies to each poll of a UPS."""
        return [reply for _, reply in self.said(f"GET VAR {ups} ups.status")]


class Scripted(Tap):
    """A server without an upsd, for tests that want one reply to be odd and no driver to wait for.

    status: the ups.status of each UPS. replies: what is answered to a line that begins so, a text
    or a function of the line; None goes on to the next rule.
    """

    def __init__(self, **status):
        self.status = status or {"ups": "OL"}
        self.variables = {}
        self.replies = {}
        super().__init__(None)
        self.answer = self._reply

    def _reply(self, line):
        for start, reply in self.replies.items():
            if line.startswith(start):
                text = reply(line) if callable(reply) else reply
                if text is not None:
                    return text
        words = line.split(" ")
        if words[0] in ("USERNAME", "PASSWORD", "LOGIN"):
            return "OK"
        if words[0] == "PRIMARY":
            return "OK PRIMARY-GRANTED"
        if words[0] == "LOGOUT":
            return "OK Goodbye."
        if words[0] == "FSD":
            self.status[words[1]] = "FSD " + self.status[words[1]]
            return "OK FSD-SET"
        if words[:2] == ["GET", "NUMLOGINS"]:
            return f"NUMLOGINS {words[2]} 1"
        if words[:2] == ["GET", "VAR"]:
            value = self.status.get(words[2]) if words[3] == "ups.status" \
                else self.variables.get(words[3])
            return f'VAR {words[2]} {words[3]} "{value}"' if value is not None \
                else "ERR VAR-NOT-SUPPORTED"
        return "ERR UNKNOWN-COMMAND"
