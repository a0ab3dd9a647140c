"""Google's Node libraries, unmodified: google-auth-library and gcp-metadata from npm."""

import json
import shutil
import unittest

from tests.clients.frontends import Frontends
from tests.clients.support import ACCOUNT, CLIENTS, HERE, PROGRAMS, Calls, CloudTest

MODULES = HERE / "node_modules"
NODE = shutil.which("node")


class NodeTest(Calls, Frontends, CloudTest):
    command = (NODE, CLIENTS / "node" / "app.js")
    extra = {"NODE_PATH": str(MODULES)}

    @classmethod
    def setUpClass(cls):
        if not NODE:
            raise unittest.SkipTest("node is not installed")
        if not (MODULES / "google-auth-library").is_dir():
            raise unittest.SkipTest("npm packages are missing: run make deps")
        super().setUpClass()

    def client(self, url, audience, env):
        command = [NODE, PROGRAMS / "call.js", url] + ([audience] if audience else [])
        return json.loads(self.execute(*command, env=dict(env, **self.extra)))

    def test_gcp_metadata_and_default_credentials_find_cloud_run(self):
        env = dict(self.cloud.env("backend-api"), **self.extra)
        self.assertEqual(json.loads(self.execute(NODE, PROGRAMS / "who.js", env=env)), {
            "available": True, "project": "my-project", "number": "123456789012",
            "region": "projects/123456789012/regions/us-central1",
            "email": ACCOUNT.format("backend-sa"), "universe": "googleapis.com",
            "adcProject": "my-project", "adcToken": True, "environment": "CLOUD_RUN"})


if __name__ == "__main__":
    unittest.main()
