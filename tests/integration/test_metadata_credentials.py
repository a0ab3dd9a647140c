"""IAM Credentials and the OAuth endpoint of the metadata process, and how it learns of changes."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from tests.lib.harness import Process, Topology, http, run
from tests.lib.metadata import (BACKEND, EMAIL, FLAVOR, SA, SCOPE, MetadataCase, decode,
                                shared_keys, topology)

JSON = "application/json; charset=UTF-8"
CREATOR = "roles/iam.serviceAccountTokenCreator"
ALICE = "alice@example.com"
CLIENT = "32555940559.apps.googleusercontent.com"
ROBOT = "robot@my-project.iam.gserviceaccount.com"
SECOND = "second@my-project.iam.gserviceaccount.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def with_policy(**changes):
    """alice may be anybody; frontend-sa nobody."""
    content = topology(**changes)
    content["project"]["policy"] = {"bindings": [
        {"role": CREATOR, "members": [f"user:{ALICE}"]}]}
    return content


class Caller:
    """Asks one server; mixed into test cases that have `address`."""

    def form(self, address=None, path="/token", headers=(), **fields):
        return http("POST", f"http://{address or self.address}{path}", dict(headers),
                    urllib.parse.urlencode(fields).encode())

    def login(self, user=ALICE, **more):
        response = self.form(grant_type="refresh_token", client_id=CLIENT, client_secret="s",
                             refresh_token=user, **more)
        self.assertEqual(response.status, 200, response.body)
        return json.loads(response.body)

    def bearer(self, user=ALICE):
        return self.login(user)["access_token"]

    def api(self, method, body, account=BACKEND, bearer=None, address=None, **headers):
        fields = dict(headers)
        if bearer:
            fields["Authorization"] = f"Bearer {bearer}"
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return http("POST", f"http://{address or self.address}/v1/projects/-/serviceAccounts/"
                            f"{account}:{method}", fields, text)

    def good(self, method, body, **more):
        response = self.api(method, body, **more)
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.header("Content-Type"), JSON)
        self.assertIn("no-store", response.header("Cache-Control"))
        return json.loads(response.body)

    def refused(self, response, code, status, part=""):
        self.assertEqual(response.status, code, response.body)
        error = json.loads(response.body)["error"]
        self.assertEqual((error["code"], error["status"]), (code, status))
        self.assertIn(part, error["message"])
        return error

    def info(self, token, address=None):
        response = http("GET", f"http://{address or self.address}/tokeninfo?access_token={token}")
        return json.loads(response.body) if response.status == 200 else None

    def own_token(self, address=None, query=""):
        response = http("GET", f"http://{address or self.address}{SA}/default/token{query}", FLAVOR)
        return json.loads(response.body)["access_token"]

    def verify(self, data, signature, kid):
        """By the published certificate, with openssl."""
        certs = json.loads(http("GET", f"http://{self.address}/oauth2/v1/certs").body)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("c.pem", certs[kid].encode()), ("d", data), ("s", signature)):
                pathlib.Path(folder, name).write_bytes(content)
            subprocess.run(["openssl", "x509", "-in", f"{folder}/c.pem", "-pubkey", "-noout",
                            "-out", f"{folder}/k.pem"], check=True, capture_output=True)
            subprocess.run(["openssl", "dgst", "-sha256", "-verify", f"{folder}/k.pem",
                            "-signature", f"{folder}/s", f"{folder}/d"], check=True,
                           capture_output=True)


class Users(Caller, MetadataCase):
    content = with_policy()

    def test_a_refresh_token_that_is_an_address_logs_that_user_in(self):
        answer = self.login()
        self.assertEqual(list(answer), ["access_token", "expires_in", "token_type", "scope",
                                        "id_token"])
        self.assertEqual((answer["expires_in"], answer["token_type"]), (3599, "Bearer"))
        self.assertIn(SCOPE, answer["scope"].split())
        self.assertIn("openid", answer["scope"].split())

    def test_the_identity_token_is_the_user_s_for_the_client(self):
        _, claims = decode(self.login()["id_token"])
        self.assertEqual((claims["aud"], claims["azp"]), (CLIENT, CLIENT))
        self.assertEqual((claims["email"], claims["email_verified"]), (ALICE, True))
        self.assertRegex(claims["sub"], r"\A1[0-9]{20}\Z")
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        info = http("GET", f"http://{self.address}/tokeninfo?id_token={self.login()['id_token']}")
        self.assertEqual(json.loads(info.body)["email"], ALICE)

    def test_tokeninfo_knows_the_user_by_the_same_id(self):
        answer = self.login()
        info = self.info(answer["access_token"])
        _, claims = decode(answer["id_token"])
        self.assertEqual((info["email"], info["sub"]), (ALICE, claims["sub"]))
        self.assertEqual((info["aud"], info["azp"]), (CLIENT, CLIENT))
        self.assertEqual(info["scope"], answer["scope"])

    def test_addresses_are_one_whatever_their_case(self):
        self.assertEqual(decode(self.login("Alice@Example.COM")["id_token"])[1]["email"], ALICE)

    def test_a_user_whom_nobody_mentions_is_a_developer_too(self):
        self.assertEqual(self.info(self.bearer("new.one@example.org"))["email"],
                         "new.one@example.org")

    def test_scopes_can_be_narrowed(self):
        answer = self.login(scope=f"openid {SCOPE}")
        self.assertEqual(answer["scope"], f"{SCOPE} openid")

    def test_what_is_no_user_is_refused_in_oauth_s_shape(self):
        rows = (({"refresh_token": "1//0abc"}, "invalid_grant", "e-mail addresses"),
                ({"refresh_token": "x@"}, "invalid_grant", "e-mail addresses"),
                ({"refresh_token": "a\0@example.com"}, "invalid_grant", "e-mail addresses"),
                ({"refresh_token": "a" * 400 + "@example.com"}, "invalid_grant", "e-mail"),
                ({"refresh_token": EMAIL}, "invalid_grant", "service account"),
                ({"refresh_token": ""}, "invalid_request", "refresh_token"),
                ({"client_id": ""}, "invalid_request", "client ID"),
                ({"client_id": "a b"}, "invalid_request", "client ID"),
                ({"client_id": "x" * 300}, "invalid_request", "client ID"),
                ({"scope": " ".join(f"s{n}" for n in range(100))}, "invalid_scope", "scopes"),
                ({"grant_type": "password"}, "unsupported_grant_type",
                 "Invalid grant_type: password"),
                ({"grant_type": ""}, "unsupported_grant_type", "Invalid grant_type: "))
        for change, error, text in rows:
            fields = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": ALICE,
                      **change}
            response = self.form(**fields)
            self.assertEqual(response.status, 400, change)
            body = json.loads(response.body)
            self.assertEqual(body["error"], error, change)
            self.assertIn(text, body["error_description"])
            self.assertEqual(response.header("Content-Type"), JSON)

    def test_only_post_and_never_a_web_page(self):
        response = http("GET", f"http://{self.address}/token")
        self.refused(response, 405, "UNIMPLEMENTED")
        self.assertEqual(response.header("Allow"), "POST")
        for headers in ({"Origin": "http://evil.example"}, {"X-Forwarded-For": "1.2.3.4"}):
            self.refused(self.form(grant_type="refresh_token", headers=headers), 403,
                         "PERMISSION_DENIED")
        self.assertEqual(self.form(headers={"Host": "evil.example"}).status, 403)


class Credentials(Caller, MetadataCase):
    content = with_policy()

    def test_an_access_token_lives_as_long_as_asked_and_has_the_scopes(self):
        before = int(time.time())
        answer = self.good("generateAccessToken", {
            "delegates": None, "scope": ["b", SCOPE], "lifetime": "600s"}, bearer=self.bearer())
        self.assertEqual(list(answer), ["accessToken", "expireTime"])
        self.assertRegex(answer["expireTime"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        left = time.mktime(time.strptime(answer["expireTime"], "%Y-%m-%dT%H:%M:%SZ")) \
            - time.timezone - before
        self.assertTrue(600 <= left <= 610, left)
        info = self.info(answer["accessToken"])
        self.assertEqual((info["email"], info["scope"]), (BACKEND, f"b {SCOPE}"))

    def test_the_metadata_server_does_not_hand_such_a_token_out_again(self):
        answer = self.good("generateAccessToken", {"scope": [SCOPE]}, bearer=self.bearer())
        address = self.topology.address("backend-api", "metadata")
        self.assertNotEqual(self.own_token(address), answer["accessToken"])

    def test_an_identity_token_has_an_email_only_when_asked(self):
        caller = self.bearer()
        _, plain = decode(self.good("generateIdToken", {"audience": "x"}, bearer=caller)["token"])
        self.assertEqual(sorted(plain), ["aud", "azp", "exp", "iat", "iss", "sub"])
        self.assertEqual(plain["azp"], plain["sub"])
        _, full = decode(self.good("generateIdToken", {
            "audience": "x", "includeEmail": True, "useEmailAzp": True}, bearer=caller)["token"])
        self.assertEqual((full["email"], full["email_verified"], full["azp"]),
                         (BACKEND, True, BACKEND))
        self.assertEqual(full["sub"], plain["sub"])

    def test_the_account_may_be_named_by_its_id(self):
        sub = decode(self.good("generateIdToken", {"audience": "x"},
                               bearer=self.bearer())["token"])[1]["sub"]
        for name in (sub, BACKEND.replace("@", "%40")):
            token = self.good("generateIdToken", {"audience": "x", "includeEmail": True},
                              account=name, bearer=self.bearer())["token"]
            self.assertEqual(decode(token)[1]["email"], BACKEND)

    def test_signatures_are_confirmed_by_the_published_certificate(self):
        data = bytes(range(256))
        answer = self.good("signBlob", {"payload": base64.b64encode(data).decode()},
                           bearer=self.bearer())
        self.verify(data, base64.b64decode(answer["signedBlob"], validate=True), answer["keyId"])
        claims = json.dumps({"iss": BACKEND, "n": 1})
        answer = self.good("signJwt", {"payload": claims}, bearer=self.bearer())
        head, payload = decode(answer["signedJwt"])
        self.assertEqual((head["kid"], payload), (answer["keyId"], json.loads(claims)))
        signed, _, signature = answer["signedJwt"].rpartition(".")
        self.verify(signed.encode(), base64.urlsafe_b64decode(signature + "=="), answer["keyId"])

    def test_without_the_role_the_answer_is_production_s(self):
        rows = (("generateAccessToken", {"scope": [SCOPE]}, "getAccessToken"),
                ("generateIdToken", {"audience": "x"}, "getOpenIdToken"),
                ("signBlob", {"payload": "Zm9v"}, "signBlob"),
                ("signJwt", {"payload": "{}"}, "signJwt"))
        for method, body, verb in rows:
            error = self.refused(self.api(method, body, bearer=self.own_token()), 403,
                                 "PERMISSION_DENIED")
            permission = f"iam.serviceAccounts.{verb}"
            self.assertEqual(error["message"], f"Permission '{permission}' denied on resource "
                                               "(or it may not exist).")
            self.assertEqual(error["details"], [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com",
                "metadata": {"permission": permission}}])
        line = self.process.err.wait_for("impersonation refused")
        self.assertIn(f"add-iam-policy-binding {BACKEND} --member=serviceAccount:{EMAIL}", line)

    def test_nobody_may_act_as_themselves_without_a_grant(self):
        self.refused(self.api("signBlob", {"payload": "Zm9v"}, account=EMAIL,
                              bearer=self.own_token()), 403, "PERMISSION_DENIED")

    def test_an_unknown_account_is_404_for_the_authenticated_only(self):
        nobody = "nobody@my-project.iam.gserviceaccount.com"
        error = self.refused(self.api("generateIdToken", {"audience": "x"}, account=nobody,
                                      bearer=self.bearer()), 404, "NOT_FOUND")
        self.assertEqual(error["message"], f"Not found; Gaia id not found for email {nobody}")
        self.refused(self.api("generateIdToken", {"audience": "x"}, account=nobody), 401,
                     "UNAUTHENTICATED")
        self.refused(self.api("generateIdToken", {"audience": "x", "delegates": [nobody]},
                              bearer=self.bearer()), 404, "NOT_FOUND", nobody)

    def test_who_is_not_known_is_401_with_the_reason(self):
        identity = self.ask(f"{SA}/default/identity?audience=x").text
        rows = ((None, "CREDENTIALS_MISSING"), ("ya29.c.unknown", "ACCESS_TOKEN_EXPIRED"),
                (identity, "ACCESS_TOKEN_TYPE_UNSUPPORTED"))
        for token, reason in rows:
            response = self.api("generateIdToken", {"audience": "x"}, bearer=token)
            error = self.refused(response, 401, "UNAUTHENTICATED", "OAuth 2 access token")
            self.assertEqual(error["details"][0]["reason"], reason)
            self.assertTrue(response.header("WWW-Authenticate").startswith("Bearer "))
        self.refused(self.api("generateIdToken", {"audience": "x"}, Authorization="Basic eA=="),
                     401, "UNAUTHENTICATED")

    def test_a_token_without_a_scope_for_it_is_403(self):
        token = self.own_token(query="?scopes=https://www.googleapis.com/auth/userinfo.email")
        error = self.refused(self.api("generateIdToken", {"audience": "x"}, bearer=token), 403,
                             "PERMISSION_DENIED", "insufficient authentication scopes")
        self.assertEqual(error["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        token = self.own_token(query="?scopes=https://www.googleapis.com/auth/iam")
        self.refused(self.api("generateIdToken", {"audience": "x"}, bearer=token), 403,
                     "PERMISSION_DENIED", "getOpenIdToken")

    def test_bad_requests_are_400_and_say_what_is_wrong(self):
        rows = (("generateAccessToken", {}, "scope"),
                ("generateAccessToken", {"scope": [SCOPE], "lifetime": "43200s"},
                 "cannot exceed 3600 seconds"),
                ("generateIdToken", {"aud": "x"}, 'Unknown name "aud": Cannot find field.'),
                ("generateIdToken", b"{", "Invalid JSON"), ("generateIdToken", b"", "audience"),
                ("generateIdToken", b"\xff", "Invalid JSON"),
                ("generateIdToken", b"[" * 60000, "nested"),
                ("signBlob", {"payload": "?"}, "base64"), ("signJwt", {"payload": "x"}, "JSON"))
        for method, body, part in rows:
            self.refused(self.api(method, body, bearer=self.bearer()), 400, "INVALID_ARGUMENT",
                         part)
        self.assertEqual(self.api("generateIdToken", b"[" * 100000,
                                  bearer=self.bearer()).status, 413)

    def test_wrong_names_verbs_and_methods(self):
        base = f"http://{self.address}/v1/projects"
        caller = {"Authorization": f"Bearer {self.bearer()}"}
        for path in (f"/-/serviceAccounts/{BACKEND}:generateNothing",
                     f"/-/serviceAccounts/{BACKEND}", "/-/serviceAccounts/x/allowedLocations"):
            self.refused(http("POST", base + path, caller, b"{}"), 404, "NOT_FOUND")
        for path in (f"/my-project/serviceAccounts/{BACKEND}:generateIdToken",
                     "/-/serviceAccounts/:generateIdToken",
                     "/-/serviceAccounts/a%2Fb:generateIdToken",
                     f"/-/serviceAccounts/{'x' * 600}:generateIdToken"):
            self.refused(http("POST", base + path, caller, b"{}"), 400, "INVALID_ARGUMENT")
        response = http("GET", f"{base}/-/serviceAccounts/{BACKEND}:generateIdToken", caller)
        self.refused(response, 405, "UNIMPLEMENTED")

    def test_the_apis_are_on_the_shared_listener_too(self):
        token = self.good("generateIdToken", {"audience": "x"}, bearer=self.bearer(),
                          address=self.shared)["token"]
        self.assertEqual(decode(token)[1]["aud"], "x")


class OwnListenerElsewhere(Caller, MetadataCase):
    """A service's own metadata server that is not on the loopback stands for 169.254.169.254."""

    content = with_policy()

    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(cls.content, keys=shared_keys())
        cls.addClassCleanup(cls.topology.close)
        cls.topology.shared()
        cls.topology.ephemeral("frontend", "listen")
        cls.topology.ephemeral("backend-api", "listen", "metadata")
        cls.topology.ephemeral("frontend", "metadata", host="0.0.0.0")
        cls.process = Process("metadata", *cls.topology.args(), "--keys", cls.topology.keys,
                              ready_fd=True)
        cls.addClassCleanup(cls.finish)
        cls.process.wait_ready()
        cls.address = cls.topology.address("frontend", "metadata").replace("0.0.0.0", "127.0.0.1")
        cls.shared = cls.topology.address("-", "metadata")

    def test_it_serves_no_api(self):
        self.assertEqual(self.form(grant_type="refresh_token").status, 403)
        self.assertEqual(self.ask("/token", method="POST", body=b"").status, 404)
        self.assertEqual(self.api("generateIdToken", {}, **FLAVOR).status, 404)
        self.assertEqual(self.value(f"{SA}/default/email"), EMAIL)
        self.assertEqual(self.form(self.shared, grant_type="refresh_token", client_id=CLIENT,
                                   refresh_token=ALICE).status, 200)


def robot_key(folder):
    """A key of a service account as IAM hands it out: (private key's path, public PEM)."""
    private = f"{folder}/robot.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                    "-out", private], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True,
                            capture_output=True).stdout.decode()
    return private, public


class State(Caller, MetadataCase):
    """What the gateway keeps of API calls: accounts, their keys and their own policies."""

    content = with_policy(groups={"team@example.com": ["user:dave@example.com"]})

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.state = pathlib.Path(folder.name, "state")
        cls.state.mkdir(0o700)
        cls.private, cls.public = robot_key(folder.name)
        cls.serial = 0
        cls.extra = ["--state", str(cls.state)]
        cls.document = {"format": 1}
        cls.change()
        super().setUpClass()

    @classmethod
    def change(cls, **collections):
        """Writes a state as the gateway would; returns its serial."""
        cls.serial += 1
        robot = {"uniqueId": "123456789012345678901", "displayName": "Robot",
                 "keys": [{"id": "k1", "publicKey": cls.public}]}
        cls.document = {"format": 1, "serial": cls.serial, "services": {}, "policies": {},
                        "accounts": {ROBOT: robot, SECOND: {"uniqueId": "1" * 21}}, "roles": {},
                        "deny": {}, **collections}
        new = cls.state / ".new"
        new.write_text(json.dumps(cls.document), encoding="utf-8")
        new.chmod(0o600)
        os.replace(new, cls.state / "state.json")
        return cls.serial

    def sync(self, serial):
        return http("POST", f"http://{self.shared}/invoker/v1/sync?serial={serial}", {}, b"")

    def taken(self, **collections):
        serial = self.change(**collections)
        response = self.sync(serial)
        self.assertEqual((response.status, json.loads(response.body)),
                         (200, {"serial": serial}), response.body)

    def setUp(self):
        self.taken()

    def assertion(self, kid="k1", **changes):
        now = int(time.time())
        claims = {"iss": ROBOT, "aud": "https://oauth2.googleapis.com/token", "iat": now,
                  "exp": now + 3600, "scope": SCOPE, **changes}
        claims = {k: v for k, v in claims.items() if v is not None}
        parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=")
                 for p in ({"alg": "RS256", "typ": "JWT", "kid": kid}, claims)]
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.private],
                                   input=b".".join(parts), check=True, capture_output=True).stdout
        return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()

    def robot(self, **changes):
        response = self.form(grant_type=JWT_BEARER, assertion=self.assertion(**changes))
        self.assertEqual(response.status, 200, response.body)
        return json.loads(response.body)

    def rejected(self, description, assertion=None, status=400, **changes):
        response = self.form(grant_type=JWT_BEARER,
                             assertion=assertion or self.assertion(**changes))
        self.assertEqual(response.status, status, response.body)
        body = json.loads(response.body)
        self.assertIn(description, body["error_description"])
        return body["error"]

    def grant(self, account, member, role=CREATOR):
        return {f"serviceAccounts/{account}": {"etag": "AAAA", "version": 1, "bindings": [
            {"role": role, "members": [member]}]}}

    def test_a_key_s_assertion_becomes_an_access_token(self):
        answer = self.robot()
        self.assertEqual(sorted(answer), ["access_token", "expires_in", "token_type"])
        self.assertEqual((answer["expires_in"], answer["token_type"]), (3599, "Bearer"))
        info = self.info(answer["access_token"])
        self.assertEqual((info["email"], info["sub"], info["scope"]),
                         (ROBOT, "123456789012345678901", SCOPE))

    def test_or_an_identity_token(self):
        answer = self.robot(scope=None, target_audience="https://x",
                            aud=f"http://{self.shared}/token")
        self.assertEqual(list(answer), ["id_token"])
        _, claims = decode(answer["id_token"])
        self.assertEqual((claims["aud"], claims["email"], claims["sub"]),
                         ("https://x", ROBOT, "123456789012345678901"))

    def test_other_assertions_are_refused_in_google_s_words(self):
        now = int(time.time())
        rows = (("Invalid JWT Signature.", {"kid": "k2"}),
                ("Invalid grant: account not found", {"iss": "x@y.iam.gserviceaccount.com"}),
                ("Invalid JWT Signature.", {"iss": SECOND}),
                ("Failed audience check", {"aud": "https://example.com/token"}),
                ("short-lived token (60 minutes)", {"exp": now + 3700}),
                ("short-lived token (60 minutes)", {"iat": now - 3600, "exp": now - 10}))
        for text, changes in rows:
            self.assertEqual(self.rejected(text, **changes), "invalid_grant", changes)
        self.assertEqual(self.rejected("Invalid OAuth scope", scope=None), "invalid_scope")
        self.assertEqual(self.rejected("unauthorized", sub=ALICE, status=401),
                         "unauthorized_client")
        good = self.assertion()
        self.assertEqual(self.rejected("Signature", good[:-4] + "AAAA"), "invalid_grant")
        self.assertEqual(self.rejected("Signature", "x" * 30000), "invalid_grant")
        self.assertEqual(self.form(grant_type=JWT_BEARER).status, 400)

    def test_a_key_that_is_disabled_or_deleted_logs_nobody_in_any_more(self):
        self.robot()
        robot = self.document["accounts"][ROBOT]
        disabled = [{"id": "k1", "publicKey": self.public, "disabled": True}]
        self.taken(accounts={ROBOT: {**robot, "keys": disabled}})
        self.rejected("Invalid JWT Signature.")
        self.taken(accounts={ROBOT: {**robot, "keys": []}})
        self.rejected("Invalid JWT Signature.")

    def test_tokens_of_an_account_end_with_it(self):
        token = self.robot()["access_token"]
        self.assertIsNotNone(self.info(token))
        robot = self.document["accounts"][ROBOT]
        self.taken(accounts={ROBOT: {**robot, "disabled": True}})
        self.assertIsNone(self.info(token))
        error = self.refused(self.api("generateIdToken", {"audience": "x"}, bearer=token), 401,
                             "UNAUTHENTICATED")
        self.assertEqual(error["details"][0]["reason"], "ACCOUNT_STATE_INVALID")
        self.rejected("Invalid grant: account disabled")
        self.refused(self.api("generateIdToken", {"audience": "x"}, account=ROBOT,
                              bearer=self.bearer()), 400, "FAILED_PRECONDITION", "is disabled")
        self.taken(accounts={})
        self.assertIsNone(self.info(token))
        self.taken(accounts={ROBOT: {**robot, "uniqueId": "9" * 21}})
        self.assertIsNone(self.info(token))  # another account of the same name
        self.taken(accounts={ROBOT: robot})
        self.assertEqual(self.info(token)["email"], ROBOT)

    def test_an_account_s_own_policy_counts_at_once(self):
        frontend = self.own_token()
        ask = {"audience": "x", "includeEmail": True}
        self.refused(self.api("generateIdToken", ask, account=ROBOT, bearer=frontend), 403,
                     "PERMISSION_DENIED")
        self.taken(policies=self.grant(ROBOT, f"serviceAccount:{EMAIL}"))
        token = self.good("generateIdToken", ask, account=ROBOT, bearer=frontend)["token"]
        self.assertEqual(decode(token)[1]["email"], ROBOT)
        self.refused(self.api("generateIdToken", ask, account=SECOND, bearer=frontend), 403,
                     "PERMISSION_DENIED")
        self.taken()
        self.refused(self.api("generateIdToken", ask, account=ROBOT, bearer=frontend), 403,
                     "PERMISSION_DENIED")

    def test_a_grant_counts_while_its_condition_holds(self):
        frontend, ask = self.own_token(), {"audience": "x"}
        for expression, status in (
                ("request.time < timestamp('2020-01-01T00:00:00Z')", 403),
                ("request.time > timestamp('2020-01-01T00:00:00Z')", 200),
                (f"resource.name.endsWith('/serviceAccounts/{ROBOT}')", 200),
                (f"resource.name.endsWith('/serviceAccounts/{SECOND}')", 403)):
            policies = self.grant(ROBOT, f"serviceAccount:{EMAIL}")
            policy = policies[f"serviceAccounts/{ROBOT}"]
            policy["version"] = 3
            policy["bindings"][0]["condition"] = {"title": "t", "expression": expression}
            self.taken(policies=policies)
            response = self.api("generateIdToken", ask, account=ROBOT, bearer=frontend)
            self.assertEqual(response.status, status, expression)

    def test_a_deny_rule_outweighs_every_grant(self):
        alice, ask = self.bearer(), {"audience": "x"}
        rule = {"deniedPrincipals": [f"principal://goog/subject/{ALICE}"],
                "deniedPermissions": ["iam.googleapis.com/serviceAccounts.getOpenIdToken"]}
        self.taken(deny={"d": {"displayName": "d", "rules": [{"denyRule": rule}]}})
        self.refused(self.api("generateIdToken", ask, bearer=alice), 403, "PERMISSION_DENIED",
                     "getOpenIdToken")
        self.process.err.wait_for("change deny policy d,")
        self.good("signBlob", {"payload": "Zm9v"}, bearer=alice)
        self.taken()
        self.good("generateIdToken", ask, bearer=alice)

    def test_members_of_a_group_have_what_the_group_has(self):
        self.taken(policies=self.grant(ROBOT, "group:team@example.com"))
        for user, status in (("dave@example.com", 200), ("erin@example.com", 403)):
            response = self.api("generateIdToken", {"audience": "x"}, account=ROBOT,
                                bearer=self.bearer(user))
            self.assertEqual(response.status, status, user)

    def test_each_link_of_a_chain_has_to_hold(self):
        policies = {**self.grant(ROBOT, f"serviceAccount:{EMAIL}"),
                    **self.grant(SECOND, f"serviceAccount:{ROBOT}")}
        self.taken(policies=policies)
        frontend = self.own_token()
        ask = {"scope": [SCOPE]}
        self.refused(self.api("generateAccessToken", ask, account=SECOND, bearer=frontend), 403,
                     "PERMISSION_DENIED", "getAccessToken")
        for name in (f"projects/-/serviceAccounts/{ROBOT}", ROBOT):
            answer = self.good("generateAccessToken", {**ask, "delegates": [name]},
                               account=SECOND, bearer=frontend)
            self.assertEqual(self.info(answer["accessToken"])["email"], SECOND)
        self.refused(self.api("generateAccessToken", {**ask, "delegates": [SECOND]},
                              account=ROBOT, bearer=frontend), 403, "PERMISSION_DENIED",
                     "implicitDelegation")
        chained = self.good("generateAccessToken", ask, account=ROBOT, bearer=frontend)
        self.good("generateAccessToken", ask, account=SECOND, bearer=chained["accessToken"])

    def test_sync_says_what_is_in_force(self):
        self.assertEqual(self.sync(self.serial + 1).status, 503)
        self.assertEqual(self.sync(1).status, 200)
        for query in ("", "?serial=", "?serial=x", "?serial=-1"):
            response = http("POST", f"http://{self.shared}/invoker/v1/sync{query}", {}, b"")
            self.refused(response, 400, "INVALID_ARGUMENT")
        self.refused(http("GET", f"http://{self.shared}/invoker/v1/sync?serial=1"), 405,
                     "UNIMPLEMENTED")

    def test_an_unreadable_state_is_not_taken(self):
        (self.state / "state.json").write_text("{", encoding="utf-8")
        self.refused(self.sync(self.serial + 1), 503, "UNAVAILABLE")
        self.assertEqual(self.info(self.robot()["access_token"])["email"], ROBOT)


class Expiry(Caller, MetadataCase):
    content = with_policy(emulation={"token_lifetime": "120s"})

    def test_the_topology_s_token_lifetime_holds_unless_one_is_asked_for(self):
        answer = self.login()
        self.assertEqual(answer["expires_in"], 119)
        token = self.good("generateIdToken", {"audience": "x"},
                          bearer=answer["access_token"])["token"]
        _, claims = decode(token)
        self.assertEqual(claims["exp"] - claims["iat"], 120)
        info = self.info(self.good("generateAccessToken", {"scope": [SCOPE], "lifetime": "300s"},
                                   bearer=answer["access_token"])["accessToken"])
        self.assertTrue(120 < int(info["expires_in"]) <= 300)


if __name__ == "__main__":
    unittest.main()
