"""What a caller may send on an HTTP/2 connection, right and wrong, and what has to come of it:
RFC 9113 (HTTP/2) and RFC 7541 (HPACK), by their sections.

Each case is a sentence, the bytes behind a good preface and SETTINGS, and one of
    answered(status…)   stream 1 (or the one named) is answered
    malformed()         stream 1 is reset with PROTOCOL_ERROR, or answered 400 (RFC 9113, 8.1.1)
    stream_error(code…) stream 1 is reset; a connection error is as good (RFC 9113, 5.4.2)
    ended(code…)        GOAWAY with one of the codes, and the connection is closed; None: closed
                        without a word
"""

import dataclasses
import struct

from tests.lib.rawh2 import (
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM,
    ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS,
    INITIAL_WINDOW_SIZE, INTERNAL_ERROR, MAX_FRAME_SIZE, PADDED, PING, PRIORITIZED, PRIORITY,
    PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, block,
    data, frame, get, goaway, headers, huffman, integer, literal, post, priority, request,
    rst_stream, settings, string, window_update)


@dataclasses.dataclass
class Expected:
    statuses: tuple = ()  # of the answer
    resets: tuple = ()  # codes of RST_STREAM
    goaways: tuple = ()  # codes of GOAWAY
    stream: int = 1
    ignored: bool = False  # nothing comes of it, and that is as good


def answered(*statuses, stream=1):
    return Expected(statuses=statuses or (200,), stream=stream)


def malformed(*statuses):
    return Expected((400, *statuses), (PROTOCOL_ERROR,), (PROTOCOL_ERROR,))


def stream_error(*codes):
    return Expected(resets=codes, goaways=codes)


def ended(*codes):
    return Expected(goaways=codes)


OK = headers(1, get(), END_STREAM)
OPEN = headers(1, post())  # a body follows
BEGUN = frame(HEADERS, END_STREAM, 1, block(get()))  # CONTINUATION follows
MAX = 0x7FFFFFFF


def without(name):
    return headers(1, [f for f in get() if f[0] != name], END_STREAM)


def replaced(name, value):
    return headers(1, [(n, value if n == name else v) for n, v in get()], END_STREAM)


def also(*fields):
    return headers(1, get("/", *fields), END_STREAM)


def hpack(*raw):
    """A header block of these bytes behind a good request's."""
    return headers(1, block(get()) + b"".join(raw), END_STREAM)


FRAMES = {  # RFC 9113, 4
    "4.1 a frame of an unknown type is ignored": (
        frame(0xBE, 0xFF, 0, b"what is it") + OK, answered()),
    "4.1 a frame of an unknown type on a stream is ignored": (
        OPEN + frame(0xBE, 0xFF, 1, b"what is it") + data(1, b"", END_STREAM), answered()),
    "4.1 flags without meaning are ignored": (
        frame(HEADERS, END_HEADERS | END_STREAM | 0xC2, 1, block(get())), answered()),
    "4.1 the reserved bit of a stream's number is ignored": (
        frame(HEADERS, END_HEADERS | END_STREAM, 0x80000001, block(get())), answered()),
    "4.2 DATA longer than the frame limit": (
        OPEN + data(1, bytes(16385)), stream_error(FRAME_SIZE_ERROR)),
    "4.2 HEADERS longer than the frame limit": (
        headers(1, block(get()) + literal("x", "v" * 16384), END_STREAM),
        ended(FRAME_SIZE_ERROR)),
    "4.2 SETTINGS longer than the frame limit": (
        frame(SETTINGS, 0, 0, struct.pack("!HI", 99, 0) * 2731), ended(FRAME_SIZE_ERROR)),
    "4.3 a header block in many pieces": (headers(1, get(), END_STREAM, more=7), answered()),
}

HPACK = {  # RFC 9113, 4.3 and RFC 7541
    "H2.3.3 index 0": (hpack(b"\x80"), ended(COMPRESSION_ERROR)),
    "H2.3.3 an index behind both tables": (
        hpack(integer(70, 7, 0x80)), ended(COMPRESSION_ERROR)),
    "H2.3.3 a name's index behind both tables": (
        hpack(integer(70, 6, 0x40) + string("v")), ended(COMPRESSION_ERROR)),
    "H4.2 a table size update above the limit": (
        headers(1, integer(4097, 5, 0x20) + block(get()), END_STREAM), ended(COMPRESSION_ERROR)),
    "H4.2 a table size update at the end of a block": (
        hpack(integer(0, 5, 0x20)), ended(COMPRESSION_ERROR)),
    "H4.2 table size updates at the start of a block": (
        headers(1, integer(0, 5, 0x20) + integer(4096, 5, 0x20) + block(get()), END_STREAM),
        answered()),
    "H5.1 an integer that does not end": (hpack(b"\xff\xff\xff"), ended(COMPRESSION_ERROR)),
    "H5.1 an integer beyond all bounds": (
        hpack(b"\xff" + b"\xff" * 12 + b"\x7f"), ended(COMPRESSION_ERROR)),
    "H5.2 a string longer than its block": (
        hpack(b"\x00" + integer(9, 7) + b"x"), ended(COMPRESSION_ERROR)),
    "H5.2 Huffman padding of a whole byte": (
        hpack(b"\x00" + string("x") + integer(2, 7, 0x80) + huffman("a") + b"\xff"),
        ended(COMPRESSION_ERROR)),
    "H5.2 Huffman padding that is not ones": (
        hpack(b"\x00" + string("x") + integer(1, 7, 0x80) + b"\x18"), ended(COMPRESSION_ERROR)),
    "H5.2 the Huffman code that ends a string": (
        hpack(b"\x00" + string("x") + integer(4, 7, 0x80) + b"\xff\xff\xff\xff"),
        ended(COMPRESSION_ERROR)),
    "H6.2 Huffman codes in names and values": (
        headers(1, [literal(n, v, coded=True) for n, v in get("/huffman")], END_STREAM),
        answered()),
    "H6.2.1 a field that went into the table is found there": (
        headers(1, [*get(), literal("x-kept", "once", 0x40)], END_STREAM)
        + headers(3, [*get(), b"\xbe"], END_STREAM), answered(stream=3)),
    "H6.2.1 a field larger than the table empties it": (
        headers(1, [*get(), literal("x-kept", "v" * 5000, 0x40)], END_STREAM)
        + headers(3, [*get(), b"\xbe"], END_STREAM), ended(COMPRESSION_ERROR)),
    "H6.2.3 a field that is never indexed": (
        hpack(literal("x-secret", "of no table", 0x10)), answered()),
}

STREAMS = {  # RFC 9113, 5.1
    "5.1 DATA on an idle stream": (data(1, b"x"), ended(PROTOCOL_ERROR)),
    "5.1 RST_STREAM on an idle stream": (rst_stream(1), ended(PROTOCOL_ERROR)),
    "5.1 WINDOW_UPDATE on an idle stream": (window_update(1, 1), ended(PROTOCOL_ERROR)),
    "5.1 CONTINUATION on an idle stream": (
        frame(CONTINUATION, END_HEADERS, 1, block(get())), ended(PROTOCOL_ERROR)),
    "5.1 DATA behind the end of the request": (
        OK + data(1, b"x"), stream_error(STREAM_CLOSED)),
    "5.1 HEADERS behind the end of the request": (
        OK + headers(1, get(), END_STREAM), stream_error(STREAM_CLOSED)),
    "5.1 CONTINUATION behind the end of the header block": (
        OK + frame(CONTINUATION, END_HEADERS, 1, literal("x", "y")),
        ended(PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1 WINDOW_UPDATE behind the end of the request": (OK + window_update(1, 1), answered()),
    "5.1 PRIORITY behind the end of the request": (OK + priority(1, 0), answered()),
    "5.1 HEADERS behind a reset of one's own": (
        OPEN + rst_stream(1) + headers(1, get(), END_STREAM),
        Expected(goaways=(STREAM_CLOSED,), resets=(STREAM_CLOSED,), ignored=True)),
    "5.1.1 a stream with an even number": (
        headers(2, get(), END_STREAM), ended(PROTOCOL_ERROR)),
    "5.1.1 a stream with a lower number than the last": (
        headers(5, post()) + headers(3, get(), END_STREAM),
        Expected(goaways=(PROTOCOL_ERROR, STREAM_CLOSED), stream=3, ignored=True)),
    "5.1.1 streams may leave numbers out": (headers(77, get(), END_STREAM), answered(stream=77)),
    "5.1.1 the greatest number there is": (headers(MAX, get(), END_STREAM), answered(stream=MAX)),
}

KINDS = {  # RFC 9113, 6: what is wrong with a frame alone
    "6.1 DATA on stream 0": (data(0, b"x"), ended(PROTOCOL_ERROR)),
    "6.1 DATA with more padding than payload": (
        OPEN + frame(DATA, PADDED | END_STREAM, 1, b"\x05abcd"), ended(PROTOCOL_ERROR)),
    "6.1 DATA with padding": (
        OPEN + frame(DATA, PADDED | END_STREAM, 1, b"\x03abc\0\0\0"), answered()),
    "6.1 DATA that is padded and empty": (
        OPEN + frame(DATA, PADDED, 1, b""), stream_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "6.2 HEADERS on stream 0": (headers(0, get(), END_STREAM), ended(PROTOCOL_ERROR)),
    "6.2 HEADERS with more padding than payload": (
        frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\xff" + block(get())),
        ended(PROTOCOL_ERROR)),
    "6.2 HEADERS with padding and priority": (
        frame(HEADERS, END_HEADERS | END_STREAM | PADDED | PRIORITIZED, 1,
              b"\x04" + struct.pack("!IB", 0, 200) + block(get()) + bytes(4)), answered()),
    "6.2 HEADERS too short for its priority": (
        frame(HEADERS, END_HEADERS | END_STREAM | PRIORITIZED, 1, b"\0\0"),
        ended(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "6.3 PRIORITY on stream 0": (priority(0, 1), ended(PROTOCOL_ERROR)),
    "6.3 PRIORITY of another length": (
        OPEN + frame(PRIORITY, 0, 1, b"\0\0\0\0"), stream_error(FRAME_SIZE_ERROR)),
    "6.3 PRIORITY on an idle stream": (priority(9, 7) + OK, answered()),
    "6.3 a stream that depends on itself": (
        priority(1, 1) + OK, Expected((200,), (PROTOCOL_ERROR,), (PROTOCOL_ERROR,))),
    "6.4 RST_STREAM on stream 0": (rst_stream(0), ended(PROTOCOL_ERROR)),
    "6.4 RST_STREAM of another length": (
        OPEN + frame(RST_STREAM, 0, 1, b"\0\0\0"), ended(FRAME_SIZE_ERROR)),
    "6.5 SETTINGS on a stream": (settings(stream=1), ended(PROTOCOL_ERROR)),
    "6.5 SETTINGS of an odd length": (frame(SETTINGS, 0, 0, bytes(5)), ended(FRAME_SIZE_ERROR)),
    "6.5 an acknowledgement with a payload": (
        frame(SETTINGS, ACK, 0, bytes(6)), ended(FRAME_SIZE_ERROR)),
    "6.5.2 ENABLE_PUSH that is neither 0 nor 1": (
        settings((ENABLE_PUSH, 2)), ended(PROTOCOL_ERROR)),
    "6.5.2 INITIAL_WINDOW_SIZE above the greatest window": (
        settings((INITIAL_WINDOW_SIZE, MAX + 1)), ended(FLOW_CONTROL_ERROR)),
    "6.5.2 MAX_FRAME_SIZE below the least": (
        settings((MAX_FRAME_SIZE, 16383)), ended(PROTOCOL_ERROR)),
    "6.5.2 MAX_FRAME_SIZE above the greatest": (
        settings((MAX_FRAME_SIZE, 1 << 24)), ended(PROTOCOL_ERROR)),
    "6.5.2 a setting that nobody knows": (settings((0xFFFF, 7)) + OK, answered()),
    "6.5.3 the same setting twice counts as the last": (
        settings((INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, 65535)) + OK, answered()),
    "6.6 PUSH_PROMISE of a client": (
        OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack("!I", 2) + block(get())),
        ended(PROTOCOL_ERROR)),
    "6.7 PING on a stream": (frame(PING, 0, 1, bytes(8)), ended(PROTOCOL_ERROR)),
    "6.7 PING of another length": (frame(PING, 0, 0, bytes(6)), ended(FRAME_SIZE_ERROR)),
    "6.7 an answer to a PING that nobody sent": (frame(PING, ACK, 0, bytes(8)) + OK, answered()),
    "6.8 GOAWAY on a stream": (
        frame(GOAWAY, 0, 1, bytes(8)), ended(PROTOCOL_ERROR)),
    "6.8 GOAWAY too short": (frame(GOAWAY, 0, 0, bytes(4)), ended(FRAME_SIZE_ERROR)),
    "6.8 what was asked before GOAWAY is answered": (OK + goaway(), answered()),
    "6.9 WINDOW_UPDATE by 0 on the connection": (window_update(0, 0), ended(PROTOCOL_ERROR)),
    "6.9 WINDOW_UPDATE by 0 on a stream": (
        OPEN + window_update(1, 0), stream_error(PROTOCOL_ERROR)),
    "6.9 WINDOW_UPDATE of another length": (
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), ended(FRAME_SIZE_ERROR)),
    "6.9.1 the connection's window overflows": (
        window_update(0, MAX), ended(FLOW_CONTROL_ERROR)),
    "6.9.1 a stream's window overflows": (
        OPEN + window_update(1, MAX), stream_error(FLOW_CONTROL_ERROR)),
    "6.9.2 a new initial window makes a stream's overflow": (
        OPEN + window_update(1, MAX - 65535) + settings((INITIAL_WINDOW_SIZE, 65536)),
        stream_error(FLOW_CONTROL_ERROR)),
    "6.10 CONTINUATION on stream 0": (
        BEGUN + frame(CONTINUATION, END_HEADERS, 0, literal("x", "y")), ended(PROTOCOL_ERROR)),
    "6.10 CONTINUATION on another stream": (
        BEGUN + frame(CONTINUATION, END_HEADERS, 3, literal("x", "y")), ended(PROTOCOL_ERROR)),
    "6.10 DATA within a header block": (BEGUN + data(1, b"x"), ended(PROTOCOL_ERROR)),
    "6.10 HEADERS within another header block": (
        BEGUN + headers(3, get(), END_STREAM), ended(PROTOCOL_ERROR)),
    "6.10 PING within a header block": (BEGUN + frame(PING, 0, 0, bytes(8)), ended(PROTOCOL_ERROR)),
    "6.10 a frame of an unknown type within a header block": (
        BEGUN + frame(0xBE, 0, 1, b"?"), ended(PROTOCOL_ERROR)),
    "6.10 CONTINUATION without end": (
        BEGUN + b"".join(frame(CONTINUATION, 0, 1, literal(f"x-{i}", "v" * 4000))
                         for i in range(200)),
        Expected((431,), (PROTOCOL_ERROR, ENHANCE_YOUR_CALM, INTERNAL_ERROR),
                 (PROTOCOL_ERROR, ENHANCE_YOUR_CALM, COMPRESSION_ERROR, INTERNAL_ERROR, None))),
    "6.10 empty CONTINUATION without end": (
        BEGUN + frame(CONTINUATION, 0, 1) * 20000,
        ended(ENHANCE_YOUR_CALM, PROTOCOL_ERROR, INTERNAL_ERROR, None)),
}

MESSAGES = {  # RFC 9113, 8
    "8.1 trailers that do not end the request": (
        OPEN + headers(1, [("x-trailer", "early")]) + data(1, b"x", END_STREAM), malformed()),
    "8.1 trailers": (
        OPEN + data(1, b"x") + headers(1, [("x-trailer", "late")], END_STREAM), answered()),
    "8.1 a pseudo-header field among trailers": (
        OPEN + headers(1, [(":path", "/")], END_STREAM), malformed()),
    "8.1.1 less content than Content-Length": (
        headers(1, post("/", ("content-length", "5"))) + data(1, b"four", END_STREAM),
        malformed()),
    "8.1.1 more content than Content-Length": (
        headers(1, post("/", ("content-length", "3"))) + data(1, b"fo")
        + data(1, b"ur", END_STREAM), malformed()),
    "8.1.1 Content-Length and no content": (also(("content-length", "1")), malformed()),
    "8.1.1 two Content-Lengths": (
        headers(1, post("/", ("content-length", "1"), ("content-length", "2")))
        + data(1, b"x", END_STREAM), malformed()),
    "8.1.1 a Content-Length that is no number": (
        headers(1, post("/", ("content-length", "1x"))) + data(1, b"x", END_STREAM), malformed()),
    "8.2 an upper-case letter in a name": (also(("X-Upper", "v")), malformed()),
    "8.2.1 a blank in a name": (also(("x y", "v")), malformed()),
    "8.2.1 a colon in a name": (also(("x:y", "v")), malformed()),
    "8.2.1 an empty name": (also(("", "v")), malformed()),
    "8.2.1 a name above ASCII": (also((b"x\xff", "v")), malformed()),
    "8.2.1 NUL in a value": (also(("x", "a\0b")), malformed()),
    "8.2.1 a line break in a value": (also(("x", "a\nb: c")), malformed()),
    "8.2.1 a carriage return in a value": (also(("x", "a\rb")), malformed()),
    "8.2.1 a blank before a value": (also(("x", " v")), malformed()),
    "8.2.1 a tab behind a value": (also(("x", "v\t")), malformed()),
    "8.2.1 an empty value": (also(("x", "")), answered()),
    "8.2.2 Connection": (also(("connection", "close")), malformed()),
    "8.2.2 Keep-Alive": (also(("keep-alive", "timeout=5")), malformed()),
    "8.2.2 Proxy-Connection": (also(("proxy-connection", "close")), malformed()),
    "8.2.2 Transfer-Encoding": (
        headers(1, post("/", ("transfer-encoding", "chunked"))) + data(1, b"0\r\n\r\n", END_STREAM),
        malformed()),
    "8.2.2 Upgrade": (also(("upgrade", "websocket")), malformed()),
    "8.2.2 TE that is not trailers": (also(("te", "gzip")), malformed()),
    "8.2.2 TE that is trailers": (also(("te", "trailers")), answered()),
    "8.3 an unknown pseudo-header field": (also((":unknown", "v")), malformed()),
    "8.3 a response's pseudo-header field": (also((":status", "200")), malformed()),
    "8.3 a pseudo-header field behind regular ones": (
        headers(1, [("x", "v"), *get()], END_STREAM), malformed()),
    "8.3.1 no method": (without(":method"), malformed()),
    "8.3.1 no scheme": (without(":scheme"), malformed()),
    "8.3.1 no path": (without(":path"), malformed()),
    "8.3.1 an empty path": (replaced(":path", ""), malformed()),
    "8.3.1 a path that begins with no slash": (replaced(":path", "items"), malformed()),
    "8.3.1 a blank in the path": (replaced(":path", "/a b HTTP/1.1"), malformed()),
    "8.3.1 a line break in the path": (replaced(":path", "/ HTTP/1.1\r\nx: y"), malformed()),
    "8.3.1 an empty method": (replaced(":method", ""), malformed()),
    "8.3.1 a blank in the method": (replaced(":method", "GET /admin"), malformed()),
    "8.3.1 two methods": (also((":method", "POST")), malformed()),
    "8.3.1 two schemes": (also((":scheme", "https")), malformed()),
    "8.3.1 two paths": (also((":path", "/other")), malformed()),
    "8.3.1 two authorities": (also((":authority", "other.localhost")), malformed()),
    "8.3.1 an authority with a user": (replaced(":authority", "u@hello.localhost"), malformed()),
    "8.3.1 Host instead of the authority": (
        headers(1, [*[f for f in get() if f[0] != ":authority"], ("host", "hello.localhost")],
                END_STREAM), answered()),
    "8.3.1 Host that names another authority": (also(("host", "db.localhost")), malformed(200)),
    "8.3.1 two Hosts": (
        headers(1, [*[f for f in get() if f[0] != ":authority"], ("host", "hello.localhost"),
                    ("host", "db.localhost")], END_STREAM), malformed()),
    "8.3.1 neither authority nor Host": (without(":authority"), malformed()),
    "8.5 CONNECT with a path": (headers(1, request("/", "CONNECT"), END_STREAM), malformed()),
    "8.5 CONNECT for a tunnel": (
        headers(1, [(":method", "CONNECT"), (":authority", "hello.localhost:80")]),
        malformed(403, 404, 405, 501)),
    "8441 an extended CONNECT that was not offered": (
        headers(1, [*request("/", "CONNECT"), (":protocol", "websocket")]), malformed(405, 501)),
}

CASES = {**FRAMES, **HPACK, **STREAMS, **KINDS, **MESSAGES}
