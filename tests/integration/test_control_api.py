"""Google's APIs on the control listener, with real gateway and metadata processes: who is let in,
what is refused and how, what is passed on to the metadata process, what a change brings about."""

import json
import unittest

from tests.lib.api import ALICE, FORM, JSON, Api, ApiCase, login
from tests.lib.gateway import NUMBER, Gateway, email
from tests.lib.metadata import FLAVOR, SA
from tests.lib.process import Process
from tests.lib.rawhttp import Client, http

PROJECT = "/v1/projects/my-project"
SERVICES = PROJECT + "/services"
BATCH = SERVICES + ":batchEnable"


class Callers(ApiCase):
    def test_a_user_and_a_service_account_are_let_in(self):
        self.assertEqual(self.good(self.api.get(PROJECT)),
                         {"projectNumber": NUMBER, "projectId": "my-project",
                          "lifecycleState": "ACTIVE", "name": "my-project"})
        token = http("GET", f"http://{self.g.address('private', 'metadata')}{SA}/default/token",
                     FLAVOR)
        bearer = {"Authorization": "Bearer " + json.loads(token.text)["access_token"]}
        self.good(self.api.ask("GET", PROJECT, headers=bearer))

    def test_no_token_an_unknown_one_and_an_identity_token_are_401(self):
        identity = self.g.token(account="frontend-sa", audience="private")
        for headers, reason in (({}, "CREDENTIALS_MISSING"),
                                ({"Authorization": "Bearer ghost"}, "ACCESS_TOKEN_EXPIRED"),
                                ({"Authorization": f"Bearer {identity}"},
                                 "ACCESS_TOKEN_TYPE_UNSUPPORTED")):
            with self.subTest(reason):
                answer = http("GET", self.api.base + PROJECT, headers)
                error = self.refused(answer, 401, "UNAUTHENTICATED", "authentication credential")
                self.assertEqual(error["details"][0]["reason"], reason)
                self.assertTrue(answer.header("WWW-Authenticate").startswith("Bearer "))

    def test_a_disabled_or_restarted_metadata_process_is_noticed(self):
        g = Gateway({"private": {}}, state=True)
        self.addCleanup(g.close)
        api = Api(g)
        self.good(api.get(PROJECT))
        g.metadata.stop()
        self.good(api.get(PROJECT))  # still known
        self.refused(api.ask("GET", PROJECT, headers={"Authorization": "Bearer other"}),
                     503, "UNAVAILABLE", "metadata process")
        self.refused(api.post("/v1/projects/-/serviceAccounts/x:signBlob", {"payload": ""}),
                     503, "UNAVAILABLE", "metadata process")
        g.start_metadata()
        # what it has never given out is passed on, refused, and then not known here either
        self.refused(api.post("/v1/projects/-/serviceAccounts/x:signBlob", {"payload": ""}),
                     401, "UNAUTHENTICATED")
        self.refused(api.get(PROJECT), 401, "UNAUTHENTICATED")

    def test_the_gateways_own_paths_ask_for_no_token(self):
        for path in ("/invoker/v1/status", "/invoker/v1/decisions"):
            self.assertEqual(self.api.ask("GET", path, headers={})[0], 200)
        self.assertEqual(http("GET", self.api.base + "/healthz").status, 200)


class Refusals(ApiCase):
    def test_unknown_projects_are_403(self):
        for path in ("/v1/projects/ghost", "/v3/projects/ghost", "/v1/projects/1/services"):
            self.refused(self.api.get(path), 403, "PERMISSION_DENIED", "my-project", NUMBER)

    def test_unknown_paths_are_404_and_name_what_is_served(self):
        self.refused(http("GET", self.api.base + "/compute/v1/zones"), 404, "NOT_FOUND",
                     "GET /compute/v1/zones", "Service Usage v1")
        self.refused(http("POST", self.api.base + PROJECT + ":nothing", JSON, b"{}"),
                     404, "NOT_FOUND", "POST")

    def test_another_method_is_405(self):
        answer = http("PATCH", self.api.base + PROJECT, self.api.bearer)
        self.refused(answer, 405, "UNIMPLEMENTED", "GET")
        self.assertEqual(answer.header("Allow"), "GET")

    def test_malformed_json_is_400_with_its_place(self):
        self.refused(self.api.post(BATCH, b'{"serviceIds": [\n  "a.b",\n  }'), 400,
                     "INVALID_ARGUMENT", "Line 3, column 3")
        self.refused(self.api.post(BATCH, b'[]'), 400, "INVALID_ARGUMENT", "an array")
        self.refused(self.api.post(BATCH, b'{"a":' * 5000), 400, "INVALID_ARGUMENT")

    def test_a_member_that_is_null_is_one_that_is_not_there(self):
        policy = self.good(self.api.post(PROJECT + ":setIamPolicy", {"policy": {
            "bindings": None, "etag": None, "version": None, "auditConfigs": None}}))
        self.assertNotIn("bindings", policy)
        self.refused(self.api.post(PROJECT + ":setIamPolicy", {"policy": None}), 400,
                     "INVALID_ARGUMENT", "no policy")

    def test_what_a_request_is_not_made_of_is_400(self):
        for path, body, words in (
                (":getIamPolicy", {"options": 3}, "'options'"),
                (":getIamPolicy", {"options": {"requestedPolicyVersion": 2}}, "0, 1, and 3"),
                (":getIamPolicy", {"option": {}}, 'Unknown name "option"'),
                ("/serviceAccounts", {"accountId": "worker-sa", "serviceAccount": 5},
                 "'service_account'"),
                ("/serviceAccounts", {"accountId": "worker-sa", "serviceAccount": {"x": 5}},
                 "Unknown name \"x\" at 'service_account'")):
            self.refused(self.api.post(PROJECT + path, body), 400, "INVALID_ARGUMENT", words)
        self.good(self.api.post(PROJECT + ":getIamPolicy",
                                {"options": {"requestedPolicyVersion": "3"}}))

    def test_a_body_beyond_4_mib_is_413(self):
        answer = http("POST", self.api.base + BATCH, {**self.api.bearer, **JSON},
                      b" " * (4 * 1024 * 1024 + 1))
        self.refused(answer, 413, "INVALID_ARGUMENT", "too large")
        with Client(self.g.control) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
            self.refused(client.read(), 413, "INVALID_ARGUMENT", "too large")

    def test_a_body_of_another_type_is_415(self):
        for kind in (FORM, {}, {"Content-Type": "text/plain"}):
            answer = http("POST", self.api.base + BATCH, {**self.api.bearer, **kind}, b"{}")
            self.refused(answer, 415, "INVALID_ARGUMENT", "application/json")

    def test_an_empty_body_needs_no_type(self):
        self.good(self.api.post(SERVICES + "/run.googleapis.com:enable"))

    def test_web_pages_of_others_are_403(self):
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"},
                        {"Origin": f"http://{self.g.ingress}"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}):
            with self.subTest(headers):
                answer = http("GET", self.api.base + PROJECT, {**self.api.bearer, **headers})
                self.refused(answer, 403, "PERMISSION_DENIED", "web page")
                answer = http("POST", self.api.base + "/token", {**FORM, **headers},
                              b"grant_type=refresh_token&refresh_token=alice@example.com")
                self.refused(answer, 403, "PERMISSION_DENIED", "web page")
        answer = http("GET", self.api.base + PROJECT,
                      {**self.api.bearer, "Origin": self.api.base})
        self.assertEqual(answer.status, 200)

    def test_names_that_foreign_dns_may_own_are_403(self):
        for host in ("evil.example", "run.googleapis.com", "127.0.0.1.nip.example"):
            for target in (PROJECT, f"http://{host}{PROJECT}"):
                answer = self.raw("GET", target, {"Host": host, **self.api.bearer})
                self.refused(answer, 403, "PERMISSION_DENIED", host)

    def test_heads_that_are_no_http_are_refused_in_json_too(self):
        with Client(self.g.control) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            self.refused(client.read(), 400, "INVALID_ARGUMENT")
        answer = self.raw("GET", "/", {"X": "x" * 20000})
        self.refused(answer, 431, "INVALID_ARGUMENT")


class ByProxy(ApiCase):
    """As gcloud asks when this listener is its proxy."""

    def test_regional_hosts_are_served(self):
        for host in ("us-central1-run.localhost:8079", "run.localhost:8079", "127.0.0.1:1"):
            answer = self.raw("GET", f"http://{host}{PROJECT}?alt=json",
                              {"Host": host, "X-Goog-User-Project": "my-project",
                               **self.api.bearer})
            self.assertEqual(answer.status, 200, answer.text)

    def test_tunnels_are_refused_with_a_reason(self):
        answer = self.raw("CONNECT", "run.googleapis.com:443", {"Host": "run.googleapis.com:443"})
        self.refused(answer, 400, "INVALID_ARGUMENT", "run.googleapis.com:443", "http://")

    def test_metadata_servers_are_reached_by_their_own_addresses(self):
        path = SA + "/default/email"
        for name, account in (("private", NUMBER + "-compute@developer.gserviceaccount.com"),):
            address = self.g.address(name, "metadata")
            answer = self.raw("GET", f"http://{address}{path}", {"Host": address, **FLAVOR})
            self.assertEqual((answer.status, answer.text), (200, account))
            self.assertEqual(answer.header("Metadata-Flavor"), "Google")
        answer = self.raw("GET", "http://metadata.google.internal" + path,
                          {"Host": "metadata.google.internal", **FLAVOR})
        self.assertEqual(answer.status, 200)
        answer = self.raw("GET", path, {})
        self.assertEqual(answer.status, 403)  # without the flavour, as the metadata process says


class PassedOn(ApiCase):
    def test_tokens_are_known_where_they_were_asked_for(self):
        token = login(self.g.control)
        answer = http("GET", f"{self.api.base}/tokeninfo?access_token={token}")
        self.assertEqual(json.loads(answer.text)["email"], ALICE)
        answer = http("POST", f"{self.api.base}/tokeninfo", FORM, f"access_token={token}".encode())
        self.assertEqual(json.loads(answer.text)["email"], ALICE)

    def test_the_certificates_are_the_metadata_processs(self):
        ours = http("GET", self.api.base + "/oauth2/v3/certs")
        theirs = http("GET", f"http://{self.g.address('-', 'metadata')}/oauth2/v3/certs")
        self.assertEqual(ours.text, theirs.text)
        self.assertEqual(ours.header("Cache-Control"), theirs.header("Cache-Control"))

    def test_impersonation_is_refused_and_granted_by_the_metadata_process(self):
        path = f"/v1/projects/-/serviceAccounts/{email('backend-sa')}:generateIdToken"
        self.refused(self.api.post(path, {"audience": "a"}), 403, "PERMISSION_DENIED")
        self.refused(self.api.ask("POST", path, {"audience": "a"}, headers={}), 401,
                     "UNAUTHENTICATED")
        self.refused(self.api.post(path, b"{"), 400, "INVALID_ARGUMENT")

    def test_what_went_wrong_there_is_told_in_the_same_shape(self):
        path = f"/v1/projects/-/serviceAccounts/{email('backend-sa')}:signBlob"
        self.refused(self.api.post(path, b'{"payload": "",\n "x" }'), 400, "INVALID_ARGUMENT",
                     "line 2, column 6")
        answer = http("POST", self.api.base + path, {**self.api.bearer, **JSON}, b" " * 2000000)
        self.refused(answer, 413, "INVALID_ARGUMENT", "too large")
        self.refused(http("GET", self.api.base + path, self.api.bearer), 405, "UNIMPLEMENTED")

    def test_how_the_request_came_here_is_not_passed_on(self):
        path = SA + "/default/email"
        proxied = {**FLAVOR, "X-Forwarded-For": "203.0.113.7"}
        direct = http("GET", f"http://{self.g.address('private', 'metadata')}{path}", proxied)
        self.assertEqual(direct.status, 403)
        self.assertEqual(http("GET", self.api.base + path, proxied).status, 200)
        form = {**FORM, "Origin": self.api.base, "Sec-Fetch-Site": "same-origin"}
        answer = http("POST", self.api.base + "/token", form, b"client_id=c&grant_type="
                      b"refresh_token&refresh_token=alice@example.com")
        self.assertEqual(answer.status, 200, answer.text)

    def test_a_form_at_token_is_answered_in_oauths_shape(self):
        answer = http("POST", self.api.base + "/token", FORM, b"grant_type=nothing")
        self.assertEqual((answer.status, json.loads(answer.text)["error"]),
                         (400, "unsupported_grant_type"))


class NoKeys(unittest.TestCase):
    """A gateway whose topology names a folder of signing keys that is not there."""

    def test_the_gateway_needs_no_signing_key(self):
        g = Gateway({"private": {}}, state=True, start=False)
        self.addCleanup(g.close)
        nowhere = g.topology.dir / "nowhere"
        g.topology.write({**g.content, "keys": str(nowhere)}, "gateway.yaml")
        addresses = g.topology.args()[2:]
        g.process = Process("gateway", "-c", str(g.topology.dir / "gateway.yaml"), *addresses,
                            *g.options, ready_fd=True)
        g.process.wait_ready()
        api = Api(g)
        account = f"{PROJECT}/serviceAccounts/{email('frontend-sa')}"
        self.assertEqual(api.post(account + ":setIamPolicy", {"policy": {"bindings": [
            {"role": "roles/iam.serviceAccountTokenCreator",
             "members": [f"user:{ALICE}"]}]}})[0], 200)
        self.assertEqual(api.post(account + "/keys", {})[0], 200)
        self.assertEqual(api.post(f"{PROJECT}/services/x.example:enable")[0], 200)
        status, answer = api.post(f"/v1/projects/-/serviceAccounts/{email('frontend-sa')}"
                                  ":generateIdToken",
                                  {"audience": g.url("private"), "includeEmail": True})
        self.assertEqual(status, 200, answer)
        bearer = {"Authorization": f"Bearer {answer['token']}"}
        self.assertEqual(g.get("private", headers=bearer).status, 403)
        self.assertFalse(nowhere.exists())


class ServiceUsage(ApiCase):
    def serial(self):
        file = self.g.topology.dir / "state" / "state.json"
        return json.loads(file.read_text(encoding="utf-8"))["serial"]

    def names(self, query=""):
        return [s["config"]["name"] for s in self.good(self.api.get(SERVICES + query))["services"]]

    def test_what_a_deployment_needs_is_enabled(self):
        s = self.good(self.api.get(SERVICES + "/run.googleapis.com"))
        self.assertEqual(s["state"], "ENABLED")
        self.assertEqual(s["name"], f"projects/{NUMBER}/services/run.googleapis.com")
        self.assertIn("iam.googleapis.com", self.names("?filter=state%3AENABLED"))

    def test_services_can_be_enabled_and_disabled(self):
        path = SERVICES + "/sqladmin.googleapis.com"
        self.assertEqual(self.good(self.api.get(path))["state"], "DISABLED")
        for verb, state in (("enable", "ENABLED"), ("disable", "DISABLED")):
            operation = self.good(self.api.post(f"{path}:{verb}", {}))
            self.assertIs(operation["done"], True)
            self.assertEqual(operation["response"]["service"]["state"], state)
            self.assertEqual(self.good(self.api.get(path))["state"], state)
        self.assertIn("sqladmin.googleapis.com", self.names("?filter=state:DISABLED"))
        self.assertNotIn("sqladmin.googleapis.com", self.names("?filter=state:ENABLED"))

    def test_several_are_enabled_at_once_or_none(self):
        self.refused(self.api.post(BATCH, {"serviceIds": ["a.example", "nonsense"]}), 400,
                     "INVALID_ARGUMENT", "nonsense")
        self.assertNotIn("a.example", self.names())
        for ids in ([], "a.example", ["a.example", 7], ["a.b"] * 21, None):
            self.refused(self.api.post(BATCH, {"serviceIds": ids}), 400, "INVALID_ARGUMENT")
        operation = self.good(self.api.post(BATCH, {"serviceIds": ["a.example", "b.example"]}))
        self.assertEqual([s["state"] for s in operation["response"]["services"]], ["ENABLED"] * 2)
        self.assertIn("b.example", self.names())
        answer = self.good(self.api.get(
            f"{SERVICES}:batchGet?names=projects/my-project/services/a.example"
            "&names=projects/my-project/services/z.example"))
        self.assertEqual([s["state"] for s in answer["services"]], ["ENABLED", "DISABLED"])

    def test_what_was_enabled_and_disabled_outlives_a_restart(self):
        self.good(self.api.post(SERVICES + "/kept.example:enable"))
        self.good(self.api.post(SERVICES + "/logging.googleapis.com:disable"))
        self.g.process.stop()
        self.g.start()
        self.assertIn("kept.example", self.names("?filter=state:ENABLED"))
        self.assertIn("logging.googleapis.com", self.names("?filter=state:DISABLED"))
        self.good(self.api.post(SERVICES + "/logging.googleapis.com:enable"))
        serial = self.serial()
        self.good(self.api.post(SERVICES + "/logging.googleapis.com:enable"))
        self.assertEqual(self.serial(), serial)  # nothing to change
        s = self.good(self.api.get(SERVICES + "/logging.googleapis.com"))
        self.assertEqual((s["state"], s["config"]["title"]), ("ENABLED", "Cloud Logging API"))


class Projects(ApiCase):
    def test_the_list_holds_the_one_project_when_the_filter_fits(self):
        for query, count in (("", 1), ("?filter=lifecycleState%3AACTIVE&pageSize=500", 1),
                             ("?filter=id:my-*+AND+projectNumber%3D" + NUMBER, 1),
                             ("?filter=projectId%3D%22my-project%22", 1),
                             ("?filter=lifecycleState:DELETE_REQUESTED", 0),
                             ("?filter=labels.a:b", 0), ("?filter=name:other", 0)):
            with self.subTest(query):
                answer = self.good(self.api.get("/v1/projects" + query))
                self.assertEqual(len(answer["projects"]), count)
        self.refused(self.api.get("/v1/projects?filter=color:red"), 400, "INVALID_ARGUMENT",
                     "color:red")

    def test_version_3_shows_it_too(self):
        project = self.good(self.api.get("/v3/projects/" + NUMBER))
        self.assertEqual((project["name"], project["projectId"], project["state"]),
                         (f"projects/{NUMBER}", "my-project", "ACTIVE"))
        found = self.good(self.api.get("/v3/projects:search?query=projectId:my-project"))
        self.assertEqual(found["projects"], [project])

    def test_its_ancestry_is_itself(self):
        self.assertEqual(self.good(self.api.post(PROJECT + ":getAncestry", {})),
                         {"ancestor": [{"resourceId": {"type": "project", "id": "my-project"}}]})


if __name__ == "__main__":
    unittest.main()
