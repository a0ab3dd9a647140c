"""Services that are made, changed and taken away by the Cloud Run Admin API, and what callers of
them see: gcloud's requests by hand, on a running gateway and metadata server."""

import json
import unittest

from tests.lib.cloudrun import LOCATION, SPACE, V2, Api, access_token, deploy, put
from tests.lib.gateway import Gateway, email
from tests.lib.process import Process, run, wait_until
from tests.lib.rawhttp import Closed, http
from tests.lib.up import service
from tests.lib.upstream import Upstream

INGRESS = ["metadata", "annotations", "run.googleapis.com/ingress"]
NO_CHECK = ["metadata", "annotations", "run.googleapis.com/invoker-iam-disabled"]
AUDIENCES = ["metadata", "annotations", "run.googleapis.com/custom-audiences"]
NONCE = ["spec", "template", "metadata", "labels", "client.knative.dev/nonce"]
SPEC = ["spec", "template", "spec"]
CONTAINER = [*SPEC, "containers", "0"]


class RunCase(unittest.TestCase):
    """One gateway for the class; its services come and go with the tests."""

    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"frontend": {"service_account": "frontend-sa"},
                         "backend-api": {"service_account": "backend-sa"}},
                        {"allUsers": ["frontend"]}, state=True)
        cls.addClassCleanup(cls.g.close)
        cls.api = Api(cls.g.control, access_token(cls.g.address("frontend", "metadata")))

    def tearDown(self):
        for item in self.api.ok("GET", f"{SPACE}/services")["items"]:
            name = item["metadata"]["name"]
            if name not in ("frontend", "backend-api"):
                self.api.ok("DELETE", f"{SPACE}/services/{name}")

    def attach(self, name):
        """Something that echoes, behind the service."""
        upstream = Upstream()
        self.addCleanup(upstream.close)
        answer = http("PUT", f"http://{self.g.control}/invoker/v1/services/{name}/upstream",
                      {"Content-Type": "application/json"},
                      json.dumps({"address": upstream.address}).encode())
        self.assertEqual(answer.status, 200, answer.text)
        return upstream

    def status(self, name):
        """What the gateway says of a service."""
        return json.loads(http("GET", f"http://{self.g.control}/invoker/v1/status").text
                          )["services"][name]

    def identity(self, name, audience):
        """The header with a token that the service's own metadata server made."""
        answer = http("GET", f"http://{self.status(name)['metadata']}/computeMetadata/v1/instance/"
                             f"service-accounts/default/identity?audience={audience}",
                      {"Metadata-Flavor": "Google"})
        self.assertEqual(answer.status, 200, answer.text)
        return {"Authorization": f"Bearer {answer.text}"}

    def assert_refused(self, answer, code, status, words):
        got, value = answer
        error = value.get("error", {})
        self.assertEqual((got, error.get("code"), error.get("status")), (code, code, status), value)
        self.assertIn(words, error["message"])
        return error


class Services(RunCase):
    def test_a_deployed_service_is_ready_private_and_reachable_at_once(self):
        made = self.api.create()
        url = made["status"]["url"]
        self.assertEqual(made["status"]["conditions"][0]["status"], "True")
        self.assertEqual(json.loads(made["metadata"]["annotations"]["run.googleapis.com/urls"])[0],
                         url)
        self.assertEqual(http("GET", url).status, 403)
        token = self.g.token(account="backend-sa", audience=url)
        self.assertEqual(http("GET", url, {"Authorization": f"Bearer {token}"}).status, 403)
        self.api.grant("shop", "roles/run.invoker", f"serviceAccount:{email('backend-sa')}")
        self.assertEqual(http("GET", url, {"Authorization": f"Bearer {token}"}).status, 503)
        self.attach("shop")
        self.assertEqual(http("GET", url, {"Authorization": f"Bearer {token}"}).status, 200)

    def test_its_metadata_server_speaks_for_its_account(self):
        self.api.create(account="backend-sa")
        where = self.status("shop")["metadata"]
        answer = http("GET", f"http://{where}/computeMetadata/v1/instance/service-accounts/default"
                             "/email", {"Metadata-Flavor": "Google"})
        self.assertEqual((answer.status, answer.text), (200, email("backend-sa")))

    def test_each_setting_is_in_force_when_the_answer_is_there(self):
        url = self.api.create()["status"]["url"]
        self.attach("shop")
        self.api.update("shop", NO_CHECK, "True")
        self.assertEqual(http("GET", url).status, 200)
        self.api.update("shop", INGRESS, "none")
        self.assertEqual(http("GET", url).status, 404)
        self.api.update("shop", INGRESS, "all")
        self.api.update("shop", NO_CHECK, "False")
        self.assertEqual(http("GET", url).status, 403)
        self.api.grant("shop", "roles/run.invoker", f"serviceAccount:{email('backend-sa')}")
        token = self.g.token(account="backend-sa", audience="https://shop.example")
        self.assertEqual(http("GET", url, {"Authorization": f"Bearer {token}"}).status, 401)
        self.api.update("shop", AUDIENCES, '["https://shop.example"]')
        self.assertEqual(http("GET", url, {"Authorization": f"Bearer {token}"}).status, 200)

    def test_one_deployed_service_calls_another_by_each_of_its_names(self):
        urls = json.loads(self.api.create("shop", account="backend-sa")["metadata"]["annotations"]
                          ["run.googleapis.com/urls"])
        self.attach("shop")
        self.api.create("caller", account="other-sa")
        self.api.grant("shop", "roles/run.invoker", f"serviceAccount:{email('other-sa')}")
        self.assertRegex(urls[1], "^https://shop-123456789012.us-central1.run.app$")
        self.assertRegex(urls[2], "^https://shop-[a-z0-9]{10}-uc.a.run.app$")
        for audience in urls:
            with self.subTest(audience):
                header = self.identity("caller", audience)
                self.assertEqual(http("GET", urls[0], header).status, 200)
                for url in urls[1:]:
                    host = url.removeprefix("https://")
                    self.assertEqual(self.g.at_host(host, headers=list(header.items())).status, 200)
        self.assertEqual(http("GET", urls[0], self.identity("caller", self.g.url("frontend"))
                              ).status, 401)
        self.assertEqual(http("GET", urls[0], self.identity("frontend", urls[0])).status, 403)

    def test_what_listens_at_the_upstream_s_address_needs_no_attaching(self):
        url = self.api.create(invoker_iam_disabled="true")["status"]["url"]
        self.assertEqual(http("GET", url).status, 503)
        upstream = Upstream(port=int(self.status("shop")["upstream"].split(":")[1]))
        self.addCleanup(upstream.close)
        self.assertEqual(http("GET", url).status, 200)

    def test_run_and_env_know_a_deployed_service(self):
        made = self.api.create(env={"GREETING": "it's"}, invoker_iam_disabled="true")
        url = made["status"]["url"]
        self.assertEqual(http("GET", url + "/nobody").status, 503)
        self.assertIn("invoker run shop -- COMMAND",
                      self.g.entry("/nobody")["invoker"]["local_fix"])
        where = ["-c", str(self.g.topology.path), "--control", self.g.control]
        with Process("run", *where, "shop", "--", *service()) as container:
            container.wait_for_line("attached")
            env = json.loads(http("GET", url).text)
            self.assertEqual((env["K_SERVICE"], env["GREETING"]), ("shop", "it's"))
            self.assertRegex(env["K_REVISION"], "^shop-00001-")
            self.assertEqual(env["GCE_METADATA_HOST"], self.status("shop")["metadata"])
        status, out, err = run("env", *where, "shop")
        self.assertEqual(status, 0, err)
        self.assertIn("export GREETING='it'\\''s'\n", out)
        self.assertEqual(run("run", *where, "ghost", "--", "true")[0], 2)

    def test_a_new_template_is_a_new_revision_and_nothing_else_is(self):
        first = self.api.create()["status"]["latestReadyRevisionName"]
        self.assertRegex(first, r"^shop-00001-[a-z]{3}$")
        self.assertEqual(self.api.update("shop", INGRESS, "internal")["status"]
                         ["latestReadyRevisionName"], first)
        second = self.api.update("shop", NONCE, "asdfghjkly")["status"]["latestReadyRevisionName"]
        self.assertRegex(second, r"^shop-00002-[a-z]{3}$")
        found = self.api.ok("GET", f"{SPACE}/revisions?labelSelector=client.knative.dev%2Fnonce"
                                   "+%3D+asdfghjkly&alt=json")["items"]
        self.assertEqual([r["metadata"]["name"] for r in found], [second])
        named = self.api.update("shop", ["spec", "template", "metadata", "name"], "shop-green")
        self.assertEqual(named["status"]["latestReadyRevisionName"], "shop-green")

    def test_a_deleted_service_is_gone_for_callers_too(self):
        url = self.api.create()["status"]["url"]
        self.assertEqual(self.api.ok("DELETE", f"{SPACE}/services/shop")["status"], "Success")
        self.assertEqual(self.api.ask("GET", f"{SPACE}/services/shop")[0], 404)

        def closed():
            try:
                return http("GET", url).status == 404
            except Closed:  # it was waiting at the listener when that closed
                return False
            except OSError:
                return True
        wait_until(closed, what="the listener to be closed")

    def test_both_versions_and_all_lists_show_the_same(self):
        made = self.api.create()
        v2 = self.api.ok("GET", f"{V2}/services/shop", region="")
        self.assertEqual((v2["uri"], v2["uid"]), (made["status"]["url"], made["metadata"]["uid"]))
        names = {"frontend", "backend-api", "shop"}
        for path in (f"{SPACE}/services", f"{LOCATION}/services",
                     f"{LOCATION.replace('us-central1', '-')}/services"):
            items = self.api.ok("GET", path)["items"]
            self.assertEqual({i["metadata"]["name"] for i in items}, names)
        listed = self.api.ok("GET", f"{V2}/services", region="")["services"]
        self.assertEqual({s["name"].split("/")[-1] for s in listed}, names)
        elsewhere = self.api.ok("GET", f"{SPACE}/services", region="europe-west1")
        self.assertEqual(elsewhere["items"], [])

    def test_version_2_makes_changes_and_deletes(self):
        body = {"template": {"serviceAccount": email("backend-sa"),
                             "containers": [{"image": "i"}]}}
        done = self.api.ok("POST", f"{V2}/services?serviceId=shop", body, region="")
        self.assertIs(done["done"], True)
        url = done["response"]["uri"]
        self.assertEqual(http("GET", url).status, 403)
        self.api.ok("PATCH", f"{V2}/services/shop?updateMask=invokerIamDisabled",
                    {"invokerIamDisabled": True}, region="")
        self.attach("shop")
        self.assertEqual(http("GET", url).status, 200)
        etag = self.api.ok("GET", f"{V2}/services/shop", region="")["etag"]
        self.api.ok("PATCH", f"{V2}/services/shop?updateMask=description", {"description": "x"},
                    region="")
        self.assert_refused(self.api.ask("PATCH", f"{V2}/services/shop", {**body, "etag": etag},
                                         region=""), 409, "ABORTED", "etag")
        gone = self.api.ok("DELETE", f"{V2}/services/shop", region="")
        self.assertIn("deleteTime", gone["response"])
        self.assertEqual(self.api.ask("GET", f"{V2}/services/shop", region="")[0], 404)


class ServicesOfTheFile(RunCase):
    def test_they_can_be_read_changed_and_read_again(self):
        before = self.api.get("backend-api")
        self.assertEqual(before["status"]["url"], self.g.url("backend-api"))
        self.assertEqual(before["spec"]["template"]["spec"]["serviceAccountName"],
                         email("backend-sa"))
        self.api.update("backend-api", NO_CHECK, "True")
        self.addCleanup(self.api.update, "backend-api", NO_CHECK, "False")
        self.assertEqual(self.g.get("backend-api").status, 200)
        after = self.api.get("backend-api")
        self.assertEqual(after["metadata"]["generation"], 2)
        self.assertEqual(after["status"]["latestReadyRevisionName"],
                         before["status"]["latestReadyRevisionName"])
        self.assert_refused(self.api.ask("PUT", f"{SPACE}/services/backend-api", before),
                            409, "ABORTED", "Conflict for resource 'backend-api'")

    def test_a_deleted_one_comes_back_without_its_grants(self):
        g = Gateway({"open": {"service_account": "frontend-sa"}}, {"allUsers": ["open"]},
                    state=True)
        self.addCleanup(g.close)
        api = Api(g.control, access_token(g.address("open", "metadata")))
        self.assertEqual(g.get("open").status, 200)
        api.ok("DELETE", f"{SPACE}/services/open")
        self.assertEqual(api.ask("GET", f"{SPACE}/services/open")[0], 404)
        self.assertEqual(api.create("open")["status"]["url"], g.url("open"))
        self.assertEqual(g.get("open").status, 403)


# (what, method, path, what is put into a deploy (path, value) or None for no body, code, status,
#  words of the message)
REFUSALS = [
    ("an unknown service", "GET", f"{SPACE}/services/ghost", None, 404, "NOT_FOUND",
     "Resource 'ghost' of kind 'SERVICE' in region 'us-central1' in project 'my-project' does not "
     "exist."),
    ("deleting an unknown service", "DELETE", f"{SPACE}/services/ghost", None, 404, "NOT_FOUND",
     "'ghost'"),
    ("replacing an unknown service", "PUT", f"{SPACE}/services/ghost", (["metadata", "name"],
                                                                         "ghost"),
     404, "NOT_FOUND", "'ghost'"),
    ("an unknown revision", "GET", f"{SPACE}/revisions/ghost-00001-abc", None, 404, "NOT_FOUND",
     "'REVISION'"),
    ("a name that is taken", "POST", f"{SPACE}/services", (["metadata", "name"], "frontend"), 409,
     "ALREADY_EXISTS", "Resource 'frontend' already exists."),
    ("a wrong name", "POST", f"{SPACE}/services", (["metadata", "name"], "Shop_1"), 400,
     "INVALID_ARGUMENT", "metadata.name: Resource name must use only lowercase letters"),
    ("another project", "GET", SPACE.replace("my-project", "other") + "/services", None, 403,
     "PERMISSION_DENIED", "other"),
    ("another project in the body", "POST", f"{SPACE}/services", (["metadata", "namespace"],
                                                                   "other"),
     400, "INVALID_ARGUMENT", "metadata.namespace"),
    ("an unknown account", "POST", f"{SPACE}/services", ([*SPEC, "serviceAccountName"],
                                                          email("ghost-sa")),
     403, "PERMISSION_DENIED", "Permission 'iam.serviceaccounts.actAs' denied on service account "
     f"{email('ghost-sa')} (or it may not exist)."),
    ("an account's short name", "POST", f"{SPACE}/services", ([*SPEC, "serviceAccountName"],
                                                               "frontend-sa"),
     400, "INVALID_ARGUMENT", "spec.template.spec.serviceAccountName"),
    ("an unknown ingress", "POST", f"{SPACE}/services", (INGRESS, "internel"), 400,
     "INVALID_ARGUMENT", "metadata.annotations[run.googleapis.com/ingress]"),
    ("audiences that are no list", "POST", f"{SPACE}/services", (AUDIENCES, "a,b"), 400,
     "INVALID_ARGUMENT", "Custom audiences must be a JSON array"),
    ("a reserved variable", "POST", f"{SPACE}/services", ([*CONTAINER, "env"],
                                                           [{"name": "PORT", "value": "1"}]),
     400, "INVALID_ARGUMENT", "spec.template.spec.containers[0].env: The following reserved env "
     "names were provided: PORT."),
    ("an endless timeout", "POST", f"{SPACE}/services", ([*SPEC, "timeoutSeconds"], 3601), 400,
     "INVALID_ARGUMENT", "spec.template.spec.timeoutSeconds"),
    ("too much concurrency", "POST", f"{SPACE}/services", ([*SPEC, "containerConcurrency"], 1001),
     400, "INVALID_ARGUMENT", "spec.template.spec.containerConcurrency"),
    ("no image", "POST", f"{SPACE}/services", ([*CONTAINER, "image"], ""), 400,
     "INVALID_ARGUMENT", "spec.template.spec.containers[0].image"),
    ("traffic that is not all", "POST", f"{SPACE}/services", (["spec", "traffic"],
                                                               [{"percent": 99,
                                                                 "latestRevision": True}]),
     400, "INVALID_ARGUMENT", "must be 100, not 99"),
    ("traffic to an unknown revision", "POST", f"{SPACE}/services",
     (["spec", "traffic"], [{"percent": 100, "revisionName": "shop-00009-abc"}]), 400,
     "INVALID_ARGUMENT", "Revision 'shop-00009-abc' does not exist."),
    ("no document at all", "POST", f"{SPACE}/services", (["spec"], None), 400, "INVALID_ARGUMENT",
     "spec.template.spec.containers"),
    ("a method that is none", "PATCH", f"{SPACE}/services/frontend", (["spec"], {}), 405,
     "UNIMPLEMENTED", "PATCH"),
    ("a v2 service without a name", "POST", f"{V2}/services", (["spec"], {}), 400,
     "INVALID_ARGUMENT", "serviceId"),
    ("a Knative object for v2", "POST", f"{V2}/services?serviceId=shop", (["spec"], {}), 400,
     "INVALID_ARGUMENT", "Unknown name \"apiVersion\" at 'service': Cannot find field."),
    ("an unknown policy", "GET", f"{LOCATION}/services/ghost:getIamPolicy", None, 404, "NOT_FOUND",
     "'ghost'"),
]


class Refusals(RunCase):
    def test_what_cannot_be_is_refused_and_leaves_nothing_behind(self):
        for what, method, path, change, code, status, words in REFUSALS:
            with self.subTest(what):
                body = put(deploy(), *change) if change else None
                self.assert_refused(self.api.ask(method, path, body), code, status, words)
        names = {i["metadata"]["name"] for i in self.api.ok("GET", f"{SPACE}/services")["items"]}
        self.assertEqual(names, {"frontend", "backend-api"})

    def test_another_region_is_named_as_what_is_wrong(self):
        error = self.assert_refused(
            self.api.ask("POST", f"{SPACE}/services", deploy(), region="europe-west1"), 400,
            "INVALID_ARGUMENT", "'europe-west1' is not the region of this project here: "
                                "--region=us-central1 is.")
        self.assertEqual(error["details"][0]["fieldViolations"][0]["field"], "region")

    def test_all_problems_come_in_one_answer(self):
        body = put(put(deploy(), [*SPEC, "timeoutSeconds"], 0), [*CONTAINER, "image"], "")
        error = self.assert_refused(self.api.ask("POST", f"{SPACE}/services", body), 400,
                                    "INVALID_ARGUMENT", "timeoutSeconds")
        self.assertEqual([v["field"] for v in error["details"][0]["fieldViolations"]],
                         ["spec.template.spec.timeoutSeconds",
                          "spec.template.spec.containers[0].image"])

    def test_a_dry_run_changes_nothing(self):
        self.api.ok("POST", f"{SPACE}/services?dryRun=all", deploy())
        self.assertEqual(self.api.ask("GET", f"{SPACE}/services/shop")[0], 404)
        self.api.ok("POST", f"{V2}/services?serviceId=shop&validateOnly=true",
                    {"template": {"containers": [{"image": "i"}]}}, region="")
        self.assertEqual(self.api.ask("GET", f"{SPACE}/services/shop")[0], 404)

    def test_nobody_deploys_without_a_known_access_token(self):
        for token in ("", "ghost"):
            api = Api(self.g.control, token)
            self.assert_refused(api.ask("POST", f"{SPACE}/services", deploy()), 401,
                                "UNAUTHENTICATED", "")

    def test_malformed_and_oversized_bodies_are_refused(self):
        self.assert_refused(self.api.ask("POST", f"{SPACE}/services", b"{"), 400,
                            "INVALID_ARGUMENT", "Invalid JSON payload received.")
        self.assert_refused(self.api.ask("POST", f"{SPACE}/services", b"[]"), 400,
                            "INVALID_ARGUMENT", "Invalid JSON payload received.")
        large = put(deploy(), [*CONTAINER, "args"], ["x" * 1024] * 1200)
        self.assert_refused(self.api.ask("POST", f"{SPACE}/services", large), 400,
                            "INVALID_ARGUMENT", "more than 1048576 bytes")


if __name__ == "__main__":
    unittest.main()
