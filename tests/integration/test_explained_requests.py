"""Each reason is met by a real request; then `invoker why ID` tells the true cause, check by check,
with the values that were compared."""

import json
import re
import unittest

from tests.lib.gateway import Gateway, email, keys_dir, run_app
from tests.lib.process import run, wait_until
from tests.lib.rawhttp import http
from tests.lib.refusals import ALLOWED, Requests, decision_of, gateway, identity
from tests.lib.tokens import claims, signed
from tests.lib.upstream import answer as reply

ISSUER = "https://accounts.google.com"
KID = r"[0-9a-f]{40}"
# reason: the check that decided, what it wanted, what it got, how near that was; as patterns.
DECIDED = {
    "granted": ("grant", "a role with run.routes.invoke on private for .*:frontend-sa@.*",
                r".*:frontend-sa@.* holds roles/run.invoker on private \(.*:\d+:\d+\)", ""),
    "public": ("open to everybody", "allUsers, or .*",
               "allUsers holds roles/run.invoker on open .*", ""),
    "iam_check_disabled": ("open to everybody", "allUsers, or .*", "invoker_iam_check: false", ""),
    "unknown_host": ("host", "a host of a service", "nowhere.example", ""),
    "reserved_path": ("path", "none of /healthz.*", "/_ah/.*", "/healthz/ and /health are .*"),
    "default_url_disabled": ("default URL", "run.app URLs switched on.*",
                             "a run.app URL, switched off", ""),
    "ingress_blocked": ("ingress", "ingress: internal", r"a caller outside \(127.0.0.1\)",
                        "inside are .*"),
    "no_credential": ("credential", "Authorization or X-Serverless-Authorization", "neither header",
                      ""),
    "empty_credential": ("credential", "Authorization or .*", "Authorization, empty", ""),
    "not_bearer": ("one ID token", "Bearer ID_TOKEN, once", 'no "Bearer"', "the scheme stands .*"),
    "repeated_header": ("one ID token", "Bearer ID_TOKEN, once", "the header twice", "some.*"),
    "several_tokens": ("one ID token", "Bearer ID_TOKEN, once", "several tokens", "two values .*"),
    "access_token": ("one ID token", "Bearer ID_TOKEN, once", r"an access token \(ya29.…\)",
                     ".*ask for an identity token"),
    "not_a_jwt": ("one ID token", "Bearer ID_TOKEN, once", "no JWT", "three base64url parts .*"),
    "signature_removed": ("one ID token", "Bearer ID_TOKEN, once", "a token without its signature",
                          "a token that was received .*"),
    "bad_alg": ("algorithm", "RS256", "none", "Google signs .*"),
    "unknown_key": ("key", f"a published key: {KID}.*", ".+", "minted elsewhere.*"),
    "bad_signature": ("signature", f"confirmed by the key {KID}", "not confirmed", ".+"),
    "bad_claims": ("claims", "iss, iat and exp", "iss, sub, aud, email, iat", "exp is missing"),
    "self_signed_jwt": ("issuer", ISSUER, email("frontend-sa"), ".*exchange it.*"),
    "wrong_issuer": ("issuer", ISSUER, "https://securetoken.google.com/my-project", ".*Firebase.*"),
    "expired": ("time", r"iat \S+ to exp \S+, ± 60 s", r"\S+Z", r"too late by \d+ min"),
    "not_yet_valid": ("time", r"\w+ \S+ to exp \S+, ± 60 s", r"\S+Z", r"too early by \d+ min"),
    "no_audience": ("audience", r"\S+ \(or \d others\)", "no aud claim", ""),
    "wrong_audience": ("audience", r"\S+ \(or 3 others\)", "https://elsewhere.example",
                       "none of this service's"),
    "no_principal": ("principal", "an e-mail, or the sub .*", "no e-mail, sub 1000.*", "ask .*"),
    "account_disabled": ("principal", "an account that is enabled", "serviceAccount:disabled-sa@.*",
                         "the account is disabled"),
    "denied": ("deny policies", "no rule .*", r"one that names .*denied-sa@.* \(.*:\d+\)",
               "deny rules come .*"),
    "condition_not_met": ("grant", "a role .* for serviceAccount:timed-sa@.*",
                          "serviceAccount:timed-sa@.* holds roles/run.invoker on private .*",
                          "its condition is not met: request.time < .*"),
    "no_grant": ("grant", "a role .* for serviceAccount:other-sa@.*", "no binding", ""),
}


class ExplainedRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = gateway(options=["--decision-header"])
        cls.addClassCleanup(cls.g.close)
        cls.requests = Requests(cls.g)

    def why(self, *words):
        return run("why", *words, "--control", self.g.control)

    def test_these_are_all_reasons_but_those_that_are_a_matter_of_when(self):
        status, out, _ = run("why", "--reasons", "-o", "json")
        self.assertEqual(status, 0)
        names = {row["reason"] for row in json.loads(out)["reasons"]}
        self.assertEqual(names - set(DECIDED), {"not_propagated", "keys_unavailable"})
        self.assertEqual(set(DECIDED), self.requests.reasons)

    def assert_told(self, reason, report):
        check, *patterns = DECIDED[reason]
        results = [c["result"] for c in report["checks"]]
        self.assertEqual(len(results), 17)
        at = [c["check"] for c in report["checks"]].index(check)
        self.assertEqual(results[at], "pass" if reason in ALLOWED else "fail")
        self.assertLessEqual(set(results[:at]), {"pass", "no"})
        self.assertLessEqual(set(results[at + 1:]), {"not reached"})
        for key, pattern in zip(("wanted", "got", "hint"), patterns):
            self.assertRegex(report["checks"][at].get(key, ""), rf"\A{pattern}\Z")

    def test_why_tells_each_request_by_the_id_that_its_answer_names(self):
        for reason in DECIDED:
            with self.subTest(reason):
                answer = self.requests.send(reason, "/a?secret=x")
                which, named = answer.header("X-Invoker-Decision").split()
                self.assertEqual(named, reason)
                status, out, err = self.why(which, "-o", "json")
                self.assertEqual((status, err), (0 if reason in ALLOWED else 1, ""))
                report = json.loads(out)
                self.assertEqual((report["id"], report["reason"], report["status"]),
                                 (which, reason, answer.status))
                self.assertEqual((report["allowed"], report["enforced"]), (reason in ALLOWED, True))
                self.assertNotIn("secret", out)
                self.assertTrue(report["learn_more"].startswith("https://cloud.google.com/"))
                self.assert_told(reason, report)
                self.assertEqual("binding" in report, reason in ("granted", "public"))
                text = self.why(which[:8])[1]
                for line in ("cause", "production") if reason not in ALLOWED else ():
                    self.assertRegex(text, rf"(?m)^  {line} +\S")
                self.assertRegex(text, rf"(?m)^  {'pass' if reason in ALLOWED else 'fail'} +"
                                 + re.escape(DECIDED[reason][0]))

    def test_the_id_is_that_of_the_log_entry(self):
        answer = self.requests.send("no_grant", "/the-same-id")
        which = answer.header("X-Invoker-Decision").split()[0]
        entry = self.g.entry("/the-same-id")
        self.assertEqual(entry["insertId"], which)
        report = decision_of(self.g, answer)
        self.assertEqual(report["explanation"], entry["invoker"]["explanation"])
        self.assertEqual(report["trace"], entry["trace"].rpartition("/")[2])

    def test_last_is_the_latest_refusal(self):
        self.requests.send("expired", "/a")
        self.requests.send("granted", "/b")
        status, out, _ = self.why("--last")
        self.assertEqual(status, 1)
        self.assertTrue(out.startswith("refused with 401 (expired)\n"), out)
        self.assertRegex(out, r"(?m)^  fail +time\n +wanted +iat .*\n +got +.*\n +near +too late")

    def test_facts_are_enough_to_decide_again(self):
        report = decision_of(self.g, self.requests.send("no_grant"))
        facts = report["facts"]
        self.assertEqual((facts["header"], facts["token"], facts["by_run_app_host"],
                          facts["internal"], facts["reserved_path"]),
                         ("authorization", "verified", False, False, False))
        self.assertEqual(facts["claims"]["email"], email("other-sa"))
        self.assertEqual(facts["claims"]["aud"], [self.g.url("private")])
        self.assertEqual(report["caller"], email("other-sa"))
        forged = decision_of(self.g, self.requests.send("bad_signature"))
        self.assertEqual(forged["facts"]["token"], "bad_signature")
        self.assertIn("email", forged["facts"]["claims"])
        self.assertNotIn("caller", forged)
        nobody = decision_of(self.g, self.requests.send("no_credential"))
        self.assertEqual((nobody["facts"]["token"], nobody["facts"]["header"]), ("absent", "none"))
        self.assertNotIn("claims", nobody["facts"])

    def test_no_token_is_told_with_its_signature(self):
        token = self.requests.tokens["granted"]
        signature = token.rpartition(".")[2]
        answer = self.requests.send("granted", "/no-signature")
        self.assertNotIn(signature, json.dumps(decision_of(self.g, answer)))
        listed = http("GET", f"http://{self.g.control}/invoker/v1/decisions?limit=1000").text
        self.assertNotIn(signature, listed)
        self.assertNotIn(token.split(".")[1], listed)

    def test_near_misses_of_audiences_are_told(self):
        url = self.g.url("private")
        rows = {
            url + "?x=1": "the query or fragment is too much; a path is tolerated",
            url.replace("http:", "https:"): "the scheme differs: http, https",
            self.g.url("open"): "that is open, another service",
            "https://" + run_app("private").replace("private", "Private"):
                "upper and lower case differ",
            "https://api.example.test": "a custom domain (hosts:) counts only where "
                                        "custom_audiences: lists it",
            run_app("private"): "the scheme is missing",
            "https://canary---" + run_app("private"):
                "a tag's URL; the service's own counts even when a tag is called",
        }
        for audience, hint in rows.items():
            with self.subTest(audience):
                token = signed(keys_dir(), claims(audience, email=email("frontend-sa")))
                answer = self.g.get("private", "/", {"Authorization": "Bearer " + token})
                check = decision_of(self.g, answer)["checks"][13]
                self.assertEqual((check["got"], check["hint"]), (audience, hint))

    def test_an_unknown_host_is_set_beside_the_service_that_it_resembles(self):
        answer = self.g.at_host("privat.localhost", "/")
        self.assertEqual(decision_of(self.g, answer)["checks"][0]["hint"],
                         "nearly that of private")

    def test_a_grant_on_its_way_is_the_nearest_binding(self):
        content = json.loads(json.dumps(self.g.content))
        content["matrix"]["late-sa"] = ["private"]
        self.g.topology.write(content)
        headers = self.g.bearer(account="late-sa", audience="private")

        def waiting():
            report = decision_of(self.g, self.g.get("private", "/late", headers))
            return report["reason"] == "not_propagated" and report
        report = wait_until(waiting, what="the grant being seen")
        self.assertEqual(report["nearest"]["member"], f"serviceAccount:{email('late-sa')}")
        self.assertEqual(report["nearest"]["on"], "service private")
        self.assertRegex(report["checks"][16]["hint"], r"takes effect in \d+ min")

    # ---- the API ----

    def get(self, path, method="GET"):
        answer = http(method, f"http://{self.g.control}/invoker/v1/decisions/{path}")
        return answer.status, json.loads(answer.text)

    def test_ids_that_are_none(self):
        for bad in ("abc", "g" * 24, "A" * 24, "0" * 25, "000000/x", ""):
            with self.subTest(bad):
                status, body = self.get(bad)
                self.assertEqual((status, body["error"]["status"]), (400, "INVALID_ARGUMENT"))
        status, body = self.get("0" * 24)
        self.assertEqual((status, body["error"]["status"]), (404, "NOT_FOUND"))
        self.assertEqual(self.get("0" * 24, "DELETE")[0], 405)
        status, out, err = self.why("0" * 24)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("no decision with that id", err)

    def test_lists_are_narrowed_down(self):
        for reason in ("no_grant", "granted", "expired"):
            self.requests.send(reason)

        def reasons(query):
            answer = http("GET", f"http://{self.g.control}/invoker/v1/decisions?{query}")
            return {d["reason"] for d in json.loads(answer.text)["decisions"]}
        self.assertEqual(reasons("reason=expired"), {"expired"})
        self.assertEqual(reasons("caller=other-sa"), {"no_grant"})
        self.assertLessEqual(reasons("allowed=1"), ALLOWED)
        self.assertIn("granted", reasons("allowed=1"))
        self.assertFalse(reasons("refused=1") & ALLOWED)

    def test_an_id_goes_with_nothing_that_makes_up_a_call(self):
        for words in (("abcdef", "--as", "x"), ("abcdef", "--last"), ("abcdef", "abcdef")):
            status, out, err = self.why(*words)
            self.assertEqual((status, out), (2, ""))
            self.assertTrue(err)


class DecisionHeader(unittest.TestCase):
    """Off, as in production, unless somebody asks for it."""

    def test_without_asking_there_is_none_but_a_containers_own(self):
        with Gateway({"private": {}, "open": {}}, {"allUsers": ["open"]}) as g:
            for name in ("private", "open"):
                self.assertIsNone(g.get(name).header("X-Invoker-Decision"))
            g.upstreams["open"].reply(reply(headers=[("X-Invoker-Decision", "mine")]))
            self.assertEqual(g.get("open").header("X-Invoker-Decision"), "mine")

    def test_the_topology_asks(self):
        with Gateway({"private": {}, "open": {}, "empty": {"upstream": None}},
                     {"allUsers": ["open", "empty"]}, emulation={"decision_header": True}) as g:
            for name, pattern in (("private", "no_credential"), ("open", "public"),
                                  ("empty", "public")):
                self.assertRegex(g.get(name).header("X-Invoker-Decision"),
                                 rf"\A[0-9a-f]{{24}} {pattern}\Z")

    def test_a_container_that_uses_the_name_is_not_heard(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}, options=["--decision-header"]) as g:
            g.upstreams["open"].reply(reply(headers=[("X-Invoker-Decision", "mine")]))
            values = [v for k, v in g.get("open").headers if k.lower() == "x-invoker-decision"]
            self.assertEqual(len(values), 1)
            self.assertRegex(values[0], "public")


class DefaultAccount(unittest.TestCase):
    def test_terraform_sets_the_callers_account(self):
        services = {"private": {"service_account": "backend-sa"}, "caller": {}}
        with Gateway(services, {"frontend-sa": ["private"]},
                     options=["--decision-header"]) as g:
            token = identity(g, "caller", g.url("private"))
            report = decision_of(g, g.get("private", "/", {"Authorization": "Bearer " + token}))
            self.assertIn('resource "google_cloud_run_v2_service" "caller"', report["terraform"])
            self.assertIn(f'service_account = "{email("frontend-sa")}"', report["terraform"])


if __name__ == "__main__":
    unittest.main()
