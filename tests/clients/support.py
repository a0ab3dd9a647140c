"""The tutorial's topology, running, and real programs that know nothing of it but variables."""

import json
import os
import pathlib
import tempfile
import unittest

from tests.lib.gateway import run_app
from tests.lib.harness import ROOT, Process, Topology, run, sample
from tests.lib.process import ca_folder
from tests.lib.up import Up

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
CLIENTS = ROOT / "samples" / "clients"
ACCOUNT = "{}@my-project.iam.gserviceaccount.com"
# Nothing of the machine's own set-up may help or disturb.
FOREIGN = ("GOOGLE_", "GCE_", "CLOUDSDK_", "K_", "GCLOUD_", "METADATA_")


def page(status, reason, message):
    """A refusal of Cloud Run, byte for byte."""
    return ("\n<html><head>\n"
            '<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
            f"<title>{status} {reason}</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
            f"<h1>Error: {reason}</h1>\n<h2>{message}</h2>\n<h2></h2>\n</body></html>\n")


def page_403(path):
    return page(403, "Forbidden", "Your client does not have permission to get URL "
                                  f"<code>{path}</code> from this server.")


def page_401(path):
    return page(401, "Unauthorized", "Your client does not have permission to the requested URL "
                                     f"<code>{path}</code>.")


W401 = ('Bearer error="invalid_token" '
        'error_description="The access token could not be verified"')


class Cloud:
    """`invoker up` on policies/tutorial.yaml with the samples beside the program under test."""

    def __init__(self, edit=lambda text: text):
        text = edit((ROOT / "policies" / "tutorial.yaml").read_text(encoding="utf-8"))
        folder = os.path.dirname(sample("frontend"))
        self.topology = Topology(text.replace("build/samples/", f"{folder}/"))
        self.start()

    def start(self):
        # Its own and that of `invoker env`, which knows nothing of --keys.
        self.up = Up(self.topology, "--ca", ca_folder(), env={"XDG_STATE_HOME": str(self.topology.dir / "state")})
        try:
            self.info = self.up.ready()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.up.kill()
        self.topology.close()

    def url(self, service):
        return self.info["services"][service]["url"]

    def env(self, service):
        """The variables of `invoker env SERVICE`, and no others that a client could ask."""
        status, out, err = run("env", service, "-c", self.topology.path, "--control",
                               self.info["control"], "--shell", "json")
        assert status == 0, err
        clean = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        clean.pop("PORT", None)
        for name, value in json.loads(out).items():
            clean.pop(name, None)
            if value is not None:
                clean[name] = value
        return clean


class CloudTest(unittest.TestCase):
    """Every test of the class has the same running cloud."""

    @staticmethod
    def topology(text):
        """What the class wants to be different in the tutorial's topology."""
        return text

    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud(cls.topology)
        cls.addClassCleanup(cls.cloud.close)

    def execute(self, *command, env, cwd=None, timeout=60):
        """Runs a program with just these variables; returns its standard output."""
        with Program(command, env, cwd) as process:
            status = process.wait(timeout)
            self.assertEqual(status, 0, f"{command}:\n{process.err.text()}")
            return process.out.text()


class Program(Process):
    """A real client as a process with exactly this environment."""

    def __init__(self, command, env, cwd=None, stdin=None):
        isolated = ["env", "-i", *(f"{k}={v}" for k, v in env.items()), *map(str, command)]
        super().__init__(*isolated[1:], program="/usr/bin/env", cwd=cwd, stdin=stdin)


class Calls:
    """The tutorial's calls. A language's test gives client(), and env where it needs more.

    client(url, audience or None, env) runs the program and returns what it printed, parsed."""

    def client(self, url, audience, env):
        raise NotImplementedError

    def call(self, caller, service, path, audience="own"):
        url = self.cloud.url(service)
        return self.client(url + path, url if audience == "own" else audience,
                           self.cloud.env(caller))

    def test_the_tutorials_call_is_allowed(self):
        answer = self.call("frontend", "backend-api", "/api/items")
        self.assertEqual(answer["status"], 200, answer)
        items = json.loads(answer["body"])
        self.assertEqual(items["source"], "backend-api")
        self.assertEqual([i["name"] for i in items["items"]], ["Keyboard", "Monitor", "Headset"])

    def test_the_production_url_works_and_is_judged_alike(self):
        for service, status in (("backend-api", 200), ("db-service", 403)):
            with self.subTest(service=service):
                url = f"https://{run_app(service)}"
                answer = self.client(f"{url}/api/items", url, self.cloud.env("frontend"))
                self.assertEqual(answer["status"], status, answer)

    def test_a_call_without_a_grant_is_forbidden(self):
        answer = self.call("frontend", "db-service", "/items")
        self.assertEqual(answer["status"], 403, answer)
        self.assertEqual(answer["body"], page_403("/items"))
        self.assertNotIn("www-authenticate", answer["headers"])

    def test_another_caller_of_the_same_service_is_forbidden(self):
        answer = self.call("auth-service", "backend-api", "/api/items")
        self.assertEqual(answer["status"], 403, answer)
        self.assertEqual(answer["body"], page_403("/api/items"))

    def test_a_token_for_another_audience_is_unauthorized(self):
        answer = self.call("frontend", "backend-api", "/api/items", self.cloud.url("db-service"))
        self.assertEqual(answer["status"], 401, answer)
        self.assertEqual(answer["body"], page_401("/api/items"))
        self.assertEqual(answer["headers"]["www-authenticate"], W401)

    def test_no_token_is_forbidden(self):
        answer = self.call("frontend", "backend-api", "/api/items", None)
        self.assertEqual(answer["status"], 403, answer)
        self.assertEqual(answer["body"], page_403("/api/items"))
        self.assertTrue(answer["headers"]["content-type"].startswith("text/html"))


def temporary(test):
    """A folder that goes with the test, or with the class."""
    folder = tempfile.TemporaryDirectory(prefix="invoker-client-")
    add = test.addClassCleanup if isinstance(test, type) else test.addCleanup
    add(folder.cleanup)
    return pathlib.Path(folder.name)
