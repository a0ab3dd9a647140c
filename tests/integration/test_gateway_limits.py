"""What production lets in only so much of: requests at a time, bytes of a body."""

import contextlib
import threading
import time
import unittest

from tests.lib.gateway import Gateway
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client
from tests.lib.upstream import answer

MIB = 1024 * 1024
L_LARGE = "Response size was too large. Please consider reducing response size."
L_429 = ("The request was aborted because there was no available instance. The Cloud Run service "
         "might have reached its maximum container instance limit or the service was otherwise "
         "not able to scale to incoming requests.")


class Capacity(unittest.TestCase):
    """Two workers share each count: every request below comes by a connection of its own, and the
    kernel deals connections out to the workers."""

    LIMITS = {"one": {"max_instances": 1, "concurrency": 1},
              "two": {"max_instances": 1, "concurrency": 2},
              "four": {"max_instances": 2, "concurrency": 2},
              "short": {"max_instances": 1, "concurrency": 1, "timeout": "500ms"},
              "free": {"concurrency": 1}}

    def setUp(self):
        self.g = Gateway(self.LIMITS, {"allUsers": list(self.LIMITS)}, ("--workers", "2"))
        self.addCleanup(self.g.close)
        self.held = {}

    def hold(self, name, serve=None):
        """From now on the service answers when `go` is set."""
        go = self.held[name] = threading.Event()
        self.addCleanup(go.set)

        def wait(reader, received):
            del received
            go.wait(10)
            reader.sock.sendall(answer(body=b"done"))
            return True
        self.g.upstreams[name].serve = serve or wait
        return go

    def fill(self, stack, name, count, path="/held"):
        """Clients whose requests the service has."""
        clients = [stack.enter_context(Client(self.g.address(name))) for _ in range(count)]
        before = len(self.g.upstreams[name].requests)
        for client in clients:
            client.request("GET", path)
        self.g.upstreams[name].wait_for(before + count)
        return clients

    def statuses(self, name, count):
        return {self.g.get(name, "/more").status for _ in range(count)}

    def assert_room_again(self, name):
        """Soon: the upstream's end may come a moment behind what the test waited for."""
        self.g.upstreams[name].serve = None
        wait_until(lambda: self.g.get(name).status == 200, what="room for a request")

    def test_what_is_beyond_the_limit_gets_429_at_once(self):
        go = self.hold("four")
        with contextlib.ExitStack() as stack:
            clients = self.fill(stack, "four", 4)
            begun = time.monotonic()
            r = self.g.get("four", "/beyond")
            self.assertLess(time.monotonic() - begun, 2)
            self.assertEqual((r.status, r.text), (429, "Rate exceeded."))
            self.assertEqual(r.header("Content-Type"), "text/plain")
            self.assertEqual(r.header("Server"), "Google Frontend")
            self.assertEqual(self.statuses("four", 8), {429})
            go.set()
            self.assertEqual([c.read().text for c in clients], ["done"] * 4)
        self.assertEqual(len(self.g.upstreams["four"].requests), 4)
        self.assertEqual(self.statuses("four", 4), {200})
        entry = self.g.entry("/beyond")
        self.assertEqual((entry["severity"], entry["textPayload"]), ("WARNING", L_429))
        mine = entry["invoker"]
        self.assertEqual(mine["explanation"], "As many requests to four are in flight as "
                         "max_instances: 2 and concurrency: 2 let in: 4.")
        self.assertEqual(mine["fix"], "gcloud run services update four --region=us-central1 "
                         "--max-instances=3 --concurrency=2")
        self.assertIn("services.four: raise max_instances or concurrency in", mine["local_fix"])

    def test_each_answer_makes_room_before_its_caller_has_it(self):
        self.assertEqual([self.g.get("one").status for _ in range(200)], [200] * 200)

    def test_a_service_without_max_instances_takes_all(self):
        go = self.hold("free")
        with contextlib.ExitStack() as stack:
            clients = self.fill(stack, "free", 12)
            go.set()
            self.assertEqual({c.read().status for c in clients}, {200})

    def test_one_service_does_not_use_up_another_s_room(self):
        self.hold("one")
        with contextlib.ExitStack() as stack:
            self.fill(stack, "one", 1)
            self.assertEqual(self.statuses("one", 1), {429})
            self.assertEqual(self.statuses("two", 4), {200})

    def test_a_failure_makes_room_again(self):
        def fail(*_):
            return False
        self.hold("one", fail)
        self.assertEqual([self.g.get("one").status for _ in range(4)], [503] * 4)
        self.assert_room_again("one")

    def test_a_timeout_makes_room_again(self):
        self.hold("short")
        self.assertEqual(self.g.get("short").status, 504)
        self.assert_room_again("short")

    def test_a_stream_takes_its_room_until_it_ends(self):
        end = threading.Event()
        self.addCleanup(end.set)

        def stream(reader, _):
            reader.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            end.wait(10)
            reader.sock.sendall(b"0\r\n\r\n")
            return True
        self.hold("two", stream)
        with contextlib.ExitStack() as stack:
            clients = self.fill(stack, "two", 2)
            heads = [client.read_head() for client in clients]
            self.assertEqual(self.statuses("two", 2), {429})
            end.set()
            for client, head in zip(clients, heads):
                self.assertEqual(b"".join(client.chunks(head)), b"x")
        self.assert_room_again("two")

    def test_a_caller_that_leaves_takes_its_room_along_only_when_the_work_is_done(self):
        go = self.hold("one")
        with contextlib.ExitStack() as stack:
            self.fill(stack, "one", 1, "/left")
        self.assertEqual(self.g.entry("/left")["invoker"]["failure"], "client-gone")
        self.assertEqual(self.statuses("one", 4), {429})
        go.set()
        self.assert_room_again("one")

    def test_a_caller_that_leaves_during_its_upload_makes_room(self):
        with Client(self.g.address("one")) as client:
            client.request("POST", "/upload", {"Content-Length": "100"}, b"some")
            wait_until(lambda: self.g.upstreams["one"].connections == 1, what="the upload")
        self.g.entry("/upload")
        self.assert_room_again("one")

    def reload(self, name, settings):
        """And wait until every worker has it: from then on the service "two" is closed."""
        self.g.content["services"][name].update(settings)
        self.g.content["matrix"]["allUsers"].remove("two")
        self.g.topology.write(self.g.content)
        wait_until(lambda: self.statuses("two", 8) == {403}, what="the reload")
        self.g.content["matrix"]["allUsers"].append("two")

    def test_a_reload_forgets_no_request_in_flight(self):
        go = self.hold("one")
        with contextlib.ExitStack() as stack:
            first = self.fill(stack, "one", 1)
            self.reload("free", {"timeout": "7s"})
            self.assertEqual(self.statuses("one", 4), {429})
            self.g.topology.write(self.g.content)
            wait_until(lambda: self.statuses("two", 8) == {200}, what="the next reload")
            self.reload("one", {"concurrency": 2})
            second = self.fill(stack, "one", 1)
            self.assertEqual(self.statuses("one", 4), {429})
            go.set()
            self.assertEqual([c.read().status for c in first + second], [200, 200])
        self.assert_room_again("one")


class Bodies(unittest.TestCase):
    """That a declared length counts before a byte is read, stands in test_gateway_errors."""

    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"open": {}, "unlimited": {"limits": {"request_body": "off",
                                                            "response_body": "off"}}},
                        {"allUsers": ["open", "unlimited"]})
        cls.addClassCleanup(cls.g.close)

    def setUp(self):
        for upstream in self.g.upstreams.values():
            upstream.handle = lambda received: answer(body=str(len(received.body)).encode())

    def upload(self, name, path, chunks, end=b"0\r\n\r\n"):
        """Chunks of 1 MiB; what is left when the gateway closes stays unsent."""
        with Client(self.g.address(name)) as client:
            client.request("POST", path, {"Transfer-Encoding": "chunked"})
            with contextlib.suppress(ConnectionError):
                for _ in range(chunks):
                    client.send(b"100000\r\n" + bytes(MIB) + b"\r\n")
                client.send(end)
            return client.read()

    def test_exactly_32_mib_are_taken_without_a_declared_length_too(self):
        r = self.upload("open", "/exact", 32)
        self.assertEqual((r.status, r.text), (200, str(32 * MIB)))

    def test_one_byte_more_is_413(self):
        r = self.upload("open", "/more", 32, b"1\r\nx\r\n0\r\n\r\n")
        self.assertEqual(r.status, 413)
        self.assertEqual(r.header("Connection"), "close")
        self.assertEqual(r.header("Server"), "Google Frontend")
        self.assertIsNotNone(r.header("Date"))
        self.assertIn("<title>413 Request Entity Too Large</title>", r.text)
        self.assertTrue(r.text.endswith("</script></h2>\n</body></html>\n"))
        entry = self.g.entry("/more")
        self.assertEqual((entry["severity"], entry["httpRequest"]["status"]), ("WARNING", 413))
        self.assertGreater(int(entry["httpRequest"]["requestSize"]), 32 * MIB)
        mine = entry["invoker"]
        self.assertEqual(mine["failure"], "request-too-large")
        self.assertIn("The request body is larger than 32 MiB", mine["explanation"])
        self.assertIn("--use-http2", mine["fix"])
        self.assertIn("limits: { request_body: off }", mine["local_fix"])

    def test_a_caller_is_told_at_once_and_not_when_it_has_sent_all(self):
        r = self.upload("open", "/endless", 33, b"")
        self.assertEqual(r.status, 413)

    def test_the_container_loses_its_caller(self):
        closed = threading.Event()

        def serve(reader, _):
            with contextlib.suppress(ConnectionError):
                while reader.sock.recv(MIB):
                    pass
            closed.set()
            return False
        self.g.upstreams["open"].serve = serve
        self.addCleanup(setattr, self.g.upstreams["open"], "serve", None)
        self.assertEqual(self.upload("open", "/lost", 33).status, 413)
        self.assertTrue(closed.wait(10))

    def test_the_limit_can_be_switched_off_for_both_framings(self):
        r = self.upload("unlimited", "/", 33)
        self.assertEqual((r.status, r.text), (200, str(33 * MIB)))
        r = self.g.get("unlimited", method="POST", body=bytes(33 * MIB))
        self.assertEqual((r.status, r.text), (200, str(33 * MIB)))

    # ---- responses ----

    def test_a_response_that_declares_more_than_32_mib_with_its_head_is_500(self):
        def serve(reader, _):
            reader.sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {32 * MIB}\r\n\r\n".encode())
            return False
        self.g.upstreams["open"].serve = serve
        self.addCleanup(setattr, self.g.upstreams["open"], "serve", None)
        r = self.g.get("open", "/large")
        self.assertEqual((r.status, r.header("Content-Type")), (500, "text/html; charset=UTF-8"))
        self.assertIn("<h1>Error: Server Error</h1>", r.text)
        entry = self.g.entry("/large")
        self.assertEqual((entry["severity"], entry["textPayload"]), ("ERROR", L_LARGE))
        mine = entry["invoker"]
        self.assertEqual(mine["failure"], "response-too-large")
        self.assertIn("Transfer-Encoding: chunked", mine["explanation"])
        self.assertIn("limits: { response_body: off }", mine["local_fix"])

    def test_a_response_below_the_limit_arrives_whole(self):
        size = 32 * MIB - 1000
        self.g.upstreams["open"].handle = lambda received: answer(body=bytes(size))
        r = self.g.get("open", "/below")
        self.assertEqual((r.status, len(r.body)), (200, size))

    def test_a_chunked_response_may_be_larger(self):
        chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        self.g.upstreams["open"].handle = lambda received: answer(
            headers=[("Transfer-Encoding", "chunked")], length=False) + chunk * 33 + b"0\r\n\r\n"
        r = self.g.get("open", "/chunked")
        self.assertEqual((r.status, len(r.body)), (200, 33 * MIB))

    def test_the_limit_on_responses_can_be_switched_off(self):
        self.g.upstreams["unlimited"].handle = lambda received: answer(body=bytes(33 * MIB))
        r = self.g.get("unlimited", "/large")
        self.assertEqual((r.status, len(r.body)), (200, 33 * MIB))


if __name__ == "__main__":
    unittest.main()
