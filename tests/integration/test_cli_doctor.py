"""`invoker doctor`: each fault provoked for real is found, and what it says mends it, does."""

import contextlib
import email.utils
import http.server as http_server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from tests.lib.gateway import Gateway
from tests.lib.harness import (Process, Topology, answer, binary, closed_port, http,
                               wait_until)
from tests.lib.process import ca_folder
from tests.lib.up import Up, service

PROJECT = "my-project"
METADATA = ("GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT")


def account(name):
    return f"{name}@{PROJECT}.iam.gserviceaccount.com"


def topology():
    return {"project": {"id": PROJECT, "number": 123456789012}, "region": "us-central1",
            "service_accounts": {"front-sa": {}, "back-sa": {}},
            "services": {"front": {"service_account": "front-sa", "command": service(),
                                   "upstream": "http://127.0.0.1:1"},
                         "back": {"service_account": "back-sa", "command": service(),
                                  "upstream": "http://127.0.0.1:2"}},
            "matrix": {"allUsers": ["front"], "front-sa": ["back"]}}


class Report:
    """What it printed as JSON, with its exit status."""

    def __init__(self, status, text):
        self.status = status
        self.data = json.loads(text)
        self.findings = self.data["findings"]
        self.libraries = {row["library"]: row for row in self.data["libraries"]}

    def codes(self, level):
        return [f["code"] for f in self.findings if f["level"] == level]

    def find(self, code):
        found = [f for f in self.findings if f["code"] == code]
        assert found, f"no {code} in {json.dumps(self.data, indent=1)}"
        return found[0]


class DoctorCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="invoker-test-home-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, True)
        (cls.home / "bin").mkdir()
        (cls.home / "bin" / "invoker").symlink_to(binary())

    def plain(self, **more):
        """An environment with nothing in it that was not put there."""
        path = f"{self.home}/bin:{os.environ['PATH']}"
        keep = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        return {**keep, "PATH": path, "HOME": str(self.home), "INVOKER_CA": ca_folder(), **more}

    def doctor(self, env, *words, patience=4000):
        """Its report on that environment. A machine on which many tests run is slow."""
        began = time.monotonic()
        p = subprocess.run([binary(), "doctor", "-o", "json", "--patience", str(patience),
                            *map(str, words)], env=env, check=False, capture_output=True, text=True,
                           timeout=60)
        self.took = time.monotonic() - began
        self.assertIn(p.returncode, (0, 1), p.stderr)
        self.assertEqual(p.stderr, "")
        report = Report(p.returncode, p.stdout)
        self.assertEqual(p.returncode, 1 if report.data["problems"] else 0)
        return report

    def after(self, env, command):
        """The environment of a shell after the command."""
        p = subprocess.run(["bash", "-ec", f"{command}\nenv -0"], env=env, check=True,
                           capture_output=True)
        pairs = (item.partition("=") for item in p.stdout.decode().split("\0") if item)
        return {name: value for name, _, value in pairs}


class Environments(DoctorCase):
    """One topology that runs well; what differs is the shell."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.t = Topology(topology())
        cls.addClassCleanup(cls.t.close)
        cls.up = Up(cls.t)
        cls.addClassCleanup(cls.up.kill)
        cls.info = cls.up.ready()

    def args(self, *words):
        return ["-c", self.t.path, "--keys", self.t.keys, "--ca", ca_folder(),
                "--control", self.info["control"], *words]

    def metadata(self, name):
        return self.info["services"][name]["metadata"]

    def good(self, name="back", **more):
        """What `invoker env` sets, and then more; None takes a variable out."""
        words = " ".join(f"'{w}'" for w in self.args(name))
        env = {**self.after(self.plain(), f'eval "$(invoker env {words})"'), **more}
        return {k: v for k, v in env.items() if v is not None}

    def assert_found_and_mended(self, env, code, *also, name="back"):
        """The finding is there and is a problem; after its mend no problem is left."""
        report = self.doctor(env, *self.args(name))
        finding = report.find(code)
        self.assertEqual(finding["level"], "problem", finding)
        for other in also:
            self.assertIn(other, report.codes("problem"))
        mended = self.doctor(self.after(env, finding["mend"]), *self.args(name))
        self.assertEqual(mended.codes("problem"), [], finding["mend"])
        return report, finding

    def test_with_what_env_prints_all_is_well(self):
        for name in ("front", "back"):
            with self.subTest(name):
                report = self.doctor(self.good(name), *self.args(name))
                self.assertEqual((report.status, report.codes("problem")), (0, []))
                for library, row in report.libraries.items():
                    if library not in ("PHP google/auth", "gRPC C core"):
                        self.assertTrue(row["found"], row)
                        self.assertEqual(row["as"], account(f"{name}-sa"), library)
                self.assertIn("the gateway's keys confirm", report.find("token")["seen"])

    def test_the_service_is_told_by_the_variables_when_it_is_not_named(self):
        report = self.doctor(self.good("back"), *self.args())
        self.assertIn(f"as back ({account('back-sa')})", report.data["case"])
        self.assertEqual(report.status, 0)

    def test_an_empty_shell_is_told_what_to_set(self):
        report, finding = self.assert_found_and_mended(
            self.plain(), "metadata_variables_missing", "libraries_lost")
        self.assertIn(self.metadata("back"), finding["expected"])
        self.assertFalse(report.libraries["Python google-auth"]["found"])

    def test_an_empty_shell_is_no_problem_when_nobody_in_particular_is_meant(self):
        report = self.doctor(self.plain(), *self.args())
        self.assertEqual((report.status, report.codes("problem")), (0, []))
        self.assertIn("metadata_variables_missing", report.codes("warning"))

    def test_a_wrong_port(self):
        wrong = f"127.0.0.1:{closed_port()}"
        env = self.good(**dict.fromkeys(METADATA, wrong))
        report, finding = self.assert_found_and_mended(env, "metadata_variable_wrong",
                                                       "libraries_lost")
        self.assertIn(wrong, finding["seen"])
        for library in ("Python google-auth", "Java google-auth-library", "gcloud"):
            self.assertIn("Connection refused", report.libraries[library]["why"])

    def test_another_services_metadata_server(self):
        env = self.good(**dict.fromkeys(METADATA, self.metadata("front")))
        report, finding = self.assert_found_and_mended(env, "metadata_variable_other",
                                                       "libraries_other_account")
        self.assertIn("front's metadata server", finding["seen"])
        self.assertEqual(report.libraries["Go api/idtoken"]["as"], account("front-sa"))

    def test_the_service_itself_in_the_place_of_its_metadata_server(self):
        url = self.info["services"]["back"]["url"].removeprefix("http://")
        env = self.good(**dict.fromkeys(METADATA, url))
        _, finding = self.assert_found_and_mended(env, "metadata_variable_wrong", "libraries_lost")
        self.assertIn("back itself at the gateway", finding["seen"])

    def test_the_shared_metadata_server_takes_us_for_the_default_account(self):
        env = self.good(**dict.fromkeys(METADATA, self.info["metadata"]))
        report = self.doctor(env, *self.args("back"))
        self.assertIn("metadata_variable_other", report.codes("warning"))
        finding = report.find("libraries_other_account")
        self.assertIn("123456789012-compute@developer", finding["seen"])
        mended = self.doctor(self.after(env, finding["mend"]), *self.args("back"))
        self.assertEqual(mended.codes("problem"), [])

    def test_the_host_alone_is_not_enough_for_python(self):
        env = self.good(GCE_METADATA_IP=None, GCE_METADATA_ROOT=None)
        report, finding = self.assert_found_and_mended(env, "metadata_variable_missing")
        self.assertIn("Python's probe goes to 169.254.169.254", finding["seen"])
        found = {name: row["found"] for name, row in report.libraries.items()}
        self.assertEqual([found[n] for n in ("Python google-auth", "gcloud", "C++ google-cloud-cpp",
                                             "Go api/idtoken", "Java google-auth-library")],
                         [False, False, False, True, True])

    def test_a_scheme_in_the_variable_is_for_some_only(self):
        env = self.good(**dict.fromkeys(METADATA, f"http://{self.metadata('back')}"))
        report, _ = self.assert_found_and_mended(env, "metadata_variable_form", "libraries_lost")
        found = {name: row["found"] for name, row in report.libraries.items()}
        self.assertEqual([found[n] for n in ("Node google-auth-library", "Ruby googleauth",
                                             "Go api/idtoken", "Rust google-cloud-auth")],
                         [True, True, False, False])

    def test_a_trailing_slash_leads_to_other_paths(self):
        env = self.good(**dict.fromkeys(METADATA, f"{self.metadata('back')}/"))
        report, _ = self.assert_found_and_mended(env, "metadata_variable_form", "libraries_lost")
        self.assertFalse(report.libraries["gcloud"]["found"])

    def test_a_proxy_gets_what_is_meant_for_the_metadata_server(self):
        proxy = f"http://127.0.0.1:{closed_port()}"
        env = self.good(HTTP_PROXY=proxy, http_proxy=proxy, HTTPS_PROXY=None, https_proxy=None,
                        NO_PROXY=None, no_proxy=None)
        report = self.doctor(env, *self.args("back"))
        self.assertIn("Python, Node, curl", report.find("proxy_metadata")["seen"])
        self.assertIn("proxy_service", report.codes("problem"))
        found = {name: row["found"] for name, row in report.libraries.items()}
        self.assertEqual([found[n] for n in ("Python google-auth", "Node google-auth-library",
                                             "C++ google-cloud-cpp", "Go api/idtoken",
                                             "gcloud")],
                         [False, False, False, True, True])
        # `env` keeps a proxy that is set; what it excepts from it is enough.
        mended = self.doctor(self.after(env, report.find("proxy_metadata")["mend"]),
                             *self.args("back"))
        self.assertEqual(mended.codes("problem"), [])

    def test_no_proxy_that_only_some_understand(self):
        proxy = f"http://127.0.0.1:{closed_port()}"
        env = self.good(HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="127.0.0.0/8",
                        no_proxy="127.0.0.0/8")
        report, finding = self.assert_found_and_mended(env, "proxy_metadata")
        self.assertTrue(finding["seen"].endswith(": Node"), finding["seen"])
        self.assertTrue(report.libraries["Python google-auth"]["found"])

    def test_the_ingress_as_a_proxy_without_exceptions_is_told_too(self):
        env = self.good(NO_PROXY=None, no_proxy=None)
        report, _ = self.assert_found_and_mended(env, "proxy_metadata", "libraries_lost")
        self.assertIn("403", report.libraries["C++ google-cloud-cpp"]["why"])

    def test_a_file_of_certificates_that_is_not_there(self):
        env = self.good(REQUESTS_CA_BUNDLE="/no/such/file.pem")
        _, finding = self.assert_found_and_mended(env, "trust_file")
        self.assertIn("/no/such/file.pem", finding["seen"])

    def test_a_file_that_lacks_the_local_authority(self):
        other = pathlib.Path(tempfile.mkdtemp(dir=self.home))
        subprocess.run([binary(), "ca", "init", "--ca", other / "ca"], check=True,
                       capture_output=True)
        env = self.good(NODE_EXTRA_CA_CERTS=str(other / "ca" / "ca.pem"))
        _, finding = self.assert_found_and_mended(env, "trust_lacks")
        self.assertIn("NODE_EXTRA_CA_CERTS", finding["seen"])
        self.assertNotIn("CURL_CA_BUNDLE", finding["seen"])

    def test_switches_that_keep_libraries_away(self):
        for name, value, code, library in (
                ("NO_GCE_CHECK", "true", "no_gce_check", "Python google-auth"),
                ("NO_GCE_CHECK", "TRUE", "no_gce_check", "Java google-auth-library"),
                ("GOOGLE_APPLICATION_CREDENTIALS", "/dev/null", "key_file", "Go api/idtoken")):
            with self.subTest(name=name, value=value):
                report, _ = self.assert_found_and_mended(self.good(**{name: value}), code)
                self.assertFalse(report.libraries[library]["found"])

    def test_node_detection_that_is_off_counts_where_cloud_run_is_not_claimed(self):
        env = self.good(METADATA_SERVER_DETECTION="none", K_SERVICE=None)
        report = self.doctor(env, *self.args("back"))
        self.assertFalse(report.libraries["Node google-auth-library"]["found"])
        env = self.after(env, report.find("detection")["mend"])
        report = self.doctor(env, *self.args("back"))
        self.assertTrue(report.libraries["Node google-auth-library"]["found"])
        self.assertFalse(report.libraries["Ruby googleauth"]["found"])
        env = self.after(env, report.find("service_name")["mend"])
        self.assertEqual(self.doctor(env, *self.args("back")).codes("problem"), [])

    def test_the_environment_of_another_process(self):
        wrong = f"127.0.0.1:{closed_port()}"
        env = self.good(**dict.fromkeys(METADATA, wrong))
        with subprocess.Popen(["sleep", "600"], env=env) as other:
            self.addCleanup(other.kill)
            report = self.doctor(self.good(), *self.args("back"), "--pid", other.pid)
            finding = report.find("metadata_variable_wrong")
            self.assertIn(wrong, finding["seen"])
            self.assertIn(f"process {other.pid} (sleep)", report.data["case"])
            self.assertIn("invoker run back", finding["mend"])
            other.kill()

    def test_a_process_that_is_not_there_is_a_usage_error(self):
        p = subprocess.run([binary(), "doctor", "--pid", "999999999"], env=self.plain(), check=False,
                           capture_output=True, text=True)
        self.assertEqual((p.returncode, p.stdout), (2, ""))
        self.assertIn("/proc/999999999/environ", p.stderr)

    def test_with_env_says_whether_the_mend_would_do(self):
        report = self.doctor(self.plain(), *self.args("back"), "--with-env")
        self.assertEqual((report.status, report.codes("problem")), (0, []))

    def test_offline_opens_no_sockets(self):
        report = self.doctor(self.good(), *self.args("back"), "--offline")
        self.assertEqual(report.libraries, {})
        self.assertNotIn("gateway", {f["area"] for f in report.findings})

    def test_text_is_for_people(self):
        p = subprocess.run([binary(), "doctor", *map(str, self.args("back"))], env=self.plain(),
                           check=False, capture_output=True, text=True)
        self.assertEqual(p.returncode, 1)
        self.assertRegex(p.stdout, r"(?m)^problem   environment  none of GCE_METADATA_HOST.*\n"
                                   r"          expected: all three: .*\n"
                                   r"          mend:     eval \"\$\(invoker env back ")
        self.assertRegex(p.stdout, r"(?m)^LIBRARY +ASKS +FINDS +AS$")
        self.assertRegex(p.stdout, r"\n\d+ problems, \d+ warnings?, \d+ ok\n$")


class Fake(contextlib.AbstractContextManager):
    """A metadata server that is wrong in a chosen way, at a chosen address."""

    def __init__(self, address="127.0.0.1:0", flavour=True, date=None, status=200):
        class Handler(http_server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(status)
                if flavour:
                    self.send_header("Metadata-Flavor", "Google")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def date_time_string(self, timestamp=None):
                return date or super().date_time_string(timestamp)

            def log_message(self, *args):  # pylint: disable=arguments-differ
                pass

        class Server(http_server.ThreadingHTTPServer):
            def server_bind(self):  # the topology keeps the port, for those who share it
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                super().server_bind()

        host, _, port = address.rpartition(":")
        self.server = Server((host, int(port)), Handler)
        self.address = "{}:{}".format(*self.server.server_address)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()


class Running(DoctorCase):
    """What runs, or does not, beside the file."""

    def status(self, g):
        return json.loads(http("GET", f"http://{g.control}/invoker/v1/status").text)

    def args(self, g, *words):
        return [*g.topology.args()[:2], "--keys", g.topology.keys, "--ca", ca_folder(),
                "--control", g.control, *words]

    def test_nothing_runs_and_that_is_said_first(self):
        with Topology(topology()) as t:
            control = f"127.0.0.1:{closed_port()}"
            report = self.doctor(self.plain(), "-c", t.path, "--keys", t.keys, "--ca", ca_folder(),
                                 "--control", control)
            self.assertEqual(report.codes("problem")[0], "not_running")
            self.assertIn(f"Nothing answers at {control}: start it by `invoker up`",
                          report.data["notice"])
            self.assertIn("libraries_lost", report.codes("warning"))

    def test_the_upstream_has_stopped_and_run_mends_it(self):
        with Gateway({"back": {"upstream": None}}, {"allUsers": ["back"]}) as g:
            port = closed_port()
            g.topology.set_address("back", "upstream", f"127.0.0.1:{port}")
            g.process.send_signal(signal.SIGHUP)
            wait_until(lambda: str(port) in json.dumps(self.status(g)), what="the reload")
            finding = self.doctor(self.plain(), *self.args(g)).find("upstream_down")
            self.assertEqual(finding["level"], "problem")
            self.assertTrue(finding["mend"].startswith("invoker run back -- "))
            with Process("run", "-c", g.topology.path, "--control", g.control, "back", "--",
                         *service()) as container:
                container.wait_for_line("attached")
                report = self.doctor(self.plain(), *self.args(g))
                self.assertNotIn("upstream_down", report.codes("problem"))

    def test_calls_get_what_the_topology_says(self):
        with Gateway({"open": {"service_account": "frontend-sa"},
                      "closed": {"service_account": "backend-sa"}},
                     {"allUsers": ["open"], "frontend-sa": ["closed"]}) as g:
            report = self.doctor(self.plain(), *self.args(g))
            calls = [f["seen"] for f in report.findings if f["code"] == "call"]
            self.assertEqual(len(calls), 3, calls)
            self.assertIn("GET / of open by nobody (without a token): 200, let in (public)", calls)
            self.assertIn("GET / of closed by nobody (without a token): 403, refused "
                          "(no_credential)", calls)
            self.assertIn("GET / of closed by frontend-sa@my-project.iam.gserviceaccount.com: 200, "
                          "let in (granted)", calls)

    def test_a_service_that_refuses_by_itself_is_not_the_gateways_fault(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}) as g:
            g.upstreams["open"].reply(answer(403, b"not by me"))
            report = self.doctor(self.plain(), *self.args(g))
            self.assertNotIn("call_unexpected", report.codes("problem"))

    def test_the_file_was_changed_and_nobody_told_the_gateway(self):
        with Gateway({"back": {}}, {"allUsers": ["back"]}, options=["--no-watch"]) as g:
            g.topology.write({**g.content, "matrix": {}})

            def report():
                return self.doctor(self.plain(), *self.args(g))

            # A change is given a moment, in which a gateway that watches would follow it.
            wait_until(lambda: "reload_missing" in report().codes("problem"), what="the finding")
            self.assertIn("call_unexpected", report().codes("problem"))
            subprocess.run(["bash", "-ec", report().find("reload_missing")["mend"]], check=True)
            wait_until(lambda: "call_unexpected" not in report().codes("problem"),
                       what="the reload")
            self.assertNotIn("reload_missing", report().codes("problem"))

    def test_a_reload_that_failed_is_told(self):
        with Gateway({"back": {}}, {"allUsers": ["back"]}) as g:
            g.topology.write("project: [\n")
            g.process.wait_for_line("not reloaded")
            report = self.doctor(self.plain(), *self.args(g))
            self.assertEqual(set(report.codes("problem")), {"topology_invalid"})
            self.assertIn("topology.yaml:", report.find("topology_invalid")["seen"])

    def test_another_topology_answers_there(self):
        with Gateway({"back": {}}) as g, Topology(topology()) as other:
            report = self.doctor(self.plain(), "-c", other.path, "--keys", other.keys, "--ca",
                                 ca_folder(), "--control", g.control)
            finding = report.find("other_topology")
            self.assertIn(str(g.topology.path), finding["seen"])
            self.assertEqual(finding["level"], "problem")

    def test_keys_that_others_may_read(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = pathlib.Path(folder) / "keys"
            subprocess.run([binary(), "keys", "init", "--keys", keys], check=True,
                           capture_output=True)
            key = next(keys.glob("*.pem"))
            key.chmod(0o644)
            with Topology(topology(), keys) as t:
                words = ["-c", t.path, "--keys", keys, "--ca", ca_folder(), "--offline"]
                finding = self.doctor(self.plain(), *words).find("keys_refused")
                self.assertIn(str(key), finding["seen"])
                subprocess.run(["bash", "-ec", finding["mend"]], check=True)
                report = self.doctor(self.plain(), *words)
                self.assertEqual(report.find("keys")["level"], "ok")
                keys.chmod(0o755)
                finding = self.doctor(self.plain(), *words).find("keys_folder_mode")
                subprocess.run(["bash", "-ec", finding["mend"]], check=True)
                self.assertNotIn("keys_folder_mode",
                                 self.doctor(self.plain(), *words).codes("warning"))

    def test_an_authority_whose_bundle_lost_it(self):
        with tempfile.TemporaryDirectory() as folder, Topology(topology()) as t:
            ca = pathlib.Path(folder) / "ca"
            subprocess.run([binary(), "ca", "init", "--ca", ca], check=True, capture_output=True)
            (ca / "bundle.pem").unlink()
            words = ["-c", t.path, "--keys", t.keys, "--ca", ca, "--offline"]
            finding = self.doctor(self.plain(), *words).find("ca_bundle")
            self.assertEqual(finding["level"], "problem")
            self.after(self.plain(), finding["mend"])
            self.assertNotIn("ca_bundle", self.doctor(self.plain(), *words).codes("problem"))

    def test_another_program_has_a_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taker, Topology(topology()) as t:
            where = "127.0.0.1:%d" % taker.getsockname()[1]
            content = topology()
            content["services"]["back"]["listen"] = where
            t.write(content)
            report = self.doctor(self.plain(), "-c", t.path, "--keys", t.keys, "--ca", ca_folder(),
                                 "--offline")
            finding = report.find("port_taken")
            self.assertIn(f"services.back.listen {where} is held by process {os.getpid()}",
                          finding["seen"])

    def with_fake(self, g, **how):
        """The metadata server of g is replaced by one that is wrong; what doctor says then."""
        address = g.topology.address("back", "metadata")
        g.metadata.kill()
        with Fake(address, **how):
            env = self.plain(**dict.fromkeys(METADATA, address), K_SERVICE="back",
                             K_REVISION="back-1", K_CONFIGURATION="back")
            return self.doctor(env, *self.args(g, "back"))

    def test_what_answers_is_no_metadata_server(self):
        with Gateway({"back": {}}) as g:
            report = self.with_fake(g, flavour=False)
            self.assertIn("no metadata server", report.find("no_flavour")["seen"])
            for library in ("Python google-auth", "Java google-auth-library",
                            ".NET Google.Apis.Auth", "Ruby googleauth"):
                self.assertIn("no Metadata-Flavor: Google", report.libraries[library]["why"])

    def test_a_metadata_server_whose_clock_is_wrong(self):
        hour_ago = email.utils.formatdate(time.time() - 3600, usegmt=True)
        with Gateway({"back": {}}) as g:
            report = self.with_fake(g, date=hour_ago)
            finding = report.find("clock_gap")
            self.assertRegex(finding["seen"], r"360\d s behind|359\d s behind")
            self.assertEqual(finding["level"], "problem")

    def test_an_answer_in_time_says_nothing_about_the_clock(self):
        with Gateway({"back": {}}) as g:
            report = self.with_fake(g)
            self.assertNotIn("clock_gap", [f["code"] for f in report.findings])

    def test_a_metadata_server_with_other_keys(self):
        with Gateway({"back": {}}) as g, tempfile.TemporaryDirectory() as folder:
            g.metadata.kill()
            with Process("metadata", *g.topology.args(), "--keys", f"{folder}/keys",
                         ready_fd=True) as other:
                other.wait_ready()
                report = self.doctor(self.plain(), *self.args(g))
                # The gateway follows its JWKS, so the keys of the folder are what is astray.
                self.assertIn("keys_other_folder", report.codes("warning"))

    def test_processes_that_hang_do_not_hold_it_up(self):
        with Gateway({"back": {}, "front": {}}) as g:
            for process in (g.metadata, g.process):
                process.send_signal(signal.SIGSTOP)
            try:
                env = self.plain(**dict.fromkeys(METADATA, g.topology.address("back", "metadata")))
                report = self.doctor(env, *self.args(g, "back"), patience=400)
                self.assertLess(self.took, 6)  # of which it waits for 2.4 at the most
                self.assertIn("no answer within", report.find("not_running")["seen"])
                self.assertEqual(report.libraries["Java google-auth-library"]["found"], False)
            finally:
                for process in (g.metadata, g.process):
                    process.send_signal(signal.SIGCONT)

    def test_a_topology_that_does_not_load_is_told_with_its_places(self):
        with Topology("services: { a: { no_such_key: 1 } }\n") as t:
            report = self.doctor(self.plain(), "-c", t.path, "--offline")
            self.assertRegex(report.find("topology_invalid")["seen"], r"topology\.yaml:1:\d+: ")

    def test_what_a_topology_leaves_open(self):
        with Topology({"project": {"id": PROJECT, "number": 1}, "services": {"a": {}}}) as t:
            report = self.doctor(self.plain(), "-c", t.path, "--keys", t.keys, "--offline")
            self.assertEqual(report.codes("warning")[:2], ["no_upstream", "default_account"])
            self.assertEqual(report.status, 0)


if __name__ == "__main__":
    unittest.main()
