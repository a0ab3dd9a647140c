"""Cloud Run's decision table at a private service and at an open one, byte for byte: status, page,
challenge, log text; nothing that is refused reaches the container."""

import html
import itertools
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.rawhttp import Client

W401 = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
L_EMPTY = ("The request was not authenticated. Either allow unauthenticated invocations or set the "
           "proper Authorization header. Empty Authorization header value.")
L_BAD = ("The request was not authorized to invoke this service. The access token could not be "
         "verified.")
L_DENY = "The request was not authorized to invoke this service."


def page(code, reason, message):
    return ("\n<html><head>\n"
            '<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
            f"<title>{code} {reason}</title>\n</head>\n"
            "<body text=#000000 bgcolor=#ffffff>\n"
            f"<h1>Error: {reason}</h1>\n<h2>{message}</h2>\n<h2></h2>\n</body></html>\n")


def page_401(path):
    return page(401, "Unauthorized", "Your client does not have permission to the requested URL "
                f"<code>{html.escape(path)}</code>.")


def page_403(path):
    return page(403, "Forbidden", "Your client does not have permission to get URL "
                f"<code>{html.escape(path)}</code> from this server.")


class Decisions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths = (f"/case-{i}" for i in itertools.count())
        cls.g = Gateway(
            {"private": {"service_account": "backend-sa"},
             "open": {},
             "unchecked": {"invoker_iam_check": False},
             "members": {}},
            {"frontend-sa": ["private"], "allUsers": ["open"], "allAuthenticatedUsers": ["members"]})
        cls.addClassCleanup(cls.g.close)
        cls.good = cls.g.token(audience="private")

    def ask(self, headers, name="private", method="GET"):
        path = next(self.paths)
        return path, self.g.get(name, path, headers, method)

    def entry(self, path):
        return self.g.entry(path)

    def assert_refused(self, headers, status, log_text, reason, method="GET", name="private"):
        before = len(self.g.upstreams[name].requests)
        path, r = self.ask(headers, name, method)
        self.assertEqual(r.status, status)
        self.assertEqual(r.text, page_401(path) if status == 401 else page_403(path))
        self.assertEqual(r.header("Content-Type"), "text/html; charset=UTF-8")
        self.assertEqual(r.header("WWW-Authenticate"), W401 if status == 401 else None)
        self.assertEqual(r.header("Server"), "Google Frontend")
        self.assertEqual(r.header("Alt-Svc"), 'h3=":443"; ma=2592000')
        self.assertRegex(r.header("X-Cloud-Trace-Context"), r"\A[0-9a-f]{32}\Z")
        self.assertEqual(len(self.g.upstreams[name].requests), before)
        entry = self.entry(path)
        self.assertEqual(entry["severity"], "WARNING")
        self.assertEqual(entry["httpRequest"]["status"], status)
        self.assertTrue(entry["textPayload"].startswith(log_text), entry["textPayload"])
        self.assertEqual(entry["invoker"]["reason"], reason)
        self.assertTrue(entry["invoker"]["explanation"])
        self.assertTrue(entry["invoker"]["fix"])
        return entry

    def assert_passes(self, headers, name="private"):
        path, r = self.ask(headers, name)
        self.assertEqual(r.status, 200)
        self.assertEqual(self.g.upstreams[name].last.target, path)
        entry = self.entry(path)
        self.assertEqual(entry["severity"], "INFO")
        self.assertNotIn("textPayload", entry)
        return entry

    # ---- no credential: 403 ----

    def test_no_header_at_all_is_403(self):
        self.assert_refused([], 403, L_EMPTY, "no_credential")

    def test_an_empty_header_is_403(self):
        self.assert_refused({"Authorization": ""}, 403, L_EMPTY, "empty_credential")

    def test_an_options_preflight_without_token_is_403_and_says_nothing_of_cors(self):
        self.assert_refused({"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"},
                            403, L_EMPTY, "no_credential", method="OPTIONS")

    def test_the_403_page_of_the_root_has_295_bytes_and_the_401_page_294(self):
        self.assertEqual(self.g.get("private").header("Content-Length"), "295")
        self.assertEqual(self.g.get("private", "/", {"Authorization": "Bearer x"})
                         .header("Content-Length"), "294")

    def test_a_page_shows_the_path_escaped_and_without_its_query(self):
        r = self.g.get("private", "/a&b'c?token=secret")
        self.assertEqual(r.text, page_403("/a&b'c").replace("&#x27;", "&#39;"))

    def test_head_gets_the_same_head_and_no_body(self):
        r = self.g.get("private", "/", method="HEAD")
        self.assertEqual((r.status, r.header("Content-Length"), r.body), (403, "295", b""))

    # ---- a credential that proves nothing: 401 ----

    def test_basic_is_401(self):
        self.assert_refused({"Authorization": "Basic eA=="}, 401, L_BAD, "not_bearer")

    def test_bearer_without_a_token_is_401(self):
        self.assert_refused({"Authorization": "Bearer"}, 401, L_BAD, "not_a_jwt")

    def test_garbage_behind_bearer_is_401(self):
        self.assert_refused({"Authorization": "Bearer abc"}, 401, L_BAD, "not_a_jwt")

    def test_two_tokens_in_one_header_are_401(self):
        self.assert_refused({"Authorization": f"Bearer {self.good}, Bearer {self.good}"}, 401, L_BAD,
                            "several_tokens")

    def test_the_header_sent_twice_is_401(self):
        self.assert_refused([("Authorization", f"Bearer {self.good}")] * 2, 401, L_BAD,
                            "repeated_header")

    def test_an_access_token_is_401(self):
        self.assert_refused(self.g.bearer("--access-token"), 401, L_BAD, "access_token")

    def test_a_forwarded_token_without_its_signature_is_401(self):
        stripped = self.good.rsplit(".", 1)[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
        self.assert_refused({"Authorization": f"Bearer {stripped}"}, 401, L_BAD,
                            "signature_removed")

    def bad(self, flag, reason):
        self.assert_refused(self.g.bearer(flag, audience="private"), 401, L_BAD, reason)

    def test_a_tampered_token_is_401(self):
        self.bad("--tampered", "bad_signature")

    def test_a_token_of_a_foreign_key_is_401(self):
        self.bad("--foreign-key", "unknown_key")

    def test_a_foreign_key_under_a_published_kid_is_401(self):
        self.bad("--foreign-key-same-kid", "bad_signature")

    def test_an_unsigned_token_is_401(self):
        self.bad("--unsigned", "bad_alg")

    def test_the_public_key_as_hmac_secret_is_401(self):
        self.bad("--hs256", "bad_alg")

    def test_an_expired_token_is_401(self):
        self.bad("--expired", "expired")

    def test_a_token_from_the_future_is_401(self):
        self.bad("--not-yet-valid", "not_yet_valid")

    def test_another_issuer_is_401(self):
        self.bad("--wrong-issuer", "wrong_issuer")

    def test_a_token_that_a_service_account_signed_itself_is_401(self):
        token = self.g.token("--issuer", email("frontend-sa"), audience="private")
        self.assert_refused({"Authorization": f"Bearer {token}"}, 401, L_BAD, "self_signed_jwt")

    def test_the_wrong_audience_is_401_and_the_log_names_both(self):
        entry = self.assert_refused(self.g.bearer(audience="https://elsewhere.example"), 401, L_BAD,
                                    "wrong_audience")
        self.assertIn("https://elsewhere.example", entry["invoker"]["explanation"])

    def test_a_bad_token_is_judged_again_each_time(self):
        headers = self.g.bearer("--tampered", audience="private")
        for _ in range(3):
            self.assert_refused(headers, 401, L_BAD, "bad_signature")

    # ---- somebody, but not allowed: 403 ----

    def test_a_good_token_without_a_grant_is_403_and_the_log_names_the_command(self):
        entry = self.assert_refused(self.g.bearer(account="other-sa", audience="private"), 403,
                                    L_DENY, "no_grant")
        self.assertEqual(entry["invoker"]["caller"], email("other-sa"))
        self.assertIn("gcloud run services add-iam-policy-binding private", entry["invoker"]["fix"])
        self.assertIn(f"serviceAccount:{email('other-sa')}", entry["invoker"]["fix"])

    def test_anonymous_is_403_where_any_google_account_may(self):
        self.assert_refused([], 403, L_EMPTY, "no_credential", name="members")

    # ---- allowed ----

    def test_a_good_token_with_a_grant_passes_again_and_again_on_one_connection(self):
        with Client(self.g.address("private")) as c:
            for _ in range(5):
                c.request("GET", "/again", {"Authorization": f"Bearer {self.good}"})
                self.assertEqual(c.read().status, 200)

    def test_the_log_names_caller_and_binding(self):
        entry = self.assert_passes({"Authorization": f"Bearer {self.good}"})
        self.assertEqual(entry["invoker"]["caller"], email("frontend-sa"))
        self.assertEqual(entry["invoker"]["reason"], "granted")
        self.assertTrue(entry["invoker"]["granted_at"].endswith("topology.yaml"))

    def test_the_scheme_is_case_insensitive_and_may_be_followed_by_several_blanks(self):
        for scheme in ("bearer ", "BEARER ", "Bearer   "):
            self.assert_passes({"Authorization": scheme + self.good})

    def test_a_token_without_email_is_known_by_its_number(self):
        entry = self.assert_passes(self.g.bearer("--no-email", audience="private"))
        self.assertEqual(entry["invoker"]["caller"], email("frontend-sa"))

    def test_the_issuer_without_https_is_google_too(self):
        self.assert_passes(self.g.bearer("--issuer", "accounts.google.com", audience="private"))

    def test_only_x_serverless_authorization_counts_when_both_are_there(self):
        good = f"Bearer {self.good}"
        bad = "Bearer " + self.g.token("--tampered", audience="private")
        self.assert_passes({"Authorization": bad, "X-Serverless-Authorization": good})
        self.assert_refused({"Authorization": good, "X-Serverless-Authorization": bad}, 401, L_BAD,
                            "bad_signature")

    def test_any_google_account_passes_where_all_authenticated_users_may(self):
        self.assert_passes(self.g.bearer(account="other-sa", audience="members"), "members")

    def test_an_open_service_takes_any_token_or_none(self):
        for headers in ([], {"Authorization": "Bearer garbage"}, {"Authorization": "Basic eA=="},
                        self.g.bearer("--wrong-issuer", audience="private")):
            self.assertEqual(self.assert_passes(headers, "open")["invoker"]["reason"], "public")

    def test_without_the_iam_check_anybody_passes(self):
        entry = self.assert_passes([], "unchecked")
        self.assertEqual(entry["invoker"]["reason"], "iam_check_disabled")


if __name__ == "__main__":
    unittest.main()
