"""`invoker export`, `import` and `diff`: topologies to production's tools and back."""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from tests.lib import hcl
from tests.lib.api import Api
from tests.lib.cloudrun import Api as RunApi, SPACE, deploy
from tests.lib.gateway import PROJECT, Gateway, email, keys_dir
from tests.lib.harness import run
from tests.lib.process import ROOT

INVOKER = "roles/run.invoker"
NASTY = 'it\'s "${x}" %{y} $HOME `id`\\ \n line, "two" ü'
CONDITION = {"title": 'say "when": it\'s 2030', "description": NASTY,
             "expression": 'request.time < timestamp("2030-01-01T00:00:00Z") &&\n'
                           "resource.name != '${x}'"}
TOPOLOGY = {
    "project": {"id": PROJECT, "number": 123456789012, "policy": {"bindings": [
        {"role": "roles/run.viewer", "members": ["group:team@example.com"]}]}},
    "keys": "keys",
    "service_accounts": {
        "frontend-sa": {"display_name": NASTY, "description": "It, calls; things"},
        "backend-sa": {"disabled": True, "policy": {"bindings": [
            {"role": "roles/iam.serviceAccountTokenCreator",
             "members": ["user:alice@example.com", "deleted:user:b@example.com?uid=1"]}]}},
        "other@elsewhere-1.iam.gserviceaccount.com": {}},
    "services": {
        "frontend": {"service_account": "frontend-sa", "custom_audiences": ["a,b", "https://x"],
                     "image": "gcr.io/my-project/frontend", "policy": {"bindings": [
                         {"role": INVOKER, "members": ["allUsers", "domain:example.com"]}]}},
        "backend-api": {"service_account": "backend-sa", "ingress": "internal",
                        "invoker_iam_check": False, "default_url": False, "max_instances": 3,
                        "policy": {"bindings": [
                            {"role": INVOKER,
                             "members": [f"serviceAccount:{email('frontend-sa')}"]},
                            {"role": INVOKER, "members": ["user:alice@example.com"],
                             "condition": CONDITION},
                            {"role": f"projects/{PROJECT}/roles/caller",
                             "members": ["user:alice@example.com"]}]}}},
    "roles": {"caller": ["run.routes.invoke", "run.routes.get"]},
    "deny": [{"deniedPrincipals": ["principal://goog/subject/bob@example.com"],
              "deniedPermissions": ["run.googleapis.com/routes.invoke"]}],
    "groups": {"team@example.com": ["user:alice@example.com"]},
}

# In place of gcloud: notes its arguments and what it reads; `describe` and `get` find nothing.
RECORDER = """#!%s
import json, sys
with open(%r, "a", encoding="utf-8") as f:
    print(json.dumps([sys.argv[1:], "" if sys.stdin.isatty() else sys.stdin.read()]), file=f)
sys.exit(1 if {"describe", "get"} & set(sys.argv) else 0)
"""


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="invoker-test-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.dir / name
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def ok(self, *args):
        status, out, err = run(*args)
        self.assertEqual((status, err), (0, ""), f"{args}\n{out}")
        return out

    def topology(self, content=None):
        return self.write("topology.yaml", content or TOPOLOGY)


class ToYaml(Files):
    def check_same(self, path):
        exported = self.ok("export", "yaml", "-c", path)
        again = self.write("again.yaml", exported)
        self.ok("check", again)
        self.assertEqual(self.ok("matrix", "-c", path, "-o", "json"),
                         self.ok("matrix", "-c", again, "-o", "json"))
        self.assertEqual(exported.split("\n", 1)[1],
                         self.ok("export", "yaml", "-c", again).split("\n", 1)[1])
        return exported

    def test_each_topology_here_loads_as_the_same_after_an_export(self):
        for path in sorted((ROOT / "policies").glob("*.yaml")):
            if path.name.endswith(".test.yaml"):
                continue
            with self.subTest(path.name):
                self.check_same(str(path))

    def test_whatever_stands_in_it_survives(self):
        exported = self.check_same(self.topology())
        self.assertNotIn("API", exported)

    def test_what_apis_changed_is_in_it_and_says_so(self):
        with Gateway({"backend-api": {"service_account": "backend-sa"}}, state=True) as g:
            api = Api(g)
            status, _ = api.post(f"/v1/projects/{PROJECT}/serviceAccounts",
                                 {"accountId": "worker-sa", "serviceAccount": {
                                     "displayName": NASTY[:90]}})
            self.assertEqual(status, 200)
            status, _ = api.post(f"/v1/projects/{PROJECT}/locations/us-central1/services/"
                                 "backend-api:setIamPolicy", {"policy": {"version": 3, "bindings": [
                                     {"role": INVOKER, "condition": CONDITION, "members": [
                                         f"serviceAccount:{email('worker-sa')}"]}]}})
            self.assertEqual(status, 200)
            token = api.bearer["Authorization"].split()[1]
            status, _ = RunApi(g.control, token).ask(
                "POST", f"{SPACE}/services", deploy("shop", env={"X": NASTY}, ingress="internal"))
            self.assertEqual(status, 200)
            state = str(g.topology.dir / "state")
            config = str(g.topology.path)
            before = pathlib.Path(config).read_bytes()
            exported = self.ok("export", "yaml", "-c", config, "--state", state)
            self.assertEqual(pathlib.Path(config).read_bytes(), before)
        self.assertRegex(exported, r"  # created by API\n  worker-sa:")
        self.assertRegex(exported, r"  # deployed by \S+\n  shop:")
        self.assertRegex(exported, r"    # set by alice@example.com at \S+\n    policy:")
        again = self.write("again.yaml", exported)
        self.ok("check", again)
        rows = json.loads(self.ok("matrix", "-c", again, "-o", "json"))["callers"]
        verdicts = {r["email"]: r["services"]["backend-api"] for r in rows}
        self.assertTrue(verdicts[email("worker-sa")]["allowed"])
        self.assertEqual(verdicts[email("backend-sa")]["reason"], "no_grant")
        self.assertNotIn("API", self.ok("export", "yaml", "-c", again))

    def test_a_state_that_is_not_there_is_said(self):
        status, out, err = run("export", "yaml", "-c", self.topology(), "--state", "/nowhere")
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err, "invoker export: --state: there is no folder /nowhere")

    def test_wrong_operands_are_usage_errors(self):
        for words, said in (([], "gcloud, terraform or yaml"), (["xml"], "'xml' is none of"),
                            (["yaml", "x"], "unexpected operand 'x'")):
            status, out, err = run("export", *words)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)


class ToGcloud(Files):
    recorded = []

    def commands(self):
        """The commands that the script runs: [(arguments, standard input)]."""
        if not self.recorded:
            self.recorded.extend(self.record())
        return self.recorded

    def record(self):
        script = self.ok("export", "gcloud", "-c", self.topology())
        bin_dir, record = self.dir / "bin", self.dir / "record"
        bin_dir.mkdir()
        (bin_dir / "gcloud").write_text(RECORDER % (sys.executable, str(record)), encoding="utf-8")
        (bin_dir / "gcloud").chmod(0o755)
        subprocess.run(["sh", self.write("script.sh", script)], check=True, timeout=60,
                       stdin=subprocess.DEVNULL,
                       env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"})
        return [json.loads(line) for line in record.read_text("utf-8").splitlines()]

    def test_every_word_reaches_gcloud_as_it_is(self):
        commands = self.commands()
        argvs = [c[0] for c in commands]
        self.assertIn(["iam", "service-accounts", "create", "frontend-sa", f"--project={PROJECT}",
                       f"--display-name={NASTY}", "--description=It, calls; things"], argvs)
        self.assertIn(["iam", "service-accounts", "disable", email("backend-sa"),
                       f"--project={PROJECT}"], argvs)
        self.assertFalse([a for a in argvs if "other@elsewhere-1" in " ".join(a)])
        place = [f"--project={PROJECT}", "--region=us-central1"]
        self.assertIn(["run", "deploy", "frontend", *place, "--image=gcr.io/my-project/frontend",
                       "--no-allow-unauthenticated"], argvs)
        update = next(a for a in argvs if a[:4] == ["run", "services", "update", "frontend"])
        self.assertIn("--set-custom-audiences=^;^a,b;https://x", update)
        update = next(a for a in argvs if a[:4] == ["run", "services", "update", "backend-api"])
        for option in (f"--service-account={email('backend-sa')}", "--ingress=internal",
                       "--no-invoker-iam-check", "--clear-custom-audiences",
                       "--max-instances=3", *place):
            self.assertIn(option, update)
        self.assertIn(["beta", "run", "services", "update", "backend-api", *place,
                       "--no-default-url"], argvs)
        self.assertIn(["iam", "roles", "create", "caller", f"--project={PROJECT}", "--quiet",
                       "--permissions=run.routes.invoke,run.routes.get"], argvs)

    def test_every_grant_is_one_command(self):
        commands = self.commands()
        grants = {}
        for argv, said in commands:
            if "add-iam-policy-binding" in argv:
                options = dict(a[2:].split("=", 1) for a in argv if a.startswith("--"))
                what = (options["member"], options["role"], options.get("condition"))
                grants.setdefault(" ".join(argv[:argv.index("add-iam-policy-binding")])
                                  + " " + argv[argv.index("add-iam-policy-binding") + 1],
                                  []).append((*what, json.loads(said) if said else None))
        self.assertEqual(grants, {
            f"projects {PROJECT}": [("group:team@example.com", "roles/run.viewer", "None", None)],
            f"iam service-accounts {email('backend-sa')}": [
                ("user:alice@example.com", "roles/iam.serviceAccountTokenCreator", "None", None)],
            "run services frontend": [("allUsers", INVOKER, "None", None),
                                      ("domain:example.com", INVOKER, "None", None)],
            "run services backend-api": [
                (f"serviceAccount:{email('frontend-sa')}", INVOKER, "None", None),
                ("user:alice@example.com", INVOKER, None, CONDITION),
                ("user:alice@example.com", f"projects/{PROJECT}/roles/caller", "None", None)]})
        denied = [json.loads(said) for argv, said in commands if argv[:2] == ["iam", "policies"]
                  and argv[2] == "create"]
        self.assertEqual(denied, [{"rules": [{"denyRule": TOPOLOGY["deny"][0]}]}])


class ToTerraform(Files):
    def resources(self, content=None):
        return hcl.resources(self.ok("export", "terraform", "-c", self.topology(content)) + "\n")

    def test_everything_is_a_resource(self):
        found = self.resources()
        account = found["google_service_account", "frontend_sa"][0]
        self.assertEqual(account, {"project": PROJECT, "account_id": "frontend-sa",
                                   "display_name": NASTY, "description": "It, calls; things"})
        self.assertEqual(found["google_service_account", "backend_sa"][0]["disabled"], "true")
        role = found["google_project_iam_custom_role", "caller"][0]
        self.assertEqual(role["permissions"], ["run.routes.invoke", "run.routes.get"])
        plain = found["google_cloud_run_v2_service_iam_member",
                      "backend_api_run_invoker_frontend_sa"]
        self.assertEqual(plain, ({"project": PROJECT, "location": "us-central1",
                                  "name": "backend-api", "role": INVOKER,
                                  "member": "google_service_account.frontend_sa.member"}, []))
        with_condition = [r for r in found.values() if r[1] and r[1][0][0] == "condition"]
        self.assertEqual([r[1][0][2][0] for r in with_condition], [CONDITION])
        custom = [a for a, _ in found.values()
                  if a.get("role") == "google_project_iam_custom_role.caller.id"]
        self.assertEqual([a["member"] for a in custom], ["user:alice@example.com"])
        on_account = [a for (kind, _), (a, _) in found.items()
                      if kind == "google_service_account_iam_member"]
        self.assertEqual(on_account, [
            {"service_account_id": "google_service_account.backend_sa.name",
             "role": "roles/iam.serviceAccountTokenCreator", "member": "user:alice@example.com"}])
        deny = next(b for (kind, _), (_, b) in found.items() if kind == "google_iam_deny_policy")
        rule = deny[0][2][1][0][2][0]
        self.assertEqual(rule["denied_permissions"], ["run.googleapis.com/routes.invoke"])

    def test_names_tell_grants_apart_and_stay_when_others_come(self):
        content = copy.deepcopy(TOPOLOGY)
        members = content["services"]["backend-api"]["policy"]["bindings"][0]["members"]
        before = set(self.resources(content))
        members[:0] = ["user:a.b@example.com", "user:a-b@example.com", "user:a_b@example.com",
                       "allUsers", "allUsers", "123456789012-compute@developer.gserviceaccount.com"]
        members[5] = "serviceAccount:" + members[5]
        after = self.resources(content)
        self.assertTrue(before < set(after))
        self.assertEqual(len(after), len(before) + 5)


KNATIVE = {
    "apiVersion": "serving.knative.dev/v1", "kind": "Service",
    "metadata": {
        "name": "backend-api", "namespace": "998877665544",
        "labels": {"cloud.googleapis.com/location": "europe-west1"},
        "annotations": {"run.googleapis.com/ingress": "internal",
                        "run.googleapis.com/invoker-iam-disabled": "True",
                        "run.googleapis.com/custom-audiences": '["https://api.example.test"]'}},
    "spec": {"template": {
        "metadata": {"annotations": {"autoscaling.knative.dev/maxScale": "7"}},
        "spec": {"containerConcurrency": 10, "timeoutSeconds": 60,
                 "serviceAccountName": "backend-sa@prod-project.iam.gserviceaccount.com",
                 "containers": [{"image": "gcr.io/prod-project/backend",
                                 "env": [{"name": "DB_URL", "value": "https://db.example.test"},
                                         {"name": "KEY", "valueFrom": {"secretKeyRef": {
                                             "name": "k", "key": "latest"}}}],
                                 "ports": [{"containerPort": 8080, "name": "h2c"}]}]}}}}
POLICY = {
    "bindings": [
        {"role": INVOKER, "members": ["allUsers",
                                      "serviceAccount:f-sa@prod-project.iam.gserviceaccount.com"]},
        {"role": INVOKER, "members": ["user:alice@example.com"], "condition": CONDITION}],
    "etag": "BwXhqDvWg1Q=", "version": 3}
PROJECT_POLICY = """bindings:
- members:
  - user:owner@example.com
  role: roles/owner
- members:
  - serviceAccount:x@other-1.iam.gserviceaccount.com
  role: roles/storage.admin
etag: BwX=
version: 1
"""


class FromGcloud(Files):
    def files(self):
        return [self.write("backend-api.json", KNATIVE),
                self.write("backend-api-policy.json", POLICY),
                self.write("project.yaml", PROJECT_POLICY),
                "f-sa@prod-project.iam.gserviceaccount.com=" + self.write("f.json", {
                    "bindings": [{"role": "roles/iam.serviceAccountUser",
                                  "members": ["user:alice@example.com"]}]}),
                self.write("accounts.json", [
                    {"email": "f-sa@prod-project.iam.gserviceaccount.com", "displayName": NASTY,
                     "uniqueId": "123450000000000000000", "disabled": False}])]

    def imported(self, *files):
        path = str(self.dir / "imported.yaml")
        self.assertEqual(self.ok("import", "-o", path, *files), "")
        self.ok("check", path)
        return path

    def test_what_gcloud_prints_becomes_a_topology(self):
        text = pathlib.Path(self.imported(*self.files())).read_text("utf-8")
        for part in ("  id: prod-project\n  number: 998877665544\n", "region: europe-west1\n",
                     "  f-sa:\n    display_name:", "    unique_id: \"123450000000000000000\"\n",
                     "    - role: roles/storage.admin\n", "    service_account: backend-sa\n",
                     "    ingress: internal\n", "    invoker_iam_check: false\n",
                     "    timeout: 60s\n", "    use_http2: true\n", "    max_instances: 7\n",
                     "    concurrency: 10\n", "      DB_URL: https://db.example.test\n",
                     "    custom_audiences: [https://api.example.test]\n",
                     "    image: gcr.io/prod-project/backend\n", "        - allUsers\n"):
            self.assertIn(part, text)
        self.assertNotIn("KEY", text)

    def test_it_does_not_differ_from_what_it_was_made_of(self):
        files = self.files()
        self.assertEqual(self.ok("diff", "-c", self.imported(*files), *files), "")

    def test_a_file_is_never_overwritten(self):
        files = self.files()
        path = self.imported(*files)
        status, out, err = run("import", "-o", path, *files)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("imported.yaml", err)

    def test_lists_and_roles_are_read_too(self):
        listed = self.write("services.json", [KNATIVE, {**KNATIVE, "metadata": {
            **KNATIVE["metadata"], "name": "other"}}])
        role = self.write("role.json", {"name": "projects/prod-project/roles/caller",
                                        "includedPermissions": ["run.routes.invoke"]})
        policy = self.write("other.json", {"bindings": [
            {"role": "projects/prod-project/roles/caller", "members": ["user:a@example.com"]}]})
        path = self.imported(listed, role, policy)
        rows = json.loads(self.ok("matrix", "-c", path, "-o", "json"))["callers"]
        self.assertTrue({r["email"]: r for r in rows}["a@example.com"]["services"]["other"]
                        ["allowed"])

    def refused(self, *args):
        status, out, err = run(*args)
        self.assertEqual((status, out), (2, ""))
        return err.replace(str(self.dir) + "/", "")

    def test_problems_are_told_at_their_place(self):
        wrong = copy.deepcopy(POLICY)
        wrong["bindings"][0]["members"][0] = "alice@example.com"
        wrong["bindings"][1]["condition"]["expression"] = "request.path == '/'"
        said = self.refused("import", self.write("a-policy.json", wrong))
        self.assertRegex(said, r"a-policy.json:6:9: .*user:alice@example.com")
        self.assertRegex(said, r"a-policy.json:\d+:24: expression: ")
        for change, words in (
                ((["metadata", "annotations", "run.googleapis.com/ingress"], "open"),
                 "run.googleapis.com/ingress: expected all, internal,"),
                ((["spec", "template", "spec", "timeoutSeconds"], "soon"),
                 "timeoutSeconds: expected a whole number"),
                ((["metadata", "name"], "Bad"), "metadata.name: expected the name of a service")):
            knative = copy.deepcopy(KNATIVE)
            at = knative
            for key in change[0][:-1]:
                at = at[key]
            at[change[0][-1]] = change[1]
            self.assertRegex(self.refused("import", self.write("s.json", knative)),
                             r"s.json:\d+:\d+: " + re.escape(words))

    def test_what_it_cannot_tell_it_asks_for(self):
        self.assertIn("whose policy is it? Give NAME=",
                      self.refused("import", self.write("policy.json", POLICY)))
        self.assertIn("neither a policy", self.refused("import", self.write("x.yaml", "a: 1\n")))
        self.assertIn("kind: expected Service, found 'Job'",
                      self.refused("import", self.write("x.yaml", "kind: Job\n")))
        self.assertIn("none.yaml:1:1: cannot open",
                      self.refused("import", str(self.dir / "none.yaml")))
        self.assertIn("which files?", self.refused("import"))
        self.assertIn("not valid YAML", self.refused("import", self.write("x.json", '{"a": [')))

    def test_a_role_that_is_not_known_here_is_left_out_and_said(self):
        path = self.write("a.json", {"bindings": [
            {"role": "roles/run.somethingNew", "members": ["user:a@example.com"]},
            {"role": INVOKER, "members": ["user:b@example.com"]}]})
        status, out, err = run("import", path)
        self.assertEqual(status, 0)
        self.assertIn("a.json:4: left out: role roles/run.somethingNew is not known here", err)
        self.assertNotIn("somethingNew", out)
        self.assertIn("user:b@example.com", out)


class Drift(Files):
    def lines(self, *files):
        status, out, err = run("diff", "-c", self.topology(), *files)
        self.assertEqual((status, err), (1, ""), out)
        return out.replace(str(self.dir) + "/", "").splitlines()

    def test_grants_that_one_side_has(self):
        path = self.write("backend-api-policy.json", {"bindings": [
            {"role": INVOKER, "members": ["allUsers"]},
            {"role": INVOKER, "members": ["user:alice@example.com"],
             "condition": {**CONDITION, "expression": "true"}},
            {"role": f"projects/{PROJECT}/roles/caller", "members": ["user:alice@example.com"]}]})
        lines = self.lines(path)
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[0], r"^topology.yaml:\d+: only here: backend-api grants "
                                   rf"{INVOKER} to serviceAccount:{email('frontend-sa')}$")
        self.assertRegex(lines[1], r"^topology.yaml:\d+: only here: .* to user:alice@example.com "
                                   r'when "request.time ')
        self.assertEqual(lines[2], "backend-api-policy.json:6: only there: backend-api grants "
                                   f"{INVOKER} to allUsers")
        self.assertRegex(lines[3], r"^backend-api-policy.json:12: only there: .* when \"true\" ")

    def test_settings_that_differ(self):
        knative = {"kind": "Service", "metadata": {"name": "frontend", "annotations": {
            "run.googleapis.com/ingress": "none"}}, "spec": {"template": {"spec": {
                "serviceAccountName": email("backend-sa"), "containers": [
                    {"image": "gcr.io/my-project/frontend", "env": [
                        {"name": "X", "value": "1"}]}]}}}}
        lines = self.lines(self.write("frontend.json", knative))
        self.assertEqual([re.sub(r"^\S+:(\d+): ", "", line) for line in lines], [
            f'frontend: service_account is "{email("backend-sa")}", here '
            f'"{email("frontend-sa")}" ({self.place("frontend")})',
            f'frontend: ingress is "none", here "all" ({self.place("frontend")})',
            "only here: frontend takes the audience a,b",
            "only here: frontend takes the audience https://x",
            "only there: frontend has the variable X"])

    def place(self, name):
        text = (self.dir / "topology.yaml").read_text("utf-8").splitlines()
        return next(f"topology.yaml:{i}" for i, line in enumerate(text, 1)
                    if line == f'    "{name}": {{')

    def test_urls_of_services_are_equal_whatever_their_form(self):
        topology = {"project": TOPOLOGY["project"], "keys": keys_dir(), "services": {
            "a": {"env": {"B": "${b.url}/x", "C": "${b.url}"}}, "b": {}}}
        env = [{"name": "B", "value": "https://b-123456789012.us-central1.run.app/x"},
               {"name": "C", "value": "https://b-abcdefghij-uc.a.run.app"}]
        knative = {"kind": "Service", "metadata": {"name": "a"}, "spec": {"template": {"spec": {
            "containers": [{"image": "i", "env": env}]}}}}
        config = self.topology(topology)
        self.assertEqual(self.ok("diff", "-c", config, self.write("a.json", knative)), "")
        env[1]["value"] = "https://c-abcdefghij-uc.a.run.app"
        status, out, _ = run("diff", "-c", config, self.write("a.json", knative))
        self.assertEqual(status, 1)
        self.assertIn('a: env C is "https://c-abcdefghij-uc.a.run.app", here "${b.url}"', out)

    def test_what_the_topology_lacks(self):
        lines = self.lines(
            self.write("new.json", {**KNATIVE, "metadata": {"name": "new"}}),
            self.write("newer-policy.json", POLICY),
            self.write("role.json", {"name": f"projects/{PROJECT}/roles/caller",
                                     "includedPermissions": ["run.routes.invoke", "a.b.c"]}),
            self.write("account.json", {"email": email("new-sa"), "uniqueId": "1"}))
        said = [line.split(": ", 1)[1] for line in lines]
        for line in (f"only there: service account {email('new-sa')}", "only there: service new",
                     "only there: service newer", f"only there: newer grants {INVOKER} to allUsers",
                     f"only there: role projects/{PROJECT}/roles/caller permits a.b.c",
                     f"only here: role projects/{PROJECT}/roles/caller permits run.routes.get"):
            self.assertIn(line, said)

    def test_what_cannot_be_read_is_no_drift(self):
        for words in ([], ["/nowhere.json"], ["-c", "/nowhere.yaml", "/nowhere.json"]):
            self.assertEqual(run("diff", "-c", self.topology(), *words)[0], 2)


if __name__ == "__main__":
    unittest.main()
