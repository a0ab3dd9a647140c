"""The request log: Cloud Logging's entry, the line for people, and what is left out."""

import re
import unittest

from tests.lib.gateway import Gateway, email, run_app
from tests.lib.process import wait_until


class Entries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"private": {"service_account": "backend-sa"}, "open": {}},
                        {"frontend-sa": ["private"], "allUsers": ["open"]})
        cls.addClassCleanup(cls.g.close)

    def test_an_entry_has_the_shape_of_cloud_loggings(self):
        trace = "105445aa7843bc8bf206b12000100000"
        self.g.get("private", "/shape?q=1", [
            *self.g.bearer(audience="private").items(), ("User-Agent", 'curl/"8"'),
            ("Referer", "https://r.example/"), ("X-Cloud-Trace-Context", trace + "/1;o=1")])
        e = self.g.entry("/shape?q=1")
        self.assertRegex(e["insertId"], r"\A[0-9a-f]{24}\Z")
        self.assertEqual(e["logName"], "projects/my-project/logs/run.googleapis.com%2Frequests")
        self.assertRegex(e["timestamp"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
        self.assertRegex(e["receiveTimestamp"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")
        self.assertEqual(e["severity"], "INFO")
        self.assertEqual(e["trace"], f"projects/my-project/traces/{trace}")
        self.assertRegex(e["spanId"], r"\A[0-9a-f]{16}\Z")
        self.assertIs(e["traceSampled"], True)
        self.assertRegex(e["labels"]["instanceId"], r"\A00[0-9a-f]+\Z")
        self.assertEqual(e["resource"]["type"], "cloud_run_revision")
        labels = e["resource"]["labels"]
        self.assertRegex(labels.pop("revision_name"), r"\Aprivate-00001-[a-z]{3}\Z")
        self.assertEqual(labels, {"project_id": "my-project", "location": "us-central1",
                                  "service_name": "private", "configuration_name": "private"})
        h = e["httpRequest"]
        self.assertEqual(h["requestMethod"], "GET")
        self.assertEqual(h["requestUrl"], self.g.url("private") + "/shape?q=1")
        self.assertEqual(h["status"], 200)
        self.assertRegex(h["requestSize"], r"\A[1-9]\d*\Z")
        self.assertRegex(h["responseSize"], r"\A[1-9]\d*\Z")
        self.assertEqual((h["userAgent"], h["referer"]), ('curl/"8"', "https://r.example/"))
        self.assertEqual((h["remoteIp"], h["serverIp"]), ("127.0.0.1", "127.0.0.1"))
        self.assertRegex(h["latency"], r"\A\d+\.\d{9}s\Z")
        self.assertEqual(h["protocol"], "HTTP/1.1")

    def test_a_refused_request_took_no_time_and_no_instance(self):
        self.g.get("private", "/refused")
        e = self.g.entry("/refused")
        self.assertEqual(e["httpRequest"]["latency"], "0s")
        self.assertNotIn("labels", e)
        self.assertIn("revision_name", e["resource"]["labels"])

    def test_a_run_app_name_is_logged_as_https(self):
        self.g.at_host(run_app("open"), "/by-name")
        self.assertEqual(self.g.entry("/by-name")["httpRequest"]["requestUrl"],
                         f"https://{run_app('open')}/by-name")

    def test_neither_token_nor_signature_is_logged(self):
        token = self.g.token(audience="private")
        self.g.get("private", "/secret", {"Authorization": f"Bearer {token}"})
        self.g.get("private", "/secret2", {"Authorization": f"Bearer {token}x"})
        self.g.entry("/secret2")
        for part in token.split("."):
            self.assertNotIn(part, self.g.process.err.text())

    def test_what_callers_send_cannot_forge_a_line(self):
        r = self.g.get("open", "/forge?%0a%1b", {"User-Agent": 'a\x9b31m","severity":"X'})
        self.assertEqual(r.status, 200)
        e = self.g.entry("/forge?%0a%1b")
        self.assertEqual(e["severity"], "INFO")
        self.assertIn('","severity":"X', e["httpRequest"]["userAgent"])
        self.assertNotIn("\x9b", self.g.process.err.text())

    def test_many_requests_leave_one_line_each(self):
        for i in range(50):
            self.g.get("open", f"/many/{i}")
        urls = [f"{self.g.url('open')}/many/{i}" for i in range(50)]

        def logged():
            found = [e["httpRequest"]["requestUrl"] for e in self.g.entries()]
            return sorted(u for u in found if "/many/" in u)
        wait_until(lambda: len(logged()) >= 50, what="50 entries")
        self.assertEqual(logged(), sorted(urls))


class Modes(unittest.TestCase):
    def gateway(self, *options):
        g = Gateway({"private": {}, "open": {}}, {"allUsers": ["open"]}, options)
        self.addCleanup(g.close)
        return g

    def test_refused_keeps_only_what_the_gateway_refused(self):
        g = self.gateway("--request-log", "refused")
        g.get("open", "/passes")
        g.get("private", "/refused")
        g.entry("/refused")
        self.assertEqual(len(g.entries()), 1)

    def test_off_keeps_nothing(self):
        g = self.gateway("--request-log", "off")
        g.get("private", "/refused")
        g.at_host("nobody.example")
        self.assertEqual(g.process.stop(), 0)
        self.assertNotIn("nobody", g.process.err.text())
        self.assertEqual(g.entries(), [])

    def test_the_text_form_is_one_line_with_cause_and_cure(self):
        g = self.gateway("--log-format", "text")
        g.get("private", "/text?x=1", g.bearer(audience="private"))
        g.get("open", "/fine")
        line = g.process.wait_for_line("/text?x=1")
        self.assertTrue(re.search(
            r"\A\d\d:\d\d:\d\d\.\d{3} gateway  warning private GET /text\?x=1 403 no_grant "
            + re.escape(email("frontend-sa")) + r": .* \| fix: gcloud run services ", line), line)
        self.assertTrue(re.search(r" info    open GET /fine 200 \d+\.\d{3}ms public\Z",
                                  g.process.wait_for_line("/fine")))

    def test_a_log_file_takes_it_all(self):
        g = Gateway({"open": {}}, {"allUsers": ["open"]}, start=False)
        self.addCleanup(g.close)
        path = g.topology.dir / "gateway.log"
        g.options = ("--log-file", str(path))
        g.start()
        g.get("open", "/into-the-file")
        self.assertEqual(g.process.stop(), 0)
        self.assertIn("/into-the-file", path.read_text())
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
