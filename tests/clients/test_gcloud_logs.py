"""gcloud, unmodified: reading logs of a gateway."""

import json
import unittest

from tests.clients.gcloud_case import GcloudCase
from tests.lib.harness import Process, http, wait_until
from tests.lib.up import python

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
STRUCTURED = '{"severity":"ERROR","message":"no luck","order":7}'
WORDS = f"import sys; print('hello'); print('oops', file=sys.stderr); print('{STRUCTURED}')"


class GcloudLogs(GcloudCase):
    services = {"frontend": {"service_account": "frontend-sa"}, "private": {},
                "talker": {"upstream": None}, "empty": {"upstream": None}}
    matrix = {"allUsers": ["frontend", "talker", "empty"]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Process("run", "-c", cls.g.topology.path, "--control", cls.g.control, "talker", "--",
                     *python(WORDS)) as container:
            assert container.wait() == 0, container.err.text()

    def lines(self, name, *args):
        return self.gcloud("run", "services", "logs", "read", name, *args)[0].splitlines()

    def test_services_logs_read_shows_lines_and_requests(self):
        lines = self.lines("talker", "--limit=10")
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, rf"^{TIME} ")
        self.assertEqual({line[20:] for line in lines}, {"hello", "oops", STRUCTURED})
        self.assertEqual(self.g.get("frontend", "/shown").status, 200)
        self.assertEqual(self.g.get("frontend", "/shown-too").status, 200)
        shown = self.lines("frontend", "--limit=2")
        self.assertEqual([line[20:] for line in shown],
                         [f"GET 200 {self.g.url('frontend')}/{path}"
                          for path in ("shown", "shown-too")])
        self.assertEqual(self.lines("frontend", "--limit=1"), shown[1:])
        self.assertEqual(self.lines("talker", "--region=europe-west1"), [])
        errors = self.lines("talker", "--log-filter=severity>=ERROR")
        self.assertEqual([line[20:] for line in errors], [STRUCTURED])

    def test_where_nobody_serves_services_logs_read_says_how_to_attach_one(self):
        self.assertEqual(self.g.get("empty", "/nobody").status, 503)
        request, advice = self.lines("empty")
        self.assertRegex(request, f"^{TIME} GET 503 http://.*/nobody$")
        self.assertRegex(advice, f"^{TIME} invoker: No upstream is attached to empty. Here: "
                                 "invoker run empty -- COMMAND")

    def test_a_deployed_service_that_nobody_serves_too(self):
        self.gcloud("run", "deploy", "fresh", "--image=us-docker.pkg.dev/p/r/fresh",
                    "--allow-unauthenticated")
        url, _ = self.gcloud("run", "services", "describe", "fresh", "--format=value(status.url)")
        self.assertEqual(http("GET", url.strip()).status, 503)
        request, advice = self.lines("fresh")
        self.assertIn(" GET 503 ", request)
        self.assertRegex(advice, "invoker run fresh -- COMMAND, or images: .*/fresh.* in ")

    def test_logging_read_shows_entries(self):
        entries = json.loads(self.gcloud("logging", "read", "severity>=ERROR AND jsonPayload:*",
                                         "--freshness=1h", "--limit=5", "--format=json")[0])
        self.assertEqual([e["jsonPayload"] for e in entries],
                         [{"message": "no luck", "order": 7}])
        self.assertEqual(entries[0]["resource"]["labels"]["service_name"], "talker")
        found, _ = self.gcloud("logging", "read", "--format=value(textPayload)", "--order=asc",
                               'resource.labels.service_name="talker" AND '
                               "textPayload:(hello OR oops)")
        self.assertEqual(sorted(found.split()), ["hello", "oops"])

    def test_logging_read_shows_why_a_request_was_refused(self):
        self.assertEqual(self.g.get("private", "/kept-out").status, 403)
        words = 'httpRequest.requestUrl:"/kept-out"'
        found, _ = wait_until(lambda: self.gcloud(
            "logging", "read", words, "--format=value(severity,httpRequest.status,"
            "labels.'invoker/reason')"), what="the entry")
        self.assertEqual(found.split(), ["WARNING", "403", "no_credential"])

    def test_logs_are_listed(self):
        self.g.get("frontend")
        listed, _ = self.gcloud("logging", "logs", "list", "--format=value(.)")
        for log in ("requests", "stderr", "stdout"):
            self.assertIn(f"projects/my-project/logs/run.googleapis.com%2F{log}", listed)

    def test_what_is_not_known_is_refused_with_its_column(self):
        rows = {'textPayload=~"a.*"': "regular expressions are not supported here",
                "severity>=LOUD": "not LOUD", "(a": "'(' has no ')'"}
        for words, said in rows.items():
            with self.subTest(words):
                err = self.refused("logging", "read", words)
                self.assertIn("INVALID_ARGUMENT: Unparseable filter: ", err)
                self.assertIn(said, err)
                self.assertRegex(err, r"at line 1, column \d+")

    def test_writing_is_refused(self):
        self.assertIn("POST /v2/entries:write: nothing is served there",
                      self.refused("logging", "write", "a-log", "hello"))

    def test_tailing_ends_with_an_error(self):
        # It is gRPC over TLS: gcloud asks its proxy for a tunnel to Google, and gets none.
        p = self.run_gcloud("beta", "logging", "tail")
        self.assertEqual(p.stdout, "")
        self.assertRegex(p.stderr, "response code 400|gRPC|beta component")


if __name__ == "__main__":
    unittest.main()
