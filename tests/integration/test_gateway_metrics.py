"""What came to the gateway, in numbers: exact counts over several workers, after reloads, under
load."""

import json
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import wait_until
from tests.lib.rawhttp import http


class Traffic(unittest.TestCase):
    def setUp(self):
        self.g = Gateway({"open": {}, "private": {"service_account": "backend-sa"}},
                         {"allUsers": ["open"], "frontend-sa": ["private"]},
                         ["--workers", "3"])
        self.addCleanup(self.g.close)

    def ask(self, path):
        r = http("GET", f"http://{self.g.control}{path}")
        self.assertEqual(r.status, 200, r.text)
        return r

    def traffic(self):
        r = self.ask("/invoker/v1/traffic")
        self.assertEqual(r.header("Content-Type"), "application/json; charset=UTF-8")
        return json.loads(r.text)

    def counted(self, total):
        """The traffic once so many decisions are counted: the last is counted when it is over,
        which may be after its answer has arrived."""
        def look():
            t = self.traffic()
            return sum(c["count"] for c in t["cells"]) >= total and t
        return wait_until(look, what=f"{total} decisions")

    def cells(self, traffic):
        return {(c["service"], c["caller"], c["reason"]): c["count"] for c in traffic["cells"]}

    def send(self):
        """Known traffic over many connections, so that every worker gets some."""
        good = self.g.bearer(audience="private")
        other = self.g.bearer(account="other-sa", audience="private")
        for _ in range(20):
            self.g.get("private", "/", good)
        for _ in range(15):
            self.g.get("private", "/", other)
        for _ in range(10):
            self.g.get("private")
            self.g.get("private", "/", {"Authorization": "Bearer x"})
            self.g.get("open", "/", good)
            self.g.at_host("nobody.example")
        return 75

    def test_decisions_of_all_workers_are_counted_by_service_caller_and_reason(self):
        t = self.counted(self.send())
        self.assertEqual(self.cells(t), {
            ("private", email("frontend-sa"), "granted"): 20,
            ("private", email("other-sa"), "no_grant"): 15,
            ("private", "anonymous", "no_credential"): 10,
            ("private", "unverified", "not_a_jwt"): 10,
            ("open", "anonymous", "public"): 10,
            ("", "anonymous", "unknown_host"): 10})
        self.assertEqual(t["overflow"], 0)
        allowed = {c["reason"]: c["allowed"] for c in t["cells"]}
        self.assertEqual(allowed, {
            "granted": True, "public": True, "no_grant": False, "no_credential": False,
            "not_a_jwt": False, "unknown_host": False})
        for c in t["cells"]:
            self.assertIs(c["enforced"], True)
            self.assertLessEqual(t["since"], c["first"])
            self.assertLessEqual(c["first"], c["last"])

    def test_bindings_are_counted_by_use(self):
        t = self.counted(self.send())
        used = {(b["member"], b["on"]): b for b in t["bindings"]}
        frontend = used["serviceAccount:" + email("frontend-sa"), "service private"]
        self.assertEqual((frontend["count"], frontend["role"]), (20, "roles/run.invoker"))
        self.assertRegex(frontend["at"], rf"\A{self.g.topology.path}:\d+:\d+\Z")

    def test_counts_go_on_behind_a_reload(self):
        self.counted(self.send())
        self.g.content["matrix"]["other-sa"] = ["private"]
        self.g.topology.write(self.g.content)
        other = self.g.bearer(account="other-sa", audience="private")
        wait_until(lambda: self.g.get("private", "/", other).status == 200, what="the reload")
        t = self.counted(76)
        cells = self.cells(t)
        self.assertEqual(cells["private", email("frontend-sa"), "granted"], 20)
        self.assertGreaterEqual(cells["private", email("other-sa"), "granted"], 1)
        self.assertGreaterEqual(cells["private", email("other-sa"), "no_grant"], 15)


if __name__ == "__main__":
    unittest.main()
