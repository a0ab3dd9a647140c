"""The gateway as a process: readiness, signals, reload, busy ports, many connections."""

import signal
import socket
import time
import unittest

from tests.lib.gateway import Gateway
from tests.lib.process import Process, ca_folder, run, sanitized, wait_until
from tests.lib.rawhttp import Client, Closed


class Life(unittest.TestCase):
    def gateway(self, services=None, matrix=None, **more):
        g = Gateway(services or {"open": {}}, matrix or {"allUsers": ["open"]}, **more)
        self.addCleanup(g.close)
        return g

    def reachable(self, address):
        try:
            with Client(address, timeout=2) as c:
                c.request("GET", "/")
                return c.read().status
        except (OSError, Closed):
            return None

    # ---- start and stop ----

    def test_sigterm_and_sigint_end_it_with_0_within_a_second(self):
        for signo in (signal.SIGTERM, signal.SIGINT):
            g = self.gateway()
            with Client(g.address("open")) as idle:
                idle.request("GET", "/")
                self.assertEqual(idle.read().status, 200)
                begun = time.monotonic()
                self.assertEqual(g.process.stop(signo=signo), 0)
                self.assertLess(time.monotonic() - begun, 1)

    def test_a_request_under_way_is_finished_first(self):
        g = self.gateway()
        with Client(g.address("open")) as c:
            def serve(reader, received):
                del received
                g.process.send_signal(signal.SIGTERM)
                g.process.wait_for_line("stopping")
                reader.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
                return False
            g.upstreams["open"].serve = serve
            c.request("GET", "/")
            self.assertEqual(c.read().body, b"done")
        self.assertEqual(g.process.wait(), 0)

    def test_a_request_that_never_ends_is_cut_within_a_second(self):
        g = self.gateway()
        g.upstreams["open"].serve = lambda reader, received: reader.closed() and False
        with Client(g.address("open")) as c:
            c.request("GET", "/")
            g.upstreams["open"].wait_for(1)
            begun = time.monotonic()
            self.assertEqual(g.process.stop(), 0)
            self.assertLess(time.monotonic() - begun, 1)

    def test_idle_it_needs_less_than_ten_mib(self):
        run("ca", "init", "--ca", ca_folder())  # making it takes more, once
        g = self.gateway()
        if not sanitized():
            self.assertLess(g.process.rss_kib(), 10 * 1024)

    def test_several_workers_share_the_port(self):
        g = self.gateway(options=("--workers", "3"))
        for i in range(30):
            self.assertEqual(g.get("open", f"/w{i}").status, 200)
        self.assertEqual(g.process.stop(), 0)

    # ---- what stands in the way ----

    def test_a_busy_port_names_the_key_to_change(self):
        g = self.gateway(start=False, metadata=False)
        with socket.create_server(("127.0.0.1", 0)) as busy:
            g.content["listen"] = {"ingress": "127.0.0.1:0", "control": "127.0.0.1:0"}
            g.content["services"]["open"]["listen"] = f"127.0.0.1:{busy.getsockname()[1]}"
            g.topology.write(g.content)
            status, _, err = run("gateway", "-c", g.topology.path)
            self.assertEqual(status, 1)
            self.assertIn("services.open.listen", err)
            self.assertIn(str(g.topology.path), err)
            self.assertIn("in use", err)

    def test_a_broken_topology_is_refused_with_its_places(self):
        g = self.gateway(start=False, metadata=False)
        g.topology.write("services:\n  a: {listn: 127.0.0.1:1}\n")
        status, _, err = run("gateway", *g.topology.args())
        self.assertEqual(status, 2)
        self.assertIn("topology.yaml:2:7", err)

    def test_bad_options_are_refused(self):
        for options in (("--request-log", "some"), ("--workers", "1000"), ("--nonsense",),
                        ("operand",), ("--ready-fd", "-5")):
            status, _, err = run("gateway", *options)
            self.assertEqual(status, 2, options)
            self.assertIn("invoker gateway", err)

    def test_help_is_printed(self):
        status, out, _ = run("gateway", "--help")
        self.assertEqual(status, 0)
        self.assertIn("--jwks", out)

    # ---- reload ----

    def test_a_grant_counts_as_soon_as_the_file_is_saved(self):
        g = self.gateway({"private": {}}, {"frontend-sa": []})
        headers = g.bearer(audience="private")
        self.assertEqual(g.get("private", "/", headers).status, 403)
        g.content["matrix"] = {"frontend-sa": ["private"]}
        g.topology.write(g.content)
        wait_until(lambda: g.get("private", "/", headers).status == 200, what="the grant")
        g.content["matrix"] = {}
        g.topology.write(g.content)
        wait_until(lambda: g.get("private", "/", headers).status == 403, what="its end")

    def test_without_watching_sighup_reloads(self):
        g = self.gateway({"private": {}}, options=("--no-watch",), matrix={"frontend-sa": []})
        headers = g.bearer(audience="private")
        g.content["matrix"] = {"frontend-sa": ["private"]}
        g.topology.write(g.content)
        self.assertEqual(g.get("private", "/", headers).status, 403)
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: g.get("private", "/", headers).status == 200, what="the grant")

    def test_an_invalid_file_changes_nothing(self):
        g = self.gateway()
        g.topology.write("services: [\n")
        g.process.wait_for_line("topology.yaml")
        self.assertEqual(g.get("open").status, 200)

    def test_listeners_follow_the_topology(self):
        g = self.gateway()
        g.topology.ephemeral("added", "listen", "metadata")
        g.content["services"]["added"] = {"upstream": g.content["services"]["open"]["upstream"]}
        g.content["matrix"]["allUsers"].append("added")
        g.topology.write(g.content)
        wait_until(lambda: self.reachable(g.address("added")) == 200, what="the added service")
        with Client(g.address("open")) as kept:
            kept.request("GET", "/")
            self.assertEqual(kept.read().status, 200)
            del g.content["services"]["open"]
            g.content["matrix"]["allUsers"] = ["added"]
            g.topology.write(g.content)
            wait_until(lambda: self.reachable(g.address("open")) is None, what="the listener's end")
            kept.request("GET", "/")
            self.assertEqual(kept.read().status, 404)
        self.assertEqual(self.reachable(g.address("added")), 200)

    def test_requests_pass_while_the_topology_changes(self):
        g = self.gateway()
        with Client(g.address("open")) as c:
            for i in range(40):
                g.content["service_accounts"][f"extra-{i}-sa"] = {}
                g.topology.write(g.content)
                for _ in range(5):
                    c.request("GET", "/")
                    self.assertEqual(c.read().status, 200)

    def test_an_upstream_may_be_a_name(self):
        g = self.gateway(start=False)
        port = g.upstreams["open"].port
        g.content["services"]["open"]["upstream"] = f"http://localhost:{port}"
        g.topology.write(g.content)
        g.start()
        wait_until(lambda: g.get("open").status == 200, what="the resolved name")

    def test_a_closed_ready_pipe_is_no_reason_to_die(self):
        g = self.gateway(start=False)
        with Process("gateway", *g.topology.args(), "--ready-fd", "999") as p:
            p.wait_for_line("--ready-fd")
            self.assertEqual(g.get("open").status, 200)
            self.assertEqual(p.stop(), 0)


if __name__ == "__main__":
    unittest.main()
