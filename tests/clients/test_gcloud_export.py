"""What `invoker export gcloud` prints, run by the real gcloud against an emulator that has the service
and nothing else; and what gcloud then prints, read by `invoker diff` and `invoker import`."""

import json
import os
import subprocess
import unittest

from tests.clients.gcloud_case import GcloudCase
from tests.clients.support import FOREIGN
from tests.lib.gateway import NUMBER, PROJECT, email, keys_dir
from tests.lib.process import run

INVOKER = "roles/run.invoker"
CALLER = f"projects/{PROJECT}/roles/caller"
CONDITION = {"title": 'until "2030", it\'s said', "description": "a=b,c;\nd $HOME",
             "expression": 'request.time < timestamp("2030-01-01T00:00:00Z") &&\n'
                           "resource.service == 'run.googleapis.com'"}
POLICIES = {
    "backend-api": [
        {"role": INVOKER, "members": [f"serviceAccount:{email('caller-sa')}"]},
        {"role": INVOKER, "members": ["user:alice@example.com"], "condition": CONDITION},
        {"role": CALLER, "members": ["domain:example.com"]}],
    "project": [{"role": "roles/run.viewer", "members": ["user:alice@example.com"]}],
    email("caller-sa"): [{"role": "roles/iam.serviceAccountTokenCreator",
                          "members": ["user:alice@example.com"]}]}
TOPOLOGY = {
    "project": {"id": PROJECT, "number": int(NUMBER), "policy": {"bindings": POLICIES["project"]}},
    "keys": keys_dir(),
    "service_accounts": {"caller-sa": {
        "display_name": 'It\'s "the" caller, $HOME', "description": "^;^ a, b",
        "policy": {"bindings": POLICIES[email("caller-sa")]}}},
    "services": {"backend-api": {
        "service_account": "caller-sa", "ingress": "internal", "invoker_iam_check": False,
        "custom_audiences": ["https://a.example.test", "a,b"], "timeout": "60s",
        "concurrency": 7, "max_instances": 3, "policy": {"bindings": POLICIES["backend-api"]}}},
    "roles": {"caller": ["run.routes.invoke"]},
    "deny": [{"deniedPrincipals": ["principal://goog/subject/bob@example.com"],
              "deniedPermissions": ["run.googleapis.com/routes.invoke"]}],
}


def plain(bindings):
    """Without order."""
    return sorted(json.dumps({**b, "members": sorted(b["members"])}, sort_keys=True)
                  for b in bindings)


class GcloudExport(GcloudCase):
    services = {"backend-api": {"service_account": "backend-sa"}}
    matrix = {}

    def run_script(self, config):
        status, script, err = run("export", "gcloud", "-c", config)
        self.assertEqual((status, err), (0, ""))
        env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) and k != "TERM"}
        (self.folder / "script.sh").write_text(script + "\n", encoding="utf-8")
        p = subprocess.run(["sh", str(self.folder / "script.sh")], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=300, check=False,
                           env=dict(env, CLOUDSDK_CONFIG=str(self.folder)))
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def save(self, name, *args):
        path = self.folder / name
        path.write_text(self.gcloud(*args)[0], encoding="utf-8")
        return str(path)

    def saved(self):
        account = email("caller-sa")
        return {
            "backend-api": self.save("backend-api-policy.yaml", "run", "services",
                                     "get-iam-policy", "backend-api"),
            "project": self.save("project.json", "projects", "get-iam-policy", PROJECT,
                                 "--format=json"),
            account: account + "=" + self.save(
                "account.json", "iam", "service-accounts", "get-iam-policy", account,
                "--format=json")}

    def described(self):
        return [self.save("service.yaml", "run", "services", "describe", "backend-api",
                          "--format=export"),
                self.save("caller.json", "iam", "service-accounts", "describe",
                          email("caller-sa"), "--format=json"),
                self.save("role.yaml", "iam", "roles", "describe", "caller",
                          f"--project={PROJECT}")]

    def test_the_script_makes_what_the_topology_says_and_diff_finds_it_so(self):
        config = self.folder / "topology.yaml"
        config.write_text(json.dumps(TOPOLOGY, indent=2), encoding="utf-8")
        self.run_script(str(config))
        rest = self.folder / "rest.yaml"
        rest.write_text(json.dumps({**TOPOLOGY, "services": {}}), encoding="utf-8")
        self.run_script(str(rest))  # all of it is there already
        policies = self.saved()
        for whose in ("project", email("caller-sa")):
            policy = json.loads((self.folder / policies[whose].rsplit("/", 1)[1])
                                .read_text("utf-8"))
            self.assertEqual(plain(policy["bindings"]), plain(POLICIES[whose]))
        rules = json.loads(self.gcloud(
            "iam", "policies", "get", "invoker-topology", "--kind=denypolicies",
            "--attachment-point=cloudresourcemanager.googleapis.com/projects/" + PROJECT,
            "--format=json")[0])["rules"]
        self.assertEqual([r["denyRule"] for r in rules], TOPOLOGY["deny"])

        files = [*policies.values(), *self.described()]
        self.assertEqual(run("diff", "-c", str(config), *files), (0, "", ""))
        status, imported, err = run("import", *files)
        self.assertEqual((status, err), (0, ""))
        (self.folder / "imported.yaml").write_text(imported + "\n", encoding="utf-8")
        self.assertEqual(run("diff", "-c", str(self.folder / "imported.yaml"), *files),
                         (0, "", ""))

        self.gcloud("run", "services", "add-iam-policy-binding", "backend-api",
                    "--member=allUsers", f"--role={INVOKER}", "--condition=None")
        drifted = self.save("backend-api-policy.yaml", "run", "services", "get-iam-policy",
                            "backend-api")
        status, out, err = run("diff", "-c", str(config), drifted)
        self.assertEqual((status, err), (1, ""))
        self.assertRegex(out, r"^\S+backend-api-policy.yaml:\d+: only there: backend-api grants "
                              r"roles/run.invoker to allUsers$")


if __name__ == "__main__":
    unittest.main()
