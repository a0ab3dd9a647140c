"""The project's IAM policy by Cloud Resource Manager, with real gateway and metadata processes."""

import concurrent.futures
import functools
import unittest

from tests.lib.api import ApiCase
from tests.lib.gateway import email
from tests.lib.process import wait_until


class Policies(ApiCase):
    """The project's policy: a change is in force when it is answered, and survives a restart."""

    def policy(self, version="v1"):
        return self.good(self.api.post(f"/{version}/projects/my-project:getIamPolicy",
                                       {"options": {"requestedPolicyVersion": 3}}))

    def set(self, policy, version="v1"):
        return self.api.post(f"/{version}/projects/my-project:setIamPolicy", {"policy": policy})

    def call(self):
        return self.g.get("private", headers=self.g.bearer(account="other-sa",
                                                           audience="private")).status

    def test_a_grant_is_in_force_when_it_is_answered(self):
        member = "serviceAccount:" + email("other-sa")
        self.assertEqual(self.call(), 403)
        before = self.policy()
        granted = self.good(self.set({**before, "bindings": [
            {"role": "roles/run.invoker", "members": [member]}]}))
        self.assertEqual(self.call(), 200)
        self.assertNotEqual(granted["etag"], before["etag"])
        self.assertEqual(self.policy("v3"), granted)
        self.refused(self.set(before), 409, "ABORTED")
        self.g.process.stop()
        self.g.start()
        self.assertEqual(self.policy(), granted)
        wait_until(lambda: self.call() == 200, what="the keys after the restart")
        self.good(self.set({"etag": granted["etag"]}, "v3"))
        self.assertEqual(self.call(), 403)

    def at_once(self, *tasks):
        """Their results; each in a thread of its own."""
        with concurrent.futures.ThreadPoolExecutor(len(tasks)) as pool:
            return [f.result() for f in [pool.submit(task) for task in tasks]]

    def test_of_those_who_read_the_same_policy_one_may_write_it(self):
        before = self.policy()
        writers = [{**before, "bindings": [{"role": "roles/run.invoker",
                                            "members": [f"user:w{i}@example.com"]}]}
                   for i in range(8)]
        answers = self.at_once(*(functools.partial(self.set, w) for w in writers))
        won = [a[1] for a in answers if a[0] == 200]
        self.assertEqual(len(won), 1)
        self.assertEqual(self.policy(), won[0])
        for answer in answers:
            if answer[0] != 200:
                self.refused(answer, 409, "ABORTED", "There were concurrent policy changes.")
        self.good(self.set({}))

    def test_whoever_retries_gets_through_and_nothing_is_lost(self):
        def add(member):
            while True:
                policy = self.policy()
                members = policy.get("bindings", [{"members": []}])[0]["members"]
                status, answer = self.set({**policy, "bindings": [
                    {"role": "roles/run.invoker", "members": [*members, member]}]})
                if status == 200:
                    return
                self.refused((status, answer), 409, "ABORTED")

        self.good(self.set({}))
        everyone = [f"user:u{i}@example.com" for i in range(12)]
        self.at_once(*(functools.partial(add, member) for member in everyone))
        self.assertEqual(self.policy()["bindings"][0]["members"], sorted(everyone))
        self.good(self.set({}))

    def test_a_project_is_not_opened_to_everybody(self):
        for member in ("allUsers", "allAuthenticatedUsers"):
            self.refused(self.set({"bindings": [{"role": "roles/run.invoker",
                                                 "members": [member]}]}),
                         400, "INVALID_ARGUMENT", "Project does not support", member)

    def test_what_is_no_member_is_refused(self):
        for member in ("nobody", "user:", "serviceAccount:ghost@my-project.iam.gserviceaccount.com",
                       "human:alice@example.com"):
            with self.subTest(member):
                self.refused(self.set({"bindings": [{"role": "roles/run.invoker",
                                                     "members": [member]}]}),
                             400, "INVALID_ARGUMENT")

    def test_permissions_of_administration_are_everybodys(self):
        asked = {"permissions": ["resourcemanager.projects.get", "run.routes.invoke"]}
        for version in ("v1", "v3"):
            answer = self.good(self.api.post(f"/{version}/projects/my-project:testIamPermissions",
                                             asked))
            self.assertEqual(answer, {"permissions": ["resourcemanager.projects.get"]})

    def test_another_project_has_no_policy(self):
        for verb in ("getIamPolicy", "setIamPolicy", "testIamPermissions"):
            self.refused(self.api.post(f"/v1/projects/ghost:{verb}", {}), 403,
                         "PERMISSION_DENIED")


if __name__ == "__main__":
    unittest.main()
