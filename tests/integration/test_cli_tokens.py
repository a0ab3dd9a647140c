"""`invoker keys`, `invoker token` and `invoker inspect`, run as a developer runs them."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from tests.lib.process import ROOT, binary

INVOKER = binary()
TUTORIAL = os.path.join(ROOT, "policies", "tutorial.yaml")
BACKEND = "http://127.0.0.1:8082"
FRONTEND_SA = "frontend-sa@my-project.iam.gserviceaccount.com"


def part(token, n):
    """A decoded part of a token: JSON for 0 and 1, bytes for 2."""
    text = token.split(".")[n]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return json.loads(raw) if n < 2 else raw


class CliCase(unittest.TestCase):
    """A keys folder of its own, made once."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="invoker-cli-")
        cls.keys = os.path.join(cls.folder, "keys")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def invoker(self, *arguments, stdin="", cwd=ROOT):
        """The finished command."""
        env = {k: v for k, v in os.environ.items() if k != "INVOKER_CONFIG"}
        return subprocess.run([INVOKER, *arguments], input=stdin, capture_output=True, text=True,
                              timeout=120, check=False, cwd=cwd, env=env)

    def token(self, *arguments):
        """A token of frontend-sa for backend-api."""
        done = self.invoker("token", "-c", TUTORIAL, "--keys", self.keys, "--as", "frontend-sa",
                            "--audience", BACKEND, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.endswith("\n"))
        self.assertEqual(done.stdout.count("\n"), 1)
        return done.stdout.strip()

    def inspect(self, token, *arguments):
        """(exit status, JSON report)"""
        done = self.invoker("inspect", "-c", TUTORIAL, "--keys", self.keys, "--output", "json",
                            *arguments, "-", stdin=token)
        self.assertEqual(done.stderr, "")
        return done.returncode, json.loads(done.stdout)


class Keys(CliCase):
    """The folder of keys."""

    def test_init_list_and_rotate(self):
        """Init is made once, rotation keeps the former key published."""
        missing = self.invoker("keys", "list", "--keys", self.keys)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("invoker keys init --keys " + self.keys, missing.stderr)
        first = self.invoker("keys", "init", "--keys", self.keys)
        self.assertEqual(first.returncode, 0)
        self.assertIn("made", first.stdout)
        again = self.invoker("keys", "init", "--keys", self.keys)
        self.assertIn("there already", again.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.keys).st_mode), 0o700)
        for name in os.listdir(self.keys):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.keys, name)).st_mode), 0o600)
        old = self.token()
        done = self.invoker("keys", "rotate", "--keys", self.keys, "--overlap", "1000",
                            "--output", "json")
        report = json.loads(done.stdout)
        self.assertEqual([k["signing"] for k in report["keys"]], [True, False])
        self.assertIsNone(report["keys"][0]["published_until"])
        self.assertRegex(report["keys"][1]["published_until"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(part(old, 0)["kid"], report["keys"][1]["kid"])
        self.assertEqual(part(self.token(), 0)["kid"], report["keys"][0]["kid"])
        self.assertTrue(self.inspect(old)[1]["confirmed"])
        self.invoker("keys", "rotate", "--keys", self.keys, "--overlap", "0")
        listed = self.invoker("keys", "list", "--keys", self.keys)
        self.assertIn("signs", listed.stdout)
        self.assertIn("published until", listed.stdout)

    def test_usage_errors(self):
        """Exit status 2 and a hint."""
        for arguments in (["keys"], ["keys", "turn"], ["keys", "init", "list"],
                          ["keys", "rotate", "--overlap", "-1"], ["keys", "list", "-o", "xml"],
                          ["keys", "list", "-c", "/nonexistent.yaml"]):
            done = self.invoker(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "")
            self.assertEqual(done.stdout, "")

    def test_a_key_that_others_may_read_is_refused_with_the_cure(self):
        """The message is a command to copy."""
        keys = os.path.join(self.folder, "loose")
        self.invoker("keys", "init", "--keys", keys)
        name = next(n for n in os.listdir(keys) if n.endswith(".pem"))
        path = os.path.join(keys, name)
        os.chmod(path, 0o644)
        done = self.invoker("keys", "list", "--keys", keys)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600 " + path, done.stderr)


class Tokens(CliCase):
    """Good and bad tokens."""

    def test_a_token_as_the_metadata_server_mints_it(self):
        """Claims, header and lifetime."""
        token = self.token()
        header, claims = part(token, 0), part(token, 1)
        self.assertEqual(list(header), ["alg", "kid", "typ"])
        self.assertRegex(header["kid"], "^e01a[0-9a-f]{36}$")
        self.assertEqual(list(claims), ["aud", "azp", "email", "email_verified", "exp", "iat",
                                        "iss", "sub"])
        self.assertEqual(claims["aud"], BACKEND)
        self.assertEqual(claims["email"], FRONTEND_SA)
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        self.assertEqual(claims["iss"], "https://accounts.google.com")
        self.assertRegex(claims["sub"], "^1[0-9]{20}$")
        status, report = self.inspect(token)
        self.assertEqual(status, 0)
        self.assertEqual((report["kind"], report["valid"], report["confirmed"]),
                         ("id_token", True, True))
        services = {s["name"]: s for s in report["services"]}
        self.assertTrue(services["backend-api"]["accepts_audience"])
        self.assertTrue(services["backend-api"]["may_invoke"])
        self.assertFalse(services["db-service"]["accepts_audience"])
        self.assertFalse(services["db-service"]["may_invoke"])
        self.assertTrue(services["frontend"]["open"])

    def test_every_way_to_make_a_bad_one_is_refused_for_its_own_reason(self):
        """way, kind, reason; valid ones are those whose fault is the service's to see."""
        rows = [
            ("--expired", "id_token", "expired"),
            ("--not-yet-valid", "id_token", "not_yet_valid"),
            ("--wrong-issuer", "other_issuer", "wrong_issuer"),
            ("--foreign-key", "id_token", "unknown_key"),
            ("--foreign-key-same-kid", "id_token", "bad_signature"),
            ("--unsigned", "unsigned_jwt", "bad_alg"),
            ("--hs256", "other_alg", "bad_alg"),
            ("--tampered", "id_token", "bad_signature"),
            ("--access-token", "access_token", "access_token"),
            ("--issuer=" + FRONTEND_SA, "self_signed_jwt", "self_signed_jwt"),
        ]
        for way, kind, reason in rows:
            with self.subTest(way):
                status, report = self.inspect(self.token(way))
                self.assertEqual((status, report["kind"], report["reason"], report["valid"]),
                                 (1, kind, reason, False))
                self.assertTrue(report["cause"])

    def test_faults_that_only_a_service_sees(self):
        """The token is genuine; nobody accepts its audience, or it names no e-mail."""
        status, report = self.inspect(self.token("--wrong-audience"))
        self.assertEqual((status, report["valid"]), (0, True))
        self.assertFalse(any(s["accepts_audience"] for s in report["services"]))
        claims = part(self.token("--no-email"), 1)
        self.assertNotIn("email", claims)
        self.assertNotIn("email_verified", claims)

    def test_what_the_bad_ones_look_like(self):
        """The bytes are the attack that they are named after."""
        unsigned = self.token("--unsigned")
        self.assertTrue(unsigned.endswith("."))
        self.assertEqual(part(unsigned, 0)["alg"], "none")
        self.assertRegex(self.token("--access-token"), r"^ya29\.c\.[\w-]{100,}$")
        short = part(self.token("--lifetime", "5"), 1)
        self.assertEqual(short["exp"] - short["iat"], 5)
        confused = self.token("--hs256")
        pem = next(n for n in os.listdir(self.keys)
                   if n == part(confused, 0)["kid"] + ".pem")
        public = subprocess.run(["openssl", "pkey", "-pubout", "-in",
                                 os.path.join(self.keys, pem)], capture_output=True, check=True)
        mac = hmac.new(public.stdout, confused.rsplit(".", 1)[0].encode(), hashlib.sha256)
        self.assertEqual(part(confused, 2), mac.digest())

    def test_json_says_what_was_made(self):
        """For programs."""
        done = self.invoker("token", "-c", TUTORIAL, "--keys", self.keys, "--as", FRONTEND_SA,
                            "--audience", BACKEND, "--expired", "--format", "json")
        report = json.loads(done.stdout)
        self.assertEqual((report["account"], report["audience"], report["way"], report["kind"]),
                         (FRONTEND_SA, BACKEND, "expired", "id_token"))
        self.assertEqual(part(report["token"], 1)["email"], FRONTEND_SA)

    def test_usage_errors(self):
        """Each names what is wrong; nothing is printed that could pass for a token."""
        base = ["token", "-c", TUTORIAL, "--keys", self.keys]
        rows = [
            ([], "--as"),
            (["--as", "frontend-sa"], "--audience"),
            (["--as", "frontend-sa", "--audience", ""], "--audience"),
            (["--as", "frontnd-sa", "--audience", "x"], "did you mean 'frontend-sa'"),
            (["--as", "nobody-like-that", "--audience", "x"], "no service account"),
            (["--as", "frontend", "--audience", "x"], "runs as frontend-sa"),
            (["--as", "frontend-sa", "--audience", "x", "--expired", "--unsigned"], "exclude"),
            (["--as", "frontend-sa", "--audience", "x", "--wrong-issuer", "--issuer", "y"],
             "exclude"),
            (["--as", "frontend-sa", "--access-token", "--lifetime", "5"], "exclude"),
            (["--as", "frontend-sa", "--audience", "x", "--lifetime", "-5"], "--expired"),
            (["--as", "frontend-sa", "--audience", "x", "extra"], "extra"),
        ]
        for arguments, says in rows:
            with self.subTest(arguments):
                done = self.invoker(*base, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(says, done.stderr)


class Inspect(CliCase):
    """What may be handed to inspect."""

    def test_tokens_as_people_paste_them(self):
        """Quotes, blanks, whole header lines, as an operand or on standard input."""
        token = self.token()
        for text in (token, f" {token}\n", f"Bearer {token}", f"Authorization: Bearer {token}",
                     f'"{token}"', f"x-serverless-authorization: bearer {token}\r\n"):
            self.assertEqual(self.inspect(text)[0], 0, text[:40])
        done = self.invoker("inspect", "-c", TUTORIAL, "--keys", self.keys, token)
        self.assertEqual(done.returncode, 0)
        self.assertIn("this caller may invoke it", done.stdout)
        self.assertIn("(in 59 min", done.stdout.replace("(in 1 h)", "(in 59 min)"))
        self.assertNotIn(token.rsplit(".", 1)[1], done.stdout + done.stderr)

    def test_a_token_as_a_service_receives_it(self):
        """The signature is gone: it opens nothing, and that is said."""
        token = self.token().rsplit(".", 1)[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
        status, report = self.inspect(token)
        self.assertEqual((status, report["kind"]), (1, "signature_removed"))
        self.assertEqual(report["claims"]["email"], FRONTEND_SA)

    def test_missing_grant_and_its_cure(self):
        """Accepted audience, but not allowed."""
        done = self.invoker("token", "-c", TUTORIAL, "--keys", self.keys, "--as", "auth-sa",
                            "--audience", BACKEND)
        report = self.inspect(done.stdout)[1]
        backend = next(s for s in report["services"] if s["name"] == "backend-api")
        self.assertEqual((backend["may_invoke"], backend["reason"]), (False, "no_grant"))
        self.assertIn("gcloud run services add-iam-policy-binding backend-api", backend["fix"])

    def test_no_token_at_all(self):
        """Garbage is named as such, nothing crashes."""
        for text in ("hello", "a.b.c", "....", "\0\1\2", "e30.e30.", "\N{GREEK SMALL LETTER PI}",
                     "ya29.", "." * 60000, "A" * 60000 + "." + "B" * 60 + "."):
            status, report = self.inspect(text)
            self.assertEqual((status, report["valid"]), (1, False), text[:20])
        for text in ("", " \n", "A" * 70000):
            done = self.invoker("inspect", "-c", TUTORIAL, "-", stdin=text)
            self.assertEqual((done.returncode, done.stdout), (2, ""), text[:20])

    def test_foreign_text_moves_no_cursor(self):
        """Escape sequences in claims are shown, not sent to the terminal."""
        claims = base64.urlsafe_b64encode(json.dumps(
            {"aud": "\x1b[2J", "iss": "\x9b31m", "email": "a\x07@b.c", "sub": "1"},
            ensure_ascii=False).encode().replace(b"\x1b", b"\\u001b")).decode().rstrip("=")
        done = self.invoker("inspect", "-c", TUTORIAL, "--keys", self.keys, "-",
                            stdin=f"eyJhbGciOiJSUzI1NiJ9.{claims}.AAAA")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(all(c == "\n" or " " <= c <= "~" for c in done.stdout), done.stdout)

    def test_without_topology_and_keys(self):
        """Anywhere on the machine: decoded, judged as far as it goes, and the rest is said."""
        done = self.invoker("inspect", "--keys", os.path.join(self.folder, "none"),
                            "--output", "json", "-", stdin=self.token(), cwd=self.folder)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1)
        self.assertEqual((report["reason"], report["services"], report["keys"]),
                         ("keys_unavailable", [], None))
        self.assertEqual(report["claims"]["email"], FRONTEND_SA)


if __name__ == "__main__":
    unittest.main()
