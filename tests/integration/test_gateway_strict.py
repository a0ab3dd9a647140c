"""Every request of tests/corpus/h1_requests.txt against a real gateway, on an open service, so that
whatever is sound is forwarded: alone, behind a sound request on the same connection, and byte by
byte. The upstream sees nothing but canonical requests, and never a smuggled one."""

import collections
import re
import unittest

from tests.lib.corpus import load, unescape
from tests.lib.gateway import Gateway
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, Closed
from tests.lib.upstream import Upstream, answer

HEAD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\x00-\x20\x7f]+ HTTP/1\.1\r\n"
                  rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)+\r\n")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
CHUNK = re.compile(rb"[0-9a-f]+\r\n")
BEFORE = b"GET /before HTTP/1.1\r\nHost: h\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
BYTEWISE_MAX = 600


class Canonical(Upstream):
    """Answers every request with its target, and notes whatever is not as we write it."""

    def __init__(self):
        super().__init__(serve=self._serve)
        self.offences = []
        self.callers = collections.defaultdict(lambda: ([], []))  # by address, see seen()
        self.broken = []  # requests whose connection ended before

    @staticmethod
    def _caller(received):
        return ", ".join(received.all("X-Forwarded-For")).split(", ")[-1]

    def seen(self, source):
        """What was begun of the caller at this address, and what of that came whole, in order."""
        return tuple(list(requests) for requests in self.callers[source])

    def _note(self, offence, raw):
        self.offences.append(f"{offence}: {raw[:300]!r}")

    def _serve(self, reader, received):
        framing = self._check_head(received)
        received.framing = framing
        begun, complete = self.callers[self._caller(received)]
        begun.append(received)
        received.sections = received.raw_head
        try:
            if framing == "length":
                received.body = reader._exactly(int(received.header("Content-Length")))
            elif framing == "chunked":
                self._chunks(reader, received)
        except (Closed, OSError):
            self.broken.append(received)
            return False
        complete.append(received)
        body = received.target.encode("latin-1")
        reader.sock.sendall(answer(body=b"" if received.method == "HEAD" else body))
        return True

    def _check_head(self, received):
        if not HEAD.fullmatch(received.raw_head):
            self._note("not canonical", received.raw_head)
        if "smuggled" in received.target.lower():
            self._note("smuggled", received.raw_head)
        for name in ("Host", "X-Forwarded-For"):
            if len(received.all(name)) != 1:
                self._note(f"not one {name}", received.raw_head)
        lengths, codings = received.all("Content-Length"), received.all("Transfer-Encoding")
        if len(lengths) + len(codings) > 1 or codings not in ([], ["chunked"]) or \
                not all(re.fullmatch("0|[1-9][0-9]*", n) for n in lengths):
            self._note("unclear framing", received.raw_head)
        if received.all("Connection") not in ([], ["TE"]):
            self._note("a connection option", received.raw_head)
        return "length" if lengths else "chunked" if codings else "none"

    def _chunks(self, reader, received):
        while True:
            line = reader._until(b"\r\n")
            if not CHUNK.fullmatch(line):
                self._note("not a chunk's size", line)
            size = int(line, 16)
            if not size:
                break
            received.body += reader._exactly(size)
            if reader._exactly(2) != b"\r\n":
                self._note("no CR LF behind a chunk", received.raw_head)
        while (line := reader._until(b"\r\n")) != b"\r\n":
            if not FIELD.fullmatch(line):
                self._note("not a trailer", line)
            received.sections += line


def send(client, data, step):
    try:
        for at in range(0, len(data), step or len(data)):
            client.send(data[at:at + (step or len(data))])
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused already


def answers(client, data):
    """All that is answered until the gateway closes: [(status, body)]."""
    got = []
    try:
        while True:
            head_only = b"HEAD /4" in data and got and got[-1][1] == b"/3"
            response = client.read(head_only)
            got.append((response.status, response.body))
    except (Closed, ValueError):  # of two heads for one refusal the second is no answer
        return got


class Strict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.up = Canonical()
        cls.addClassCleanup(cls.up.close)
        cls.g = Gateway({"open": {"upstream": cls.up.url}}, {"allUsers": ["open"]})
        cls.addClassCleanup(cls.g.close)
        # A case has an address of its own: what the gateway began and broke off may be read by the
        # upstream later than the answer by the caller.
        cls.sources = (f"127.1.{i}.{j}" for i in range(256) for j in range(1, 255))

    # ---- one case ----

    @staticmethod
    def begun(requests, complete):
        return [r for r in requests if r not in complete]

    @staticmethod
    def outcome(case):
        """Statuses with which the connection may end ('-': without one), or None: it serves on."""
        then = case.one("then")
        if then == "closed":
            return ["-"]
        refused = then.removeprefix("refused ") if then else case.one("refused")
        if refused:
            return refused.split(" ")
        return None

    def play(self, case, source, before, step):
        """Sends it and checks what the caller gets."""
        ends = self.outcome(case)
        data = (BEFORE if before else b"") + case.raw
        data += AFTER if ends is None else SMUGGLED
        expected = self.targets(case, before) + ([b"/after"] if ends is None else [])
        with Client(self.g.address("open"), source=source) as client:
            send(client, data, step)
            self.check_answers(answers(client, data), expected, ends or [])
        wait_until(lambda: len(self.up.seen(source)[1]) >= len(expected), 5, "all requests")

    def leave(self, case, source, before, step):
        """As play, for a request that the caller does not end: it leaves."""
        expected = self.targets(case, before)
        with Client(self.g.address("open"), source=source) as client:
            send(client, (BEFORE if before else b"") + case.raw, step)
            for target in expected:
                response = client.read()
                self.assertEqual((response.status, response.body), (200, target))
            wait_until(lambda: len(self.up.seen(source)[0]) > len(expected), 10, "all requests")
        unended = self.up.seen(source)[0][-1]
        wait_until(lambda: unended in self.up.broken + self.up.seen(source)[1], 5,
                   "the upstream's end")

    def check_answers(self, got, targets, ends):
        bodies = [b"" if target == b"/4" else target for target in targets]
        self.assertEqual([a for a in got if a[0] == 200], [(200, body) for body in bodies], got)
        refusals = [str(status) for status, _ in got if status != 200]
        self.assertLessEqual(len(refusals), 1, got)
        if refusals:
            self.assertIn(refusals[0], ends)
            self.assertNotEqual(got[-1][0], 200, "something was served behind the refusal")
        elif ends:
            self.assertIn("-", ends)

    @staticmethod
    def targets(case, before):
        return ([b"/before"] if before else []) + \
            [line.split(" ")[1].encode("latin-1") for line in case.keys["forwarded"]]

    def check(self, case, source, before, step):
        unended = "cut" in case.keys and "then" not in case.keys
        (self.leave if unended else self.play)(case, source, before, step)
        requests, complete = self.up.seen(source)
        self.assertEqual(self.up.offences, [])
        wanted = case.keys["forwarded"]
        got = [r for r in complete if r.target not in ("/before", "/after")]
        self.assertEqual(len(got), len(wanted))
        for line, received in zip(wanted, got):
            self.check_forwarded(line, received)
        self.check_begun(case, requests, complete)
        if case.one("cut") and not wanted:
            got = self.begun(requests, complete)
        self.check_text(case, got, source)

    def check_begun(self, case, requests, complete):
        cut = case.one("cut")
        begun = [f"{r.method} {r.target}" for r in self.begun(requests, complete)]
        self.assertIn(begun, [[], [cut]] if cut else [[]])

    def check_forwarded(self, line, received):
        method, target, framing, body = (line.split(" ", 3) + ["none", '""'])[:4]
        self.assertEqual((received.method, received.target), (method, target))
        self.assertEqual(received.framing, framing)
        self.assertEqual(received.body, unescape(body[1:-1]))

    def check_text(self, case, got, source):
        lines = got[-1].sections.split(b"\r\n") if got else []
        for line in case.keys["saw"]:
            line = line.replace("{upstream}", self.up.address).replace("{caller}", source)
            self.assertIn(unescape(line), lines)
        for line in case.keys["once"]:
            self.assertEqual(lines.count(unescape(line)), 1, lines)
        seen = b"".join(r.sections for r in got).lower()
        for text in case.keys["never"]:
            self.assertNotIn(unescape(text).lower(), seen)

    def serves_on(self):
        with Client(self.g.address("open")) as client:
            client.request("GET", "/another")
            response = client.read()
            self.assertEqual((response.status, response.body), (200, b"/another"))

    def each(self, before, step=None, limit=None):
        cases = [c for c in load("h1_requests.txt") if limit is None or len(c.raw) <= limit]
        self.assertGreater(len(cases), 120)
        sources = [next(self.sources) for _ in cases]
        for case, source in zip(cases, sources):
            with self.subTest(case.name, line=case.line):
                self.up.offences.clear()
                self.check(case, source, before, step)
                self.serves_on()
        for case, source in zip(cases, sources):  # with what was read late
            with self.subTest(case.name, line=case.line, late=True):
                self.check_begun(case, *self.up.seen(source))

    # ---- all cases ----

    def test_each_request_alone(self):
        self.each(before=False)

    def test_each_request_behind_a_sound_one_on_its_connection(self):
        self.each(before=True)

    def test_each_request_byte_by_byte(self):
        self.each(before=False, step=1, limit=BYTEWISE_MAX)

    def test_each_request_in_pieces_of_seven_bytes_behind_a_sound_one(self):
        self.each(before=True, step=7, limit=BYTEWISE_MAX)


if __name__ == "__main__":
    unittest.main()
