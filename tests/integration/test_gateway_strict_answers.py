"""Every response of tests/corpus/h1_responses.txt through a real gateway, in one piece and byte by
byte, on fresh connections and on kept ones. What is unsound becomes the page of a broken container
or ends without a proper end, and nothing of it ever becomes the answer of another caller."""

import threading
import unittest

from tests.lib.corpus import load, unescape
from tests.lib.gateway import Gateway
from tests.lib.rawhttp import Client, Closed
from tests.lib.upstream import Upstream, answer

PAGE = b"Service Unavailable"
BYTEWISE_MAX = 400


class Scripted(Upstream):
    """Answers /case with the bytes of the case, and every other request with its target."""

    def __init__(self):
        super().__init__(serve=self._serve)
        self.case = None
        self.step = None
        self.on_connection = None  # the socket that the case went out by
        self.sent = threading.Event()  # all of it did

    def _serve(self, reader, received):
        if received.target != "/case":
            reader.sock.sendall(answer(body=received.target.encode()))
            return True
        self.on_connection = reader.sock
        raw, step = self.case.raw, self.step or len(self.case.raw) or 1
        try:
            for at in range(0, len(raw), step):
                reader.sock.sendall(raw[at:at + step])
        except (BrokenPipeError, ConnectionResetError):
            return False  # refused already
        finally:
            self.sent.set()
        return self.case.one("upstream") != "closes"

    def set(self, case, step):
        self.case, self.step = case, step
        self.sent.clear()

    def send_late(self, data):
        try:
            self.on_connection.sendall(data)
        except OSError:
            pass  # closed already


class StrictAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.up = Scripted()
        cls.addClassCleanup(cls.up.close)
        # One worker, so that the next request takes the very connection that the case came by.
        cls.g = Gateway({"open": {"upstream": cls.up.url}, "private": {}}, {"allUsers": ["open"]},
                        options=("--workers", "1"))
        cls.addClassCleanup(cls.g.close)

    def ask(self, case):
        """(status, body, lines of head and trailers, whether the end was proper)."""
        method = case.one("request", "GET")
        with Client(self.g.address("open"), 20) as client:
            client.request(method, "/case", [("TE", "trailers"), ("Connection", "TE")])
            head = client.read_head()
            while head.status < 200:
                head = client.read_head()
            lines = head.raw_head.split(b"\r\n")
            if method == "HEAD" or head.status in (204, 304):
                return head.status, b"", lines, self.is_silent(client)
            try:
                if head.header("Transfer-Encoding"):
                    body = b"".join(client.chunks(head))
                else:
                    body = client._exactly(int(head.header("Content-Length")))
            except (Closed, ValueError):
                return head.status, None, lines, False
            lines += [f"{n}: {v}".encode("latin-1") for n, v in head.trailers]
            return head.status, body, lines, True

    def is_silent(self, client):
        """Nothing stands behind the head: the next answer is that of the next request."""
        self.up.sent.wait(10)
        self.turn()
        try:
            client.request("GET", "/behind")
            return client.read().body == b"/behind"
        except Closed:
            return True  # it was its last
        except (ConnectionResetError, BrokenPipeError):
            return True

    def check(self, case):
        status, body, lines, proper = self.ask(case)
        kind, _, rest = case.one("answer").partition(" ")
        if kind == "503":
            self.assertEqual((status, body, proper), (503, PAGE, True))
        elif kind == "cut":
            if not (status == 503 and body == PAGE):
                self.assertEqual((str(status), proper), (rest, False))
        else:
            self.assertEqual((str(status), body, proper), (kind, unescape(rest[1:-1]), True))
        for line in case.keys["saw"]:
            self.assertIn(unescape(line), lines)
        everything = (b"\n".join(lines) + (body or b"")).lower()
        for text in case.keys["never"]:
            self.assertNotIn(unescape(text).lower(), everything)

    def turn(self):
        """What came uninvited is noticed when the worker's loop turns: a request that needs no
        upstream has it turn."""
        self.assertEqual(self.g.get("private").status, 403)

    def others_get_their_own(self):
        self.turn()
        for number in range(3):
            target = f"/other-{number}"
            with Client(self.g.address("open")) as client:
                client.request("GET", target)
                response = client.read()
                self.assertEqual((response.status, response.body), (200, target.encode()))

    def each(self, step=None, limit=None, warm=False):
        for case in load("h1_responses.txt"):
            if limit is not None and len(case.raw) > limit:
                continue
            with self.subTest(case.name, line=case.line):
                self.up.set(case, step)
                if warm:
                    self.others_get_their_own()
                self.check(case)
                self.up.sent.wait(10)  # what comes later than a request may be meant for it
                late = case.one("late")
                if late:
                    self.up.send_late(unescape(late))
                self.others_get_their_own()

    def test_each_response_in_one_piece(self):
        self.each()

    def test_each_response_on_a_kept_connection(self):
        self.each(warm=True)

    def test_each_response_byte_by_byte(self):
        self.each(step=1, limit=BYTEWISE_MAX)


if __name__ == "__main__":
    unittest.main()
