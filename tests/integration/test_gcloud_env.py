"""`invoker gcloud`, with a program in gcloud's place that writes down how it was called: what the
real one does with it is in tests/clients."""

import contextlib
import json
import os
import pathlib
import stat
import tempfile
import unittest

from tests.lib.api import Api
from tests.lib.gateway import Gateway, email
from tests.lib.harness import closed_port, run
from tests.lib.process import Process

# Keeps what it was told in $CALLS; "auth activate…" leaves what the real one leaves behind.
GCLOUD = """#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
env >"$CALLS.env"
case "$1 $2" in
"auth activate-refresh-token"|"auth activate-service-account")
    if [ -n "$BROKEN" ]; then echo "it is broken, says gcloud" >&2; exit 3; fi
    mkdir -p "$CLOUDSDK_CONFIG/legacy_credentials/$3";;
"exit with") exit "$3";;
*) for word in "$@"; do printf '[%s]' "$word"; done;;
esac
"""
ALICE = "alice@example.com"
FRONTEND = email("frontend-sa")


class GcloudEnv(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"frontend": {"service_account": "frontend-sa"}}, state=True,
                        users=[ALICE, "bob@example.com"])
        cls.addClassCleanup(cls.g.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="invoker-test-gcloud-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.calls = self.dir / "calls"
        self.programs = self.dir / "bin"
        self.programs.mkdir()
        gcloud = self.programs / "gcloud"
        gcloud.write_text(GCLOUD, encoding="ascii")
        gcloud.chmod(0o755)

    def env(self, **more):
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "CALLS": str(self.calls),
                "XDG_STATE_HOME": str(self.dir / "state"), **more}

    def words(self, *args):
        return ["gcloud", "-c", str(self.g.topology.path), "--control", self.g.control, *args]

    def invoke(self, *args, control=None, **env):
        """(status, what it printed, what it said)"""
        words = self.words(*args)
        words[4] = control or self.g.control
        return run(*words, env=self.env(**env))

    def ok(self, *args, **env):
        status, out, err = self.invoke(*args, **env)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def refused(self, *args, status=1, **more):
        """What it said of the error; `eval` of what it printed fails, too."""
        got, out, err = self.invoke(*args, **more)
        self.assertEqual((got, out), (status, "" if "--" in args else "false"), err)
        return err

    def called(self):
        """How gcloud was called so far."""
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []

    def folder(self, *args, **env):
        """The folder that `env` names."""
        return pathlib.Path(json.loads(self.ok(*args, "--shell", "json", "env",
                                               **env))["CLOUDSDK_CONFIG"])


class LoginTest(GcloudEnv):
    def test_a_user_is_logged_in_by_gcloud_itself_once(self):
        home = self.folder()
        self.assertEqual(self.called(), [f"auth activate-refresh-token {ALICE} {ALICE}"])
        self.assertEqual(self.folder(), home)
        self.assertEqual(len(self.called()), 1)
        self.assertTrue(home.is_relative_to(self.dir / "state" / "invoker" / "gcloud"), home)
        self.assertEqual(stat.S_IMODE(home.stat().st_mode), 0o700)

    def test_the_folder_sends_everything_to_the_emulator(self):
        home = self.folder()
        host, port = self.g.control.split(":")
        self.assertEqual((home / "active_config").read_text(encoding="ascii"), "emulator")
        lines = (home / "configurations" / "config_emulator").read_text("ascii").splitlines()
        for line in ("project = my-project", f"account = {ALICE}", "region = us-central1",
                     "check_gce_metadata = false", f"token_host = http://{self.g.control}/token",
                     f"address = {host}", f"port = {port}", f"run = http://run.localhost:{port}/",
                     f"iam = http://{self.g.control}/", f"logging = http://{self.g.control}/"):
            self.assertIn(line, lines)

    def test_a_service_account_is_logged_in_with_a_key_of_its_own(self):
        home = self.folder("--as", "frontend-sa")
        file = home / "key.json"
        self.assertEqual(self.called(),
                         [f"auth activate-service-account {FRONTEND} --key-file {file}"])
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        key = json.loads(file.read_text("ascii"))
        self.assertEqual((key["type"], key["client_email"], key["token_uri"]),
                         ("service_account", FRONTEND, f"http://{self.g.control}/token"))
        self.assertEqual(self.folder("--as", f"serviceAccount:{FRONTEND}"), home)
        self.assertEqual(len(self.called()), 1)

    def test_a_key_that_is_no_longer_valid_is_replaced(self):
        file = self.folder("--as", "frontend-sa") / "key.json"
        first = json.loads(file.read_text("ascii"))["private_key_id"]
        status, said = Api(self.g).ask(
            "DELETE", f"/v1/projects/-/serviceAccounts/{FRONTEND}/keys/{first}")
        self.assertEqual(status, 200, said)
        self.folder("--as", "frontend-sa")
        self.assertNotEqual(json.loads(file.read_text("ascii"))["private_key_id"], first)
        self.assertEqual(len(self.called()), 2)

    def test_who_is_who(self):
        for given, account in (("user:bob@example.com", "bob@example.com"),
                               ("carol@example.com", "carol@example.com"),
                               (FRONTEND, FRONTEND), ("serviceAccount:frontend-sa", FRONTEND)):
            with self.subTest(given=given):
                self.assertEqual(self.folder("--as", given).name, account)

    def test_an_account_that_gcloud_has_just_made_is_known(self):
        status, said = Api(self.g).post("/v1/projects/my-project/serviceAccounts",
                                        {"accountId": "fresh-sa"})
        self.assertEqual(status, 200, said)
        self.assertEqual(self.folder("--as", "fresh-sa").name, email("fresh-sa"))

    def test_processes_at_the_same_time_log_in_once(self):
        with contextlib.ExitStack() as stack:
            at_once = [stack.enter_context(Process(*self.words("env"), env=self.env()))
                       for _ in range(6)]
            self.assertEqual([p.wait() for p in at_once], [0] * 6)
        self.assertEqual(len(self.called()), 1)

    def test_what_gcloud_changed_stays_but_for_who_it_acts_as(self):
        file = self.folder() / "configurations" / "config_emulator"
        changed = file.read_text("ascii").replace("project = my-project", "project = other")
        file.write_text(changed, encoding="ascii")
        self.folder()
        self.assertEqual(file.read_text("ascii"), changed)
        file.write_text(changed.replace(f"account = {ALICE}", "account = eve@example.com"),
                        encoding="ascii")
        self.folder()
        self.assertIn(f"\naccount = {ALICE}\n", file.read_text("ascii"))
        self.assertEqual(len(self.called()), 1)

    def test_a_revoked_credential_is_got_again(self):
        (self.folder() / "legacy_credentials" / ALICE).rmdir()
        self.folder()
        self.assertEqual(len(self.called()), 2)

    def test_the_project_is_the_running_gateways(self):
        other = self.dir / "other.yaml"
        other.write_text('{"project": {"id": "other-project"}}', encoding="ascii")
        status, out, err = run("gcloud", "-c", str(other), "--control", self.g.control, "--as",
                               "frontend-sa", "--shell", "json", "env", env=self.env())
        self.assertEqual(status, 0, err)
        home = pathlib.Path(json.loads(out)["CLOUDSDK_CONFIG"])
        self.assertEqual(home.name, FRONTEND)
        self.assertIn("project = my-project",
                      (home / "configurations" / "config_emulator").read_text("ascii"))


class RefusalTest(GcloudEnv):
    def test_no_gateway(self):
        said = self.refused("env", control=f"127.0.0.1:{closed_port()}")
        self.assertIn("no gateway answers at 127.0.0.1:", said)
        self.assertIn("invoker up", said)
        self.assertEqual(self.called(), [])
        self.assertFalse((self.dir / "state").exists())

    def test_accounts_that_are_not_there(self):
        self.assertIn(f"no key of {email('ghost-sa')}: ", self.refused("--as", "ghost-sa", "env"))
        for wrong in ("group:team@example.com", "user:", "user:frontend", f"user:{FRONTEND}",
                      "serviceAccount:alice@example.com", "", "a b"):
            with self.subTest(wrong=wrong):
                said = self.refused("--as", wrong, "env", status=2)
                self.assertIn("--as is user:E-MAIL or the name or e-mail of a service account, "
                              f"not '{wrong}'", said)
        self.assertEqual(self.called(), [])

    def test_folders_that_cannot_be_used(self):
        file = self.dir / "file"
        file.write_text("mine", encoding="ascii")
        self.assertIn(str(file), self.refused("--dir", str(file), "env"))
        self.assertIn("/proc/none", self.refused("--dir", "/proc/none/x", "env"))
        filled = self.dir / "filled"
        filled.mkdir()
        (filled / "active_config").write_text("work", encoding="ascii")
        said = self.refused("--dir", str(filled), "env")
        self.assertIn("holds files that are not this program's; name another folder", said)
        self.assertEqual([p.name for p in filled.iterdir()], ["active_config"])
        self.assertEqual(self.called(), [])
        self.assertEqual(self.folder("--dir", str(self.dir / "new")), self.dir / "new")

    def test_the_users_own_folder_is_refused(self):
        own = self.dir / "home" / ".config" / "gcloud"
        (own / "configurations").mkdir(parents=True)
        self.refused("--dir", str(own), "env")
        self.assertEqual([p.name for p in own.iterdir()], ["configurations"])

    def test_what_gcloud_says_is_shown_when_it_fails_and_the_next_call_tries_again(self):
        said = self.refused("env", BROKEN="1")
        self.assertIn(f"cannot log {ALICE} in: gcloud exited with status 3:\n"
                      "it is broken, says gcloud", said)
        self.folder()
        self.assertEqual(len(self.called()), 2)

    def test_without_gcloud_it_says_where_to_get_it(self):
        (self.programs / "gcloud").unlink()
        for args in (["env"], ["--", "version"]):
            said = self.refused(*args, status=127, PATH=str(self.programs))
            self.assertEqual(said.count("https://cloud.google.com/sdk/docs/install"), 1, said)
        (self.programs / "gcloud").write_text("", encoding="ascii")  # and may not be run
        self.assertIn("Permission denied", self.refused("env", PATH=str(self.programs)))

    def test_bad_words(self):
        for args in ([], ["nonsense"], ["env", "more"], ["env", "--", "version"],
                     ["env", "--shell", "tcl"]):
            with self.subTest(args=args):
                self.refused(*args, status=2)
        self.refused("env", control="nowhere", status=2)


class OutputTest(GcloudEnv):
    def test_each_shell_gets_its_own_statement(self):
        home = self.folder()
        for shell, statement in (("sh", f"export CLOUDSDK_CONFIG='{home}'"),
                                 ("fish", f"set -gx CLOUDSDK_CONFIG '{home}'"),
                                 ("powershell", f"$env:CLOUDSDK_CONFIG = '{home}'"),
                                 ("cmd", f'set "CLOUDSDK_CONFIG={home}"'),
                                 ("dotenv", f"CLOUDSDK_CONFIG={home}")):
            with self.subTest(shell=shell):
                self.assertEqual(self.ok("--shell", shell, "env").splitlines()[0], statement)

    def test_each_shell_is_told_of_a_failure(self):
        nobody = f"127.0.0.1:{closed_port()}"
        for shell, statement in (("sh", "false"), ("fish", "false"), ("dotenv", ""), ("json", ""),
                                 ("powershell", "throw 'invoker failed'"), ("cmd", "exit /b 1")):
            with self.subTest(shell=shell):
                self.assertEqual(self.invoke("--shell", shell, "env", control=nobody)[:2],
                                 (1, statement))

    def test_what_would_outdo_the_folder_is_taken_out(self):
        foreign = {"CLOUDSDK_CORE_PROJECT": "precious", "CLOUDSDK_AUTH_ACCESS_TOKEN": "secret",
                   "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": "https://run.example/"}
        out = self.ok("env", **foreign, CLOUDSDK_PYTHON="/usr/bin/python3")
        for name in foreign:
            self.assertIn(f"unset {name}", out.splitlines())
        self.assertNotIn("PYTHON", out)
        self.assertNotIn("secret", out)
        env = (self.dir / "calls.env").read_text("utf-8")
        self.assertNotIn("precious", env)
        self.assertIn("CLOUDSDK_PYTHON=/usr/bin/python3\n", env)

    def test_gcloud_gets_the_words_as_they_are_and_its_status_is_ours(self):
        words = ["run", "services", "list", "--format=value(a b)", "", "*", "--", "-x"]
        out = self.ok("--", *words, CLOUDSDK_CORE_PROJECT="precious")
        self.assertEqual(out, "".join(f"[{w}]" for w in words))
        env = (self.dir / "calls.env").read_text("utf-8")
        self.assertIn(f"CLOUDSDK_CONFIG={self.folder()}\n", env)
        self.assertNotIn("precious", env)
        self.assertEqual(self.invoke("--", "exit", "with", "7")[0], 7)

    def test_the_variables_of_up_are_enough(self):
        variables = self.env(INVOKER_CONTROL=f"http://{self.g.control}",
                             INVOKER_CONFIG=str(self.g.topology.path))
        status, out, err = run("gcloud", "env", env=variables)
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.startswith("export CLOUDSDK_CONFIG="), out)

    def test_a_relative_folder_is_named_in_full(self):
        name = os.path.relpath(self.dir / "relative")
        status, out, err = run(*self.words("--dir", name, "env"), env=self.env(), cwd=os.getcwd())
        self.assertEqual(status, 0, err)
        self.assertTrue(out.startswith("export CLOUDSDK_CONFIG='/"), out)
