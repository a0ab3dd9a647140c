"""Which audiences a service accepts: its URLs with or without slash and path, its custom audiences
exactly, the client ids of user logins; nothing else."""

import base64
import json
import unittest

from tests.lib.gateway import Gateway, run_app

CLIENT_IDS = ("32555940559.apps.googleusercontent.com",
              "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com")


class Audiences(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"private": {"custom_audiences": ["fp8netes-dev", "https://api.example.net"],
                                     "hosts": ["custom.example.test"]},
                         "other": {}},
                        {"frontend-sa": ["private"]})
        cls.addClassCleanup(cls.g.close)
        cls.own = cls.g.url("private")
        cls.port = cls.own.rsplit(":", 1)[1]
        cls.ingress_port = cls.g.ingress.rsplit(":", 1)[1]
        cls.default = "https://" + run_app("private")

    def status(self, audience):
        return self.g.get("private", "/", self.g.bearer(audience=audience)).status

    def test_the_services_own_urls_are_accepted(self):
        for audience in (self.own, self.own + "/", self.own + "/api/items",
                         f"http://localhost:{self.port}",
                         f"http://private.localhost:{self.ingress_port}",
                         self.default, self.default + "/", self.default + "/tasks/run"):
            with self.subTest(audience):
                self.assertEqual(self.status(audience), 200)

    def test_custom_audiences_match_exactly(self):
        for audience, status in (("fp8netes-dev", 200), ("https://api.example.net", 200),
                                 ("fp8netes-dev2", 401), ("FP8NETES-DEV", 401)):
            with self.subTest(audience):
                self.assertEqual(self.status(audience), status)

    def test_client_ids_of_user_logins_are_accepted(self):
        for audience in CLIENT_IDS:
            with self.subTest(audience):
                self.assertEqual(self.status(audience), 200)

    def test_near_misses_are_401(self):
        for audience in (self.default + "?x=1", self.default + "/#f", self.own + "/?x",
                         "https://tag---" + run_app("private"), "https://custom.example.test",
                         self.g.url("other"), "https://" + run_app("other"),
                         "http://" + run_app("private"), run_app("private"),
                         self.own.replace("http:", "https:"), "my-project", "http://127.0.0.1:1",
                         "123-abc.apps.googleusercontent.com"):
            with self.subTest(audience):
                self.assertEqual(self.status(audience), 401)

    def test_the_log_tells_a_near_miss(self):
        token = self.g.token(audience=self.default + "?x=1")
        self.g.get("private", "/near-miss", {"Authorization": f"Bearer {token}"})
        entry = self.g.entry("/near-miss")
        self.assertEqual(entry["invoker"]["reason"], "wrong_audience")
        self.assertIn("?x=1", entry["invoker"]["explanation"])
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.assertEqual(claims["aud"], self.default + "?x=1")


if __name__ == "__main__":
    unittest.main()
