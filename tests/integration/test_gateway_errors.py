"""Pages and log texts of what goes wrong behind the check: no container, a broken one, a slow one,
too large a request."""

import unittest

from tests.lib.gateway import Gateway
from tests.lib.rawhttp import Client
from tests.lib.topology import closed_port
from tests.lib.upstream import answer

L_503 = ("The request failed because either the HTTP response was malformed or connection to the "
         "instance had an error.")
L_504 = "The request has been terminated because it has reached the maximum request timeout."
MIB = 1024 * 1024


class Errors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway(
            {"open": {}, "empty": {"upstream": None},
             "dead": {"upstream": f"http://127.0.0.1:{closed_port()}"},
             "slow": {"timeout": "1s"}, "unlimited": {"limits": {"request_body": "off"}},
             "private": {}},
            {"allUsers": ["open", "empty", "dead", "slow", "unlimited"]})
        cls.addClassCleanup(cls.g.close)

    def assert_unavailable(self, name, path, explained):
        r = self.g.get(name, path)
        self.assertEqual((r.status, r.text), (503, "Service Unavailable"))
        self.assertEqual(r.header("Content-Type"), "text/plain")
        self.assertEqual(r.header("Server"), "Google Frontend")
        entry = self.g.entry(path)
        self.assertEqual((entry["severity"], entry["textPayload"]), ("ERROR", L_503))
        self.assertEqual(entry["httpRequest"]["status"], 503)
        self.assertIn(explained, entry["invoker"]["explanation"])
        return entry

    def test_a_service_without_upstream_is_503(self):
        entry = self.assert_unavailable("empty", "/none", "No upstream is attached")
        self.assertIn("invoker run empty", entry["invoker"]["local_fix"])
        self.assertNotIn("labels", entry)

    def test_an_upstream_that_refuses_connections_is_503(self):
        entry = self.assert_unavailable("dead", "/dead", "does not accept connections")
        self.assertEqual(entry["invoker"]["failure"], "connect-failed")
        self.assertEqual(entry["invoker"]["local_fix"], "invoker run dead -- COMMAND")

    def test_an_upstream_that_closes_before_its_head_is_503(self):
        self.g.upstreams["open"].handle = lambda received: None
        self.addCleanup(setattr, self.g.upstreams["open"], "handle", None)
        self.assert_unavailable("open", "/closes", "closed the connection")

    def test_an_upstream_that_speaks_no_http_is_503(self):
        self.g.upstreams["open"].reply(b"hello\r\n\r\n")
        self.assert_unavailable("open", "/nonsense", "not HTTP")

    def test_a_response_head_that_is_too_large_is_503_and_the_log_says_so(self):
        rows = [([("X-Large", "x" * 20000)], "the response head is too large"),
                ([("Set-Cookie", "a=b")] * 200, "there are too many header fields")]
        for i, (headers, explained) in enumerate(rows):
            self.g.upstreams["open"].reply(answer(headers=headers))
            entry = self.assert_unavailable("open", f"/large-{i}", explained)
            self.assertEqual(entry["invoker"]["failure"], "bad-response")

    def test_a_slow_upstream_is_504(self):
        def serve(reader, received):
            del received
            reader.closed()
            return False
        self.g.upstreams["slow"].serve = serve
        r = self.g.get("slow", "/slow")
        self.assertEqual((r.status, r.text), (504, "upstream request timeout"))
        self.assertEqual(r.header("Content-Type"), "text/plain")
        entry = self.g.entry("/slow")
        self.assertEqual((entry["severity"], entry["textPayload"]), ("ERROR", L_504))
        self.assertIn("1000 ms", entry["invoker"]["explanation"])
        self.assertGreaterEqual(float(entry["httpRequest"]["latency"].rstrip("s")), 1)

    def declare(self, name, n, path="/upload"):
        with Client(self.g.address(name)) as c:
            c.request("POST", path, {"Content-Length": str(n), "Expect": "100-continue"})
            return c.read()

    def test_a_declared_body_above_32_mib_is_413_and_is_not_read(self):
        before = len(self.g.upstreams["open"].requests)
        r = self.declare("open", 32 * MIB + 1, "/large")
        self.assertEqual((r.status, r.interim), (413, []))
        self.assertTrue(r.text.startswith(
            "\n<html><head>\n"
            '<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
            "<title>413 Request Entity Too Large</title>\n</head>\n"
            "<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Request Entity Too Large</h1>\n"
            "<h2>Your client issued a request that was too large.\n</h2>\n<h2><script>"), r.text)
        self.assertTrue(r.text.endswith("</script></h2>\n</body></html>\n"))
        self.assertEqual(len(self.g.upstreams["open"].requests), before)
        entry = self.g.entry("/large")
        self.assertEqual((entry["severity"], entry["httpRequest"]["status"]), ("WARNING", 413))
        self.assertNotIn("textPayload", entry)

    def test_iam_comes_before_the_size(self):
        self.assertEqual(self.declare("private", 33 * MIB).status, 403)

    def test_exactly_32_mib_are_taken(self):
        with Client(self.g.address("open")) as c:
            c.request("POST", "/", {"Content-Length": str(32 * MIB)})
            self.g.upstreams["open"].reply(b"HTTP/1.1 204 No Content\r\n\r\n")
            c.send(b"x" * (32 * MIB))
            self.assertEqual(c.read().status, 204)

    def test_the_limit_can_be_switched_off(self):
        def serve(reader, received):
            del received
            reader.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return False
        self.g.upstreams["unlimited"].serve = serve
        with Client(self.g.address("unlimited")) as c:
            c.request("POST", "/", {"Content-Length": str(33 * MIB), "Expect": "100-continue"})
            self.assertEqual(c.read_head().status in (100, 200), True)

    def test_an_error_of_the_container_is_its_own(self):
        self.g.upstreams["open"].reply(
            b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nmine")
        r = self.g.get("open", "/own-error")
        self.assertEqual((r.status, r.text), (500, "mine"))
        entry = self.g.entry("/own-error")
        self.assertEqual(entry["severity"], "ERROR")
        self.assertNotIn("textPayload", entry)

    def test_a_malformed_request_is_400_and_only_the_program_log_has_it(self):
        with Client(self.g.address("open")) as c:
            c.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            self.assertEqual(c.read().status, 400)
        self.g.process.wait_for_line("malformed request")


if __name__ == "__main__":
    unittest.main()
