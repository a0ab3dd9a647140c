"""gcloud, unmodified, whose APIs are a gateway's control listener."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.clients.support import FOREIGN
from tests.lib.cloudrun import access_token
from tests.lib.gateway import Gateway

GCLOUD = shutil.which("gcloud")


class GcloudCase(unittest.TestCase):
    """One gateway with state for the class. group: what each command line begins with."""

    services = {"frontend": {"service_account": "frontend-sa"}}
    matrix = {"allUsers": ["frontend"]}
    group = ()

    @classmethod
    def setUpClass(cls):
        if not GCLOUD:
            raise unittest.SkipTest("gcloud is not installed")
        cls.g = Gateway(cls.services, cls.matrix, state=True)
        cls.addClassCleanup(cls.g.close)
        folder = tempfile.TemporaryDirectory(prefix="invoker-test-gcloud-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        token = cls.folder / "token"
        service = next(iter(cls.services))
        token.write_text(access_token(cls.g.address(service, "metadata")), encoding="ascii")
        cls.configure(cls.folder, f"access_token_file = {token}\n")

    @classmethod
    def configure(cls, folder, auth=""):
        """A configuration in which the control listener is gcloud's proxy: gcloud puts the region
        in front of the API's host name."""
        host, port = cls.g.control.split(":")
        apis = "".join(f"{api} = http://{cls.g.control}/\n" for api in
                       ("iam", "iamcredentials", "cloudresourcemanager", "serviceusage", "logging",
                        "artifactregistry"))
        (folder / "configurations").mkdir(parents=True)
        (folder / "active_config").write_text("emulator", encoding="ascii")
        (folder / "configurations" / "config_emulator").write_text(
            "[core]\nproject = my-project\ncheck_gce_metadata = false\n"
            "disable_usage_reporting = true\ndisable_prompts = true\n"
            f"[auth]\n{auth}"
            f"[proxy]\ntype = http\naddress = {host}\nport = {port}\n"
            "[run]\nregion = us-central1\n"
            "[component_manager]\ndisable_update_check = true\n"
            "[survey]\ndisable_prompts = true\n"
            f"[api_endpoint_overrides]\nrun = http://run.localhost:{port}/\n{apis}",
            encoding="ascii")

    def run_gcloud(self, *args, folder=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) and k != "TERM"}
        return subprocess.run([GCLOUD, *self.group, *args], capture_output=True, text=True,
                              timeout=120, check=False,
                              env=dict(env, CLOUDSDK_CONFIG=str(folder or self.folder)))

    def gcloud(self, *args, **more):
        """(what it printed, what it said)"""
        p = self.run_gcloud(*args, **more)
        self.assertEqual(p.returncode, 0, f"{args}\n{p.stdout}{p.stderr}")
        return p.stdout, p.stderr

    def refused(self, *args, **more):
        """What it said of the error."""
        p = self.run_gcloud(*args, **more)
        self.assertEqual(p.returncode, 1, f"{args}\n{p.stdout}{p.stderr}")
        self.assertNotIn("crashed", p.stderr)
        return p.stderr
