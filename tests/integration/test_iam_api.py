"""IAM by its APIs, as gcloud and Google's libraries ask for it: service accounts, keys, roles,
policies of accounts and of the project, deny policies; and what services and tokens see of it."""

import base64
import json
import unittest
import urllib.parse

from tests.lib.cloudrun import LOCATION, Api, access_token
from tests.lib.gateway import NUMBER, PROJECT, Gateway, email
from tests.lib.rawhttp import http

ACCOUNTS = f"/v1/projects/{PROJECT}/serviceAccounts"
ROLES = f"/v1/projects/{PROJECT}/roles"
PROJECT_POLICY = f"/v1/projects/{PROJECT}"
DENY = (f"/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F{PROJECT}/denypolicies")
INVOKER = "roles/run.invoker"
TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"
FRONTEND = f"serviceAccount:{email('frontend-sa')}"
ALICE = "user:alice@example.com"
EMPTY = {"etag": "ACAB"}


class IamCase(unittest.TestCase):
    """One gateway for each test: they change what all of it knows."""

    def setUp(self):
        self.g = Gateway({"frontend": {"service_account": "frontend-sa"},
                          "backend-api": {"service_account": "backend-sa"}},
                         {"allUsers": ["frontend"], "frontend-sa": ["backend-api"]}, state=True)
        self.addCleanup(self.g.close)
        self.api = Api(self.g.control, access_token(self.g.address("frontend", "metadata")))

    def ok(self, method, path, body=None):
        return self.api.ok(method, path, body, region="")

    def refused(self, code, status, method, path, body=None):
        """The message of the refusal."""
        got, answer = self.api.ask(method, path, body, region="")
        error = answer.get("error", {})
        self.assertEqual((got, error.get("code"), error.get("status")), (code, code, status),
                         answer)
        return error["message"]

    def invalid(self, method, path, body=None):
        return self.refused(400, "INVALID_ARGUMENT", method, path, body)

    def create(self, account_id="worker-sa", **more):
        return self.ok("POST", ACCOUNTS, {"accountId": account_id, "serviceAccount": more})

    def policy(self, name="backend-api"):
        return self.ok("GET", f"{LOCATION}/services/{name}:getIamPolicy"
                              "?options.requestedPolicyVersion=3")

    def set_policy(self, policy, name="backend-api", **more):
        return self.ok("POST", f"{LOCATION}/services/{name}:setIamPolicy",
                       {"policy": policy, **more})

    def refuse_policy(self, policy, name="backend-api", **more):
        return self.invalid("POST", f"{LOCATION}/services/{name}:setIamPolicy",
                            {"policy": policy, **more})

    def status_of_call(self, account="frontend-sa", name="backend-api"):
        return self.g.get(name, "/", self.g.bearer(account=account, audience=name)).status


class Accounts(IamCase):
    def test_an_account_is_created_as_production_shows_it(self):
        made = self.create(displayName="Worker", description="Works.")
        self.assertRegex(made.pop("uniqueId"), r"^1\d{20}$")
        self.assertRegex(made.pop("etag"), r"^[0-9A-Za-z]{12}$")
        self.assertRegex(made.pop("oauth2ClientId"), r"^\d{21}$")
        self.assertEqual(made, {
            "name": f"projects/{PROJECT}/serviceAccounts/{email('worker-sa')}",
            "projectId": PROJECT, "email": email("worker-sa"), "displayName": "Worker",
            "description": "Works."})
        self.assertEqual(self.ok("GET", f"/v1/projects/-/serviceAccounts/{email('worker-sa')}")
                         ["displayName"], "Worker")

    def test_an_account_is_found_by_its_unique_id(self):
        unique_id = self.create()["uniqueId"]
        found = self.ok("GET", f"/v1/projects/-/serviceAccounts/{unique_id}")
        self.assertEqual(found["email"], email("worker-sa"))

    def test_accounts_of_the_file_are_there_too_and_lists_have_pages(self):
        self.create()
        seen, token = [], ""
        while True:
            page = self.ok("GET", f"{ACCOUNTS}?pageSize=2&pageToken={token}")
            self.assertLessEqual(len(page["accounts"]), 2)
            seen += [a["email"] for a in page["accounts"]]
            token = page.get("nextPageToken")
            if not token:
                break
        self.assertEqual(sorted(seen), sorted(
            [email(a) for a in ("frontend-sa", "backend-sa", "other-sa", "worker-sa")] +
            [f"{NUMBER}-compute@developer.gserviceaccount.com"]))

    def test_ids_are_checked_as_production_checks_them(self):
        for bad in ("", "short", "a" * 31):
            self.assertEqual(self.invalid("POST", ACCOUNTS, {"accountId": bad}),
                             f'The account ID "{bad}" does not have a length between 6 and 30.')
        for bad in ("Worker-sa", "1worker", "worker_sa", "worker-", "wörker"):
            self.assertIn("does not match the regular expression [a-z]([-a-z0-9]*[a-z0-9])",
                          self.invalid("POST", ACCOUNTS, {"accountId": bad}))
        for good in ("abcdef", "a" * 30, "a1-b--2"):
            self.create(good)

    def test_texts_have_a_length_and_a_type(self):
        self.create("exactly", displayName="d" * 100, description="d" * 256)
        for more in ({"displayName": "d" * 101}, {"description": "d" * 257}, {"displayName": 5}):
            self.invalid("POST", ACCOUNTS, {"accountId": "too-long", "serviceAccount": more})

    def test_what_exists_is_not_created_again(self):
        for name in ("frontend-sa", "worker-sa"):
            if name == "worker-sa":
                self.create(name)
            status, answer = self.api.ask("POST", ACCOUNTS, {"accountId": name}, region="")
            self.assertEqual((status, answer["error"]["status"]), (409, "ALREADY_EXISTS"))
            self.assertEqual(answer["error"]["message"], f"Service account {name} already exists "
                                                         f"within project projects/{PROJECT}.")
            self.assertEqual(answer["error"]["details"][0]["@type"],
                             "type.googleapis.com/google.rpc.ResourceInfo")

    def test_an_unknown_account_is_not_found_and_another_project_is_forbidden(self):
        for method, verb, body in (("GET", "", None), ("DELETE", "", None), ("PATCH", "", {}),
                                   ("PUT", "", {}), ("POST", ":disable", {}),
                                   ("POST", ":undelete", {}), ("GET", "/keys", None),
                                   ("POST", "/keys", {}), ("POST", ":getIamPolicy", {}),
                                   ("POST", ":setIamPolicy", {"policy": {}})):
            message = self.refused(404, "NOT_FOUND", method,
                                   f"/v1/projects/-/serviceAccounts/{email('ghost-sa')}{verb}",
                                   body)
            self.assertEqual(message, "Unknown service account")
        self.refused(403, "PERMISSION_DENIED", "GET", "/v1/projects/elsewhere/serviceAccounts")

    def test_display_name_and_description_are_changed_by_patch_and_put(self):
        self.create(displayName="Worker", description="Works.")
        path = f"{ACCOUNTS}/{email('worker-sa')}"
        got = self.ok("PATCH", path, {"serviceAccount": {"displayName": "W", "description": "D"},
                                      "updateMask": "display_name"})
        self.assertEqual((got["displayName"], got["description"]), ("W", "Works."))
        got = self.ok("PATCH", path, {"serviceAccount": {}, "updateMask": "description"})
        self.assertNotIn("description", got)
        got = self.ok("PUT", path, {"displayName": "by PUT", "etag": got["etag"]})
        self.assertEqual(self.ok("GET", path), got)
        self.assertEqual(got["displayName"], "by PUT")
        self.assertIn("disabled", self.invalid("PATCH", path, {"updateMask": "disabled"}))

    def test_an_account_of_the_file_is_changed_too(self):
        path = f"{ACCOUNTS}/{email('frontend-sa')}"
        before = self.ok("GET", path)
        got = self.ok("PATCH", path, {"serviceAccount": {"displayName": "F"},
                                      "updateMask": "displayName"})
        self.assertEqual((got["displayName"], got["uniqueId"]), ("F", before["uniqueId"]))
        self.assertEqual(self.ok("GET", path), got)
        self.assertEqual(self.status_of_call(), 200)

    def test_a_stale_etag_is_a_conflict(self):
        path = f"{ACCOUNTS}/{email('frontend-sa')}"
        self.refused(409, "ABORTED", "PUT", path, {"displayName": "x", "etag": "ACAB"})
        self.invalid("PUT", path, {"displayName": "x", "etag": "!"})

    def test_a_disabled_account_gets_no_tokens_until_it_is_enabled(self):
        path = f"{ACCOUNTS}/{email('backend-sa')}"
        where = (f"http://{self.g.address('backend-api', 'metadata')}/computeMetadata/v1/instance/"
                 "service-accounts/default/identity?audience=https://a.example")
        flavor = {"Metadata-Flavor": "Google"}
        self.assertEqual(http("GET", where, flavor).status, 200)
        self.assertEqual(self.ok("POST", f"{path}:disable", {}), {})
        self.assertIs(self.ok("GET", path)["disabled"], True)
        self.assertGreaterEqual(http("GET", where, flavor).status, 400)
        self.assertEqual(self.ok("POST", f"{path}:enable", {}), {})
        self.assertNotIn("disabled", self.ok("GET", path))
        self.assertEqual(http("GET", where, flavor).status, 200)


class Deleting(IamCase):
    def setUp(self):
        super().setUp()
        self.api = Api(self.g.control, access_token(self.g.address("backend-api", "metadata")))

    def call_as_worker(self):
        """The status that backend-api answers with to an account that the file does not know."""
        path = self.path("worker-sa")
        self.ok("POST", f"{path}:setIamPolicy", {"policy": {"bindings": [
            {"role": TOKEN_CREATOR, "members": [f"serviceAccount:{email('backend-sa')}"]}]}})
        token = self.ok("POST", f"/v1/projects/-/serviceAccounts/{email('worker-sa')}"
                                ":generateIdToken",
                        {"audience": self.g.url("backend-api"), "includeEmail": True})["token"]
        return self.g.get("backend-api", "/", {"Authorization": f"Bearer {token}"}).status

    def path(self, name="frontend-sa"):
        return f"{ACCOUNTS}/{email(name)}"

    def test_bindings_of_a_deleted_account_stay_and_name_its_unique_id(self):
        unique_id = self.ok("GET", self.path())["uniqueId"]
        self.ok("DELETE", self.path())
        self.refused(404, "NOT_FOUND", "GET", self.path())
        self.assertEqual(self.policy()["bindings"], [
            {"role": INVOKER, "members": [f"deleted:{FRONTEND}?uid={unique_id}"]}])

    def test_a_new_account_of_the_same_name_inherits_nothing(self):
        first = self.create()
        member = f"serviceAccount:{email('worker-sa')}"
        self.set_policy({"bindings": [{"role": INVOKER, "members": [member]}]})
        self.assertEqual(self.call_as_worker(), 200)
        self.ok("DELETE", self.path("worker-sa"))
        second = self.create()
        self.assertNotEqual(first["uniqueId"], second["uniqueId"])
        self.assertEqual(self.ok("POST", f"{self.path('worker-sa')}:getIamPolicy", {}), EMPTY)
        self.assertEqual(self.call_as_worker(), 403)
        self.assertEqual(self.policy()["bindings"][0]["members"],
                         [f"deleted:{member}?uid={first['uniqueId']}"])
        self.ok("DELETE", self.path("worker-sa"))
        self.assertNotIn(self.create()["uniqueId"], (first["uniqueId"], second["uniqueId"]))

    def test_an_undeleted_account_has_its_grants_back(self):
        before, bindings = self.ok("GET", self.path()), self.policy()["bindings"]
        self.ok("DELETE", self.path())
        restored = self.ok("POST", f"/v1/projects/-/serviceAccounts/{before['uniqueId']}:undelete",
                           {})["restoredAccount"]
        self.assertEqual(restored, before)
        self.assertEqual(self.policy()["bindings"], bindings)
        self.assertEqual(self.status_of_call(), 200)
        self.refused(400, "FAILED_PRECONDITION", "POST", f"{self.path()}:undelete", {})

    def test_who_took_the_name_keeps_it(self):
        first = self.create()
        self.ok("DELETE", self.path("worker-sa"))
        self.create()
        self.refused(404, "NOT_FOUND", "POST",
                     f"/v1/projects/-/serviceAccounts/{first['uniqueId']}:undelete", {})

    def test_a_service_whose_account_is_gone_gets_no_tokens(self):
        where = f"http://{self.g.address('frontend', 'metadata')}/computeMetadata/v1/instance/"
        flavor = {"Metadata-Flavor": "Google"}
        self.ok("DELETE", self.path())
        for kind in ("token", "identity?audience=https://a.example"):
            answer = http("GET", f"{where}service-accounts/default/{kind}", flavor)
            self.assertGreaterEqual(answer.status, 400, answer.text)
        self.assertEqual(self.g.get("frontend").status, 200)
        self.ok("POST", f"{self.path()}:undelete", {})
        self.assertEqual(http("GET", f"{where}service-accounts/default/token", flavor).status, 200)

    def test_the_default_account_stays(self):
        default = f"{NUMBER}-compute@developer.gserviceaccount.com"
        self.refused(400, "FAILED_PRECONDITION", "DELETE", f"{ACCOUNTS}/{default}")
        self.ok("POST", f"{ACCOUNTS}/{default}:disable", {})
        self.assertIs(self.ok("GET", f"{ACCOUNTS}/{default}")["disabled"], True)

    def test_a_deleted_account_is_no_member(self):
        self.ok("DELETE", self.path("other-sa"))
        self.assertEqual(
            self.refuse_policy({"bindings": [{"role": INVOKER, "members": [
                f"serviceAccount:{email('other-sa')}"]}]}),
            f"Service account {email('other-sa')} does not exist.")


class Keys(IamCase):
    def setUp(self):
        super().setUp()
        self.keys = f"{ACCOUNTS}/{email('frontend-sa')}/keys"

    def make(self):
        made = self.ok("POST", self.keys, {})
        return made, json.loads(base64.b64decode(made["privateKeyData"]))

    def test_a_new_key_is_given_away_once_as_a_credentials_file(self):
        made, file = self.make()
        key_id = made["name"].rsplit("/", 1)[1]
        self.assertRegex(key_id, r"^[0-9a-f]{40}$")
        self.assertTrue(file.pop("private_key").startswith("-----BEGIN PRIVATE KEY-----\nMII"))
        self.assertRegex(file.pop("client_id"), r"^\d{21}$")
        self.assertEqual(file.pop("token_uri").rsplit("/", 1)[1], "token")
        self.assertNotIn("google", file.pop("auth_uri"))
        for name in ("auth_provider_x509_cert_url", "client_x509_cert_url"):
            self.assertNotIn("googleapis", file.pop(name))
        self.assertEqual(file, {"type": "service_account", "project_id": PROJECT,
                                "private_key_id": key_id, "client_email": email("frontend-sa"),
                                "universe_domain": "googleapis.com"})
        del made["privateKeyData"], made["privateKeyType"]
        self.assertEqual(self.ok("GET", self.keys)["keys"], [made])
        self.assertEqual(self.ok("GET", f"{self.keys}/{key_id}"), made)
        self.assertEqual((made["keyType"], made["keyOrigin"], made["keyAlgorithm"]),
                         ("USER_MANAGED", "GOOGLE_PROVIDED", "KEY_ALG_RSA_2048"))
        self.assertRegex(made["validAfterTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(made["validBeforeTime"], "9999-12-31T23:59:59Z")

    def test_no_private_key_is_kept(self):
        made, file = self.make()
        pem = file["private_key"].split("\n")[1:-2]
        # PKCS #8 of an RSA key of 2048 bits
        self.assertIn(len(base64.b64decode("".join(pem))), range(1190, 1230))
        kept = [path.read_text(encoding="utf-8")
                for path in (self.g.topology.dir / "state").iterdir() if path.is_file()]
        self.assertIn(made["name"].rsplit("/", 1)[1], "".join(kept))
        shown = [json.dumps(self.ok("GET", path)) for path in (self.keys, "/v1/" + made["name"])]
        for text in (*kept, *shown, self.g.process.err.text()):
            self.assertNotIn("PRIVATE KEY", text)
            self.assertNotIn("privateKeyData", text)
            for line in (pem[2], made["privateKeyData"][600:680]):
                self.assertNotIn(line, text)

    def test_the_public_half_can_be_had(self):
        made, _ = self.make()
        key_id = made["name"].rsplit("/", 1)[1]
        for kind, head in (("TYPE_X509_PEM_FILE", "CERTIFICATE"),
                           ("TYPE_RAW_PUBLIC_KEY", "PUBLIC KEY")):
            got = self.ok("GET", f"{self.keys}/{key_id}?publicKeyType={kind}")
            self.assertTrue(base64.b64decode(got["publicKeyData"])
                            .startswith(f"-----BEGIN {head}-----".encode()))
        url = f"http://{self.g.control}/robot/v1/metadata/x509/{email('frontend-sa')}"
        self.assertEqual(list(json.loads(http("GET", url).text)), [key_id])

    def test_a_certificate_is_uploaded_once(self):
        made, _ = self.make()
        key_id = made["name"].rsplit("/", 1)[1]
        other = f"{ACCOUNTS}/{email('other-sa')}/keys"
        body = {"publicKeyData": self.ok("GET", f"{self.keys}/{key_id}?publicKeyType="
                                                "TYPE_X509_PEM_FILE")["publicKeyData"]}
        got = self.ok("POST", f"{other}:upload", body)
        self.assertEqual((got["name"].rsplit("/", 1)[1], got["keyOrigin"]),
                         (key_id, "USER_PROVIDED"))
        self.refused(409, "ALREADY_EXISTS", "POST", f"{other}:upload", body)
        for bad in ("", "%", base64.b64encode(b"x").decode()):
            self.invalid("POST", f"{other}:upload", {"publicKeyData": bad})

    def test_a_key_is_disabled_enabled_and_deleted(self):
        key = f"{self.keys}/{self.make()[0]['name'].rsplit('/', 1)[1]}"
        self.ok("POST", f"{key}:disable", {})
        self.assertIs(self.ok("GET", key)["disabled"], True)
        self.ok("POST", f"{key}:enable", {})
        self.assertNotIn("disabled", self.ok("GET", key))
        self.ok("DELETE", key)
        self.refused(404, "NOT_FOUND", "GET", key)
        self.assertEqual(self.ok("GET", f"{self.keys}?keyTypes=USER_MANAGED"), {"keys": []})

    def test_kinds_that_are_not_made_are_refused(self):
        for body in ({"privateKeyType": "TYPE_PKCS12_FILE"}, {"keyAlgorithm": "KEY_ALG_RSA_1024"}):
            self.assertIn("not made here", self.invalid("POST", self.keys, body))

    def test_an_account_has_at_most_ten_keys(self):
        for _ in range(10):
            self.ok("POST", self.keys, {})
        self.assertIn("10 keys", self.refused(400, "FAILED_PRECONDITION", "POST", self.keys, {}))


class Policies(IamCase):
    def test_the_file_is_what_is_in_force_at_first(self):
        got = self.policy()
        self.assertEqual(got["bindings"], [{"role": INVOKER, "members": [FRONTEND]}])
        self.assertEqual(got["version"], 1)
        self.assertEqual(self.policy()["etag"], got["etag"])
        self.assertEqual(self.ok("POST", f"{PROJECT_POLICY}:getIamPolicy", {}), EMPTY)
        self.assertEqual(self.ok("POST", f"{ACCOUNTS}/{email('frontend-sa')}:getIamPolicy"
                                         "?options.requestedPolicyVersion=3"), EMPTY)

    def test_a_change_counts_at_once(self):
        self.assertEqual(self.status_of_call("other-sa"), 403)
        policy = self.policy()
        policy["bindings"].append({"role": INVOKER,
                                   "members": [f"serviceAccount:{email('other-sa')}"]})
        got = self.set_policy(policy)
        self.assertEqual(got["bindings"], [{"role": INVOKER, "members": [
            FRONTEND, f"serviceAccount:{email('other-sa')}"]}])
        self.assertEqual(got, self.policy())
        self.assertEqual(self.status_of_call("other-sa"), 200)
        self.set_policy({"etag": got["etag"]})
        self.assertEqual(self.status_of_call(), 403)
        self.assertNotIn("bindings", self.policy())

    def test_who_may_invoke_in_the_project_may_invoke_each_service(self):
        for path in (PROJECT_POLICY, f"/v3/projects/{NUMBER}"):
            self.ok("POST", f"{path}:setIamPolicy", {"policy": {"bindings": [
                {"role": INVOKER, "members": [f"serviceAccount:{email('other-sa')}"]}]}})
            self.assertEqual(self.status_of_call("other-sa"), 200)
            self.ok("POST", f"{path}:setIamPolicy", {"policy": {}})
            self.assertEqual(self.status_of_call("other-sa"), 403)

    def test_a_stale_etag_changes_nothing_and_none_overwrites(self):
        before = self.policy()
        after = self.set_policy({"bindings": [], "etag": before["etag"]})
        self.assertNotEqual(after["etag"], before["etag"])
        message = self.refused(409, "ABORTED", "POST", f"{LOCATION}/services/backend-api:"
                               "setIamPolicy", {"policy": before})
        self.assertIn("There were concurrent policy changes. Please retry the whole "
                      "read-modify-write with exponential backoff.", message)
        self.assertEqual(self.policy(), after)
        self.set_policy({"bindings": before["bindings"]})
        self.assertEqual(self.policy()["bindings"], before["bindings"])

    def test_etags_are_bytes(self):
        policy = self.policy()
        spare = base64.urlsafe_b64encode(base64.b64decode(policy["etag"])).decode()
        self.set_policy({**policy, "etag": spare})
        self.assertIn("Base64 decoding failed", self.refuse_policy({"etag": "x"}))

    def test_only_what_the_mask_names_changes(self):
        before = self.policy()
        audit = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
        got = self.set_policy({"auditConfigs": audit}, updateMask="auditConfigs")
        self.assertEqual((got["bindings"], got["auditConfigs"]), (before["bindings"], audit))
        got = self.set_policy({"bindings": []}, updateMask="bindings")
        self.assertEqual((got.get("bindings"), got["auditConfigs"]), (None, audit))
        self.set_policy({"bindings": [], "etag": "ACAB"}, updateMask="bindings")
        self.assertIn('"colour"', self.refuse_policy({}, updateMask="bindings,colour"))

    def test_conditions_need_version_3_and_are_kept(self):
        condition = {"title": "later", "expression":
                     'request.time > timestamp("2100-01-01T00:00:00Z")'}
        binding = {"role": INVOKER, "members": [FRONTEND], "condition": condition}
        for version in (None, 0, 1):
            self.assertIn("must be set with version 3",
                          self.refuse_policy({"bindings": [binding], "version": version}
                                             if version is not None else {"bindings": [binding]}))
        got = self.set_policy({"bindings": [binding], "version": 3})
        self.assertEqual((got["version"], got["bindings"]), (3, [binding]))
        self.assertEqual(self.status_of_call(), 403)
        self.assertIn("changed with version 3",
                      self.refuse_policy({"bindings": [], "etag": got["etag"], "version": 1}))
        condition["expression"] = 'request.time < timestamp("2100-01-01T00:00:00Z")'
        got = self.set_policy({"bindings": [binding], "version": 3, "etag": got["etag"]})
        self.assertEqual(self.status_of_call(), 200)
        got = self.set_policy({"bindings": [], "version": 3, "etag": got["etag"]})
        self.assertEqual(got["version"], 1)

    def test_a_condition_that_is_none_is_refused_with_its_place(self):
        def refusal(**condition):
            return self.refuse_policy({"version": 3, "bindings": [
                {"role": INVOKER, "members": [ALICE], "condition": condition}]})
        self.assertRegex(refusal(title="t", expression="request.tme > 1"), r"line 1, column \d+")
        self.assertIn("title", refusal(expression="true"))
        self.assertIn("expression", refusal(title="t"))
        self.assertIn('Unknown name "when"', refusal(title="t", expression="true", when="now"))
        self.assertIn("basic roles", self.refuse_policy({"version": 3, "bindings": [
            {"role": "roles/editor", "members": [ALICE],
             "condition": {"title": "t", "expression": "true"}}]}))

    def test_policies_that_iam_does_not_take(self):
        def bindings(role=INVOKER, *members):
            return {"bindings": [{"role": role, "members": list(members or [ALICE])}]}
        for policy, words in (
                (bindings("roles/run.invokr"), "Did you mean roles/run.invoker?"),
                (bindings("roles/run.nonsense"),
                 "Role roles/run.nonsense is not supported for this resource."),
                (bindings("run.invoker"), "The role name must be in the form"),
                (bindings(f"projects/{PROJECT}/roles/none"), "does not exist"),
                (bindings(INVOKER, "alice@example.com"), "is of an unknown type"),
                (bindings(INVOKER, f"user:{email('frontend-sa')}"),
                 'is of type "serviceAccount"'),
                (bindings(INVOKER, f"serviceAccount:{email('ghost-sa')}"),
                 f"Service account {email('ghost-sa')} does not exist."),
                (bindings(INVOKER, 5), "TYPE_STRING"),
                ({"bindings": {}}, "policy.bindings"),
                ({"bindings": [{"members": [ALICE]}]}, "policy.bindings[0].role"),
                ({"bindings": [5]}, "policy.bindings[0]"),
                ({"binding": []}, "Unknown name \"binding\" at 'policy'"),
                ({"version": 2}, "Valid policy versions are 0, 1, and 3."),
                ({"version": "3"}, "policy.version"),
                (bindings(INVOKER, *(f"user:u{i}@example.com" for i in range(1501))), "1500"),
                (bindings(INVOKER, *(f"group:g{i}@example.com" for i in range(251))), "250")):
            self.assertIn(words, self.refuse_policy(policy))
        self.assertIn("no policy", self.invalid("POST", f"{LOCATION}/services/backend-api:"
                                                        "setIamPolicy", {}))
        self.set_policy(bindings("roles/cloudsql.client"))
        self.set_policy(bindings(INVOKER, *(f"user:u{i}@example.com" for i in range(1500))))

    def test_permissions_are_tested_truly_where_they_are_evaluated(self):
        path = f"{LOCATION}/services/backend-api:testIamPermissions"
        asked = {"permissions": ["run.routes.invoke", "run.services.setIamPolicy"]}
        self.assertEqual(self.ok("POST", path, asked), asked)
        self.set_policy({})
        self.assertEqual(self.ok("POST", path, asked), {"permissions": [asked["permissions"][1]]})
        self.assertEqual(self.ok("POST", path, {"permissions": ["run.routes.invoke"]}), {})
        mine = f"{ACCOUNTS}/{email('backend-sa')}"
        one = {"permissions": ["iam.serviceAccounts.getAccessToken"]}
        self.assertEqual(self.ok("POST", f"{mine}:testIamPermissions", one), {})
        self.ok("POST", f"{mine}:setIamPolicy", {"policy": {"bindings": [
            {"role": TOKEN_CREATOR, "members": [FRONTEND]}]}})
        self.assertEqual(self.ok("POST", f"{mine}:testIamPermissions", one), one)
        for bad in ([], ["run.*"], ["invoke"], [5], "run.routes.invoke"):
            self.invalid("POST", path, {"permissions": bad})

    def test_what_was_set_outlives_a_restart(self):
        before = self.set_policy({"bindings": [{"role": INVOKER, "members": [ALICE]}]})
        self.create()
        self.g.process.kill()
        self.g.start()
        self.assertEqual(self.policy(), before)
        self.ok("GET", f"{ACCOUNTS}/{email('worker-sa')}")


class Roles(IamCase):
    def make(self, role_id="caller", **more):
        return self.ok("POST", ROLES, {"roleId": role_id, "role": {
            "title": "Caller", "includedPermissions": ["run.routes.invoke"], "stage": "GA",
            **more}})

    def test_predefined_roles_are_described(self):
        got = self.ok("GET", "/v1/roles/run.invoker")
        self.assertEqual(got["includedPermissions"],
                         ["run.instances.invoke", "run.jobs.run", "run.routes.invoke"])
        self.assertEqual((got["name"], got["title"]), (INVOKER, "Cloud Run Invoker"))
        listed = self.ok("GET", "/v1/roles")["roles"]
        self.assertIn(INVOKER, [r["name"] for r in listed])
        self.assertNotIn("includedPermissions", listed[0])
        self.assertIn("includedPermissions", self.ok("GET", "/v1/roles?view=FULL")["roles"][0])
        self.assertEqual(self.refused(404, "NOT_FOUND", "GET", "/v1/roles/run.nothing"),
                         "The role named roles/run.nothing was not found.")

    def test_a_custom_role_grants_what_it_holds(self):
        made = self.make()
        self.assertEqual(made["name"], f"projects/{PROJECT}/roles/caller")
        other = f"serviceAccount:{email('other-sa')}"
        self.set_policy({"bindings": [{"role": made["name"], "members": [other]}]})
        self.assertEqual(self.status_of_call("other-sa"), 200)
        changed = self.ok("PATCH", f"{ROLES}/caller?updateMask=includedPermissions",
                          {"includedPermissions": ["run.services.get"], "etag": made["etag"]})
        self.assertEqual((changed["title"], changed["includedPermissions"]),
                         ("Caller", ["run.services.get"]))
        self.assertEqual(self.status_of_call("other-sa"), 403)
        self.refused(409, "ABORTED", "PATCH", f"{ROLES}/caller?updateMask=title",
                     {"title": "x", "etag": made["etag"]})
        self.ok("PATCH", f"{ROLES}/caller", {"title": "All", "includedPermissions":
                                             ["run.routes.invoke"]})
        self.assertEqual(self.status_of_call("other-sa"), 200)

    def test_a_deleted_role_grants_nothing_until_it_is_back(self):
        made = self.make()
        binding = {"role": made["name"], "members": [f"serviceAccount:{email('other-sa')}"]}
        self.set_policy({"bindings": [binding]})
        self.assertIs(self.ok("DELETE", f"{ROLES}/caller")["deleted"], True)
        self.assertEqual(self.status_of_call("other-sa"), 403)
        self.assertEqual(self.policy()["bindings"], [binding])
        self.set_policy(self.policy())
        self.assertEqual(self.ok("GET", ROLES), {"roles": []})
        self.assertEqual(len(self.ok("GET", f"{ROLES}?showDeleted=True")["roles"]), 1)
        self.assertIn("is deleted", self.refuse_policy({"bindings": [binding]}, "frontend"))
        self.refused(400, "FAILED_PRECONDITION", "POST", ROLES, {"roleId": "caller"})
        self.assertEqual(self.ok("POST", f"{ROLES}/caller:undelete", {}), made)
        self.assertEqual(self.status_of_call("other-sa"), 200)
        self.refused(400, "FAILED_PRECONDITION", "POST", f"{ROLES}/caller:undelete", {})

    def test_a_disabled_role_grants_nothing(self):
        made = self.make()
        self.set_policy({"bindings": [{"role": made["name"], "members": [
            f"serviceAccount:{email('other-sa')}"]}]})
        self.assertEqual(self.status_of_call("other-sa"), 200)
        self.ok("PATCH", f"{ROLES}/caller?updateMask=stage", {"stage": "DISABLED"})
        self.assertEqual(self.status_of_call("other-sa"), 403)

    def test_roles_without_a_stage_are_in_alpha_and_iam_leaves_that_out(self):
        self.assertNotIn("stage", self.ok("POST", ROLES, {"roleId": "early", "role": {}}))
        self.assertNotIn("stage", self.ok("GET", f"{ROLES}/early"))

    def test_custom_roles_are_checked(self):
        self.make()
        self.assertEqual(self.refused(409, "ALREADY_EXISTS", "POST", ROLES, {"roleId": "caller"}),
                         f"A role named caller in projects/{PROJECT} already exists.")
        for role_id in ("", "ab", "with-hyphen", "a" * 65):
            self.invalid("POST", ROLES, {"roleId": role_id})
        for role in ({"stage": "SOON"}, {"includedPermissions": ["run.*"]},
                     {"includedPermissions": "run.routes.invoke"}, {"title": "t" * 101}):
            self.invalid("POST", ROLES, {"roleId": "other", "role": role})
        self.refused(404, "NOT_FOUND", "GET", f"{ROLES}/nothing")

    def test_what_can_be_granted_and_tested_is_listed(self):
        names = [p["name"] for p in self.ok("POST", "/v1/permissions:queryTestablePermissions",
                                            {"fullResourceName": "//x"})["permissions"]]
        self.assertIn("run.routes.invoke", names)
        self.assertEqual(names, sorted(set(names)))
        roles = self.ok("POST", "/v1/roles:queryGrantableRoles", {"fullResourceName": "//x"})
        self.assertIn(INVOKER, [r["name"] for r in roles["roles"]])


class DenyPolicies(IamCase):
    RULE = {"denyRule": {"deniedPrincipals": ["principalSet://goog/public:all"],
                         "deniedPermissions": ["run.googleapis.com/routes.invoke"]}}

    def test_a_deny_policy_wins_until_it_is_deleted(self):
        done = self.ok("POST", f"{DENY}?policyId=no-calls", {"displayName": "No calls",
                                                              "rules": [self.RULE]})
        self.assertIs(done["done"], True)
        made = done["response"]
        self.assertEqual(made["name"], "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F"
                                       f"{NUMBER}/denypolicies/no-calls")
        self.assertEqual((made["kind"], made["displayName"]), ("DenyPolicy", "No calls"))
        self.assertEqual(self.status_of_call(), 403)
        self.assertEqual(self.ok("GET", "/v2/" + done["name"])["done"], True)
        got = self.ok("GET", f"{DENY}/no-calls")
        self.assertEqual(got["rules"], [self.RULE])
        self.assertEqual([p["uid"] for p in self.ok("GET", DENY)["policies"]], [made["uid"]])

        frontend = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email('other-sa')}"
        rule = {"denyRule": {**self.RULE["denyRule"], "deniedPrincipals": [frontend]}}
        changed = self.ok("PUT", f"{DENY}/no-calls", {**got, "rules": [rule]})["response"]
        self.assertEqual((changed["uid"], changed["createTime"]),
                         (made["uid"], made["createTime"]))
        self.assertEqual(self.status_of_call(), 200)
        self.refused(409, "ABORTED", "PUT", f"{DENY}/no-calls", {**got, "rules": [rule]})
        etag = urllib.parse.quote(made["etag"])
        self.refused(409, "ABORTED", "DELETE", f"{DENY}/no-calls?etag={etag}")
        self.ok("DELETE", f"{DENY}/no-calls?etag={changed['etag']}")
        self.refused(404, "NOT_FOUND", "GET", f"{DENY}/no-calls")

    def test_what_cannot_be_evaluated_is_refused(self):
        condition = {**self.RULE["denyRule"],
                     "denialCondition": {"expression": "resource.matchTag('a/b', 'c')"}}
        for policy_id, body, words in (
                ("tags", {"rules": [{"denyRule": condition}]}, "denial conditions"),
                ("Nope", {"rules": [self.RULE]}, "policy ID"),
                ("ab", {"rules": [self.RULE]}, "policy ID"),
                ("none", {"rules": []}, "no rules"),
                ("empty", {"rules": [{"denyRule": {}}]}, "deniedPrincipals"),
                ("odd", {"rules": [{"allowRule": {}}]}, 'Unknown name "allowRule"'),
                ("who", {"rules": [{"denyRule": {**self.RULE["denyRule"],
                                                 "deniedPrincipals": [ALICE]}}]},
                 "policy.rules[0].denyRule.deniedPrincipals[0]"),
                ("what", {"rules": [{"denyRule": {**self.RULE["denyRule"],
                                                  "deniedPermissions": ["run.routes.invoke"]}}]},
                 "policy.rules[0].denyRule.deniedPermissions[0]")):
            self.assertIn(words, self.invalid("POST", f"{DENY}?policyId={policy_id}", body))
        self.ok("POST", f"{DENY}?policyId=once", {"rules": [self.RULE]})
        self.refused(409, "ALREADY_EXISTS", "POST", f"{DENY}?policyId=once",
                     {"rules": [self.RULE]})
        self.assertEqual(self.ok("GET", DENY.replace("%2F", "%252F"))["policies"][0]["kind"],
                         "DenyPolicy")
        self.invalid("GET", "/v2/policies/cloudresourcemanager.googleapis.com%2Ffolders%2F1/"
                            "denypolicies")
        self.invalid("GET", DENY.replace("denypolicies", "otherpolicies"))


if __name__ == "__main__":
    unittest.main()
