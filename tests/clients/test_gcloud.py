"""gcloud, unmodified, on the metadata server: `gcloud auth print-identity-token --audiences=URL`."""

import shutil
import unittest

from tests.clients.support import ACCOUNT, CloudTest, temporary
from tests.lib.harness import http

GCLOUD = shutil.which("gcloud")


class GcloudTest(CloudTest):
    @classmethod
    def setUpClass(cls):
        if not GCLOUD:
            raise unittest.SkipTest("gcloud is not installed")
        cls.folder = temporary(cls)
        super().setUpClass()

    def gcloud(self, service, *args):
        """gcloud as that service, each with a folder for its own state."""
        env = dict(self.cloud.env(service), CLOUDSDK_CONFIG=str(self.folder / service),
                   CLOUDSDK_CORE_DISABLE_PROMPTS="1",
                   CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK="1",
                   CLOUDSDK_SURVEY_DISABLE_PROMPTS="1", CLOUDSDK_CORE_DISABLE_USAGE_REPORTING="1")
        return self.execute(GCLOUD, *args, env=env, timeout=120).strip()

    def call(self, token, service, path):
        return http("GET", self.cloud.url(service) + path,
                    [("Authorization", f"Bearer {token}")])

    def test_a_printed_identity_token_opens_what_the_account_may_invoke(self):
        url = self.cloud.url("backend-api")
        token = self.gcloud("frontend", "auth", "print-identity-token", f"--audiences={url}")
        self.assertEqual(self.call(token, "backend-api", "/api/items").status, 200)
        self.assertEqual(self.call(token, "db-service", "/items").status, 401)  # wrong audience
        url = self.cloud.url("db-service")
        token = self.gcloud("frontend", "auth", "print-identity-token", f"--audiences={url}")
        self.assertEqual(self.call(token, "db-service", "/items").status, 403)  # no grant

    def test_gcloud_works_as_the_services_account(self):
        account = self.gcloud("backend-api", "auth", "list", "--format=value(account)")
        self.assertEqual(account, ACCOUNT.format("backend-sa"))


if __name__ == "__main__":
    unittest.main()
