"""`invoker echo`: a container that answers with the request it got."""

import json
import signal
import unittest

from tests.lib.harness import Closed, Process, closed_port, http, run, send_raw, wait_until


class Echo(unittest.TestCase):
    def setUp(self):
        self.port = closed_port()
        self.echo = Process("echo", env={"PORT": str(self.port), "K_SERVICE": "backend-api"})
        self.addCleanup(self.echo.kill)
        self.url = f"http://127.0.0.1:{self.port}"

        def answers():
            try:
                return http("GET", self.url).status == 200
            except (OSError, Closed):
                return False

        wait_until(answers)

    def test_it_answers_with_what_it_got(self):
        answer = http("POST", self.url + "/a%2Fb?c=d", [("X-One", "1"), ("X-Two", " é \"2\" ")],
                      b"body")
        self.assertEqual((answer.status, answer.header("content-type")), (200, "application/json"))
        got = json.loads(answer.text)
        self.assertEqual({k: got[k] for k in ("service", "method", "path")},
                         {"service": "backend-api", "method": "POST", "path": "/a%2Fb?c=d"})
        # Sent as Latin-1, which is no UTF-8, which JSON is.
        self.assertEqual((got["headers"]["X-One"], got["headers"]["X-Two"]), ("1", "\ufffd \"2\""))

    def test_one_header_alone(self):
        answer = http("GET", self.url + "/received/authorization", [("Authorization", "Bearer x")])
        self.assertEqual((answer.status, answer.text), (200, "Bearer x\n"))
        self.assertEqual(http("GET", self.url + "/received/authorization").status, 404)

    def test_a_preflight_is_allowed(self):
        answer = http("OPTIONS", self.url + "/x", [("Origin", "https://a.example")])
        self.assertEqual((answer.status, answer.header("access-control-allow-origin")), (204, "*"))
        self.assertEqual(http("OPTIONS", self.url + "/x").status, 200)

    def test_what_is_no_http_does_not_end_it(self):
        send_raw(f"127.0.0.1:{self.port}", b"\x00\x01nonsense\r\n\r\n", half_close=True)
        self.assertEqual(http("GET", self.url).status, 200)

    def test_it_stops_when_it_is_told(self):
        self.assertEqual(self.echo.stop(signo=signal.SIGTERM), 0)

    def test_a_port_that_is_taken_is_told(self):
        status, _, err = run("echo", "--port", self.port)
        self.assertEqual(status, 1)
        self.assertIn("Address already in use", err)


class Usage(unittest.TestCase):
    def test_it_wants_a_port(self):
        for env in ({"PORT": ""}, {"PORT": "x"}, {"PORT": "0"}, {"PORT": "70000"}):
            status, _, err = run("echo", env=env)
            self.assertEqual(status, 2)
            self.assertIn("$PORT or --port", err)


if __name__ == "__main__":
    unittest.main()
