"""Identity tokens, access tokens, and what verifiers ask for."""

import base64
import json
import subprocess
import tempfile
import time
import urllib.parse

from tests.lib.harness import http, run
from tests.lib.metadata import (AUDIENCE, BACKEND, EMAIL, FLAVOR, SA, SCOPE, MetadataCase, decode,
                                topology)

IDENTITY = f"{SA}/default/identity"
TOKEN = f"{SA}/default/token"
JSON = "application/json; charset=UTF-8"


def same_second(ask):
    """Calls ask() until two calls fell into one second; returns both answers."""
    while True:
        second = int(time.time())
        pair = ask(), ask()
        if int(time.time()) == second:
            return pair


class Identity(MetadataCase):
    def token(self, query, address=None):
        response = self.ask(f"{IDENTITY}?{query}", address=address)
        self.assertEqual(response.status, 200, response.body)
        return response.text

    def test_the_body_is_the_bare_token_as_text_html(self):
        response = self.ask(f"{IDENTITY}?audience={AUDIENCE}")
        self.assertRegex(response.text, r"\A[\w-]+\.[\w-]+\.[\w-]+\Z")
        self.assertEqual(response.header("Content-Type"), "text/html")
        self.assertEqual(response.header("Metadata-Flavor"), "Google")

    def test_the_header_has_alg_kid_and_typ(self):
        header, _ = decode(self.token(f"audience={AUDIENCE}"))
        self.assertEqual(list(header), ["alg", "kid", "typ"])
        self.assertEqual((header["alg"], header["typ"]), ("RS256", "JWT"))
        self.assertRegex(header["kid"], r"\A[0-9a-f]{40}\Z")

    def test_the_claims_are_cloud_run_s_in_either_format(self):
        for query in ("", "&format=standard&licenses=FALSE", "&format=full", "&licenses=TRUE",
                      "&format=full&licenses=true"):
            before = int(time.time())
            _, claims = decode(self.token(f"audience={AUDIENCE}{query}"))
            self.assertEqual(list(claims), ["aud", "azp", "email", "email_verified", "exp", "iat",
                                            "iss", "sub"], query)
            self.assertEqual(claims["aud"], AUDIENCE)
            self.assertEqual(claims["iss"], "https://accounts.google.com")
            self.assertEqual((claims["email"], claims["email_verified"]), (EMAIL, True))
            self.assertRegex(claims["sub"], r"\A1[0-9]{20}\Z")
            self.assertEqual(claims["azp"], claims["sub"])
            self.assertEqual(claims["exp"] - claims["iat"], 3600)
            self.assertTrue(before <= claims["iat"] <= time.time())

    def test_the_audience_is_verbatim(self):
        for audience in ("x", "https://a.example/path?q=1&r=2#f", "with space", "käse", "a\"\\b",
                         "32555940559.apps.googleusercontent.com", "x" * 8192):
            _, claims = decode(self.token("audience=" + urllib.parse.quote(audience, safe="")))
            self.assertEqual(claims["aud"], audience)

    def test_an_unencoded_audience_ends_at_an_ampersand(self):
        _, claims = decode(self.token("format=full&audience=https://x/?a=b&c=d"))
        self.assertEqual(claims["aud"], "https://x/?a=b")

    def test_no_empty_or_blank_audience_is_400_with_google_s_words(self):
        for query in ("", "?audience=", "?audience=%20", "?format=full", "?audience"):
            response = self.ask(IDENTITY + query)
            self.assertEqual((response.status, response.text),
                             (400, "non-empty audience parameter required"))
            self.assertEqual(response.header("Content-Type"), "text/html")
            self.assertEqual(response.header("Metadata-Flavor"), "Google")

    def test_an_overlong_or_undecodable_audience_is_400(self):
        for audience in ("x" * 8193, "%FF", "a%00b"):
            self.assertEqual(self.ask(f"{IDENTITY}?audience={audience}").status, 400)

    def test_within_a_second_the_same_request_gives_the_same_bytes(self):
        first, second = same_second(lambda: self.token("audience=same"))
        self.assertEqual(first, second)

    def test_a_new_token_is_minted_in_the_next_second(self):
        _, first = decode(self.token("audience=fresh"))
        while int(time.time()) <= first["iat"]:
            time.sleep(0.01)
        _, second = decode(self.token("audience=fresh"))
        self.assertGreater(second["iat"], first["iat"])

    def test_two_accounts_never_share_a_token(self):
        backend = self.topology.address("backend-api", "metadata")
        mine, theirs = same_second(lambda: (self.token("audience=x"),
                                            self.token("audience=x", backend)))[0]
        self.assertEqual([decode(t)[1]["email"] for t in (mine, theirs)], [EMAIL, BACKEND])

    def test_the_email_works_as_the_account_s_name(self):
        for name in (EMAIL, EMAIL.replace("@", "%40")):
            _, claims = decode(self.ask(f"{SA}/{name}/identity?audience=x").text)
            self.assertEqual(claims["email"], EMAIL)

    def test_wait_for_change_is_400_on_tokens(self):
        for path in (f"{IDENTITY}?audience=w&wait_for_change=true",
                     f"{TOKEN}?wait_for_change=true"):
            response = self.ask(path)
            self.assertEqual(response.status, 400)
            self.assertIn("Invalid Request", response.text)

    def test_openssl_confirms_the_signature_with_the_published_certificate(self):
        token = self.token(f"audience={AUDIENCE}")
        header, _ = decode(token)
        certs = json.loads(http("GET", f"http://{self.address}/oauth2/v1/certs").body)
        signed, _, signature = token.rpartition(".")
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("c.pem", certs[header["kid"]].encode()), ("s", signed.encode()),
                               ("sig", base64.urlsafe_b64decode(signature + "=="))):
                with open(f"{folder}/{name}", "wb") as f:
                    f.write(data)
            subprocess.run(["openssl", "x509", "-in", f"{folder}/c.pem", "-pubkey", "-noout",
                            "-out", f"{folder}/k.pem"], check=True, capture_output=True)
            subprocess.run(["openssl", "dgst", "-sha256", "-verify", f"{folder}/k.pem",
                            "-signature", f"{folder}/sig", f"{folder}/s"], check=True,
                           capture_output=True)


class Access(MetadataCase):
    def token(self, query="", address=None):
        response = self.ask(TOKEN + query, address=address)
        self.assertEqual(response.status, 200, response.body)
        return json.loads(response.body)

    def test_the_document_is_google_s(self):
        response = self.ask(TOKEN)
        self.assertEqual(response.header("Content-Type"), "application/json")
        self.assertRegex(response.text, r'\A\{"access_token":"ya29\.c\.[\w-]+",'
                                        r'"expires_in":[0-9]+,"token_type":"Bearer"\}\Z')
        self.assertTrue(3590 <= json.loads(response.body)["expires_in"] <= 3599)

    def test_the_same_token_is_handed_out_with_less_time_left(self):
        first, second = self.token(), self.token()
        self.assertEqual(first["access_token"], second["access_token"])
        self.assertLessEqual(second["expires_in"], first["expires_in"])
        by_email = json.loads(self.ask(f"{SA}/{EMAIL}/token").body)
        self.assertEqual(by_email["access_token"], first["access_token"])

    def test_another_scope_set_or_account_has_another_token(self):
        plain = self.token()["access_token"]
        self.assertEqual(self.token(f"?scopes={urllib.parse.quote(SCOPE)}")["access_token"], plain)
        two = self.token("?scopes=a,b")["access_token"]
        self.assertNotEqual(two, plain)
        self.assertEqual(self.token("?scopes=b%2Ca")["access_token"], two)
        other = self.token(address=self.topology.address("backend-api", "metadata"))
        self.assertNotEqual(other["access_token"], plain)

    def test_enforce_scopes_cannot_be_switched_off(self):
        for value in ("false", "0", "no", "n"):
            self.assertEqual(self.ask(f"{TOKEN}?enforce_scopes={value}").status, 400)
        self.assertEqual(self.ask(f"{TOKEN}?enforce_scopes=true&scopes=a").status, 200)

    def test_too_many_scopes_are_400(self):
        many = ",".join(f"s{n}" for n in range(100))
        self.assertEqual(self.ask(f"{TOKEN}?scopes={many}").status, 400)


class Documents(MetadataCase):
    def get(self, path, method="GET", headers=(), body=None):
        return http(method, f"http://{self.shared}{path}", headers, body)

    def test_certificates_and_jwks_have_the_same_kids_and_are_cacheable(self):
        v1, v3 = self.get("/oauth2/v1/certs"), self.get("/oauth2/v3/certs")
        for response in (v1, v3):
            self.assertEqual(response.status, 200)
            self.assertEqual(response.header("Content-Type"), JSON)
            self.assertRegex(response.header("Cache-Control"), r"\bpublic, max-age=[0-9]+, ")
        pem, keys = json.loads(v1.body), json.loads(v3.body)["keys"]
        self.assertEqual(sorted(pem), sorted(k["kid"] for k in keys))
        for key in keys:
            self.assertEqual((key["kty"], key["alg"], key["use"]), ("RSA", "RS256", "sig"))
        for text in pem.values():
            self.assertTrue(text.startswith("-----BEGIN CERTIFICATE-----\n"))

    def test_the_openid_configuration_points_at_the_keys_here(self):
        document = json.loads(self.get("/.well-known/openid-configuration").body)
        self.assertEqual(document["issuer"], "https://accounts.google.com")
        self.assertEqual(document["jwks_uri"], f"http://{self.shared}/oauth2/v3/certs")
        self.assertEqual(document["id_token_signing_alg_values_supported"], ["RS256"])
        self.assertEqual(document["subject_types_supported"], ["public"])
        self.assertEqual(self.get("/oauth2/v3/certs").status, 200)

    def test_documents_answer_head_and_refuse_other_methods(self):
        for path in ("/oauth2/v1/certs", "/oauth2/v3/certs", "/.well-known/openid-configuration"):
            self.assertEqual((self.get(path, "HEAD").status, self.get(path, "HEAD").body),
                             (200, b""))
            self.assertEqual(self.get(path, "POST", body=b"").status, 405)

    def test_tokeninfo_of_an_identity_token_has_only_strings(self):
        token = self.ask(f"{IDENTITY}?audience={AUDIENCE}").text
        header, claims = decode(token)
        for response in (self.get(f"/tokeninfo?id_token={token}"),
                         self.get("/tokeninfo", "POST", body=f"id_token={token}".encode())):
            self.assertEqual((response.status, response.header("Content-Type")), (200, JSON))
            info = json.loads(response.body)
            self.assertTrue(all(isinstance(v, str) for v in info.values()))
            self.assertEqual(info, {"iss": claims["iss"], "azp": claims["azp"], "aud": AUDIENCE,
                                    "sub": claims["sub"], "email": EMAIL, "email_verified": "true",
                                    "iat": str(claims["iat"]), "exp": str(claims["exp"]),
                                    "alg": "RS256", "kid": header["kid"], "typ": "JWT"})

    def test_tokeninfo_of_an_access_token(self):
        token = json.loads(self.ask(f"{TOKEN}?scopes=b,a").body)["access_token"]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for response in (self.get(f"/tokeninfo?access_token={token}"),
                         self.get("/tokeninfo", "POST",
                                  {"Authorization": f"Bearer {token}", **form}, b"")):
            info = json.loads(response.body)
            self.assertEqual((info["email"], info["scope"]), (EMAIL, "a b"))
            self.assertTrue(0 < int(info["expires_in"]) <= 3599)
            self.assertRegex(info["sub"], r"\A1[0-9]{20}\Z")

    def test_tokeninfo_refuses_what_it_did_not_mint(self):
        token = self.ask(f"{IDENTITY}?audience=x").text
        tampered = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
        for query in ("", "?id_token=", "?id_token=x", "?id_token=a.b.c", f"?id_token={tampered}",
                      "?access_token=ya29.c.x", f"?access_token={token}"):
            response = self.get("/tokeninfo" + query)
            self.assertEqual(response.status, 400, query)
            self.assertEqual(json.loads(response.body)["error"], "invalid_token")

    def test_documents_need_no_flavour_and_reveal_nobody(self):
        self.assertEqual(self.get("/oauth2/v3/certs", headers=FLAVOR).status, 200)
        self.assertIsNone(self.get("/oauth2/v3/certs").header("Metadata-Flavor"))


class Lifetime(MetadataCase):
    content = topology(emulation={"token_lifetime": "120s"})

    def test_the_topology_s_token_lifetime_holds_for_both_kinds(self):
        _, claims = decode(self.ask(f"{IDENTITY}?audience=x").text)
        self.assertEqual(claims["exp"] - claims["iat"], 120)
        first, second = (json.loads(self.ask(TOKEN).body) for _ in range(2))
        self.assertTrue(0 < first["expires_in"] <= 120)
        # Never more than 300 s left: a new one each time, or clients that renew early would loop.
        self.assertNotEqual(first["access_token"], second["access_token"])


class Disabled(MetadataCase):
    content = topology(service_accounts={"frontend-sa": {"disabled": True}, "backend-sa": {}})

    def test_a_disabled_account_gets_the_500_of_a_backend_that_fails(self):
        for target in (f"{IDENTITY}?audience=x&y=%20z", TOKEN):
            response = self.ask(target)
            self.assertEqual((response.status, response.text),
                             (500, f"Could not fetch URI {target}\n"))
            self.assertEqual(response.header("Metadata-Flavor"), "Google")
        self.process.err.wait_for("the account is disabled")
        self.assertEqual(self.ask(IDENTITY).status, 400)
        self.assertEqual(self.value(f"{SA}/default/email"), EMAIL)


class Rotation(MetadataCase):
    def test_a_key_made_by_another_process_signs_and_both_are_published(self):
        before, _ = decode(self.ask(f"{IDENTITY}?audience=before").text)
        status, _, err = run("keys", "rotate", "--keys", self.topology.keys)
        self.assertEqual(status, 0, err)
        kids = {k["kid"] for k in json.loads(
            http("GET", f"http://{self.shared}/oauth2/v3/certs").body)["keys"]}
        after, _ = decode(self.ask(f"{IDENTITY}?audience=after").text)
        self.assertNotEqual(after["kid"], before["kid"])
        self.assertLessEqual({before["kid"], after["kid"]}, kids)
