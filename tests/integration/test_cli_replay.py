"""`invoker replay`, as a developer runs it: a recording of real traffic under edited topologies."""

import json
import os
import shutil
import tempfile
import unittest

from tests.lib.gateway import Gateway, email, keys_dir
from tests.lib.process import ROOT, run, wait_until
from tests.lib.rawhttp import http
from tests.lib.topology import closed_port
from tests.lib.upstream import Upstream, answer


class Replay(unittest.TestCase):
    """One recording for all: its gateway's ports are gone when it is judged again."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="invoker-replay-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.recording = os.path.join(cls.folder, "r.jsonl")
        with Gateway({"private": {"custom_audiences": ["private.internal"]}, "open": {},
                      "other": {}},
                     {"frontend-sa": ["private"], "allUsers": ["open"]},
                     ["--record", cls.recording]) as g:
            cls.content = {**g.content, "keys": keys_dir()}
            cls.port = int(g.address("private").split(":")[1])
            good = g.bearer(audience="private")
            for _ in range(3):
                assert g.get("private", "/items", good).status == 200
            assert g.get("private", "/", g.bearer(audience="private.internal")).status == 200
            assert g.get("private", "/", g.bearer(audience="other")).status == 401
            assert g.get("private", "/", g.bearer("--expired", audience="private")).status == 401
            assert g.get("private", "/",
                         g.bearer(account="other-sa", audience="private")).status == 403
            assert g.get("other", "/", g.bearer(audience="other")).status == 403
            assert g.get("private").status == 403
            assert g.get("open").status == 200
            assert g.at_host("nobody.example").status == 404
            wait_until(lambda: '"total":11,' in http(
                "GET", f"http://{g.control}/invoker/v1/status").text)
            g.process.stop()
        with open(cls.recording, encoding="utf-8") as f:
            assert len(f.readlines()) == 11

    def topology(self, **changes):
        """The recorded one, changed, as a file; listeners are at other ports."""
        path = os.path.join(self.folder, "edited.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**self.content, **changes}, f)
        return path

    def replay(self, *words, **changes):
        status, out, err = run("replay", self.recording, "-c", self.topology(**changes), *words)
        self.assertEqual(err, "")
        return status, out

    def flips(self, *words, **changes):
        """{(direction, caller, service): (count, reason then, reason now)}, and the unjudged."""
        status, out = self.replay("-o", "json", *words, **changes)
        told = json.loads(out)
        found = {}
        for kind in ("refused", "allowed", "reason"):
            for g in told[kind]:
                key = (kind, g.get("caller", "").split("@")[0], g["service"])
                found[key] = (g["count"], g["was"]["reason"], g["is"]["reason"])
        self.assertEqual(status, 1 if found else 0)
        self.assertEqual(told["calls"], 11)
        self.assertEqual(told["calls"], told["same"] + sum(v[0] for v in found.values())
                         + sum(g["count"] for g in told["unjudged"]))
        return found, told["unjudged"]

    def services(self, **changes):
        return {name: {**settings, **changes.get(name, {})}
                for name, settings in self.content["services"].items()}

    # ---- nothing changes ----

    def test_under_the_same_topology_at_other_ports_nothing_flips(self):
        self.assertNotEqual(self.port, 8081)  # where the file, read alone, has it
        self.assertEqual(self.flips("--reasons"), ({}, []))
        status, out = self.replay()
        self.assertEqual(status, 0)
        self.assertRegex(out, r"\A11 calls under \S+/edited.yaml: 0 would be refused that "
                              r"passed, 0 the reverse\.\Z")

    def test_now_means_the_token_is_as_old_as_it_was(self):
        self.assertEqual(self.flips("--now", "--reasons"), ({}, []))
        self.assertEqual(self.flips("--at", "2040-01-01T00:00:00Z", "--reasons"), ({}, []))

    # ---- what flips ----

    def test_a_grant_that_is_taken_away_flips(self):
        self.assertEqual(
            self.flips(matrix={"other-sa": ["private"], "allUsers": ["open"]})[0],
            {("refused", "frontend-sa", "private"): (4, "granted", "no_grant"),
             ("allowed", "other-sa", "private"): (1, "no_grant", "granted")})

    def test_people_are_told_cause_and_cure(self):
        status, out = self.replay(matrix={"frontend-sa": ["other"], "allUsers": ["open"]})
        self.assertEqual(status, 1)
        self.assertIn("4 would be refused that passed, 1 the reverse.\n", out)
        self.assertRegex(out, r"\nfrontend-sa -> private: was allowed \(granted\), would be 403 "
                              r"\(no_grant\)\n  calls       4 calls, first [0-9a-f]{24} at \S+Z, "
                              r"last at \S+Z\n  cause       serviceAccount:\S+ holds no role")
        self.assertIn("\n  production  gcloud run services add-iam-policy-binding private ", out)
        self.assertIn("\n  here        matrix: add private to frontend-sa", out)
        self.assertIn(f"\n  nearest     {self.folder}/edited.yaml:", out)
        self.assertIn("\nfrontend-sa -> other: was 403 (no_grant), would be allowed (granted)\n",
                      out)

    def test_a_custom_audience_that_is_taken_away_flips_and_an_address_does_not(self):
        self.assertEqual(
            self.flips(services=self.services(private={"custom_audiences": []}))[0],
            {("refused", "frontend-sa", "private"): (1, "granted", "wrong_audience")})

    def test_a_url_that_the_topology_states_makes_the_address_a_wrong_audience(self):
        self.assertEqual(
            self.flips(services=self.services(private={"url": "http://private.test"}))[0],
            {("refused", "frontend-sa", "private"): (3, "granted", "wrong_audience")})

    def test_the_address_of_another_service_stays_its_address(self):
        # 'other' was at the port that 'private' has now.
        with open(self.recording, encoding="utf-8") as f:
            other = [d for d in map(json.loads, f) if d.get("service") == "other"][0]["host"]
        self.assertEqual(
            self.flips("--reasons", services=self.services(private={"listen": other}))[0], {})

    def test_ingress_is_judged_by_where_the_call_came_from(self):
        found, unjudged = self.flips(services=self.services(open={"ingress": "internal"}))
        self.assertEqual(found, {("refused", "", "open"): (1, "public", "ingress_blocked")})
        self.assertEqual(unjudged, [])

    def test_another_reason_is_told_on_request(self):
        deny = [{"deniedPrincipals": [f"principal://iam.googleapis.com/projects/-/serviceAccounts/"
                                      f"{email('other-sa')}"],
                 "deniedPermissions": ["run.googleapis.com/routes.invoke"]}]
        self.assertEqual(self.flips(deny=deny)[0], {})
        self.assertEqual(self.flips("--reasons", deny=deny)[0],
                         {("reason", "other-sa", "private"): (1, "no_grant", "denied")})

    # ---- what cannot be told ----

    def test_a_service_that_was_open_cannot_be_judged_as_a_private_one(self):
        found, unjudged = self.flips(matrix={"frontend-sa": ["private"]})
        self.assertEqual(found, {})
        self.assertEqual([(g["service"], g["count"], g["explanation"]) for g in unjudged],
                         [("open", 1, "nobody looked at the token then, for the service was open")])

    def test_a_service_that_is_gone_cannot_be_judged(self):
        services = self.services()
        del services["other"]
        found, unjudged = self.flips(services=services)
        self.assertEqual(found, {})
        self.assertEqual([(g["service"], g["count"]) for g in unjudged], [("other", 1)])
        self.assertIn("there is no such service in ", unjudged[0]["explanation"])

    # ---- the command line ----

    def test_what_cannot_be_read_exits_with_2(self):
        for words in ([self.folder + "/none"], [self.recording, "-c", self.folder + "/none.yaml"],
                      [self.recording, "--now", "--at", "2040-01-01T00:00:00Z"],
                      [self.recording, "--at", "soon"], [self.recording, "-o", "xml"],
                      [self.recording, "--control", "127.0.0.1:1"],
                      ["-c", self.topology(), "--control", f"127.0.0.1:{closed_port()}"]):
            with self.subTest(words):
                if "-c" not in words:
                    words = [*words, "-c", self.topology()]
                self.assertEqual(run("replay", *words)[0], 2)


class Running(unittest.TestCase):
    def test_what_a_running_gateway_remembers_is_judged(self):
        with Gateway({"private": {}}, {"frontend-sa": ["private"]}) as g:
            g.get("private", "/", g.bearer(audience="private"))
            wait_until(lambda: '"total":1,' in http(
                "GET", f"http://{g.control}/invoker/v1/status").text)
            g.topology.write({**g.content, "matrix": {}}, "edited.yaml")
            status, out, err = run("replay", "-c", str(g.topology.dir / "edited.yaml"),
                                   "--control", g.control)
            self.assertEqual((status, err), (1, ""))
            self.assertIn("frontend-sa -> private: was allowed (granted), would be 403 (no_grant)",
                          out)

    def ask(self, status, body):
        """With something else in the gateway's place, which closes after its answer."""
        upstream = Upstream(handle=lambda _: answer(status, body.encode(),
                                                    [("Connection", "close")]))
        self.addCleanup(upstream.close)
        return run("replay", "-c", os.path.join(ROOT, "policies", "tutorial.yaml"),
                   "--control", f"127.0.0.1:{upstream.port}")

    def test_a_gateway_that_may_remember_more_is_told_of(self):
        one = {"timestamp": "2027-01-15T08:00:00Z", "reason": "unknown_host", "host": "x.example"}
        status, out, err = self.ask(200, json.dumps({"decisions": [one] * 1000}))
        self.assertEqual(status, 0)
        self.assertTrue(out.startswith("1000 calls under "), out)
        self.assertIn("these are the last 1000 calls; the gateway tells no more at a time", err)
        self.assertEqual(self.ask(200, json.dumps({"decisions": [one] * 999}))[2], "")

    def test_an_answer_that_is_no_list_of_decisions_exits_with_2(self):
        for status, body in ((500, "broken"), (200, "[]"), (200, '{"decisions":[{}]}')):
            with self.subTest(body):
                self.assertEqual(self.ask(status, body)[0], 2)


if __name__ == "__main__":
    unittest.main()
