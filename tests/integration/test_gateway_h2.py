"""HTTP/2 towards callers, frame by frame: the corpus, and what takes more than one step."""

import re
import threading
import time
import unittest

from tests.corpus.h2_frames import CASES
from tests.lib.gateway import Gateway
from tests.lib.harness import Client, answer, sanitized, wait_until
from tests.lib.rawh2 import (
    DATA, END_STREAM, FLOW_CONTROL_ERROR, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, PING, PREFACE, PROTOCOL_ERROR, REFUSED_STREAM,
    SETTINGS, WINDOW, Closed, H2, block, data, frame, get, goaway, headers, literal, post,
    priority, request, rst_stream, settings, window_update)

MIB = 1 << 20


class H2Test(unittest.TestCase):
    """`hello` is public and echoes; `private` is neither."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(
            {"hello": {"service_account": "other-sa"},
             "private": {"service_account": "backend-sa"}},
            {"allUsers": ["hello"], "frontend-sa": ["private"]})
        cls.addClassCleanup(cls.gateway.close)
        cls.upstream = cls.gateway.upstreams["hello"]

    def setUp(self):
        self.upstream.serve = self.upstream.handle = None

    def open(self, service="hello", **more):
        h2 = H2(self.gateway.address(service), **more)
        self.addCleanup(h2.close)
        return h2

    def lives(self):
        """A fresh connection is answered, by the same process."""
        with self.open() as h2:
            h2.send(headers(1, get("/fresh"), END_STREAM))
            self.assertEqual(h2.answer(1).status, 200)
        self.assertIsNone(self.gateway.process.popen.poll())

    def holds(self):
        """Requests to hello wait for the event that is returned; then they are answered."""
        event = threading.Event()
        self.addCleanup(event.set)

        def serve(reader, received):
            reader.read_body(received)
            event.wait(20)
            reader.sock.sendall(answer(body=received.target.encode()))
            return True
        self.upstream.serve = serve
        return event


class CorpusTest(H2Test):
    def check(self, sent, expected):
        with self.open() as h2:
            h2.ready()
            h2.send(sent)
            if expected.ignored:
                return self.check_ignored(h2, expected)
            got = h2.answer(expected.stream)
            if got.status is not None:
                self.assertIn(got.status, expected.statuses)
            elif got.reset is not None:
                self.assertIn(got.reset, expected.resets)
                h2.ping()
            else:
                self.assertIn(got.goaway, expected.goaways)
                self.assertEqual(h2.rest(), got.goaway)
        self.lives()

    def check_ignored(self, h2, expected):
        try:
            h2.ping()
        except Closed:
            self.assertIn(h2.gone, expected.goaways)
        self.assertNotIn(expected.stream, h2.answers)
        self.lives()


def _add_corpus():
    """Each case as a test of its own, named by its sentence."""
    def add(sentence, case):
        def test(self):
            self.check(*case)
        name = "test_" + re.sub(r"\W+", "_", sentence)
        assert not hasattr(CorpusTest, name), name
        test.__name__ = name
        test.__doc__ = sentence
        setattr(CorpusTest, name, test)
    for sentence, case in CASES.items():
        add(sentence, case)


_add_corpus()


class ConnectionTest(H2Test):
    def test_a_preface_in_single_bytes_is_understood(self):
        with self.open(hello=None) as h2:
            for byte in PREFACE + settings() + headers(1, get(), END_STREAM):
                h2.send(bytes([byte]))
            self.assertEqual(h2.answer(1).status, 200)

    def test_a_preface_with_the_whole_request_in_one_packet_is_understood(self):
        with self.open(hello=PREFACE + settings() + headers(1, get(), END_STREAM)) as h2:
            self.assertEqual(h2.answer(1).status, 200)

    def test_a_preface_that_goes_wrong_ends_the_connection(self):
        for wrong in (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"):
            with self.subTest(wrong=wrong), self.open(hello=wrong + settings()) as h2:
                try:
                    self.assertIn(h2.rest(), (None, PROTOCOL_ERROR))
                except AssertionError as odd:  # an answer of HTTP/1.1 is no frame
                    self.assertIn("a frame of", str(odd))
        self.lives()

    def test_a_preface_that_stops_halfway_harms_nobody(self):
        for size in (1, 3, 14, 23, 24, 30):
            with self.open(hello=(PREFACE + settings())[:size]):
                pass
        self.lives()

    def test_a_preface_without_settings_ends_the_connection(self):
        with self.open(hello=PREFACE + frame(PING, 0, 0, bytes(8))) as h2:
            self.assertEqual(h2.rest(), PROTOCOL_ERROR)
        self.lives()

    def test_a_hundred_streams_are_announced(self):
        self.assertEqual(self.open().ready().settings[MAX_CONCURRENT_STREAMS], 100)

    def test_every_settings_and_every_ping_is_acknowledged(self):
        h2 = self.open().ready()
        h2.send(*[settings((MAX_FRAME_SIZE, 16384))] * 5)
        for word in (b"12345678", b"abcdefgh"):
            h2.ping(word)
        self.assertEqual(h2.acks, 6)
        self.assertEqual(h2.pongs, [b"12345678", b"abcdefgh"])

    def test_goaway_lets_what_runs_end_and_closes_then(self):
        event = self.holds()
        h2 = self.open().ready()
        h2.send(headers(1, get("/slow"), END_STREAM), goaway())
        h2.ping()
        event.set()
        self.assertEqual(h2.answer(1).body, b"/slow")
        self.assertFalse(h2.rest())

    def test_an_upgrade_to_h2c_stays_with_http_1(self):
        got = self.gateway.get("hello", "/", {"Connection": "Upgrade, HTTP2-Settings",
                                              "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"})
        self.assertEqual(got.status, 200)
        self.assertNotIn(b"h2c", got.body)

    def test_http_1_and_http_2_share_the_port(self):
        with Client(self.gateway.address("hello")) as client, self.open() as h2:
            for _ in range(2):
                client.request("GET", "/one")
                self.assertEqual(client.read().status, 200)
            h2.send(headers(1, get("/two"), END_STREAM))
            self.assertEqual(h2.answer(1).status, 200)


class MessageTest(H2Test):
    def ask(self, sent, stream=1, service="hello"):
        with self.open(service) as h2:
            h2.send(sent)
            return h2.answer(stream)

    def test_the_service_gets_a_request_of_http_1(self):
        got = self.ask(headers(1, get("/a%2Fb?x=1", ("x-thing", "v")), END_STREAM))
        head = got.body.decode().split("\r\n")
        self.assertEqual(head[0], "GET /a%2Fb?x=1 HTTP/1.1")
        self.assertEqual(self.upstream.last.header("Host"), "hello.localhost")
        self.assertEqual(self.upstream.last.header("X-Thing"), "v")
        self.assertEqual(self.upstream.last.header("X-Forwarded-Proto"), "http")
        self.assertFalse([n for n, _ in self.upstream.last.headers if n.startswith(":")])

    def test_a_body_without_a_length_arrives_whole(self):
        got = self.ask(headers(1, post()) + data(1, b"one,") + data(1) + data(1, b"two")
                       + data(1, b"", END_STREAM))
        self.assertEqual(got.status, 200)
        self.assertEqual(self.upstream.last.body, b"one,two")

    def test_crumbs_of_a_cookie_are_put_together(self):
        self.ask(headers(1, get("/", ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")), END_STREAM))
        self.assertEqual(self.upstream.last.header("Cookie"), "a=1; b=2")

    def test_the_authority_counts_and_not_another_host(self):
        got = self.ask(headers(1, get("/", ("host", "db.localhost")), END_STREAM))
        if got.status == 200:
            self.assertEqual(self.upstream.last.header("Host"), "hello.localhost")
        else:
            self.assertIn(got.status, (400, None))

    def test_repeated_fields_keep_their_order(self):
        self.upstream.reply(answer(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
        got = self.ask(headers(1, get("/", ("x-many", "1"), ("x-many", "2")), END_STREAM))
        self.assertEqual(self.upstream.last.all("X-Many"), ["1", "2"])
        self.assertEqual([v for n, v in got.headers if n == "set-cookie"], ["a=1", "b=2"])

    def test_an_answers_fields_are_those_of_http_2(self):
        self.upstream.reply(answer(body=b"x", headers=[
            ("X-Upper", "V"), ("Connection", "x-hop"), ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5")]))
        got = self.ask(headers(1, get(), END_STREAM))
        names = [n for n, _ in got.headers]
        self.assertEqual(names, [n.lower() for n in names])
        self.assertEqual(got.header("x-upper"), "V")
        for hop in ("connection", "keep-alive", "transfer-encoding", "x-hop"):
            self.assertNotIn(hop, names)

    def test_head_has_a_length_and_no_content(self):
        self.upstream.reply(answer(headers=[("Content-Length", "77")], length=False))
        got = self.ask(headers(1, request("/", "HEAD"), END_STREAM))
        self.assertEqual((got.status, got.header("content-length"), got.body), (200, "77", b""))

    def test_an_answer_without_content_ends_with_its_head(self):
        for status in (204, 304):
            self.upstream.reply(answer(status, length=False))
            got = self.ask(headers(1, get(), END_STREAM))
            self.assertEqual((got.status, got.body), (status, b""))

    def test_trailers_of_an_answer_arrive(self):
        self.upstream.reply(answer(headers=[("Transfer-Encoding", "chunked")], length=False)
                            + b"3\r\nabc\r\n0\r\nX-Trailer: late\r\n\r\n")
        got = self.ask(headers(1, get("/", ("te", "trailers")), END_STREAM))
        self.assertEqual((got.body, got.trailers), (b"abc", [("x-trailer", "late")]))

    def test_an_answer_that_breaks_off_is_reset(self):
        seen = threading.Event()

        def serve(reader, received):
            reader.read_body(received)
            reader.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour")
            seen.wait(10)
            return False
        self.upstream.serve = serve
        h2 = self.open()
        h2.send(headers(1, get(), END_STREAM))
        h2.until(lambda: h2.of(1).body == b"four")
        seen.set()
        self.assertIsNotNone(h2.answer(1).reset)
        h2.ping()

    def test_refusals_are_those_of_http_1(self):
        wrong = self.gateway.token(audience="https://other.example.com")
        for status, more in ((403, []), (401, [("authorization", "Bearer nonsense")]),
                             (401, [("authorization", f"Bearer {wrong}")])):
            with self.subTest(status=status, more=more):
                got = self.ask(headers(1, get("/a?b=c", *more), END_STREAM), service="private")
                same = self.gateway.get("private", "/a?b=c", dict(more))
                self.assertEqual((got.status, got.body), (status, same.body))
                names = [n.lower() for n in same.names if n.lower() != "connection"]
                self.assertEqual(sorted(n for n, _ in got.headers), sorted(names))
                self.assertEqual(got.header("www-authenticate"), same.header("WWW-Authenticate"))

    def test_a_refusal_does_not_wait_for_the_body(self):
        with self.open("private") as h2:
            h2.send(headers(1, post()), data(1, b"the rest never comes"))
            self.assertEqual(h2.answer(1).status, 403)

    def test_each_stream_is_judged_by_itself(self):
        token = self.gateway.token(audience="private")
        with self.open("private") as h2:
            h2.send(headers(1, get("/", ("authorization", f"Bearer {token}")), END_STREAM),
                    headers(3, get(), END_STREAM),
                    headers(5, get("/", ("authorization", f"Bearer {token}")), END_STREAM))
            self.assertEqual([h2.answer(i).status for i in (1, 3, 5)], [200, 403, 200])

    def test_head_fields_beyond_the_limit_are_refused(self):
        fields = [(f"x-{i}", "v" * 1000) for i in range(70)]
        got = self.ask(headers(1, block(get()) + block(fields), END_STREAM, more=6))
        self.assertTrue(got.status == 431 or got.reset or got.goaway, got)
        self.lives()

    def test_head_fields_up_to_the_announced_limit_pass(self):
        h2 = self.open().ready()
        limit = h2.settings[MAX_HEADER_LIST_SIZE]
        self.assertGreaterEqual(limit, 16384)
        fields = [(f"x-{i}", "v" * 900) for i in range(limit // 1000 - 1)]
        h2.send(headers(1, block(get()) + block(fields), END_STREAM, more=limit // 16384))
        self.assertEqual(h2.answer(1).status, 200)
        self.assertEqual(self.upstream.last.header("X-0"), "v" * 900)

    def test_many_small_references_to_a_large_field_are_bounded(self):
        """4 KB in the table, asked for 10,000 times in one frame: 40 MB of fields."""
        before = self.gateway.process.rss_kib()
        with self.open() as h2:
            h2.ready()
            h2.send(headers(1, block([*get(), literal("x-large", "v" * 4000, 0x40)])
                            + b"\xbe" * 10000, END_STREAM))
            got = h2.answer(1)
            self.assertTrue(got.status == 431 or got.reset or got.goaway, got)
        self.lives()
        self.assertLess(self.gateway.process.rss_kib() - before, 32 << 10)


class StreamTest(H2Test):
    def test_the_stream_beyond_a_hundred_is_refused(self):
        """5.1.2: an error of that stream; to make it one of the connection is allowed (5.4.2)."""
        event = self.holds()
        h2 = self.open().ready()
        streams = range(1, 201, 2)
        h2.send(*[headers(i, get(f"/{i}"), END_STREAM) for i in streams])
        h2.ping()
        h2.send(headers(201, get("/201"), END_STREAM))
        got = h2.answer(201)
        self.assertIn(got.reset, (None, REFUSED_STREAM, PROTOCOL_ERROR))
        event.set()
        if got.reset is None:
            self.assertEqual(got.goaway, PROTOCOL_ERROR)
        else:
            for i in streams:
                self.assertEqual(h2.answer(i).body, f"/{i}".encode())
        self.lives()

    def test_a_hundred_streams_at_once_are_answered_again_and_again(self):
        h2 = self.open().ready()
        for first in range(1, 1001, 200):
            event = self.holds()
            streams = range(first, first + 200, 2)
            h2.send(*[headers(i, get(f"/{i}"), END_STREAM) for i in streams])
            h2.ping()
            event.set()
            for i in streams:
                self.assertEqual(h2.answer(i).body, f"/{i}".encode())

    def test_a_slow_stream_does_not_hold_up_the_others(self):
        event = self.holds()
        h2 = self.open().ready()
        h2.send(headers(1, get("/slow"), END_STREAM))
        wait_until(lambda: self.upstream.requests and self.upstream.last.target == "/slow")
        self.upstream.serve = None
        h2.send(headers(3, get("/fast"), END_STREAM))
        self.assertEqual(h2.answer(3).status, 200)
        self.assertNotIn(1, h2.ended)
        event.set()
        self.assertEqual(h2.answer(1).body, b"/slow")

    def leaves(self, how):
        """Whether the connection of a service of HTTP/1.1 is still open when its caller left."""
        seen, gone = [], threading.Event()

        def serve(reader, received):
            reader.read_body(received)
            gone.wait(10)
            reader.sock.setblocking(False)
            try:
                seen.append(reader.sock.recv(1))
            except BlockingIOError:
                seen.append("open")
            reader.sock.setblocking(True)
            reader.sock.sendall(answer(body=b"in vain"))
            return True
        self.upstream.serve = serve
        h2 = self.open().ready()
        h2.send(headers(1, get("/left"), END_STREAM))
        wait_until(lambda: self.upstream.requests and self.upstream.last.target == "/left")
        how(h2)
        self.upstream.serve = None
        self.lives()
        gone.set()
        wait_until(lambda: seen)
        return seen == ["open"]

    def test_a_service_of_http_1_works_on_when_its_caller_resets_the_stream(self):
        def reset(h2):
            h2.send(rst_stream(1))
            h2.ping()
        self.assertTrue(self.leaves(reset))

    def test_a_service_of_http_1_works_on_when_its_caller_leaves(self):
        self.assertTrue(self.leaves(H2.close))

    def test_an_answer_may_begin_before_the_request_has_ended(self):
        def serve(reader, received):
            reader.sock.sendall(answer(headers=[("Transfer-Encoding", "chunked")], length=False))
            for chunk in reader.chunks(received):
                reader.sock.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            reader.sock.sendall(b"0\r\n\r\n")
            return True
        self.upstream.serve = serve
        h2 = self.open().ready()
        h2.send(headers(1, post()))
        h2.until(lambda: h2.of(1).status)
        for i in range(1, 4):
            h2.send(data(1, b"echo"))
            h2.until(lambda count=i: len(h2.of(1).body) == 4 * count)
        h2.send(data(1, b"", END_STREAM))
        self.assertEqual(h2.answer(1).body, b"echo" * 3)


class FlowControlTest(H2Test):
    def content(self, size):
        self.upstream.reply(answer(body=bytes(i % 251 for i in range(size))))

    def test_a_window_of_zero_holds_the_content_until_it_opens(self):
        self.content(10)
        h2 = self.open(hello=PREFACE + settings((INITIAL_WINDOW_SIZE, 0))).ready()
        h2.send(headers(1, get(), END_STREAM))
        h2.until(lambda: h2.of(1).status)
        h2.ping()
        self.assertEqual(h2.of(1).body, b"")
        h2.send(window_update(1, 10))
        self.assertEqual(h2.answer(1).body, bytes(range(10)))

    def test_a_setting_opens_the_windows_of_streams_that_are_open(self):
        self.content(10)
        h2 = self.open(hello=PREFACE + settings((INITIAL_WINDOW_SIZE, 0))).ready()
        h2.send(headers(1, get(), END_STREAM))
        h2.until(lambda: h2.of(1).status)
        h2.send(settings((INITIAL_WINDOW_SIZE, 10)))
        self.assertEqual(h2.answer(1).body, bytes(range(10)))

    def test_content_comes_byte_by_byte_when_the_window_does(self):
        self.content(20)
        h2 = self.open(hello=PREFACE + settings((INITIAL_WINDOW_SIZE, 1)), windows=False).ready()
        h2.send(headers(1, get(), END_STREAM))
        for size in range(1, 20):
            h2.until(lambda have=size: len(h2.of(1).body) == have)
            h2.send(window_update(1, 1))
        self.assertEqual(h2.answer(1).body, bytes(range(20)))
        self.assertEqual(h2.largest, 1)

    def test_neither_window_is_exceeded(self):
        self.content(300000)
        h2 = self.open(windows=False).ready()
        h2.send(headers(1, get(), END_STREAM))
        h2.until(lambda: len(h2.of(1).body) >= WINDOW)
        h2.send(window_update(1, 300000))
        h2.ping()
        self.assertEqual(len(h2.of(1).body), WINDOW, "the connection's window")
        h2.send(window_update(0, 300000))
        self.assertEqual(len(h2.answer(1).body), 300000)

    def test_a_window_may_become_negative(self):
        self.content(100000)
        h2 = self.open(windows=False).ready()
        h2.send(window_update(0, 1 << 20), headers(1, get(), END_STREAM))
        h2.until(lambda: len(h2.of(1).body) >= WINDOW)
        h2.send(settings((INITIAL_WINDOW_SIZE, 1)), window_update(1, WINDOW - 1))
        h2.ping()
        self.assertEqual(len(h2.of(1).body), WINDOW)
        h2.send(window_update(1, 100000))
        self.assertEqual(len(h2.answer(1).body), 100000)

    def test_a_service_that_reads_nothing_lets_no_window_grow_for_ever(self):
        event = threading.Event()
        self.addCleanup(event.set)
        self.upstream.serve = lambda reader, received: event.wait(30) and False
        h2 = self.open().ready()
        h2.send(headers(1, post()))
        sent, quiet = 0, 0
        while quiet < 20 and sent < 64 * MIB:
            room = min(16384, *self.room(h2, sent))
            if room > 0:
                h2.send(data(1, bytes(room)))
                sent, quiet = sent + room, 0
            else:
                time.sleep(0.02)
                h2.ping()
                quiet += 1
        self.assertLess(sent, 64 * MIB)
        # More than the window that is left is an error of the peer.
        h2.send(data(1, bytes(16384)))
        got = h2.answer(1)
        self.assertEqual(got.reset or got.goaway, FLOW_CONTROL_ERROR, got)
        event.set()
        self.upstream.serve = None
        self.lives()

    @staticmethod
    def room(h2, sent):
        """What is left of the connection's and the stream's window."""
        first = {0: WINDOW, 1: h2.settings.get(INITIAL_WINDOW_SIZE, WINDOW)}
        return [first[s] - sent + sum(i for stream, i in h2.window_updates if stream == s)
                for s in (0, 1)]

    def test_bodies_of_megabytes_pass_both_ways_at_once(self):
        h2 = self.open().ready()
        size, sent = 4 * MIB, 0
        h2.send(headers(1, post()))
        while sent < size:
            part = min(16384, size - sent, *self.room(h2, sent))
            if part > 0:
                h2.send(data(1, b"u" * part, END_STREAM if sent + part == size else 0))
                sent += part
            else:
                h2.read()
        got = h2.answer(1)
        self.assertEqual(got.status, 200)
        self.assertTrue(got.body.endswith(b"u" * size))


class FloodTest(H2Test):
    """Whatever one connection does, memory is bounded and the others are served."""

    def flood(self, *parts, rounds=1, **more):
        """The code of the connection's end; 0: it was not ended."""
        before = self.gateway.process.rss_kib()
        with self.open(**more) as h2:
            h2.ready()
            threading.Thread(target=self._drain, args=(h2,), daemon=True).start()
            try:
                for part in parts * rounds:
                    h2.send(part)
            except OSError:
                pass
            self.lives()
        grown = self.gateway.process.rss_kib() - before
        self.assertLess(grown, (128 if sanitized() else 24) << 10, "KiB more")
        return h2.gone

    @staticmethod
    def _drain(h2):
        try:
            h2.rest()
        except (OSError, AssertionError, ValueError):
            pass

    def test_streams_that_are_opened_and_reset_at_once(self):
        self.flood(*[headers(i, get("/rapid"), END_STREAM) + rst_stream(i)
                     for i in range(1, 20001, 2)])

    def test_streams_that_provoke_a_reset(self):
        self.flood(*[headers(i, post()) + window_update(i, 0) for i in range(1, 10001, 2)])

    def test_pings(self):
        self.flood(frame(PING, 0, 0, bytes(8)) * 1000, rounds=50)

    def test_settings(self):
        self.flood(settings((INITIAL_WINDOW_SIZE, 1000)) * 1000, rounds=50)

    def test_empty_settings(self):
        self.flood(frame(SETTINGS) * 1000, rounds=50)

    def test_priorities(self):
        self.flood(*[b"".join(priority(i, i - 2) for i in range(first, first + 2000, 2))
                     for first in range(3, 60001, 2000)])

    def test_empty_data(self):
        self.flood(headers(1, post()), frame(DATA, 0, 1) * 50000)

    def test_window_updates_of_one_byte(self):
        self.flood(headers(1, post()), window_update(0, 1) * 50000, window_update(1, 1) * 50000)

    def test_unknown_frames(self):
        self.flood(frame(0xBE, 0, 0, bytes(16000)) * 20, rounds=50)

    def test_pings_whose_answers_nobody_reads(self):
        before = self.gateway.process.rss_kib()
        h2 = self.open().ready()
        h2.sock.settimeout(1.0)
        try:
            for _ in range(2000):
                h2.sock.sendall(frame(PING, 0, 0, bytes(8)) * 1000)
        except OSError:
            pass
        self.lives()
        grown = self.gateway.process.rss_kib() - before
        self.assertLess(grown, (128 if sanitized() else 24) << 10, "KiB more")

    def test_large_answers_that_nobody_reads(self):
        self.upstream.handle = lambda received: answer(body=bytes(MIB))
        before = self.gateway.process.rss_kib()
        h2 = self.open(hello=PREFACE + settings((INITIAL_WINDOW_SIZE, 0))).ready()
        h2.send(*[headers(i, get("/large"), END_STREAM) for i in range(1, 201, 2)])
        h2.until(lambda: sum(1 for a in h2.answers.values() if a.status) == 100)
        grown = self.gateway.process.rss_kib() - before
        self.assertLess(grown, (256 if sanitized() else 48) << 10, "KiB more for 100 MiB")
        h2.close()
        self.upstream.handle = None
        self.lives()


if __name__ == "__main__":
    unittest.main()
