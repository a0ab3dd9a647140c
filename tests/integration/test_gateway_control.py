"""The control listener: status, decisions, attaching upstreams, and who may not ask."""

import json
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, http
from tests.lib.upstream import Upstream

JSON = {"Content-Type": "application/json"}


class Control(unittest.TestCase):
    def setUp(self):
        self.start()

    def start(self, *options):
        self.g = Gateway({"open": {}, "empty": {"upstream": None}, "private": {}},
                         {"allUsers": ["open", "empty"]}, options)
        self.addCleanup(self.g.close)
        self.base = f"http://{self.g.control}"

    def ask(self, path, method="GET", headers=(), body=None):
        return http(method, self.base + path, headers, body)

    def assert_error(self, r, code, status):
        self.assertEqual(r.status, code)
        self.assertEqual(r.header("Content-Type"), "application/json; charset=UTF-8")
        error = json.loads(r.text)["error"]
        self.assertEqual((error["code"], error["status"]), (code, status))
        self.assertTrue(error["message"])
        return error["message"]

    # ---- reading ----

    def test_healthz_says_ok_when_the_gateway_is_ready(self):
        r = self.ask("/healthz")
        self.assertEqual((r.status, r.text), (200, "ok\n"))

    def test_healthz_is_503_as_long_as_there_are_no_keys(self):
        g = Gateway({"open": {}}, start=False, metadata=False)
        self.addCleanup(g.close)
        g.start(wait=False)

        def status():
            try:
                return http("GET", f"http://{g.control}/healthz").status
            except OSError:
                return None
        wait_until(lambda: status() == 503, what="the control listener")
        g.start_metadata()
        wait_until(lambda: status() == 200, what="the keys")

    def test_status_names_every_service(self):
        self.g.get("open")
        wait_until(lambda: '"total":1,' in self.ask("/invoker/v1/status").text)
        r = self.ask("/invoker/v1/status")
        self.assertEqual(r.header("Content-Type"), "application/json; charset=UTF-8")
        s = json.loads(r.text)
        self.assertIs(s["ready"], True)
        self.assertEqual(s["process"]["pid"], self.g.process.pid)
        self.assertEqual((s["project"], s["keys"]), ("my-project", 1))
        self.assertEqual((s["ingress"], s["control"]), (self.g.ingress, self.g.control))
        self.assertEqual(s["services"]["open"], {
            "url": self.g.url("open"), "listen": self.g.address("open"),
            "metadata": self.g.address("open", "metadata"),
            "service_account": "123456789012-compute@developer.gserviceaccount.com",
            "upstream": self.g.upstreams["open"].address, "attached": False})
        self.assertIsNone(s["services"]["empty"]["upstream"])
        self.assertEqual(s["requests"]["total"], 1)

    def decisions(self, query=""):
        return json.loads(self.ask("/invoker/v1/decisions" + query).text)["decisions"]

    def test_decisions_come_newest_first_and_can_be_narrowed_down(self):
        self.g.get("open", "/first?secret=1")
        self.g.get("private", "/second")
        self.g.get("private", "/third", self.g.bearer(audience="private"))
        found = wait_until(lambda: len(self.decisions()) == 3 and self.decisions())
        self.assertEqual([d["path"] for d in found], ["/third", "/second", "/first"])
        third = found[0]
        self.assertEqual((third["status"], third["reason"], third["allowed"], third["service"]),
                         (403, "no_grant", False, "private"))
        self.assertEqual(third["caller"], email("frontend-sa"))
        self.assertIn("gcloud run services add-iam-policy-binding", third["fix"])
        self.assertTrue(third["explanation"])
        self.assertIs(found[2]["allowed"], True)
        self.assertEqual([d["path"] for d in self.decisions("?limit=1")], ["/third"])
        self.assertEqual([d["path"] for d in self.decisions("?service=open")], ["/first"])
        self.assertEqual(len(self.decisions("?refused=1")), 2)
        self.assertEqual(len(self.decisions("?refused=1&service=open")), 0)

    def test_only_the_last_decisions_are_kept(self):
        self.start("--workers", "1")  # each keeps its own
        self.g.get("private", "/long-ago")
        wait_until(lambda: self.decisions("?service=private"))
        with Client(self.g.address("open")) as c:
            for i in range(1030):
                c.request("GET", f"/{i}")
                self.assertEqual(c.read().status, 200)
        wait_until(lambda: self.decisions("?limit=1")[0]["path"] == "/1029")
        self.assertEqual(len(self.decisions("?limit=1000")), 1000)
        self.assertEqual(self.decisions("?service=private"), [])

    def test_bad_queries_are_400(self):
        for query in ("?limit=0", "?limit=x", "?limit=1001", "?service=" + "a" * 100):
            self.assert_error(self.ask("/invoker/v1/decisions" + query), 400, "INVALID_ARGUMENT")

    # ---- attaching ----

    def put(self, name, body, headers=None):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(f"/invoker/v1/services/{name}/upstream", "PUT",
                        JSON if headers is None else headers, text)

    def test_an_upstream_can_be_attached_and_detached(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.assertEqual(self.g.get("empty").status, 503)
        r = self.put("empty", {"address": upstream.address})
        self.assertEqual((r.status, json.loads(r.text)), (200, {
            "service": "empty", "upstream": upstream.address, "attached": True}))
        wait_until(lambda: self.g.get("empty").status == 200)
        self.assertTrue(json.loads(self.ask("/invoker/v1/status").text)
                        ["services"]["empty"]["attached"])
        r = self.ask("/invoker/v1/services/empty/upstream", "DELETE")
        self.assertEqual(r.status, 200)
        wait_until(lambda: self.g.get("empty").status == 503)
        r = self.ask("/invoker/v1/services/empty/upstream", "DELETE")
        self.assert_error(r, 404, "NOT_FOUND")

    def test_an_attached_upstream_wins_over_the_topologys_and_survives_a_reload(self):
        upstream = Upstream()
        self.addCleanup(upstream.close)
        self.put("open", {"address": upstream.url})
        wait_until(lambda: self.g.get("open", "/there") and upstream.requests)
        self.g.content["service_accounts"]["new-sa"] = {}
        self.g.topology.write(self.g.content)
        self.g.process.send_signal(1)
        self.g.get("open", "/still")
        self.assertEqual(upstream.last.target, "/still")
        self.ask("/invoker/v1/services/open/upstream", "DELETE")
        wait_until(lambda: self.g.get("open", "/back") and
                   self.g.upstreams["open"].requests[-1:] and
                   self.g.upstreams["open"].last.target == "/back")

    def test_what_cannot_be_attached_is_refused(self):
        for name, body, code, status in (
                ("nobody", {"address": "127.0.0.1:9"}, 404, "NOT_FOUND"),
                ("open", {"address": "example.com:80"}, 400, "INVALID_ARGUMENT"),
                ("open", {"address": "127.0.0.1"}, 400, "INVALID_ARGUMENT"),
                ("open", {"address": "127.0.0.1:0"}, 400, "INVALID_ARGUMENT"),
                ("open", {"address": 9}, 400, "INVALID_ARGUMENT"),
                ("open", {"addres": "127.0.0.1:9"}, 400, "INVALID_ARGUMENT"),
                ("open", b"[", 400, "INVALID_ARGUMENT"),
                ("open", b'{"address":"127.0.0.1:9","address":"127.0.0.1:8"}', 400,
                 "INVALID_ARGUMENT")):
            with self.subTest(f"{name} {body}"):
                self.assert_error(self.put(name, body), code, status)
        self.assertEqual(self.g.get("open").status, 200)

    # ---- who may not ask ----

    def test_a_web_page_with_a_name_of_its_own_is_refused(self):
        for host in ("evil.example", "evil.example:8079", "127.0.0.1.nip.example", "", "localhost.x"):
            with self.subTest(host):
                self.assert_error(self.ask("/invoker/v1/status", headers={"Host": host}),
                                  403, "PERMISSION_DENIED")

    def test_addresses_localhost_and_bare_names_are_ours(self):
        for host in ("localhost", "LOCALHOST:1", "gateway.localhost", "127.0.0.1:9", "[::1]:80",
                     "[::1]", "10.0.0.1", "gateway:8079"):
            with self.subTest(host):
                self.assertEqual(self.ask("/invoker/v1/status", headers={"Host": host}).status, 200)

    def test_what_a_page_may_send_unasked_changes_nothing(self):
        body = {"address": "127.0.0.1:9"}
        for headers in ({}, {"Content-Type": "text/plain"},
                        {"Content-Type": "application/x-www-form-urlencoded"}):
            self.assert_error(self.put("open", body, headers), 415, "INVALID_ARGUMENT")
        self.assertEqual(self.g.get("open").status, 200)
        r = self.ask("/invoker/v1/services/open/upstream", "OPTIONS", {"Origin": "http://x"})
        self.assertEqual(r.all("Access-Control-Allow-Origin"), [])

    def test_unknown_paths_and_methods_are_errors_in_googles_shape(self):
        self.assert_error(self.ask("/nothing"), 404, "NOT_FOUND")
        self.assert_error(self.ask("/invoker/v1/services/a/b/upstream"), 404, "NOT_FOUND")
        r = self.ask("/invoker/v1/status", "POST", JSON, b"{}")
        self.assert_error(r, 405, "UNIMPLEMENTED")
        self.assertEqual(r.header("Allow"), "GET, HEAD")
        r = self.ask("/invoker/v1/services/open/upstream")
        self.assert_error(r, 405, "UNIMPLEMENTED")

    def test_the_listener_moves_with_the_topology(self):
        old = self.g.control
        self.g.topology.ephemeral("-", "control")
        self.g.process.send_signal(1)

        def answers(address):
            try:
                return http("GET", f"http://{address}/healthz", timeout=2).status == 200
            except OSError:
                return False
        wait_until(lambda: answers(self.g.control), what="the new address")
        self.assertFalse(answers(old))


if __name__ == "__main__":
    unittest.main()
