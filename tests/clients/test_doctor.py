"""What `invoker doctor` says of a client library is what the library does: the same environments,
once to doctor and once to the library itself."""

import concurrent.futures
import json
import os
import subprocess
import sys
import unittest

from tests.clients.support import ACCOUNT, HERE, PROGRAMS, CloudTest, temporary
from tests.clients.test_go import GO, GOPATH, NEEDED
from tests.clients.test_node import MODULES, NODE
from tests.clients.test_python import library_path
from tests.lib.harness import binary, closed_port
from tests.lib.process import ca_folder

VARIABLES = ("GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT")


class Doctor:
    """A language's test gives library, the name in doctor's table, and command."""

    library = None
    command = ()
    extra = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = temporary(cls)

    def environments(self):
        """What differs from what `invoker env backend-api` prints; None: not set."""
        own = self.cloud.info["services"]["backend-api"]["metadata"]
        other = self.cloud.info["services"]["frontend"]["metadata"]
        nobody = f"127.0.0.1:{closed_port()}"
        proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"),
                              f"http://{nobody}")
        names = dict.fromkeys(("K_SERVICE", "K_REVISION", "K_CONFIGURATION"))
        yield "as it should be", {}
        yield "another service's", dict.fromkeys(VARIABLES, other)
        yield "a wrong port", dict.fromkeys(VARIABLES, nobody)
        yield "no Cloud Run names", names
        yield "a wrong port without names", {**dict.fromkeys(VARIABLES, nobody), **names}
        yield "the host alone", {"GCE_METADATA_IP": None, "GCE_METADATA_ROOT": None, **names}
        yield "the IP alone", {"GCE_METADATA_HOST": nobody, "GCE_METADATA_ROOT": None, **names}
        yield "a scheme", {**dict.fromkeys(VARIABLES, f"http://{own}"), **names}
        yield "a slash", {**dict.fromkeys(VARIABLES, f"{own}/"), **names}
        yield "the service itself", dict.fromkeys(
            VARIABLES, self.cloud.url("backend-api").removeprefix("http://"))
        yield "a proxy", {**proxy, "NO_PROXY": None, "no_proxy": None}
        yield "a network as exception", {**proxy, "NO_PROXY": "127.0.0.0/8",
                                         "no_proxy": "127.0.0.0/8"}
        yield "a host as exception", {**proxy, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        yield "no check", {"NO_GCE_CHECK": "true"}
        yield "no detection", {"METADATA_SERVER_DETECTION": "none", **names}
        yield "a key file that is missing", {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/key.json"}

    def env(self, changes):
        env = {**self.cloud.env("backend-api"), "HOME": str(self.home),
               # Nobody has to wait for what is not there.
               "GCE_METADATA_TIMEOUT": "1", "GCE_METADATA_DETECT_RETRIES": "1", **changes}
        return {k: v for k, v in env.items() if v is not None}

    def said(self, env):
        p = subprocess.run([binary(), "doctor", "backend-api", "-o", "json", "--patience", "4000", "-c",
                            self.cloud.topology.path, "--keys", self.cloud.topology.keys, "--ca",
                            ca_folder(), "--control", self.cloud.info["control"]], env=env,
                           capture_output=True, text=True, timeout=120, check=False)
        rows = {row["library"]: row for row in json.loads(p.stdout)["libraries"]}
        return rows[self.library]

    def done(self, env):
        return json.loads(self.execute(*self.command, self.cloud.url("backend-api"),
                                       env={**env, **self.extra}, timeout=300))

    def test_doctor_says_what_the_library_does(self):
        seen = set()
        cases = [(name, self.env(changes)) for name, changes in self.environments()]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:  # libraries wait between attempts
            results = pool.map(self.done, [env for _, env in cases])
            for (name, env), done in zip(cases, results):
                said = self.said(env)
                with self.subTest(name):
                    self.assertEqual((said["found"], said.get("as")),
                                     (done["found"], done.get("as")),
                                     f"doctor: {said}\nthe library: {done}")
                seen.add(done.get("as"))
        self.assertEqual(seen, {None, ACCOUNT.format("backend-sa"), ACCOUNT.format("frontend-sa")})


class PythonDoctor(Doctor, CloudTest):
    library = "Python google-auth"
    command = (sys.executable, PROGRAMS / "find.py")

    @classmethod
    def setUpClass(cls):
        path = library_path()
        if path is None:
            raise unittest.SkipTest("google-auth and requests are not installed")
        cls.extra = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        super().setUpClass()

    def environments(self):
        code = "from google.auth import environment_vars as v; print(hasattr(v, 'NO_GCE_CHECK'))"
        out = self.execute(sys.executable, "-c", code, env={**self.env({}), **self.extra})
        for name, changes in super().environments():
            if name != "no check" or out.strip() == "True":  # older releases ignore it
                yield name, changes


class NodeDoctor(Doctor, CloudTest):
    library = "Node google-auth-library"
    command = (NODE, PROGRAMS / "find.js")
    extra = {"NODE_PATH": str(MODULES)}

    @classmethod
    def setUpClass(cls):
        if not NODE or not (MODULES / "google-auth-library").is_dir():
            raise unittest.SkipTest("node or its packages are not installed")
        super().setUpClass()


class GoDoctor(Doctor, CloudTest):
    library = "Go api/idtoken"

    @classmethod
    def setUpClass(cls):
        if not GO or not all((GOPATH / "src" / package).is_dir() for package in NEEDED):
            raise unittest.SkipTest("go or its packages are not installed")
        folder = temporary(cls)
        cls.command = (folder / "find",)
        env = dict(os.environ, GO111MODULE="off", GOPATH=str(GOPATH), GOFLAGS="",
                   GOCACHE=str(folder / "cache"))
        subprocess.run([GO, "build", "-o", folder / "find", PROGRAMS / "find.go"], env=env,
                       check=True, capture_output=True, timeout=300)
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
