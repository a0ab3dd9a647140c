"""An upstream that records what reached it, byte by byte, and answers as the test says."""

import collections
import dataclasses
import socket
import threading

from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, Closed, _fields


@dataclasses.dataclass
class Received:
    raw_head: bytes
    method: str
    target: str
    version: str
    headers: list  # [(name, value)] in order, case kept
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    connection: int = 0  # which connection it came by: 1, 2, …

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name, default=None):
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else default


def answer(status=200, body=b"", headers=(), reason="OK", length=True):
    """The bytes of an answer."""
    pairs = list(headers)
    if length:
        pairs.append(("Content-Length", str(len(body))))
    head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in pairs)
    return head.encode("latin-1") + b"\r\n" + body


class _Reader(Client):
    """The receiving side of a connection, on the client's parsing."""

    def __init__(self, sock):  # pylint: disable=super-init-not-called
        self.sock = sock
        self._data = b""

    def read_request_head(self):
        raw = self._until(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")[:-2]
        method, target, version = lines[0].split(" ", 2)
        return Received(raw, method, target, version, _fields(lines[1:]))

    def read_body(self, received):
        if "chunked" in ",".join(received.all("Transfer-Encoding")).lower():
            received.body = b"".join(self.chunks(received))
        elif received.all("Content-Length"):
            received.body = self._exactly(int(received.all("Content-Length")[0]))


class Upstream:
    """Listens on a free port. Without a script it echoes: 200 with the request's head and body.

    reply(raw)     queues the bytes of the next answer (see answer())
    handle = fn    fn(received) -> bytes, or None to close; instead of the queue
    serve = fn     fn(reader, received) with the head read and the body not: full control of
                   reader.sock; returns True to keep the connection
    requests       what was received, in order
    """

    def __init__(self, handle=None, serve=None, host="127.0.0.1", port=0):
        self.handle = handle
        self.serve = serve
        self.requests = []
        self.connections = 0  # accepted so far
        self.open = set()  # sockets that are open now
        self._replies = collections.deque()
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port), backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        self.address = f"{self.host}:{self.port}"
        self.url = f"http://{self.address}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            sockets = list(self.open)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def reply(self, raw):
        self._replies.append(raw)

    @property
    def last(self):
        return self.requests[-1]

    def wait_for(self, count, timeout=10.0):
        """Waits until `count` requests were received; returns them."""
        wait_until(lambda: len(self.requests) >= count, timeout, f"{count} requests")
        return self.requests[:count]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                number = self.connections
                self.open.add(sock)
            threading.Thread(target=self._connection, args=(sock, number), daemon=True).start()

    def _connection(self, sock, number):
        try:
            reader = _Reader(sock)
            while self._one(reader, number):
                pass
        except (Closed, OSError):
            pass
        finally:
            with self._lock:
                self.open.discard(sock)
            sock.close()

    def _one(self, reader, number):
        received = reader.read_request_head()
        received.connection = number
        if self.serve:
            self.requests.append(received)
            return self.serve(reader, received)
        reader.read_body(received)
        self.requests.append(received)
        raw = self._answer(received)
        if raw is None:
            return False
        reader.sock.sendall(raw)
        return "close" not in ",".join(received.all("Connection")).lower()

    def _answer(self, received):
        if self.handle:
            return self.handle(received)
        with self._lock:
            if self._replies:
                return self._replies.popleft()
        body = b"" if received.method == "HEAD" else received.raw_head + received.body
        return answer(body=body, headers=[("Content-Type", "application/octet-stream")])
