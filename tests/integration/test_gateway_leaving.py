"""Callers that leave: over HTTP/1.1 the container is not told."""

import threading
import unittest

from tests.lib.gateway import Gateway
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client
from tests.lib.upstream import answer


class Leaving(unittest.TestCase):
    def setUp(self):
        self.g = Gateway({"open": {}}, {"allUsers": ["open"]}, ("--workers", "1"))
        self.addCleanup(self.g.close)
        self.upstream = self.g.upstreams["open"]
        self.left = threading.Event()
        self.addCleanup(self.left.set)

    def leave(self, path, serve):
        """A caller that asks, waits for the upstream to be busy and goes. Waits for its entry."""
        self.upstream.serve = serve
        with Client(self.g.address("open")) as client:
            client.request("GET", path)
            self.upstream.wait_for(1)
        entry = self.g.entry(path)
        self.left.set()
        return entry

    def assert_connection_is_used_again(self):
        """Nobody closed it, so whoever was at work finished his answer. As many requests at a time
        as there are connections, for the pool hands out what came back last."""
        def crowd():
            count = self.upstream.connections
            together = threading.Barrier(count)

            def serve(reader, _):
                together.wait(10)
                reader.sock.sendall(answer())
                return True
            self.upstream.serve = serve
            before = len(self.upstream.requests)
            threads = [threading.Thread(target=self.g.get, args=("open",)) for _ in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            return any(r.connection == 1 for r in self.upstream.requests[before:])
        wait_until(crowd, what="the former connection")

    def test_a_container_at_work_finishes_undisturbed(self):
        def serve(reader, received):
            if received.target == "/work":
                self.left.wait(10)
            reader.sock.sendall(answer(body=b"x" * 300000))
            return True
        entry = self.leave("/work", serve)
        self.assertEqual(entry["invoker"]["failure"], "client-gone")
        self.assert_connection_is_used_again()

    def test_a_container_that_streams_is_not_cut_off(self):
        def serve(reader, _):
            reader.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.left.wait(10)
            for _ in range(100):
                reader.sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            reader.sock.sendall(b"0\r\n\r\n")
            return True
        self.leave("/stream", serve)
        self.assert_connection_is_used_again()

    def test_stopping_does_not_wait_for_it(self):
        def serve(*_):
            self.left.wait(10)
            return False
        self.upstream.serve = serve
        with Client(self.g.address("open")) as client:
            client.request("GET", "/endless")
            self.upstream.wait_for(1)
        self.g.entry("/endless")
        self.assertEqual(self.g.process.stop(), 0)


if __name__ == "__main__":
    unittest.main()
