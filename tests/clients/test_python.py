"""Google's Python library, unmodified: google-auth as installed, or the copy inside gcloud."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from tests.clients.frontends import Frontends
from tests.clients.support import ACCOUNT, CLIENTS, PROGRAMS, Calls, CloudTest

BUNDLED = pathlib.Path("/usr/lib/google-cloud-sdk/lib/third_party")
IMPORTS = "import requests, google.auth.transport.requests, google.oauth2.id_token"


def library_path():
    """The PYTHONPATH with which google-auth can be imported; None without the library."""
    for path in ("", str(BUNDLED)):
        env = dict(os.environ, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")
        tried = subprocess.run([sys.executable, "-c", IMPORTS], env=env, capture_output=True,
                               timeout=60, check=False)
        if tried.returncode == 0:
            return path
    return None


class PythonTest(Calls, Frontends, CloudTest):
    command = (sys.executable, CLIENTS / "python" / "app.py")

    @classmethod
    def setUpClass(cls):
        path = library_path()
        if path is None:
            raise unittest.SkipTest("google-auth and requests are not installed")
        cls.extra = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        super().setUpClass()

    def python(self, program, *args, env):
        return json.loads(self.execute(sys.executable, PROGRAMS / program, *args,
                                       env=dict(env, **self.extra)))

    def client(self, url, audience, env):
        return self.python("call.py", url, *([audience] if audience else []), env=env)

    def test_default_credentials_find_the_service_account(self):
        self.assertEqual(self.python("who.py", env=self.cloud.env("auth-service")), {
            "project": "my-project", "email": ACCOUNT.format("auth-sa"), "token": True})


if __name__ == "__main__":
    unittest.main()
