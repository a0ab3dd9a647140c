"""curl, as Google's documentation uses it: fetch the token, put it into the header."""

import json
import shutil
import unittest

from tests.clients.support import ACCOUNT, Calls, CloudTest, temporary

CURL = shutil.which("curl")
METADATA = "http://{}/computeMetadata/v1/instance/service-accounts/default/{}"


@unittest.skipUnless(CURL, "curl is not installed")
class CurlTest(Calls, CloudTest):
    def metadata(self, path, env, *options):
        return self.execute(CURL, "-sS", "--fail-with-body", "-H", "Metadata-Flavor: Google",
                            METADATA.format(env["GCE_METADATA_HOST"], path), *options, env=env)

    def client(self, url, audience, env):
        options = []
        if audience:
            token = self.metadata("identity", env, "-G", "--data-urlencode", f"audience={audience}")
            options = ["-H", f"Authorization: Bearer {token}"]
        folder = temporary(self)
        status = self.execute(CURL, "-sS", "-D", folder / "head", "-o", folder / "body", "-w",
                              "%{http_code}", url, *options, env=env)
        lines = (folder / "head").read_text(encoding="latin-1").splitlines()[1:]
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return {"status": int(status), "body": (folder / "body").read_text(encoding="utf-8"),
                "headers": {name.lower(): value for name, value in headers.items()}}

    def test_the_metadata_server_tells_who_one_is(self):
        for service, account in (("frontend", "frontend-sa"), ("db-service", "db-sa")):
            with self.subTest(service=service):
                email = self.metadata("email", self.cloud.env(service))
                self.assertEqual(email, ACCOUNT.format(account))

    def test_the_frontend_is_public_and_answers_the_combined_data(self):
        out = self.execute(CURL, "-sS", self.cloud.url("frontend") + "/api/data",
                           env=self.cloud.env("frontend"))
        self.assertEqual(json.loads(out)["source"], "frontend")
        self.assertEqual(len(json.loads(out)["backend_data"]["items"]), 3)

    def test_the_tutorials_direct_call_prints_403(self):
        out = self.execute(CURL, "-s", "-o", "/dev/null", "-w", "%{http_code}",
                           self.cloud.url("backend-api") + "/api/items",
                           env=self.cloud.env("frontend"))
        self.assertEqual(out, "403")


if __name__ == "__main__":
    unittest.main()
