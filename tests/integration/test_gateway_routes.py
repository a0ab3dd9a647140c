"""Which service a request is for, ingress settings and paths that never reach a container."""

import unittest

from tests.lib.gateway import NUMBER, REGION, Gateway, run_app
from tests.lib.rawhttp import Client

B404 = ("\n<html><head>\n"
        '<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>404 Page not found</title>\n</head>\n"
        "<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Page not found</h1>\n"
        "<h2>The requested URL was not found on this server.</h2>\n<h2></h2>\n</body></html>\n")


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        inside = {"addresses": ["127.0.0.9", "127.7.0.0/16"]}
        cls.g = Gateway(
            {"open": {"hosts": ["api.example.test"], **inside},
             "private": {}, "no-url": {"default_url": False, "hosts": ["kept.example.test"]},
             "internal": {"ingress": "internal"},
             "balanced": {"ingress": "internal-and-cloud-load-balancing"},
             "closed": {"ingress": "none"}},
            {"allUsers": ["open", "no-url", "internal", "balanced", "closed"]})
        cls.addClassCleanup(cls.g.close)

    def assert_not_found(self, r):
        self.assertEqual((r.status, r.text), (404, B404))
        self.assertEqual(r.header("Content-Type"), "text/html; charset=UTF-8")
        self.assertEqual(r.header("Server"), "Google Frontend")

    def assert_reaches(self, name, r):
        self.assertEqual(r.status, 200)
        self.assertTrue(self.g.upstreams[name].requests)

    # ---- hosts at the shared ingress ----

    def test_the_ingress_routes_by_host(self):
        for host in ("open.localhost", "open.localhost:8080", "OPEN.localhost", run_app("open"),
                     "api.example.test", "api.example.test.", "API.EXAMPLE.TEST:80"):
            with self.subTest(host):
                self.assert_reaches("open", self.g.at_host(host))
                self.assertEqual(self.g.upstreams["open"].last.header("Host"), host)

    def test_an_absolute_target_names_the_host(self):
        with Client(self.g.ingress) as c:
            c.request("GET", "http://open.localhost/abs?x", {"Host": "nobody.example"})
            self.assert_reaches("open", c.read())
        self.assertEqual(self.g.upstreams["open"].last.target, "/abs?x")

    def test_an_unknown_host_is_404_and_not_in_the_request_log(self):
        for host in ("nobody.example", "www." + run_app("open"), "open.example", "127.0.0.1"):
            with self.subTest(host):
                self.assert_not_found(self.g.at_host(host, "/unknown-host"))
        line = self.g.process.wait_for_line("unknown_host")
        self.assertNotIn("httpRequest", line)
        self.assertFalse([e for e in self.g.entries() if "unknown-host" in str(e)])

    def test_a_run_app_name_of_another_project_or_region_is_404(self):
        for host in (f"open-1{NUMBER[1:]}9.{REGION}.run.app", f"open-{NUMBER}.europe-west1.run.app"):
            self.assert_not_found(self.g.at_host(host))

    def test_a_services_own_listener_takes_any_host(self):
        r = self.g.get("open", "/", {"Host": "whatever.example"})
        self.assert_reaches("open", r)

    # ---- paths and methods that stay outside ----

    def test_reserved_paths_of_run_app_names_get_the_front_ends_own_404(self):
        for path in ("/healthz", "/healthz?x=1", "/eventlog", "/_ah/health"):
            with self.subTest(path):
                before = len(self.g.upstreams["open"].requests)
                r = self.g.at_host(run_app("open"), path)
                self.assertEqual(r.status, 404)
                self.assertIn("Error 404 (Not Found)!!1", r.text)
                self.assertEqual(r.all("Server"), [])
                self.assertEqual(r.all("X-Cloud-Trace-Context"), [])
                self.assertEqual(len(self.g.upstreams["open"].requests), before)

    def test_what_only_looks_reserved_reaches_the_container(self):
        for path in ("/healthz/", "/HEALTHZ", "/readyz", "/livez", "/health"):
            with self.subTest(path):
                self.assert_reaches("open", self.g.at_host(run_app("open"), path))
                self.assertEqual(self.g.upstreams["open"].last.target, path)

    def test_reserved_paths_are_open_at_the_services_own_address(self):
        self.assert_reaches("open", self.g.get("open", "/healthz"))

    def test_trace_and_connect_never_reach_a_container(self):
        before = len(self.g.upstreams["open"].requests)
        r = self.g.get("open", "/traced", method="TRACE")
        self.assertEqual(r.status, 405)
        with Client(self.g.address("open")) as c:
            c.request("CONNECT", "example.com:443")
            self.assertIn(c.read().status, (400, 405))
        self.assertEqual(len(self.g.upstreams["open"].requests), before)

    # ---- default URL and ingress ----

    def test_a_disabled_default_url_is_404_on_run_app_names_only(self):
        self.assert_not_found(self.g.at_host(run_app("no-url")))
        self.assert_reaches("no-url", self.g.at_host("kept.example.test"))
        self.assert_reaches("no-url", self.g.get("no-url"))

    def test_blocked_ingress_is_404_before_iam_and_not_in_the_request_log(self):
        for name in ("internal", "balanced", "closed"):
            with self.subTest(name):
                self.assert_not_found(self.g.get(name, "/blocked", {"Authorization": "Bearer x"}))
                self.assertEqual(self.g.upstreams[name].requests, [])
        line = self.g.process.wait_for_line("ingress_blocked")
        self.assertNotIn("httpRequest", line)
        self.assertFalse([e for e in self.g.entries() if "blocked" in e["httpRequest"]["requestUrl"]])

    def test_internal_traffic_comes_from_the_addresses_of_the_topology(self):
        for source in ("127.0.0.9", "127.7.1.2"):
            self.assert_reaches("internal", self.g.get("internal", "/", source=source))
            self.assert_reaches("balanced", self.g.get("balanced", "/", source=source))
            self.assert_not_found(self.g.get("closed", "/", source=source))
        self.assert_not_found(self.g.get("internal", "/", source="127.0.0.8"))


if __name__ == "__main__":
    unittest.main()
