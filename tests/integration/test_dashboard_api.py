"""What the dashboard asks a running gateway: made-up calls, tokens, what propagates."""

import json
import unittest

from tests.lib.gateway import Gateway, email, run_app
from tests.lib.rawhttp import http


class DashboardApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"frontend": {"service_account": "frontend-sa", "upstream": None},
                         "backend-api": {"service_account": "backend-sa", "upstream": None},
                         "db-service": {"service_account": "other-sa", "upstream": None}},
                        {"frontend-sa": ["backend-api"]})
        cls.addClassCleanup(cls.g.close)

    def post(self, path, body):
        answer = http("POST", f"http://{self.g.control}{path}", body=json.dumps(body).encode(),
                      headers={"Content-Type": "application/json"})
        return answer.status, json.loads(answer.text)

    def why(self, **question):
        status, answer = self.post("/invoker/v1/why", question)
        self.assertEqual(status, 200, answer)
        return answer

    def refused(self, words, **question):
        status, answer = self.post("/invoker/v1/why", question)
        self.assertEqual(status, 400, answer)
        self.assertIn(words, answer["error"]["message"])

    def test_a_made_up_call_is_judged_as_a_real_one(self):
        d = self.why(**{"as": "frontend-sa", "to": "backend-api"})
        self.assertEqual((d["allowed"], d["reason"]), (True, "granted"))
        self.assertIn(":", d["binding"]["at"])
        d = self.why(**{"as": "frontend-sa", "to": "db-service"})
        self.assertEqual((d["status"], d["reason"]), (403, "no_grant"))
        self.assertIn("gcloud run services add-iam-policy-binding db-service", d["fix"])
        self.assertEqual([c["check"] for c in d["checks"] if c["result"] == "fail"], ["grant"])
        self.assertEqual(self.why(anonymous=True, to="backend-api")["reason"], "no_credential")

    def test_every_option_counts(self):
        base = {"as": "frontend-sa", "to": "backend-api"}
        for more, reason in (({"expired": True}, "expired"), ({"unsigned": True}, "bad_alg"),
                             ({"not-yet-valid": True}, "not_yet_valid"),
                             ({"expired": False}, "granted"),
                             ({"audience": "https://x.example"}, "wrong_audience"),
                             ({"header": "serverless"}, "granted"),
                             ({"at": "2031-01-02T03:04:05Z"}, "granted"),
                             ({"host": run_app("backend-api"), "path": "/healthz"},
                              "reserved_path"),
                             ({"path": "/healthz"}, "granted")):
            with self.subTest(more=more):
                self.assertEqual(self.why(**base, **more)["reason"], reason)
        d = self.why(**base, at="2031-01-02T03:04:05Z")
        self.assertIn("2031-01-02T03:04:05Z", json.dumps(d["checks"]))

    def test_a_given_token_is_verified_with_the_gateways_keys(self):
        token = self.g.token(audience="backend-api")
        d = self.why(token=token, to="backend-api")
        self.assertEqual((d["reason"], d["facts"]["token"]), ("granted", "verified"))
        self.assertEqual(self.why(token=f"Bearer {token}", to="db-service")["reason"],
                         "wrong_audience")
        self.assertEqual(self.why(token=token[:-6] + "AAAAAA", to="backend-api")["reason"],
                         "bad_signature")

    def test_a_question_that_makes_no_sense_is_refused_in_words(self):
        self.refused("unknown field 'bogus'", **{"as": "frontend-sa", "bogus": 1})
        self.refused("who calls?", to="backend-api")
        self.refused("who calls?", **{"as": "frontend-sa", "anonymous": True, "to": "db-service"})
        self.refused("which service", **{"as": "frontend-sa"})
        self.refused("did you mean 'backend-api'", **{"as": "frontend-sa", "to": "backend-ap"})
        self.refused("one way at a time", **{"as": "frontend-sa", "to": "db-service",
                                             "expired": True, "unsigned": True})
        self.refused("expired goes with as", anonymous=True, to="db-service", expired=True)
        self.refused("as is a text", **{"as": 7, "to": "db-service"})
        self.refused("expired is true or false", **{"as": "frontend-sa", "expired": "yes"})
        self.refused("at is a time", **{"as": "frontend-sa", "to": "db-service", "at": "now"})

    def test_a_token_is_inspected_and_never_logged(self):
        token = self.g.token(audience="backend-api")
        status, i = self.post("/invoker/v1/inspect", {"token": f" Authorization: Bearer {token} "})
        self.assertEqual((status, i["valid"], i["confirmed"]), (200, True, True), i)
        self.assertEqual(i["principal"], email("frontend-sa"))
        views = {s["name"]: s for s in i["services"]}
        self.assertTrue(views["backend-api"]["accepts_audience"])
        self.assertFalse(views["db-service"]["may_invoke"])
        status, i = self.post("/invoker/v1/inspect", {"token": "abc"})
        self.assertEqual((status, i["valid"], i["reason"]), (200, False, "not_a_jwt"))
        status, i = self.post("/invoker/v1/inspect", {"token": "  "})
        self.assertEqual(status, 400)
        self.assertNotIn(token[-60:], self.g.process.err.text())
        self.assertNotIn(token[:60], self.g.process.err.text())


if __name__ == "__main__":
    unittest.main()
