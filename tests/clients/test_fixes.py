"""The command that each refusal names (`fix`) is run, word for word, by gcloud, curl and a shell;
then the same request passes."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.clients.support import FOREIGN
from tests.lib.gateway import NUMBER, PROJECT, Gateway, email, run_app
from tests.lib.process import run, wait_until
from tests.lib.refusals import ALLOWED, Requests, decision_of, gateway, identity

GCLOUD = shutil.which("gcloud")
CURL = shutil.which("curl")
DEVELOPER = "developer@example.com"
# Each fix that cannot be run so that the same request passes, and why not.
NOT_RUN = {
    "not_yet_valid": "sets the machine's clock",
    "keys_unavailable": "asks whether Google's keys can be reached; ours come by themselves",
}
# By how the fix is used, see the tests.
FETCH = {"access_token", "not_a_jwt", "signature_removed", "bad_alg", "unknown_key",
         "bad_signature", "bad_claims", "wrong_issuer", "expired", "no_audience", "wrong_audience"}
SEND = {"no_credential", "empty_credential", "not_bearer", "repeated_header", "several_tokens"}
IMPERSONATE = {"self_signed_jwt", "no_principal"}
CHANGE = {"default_url_disabled", "ingress_blocked", "account_disabled", "condition_not_met",
          "no_grant"}
LOOK = {"unknown_host", "reserved_path", "denied", "not_propagated"}


class Shell:
    """Runs commands as somebody who has logged in to the emulator would: gcloud's configuration is
    `invoker gcloud env`'s; curl finds the run.app hosts by the gateway, and the metadata server of
    the service `caller` where containers find theirs."""

    def __init__(self, g, folder):
        status, out, err = run("gcloud", "env", "--control", g.control, "-c", str(g.topology.path),
                               "--as", f"user:{DEVELOPER}", "--dir", f"{folder}/gcloud",
                               "--shell", "json")
        assert status == 0, err
        with open(f"{folder}/.curlrc", "w", encoding="ascii") as rc:
            metadata = g.address("caller", "metadata")
            rc.write(f'silent\nproxy = "http://{g.ingress}"\nnoproxy = "metadata.google.internal"\n'
                     f'cacert = "{g.ca}"\n'
                     f'connect-to = "metadata.google.internal:80:{metadata}"\n'
                     'write-out = "\\n%{http_code}"\n')
        clean = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) and k != "TERM"}
        self.env = {**clean, **json.loads(out), "CURL_HOME": str(folder)}

    def run(self, command):
        """What it printed; it succeeds."""
        p = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120,
                           check=False, env=self.env)
        assert p.returncode == 0, f"{command}\n{p.stdout}{p.stderr}"
        return p.stdout

    def curl(self, command):
        """(status, body)"""
        body, _, status = self.run(command).rpartition("\n")
        return int(status), body


class FixCase(unittest.TestCase):
    delay = "0s"

    @classmethod
    def setUpClass(cls):
        if not GCLOUD or not CURL:
            raise unittest.SkipTest("gcloud or curl is not installed")
        folder = tempfile.TemporaryDirectory(prefix="invoker-test-fixes-")
        cls.addClassCleanup(folder.cleanup)
        cls.g = gateway(
            delay=cls.delay, state=True, options=["--decision-header"],
            services={"caller": {"service_account": "frontend-sa"}},
            matrix={"frontend-sa": ["private", "internal", "hidden"], DEVELOPER: ["private"]},
            users=[DEVELOPER], project={"id": PROJECT, "number": int(NUMBER), "policy": {
                "bindings": [{"role": "roles/iam.serviceAccountTokenCreator",
                              "members": [f"user:{DEVELOPER}"]}]}})
        cls.addClassCleanup(cls.g.close)
        cls.requests = Requests(cls.g)
        cls.shell = Shell(cls.g, folder.name)

    def fix_of(self, reason, answer=None):
        report = decision_of(self.g, answer or self.requests.send(reason))
        self.assertEqual(report["reason"], reason)
        return report["fix"]

    def send(self, token, name="private"):
        return self.g.get(name, "/mended", {"Authorization": "Bearer " + token})

    def assert_allowed(self, answer):
        self.assertEqual(answer.status, 200, decision_of(self.g, answer))
        self.assertTrue(decision_of(self.g, answer)["allowed"])


class Fixes(FixCase):
    def test_every_fix_is_run_or_it_is_said_why_not(self):
        status, out, err = run("why", "--reasons", "-o", "json")
        self.assertEqual(status, 0, err)
        names = [row["reason"] for row in json.loads(out)["reasons"] if row["fix"]]
        groups = [FETCH, SEND, IMPERSONATE, CHANGE, LOOK, set(NOT_RUN)]
        self.assertEqual(sorted(names), sorted(name for group in groups for name in group))
        self.assertFalse(ALLOWED & set(names))

    def test_a_token_is_fetched_by_the_named_command(self):
        for reason in FETCH:
            with self.subTest(reason):
                status, token = self.shell.curl(self.fix_of(reason))
                self.assertEqual(status, 200, token)
                self.assert_allowed(self.send(token))

    def test_a_request_is_sent_by_the_named_command(self):
        fixes = {self.fix_of(reason) for reason in SEND}
        self.assertEqual(len(fixes), 1)  # the same for all of them
        fix = fixes.pop()
        self.assertTrue(fix.endswith(f"https://{run_app('private')}"))
        status, body = self.shell.curl(fix)
        self.assertEqual(status, 200, body)

    def test_a_token_is_had_by_impersonation(self):
        for reason in IMPERSONATE:
            with self.subTest(reason):
                # Who it should have been, a token without a name does not say.
                fix = re.sub(r"\bACCOUNT\b", email("frontend-sa"), self.fix_of(reason))
                self.assert_allowed(self.send(self.shell.run(fix).strip()))

    def test_settings_and_grants_are_changed_by_the_named_command(self):
        names = {"default_url_disabled": "hidden", "ingress_blocked": "internal"}
        for reason in sorted(CHANGE):
            with self.subTest(reason):
                def again(r=reason):
                    if r not in names:
                        return self.requests.send(r)
                    headers = self.g.bearer(account="frontend-sa", audience=names[r])
                    host, path = self.requests.DOORS[r]
                    return self.g.at_host(host, path, list(headers.items()))
                self.shell.run(self.fix_of(reason, again()))
                self.assert_allowed(again())

    def test_the_services_hosts_are_listed(self):
        listed = self.shell.run(self.fix_of("unknown_host"))
        url = re.search(r"\bopen\b.*?(http://\S+)", listed)[1]
        self.assertEqual(url, self.g.url("open"))
        self.assert_allowed(self.g.get("open"))

    def test_another_path_reaches_the_container(self):
        fix = self.fix_of("reserved_path")
        headers = list(self.g.bearer(account="frontend-sa", audience="private").items())
        paths = re.findall(r"/[a-z]+/?", fix)
        self.assertEqual(len(paths), 3)
        for path in paths:
            self.assert_allowed(self.g.at_host(run_app("private"), path, headers))

    def test_a_deny_policy_is_found_by_the_named_command(self):
        """What it lists is deleted, as `here` says."""
        kind = ("--kind=denypolicies --attachment-point=cloudresourcemanager.googleapis.com/"
                f"projects/{PROJECT}")
        rule = {"rules": [{"denyRule": {
            "deniedPrincipals": [f"principal://goog/subject/{DEVELOPER}"],
            "deniedPermissions": ["run.googleapis.com/routes.invoke"]}}]}
        self.shell.run(f"echo '{json.dumps(rule)}' > $CURL_HOME/deny.json && gcloud iam policies "
                       f"create keep-out {kind} --policy-file=$CURL_HOME/deny.json")

        def again():
            token = self.shell.run("gcloud auth print-identity-token").strip()
            return self.send(token)
        report = decision_of(self.g, again())
        self.assertEqual(report["reason"], "denied")
        self.assertIn("keep-out", self.shell.run(report["fix"]))
        self.assertIn("delete the deny policy keep-out", report["local_fix"])
        self.shell.run(f"gcloud iam policies delete keep-out {kind} --quiet")
        self.assert_allowed(again())

    def test_a_custom_domain_is_made_an_audience_by_the_named_command(self):
        headers = self.g.bearer(account="frontend-sa", audience="https://api.example.test")
        fix = self.fix_of("wrong_audience", self.g.get("private", "/", headers))
        self.assertIn("--add-custom-audiences", fix)
        self.shell.run(fix)
        self.assert_allowed(self.g.get("private", "/", headers))


class SlowFixes(FixCase):
    delay = "4s"

    def test_a_grant_on_its_way_is_there_and_arrives(self):
        self.shell.run(self.fix_of("no_grant"))
        report = decision_of(self.g, self.requests.send("no_grant"))
        self.assertEqual(report["reason"], "not_propagated")
        self.assertIn(email("other-sa"), self.shell.run(report["fix"]))
        answer = wait_until(lambda: (lambda a: a.status == 200 and a)(
            self.requests.send("no_grant")), what="the grant's arrival")
        self.assert_allowed(answer)


class DefaultAccount(unittest.TestCase):
    def test_the_caller_gets_an_account_of_its_own_by_the_named_command(self):
        if not GCLOUD or not CURL:
            raise unittest.SkipTest("gcloud or curl is not installed")
        services = {"private": {"service_account": "backend-sa"}, "caller": {}}
        with tempfile.TemporaryDirectory() as folder, \
                Gateway(services, {"frontend-sa": ["private"]}, state=True, users=[DEVELOPER],
                        options=["--decision-header"]) as g:
            def again():
                token = identity(g, "caller", g.url("private"))
                return g.get("private", "/", {"Authorization": "Bearer " + token})
            report = decision_of(g, again())
            self.assertIn("services update caller", report["fix"])
            Shell(g, folder).run(report["fix"])
            self.assertEqual(again().status, 200)


if __name__ == "__main__":
    unittest.main()
