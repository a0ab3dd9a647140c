"""The tutorial, by gcloud itself: its commands, verbatim, against a project in which there is
nothing yet, and then the calls that it ends with."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from tests.clients.gcloud_case import GCLOUD
from tests.clients.support import FOREIGN, PROGRAMS, page_403
from tests.lib.harness import ROOT, Topology, sample
from tests.lib.process import binary, ca_folder
from tests.lib.up import Up

PROJECT = "my-project"
ACCOUNT = "{}@my-project.iam.gserviceaccount.com"
ITEMS = [{"id": 1, "name": "Keyboard", "quantity": 12}, {"id": 2, "name": "Monitor", "quantity": 4},
         {"id": 3, "name": "Headset", "quantity": 9}]
TIMEOUT = 600


def steps(text):
    """[(name, commands)] of a script whose steps begin with "### NAME"."""
    parts = re.split(r"^### (.+)\n", text, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2]))


def script(listing, folder):
    """One bash for all steps, as a reader has one terminal; each step's output in its own files."""
    lines = ["set -e", 'eval "$(invoker gcloud env)"', ""]
    for i, (_, commands) in enumerate(listing):
        lines += ["{", commands, f"}} >'{folder}/{i}.out' 2>'{folder}/{i}.err'"]
    return "\n".join(lines)


def user_configuration(home):
    """What its owner would not want to be touched, and with which nothing here could work."""
    folder = home / ".config" / "gcloud"
    (folder / "configurations").mkdir(parents=True)
    (folder / "active_config").write_text("work", encoding="ascii")
    (folder / "configurations" / "config_work").write_text(
        "[core]\naccount = me@example.net\nproject = precious\n"
        "[proxy]\ntype = http\naddress = 127.0.0.1\nport = 9\n", encoding="ascii")


def content(folder):
    return {str(p.relative_to(folder)): p.is_file() and (p.read_bytes(), p.stat().st_mtime_ns)
            for p in folder.rglob("*")}


def entries(text):
    """[(method, status, path)] of what `logs read` prints of requests."""
    return [(m, int(s), re.sub(r"^https?://[^/]+", "", u))
            for m, s, u in re.findall(r"^\S+ \S+ (GET|POST) (\d{3}) (\S+)$", text, re.M)]


@unittest.skipUnless(GCLOUD, "gcloud is not installed")
class Tutorial(unittest.TestCase):
    """All its commands have been run once; the tests look at what came of them."""

    @classmethod
    def setUpClass(cls):
        text = (ROOT / "policies" / "gcloud.yaml").read_text(encoding="utf-8")
        folder = os.path.dirname(sample("frontend"))
        cls.topology = Topology(text.replace("build/samples/", f"{folder}/"))
        cls.addClassCleanup(cls.topology.close)
        cls.home = cls.topology.dir / "home"
        user_configuration(cls.home)
        cls.before = content(cls.home / ".config")
        cls.up = Up(cls.topology, "--ca", ca_folder(),
                    env={"HOME": str(cls.home), "XDG_STATE_HOME": str(cls.topology.dir / "state")})
        cls.addClassCleanup(cls.up.kill)
        cls.info = cls.up.ready()
        cls.said = cls.run_tutorial()

    @classmethod
    def environment(cls):
        foreign = (*FOREIGN, "XDG_", "INVOKER")
        env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        env.pop("TERM", None)
        return {**env, "HOME": str(cls.home), "INVOKER_CONTROL": cls.info["control"],
                "XDG_STATE_HOME": str(cls.topology.dir / "state"),
                "INVOKER_CONFIG": str(cls.topology.path),
                "PATH": os.path.dirname(binary()) + os.pathsep + env["PATH"]}

    @classmethod
    def run_tutorial(cls):
        """{step: (what it printed, what it said on the side)}"""
        listing = steps((PROGRAMS / "tutorial.sh").read_text(encoding="utf-8"))
        out = cls.topology.dir / "said"
        out.mkdir()
        done = subprocess.run(["bash", "-c", script(listing, out)], env=cls.environment(),
                              capture_output=True, text=True, timeout=TIMEOUT, check=False)
        said = {}
        for i, (name, _) in enumerate(listing):
            files = [out / f"{i}.out", out / f"{i}.err"]
            if files[0].exists():
                said[name] = tuple(f.read_text(encoding="utf-8") for f in files)
        if done.returncode != 0:
            raise AssertionError(f"status {done.returncode}: {done.stderr}\n{said}\n"
                                 f"{cls.up.err.text()[-4000:]}")
        return said

    def bash(self, commands):
        """More commands in the reader's terminal: what they printed."""
        done = subprocess.run(["bash", "-ec", f'eval "$(invoker gcloud env)"\n{commands}'],
                              env=self.environment(), capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, f"{done.stdout}{done.stderr}")
        return done.stdout

    # ---- what the tutorial promises ----

    def test_the_accounts_are_created(self):
        for name in ("frontend-sa", "backend-sa"):
            self.assertIn(f"Created service account [{name}].", self.said["accounts"][1])

    def test_the_services_are_deployed_and_say_where(self):
        for step, name in (("deploy backend-api", "backend-api"), ("deploy frontend", "frontend")):
            said = self.said[step][1]
            self.assertRegex(said, rf"Service \[{name}\] revision \[{name}-00001-[a-z]{{3}}\] has "
                                   r"been deployed and is serving 100 percent of traffic\.")
            self.assertRegex(said, r"Service URL: https?://\S+")
            self.assertNotIn("warning", said.lower())
        self.assertRegex(self.said["backend URL"][0], r"^Backend URL: https?://\S+\n$")

    def test_the_frontend_combines_its_own_answer_with_the_backends(self):
        self.assertEqual(json.loads(self.said["call"][0]), {
            "source": "frontend", "backend_data": {"source": "backend-api", "items": ITEMS}})

    def test_a_direct_call_without_a_token_is_403(self):
        self.assertEqual(self.said["call directly"][0], "403")
        url = self.said["backend URL"][0].removeprefix("Backend URL: ").strip()
        self.assertEqual(self.bash(f"curl -s '{url}/api/items'"), page_403("/api/items"))

    def test_the_policy_and_the_account_are_shown(self):
        printed = self.said["look"][0]
        self.assertIn(f"- serviceAccount:{ACCOUNT.format('frontend-sa')}\n", printed)
        self.assertIn("role: roles/run.invoker", printed)
        self.assertEqual(printed.splitlines()[-1], ACCOUNT.format("frontend-sa"))

    def test_the_log_shows_the_call_that_was_let_in_and_the_one_that_was_not(self):
        self.assertEqual(entries(self.said["logs"][0]),
                         [("GET", 200, "/api/items"), ("GET", 403, "/api/items")])

    def test_the_matrix_of_more_services_is_granted(self):
        printed = self.said["matrix"][0]
        self.assertEqual(printed.count("role: roles/run.invoker"), 3)
        self.assertIn(f"- serviceAccount:{ACCOUNT.format('backend-sa')}\n", printed)

    # ---- around it ----

    def test_gcloud_acts_as_whoever_is_named(self):
        for given, account in (("", "developer@example.com"),
                               ("--as user:alice@example.com", "alice@example.com"),
                               ("--as frontend-sa", ACCOUNT.format("frontend-sa"))):
            with self.subTest(given=given):
                self.assertEqual(self.bash(
                    f"invoker gcloud {given} -- auth list --filter=status:ACTIVE "
                    "--format='value(account)'"), account + "\n")

    def test_a_user_calls_with_a_token_of_gclouds_once_granted(self):
        status = ("curl -s -o /dev/null -w '%{http_code} ' -H \"Authorization: Bearer "
                  "$(invoker gcloud --as user:bob@example.com -- auth print-identity-token)\" "
                  "\"$(gcloud run services describe auth-service --region=us-central1 "
                  "--format='value(status.url)')/ready\"\n")
        grant = ("gcloud run services add-iam-policy-binding auth-service --region=us-central1 "
                 "--member=user:bob@example.com --role=roles/run.invoker >/dev/null\n")
        self.assertEqual(self.bash(status + grant + status).split(), ["403", "200"])

    def test_the_users_own_configuration_is_as_it_was(self):
        self.assertEqual(content(self.home / ".config"), self.before)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_the_users_own_configuration_is_not_even_looked_at(self):
        trace = self.topology.dir / "trace"
        self.bash(f"strace -f -q -e trace=%file -o '{trace}' invoker gcloud --as frontend-sa -- "
                  "run services list")
        opened = trace.read_text(encoding="utf-8", errors="replace")
        self.assertIn("config_emulator", opened)
        self.assertNotIn(str(self.home / ".config" / "gcloud"), opened)

    def test_what_it_takes_on_real_ground_is_no_error(self):
        self.assertIn("my-project", self.bash("gcloud config set project my-project 2>&1\n"
                                              "gcloud config get project"))
        self.bash("gcloud services enable run.googleapis.com iam.googleapis.com")

    def test_what_is_not_emulated_says_so_and_does_not_crash(self):
        source = self.topology.dir / "source"
        source.mkdir()
        (source / "Dockerfile").write_text("FROM scratch\n", encoding="ascii")
        image = "us-central1-docker.pkg.dev/my-project/repo/frontend:v1"
        for command, why in (
                ("artifacts repositories create repo --repository-format=docker "
                 "--location=us-central1", "Images are neither built nor kept here"),
                (f"builds submit --tag {image} {source}", "nothing is served there")):
            with self.subTest(command=command):
                said = self.bash(f"gcloud {command} 2>&1 && echo 'it worked' || true")
                self.assertIn(why, said)
                self.assertNotIn("it worked", said)
                self.assertNotIn("crashed", said)


class Listing(unittest.TestCase):
    def test_steps_are_told_apart(self):
        self.assertEqual(steps("# about\n### a b\none\ntwo\n### c\nthree\n"),
                         [("a b", "one\ntwo\n"), ("c", "three\n")])
