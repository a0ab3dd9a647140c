"""One service account acts as another by IAM Credentials: Google's libraries for Node and Python,
unmodified, against the control listener and against the metadata server itself."""

import base64
import json
import sys
import unittest

from tests.clients.support import ACCOUNT, PROGRAMS, CloudTest, page_403
from tests.clients.test_node import MODULES, NODE
from tests.clients.test_python import library_path
from tests.lib.harness import http

FRONTEND = ACCOUNT.format("frontend-sa")
AUTH = ACCOUNT.format("auth-sa")
DATABASE = ACCOUNT.format("db-sa")


class Impersonation(CloudTest):
    """auth-sa may act as any account of the project; nobody else may."""

    @staticmethod
    def topology(text):
        return text.replace(
            "project: { id: my-project, number: 123456789012 }",
            "project:\n  id: my-project\n  number: 123456789012\n  policy:\n    bindings:\n"
            "      - role: roles/iam.serviceAccountTokenCreator\n"
            f"        members: ['serviceAccount:{AUTH}']")

    @property
    def endpoint(self):
        return "http://" + self.cloud.info["control"].removeprefix("http://")

    @property
    def endpoints(self):
        """Each place where IAM Credentials is served."""
        return self.endpoint, "http://" + self.cloud.info["metadata"]

    def email_of(self, token):
        response = http("GET", f"{self.endpoint}/tokeninfo?access_token={token}")
        self.assertEqual(response.status, 200, response.body)
        return json.loads(response.body)["email"]


class NodeImpersonation(Impersonation):
    @classmethod
    def setUpClass(cls):
        if not NODE:
            raise unittest.SkipTest("node is not installed")
        if not (MODULES / "google-auth-library").is_dir():
            raise unittest.SkipTest("npm packages are missing: run make deps")
        super().setUpClass()

    def impersonate(self, caller, target, service, path, *delegates, endpoint=None, audience=None):
        url = self.cloud.url(service)
        env = dict(self.cloud.env(caller), NODE_PATH=str(MODULES))
        return json.loads(self.execute(
            NODE, PROGRAMS / "impersonate.js", endpoint or self.endpoint, target, url + path,
            url if audience is None else audience, *delegates, env=env))

    def test_whoever_acts_as_a_caller_may_call_what_that_caller_may(self):
        for endpoint in self.endpoints:
            with self.subTest(endpoint):
                answer = self.impersonate("auth-service", FRONTEND, "backend-api", "/api/items",
                                          endpoint=endpoint)
                self.assertEqual(answer.get("status"), 200, answer)
                self.assertEqual(json.loads(answer["body"])["source"], "backend-api")
                self.assertEqual(self.email_of(answer["accessToken"]), FRONTEND)
                self.assertEqual(len(base64.b64decode(answer["signed"]["signedBlob"])), 256)

    def test_and_no_more(self):
        answer = self.impersonate("auth-service", FRONTEND, "db-service", "/items")
        self.assertEqual((answer.get("status"), answer.get("body")), (403, page_403("/items")),
                         answer)

    def test_without_the_role_the_library_says_what_production_s_error_says(self):
        for endpoint in self.endpoints:
            answer = self.impersonate("frontend", DATABASE, "db-service", "/items",
                                      endpoint=endpoint)
            self.assertEqual(answer, {
                "error": "PERMISSION_DENIED: unable to impersonate: Permission "
                         "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not "
                         "exist)."})

    def test_what_cannot_be_done_is_said_in_the_library_s_error(self):
        for endpoint in self.endpoints:
            answer = self.impersonate("auth-service", ACCOUNT.format("nobody-sa"), "backend-api",
                                      "/api/items", endpoint=endpoint)
            self.assertIn("NOT_FOUND: unable to impersonate: Not found; Gaia id not found for "
                          "email nobody-sa@", answer["error"])
            answer = self.impersonate("auth-service", FRONTEND, "backend-api", "/api/items",
                                      "no delegate/at all", endpoint=endpoint)
            self.assertIn("INVALID_ARGUMENT: unable to impersonate: Invalid service account name "
                          "'no delegate/at all'", answer["error"])
            answer = self.impersonate("auth-service", FRONTEND, "backend-api", "/api/items",
                                      endpoint=endpoint, audience="")
            self.assertIn("audience", answer["error"])

    def test_each_delegate_needs_the_role_too(self):
        answer = self.impersonate("auth-service", FRONTEND, "backend-api", "/api/items",
                                  f"projects/-/serviceAccounts/{DATABASE}")
        self.assertIn("'iam.serviceAccounts.getAccessToken' denied", answer["error"])
        answer = self.impersonate("auth-service", FRONTEND, "backend-api", "/api/items",
                                  f"projects/-/serviceAccounts/{AUTH}")
        self.assertEqual(answer.get("status"), 200, answer)


class PythonImpersonation(Impersonation):
    @classmethod
    def setUpClass(cls):
        path = library_path()
        if path is None:
            raise unittest.SkipTest("google-auth and requests are not installed")
        cls.extra = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        super().setUpClass()

    def impersonate(self, caller, target, *delegates):
        env = dict(self.cloud.env(caller), **self.extra)
        return json.loads(self.execute(sys.executable, PROGRAMS / "impersonate.py", self.endpoint,
                                       target, *delegates, env=env))

    def test_an_access_token_is_the_target_s(self):
        answer = self.impersonate("auth-service", FRONTEND)
        self.assertEqual(self.email_of(answer["token"]), FRONTEND)
        self.assertIs(answer["expired"], False)

    def test_without_the_role_it_is_refused(self):
        answer = self.impersonate("frontend", DATABASE)
        self.assertIn("Unable to acquire impersonated credentials", answer["error"])
        self.assertIn("getAccessToken", answer["error"])
        self.assertIn("denied on resource (or it may not exist).", answer["error"])


if __name__ == "__main__":
    unittest.main()
