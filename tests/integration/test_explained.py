"""Every row of the table of reasons is explained, with the command that mends it: by `invoker why`
without anything running, and in the log of the gateway that decided so."""

import json
import re
import unittest

from tests.lib.gateway import keys_dir, run_app
from tests.lib.process import run, wait_until
from tests.lib.refusals import ALLOWED, UNLOGGED, bad_tokens, gateway

def table():
    status, out, err = run("why", "--reasons", "--output", "json")
    assert status == 0, err
    return {row["reason"]: row for row in json.loads(out)["reasons"]}


class Explained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = table()
        cls.g = gateway()
        cls.addClassCleanup(cls.g.close)
        cls.tokens = bad_tokens(cls.g)

    def check(self, reason, explanation, fix, local_fix=None):
        """The words are those of this very case: no blank is left, nothing is a bare template."""
        row = self.table[reason]
        self.assertTrue(explanation)
        if not row["fix"]:
            self.assertFalse(fix)
            return
        self.assertTrue(fix)
        for text in (explanation, fix, local_fix or ""):
            self.assertNotRegex(text, r"\{(service|region|project|member|account|url)\}")
        if "{service}" in row["fix"] and reason != "wrong_audience":
            self.assertRegex(fix, "private|internal|hidden")

    # ---- invoker why: nothing runs ----

    def why(self, *words):
        status, out, err = run("why", "-c", self.g.topology.path, *words, "--output", "json")
        self.assertIn(status, (0, 1), err)
        return status, json.loads(out)

    def why_rows(self):
        to = ("--to", "private", "--keys", keys_dir())
        rows = {reason: ("--token", token, *to) for reason, token in self.tokens.items()}
        # Here the topology's own addresses count, not those of the running gateway.
        for reason, account in {"granted": "frontend-sa", "no_grant": "other-sa",
                                "account_disabled": "disabled-sa", "denied": "denied-sa",
                                "condition_not_met": "timed-sa"}.items():
            rows[reason] = ("--as", account, "--to", "private")
        rows["no_principal"] = ("--as", "nobody@example.com", "--no-email", "--to", "private")
        rows["self_signed_jwt"] = ("--token", self.tokens["self_signed_jwt"], *to)
        rows.update({
            "public": ("--anonymous", "--to", "open"),
            "iam_check_disabled": ("--anonymous", "--to", "unchecked"),
            "unknown_host": ("--anonymous", "--host", "nowhere.example"),
            "reserved_path": ("--anonymous", "--host", run_app("private"), "--path", "/healthz"),
            "default_url_disabled": ("--anonymous", "--host", run_app("hidden")),
            "ingress_blocked": ("--as", "frontend-sa", "--to", "internal"),
            "no_credential": ("--anonymous", "--to", "private"),
            "empty_credential": ("--token", " ", *to),
            "not_bearer": ("--token", "Basic eA==", *to),
            "repeated_header": ("--as", "frontend-sa", "--repeated-header", "--to", "private"),
            "several_tokens": ("--token", "Bearer a.b.c, Bearer a.b.c", *to),
            "not_propagated": ("--as", "frontend-sa", "--just-granted", "--to", "private"),
            "keys_unavailable": ("--token", self.tokens["granted"], "--to", "private",
                                 "--keys", "/nonexistent/keys"),
        })
        return rows

    def test_why_explains_every_reason_and_names_what_mends_it(self):
        rows = self.why_rows()
        self.assertEqual(set(rows), set(self.table))
        for reason, words in rows.items():
            with self.subTest(reason):
                status, report = self.why(*words)
                row = self.table[reason]
                self.assertEqual(report["reason"], reason)
                self.assertEqual(status, 0 if row["allowed"] else 1)
                self.assertEqual(report["status"], row["status"])
                self.assertEqual(report["www_authenticate"], row["www_authenticate"])
                self.assertEqual(report["log_text"], row["log_text"])
                self.assertEqual(report["logged"], row["logged"])
                self.check(reason, report["explanation"], report["fix"], report["local_fix"])
                deciding = [c for c in report["checks"] if c["result"] in ("fail", "pass")][-1]
                self.assertEqual(deciding["result"], "pass" if row["allowed"] else "fail")

    def test_the_text_for_people_has_cause_and_cure(self):
        for reason, words in self.why_rows().items():
            if reason in ALLOWED:
                continue
            with self.subTest(reason):
                status, out, _ = run("why", "-c", self.g.topology.path, *words)
                self.assertEqual(status, 1)
                self.assertIn(f"({reason})", out.splitlines()[0])
                self.assertRegex(out, r"(?m)^  cause +\S")
                self.assertRegex(out, r"(?m)^  production +\S")

    # ---- the log of the gateway ----

    def ask(self, path, headers, name="private"):
        return self.g.get(name, path, headers)

    def assert_logged(self, reason, path, response):
        """What the entry says of a request that was decided for that reason."""
        row = self.table[reason]
        entry = self.g.entry(path)
        self.assertEqual(entry["invoker"]["reason"], reason)
        self.assertEqual(entry["httpRequest"]["status"], response.status)
        self.assertEqual(entry.get("textPayload"), row["log_text"])
        if reason in ALLOWED:
            self.assertEqual(response.status, 200)
            return
        self.assertEqual(response.status, row["status"])
        self.assertEqual(response.header("WWW-Authenticate"), row["www_authenticate"])
        about = entry["invoker"]
        self.check(reason, about.get("explanation"), about.get("fix"), about.get("local_fix"))

    def test_the_log_explains_every_token(self):
        for reason, token in self.tokens.items():
            with self.subTest(reason):
                path = f"/token-{reason}"
                r = self.ask(path, {"Authorization": f"Bearer {token}"})
                self.assert_logged(reason, path, r)

    def test_the_log_explains_every_header(self):
        good = "Bearer " + self.tokens["granted"]
        rows = {
            "no_credential": [],
            "empty_credential": [("Authorization", "")],
            "not_bearer": [("Authorization", "Basic eA==")],
            "repeated_header": [("Authorization", good), ("Authorization", good)],
            "several_tokens": [("Authorization", f"{good}, {good}")],
        }
        for reason, headers in rows.items():
            with self.subTest(reason):
                path = f"/header-{reason}"
                self.assert_logged(reason, path, self.ask(path, headers))

    def test_the_log_names_why_a_request_passed(self):
        for reason, name in (("public", "open"), ("iam_check_disabled", "unchecked")):
            with self.subTest(reason):
                path = f"/passed-{reason}"
                self.assert_logged(reason, path, self.ask(path, [], name))

    def test_the_log_explains_changes_that_have_not_propagated(self):
        content = json.loads(json.dumps(self.g.content))
        content["matrix"]["late-sa"] = ["private"]
        del content["matrix"]["leaving-sa"]
        self.g.topology.write(content)

        def explained(account, words):
            headers = self.g.bearer(account=account, audience="private")
            path = f"/{account}-{len(self.g.entries())}"
            response = self.ask(path, headers)
            text = self.g.entry(path)["invoker"].get("explanation", "")
            return re.search(words, text) and (path, response)
        path, response = wait_until(
            lambda: explained("late-sa", r"granted \d+ s ago, takes effect in \d+ (s|min)\."),
            what="the grant being seen")
        self.assert_logged("not_propagated", path, response)
        path, response = explained(
            "leaving-sa", r"was revoked \d+ s ago, still in force for \d+ (s|min)\.")
        self.assert_logged("granted", path, response)

    def test_what_production_does_not_log_is_told_in_a_line_of_our_own(self):
        rows = {
            "unknown_host": ("nowhere.example", "/door-1"),
            "reserved_path": (run_app("private"), "/_ah/door-2"),
            "default_url_disabled": (run_app("hidden"), "/door-3"),
            "ingress_blocked": ("internal.localhost", "/door-4"),
        }
        self.assertEqual(set(rows), UNLOGGED)
        for reason, (host, path) in rows.items():
            with self.subTest(reason):
                self.assertEqual(self.g.at_host(host, path).status, 404)
                line = wait_until(lambda p=path: [e for e in self.g.log() if e.get("target") == p],
                                  what=f"a line about {path}")[-1]
                self.assertEqual(line["reason"], reason)
                self.check(reason, line["explanation"], line["fix"])
                self.assertNotIn(path, [e["httpRequest"]["requestUrl"] for e in self.g.entries()])

    def test_these_are_all_reasons_there_are(self):
        here = set(self.tokens) | UNLOGGED | ALLOWED | {
            "no_credential", "empty_credential", "not_bearer", "repeated_header", "several_tokens",
            "not_propagated", "keys_unavailable"}
        self.assertEqual(here, set(self.table))


class WithoutKeys(unittest.TestCase):
    def test_the_log_explains_that_no_keys_are_there(self):
        row = table()["keys_unavailable"]
        with gateway(metadata=False, start=False) as g:
            g.start(wait=False)

            def answered():
                try:
                    return g.get("private", "/no-keys", {"Authorization": "Bearer " + token})
                except OSError:
                    return None
            token = g.token(audience="private")
            response = wait_until(answered, what="an answer")
            self.assertEqual((response.status, response.header("WWW-Authenticate")),
                             (row["status"], row["www_authenticate"]))
            entry = g.entry("/no-keys")
            self.assertEqual(entry["invoker"]["reason"], "keys_unavailable")
            self.assertEqual(entry["textPayload"], row["log_text"])
            self.assertTrue(entry["invoker"]["explanation"])
            self.assertTrue(entry["invoker"]["fix"])


if __name__ == "__main__":
    unittest.main()
