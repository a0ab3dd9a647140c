"""Audit mode: what would be refused reaches the container as if it were allowed, and is recorded as
what it would have been; back in enforce mode it is refused again."""

import itertools
import json
import unittest

from tests.lib.gateway import Gateway, email, run_app
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, http

STRIPPED = "SIGNATURE_REMOVED_BY_GOOGLE"
AUDIT = {"mode": "audit"}


def without_signature(token):
    return token.rsplit(".", 1)[0] + "." + STRIPPED


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths = (f"/audit-{i}" for i in itertools.count())
        cls.g = Gateway({"private": {"service_account": "backend-sa"}, "open": {},
                         "inside": {"ingress": "internal", "invoker_iam_check": False},
                         "hidden": {"default_url": False}, "empty": {"upstream": None}},
                        {"frontend-sa": ["private"], "allUsers": ["open"]}, emulation=AUDIT)
        cls.addClassCleanup(cls.g.close)

    def decisions(self, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items())
        r = http("GET", f"http://{self.g.control}/invoker/v1/decisions?{text}")
        return json.loads(r.text)["decisions"]

    def decision(self, path):
        return wait_until(lambda: [d for d in self.decisions(limit=1000) if d["path"] == path],
                          what=f"the decision on {path}")[0]

    def status(self):
        return json.loads(http("GET", f"http://{self.g.control}/invoker/v1/status").text)

    def let_through(self, headers, reason, would_be, name="private", method="GET"):
        """Asserts that it is forwarded and recorded; the request that the container got."""
        path = next(self.paths)
        r = self.g.get(name, path, headers, method)
        self.assertEqual(r.status, 200)
        self.assertIsNone(r.header("WWW-Authenticate"))
        got = self.g.upstreams[name].last
        self.assertEqual(got.target, path)
        d = self.decision(path)
        self.assertEqual((d["allowed"], d["enforced"], d["status"], d["reason"]),
                         (False, False, 200, reason))
        self.assertTrue(d["explanation"])
        self.assertTrue(d["fix"])
        entry = self.g.entry(path)
        self.assertEqual(entry["severity"], "WARNING")
        self.assertEqual(entry["httpRequest"]["status"], 200)
        self.assertNotEqual(entry["httpRequest"]["latency"], "0s")
        self.assertEqual(entry["labels"]["invoker/enforced"], "false")
        self.assertIn("instanceId", entry["labels"])
        self.assertNotIn("textPayload", entry)
        self.assertEqual((entry["invoker"]["enforced"], entry["invoker"]["would_be"],
                          entry["invoker"]["reason"]), (False, would_be, reason))
        return got

    # ---- what passes ----

    def test_nobody_is_let_through(self):
        got = self.let_through([], "no_credential", 403)
        self.assertEqual(got.all("Authorization"), [])

    def test_a_caller_without_a_grant_is_let_through_without_its_signature(self):
        token = self.g.token(account="other-sa", audience="private")
        got = self.let_through({"Authorization": f"Bearer {token}"}, "no_grant", 403)
        self.assertEqual(got.header("Authorization"), f"bearer {without_signature(token)}")
        self.assertEqual(self.decisions(limit=1)[0]["caller"], email("other-sa"))

    def test_tokens_that_prove_nothing_are_let_through_without_their_signature(self):
        for flag, reason in (("--tampered", "bad_signature"), ("--foreign-key", "unknown_key"),
                             ("--expired", "expired"), ("--unsigned", "bad_alg"),
                             ("--wrong-issuer", "wrong_issuer")):
            with self.subTest(reason=reason):
                token = self.g.token(flag, audience="private")
                got = self.let_through({"Authorization": f"Bearer {token}"}, reason, 401)
                self.assertEqual(got.header("Authorization"),
                                 f"bearer {without_signature(token)}")

    def test_the_wrong_audience_is_let_through(self):
        self.let_through(self.g.bearer(audience="https://elsewhere.example"), "wrong_audience", 401)

    def test_a_credential_that_is_no_jwt_reaches_the_container_as_it_is(self):
        for value, reason, status in (("Basic eA==", "not_bearer", 401),
                                      ("Bearer ya29.x", "access_token", 401),
                                      ("Bearer x", "not_a_jwt", 401),
                                      ("", "empty_credential", 403)):
            with self.subTest(value=value):
                got = self.let_through({"Authorization": value}, reason, status)
                self.assertEqual(got.header("Authorization"), value)

    def test_of_several_tokens_none_keeps_its_signature(self):
        token = self.g.token(audience="private")
        got = self.let_through({"Authorization": f"Bearer {token}, {token}"}, "several_tokens", 401)
        bare = without_signature(token)
        self.assertEqual(got.header("Authorization"), f"Bearer {bare}, {bare}")
        got = self.let_through([("Authorization", f"Bearer {token}"), ("Authorization", "Basic eA==")],
                               "repeated_header", 401)
        self.assertEqual(got.all("Authorization"), [f"Bearer {bare}", "Basic eA=="])

    def test_only_the_header_that_counts_loses_its_signature(self):
        bad = self.g.token("--tampered", audience="private")
        got = self.let_through({"Authorization": f"Bearer {bad}",
                                "X-Serverless-Authorization": f"Bearer {bad}"},
                               "bad_signature", 401)
        self.assertEqual(got.header("Authorization"), f"Bearer {bad}")
        self.assertEqual(got.header("X-Serverless-Authorization"),
                         f"bearer {without_signature(bad)}")

    def test_what_ingress_would_block_is_let_through(self):
        self.let_through(self.g.bearer(audience="inside"), "ingress_blocked", 404, "inside")

    def test_what_a_disabled_url_would_block_is_let_through_without_its_signature(self):
        path = next(self.paths)
        token = self.g.token(audience="hidden")
        r = self.g.at_host(run_app("hidden"), path, [("Authorization", f"Bearer {token}")])
        self.assertEqual(r.status, 200)
        self.assertEqual(self.g.upstreams["hidden"].last.header("Authorization"),
                         f"bearer {without_signature(token)}")
        self.assertEqual(self.decision(path)["reason"], "default_url_disabled")

    def test_a_body_arrives(self):
        path = next(self.paths)
        r = self.g.get("private", path, [], "POST", b"x" * 100000)
        self.assertEqual(r.status, 200)
        self.assertEqual(self.g.upstreams["private"].last.body, b"x" * 100000)

    # ---- what has no container to go to ----

    def test_an_unknown_host_and_a_reserved_path_are_refused_all_the_same(self):
        self.assertEqual(self.g.at_host("nowhere.example").status, 404)
        self.assertEqual(self.g.at_host(run_app("private"), "/healthz").status, 404)

    def test_without_a_container_it_is_503(self):
        path = next(self.paths)
        self.assertEqual(self.g.get("empty", path).status, 503)
        d = self.decision(path)
        self.assertEqual((d["status"], d["allowed"], d["enforced"], d["reason"]),
                         (503, False, False, "no_credential"))

    # ---- what is as ever ----

    def test_what_is_allowed_is_recorded_as_ever(self):
        for name, headers in (("private", self.g.bearer(audience="private")), ("open", [])):
            path = next(self.paths)
            self.assertEqual(self.g.get(name, path, headers).status, 200)
            d = self.decision(path)
            self.assertEqual((d["allowed"], d["enforced"]), (True, True))
            entry = self.g.entry(path)
            self.assertEqual(entry["severity"], "INFO")
            self.assertNotIn("invoker/enforced", entry["labels"])

    def test_a_public_service_gets_the_token_as_it_is(self):
        bearer = self.g.bearer("--tampered", audience="open")
        self.assertEqual(self.g.get("open", next(self.paths), bearer).status, 200)
        self.assertEqual(self.g.upstreams["open"].last.header("Authorization"),
                         bearer["Authorization"])

    # ---- who is told ----

    def test_start_and_status_say_it(self):
        self.assertTrue([e for e in self.g.log() if e["severity"] == "WARNING"
                         and e.get("message", "").startswith("audit mode: nothing is refused")])
        self.assertEqual(self.status()["mode"], "audit")
        before = self.status()["requests"]
        self.g.get("private", next(self.paths))
        wait_until(lambda: self.status()["requests"]["audited"] == before["audited"] + 1)
        self.assertEqual(self.status()["requests"]["refused"], before["refused"])

    def test_the_filter_for_refusals_finds_them(self):
        path = next(self.paths)
        self.g.get("private", path)
        wait_until(lambda: path in [d["path"] for d in self.decisions(refused=1, limit=1000)])


class Text(unittest.TestCase):
    def test_the_line_for_people_is_a_warning(self):
        with Gateway({"private": {}}, options=["--log-format", "text"], emulation=AUDIT) as g:
            g.get("private", "/read?me", g.bearer(account="other-sa", audience="private"))
            line = g.process.err.wait_for("GET /read")
            self.assertRegex(line, r"gateway +warning +private GET /read\?me 200 [0-9.]+ms audit: "
                                   r"would be refused 403 no_grant other-sa@\S+: .*holds no role.*"
                                   r"\| fix: gcloud run services add-iam-policy-binding private ")
            self.assertRegex(g.process.err.text(), r"(?m)warning +audit mode: nothing is refused")


class Reload(unittest.TestCase):
    def test_a_saved_file_switches_between_the_modes(self):
        with Gateway({"private": {}}) as g:
            def mode(value):
                g.topology.write({**g.content, "emulation": {"mode": value}})
                wait_until(lambda: f'"mode":"{value}"' in http(
                    "GET", f"http://{g.control}/invoker/v1/status").text)

            # One connection throughout: a worker changes between two requests.
            with Client(g.address("private")) as c:
                def ask():
                    c.request("GET", "/")
                    return c.read().status

                self.assertEqual(ask(), 403)
                mode("audit")
                wait_until(lambda: ask() == 200)
                mode("enforce")
                wait_until(lambda: ask() == 403)
            messages = [e.get("message", "") for e in g.log()]
            self.assertEqual(len([m for m in messages if m.startswith("audit mode: ")]), 1)
            self.assertIn("audit mode is over: refusals are enforced again", messages)


if __name__ == "__main__":
    unittest.main()
