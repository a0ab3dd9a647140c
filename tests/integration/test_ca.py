"""The local certificate authority, as the commands, the gateway and OpenSSL see it."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import unittest

from tests.lib.gateway import Gateway
from tests.lib.harness import Process, Topology, run
from tests.lib.process import wait_until
from tests.lib.up import Up, python, service

SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                  "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem")
TRUST = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
         "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          check=True, stdin=subprocess.DEVNULL).stdout


class Folder(unittest.TestCase):
    """A folder of its own for each test; the authority in it is not there yet."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="invoker-ca-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.ca = self.root / "ca"


    def command(self, *arguments, status=0, env=None):
        """Standard output, or standard error of what has to fail."""
        code, out, err = run("ca", *arguments, env=env, cwd=self.root)
        self.assertEqual((code, bool(err)), (status, status != 0), err)
        return err if status else out

    def init(self):
        return json.loads(self.command("init", "--ca", str(self.ca), "-o", "json"))


class Command(Folder):
    def test_init_makes_it_once(self):
        first = self.command("init", "--ca", str(self.ca))
        self.assertTrue(first.startswith("made the certificate authority"), first)
        again = self.command("init", "--ca", str(self.ca))
        self.assertTrue(again.startswith("there already: "), again)
        self.assertEqual(first.splitlines()[1:], again.splitlines()[1:])
        report = self.init()
        self.assertEqual(list(report),
                         ["made", "certificate", "key", "bundle", "sha256", "expires"])
        self.assertIs(report["made"], False)
        said = openssl("x509", "-in", self.ca / "ca.pem", "-noout", "-fingerprint", "-sha256")
        self.assertEqual(said.strip().partition("=")[2], report["sha256"])
        self.assertEqual({p.name: mode(p) for p in self.ca.iterdir()},
                         {"ca.pem": 0o644, "ca.key": 0o600, "bundle.pem": 0o644})

    def test_openssl_takes_the_certificate_for_an_authority(self):
        report = self.init()
        text = openssl("x509", "-in", report["certificate"], "-noout", "-text")
        for part in ("Version: 3", "CN = Invoker local CA ", "NIST CURVE: P-256",
                     "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
                     "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
                     "X509v3 Subject Key Identifier"):
            self.assertIn(part, text)
        self.assertNotIn(socket.gethostname(), text)
        openssl("verify", "-x509_strict", "-CAfile", report["certificate"], report["certificate"])
        openssl("x509", "-in", report["certificate"], "-noout", "-checkend", 9 * 365 * 86400)

    def test_the_bundle_is_the_systems_roots_and_the_authority(self):
        report = self.init()
        roots = next((p for p in SYSTEM_BUNDLES if os.path.exists(p)), None)
        bundle = pathlib.Path(report["bundle"])
        wanted = (pathlib.Path(roots).read_bytes() if roots else b"") + \
            pathlib.Path(report["certificate"]).read_bytes()
        self.assertEqual(bundle.read_bytes(), wanted)
        bundle.write_bytes(b"stale")
        self.command("env", "--ca", str(self.ca))
        self.assertEqual(bundle.read_bytes(), wanted)
        ssl.create_default_context(cafile=str(bundle))

    def test_path_is_that_of_the_certificate(self):
        err = self.command("path", "--ca", str(self.ca), status=1)
        self.assertIn(f"invoker ca init --ca {self.ca}", err)
        self.assertFalse(self.ca.exists())
        self.init()
        out = self.command("path", "--ca", "ca")
        self.assertEqual(out, str(self.ca / "ca.pem"))
        out = self.command("path", "--ca", "ca", "--output=json")
        self.assertEqual(json.loads(out), str(self.ca / "ca.pem"))

    def test_env_makes_it_and_says_how_to_trust_it(self):
        text = self.command("env", "--ca", str(self.ca))
        self.assertIn(f"export SSL_CERT_FILE='{self.ca}/bundle.pem'\n", text)
        env = json.loads(self.command("env", "--ca", str(self.ca), "--shell", "json"))
        self.assertEqual(env, {**{name: f"{self.ca}/bundle.pem" for name in TRUST},
                               "NODE_EXTRA_CA_CERTS": f"{self.ca}/ca.pem"})
        self.assertEqual(json.loads(self.command("env", "--ca", str(self.ca), "-o", "json")), env)

    def test_where_the_folder_is(self):
        nowhere = {"INVOKER_CA": "", "INVOKER_CONFIG": "", "XDG_STATE_HOME": str(self.root)}
        topology = self.root / "t.yaml"
        topology.write_text("project: { id: my-project, number: 123456789012 }\nkeys: stated\n"
                            "services: { a: {} }\n", encoding="ascii")
        rows = [
            (["--ca", "one", "--keys", "k"], {"INVOKER_CA": str(self.root / "two")}, "one"),
            (["--keys", "k"], {"INVOKER_CA": str(self.root / "two")}, "k/ca"),
            ([], {"INVOKER_CA": str(self.root / "two")}, "two"),
            (["-c", "t.yaml"], nowhere, "stated/ca"),
            ([], nowhere, "invoker/keys/ca"),
        ]
        for arguments, env, place in rows:
            with self.subTest(place):
                self.command("init", *arguments, env=env)
                self.assertTrue((self.root / place / "ca.key").exists())

    def test_processes_that_start_together_have_the_same_one(self):
        found = []

        def start():
            found.append(self.init()["sha256"])
        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), 8)
        self.assertEqual(len(set(found)), 1)
        self.assertEqual(sorted(os.listdir(self.ca)), ["bundle.pem", "ca.key", "ca.pem"])

    def test_what_is_unsafe_or_broken_is_refused_with_its_cure(self):
        self.init()
        key, certificate = self.ca / "ca.key", self.ca / "ca.pem"
        kept = key.read_bytes()
        key.chmod(0o640)
        err = self.command("init", "--ca", str(self.ca), status=1)
        self.assertIn(f"others may read this private key (mode 0640); mend with: chmod 600 {key}",
                      err)
        key.chmod(0o600)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        for action in ("init", "path", "env"):
            err = self.command(action, "--ca", str(self.ca), status=1)
            self.assertIn(f"belongs to another key than the one in ca.key; mend with: rm "
                          f"{certificate} {key}", err)
        key.write_bytes(kept)
        openssl("x509", "-in", certificate, "-signkey", key, "-days", "-1", "-out", certificate)
        self.assertIn("expired at ", self.command("path", "--ca", str(self.ca), status=1))
        subprocess.run(["rm", certificate, key], check=True)
        self.assertIs(self.init()["made"], True)

    def test_unknown_words_are_refused(self):
        self.assertIn("expected one action: init, path or env", self.command(status=2))
        self.assertIn("unknown action 'inti'", self.command("inti", status=2))
        self.assertIn("did you mean '--keys'?", self.command("init", "--kyes", "x", status=2))
        self.assertIn("--shell is sh, fish,", self.command("env", "--shell", "tcsh", status=2))


SHOW = python("import json, os; print(json.dumps(dict(os.environ)))")


class InEnvironments(Folder):
    TOPOLOGY = {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1",
                "services": {"back": {"command": service()},
                             "own": {"env": {"HTTPS_PROXY": "", "SSL_CERT_FILE": "/mine.pem"}}},
                "matrix": {"allUsers": ["back"]}}

    def check(self, env, info, ca):
        for name in TRUST:
            self.assertEqual(env[name], f"{ca}/bundle.pem")
        self.assertEqual(env["NODE_EXTRA_CA_CERTS"], f"{ca}/ca.pem")
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            self.assertEqual(env[name], f"http://{info['ingress']}")
        for name in ("NO_PROXY", "no_proxy"):
            self.assertEqual(env[name], "corp.test,127.0.0.1,localhost,::1,169.254.169.254,"
                                        "metadata.google.internal")
        self.assertEqual(env["NODE_USE_ENV_PROXY"], "1")

    def test_up_sets_them_for_services_and_cmd(self):
        given = {"NO_PROXY": "corp.test", "HTTP_PROXY": "http://127.0.0.1:9"}
        with Topology(self.TOPOLOGY) as t, Up(t, command=SHOW, env=given) as up:
            info = up.ready()
            ca = t.keys / "ca"
            self.assertEqual((info["ca"], info["ca_bundle"]),
                             (f"{ca}/ca.pem", f"{ca}/bundle.pem"))
            self.assertEqual(up.wait(), 0)
            env = json.loads(up.out.all()[1])
            self.check(env, info, ca)
            self.assertEqual(env["INVOKER_CA"], str(ca))
        with Topology(self.TOPOLOGY) as t, Up(t, "--ca", str(self.ca), env=given) as up:
            info = up.ready()
            with socket.create_connection(info["services"]["back"]["upstream"]
                                          .removeprefix("http://").split(":")) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = s.makefile("rb").read()
            self.check(json.loads(answer.partition(b"\r\n\r\n")[2]), info, self.ca)
            self.assertFalse((t.keys / "ca").exists())

    def test_run_and_env_set_them_as_the_running_gateway_has_its_ingress(self):
        given = {"NO_PROXY": "corp.test"}
        with Topology(self.TOPOLOGY) as t, Up(t) as up:
            info = up.ready()
            given["INVOKER_CONTROL"] = info["control"]
            ca = ("--ca", str(self.ca))
            with Process("run", *ca, "-c", t.path, "back", "--", *SHOW, env=given) as container:
                self.assertEqual(container.wait(), 0)
                self.check(json.loads(container.out.text()), info, self.ca)
            status, out, err = run("env", *ca, "-c", t.path, "back", "--shell", "json", env=given)
            self.assertEqual((status, err), (0, ""))
            self.check(json.loads(out), info, self.ca)

    def test_the_keys_folder_that_up_was_given_names_the_authority_too(self):
        keys = self.root / "k"
        with Topology(self.TOPOLOGY) as t:
            status, out, err = run("env", "-c", t.path, "--keys", keys, "back", "--shell=json")
            self.assertEqual((status, err), (0, ""))
            self.assertEqual(json.loads(out)["NODE_EXTRA_CA_CERTS"], f"{keys}/ca/ca.pem")

    def test_a_services_own_variables_win(self):
        with Topology(self.TOPOLOGY) as t:
            _, out, _ = run("env", "-c", t.path, "own", "--shell", "json")
            env = json.loads(out)
            self.assertEqual((env["HTTPS_PROXY"], env["https_proxy"]), ("", ""))
            self.assertEqual(env["http_proxy"], "http://127.0.0.1:8080")
            self.assertEqual(env["SSL_CERT_FILE"], "/mine.pem")

    def test_without_an_authority_the_rest_is_set(self):
        self.ca.write_text("in the way", encoding="ascii")
        with Topology(self.TOPOLOGY) as t:
            status, out, err = run("env", "-c", t.path, "--ca", self.ca, "back", "--shell=json")
            self.assertEqual(status, 0)
            self.assertIn("nothing is set that TLS needs: ", err)
            self.assertIn("is a file", err)
            env = json.loads(out)
            self.assertNotIn("SSL_CERT_FILE", env)
            self.assertEqual(env["K_SERVICE"], "back")
            self.assertIn("HTTPS_PROXY", env)
            with Up(t, "--ca", str(self.ca), command=SHOW) as up:
                self.assertEqual(up.wait(20), 0)
                info, env = map(json.loads, up.out.all())
                self.assertEqual((info["ca"], info["ca_bundle"]), (None, None))
                self.assertEqual(env.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_FILE"))
                self.assertIn("TLS is off", up.err.text())


class AtTheGateway(Folder):
    def gateway(self, *options, env=None):
        g = Gateway({"open": {}}, {"allUsers": ["open"]}, options=options, env=env)
        self.addCleanup(g.close)
        self.assertEqual(g.get("open").status, 200)
        return g

    def test_it_makes_its_authority_where_it_is_told(self):
        self.gateway("--ca", str(self.ca))
        self.assertEqual(sorted(os.listdir(self.ca)), ["ca.key", "ca.pem"])
        other = self.root / "other"
        g = self.gateway(env={"INVOKER_CA": str(other)})
        self.assertTrue((other / "ca.pem").exists())
        self.assertNotIn("TLS is off", g.process.err.text())

    def test_unless_told_it_is_beside_the_signing_keys(self):
        g = self.gateway(env={"INVOKER_CA": ""})
        self.assertTrue((g.topology.keys / "ca" / "ca.key").exists())

    def test_without_an_authority_everything_but_tls_works(self):
        self.ca.write_text("in the way", encoding="ascii")
        for place, why in ((str(self.ca), "is a file"), ("/proc/self/no/ca", "cannot make")):
            with self.subTest(place):
                g = self.gateway("--ca", place)
                line = g.process.wait_for_line("TLS is off")
                self.assertIn(why, line)

    def test_one_that_others_may_read_is_refused_at_start(self):
        run("ca", "init", "--ca", self.ca)
        (self.ca / "ca.key").chmod(0o644)
        g = self.gateway("--ca", str(self.ca))
        self.assertIn("chmod 600", g.process.wait_for_line("TLS is off"))

    def test_one_that_cannot_be_opened_turns_clients_away_until_it_is_mended(self):
        run("ca", "init", "--ca", self.ca)
        good = (self.ca / "ca.key").read_bytes()
        (self.ca / "ca.key").write_bytes(b"no key")
        g = self.gateway("--ca", str(self.ca))
        trust = ssl.create_default_context(cafile=self.ca / "ca.pem")

        def connect():
            host, port = g.address("open").rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=10) as plain, \
                    trust.wrap_socket(plain, server_hostname="localhost") as s:
                return s.version()

        for attempt in (1, 2):
            with self.assertRaises(ssl.SSLError):
                connect()
            lines = wait_until(lambda n=attempt: len(found := [
                line for line in g.process.err.text().splitlines()
                if "cannot make a certificate" in line]) == n and found, what="the log")
            self.assertIn("ca.key", lines[-1])
        self.assertEqual(g.get("open").status, 200)
        (self.ca / "ca.key").write_bytes(good)
        self.assertEqual(connect(), "TLSv1.3")


if __name__ == "__main__":
    unittest.main()
