"""Google's Go packages as Debian ships them: api/idtoken and compute/metadata."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from tests.clients.frontends import Frontends
from tests.clients.support import ACCOUNT, CLIENTS, PROGRAMS, Calls, CloudTest, temporary

GO = shutil.which("go")
GOPATH = pathlib.Path("/usr/share/gocode")
NEEDED = ("google.golang.org/api/idtoken", "cloud.google.com/go/compute/metadata")


class GoTest(Calls, Frontends, CloudTest):
    @classmethod
    def setUpClass(cls):
        if not GO:
            raise unittest.SkipTest("go is not installed")
        for package in NEEDED:
            if not (GOPATH / "src" / package).is_dir():
                raise unittest.SkipTest(f"Go package {package} is not under {GOPATH}/src")
        cls.folder = temporary(cls)
        cls.build("call", PROGRAMS / "call.go")
        cls.build("who", PROGRAMS / "who.go")
        cls.build("frontend", CLIENTS / "go" / "main.go")
        cls.command = (cls.folder / "frontend",)
        super().setUpClass()

    @classmethod
    def build(cls, name, source):
        env = dict(os.environ, GO111MODULE="off", GOPATH=str(GOPATH), GOFLAGS="",
                   GOCACHE=str(cls.folder / "cache"))
        done = subprocess.run([GO, "build", "-o", cls.folder / name, source], env=env,
                              capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{source}:\n{done.stderr}")

    def client(self, url, audience, env):
        command = [self.folder / "call", url] + ([audience] if audience else [])
        return json.loads(self.execute(*command, env=env))

    def test_the_metadata_package_finds_cloud_run(self):
        out = self.execute(self.folder / "who", env=self.cloud.env("db-service"))
        self.assertEqual(json.loads(out), {
            "available": True, "project": "my-project", "number": "123456789012",
            "email": ACCOUNT.format("db-sa"), "zone": "us-central1-1", "nameUndefined": True})


if __name__ == "__main__":
    unittest.main()
