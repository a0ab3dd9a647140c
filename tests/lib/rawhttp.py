"""HTTP/1.1 by hand: what is sent and received is known byte by byte."""

import dataclasses
import socket
import urllib.parse


@dataclasses.dataclass
class Response:
    raw_head: bytes  # status line and fields as received, the empty line included
    version: str
    status: int
    reason: str
    headers: list  # [(name, value)] in order, case kept
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)  # statuses of 1xx answers before it

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name, default=None):
        """The one value; AssertionError when the field came twice."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else default

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def names(self):
        return [n for n, _ in self.headers]


class Closed(Exception):
    """The peer closed the connection before the answer was complete."""


class Client:
    """One connection. send() takes bytes as they are; read() takes one answer off it."""

    def __init__(self, address, timeout=10.0, source=None, wrap=None):
        """address: "127.0.0.1:8080" or (host, port). wrap(socket) returns what to speak on (TLS)."""
        if isinstance(address, str):
            host, _, port = address.rpartition(":")
            address = (host.strip("[]"), int(port))
        self.address = address
        self.sock = socket.create_connection(
            address, timeout, source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""
        if wrap:
            self.wrap(wrap)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def wrap(self, wrap):
        """From here on the connection is spoken through wrap(socket)."""
        assert not self._data, f"already received {self._data[:200]!r}"
        plain = self.sock
        try:
            self.sock = wrap(plain)
        except BaseException:
            plain.close()
            raise

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def request(self, method, target, headers=(), body=None):
        """Sends Host first unless headers (list of pairs, or mapping) has one; Content-Length when
        there is a body and no framing was given."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {n.lower() for n, _ in pairs}
        if "host" not in names:
            host, port = self.address[:2]
            pairs.insert(0, ("Host", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"))
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(body))))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in pairs)
        self.send(head.encode("latin-1") + b"\r\n" + (body or b""))

    def _more(self):
        try:
            chunk = self.sock.recv(65536)
        except ConnectionResetError as reset:
            raise Closed("reset by peer") from reset
        if not chunk:
            raise Closed(f"closed after {self._data[:200]!r}")
        self._data += chunk

    def _until(self, mark):
        while mark not in self._data:
            self._more()
        part, self._data = self._data.split(mark, 1)
        return part + mark

    def _exactly(self, n):
        chunks, have = [], len(self._data)
        while have < n:
            chunks.append(self._data)
            self._data = b""
            self._more()
            have += len(self._data)
        chunks.append(self._data)
        whole = b"".join(chunks)
        self._data = whole[n:]
        return whole[:n]

    def read_head(self):
        raw = self._until(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")[:-2]
        version, status, *reason = lines[0].split(" ", 2)
        return Response(raw, version, int(status), reason[0] if reason else "", _fields(lines[1:]))

    def read(self, head_only=False):
        """One final answer; 1xx before it are noted. head_only: it answers a HEAD."""
        interim = []
        while True:
            response = self.read_head()
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response.status)
        response.interim = interim
        if head_only or response.status in (101, 204, 304):
            return response
        if "chunked" in (response.header("Transfer-Encoding") or "").lower():
            response.body = b"".join(self.chunks(response))
        elif response.header("Content-Length") is not None:
            response.body = self._exactly(int(response.header("Content-Length")))
        else:
            response.body = self.rest()
        return response

    def chunks(self, response):
        """Yields the chunks of a chunked body as they come; trailers go into the response."""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            yield self._exactly(size)
            assert self._exactly(2) == b"\r\n", "no CRLF behind a chunk"
        while True:
            line = self._until(b"\r\n")[:-2].decode("latin-1")
            if not line:
                return
            response.trailers += _fields([line])

    def rest(self):
        """Everything until the peer closes."""
        while True:
            try:
                self._more()
            except Closed:
                data, self._data = self._data, b""
                return data

    def closed(self):
        """Waits for the peer's close; true when nothing came before it."""
        try:
            self._more()
        except Closed:
            return True
        return False


def _fields(lines):
    pairs = []
    for line in lines:
        name, _, value = line.partition(":")
        pairs.append((name, value.strip(" \t")))
    return pairs


def http(method, url, headers=(), body=None, timeout=10.0, source=None):
    """One request on its own connection. The path and query of url are sent as they stand."""
    parts = urllib.parse.urlsplit(url)
    rest = url.split("://", 1)[1]
    slash = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
    target = rest[slash:] or "/"
    if target.startswith("?"):
        target = "/" + target
    with Client((parts.hostname, parts.port or 80), timeout, source) as client:
        client.request(method, target, headers, body)
        return client.read(head_only=method == "HEAD")


def send_raw(address, data, timeout=10.0, half_close=False):
    """Sends bytes on a new connection and returns all bytes until the peer closes. A peer that closes
    while we still send is fine."""
    with Client(address, timeout) as client:
        try:
            client.send(data)
            if half_close:
                client.half_close()
        except OSError as refused:
            if isinstance(refused, TimeoutError):
                raise
        return client.rest()
