"""Requests that wait until a service's command, which is being started, listens."""

import contextlib
import socket
import threading
import time
import unittest

from tests.lib.gateway import Gateway
from tests.lib.harness import closed_port, run
from tests.lib.rawh2 import END_STREAM, HEADERS, PREFACE, headers, settings
from tests.lib.rawhttp import Client
from tests.lib.upstream import Upstream

SECONDS = 2
SILENCE = 0.3  # long beside the milliseconds that a refusal takes


def answer_by_http2(listener):
    """One connection, one request, 200."""
    sock, _ = listener.accept()
    with sock, sock.makefile("rb") as stream:
        assert stream.read(len(PREFACE)) == PREFACE
        sock.sendall(settings())
        kind = None
        while kind != HEADERS:
            head = stream.read(9)
            kind, number = head[3], int.from_bytes(head[5:], "big")
            stream.read(int.from_bytes(head[:3], "big"))
        sock.sendall(headers(number, [(":status", "200")], END_STREAM))
        stream.read()  # until the gateway closes


@contextlib.contextmanager
def http2_upstream(port):
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=answer_by_http2, args=(listener,), daemon=True)
        thread.start()
        yield


class Waiting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ports = {name: closed_port() for name in ("late", "later", "never", "left")}
        services = {name: {"upstream": f"http://127.0.0.1:{port}", "command": ["true"]}
                    for name, port in cls.ports.items()}
        services["later"]["use_http2"] = True
        services["foreign"] = {"upstream": f"http://127.0.0.1:{closed_port()}"}
        cls.g = Gateway(services, {"allUsers": list(services)},
                        options=["--start-wait", str(SECONDS)])
        cls.addClassCleanup(cls.g.close)

    def assert_silent(self, client):
        client.sock.settimeout(SILENCE)
        with self.assertRaises(socket.timeout):
            client.sock.recv(1)
        client.sock.settimeout(10)

    def test_requests_are_answered_once_it_listens(self):
        body = b"x" * 300000
        with Client(self.g.address("late")) as one, Client(self.g.address("late")) as two:
            one.request("GET", "/a")
            two.request("POST", "/b", body=body)
            self.assert_silent(one)
            self.assert_silent(two)
            with Upstream(port=self.ports["late"]) as upstream:
                self.assertEqual((one.read().status, two.read().status), (200, 200))
                self.assertEqual({r.target: r.body for r in upstream.requests},
                                 {"/a": b"", "/b": body})

    def test_over_http2_too(self):
        with Client(self.g.address("later")) as client:
            client.request("GET", "/")
            self.assert_silent(client)
            with http2_upstream(self.ports["later"]):
                self.assertEqual(client.read().status, 200)

    def test_no_longer_than_was_said(self):
        started = time.monotonic()
        self.assertEqual(self.g.get("never", "/never").status, 503)
        self.assertGreaterEqual(time.monotonic() - started, SECONDS)
        entry = self.g.entry("/never")
        self.assertEqual(entry["invoker"]["failure"], "connect-failed")
        self.assertIn("does not accept connections", entry["invoker"]["explanation"])

    def test_a_caller_may_leave_meanwhile(self):
        with Client(self.g.address("left")) as client:
            client.request("GET", "/left")
            self.assert_silent(client)
        self.assertEqual(self.g.entry("/left")["invoker"]["failure"], "client-gone")
        with Upstream(port=self.ports["left"]) as upstream, \
                Client(self.g.address("left")) as client:
            client.request("GET", "/next")
            self.assertEqual(client.read().status, 200)
            self.assert_silent(client)  # much longer than the next attempt would take
            self.assertEqual([r.target for r in upstream.requests], ["/next"])

    def test_what_nobody_here_starts_is_refused_at_once(self):
        started = time.monotonic()
        self.assertEqual(self.g.get("foreign", "/foreign").status, 503)
        self.assertLess(time.monotonic() - started, SECONDS)

    def test_it_does_not_keep_the_gateway_from_stopping(self):
        services = {"never": {"upstream": f"http://127.0.0.1:{closed_port()}",
                              "command": ["true"]}}
        with Gateway(services, {"allUsers": ["never"]}, options=["--start-wait", "600"]) as g, \
                Client(g.address("never")) as client:
            client.request("GET", "/")
            self.assert_silent(client)
            self.assertEqual(g.process.stop(), 0)

    def test_the_option_is_a_number_of_seconds(self):
        for word in ("-1", "3601", "soon"):
            status, _, err = run("gateway", "--start-wait", word)
            self.assertEqual(status, 2)
            self.assertIn("--start-wait", err)


if __name__ == "__main__":
    unittest.main()
