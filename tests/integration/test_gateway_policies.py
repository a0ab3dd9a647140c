"""Who may invoke, by raw IAM policies on services and on the project: roles, kinds of members, groups,
domains, inheritance."""

import unittest
import zlib

from tests.lib.gateway import PROJECT, NUMBER, Gateway, email, keys_dir
from tests.lib.process import run
from tests.lib.tokens import claims, signed

INVOKERS = """run.invoker run.servicesInvoker run.admin run.developer run.editor run.sourceDeveloper
owner editor cloudfunctions.admin cloudfunctions.developer cloudfunctions.editor firebase.admin
firebase.developAdmin iam.devOps iam.mlEngineer iam.dataScientist run.serviceAgent
cloudfunctions.serviceAgent aiplatform.serviceAgent dialogflow.serviceAgent integrations.serviceAgent
firebaseapphosting.serviceAgent firebasedataconnect.serviceAgent spanner.serviceAgent ces.serviceAgent
visionai.serviceAgent monitoring.notificationServiceAgent""".split()
OTHERS = """viewer run.viewer run.builder run.jobsExecutor run.jobsExecutorWithOverrides
cloudfunctions.invoker""".split()
CLIENT = "32555940559.apps.googleusercontent.com"  # the audience of every person's token
FRONTEND = f"serviceAccount:{email('frontend-sa')}"


def policy(*bindings):
    return {"policy": {"bindings": [{"role": role, "members": list(members)}
                                    for role, *members in bindings], "etag": "ACAB", "version": 1}}


def conditional(who, expression):
    return {"role": "roles/run.invoker", "members": [f"user:{who}@example.org"],
            "condition": {"title": who, "expression": expression}}


def person(who):
    """A person's token, as gcloud prints it."""
    return signed(keys_dir(), claims(CLIENT, email=who, email_verified=True, azp=CLIENT,
                                     sub="1" + str(zlib.crc32(who.encode())).zfill(20)))


class PolicyCase(unittest.TestCase):
    def status(self, name, token):
        return self.g.get(name, "/", {"Authorization": f"Bearer {token}"}).status

    def assert_statuses(self, name, rows):
        for who, expected in rows.items():
            with self.subTest(service=name, who=who):
                self.assertEqual(self.status(name, person(who)), expected)


class Roles(PolicyCase):
    def test_exactly_the_roles_with_the_permission_let_in(self):
        self.assertEqual(len(INVOKERS), 27)
        names = {f"s{i}": f"roles/{role}" for i, role in enumerate(INVOKERS + OTHERS)}
        with Gateway({n: {"upstream": "http://127.0.0.1:9", "custom_audiences": ["all-of-them"],
                          **policy((role, FRONTEND))} for n, role in names.items()}) as g:
            token = {"Authorization": "Bearer " + signed(keys_dir(), claims(
                "all-of-them", email=email("frontend-sa")))}
            # Nothing listens at the upstream: who is let in meets 503.
            found = {role: g.get(n, "/", token).status for n, role in names.items()}
        self.assertEqual(found, {**{f"roles/{r}": 503 for r in INVOKERS},
                                 **{f"roles/{r}": 403 for r in OTHERS}})


class Members(PolicyCase):
    @classmethod
    def setUpClass(cls):
        invoker = "roles/run.invoker"
        cls.g = Gateway(
            {"person": policy((invoker, "user:Amy@Example.com")),
             "group": policy((invoker, "group:team@example.com")),
             "domain": policy((invoker, "domain:example.com")),
             "anybody": policy((invoker, "allAuthenticatedUsers")),
             "gone": policy((invoker, "deleted:user:amy@example.com?uid=123456789012345678901")),
             "inherited": {},
             "custom": policy((f"projects/{PROJECT}/roles/caller", "user:caller@example.org"),
                              (f"projects/{PROJECT}/roles/reader", "user:reader@example.org")),
             "conditional": {"policy": {"version": 3, "bindings": [
                 conditional("here", "resource.name.endsWith('/services/conditional')"),
                 conditional("elsewhere", "resource.name.endsWith('/services/account')"),
                 conditional("later", "request.time > timestamp('2100-01-01T00:00:00Z')"),
                 conditional("until", "request.time < timestamp('2100-01-01T00:00:00Z')")]}},
             "account": policy(("roles/viewer", "allUsers"), (invoker, FRONTEND))},
            groups={"team@example.com": ["amy@example.com", "inner@example.com", "frontend-sa"],
                    "inner@example.com": ["bob@example.com"]},
            users=["amy@example.com", "bob@example.com", "eve@example.org"],
            project={"id": PROJECT, "number": int(NUMBER), **policy(
                ("roles/editor", "user:root@example.org", "user:denied@example.org"),
                ("roles/viewer", "user:amy@example.com"))},
            roles={"caller": ["run.routes.invoke"], "reader": ["run.services.get"]},
            deny=[{"deniedPrincipals": ["principal://goog/subject/denied@example.org"],
                   "deniedPermissions": ["run.googleapis.com/*.*"]}])
        cls.addClassCleanup(cls.g.close)

    def test_a_person_is_meant_whatever_the_case_of_the_address(self):
        self.assert_statuses("person", {"amy@example.com": 200, "AMY@example.COM": 200,
                                        "bob@example.com": 403})

    def test_groups_contain_groups(self):
        self.assert_statuses("group", {"amy@example.com": 200, "bob@example.com": 200,
                                       "eve@example.org": 403, "team@example.com": 403})
        self.assertEqual(self.status("group", self.g.token(audience="group")), 200)

    def test_a_domain_means_its_people_and_no_other_domain(self):
        self.assert_statuses("domain", {"amy@example.com": 200, "eve@example.org": 403,
                                        "amy@sub.example.com": 403, "amy@badexample.com": 403})

    def test_any_google_identity_will_do_where_all_authenticated_users_may(self):
        self.assert_statuses("anybody", {"eve@example.org": 200, "who@ever.example": 200})
        self.assertEqual(self.g.get("anybody").status, 403)

    def test_a_deleted_member_means_nobody(self):
        self.assert_statuses("gone", {"amy@example.com": 403})

    def test_bindings_of_the_project_count_on_every_service(self):
        self.assert_statuses("inherited", {"root@example.org": 200, "amy@example.com": 403})
        self.assert_statuses("account", {"root@example.org": 200, "amy@example.com": 403})

    def test_all_users_with_another_role_open_nothing(self):
        self.assertEqual(self.g.get("account").status, 403)
        self.assertEqual(self.status("account", self.g.token(audience="account")), 200)
        self.assertEqual(self.status("account", self.g.token(account="other-sa",
                                                             audience="account")), 403)

    def test_a_conditional_binding_counts_where_it_holds(self):
        self.assert_statuses("conditional", {"here@example.org": 200, "elsewhere@example.org": 403,
                                             "later@example.org": 403, "until@example.org": 200})

    def test_a_condition_on_everybody_is_refused(self):
        content = dict(self.g.content, services={"s": {"policy": {"version": 3, "bindings": [
            {"role": "roles/run.invoker", "members": ["allUsers"],
             "condition": {"title": "t", "expression": "false"}}]}}})
        self.g.topology.write(content, "conditional.yaml")
        status, out, err = run("check", self.g.topology.dir / "conditional.yaml")
        self.assertNotEqual(status, 0)
        self.assertIn("cannot be granted a role with a condition", out + err)

    def test_a_custom_role_counts_by_its_permissions(self):
        self.assert_statuses("custom", {"caller@example.org": 200, "reader@example.org": 403})

    def test_a_deny_rule_comes_before_every_grant(self):
        self.assert_statuses("inherited", {"denied@example.org": 403})


if __name__ == "__main__":
    unittest.main()
