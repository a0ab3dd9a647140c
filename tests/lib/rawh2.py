"""HTTP/2 by hand: every frame that is sent is built byte by byte, right or wrong.

    with H2(address) as h2:
        h2.send(headers(1, get("/"), END_STREAM))
        print(h2.answer(1).status)
"""

import dataclasses
import socket
import struct

from tests.lib.rawhttp import Closed

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR,
 ENHANCE_YOUR_CALM) = range(12)
(HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE,
 MAX_HEADER_LIST_SIZE) = range(1, 7)
WINDOW = 65535  # what every window is before anybody changes it

# ---- HPACK ----

STATIC = [(":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
          (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), *(
              (":status", s) for s in ("200", "204", "206", "304", "400", "404", "500")),
          ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), *((name, "") for name in (
              "accept-language accept-ranges accept access-control-allow-origin age allow "
              "authorization cache-control content-disposition content-encoding content-language "
              "content-length content-location content-range content-type cookie date etag expect "
              "expires from host if-match if-modified-since if-none-match if-range "
              "if-unmodified-since last-modified link location max-forwards proxy-authenticate "
              "proxy-authorization range referer refresh retry-after server set-cookie "
              "strict-transport-security transfer-encoding user-agent vary via "
              "www-authenticate").split())]

# The code is canonical: the characters of each length, in order, tell it. Longer ones than these
# (controls, the backslash, bytes above 126) do not come up.
LENGTHS = {5: "012aceiost", 6: " %-./3456789=A_bdfghlmnpru",
           7: ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz", 8: "&*,;XZ", 10: '!"()?', 11: "'+|", 12: "#>",
           13: "\0$@[]~", 14: "^}", 15: "<`{"}


def _huffman():
    codes, code, last = {}, 0, 5
    for length, characters in LENGTHS.items():
        code <<= length - last
        last = length
        for character in characters:
            codes[character] = f"{code:0{length}b}"
            code += 1
    return codes


HUFFMAN = _huffman()
_SYMBOLS = {bits: character for character, bits in HUFFMAN.items()}


def huffman(text):
    """Coded, with the padding that belongs to it."""
    bits = "".join(HUFFMAN[c] for c in text)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def _plain(coded):
    text, bits = "", ""
    for bit in "".join(f"{byte:08b}" for byte in coded):
        bits += bit
        if bits in _SYMBOLS:
            text += _SYMBOLS[bits]
            bits = ""
    assert bits in "1111111", "odd padding"
    return text


def integer(value, prefix, first=0):
    """first: the bits above the prefix."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def string(text, coded=False):
    raw = huffman(text) if coded else text if isinstance(text, bytes) else text.encode("latin-1")
    return integer(len(raw), 7, 0x80 if coded else 0) + raw


def literal(name, value, kind=0x00, coded=False):
    """kind: 0x00 without indexing, 0x10 never indexed, 0x40 into the dynamic table."""
    return bytes([kind]) + string(name, coded) + string(value, coded)


def block(fields):
    """A header block that needs no table; bytes among the fields stand for themselves."""
    return b"".join(f if isinstance(f, bytes) else literal(*f) for f in fields)


class Decoder:
    def __init__(self):
        self.table = []

    def fields(self, data):
        out, at = [], 0
        while at < len(data):
            first = data[at]
            if first & 0x80:
                index, at = self._integer(data, at, 7)
                out.append(self._entry(index))
            elif first & 0x60 == 0x20:
                _, at = self._integer(data, at, 5)
            else:
                field, at = self._literal(data, at, 6 if first & 0x40 else 4)
                out.append(field)
                if first & 0x40:
                    self.table.insert(0, field)
        return out

    def _entry(self, index):
        return (STATIC + self.table)[index - 1]

    def _literal(self, data, at, prefix):
        index, at = self._integer(data, at, prefix)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = self._string(data, at)
        value, at = self._string(data, at)
        return (name, value), at

    def _string(self, data, at):
        coded = data[at] & 0x80
        size, at = self._integer(data, at, 7)
        raw = data[at:at + size]
        return _plain(raw) if coded else raw.decode("latin-1"), at + size

    @staticmethod
    def _integer(data, at, prefix):
        most = (1 << prefix) - 1
        value, at, shift = data[at] & most, at + 1, 0
        if value < most:
            return value, at
        while True:
            value += (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 128:
                return value, at


# ---- frames ----

def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """length: another one than the payload's."""
    size = len(payload) if length is None else length
    return struct.pack("!I", size)[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def headers(stream, fields, flags=0, more=0):
    """flags: END_STREAM and others beside END_HEADERS; more: how many CONTINUATION frames."""
    data = fields if isinstance(fields, bytes) else block(fields)
    size = -(-len(data) // (more + 1))
    parts = [data[i * size:(i + 1) * size] for i in range(more + 1)]
    out = frame(HEADERS, flags | (0 if more else END_HEADERS), stream, parts[0])
    for i, part in enumerate(parts[1:], 1):
        out += frame(CONTINUATION, END_HEADERS if i == more else 0, stream, part)
    return out


def data(stream, payload=b"", flags=0):
    return frame(DATA, flags, stream, payload)


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack("!HI", k, v) for k, v in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


def priority(stream, on, weight=15):
    return frame(PRIORITY, 0, stream, struct.pack("!IB", on, weight))


def goaway(last=0, code=NO_ERROR):
    return frame(GOAWAY, 0, 0, struct.pack("!II", last, code))


def request(path="/", method="GET", authority="hello.localhost", more=(), scheme="http"):
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path),
            *more]


def get(path="/", *more):
    return request(path, more=more)


def post(path="/", *more):
    return request(path, "POST", more=more)


@dataclasses.dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    def number(self, at=0):
        return struct.unpack_from("!I", self.payload, at)[0]


@dataclasses.dataclass
class Answer:
    """What came of a stream: exactly one of status, reset, goaway is not None, or none when the
    connection was closed without a word."""

    status: int = None
    reset: int = None
    goaway: int = None
    headers: list = dataclasses.field(default_factory=list)
    trailers: list = dataclasses.field(default_factory=list)
    body: bytes = b""

    def header(self, name):
        values = [v for n, v in self.headers if n == name]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


class H2:
    """One connection. windows: replenish the peer's flow-control windows as data comes."""

    def __init__(self, address, timeout=10.0, hello=PREFACE + settings(), tls=None, windows=True):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host.strip("[]"), int(port)), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=host)
        self.windows = windows
        self.settings = {}
        self.answers = {}  # what has come so far, by stream
        self.ended = set()  # streams of which no more will come
        self.pongs = []
        self.acks = 0
        self.window_updates = []  # (stream, increment) given to us
        self.gone = None  # the code of a GOAWAY
        self.largest = 0  # of the DATA frames' payloads
        self._decoder = Decoder()
        self._buffer = b""
        self._block = b""
        self._got_settings = False
        if hello:
            self.send(hello)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *frames):
        """A peer that has gone is found out when one reads."""
        try:
            self.sock.sendall(b"".join(frames))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _exactly(self, size):
        while len(self._buffer) < size:
            try:
                chunk = self.sock.recv(65536)
            except (ConnectionResetError, BrokenPipeError) as reset:
                raise Closed("reset by peer") from reset
            if not chunk:
                raise Closed("closed")
            self._buffer += chunk
        part, self._buffer = self._buffer[:size], self._buffer[size:]
        return part

    def read(self):
        """The next frame, taken account of. Closed when there is none."""
        head = self._exactly(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack("!BBI", head[3:])
        assert size <= 16384, f"a frame of {size} bytes"
        got = Frame(kind, flags, stream & 0x7FFFFFFF, self._exactly(size))
        take = self._TAKE.get(kind)
        if take:
            take(self, got)
        return got

    def of(self, stream):
        return self.answers.setdefault(stream, Answer())

    def _take_data(self, got):
        assert not got.flags & PADDED
        self.of(got.stream).body += got.payload
        self.largest = max(self.largest, len(got.payload))
        if self.windows and got.payload:
            self.send(window_update(0, len(got.payload)))
            if not got.flags & END_STREAM:
                self.send(window_update(got.stream, len(got.payload)))
        self._end(got)

    def _take_headers(self, got):
        assert not got.flags & (PADDED | PRIORITIZED)
        self._block = got.payload
        self._stream_flags = got.flags
        self._take_block(got)

    def _take_continuation(self, got):
        self._block += got.payload
        self._take_block(got)

    def _take_block(self, got):
        if not got.flags & END_HEADERS:
            return
        fields = self._decoder.fields(self._block)
        answer = self.of(got.stream)
        if answer.status is None or answer.status < 200:
            assert fields[0][0] == ":status"
            answer.status, answer.headers = int(fields[0][1]), fields[1:]
        else:
            answer.trailers = fields
        self._end(Frame(HEADERS, self._stream_flags, got.stream, b""))

    def _end(self, got):
        if got.flags & END_STREAM:
            self.ended.add(got.stream)

    def _take_reset(self, got):
        answer = self.of(got.stream)
        if got.stream not in self.ended:  # NO_ERROR behind a whole answer: it needs no more of us
            answer.reset, answer.status = got.number(), None
        self.ended.add(got.stream)

    def _take_settings(self, got):
        if got.flags & ACK:
            self.acks += 1
            return
        for at in range(0, len(got.payload), 6):
            key, value = struct.unpack_from("!HI", got.payload, at)
            self.settings[key] = value
        self._got_settings = True
        self.send(settings(flags=ACK))

    def _take_ping(self, got):
        if got.flags & ACK:
            self.pongs.append(got.payload)

    def _take_goaway(self, got):
        self.gone = got.number(4)

    def _take_window_update(self, got):
        self.window_updates.append((got.stream, got.number()))

    _TAKE = {DATA: _take_data, HEADERS: _take_headers, CONTINUATION: _take_continuation,
             RST_STREAM: _take_reset, SETTINGS: _take_settings, PING: _take_ping,
             GOAWAY: _take_goaway, WINDOW_UPDATE: _take_window_update}

    # ---- waiting ----

    def until(self, condition):
        """Reads on until condition() is true."""
        while not condition():
            self.read()

    def ready(self):
        """The peer's SETTINGS are here, and ours are taken."""
        self.until(lambda: self._got_settings and self.acks)
        return self

    def answer(self, stream):
        """All of a stream, or why there is no more of it. GOAWAY without an error ends nothing."""
        try:
            self.until(lambda: stream in self.ended or self.gone)
        except Closed:
            answer = self.of(stream)
            answer.status = None
        answer = self.of(stream)
        if stream not in self.ended:
            answer.goaway, answer.status = self.gone, None
        return answer

    def ping(self, payload=b"are you?"):
        """What was sent before has been taken when this returns."""
        before = len(self.pongs)
        self.send(frame(PING, 0, 0, payload))
        self.until(lambda: len(self.pongs) > before)

    def rest(self):
        """Reads to the peer's close; returns the code of its GOAWAY, None when there was none."""
        try:
            self.until(lambda: False)
        except Closed:
            return self.gone
