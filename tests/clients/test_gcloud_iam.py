"""gcloud, unmodified: `gcloud iam …` and `gcloud projects …` against a gateway and a metadata
server."""

import json
import unittest

from tests.clients.gcloud_case import GcloudCase
from tests.lib.gateway import NUMBER, PROJECT, email
from tests.lib.rawhttp import http

INVOKER = "roles/run.invoker"
ATTACHED = (f"--attachment-point=cloudresourcemanager.googleapis.com/projects/{PROJECT}",
            "--kind=denypolicies")


class GcloudIam(GcloudCase):
    services = {"frontend": {"service_account": "frontend-sa"},
                "backend-api": {"service_account": "backend-sa"}}

    def json(self, *args, **more):
        return json.loads(self.gcloud(*args, "--format=json", **more)[0])

    def call(self, account, name="backend-api"):
        return self.g.get(name, "/", self.g.bearer(account=account, audience=name)).status

    def write(self, name, value):
        path = self.folder / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    def test_a_service_account_s_life(self):
        accounts = ("iam", "service-accounts")
        _, said = self.gcloud(*accounts, "create", "worker-sa", "--display-name=Worker",
                              "--description=Works.")
        self.assertIn("Created service account [worker-sa].", said)
        self.assertIn("Service account worker-sa already exists within project projects/my-project",
                      self.refused(*accounts, "create", "worker-sa"))
        self.assertIn('The account ID "short" does not have a length between 6 and 30.',
                      self.refused(*accounts, "create", "short"))
        self.gcloud(*accounts, "update", email("worker-sa"), "--display-name=W")
        shown = self.json(*accounts, "describe", email("worker-sa"))
        self.assertEqual((shown["displayName"], shown["description"]), ("W", "Works."))
        listed = self.json(*accounts, "list", "--filter=email:worker-sa")
        self.assertEqual([a["uniqueId"] for a in listed], [shown["uniqueId"]])

        self.gcloud(*accounts, "disable", email("worker-sa"))
        self.assertTrue(self.json(*accounts, "describe", email("worker-sa"))["disabled"])
        self.gcloud(*accounts, "enable", email("worker-sa"))

        self.gcloud(*accounts, "add-iam-policy-binding", email("worker-sa"),
                    "--member=user:alice@example.com", "--role=roles/iam.serviceAccountUser")
        policy = self.json(*accounts, "get-iam-policy", email("worker-sa"))
        self.assertEqual(policy["bindings"], [{"role": "roles/iam.serviceAccountUser",
                                               "members": ["user:alice@example.com"]}])
        self.gcloud(*accounts, "set-iam-policy", email("worker-sa"),
                    self.write("policy.json", {**policy, "bindings": []}))
        self.assertNotIn("bindings", self.json(*accounts, "get-iam-policy", email("worker-sa")))

        self.gcloud(*accounts, "delete", email("worker-sa"))
        self.assertIn("NOT_FOUND: Unknown service account",
                      self.refused(*accounts, "describe", email("worker-sa")))
        _, said = self.gcloud(*accounts, "undelete", shown["uniqueId"])
        self.assertEqual(self.json(*accounts, "describe", email("worker-sa"))["uniqueId"],
                         shown["uniqueId"])

    def test_a_key_logs_in(self):
        keys = ("iam", "service-accounts", "keys")
        of = f"--iam-account={email('other-sa')}"
        file = self.folder / "key.json"
        _, said = self.gcloud(*keys, "create", str(file), of)
        self.assertIn("of type [json]", said)
        key_id = json.loads(file.read_text(encoding="utf-8"))["private_key_id"]
        self.assertEqual(self.json(*keys, "list", of)[0]["name"].rsplit("/", 1)[1], key_id)

        mine = self.folder / "mine"
        self.configure(mine)
        self.gcloud("auth", "activate-service-account", f"--key-file={file}", folder=mine)
        self.assertTrue(self.json("iam", "service-accounts", "list", folder=mine))
        self.gcloud("run", "services", "add-iam-policy-binding", "backend-api",
                    f"--member=serviceAccount:{email('other-sa')}", f"--role={INVOKER}",
                    folder=mine)
        token = self.gcloud("auth", "print-identity-token",
                            f"--audiences={self.g.url('backend-api')}", folder=mine)[0].strip()
        bearer = {"Authorization": f"Bearer {token}"}
        self.assertEqual(self.g.get("backend-api", "/", bearer).status, 200)

        # gcloud prints what it remembers where it gets no token: logging in again tells
        log_in = ("auth", "activate-service-account", f"--key-file={file}")
        self.gcloud(*keys, "disable", key_id, of)
        self.assertIn("invalid_grant: Invalid JWT Signature.", self.refused(*log_in, folder=mine))
        self.gcloud(*keys, "enable", key_id, of)
        self.gcloud(*log_in, folder=mine)
        self.gcloud(*keys, "delete", key_id, of)
        self.assertEqual(self.json(*keys, "list", of), [])
        self.assertIn("invalid_grant: Invalid JWT Signature.", self.refused(*log_in, folder=mine))

    def log_in_as_user(self, name):
        """A configuration in which that user of example.com has logged in."""
        mine = self.folder / name
        self.configure(mine, f"token_host = http://{self.g.control}/token\n")
        _, said = self.gcloud("auth", "activate-refresh-token", f"{name}@example.com",
                              f"{name}@example.com", folder=mine)
        self.assertIn(f"Activated refresh token credentials: [{name}@example.com]", said)
        return mine

    def test_a_user_acts_as_an_account_that_the_user_may_act_as(self):
        mine = self.log_in_as_user("carol")
        target = email("frontend-sa")
        access = ("auth", "print-access-token", f"--impersonate-service-account={target}")
        identity = ("auth", "print-identity-token", f"--impersonate-service-account={target}",
                    f"--audiences={self.g.url('backend-api')}")
        for command in (access, identity):
            said = self.refused(*command, folder=mine)
            self.assertIn(f"PERMISSION_DENIED: Failed to impersonate [{target}].", said)
            self.assertIn("Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or "
                          "it may not exist).", said)
        self.gcloud("iam", "service-accounts", "add-iam-policy-binding", target, "--member=user:"
                    "carol@example.com", "--role=roles/iam.serviceAccountTokenCreator",
                    folder=mine)
        self.gcloud("run", "services", "add-iam-policy-binding", "backend-api",
                    f"--member=serviceAccount:{target}", f"--role={INVOKER}", folder=mine)
        token = self.gcloud(*access, folder=mine)[0].strip()
        info = http("GET", f"http://{self.g.control}/tokeninfo?access_token={token}")
        self.assertEqual(json.loads(info.text)["email"], target)
        for more in ((), ("--include-email",)):
            token = self.gcloud(*identity, *more, folder=mine)[0].strip()
            bearer = {"Authorization": f"Bearer {token}"}
            self.assertEqual(self.g.get("backend-api", "/", bearer).status, 200)
        said = self.refused("auth", "print-access-token", "--impersonate-service-account="
                            + email("nobody-sa"), folder=mine)
        self.assertIn("NOT_FOUND: Failed to impersonate", said)
        self.gcloud("run", "services", "remove-iam-policy-binding", "backend-api",
                    f"--member=serviceAccount:{target}", f"--role={INVOKER}", folder=mine)

    def test_a_project_s_policy_with_conditions_and_its_file(self):
        mine = self.log_in_as_user("dora")
        projects = ("projects",)
        self.assertEqual([p["projectNumber"] for p in self.json(*projects, "list", folder=mine)],
                         [NUMBER])
        self.assertEqual(self.json(*projects, "describe", PROJECT, folder=mine)["projectNumber"],
                         NUMBER)
        self.assertIn("Permission denied on resource project ghost (or it may not exist)",
                      self.refused(*projects, "describe", "ghost", folder=mine))
        member = "--member=user:dora@example.com"
        before = self.json(*projects, "get-iam-policy", PROJECT, folder=mine)
        self.gcloud(*projects, "add-iam-policy-binding", PROJECT, member, f"--role={INVOKER}",
                    '--condition=expression=resource.name.endsWith("/services/frontend"),'
                    "title=frontend only", folder=mine)
        policy = self.json(*projects, "get-iam-policy", PROJECT, folder=mine)
        self.assertEqual(policy["version"], 3)
        self.assertEqual([b["condition"] for b in policy["bindings"] if "condition" in b],
                         [{"expression": 'resource.name.endsWith("/services/frontend")',
                           "title": "frontend only"}])
        file = self.write("project.json", {**before, "etag": policy["etag"]})
        self.gcloud(*projects, "set-iam-policy", PROJECT, file, folder=mine)
        self.assertIn("is the subject of a conflict: There were concurrent policy changes.",
                      self.refused(*projects, "set-iam-policy", PROJECT, file, folder=mine))
        after = self.json(*projects, "get-iam-policy", PROJECT, folder=mine)
        self.assertEqual(after.get("bindings"), before.get("bindings"))

    def test_roles(self):
        roles = ("iam", "roles")
        self.assertEqual(self.json(*roles, "describe", INVOKER)["includedPermissions"],
                         ["run.instances.invoke", "run.jobs.run", "run.routes.invoke"])
        self.assertIn(INVOKER, [r["name"] for r in self.json(*roles, "list")])
        own = f"--project={PROJECT}"
        _, said = self.gcloud(*roles, "create", "caller", own, "--title=Caller",
                              "--permissions=run.routes.invoke", "--stage=GA")
        self.assertIn("Created role [caller].", said)
        self.gcloud(*roles, "update", "caller", own, "--add-permissions=run.services.get")
        self.assertEqual(self.json(*roles, "describe", "caller", own)["includedPermissions"],
                         ["run.routes.invoke", "run.services.get"])
        self.gcloud("projects", "add-iam-policy-binding", PROJECT,
                    f"--member=serviceAccount:{email('frontend-sa')}",
                    f"--role=projects/{PROJECT}/roles/caller")
        self.assertEqual(self.call("frontend-sa"), 200)
        self.gcloud(*roles, "delete", "caller", own)
        self.assertEqual(self.call("frontend-sa"), 403)
        self.assertEqual(self.json(*roles, "list", own), [])
        self.gcloud(*roles, "undelete", "caller", own)
        self.assertEqual(self.call("frontend-sa"), 200)
        self.gcloud("projects", "remove-iam-policy-binding", PROJECT,
                    f"--member=serviceAccount:{email('frontend-sa')}",
                    f"--role=projects/{PROJECT}/roles/caller")
        self.assertEqual(self.call("frontend-sa"), 403)

    def test_conditions_round_trip(self):
        who = f"--member=serviceAccount:{email('backend-sa')}"
        binding = ("run", "services", "add-iam-policy-binding", "backend-api", who,
                   f"--role={INVOKER}")
        refusal = self.refused(*binding, "--condition=title=t,expression=request.tme > 1")
        self.assertRegex(refusal, r"INVALID_ARGUMENT: Condition expression compilation failed: "
                                  r".*line 1, column \d+")
        self.gcloud(*binding, '--condition=title=until,expression='
                              'request.time < timestamp("2100-01-01T00:00:00Z")')
        self.assertEqual(self.call("backend-sa"), 200)
        policy = self.json("run", "services", "get-iam-policy", "backend-api")
        self.assertEqual(policy["version"], 3)
        self.gcloud("run", "services", "remove-iam-policy-binding", "backend-api", who,
                    f"--role={INVOKER}", "--all")
        self.assertEqual(self.call("backend-sa"), 403)

    def test_a_deny_policy_s_life(self):
        grant = ("projects", "add-iam-policy-binding", PROJECT,
                 f"--member=serviceAccount:{email('other-sa')}", f"--role={INVOKER}")
        self.gcloud(*grant)
        self.assertEqual(self.call("other-sa"), 200)
        principal = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email('other-sa')}"
        policy = {"displayName": "Not that one", "rules": [{"denyRule": {
            "deniedPrincipals": [principal],
            "deniedPermissions": ["run.googleapis.com/routes.invoke"]}}]}
        file = self.write("deny.json", policy)
        self.gcloud("iam", "policies", "create", "not-that-one", *ATTACHED,
                    f"--policy-file={file}")
        self.assertEqual(self.call("other-sa"), 403)
        shown = self.json("iam", "policies", "get", "not-that-one", *ATTACHED)
        self.assertEqual((shown["displayName"], shown["rules"]),
                         (policy["displayName"], policy["rules"]))
        self.assertIn(NUMBER, shown["name"])
        self.assertEqual(len(self.json("iam", "policies", "list", *ATTACHED)["policies"]), 1)
        policy["rules"][0]["denyRule"]["exceptionPrincipals"] = [principal]
        self.gcloud("iam", "policies", "update", "not-that-one", *ATTACHED,
                    f"--policy-file={self.write('deny.json', policy)}")
        self.assertEqual(self.call("other-sa"), 200)
        self.gcloud("iam", "policies", "delete", "not-that-one", *ATTACHED)
        self.assertIn("NOT_FOUND", self.refused("iam", "policies", "get", "not-that-one",
                                                *ATTACHED))

    def test_a_policy_that_iam_does_not_take_is_said_in_its_words(self):
        for words, member, role in (
                ("Service account ghost@my-project.iam.gserviceaccount.com does not exist.",
                 "serviceAccount:ghost@my-project.iam.gserviceaccount.com", INVOKER),
                ("is of an unknown type. Please set a valid type prefix", "alice", INVOKER),
                ("Did you mean roles/run.invoker?", "allUsers", "roles/run.invokr")):
            self.assertIn(words, self.refused("projects", "add-iam-policy-binding", PROJECT,
                                              f"--member={member}", f"--role={role}"))


if __name__ == "__main__":
    unittest.main()
