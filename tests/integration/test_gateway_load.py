"""The gateway while much happens at once: reloads, stops and crashes under load, idle connections by
the thousand, callers that dawdle. Nothing may be decided wrongly, dropped or left hanging."""

import copy
import os
import resource
import signal
import threading
import unittest

from tests.lib.gateway import Gateway, keys_dir
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, Closed, http
from tests.lib.topology import Topology
from tests.lib.up import Up, service
from tests.lib.upstream import Upstream

THREADS = 4


class Load:
    """Threads that ask again and again until stopped; each answer is given to `judge`, which says
    what is wrong with it, if anything."""

    def __init__(self, address, headers, judge, count=THREADS, lenient=False):
        self.address, self.headers, self.judge, self.lenient = address, headers, judge, lenient
        self.answers, self.wrong, self.broken = 0, [], []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                         for i in range(count)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def _run(self, i):
        while not self._over.is_set():
            try:
                with Client(self.address) as client:
                    self._ask(client, i)
            except (Closed, OSError) as e:
                self.broken.append(repr(e))
                if self.lenient:
                    return

    def _ask(self, client, i):
        while not self._over.is_set():
            body = b"x" * 1000 if i % 2 else None
            client.request("POST" if body else "GET", f"/load-{i}", self.headers, body)
            response = client.read()
            fault = self.judge(response)
            with self._lock:
                self.answers += 1
                if fault:
                    self.wrong.append(fault)
            if response.header("Connection") == "close":  # refused with its body unread
                return

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(10)


class Reload(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream(handle=lambda received: b"HTTP/1.1 200 OK\r\n"
                                                         b"Content-Length: 2\r\n\r\nok")
        self.addCleanup(self.upstream.close)
        self.g = Gateway({"private": {"upstream": self.upstream.url}, "other": {"upstream": None}},
                         {"frontend-sa": ["private"]}, ("--workers", "2", "--request-log", "off"))
        self.addCleanup(self.g.close)

    def changed(self, n):
        content = copy.deepcopy(self.g.content)
        content["matrix"]["other-sa"] = ["private"] if n % 2 else ["other"]
        if n % 3 == 0:
            content["services"]["private"]["timeout"] = f"{100 + n}s"
        return content

    def test_no_request_is_dropped_or_decided_wrongly_while_the_topology_changes(self):
        def judge(response):
            return None if (response.status, response.body) == (200, b"ok") else response.raw_head
        private = self.g.address("private")
        with Load(private, self.g.bearer(audience="private"), judge) as good, \
                Load(private, self.g.bearer("--tampered", audience="private"),
                     lambda r: None if r.status == 401 else r.raw_head) as bad:
            for n in range(30):
                before = good.answers
                self.g.topology.write(self.changed(n))
                wait_until(lambda b=before: good.answers >= b + 10, what="answers")
        self.assertEqual(good.wrong + bad.wrong, [])
        self.assertEqual(good.broken + bad.broken, [])
        self.assertGreater(good.answers, 300)
        self.assertGreater(bad.answers, 30)

    def test_a_withdrawn_grant_stays_withdrawn(self):
        """Once a worker has refused, nobody is let in by a former policy on the same connection."""
        headers = self.g.bearer(audience="private")
        with Client(self.g.address("private")) as client:
            for n in range(10):
                content = self.changed(n)
                content["matrix"]["frontend-sa"] = []
                self.g.topology.write(content)

                def status():
                    client.request("GET", "/", headers)
                    return client.read().status
                wait_until(lambda: status() == 403, what="the refusal")
                self.assertEqual({status() for _ in range(20)}, {403})
                self.g.topology.write(self.changed(n))
                wait_until(lambda: status() == 200, what="the grant")


class Stop(unittest.TestCase):
    def test_sigterm_under_load_ends_it_with_0_and_every_answer_is_whole(self):
        with Gateway({"private": {}}, {"frontend-sa": ["private"]}, ("--workers", "2")) as g:
            with Load(g.address("private"), g.bearer(audience="private"),
                      lambda r: None if r.status == 200 else r.raw_head, lenient=True) as load, \
                    Load(g.control, {}, lambda r: None if r.status in (200, 404) else r.raw_head,
                         count=2, lenient=True):
                wait_until(lambda: load.answers > 100, what="answers")
                self.assertEqual(g.process.stop(), 0)
            self.assertEqual(load.wrong, [])

    def test_a_topology_that_changes_while_it_stops_comes_too_late(self):
        """The change waits until the workers are gone; nobody may be told of it any more."""
        over = threading.Event()
        upstream = Upstream(serve=lambda *_: over.wait(10) and False)
        self.addCleanup(upstream.close)
        self.addCleanup(over.set)
        with Gateway({"slow": {"upstream": upstream.url}, "other": {}},
                     {"allUsers": ["slow"]}, ("--workers", "2")) as g:
            with Client(g.address("slow")) as client:
                client.request("GET", "/")
                upstream.wait_for(1)
                g.process.send_signal(signal.SIGTERM)
                g.process.wait_for_line("stopping")
                content = copy.deepcopy(g.content)
                del content["services"]["other"]
                g.topology.write(content)
                g.process.send_signal(signal.SIGHUP)
                self.assertEqual(g.process.wait(), 0)
            self.assertNotIn("Sanitizer", g.process.err.text())

    def test_decisions_that_were_asked_for_at_the_end_are_answered_or_refused(self):
        """The workers end while their answers are still on the way to the control listener."""
        for _ in range(5):
            with Gateway({"private": {}}, {}, ("--workers", "2")) as g:
                g.get("private", "/x")
                clients = [Client(g.control) for _ in range(20)]
                for client in clients:
                    client.request("GET", "/invoker/v1/decisions")
                self.assertEqual(g.process.stop(), 0)
                for client in clients:
                    with client:
                        try:
                            self.assertIn(client.read().status, (200, 503))
                        except Closed:
                            pass
                self.assertNotIn("Sanitizer", g.process.err.text())


class Killed(unittest.TestCase):
    def test_a_gateway_that_is_killed_is_back_on_the_same_address(self):
        content = {"project": {"id": "my-project", "number": 123456789012},
                   "services": {"open": {"command": service()}}, "matrix": {"allUsers": ["open"]}}
        with Topology(content, keys_dir()) as t, Up(t) as up:
            info = up.ready()
            url = info["services"]["open"]["url"]
            self.assertEqual(http("GET", url).status, 200)
            for _ in range(2):
                gateway = up.child("gateway")
                os.kill(gateway, signal.SIGKILL)

                def back():
                    try:
                        return up.child("gateway") not in (None, gateway) \
                            and http("GET", url).status == 200
                    except (OSError, Closed):
                        return False
                wait_until(back, what="the gateway")
            self.assertEqual(up.stop(), 0)


class Crowd(unittest.TestCase):
    COUNT = 1000

    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        cls.g = Gateway({"open": {}}, {"allUsers": ["open"]}, ("--request-log", "off"))
        cls.addClassCleanup(cls.g.close)

    def crowd(self, first):
        clients = []
        for _ in range(self.COUNT):
            client = Client(self.g.address("open"))
            self.addCleanup(client.close)
            client.send(first)
            clients.append(client)
        return clients

    def test_a_thousand_idle_connections_keep_nobody_from_being_served(self):
        clients = self.crowd(b"")
        self.assertEqual(self.g.get("open").status, 200)
        clients[0].request("GET", "/")
        self.assertEqual(clients[0].read().status, 200)

    def test_a_thousand_half_requests_keep_nobody_from_being_served(self):
        clients = self.crowd(b"GET / HTTP/1.1\r\nHost: x\r\nX-")
        self.assertEqual(self.g.get("open").status, 200)
        clients[-1].send(b"A: b\r\n\r\n")
        self.assertEqual(clients[-1].read().status, 200)

    def test_the_control_listener_bears_half_requests_up_to_its_limit(self):
        """Whoever holds them all keeps others out only as long as he stays."""
        clients = [Client(self.g.control) for _ in range(100)]
        for client in clients:
            client.send(b"GET /healthz HTTP/1.1\r\nHost:")
        for client in clients:
            client.close()
        wait_until(self.healthy, what="the control listener")

    def healthy(self):
        try:
            return http("GET", f"http://{self.g.control}/healthz").status == 200
        except (Closed, OSError):
            return False


if __name__ == "__main__":
    unittest.main()
