"""`invoker test`: offline and over the network, each output read by a parser of its format."""

import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import unittest
import xml.etree.ElementTree

from tests.lib.harness import ROOT, Process, Topology, closed_port, run, wait_until
from tests.lib.up import Up, alive, descendants

POLICIES = ROOT / "policies"
TUTORIAL = str(POLICIES / "tutorial.yaml")
TESTS = str(POLICIES / "tutorial.test.yaml")

FAILING = """
topology: TOPOLOGY
tests:
- name: 'a <good> "#1" & \\ call'
  caller: frontend-sa
  service: backend-api
  expect: allow
- name: a wish
  caller: frontend-sa
  service: db-service
  expect: allow
- caller: frontend
  service: backend-api
  expect: refuse
- caller: frontend-sa
  service: backend-api
  token: [expired, tampered]
  expect: 401
"""

# One test for each way to be refused that a token or header can have, and some hosts and audiences.
EVERYTHING = """
topology: TOPOLOGY
tests:
- {caller: frontend, service: backend-api, token: expired, expect: expired}
- {caller: frontend, service: backend-api, token: not-yet-valid, expect: not_yet_valid}
- {caller: frontend, service: backend-api, token: wrong-audience, expect: wrong_audience}
- {caller: frontend, service: backend-api, token: no-audience, expect: no_audience}
- {caller: frontend, service: backend-api, token: wrong-issuer, expect: wrong_issuer}
- {caller: frontend, service: backend-api, token: self-signed, expect: self_signed_jwt}
- {caller: frontend, service: backend-api, token: no-email, expect: granted}
- {caller: frontend, service: backend-api, token: foreign-key, expect: unknown_key}
- {caller: frontend, service: backend-api, token: foreign-key-same-kid, expect: bad_signature}
- {caller: frontend, service: backend-api, token: tampered, expect: bad_signature}
- {caller: frontend, service: backend-api, token: [unsigned, hs256], expect: bad_alg}
- {caller: frontend, service: backend-api, token: access-token, expect: access_token}
- {caller: frontend, service: backend-api, token: signature-removed, expect: signature_removed}
- {caller: frontend, service: backend-api, token: not-a-jwt, expect: not_a_jwt}
- {caller: frontend, service: backend-api, token: empty, expect: empty_credential}
- {caller: frontend, service: backend-api, token: not-bearer, expect: not_bearer}
- {caller: frontend, service: backend-api, token: several-tokens, expect: several_tokens}
- {caller: frontend, service: backend-api, token: repeated-header, expect: repeated_header}
- {caller: frontend, service: backend-api, token: [valid, expired], header: serverless,
   path: /x?y=1, expect: {status: 401}}
- {caller: frontend, service: backend-api, audience: "URL/x", expect: allow}
- {caller: frontend, service: backend-api, audience: "URL?x", expect: wrong_audience}
- {caller: frontend, service: backend-api, audience: "OTHER", expect: wrong_audience}
- {caller: [alice@example.com, ci@other.iam.gserviceaccount.com], service: backend-api,
   expect: no_grant}
- {caller: [frontend, anonymous], host: nowhere.example, expect: unknown_host}
- {caller: frontend, host: backend-api.localhost, expect: granted}
- {caller: frontend, host: backend-api-123456789012.us-central1.run.app, path: /healthz,
   expect: reserved_path}
- {caller: frontend, service: frontend, token: expired, expect: public}
- {caller: frontend, service: backend-api, time: +1h, expect: allow}
- {caller: frontend, service: inner, expect: ingress_blocked}
- {caller: frontend, service: inner, internal: true, expect: no_grant}
"""

SMALL = """
project: { id: my-project, number: 123456789012 }
keys: keys
service_accounts: { frontend-sa: {}, backend-sa: {} }
services:
  frontend: { service_account: frontend-sa }
  backend-api: { service_account: backend-sa }
  inner: { service_account: backend-sa, ingress: internal }
matrix:
  allUsers: [frontend]
  frontend-sa: [backend-api]
"""


class Folder(unittest.TestCase):
    """Test files in a folder of their own."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="invoker-test-"))
        self.addCleanup(shutil.rmtree, self.dir, True)

    def write(self, text, name="t.test.yaml", topology=TUTORIAL):
        path = self.dir / name
        path.write_text(text.replace("TOPOLOGY", str(topology)), encoding="utf-8")
        return str(path)

    def json(self, *args, status=0, **more):
        got, out, err = run("test", *args, "--output", "json", **more)
        self.assertEqual(got, status, out + err)
        return json.loads(out)


def tap(text):
    """A strict reader of TAP 14: [(ok, description, directive, diagnostics)]."""
    lines = text.split("\n")
    assert lines[0] == "TAP version 14", lines[0]
    points, plan, at = [], int(re.fullmatch(r"1\.\.(\d+)", lines[1]).group(1)), 2
    while at < len(lines):
        line, at = lines[at], at + 1
        if line.startswith("#") or not line:
            continue
        ok, number, rest = re.fullmatch(r"(not ok|ok) (\d+) - (.*)", line).groups()
        words = re.split(r"(?<!\\) # ", rest)
        block = {}
        if at < len(lines) and lines[at] == "  ---":
            end = lines.index("  ...", at)
            for item in lines[at + 1:end]:
                key, value = re.fullmatch(r" {2,4}(\w+):(?: (.*))?", item).groups()
                block[key] = json.loads(value) if value and value[0] in '"0123456789' else value
            at = end + 1
        assert int(number) == len(points) + 1, line
        description = re.sub(r"\\([\\#])", r"\1", words[0])
        points.append((ok == "ok", description, words[1] if words[1:] else None, block))
    assert len(points) == plan, (len(points), plan)
    return points


class Tutorial(Folder):
    def test_its_tests_pass_and_cover_the_whole_matrix(self):
        status, out, err = run("test", TESTS, "--fail-under", "100")
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("20 cases offline: 20 passed", out)
        self.assertIn("coverage 100% of 20 cells (allowed 8 of 8, 100%; denied 12 of 12, 100%)\n",
                      out + "\n")
        self.assertNotIn("over-granting", out)

    def test_each_of_them_is_needed_for_that(self):
        lines = pathlib.Path(TESTS).read_text(encoding="utf-8").split("\n")
        starts = [i for i, line in enumerate(lines) if line.startswith("- ")]
        self.assertGreaterEqual(len(starts), 6)
        for start in starts:
            end = next((i for i in range(start + 1, len(lines))
                        if not lines[i].startswith("  ")), len(lines))
            path = self.write("\n".join(lines[:start] + lines[end:]).replace(
                "topology: tutorial.yaml", f"topology: {TUTORIAL}"))
            with self.subTest(lines[start]):
                total = self.json(path, "--fail-under", "100", status=1)["suites"][0]["coverage"]
                self.assertLess(total["total"]["covered"], 20)
                self.assertLess(total["total"]["percent"], 100)
                self.assertTrue(total["uncovered"])

    def test_every_value_of_their_lists_is_needed(self):
        text = pathlib.Path(TESTS).read_text(encoding="utf-8").replace(
            "topology: tutorial.yaml", f"topology: {TUTORIAL}")
        lists = list(re.finditer(r": \[([^\]]+)\]", text))
        self.assertGreaterEqual(len(lists), 5)
        for found in lists:
            values = found.group(1).split(", ")
            for left_out in values:
                rest = ", ".join(v for v in values if v != left_out)
                changed = text[:found.start(1)] + rest + text[found.end(1):]
                with self.subTest(left_out=left_out, of=found.group(0)):
                    part = self.json(self.write(changed), "--coverage")["suites"][0]
                    self.assertLess(part["coverage"]["total"]["percent"], 100)

    def test_all_shipped_tests_pass(self):
        status, out, err = run("test", cwd=ROOT)
        self.assertEqual((status, err), (0, ""), out)
        for name in ("compose", "minimal", "tutorial"):
            self.assertRegex(out, rf"policies/{name}\.yaml: (\d+) cases offline: \1 passed")

    def test_only_those_about_the_topology_that_is_named(self):
        status, out, _ = run("test", "-c", str(POLICIES / "minimal.yaml"))
        self.assertEqual(status, 0)
        self.assertEqual(len(out.split("\n")), 1, out)


class Outputs(Folder):
    def setUp(self):
        super().setUp()
        self.path = self.write(FAILING)

    def test_text_tells_what_mends_a_failure(self):
        status, out, err = run("test", self.path)
        self.assertEqual((status, err), (1, ""))
        self.assertIn(f"{self.path}:8: FAILED a wish\n", out)
        for line in ("expected    allow", "got         403 no_grant",
                     "cause       serviceAccount:frontend-sa@", "nearest     serviceAccount:",
                     "production  gcloud run services add-iam-policy-binding db-service",
                     "here        matrix: add db-service to frontend-sa",
                     "production  gcloud run services remove-iam-policy-binding backend-api"):
            self.assertIn(f"\n  {line}", out)
        self.assertIn("5 cases offline: 3 passed, 2 failed", out)

    def test_tap(self):
        status, out, _ = run("test", self.path, "--output", "tap", "--fail-under", "50")
        self.assertEqual(status, 1)
        points = tap(out)
        self.assertEqual([p[0] for p in points], [True, False, False, True, True, False])
        self.assertEqual(points[0][1], 'a <good> "#1" & \\ call')
        self.assertEqual(points[1][3]["expected"], "allow")
        self.assertEqual(points[1][3]["got"], "403 no_grant")
        self.assertEqual((points[1][3]["file"], points[1][3]["line"]), (self.path, 8))
        self.assertIn("5%, asked for 50%", points[5][1])

    def check_junit(self, text):
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual((root.tag, root.get("tests"), root.get("failures")),
                         ("testsuites", "5", "2"))
        (suite,) = root
        self.assertEqual(
            {k: suite.get(k) for k in ("name", "tests", "failures", "errors", "skipped")},
            {"name": TUTORIAL, "tests": "5", "failures": "2", "errors": "0", "skipped": "0"})
        self.assertRegex(suite.get("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
        self.assertGreaterEqual(float(suite.get("time")), 0)
        self.assertEqual({case.tag for case in suite}, {"testcase"})
        first, wish = suite[0], suite[1]
        self.assertEqual(first.get("name"), 'a <good> "#1" & \\ call')
        self.assertEqual((first.get("classname"), first.get("file"), first.get("line")),
                         (TUTORIAL, self.path, "4"))
        (failure,) = wish
        self.assertEqual((failure.tag, failure.get("type"), failure.get("message")),
                         ("failure", "no_grant", "expected allow, got 403 no_grant"))
        self.assertIn("fix: gcloud run services add-iam-policy-binding", failure.text)

    def test_junit(self):
        status, out, _ = run("test", self.path, "--output", "junit")
        self.assertEqual(status, 1)
        self.check_junit(out)

    def test_junit_beside_another_output(self):
        report = self.dir / "report.xml"
        status, out, _ = run("test", self.path, "--junit", report, "--output", "tap")
        self.assertEqual(status, 1)
        self.assertEqual(len(tap(out)), 5)
        self.check_junit(report.read_text(encoding="utf-8"))

    def test_json(self):
        document = self.json(self.path, "--coverage", status=1)
        self.assertEqual((document["ok"], document["passed"], document["failed"]), (False, 3, 2))
        part = document["suites"][0]
        self.assertEqual((part["topology"], part["files"]), (TUTORIAL, [self.path]))
        wish = part["cases"][1]
        self.assertEqual((wish["name"], wish["line"], wish["result"]), ("a wish", 8, "failed"))
        self.assertEqual(wish["got"], {"allowed": False, "status": 403, "reason": "no_grant"})
        self.assertEqual(part["coverage"]["total"], {"covered": 1, "of": 20, "percent": 5})
        self.assertEqual(len(part["coverage"]["uncovered"]), 19)

    def test_files_about_one_topology_are_measured_together(self):
        more = self.write("topology: TOPOLOGY\ntests:\n"
                          "- {caller: backend-sa, service: db-service, expect: allow}\n",
                          "more.test.yaml")
        document = self.json(self.path, more, "--coverage", status=1)
        self.assertEqual(len(document["suites"]), 1)
        self.assertEqual(document["suites"][0]["coverage"]["total"]["covered"], 2)


class Mistakes(Folder):
    def refused(self, wanted, *args):
        status, out, err = run("test", *args)
        self.assertEqual((status, out), (2, ""), err)
        self.assertIn(wanted, err)

    def test_a_file_is_refused_with_each_problem_at_its_place(self):
        path = self.write("topology: TOPOLOGY\ntests:\n"
                          "- {caller: frontnd-sa, service: backnd-api, expect: alow}\n- 1\n")
        other = self.write("topology: TOPOLOGY\nmatrx: {}\n", "other.test.yaml")
        status, out, err = run("test", path, other)
        self.assertEqual((status, out), (2, ""))
        places = re.findall(rf"^{re.escape(str(self.dir))}/(\S+): ", err, re.M)
        self.assertEqual(places, ["t.test.yaml:3:12", "t.test.yaml:3:33", "t.test.yaml:3:53",
                                  "t.test.yaml:4:3", "other.test.yaml:2:1"])
        self.assertIn("did you mean 'frontend-sa'?", err)

    def test_files_and_options(self):
        self.refused("No such file", str(self.dir / "none.test.yaml"))
        self.refused("neither tests: nor matrix:", self.write("topology: TOPOLOGY\n"))
        self.refused("topology.yaml", self.write("topology: no/topology.yaml\ntests: []\n"))
        self.refused("topology: is missing", self.write("tests: []\n", "tests.yaml"))
        self.refused("--fail-under is a percentage", TESTS, "--fail-under", "101")
        self.refused("--output is 'text', 'tap', 'junit' or 'json'", TESTS, "--output", "xml")
        shutil.copy(TUTORIAL, self.dir / "lonely.yaml")
        self.refused("no *.test.yaml in", "-c", str(self.dir / "lonely.yaml"))

    def test_the_topology_of_the_option_wins(self):
        path = self.write("topology: nowhere.yaml\ntests:\n"
                          "- {caller: frontend-sa, service: backend-api, expect: allow}\n")
        status, out, err = run("test", path, "-c", TUTORIAL)
        self.assertEqual((status, err), (0, ""), out)

    def test_a_recording_that_cannot_be_read(self):
        status, out, err = run("test", TESTS, "--recording", self.dir / "none.jsonl")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("none.jsonl", err)


class Large(Folder):
    def test_a_matrix_of_a_thousand_cells(self):
        services = "".join(f"  s{i}: {{ service_account: a{i} }}\n" for i in range(30))
        accounts = "".join(f"  a{i}: {{}}\n" for i in range(30))
        grants = {f"a{i}": [f"s{j}" for j in range(30) if (i * j) % 7 == 1] for i in range(30)}
        rows = "".join(f"  {a}: [{', '.join(s)}]\n" for a, s in grants.items())
        project = ("project: { id: my-project, number: 123456789012 }\n"
                   "users: [x@x.com, y@y.com, z@z.com]\n")
        topology = self.write(f"{project}service_accounts:\n{accounts}services:\n{services}"
                              f"matrix:\n{rows}", "big.yaml")
        path = self.write(f"topology: big.yaml\nmatrix:\n{rows}", "big.test.yaml")
        document = self.json(path, "--fail-under", "100")
        self.assertEqual(document["passed"], 34 * 30)
        # One grant more than the tests know of, and the one cell is told.
        self.write(f"{project}service_accounts:\n{accounts}services:\n{services}"
                   f"matrix:\n{rows}  x@x.com: [s0]\n", os.path.basename(topology))
        document = self.json(path, "--fail-under", "99.95", status=1)
        self.assertEqual(document["failed"], 1)
        failed = [c for c in document["suites"][0]["cases"] if c["result"] == "failed"]
        self.assertEqual((failed[0]["caller"], failed[0]["service"]), ("x@x.com", "s0"))
        self.assertEqual(document["suites"][0]["coverage"]["total"]["percent"], 99.9)


class Live(Folder):
    """Over the network; the first with an emulator of its own."""

    def everything(self):
        (self.dir / "small.yaml").write_text(SMALL, encoding="utf-8")
        url, other = "http://127.0.0.1:8082", "http://127.0.0.1:8081"
        return self.write(EVERYTHING.replace("URL", url).replace("OTHER", other)
                          .replace("token: [valid, expired], header", "token: [expired], header"),
                          topology="small.yaml")

    def test_every_way_to_be_refused_is_the_same_offline_and_over_the_network(self):
        path = self.everything()
        offline = self.json(path)
        live = self.json(path, "--live", timeout=60.0)
        self.assertEqual(offline["skipped"], 0)
        skipped = {c["skipped"] for c in live["suites"][0]["cases"] if "skipped" in c}
        self.assertEqual(skipped, {"over the network it is always now",
                                   "a call from inside cannot be made from here"})
        for here, there in zip(offline["suites"][0]["cases"], live["suites"][0]["cases"]):
            with self.subTest(here["name"]):
                self.assertEqual(here["result"], "passed")
                if "skipped" not in there:
                    self.assertEqual(there, here)

    def test_the_tutorial_over_the_network(self):
        status, out, err = run("test", TESTS, "--live", "--fail-under", "100", timeout=60.0)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("20 cases over the network: 20 passed", out)

    def test_a_failure_over_the_network_is_explained_too(self):
        status, out, _ = run("test", self.write(FAILING), "--live", timeout=60.0)
        self.assertEqual(status, 1)
        self.assertIn("got         403 no_grant\n  cause       serviceAccount:frontend-sa@", out)
        self.assertIn("5 cases over the network: 3 passed, 2 failed", out)

    def test_skipped_cases_are_neither_passed_nor_failed(self):
        path = self.write("topology: TOPOLOGY\ntests:\n- caller: frontend-sa\n"
                          "  service: backend-api\n  time: +1h\n  expect: allow\n")
        _, out, _ = run("test", path, "--live", "--output", "tap", timeout=60.0)
        self.assertEqual(tap(out)[0][2], "SKIP over the network it is always now")
        status, out, _ = run("test", path, "--live", "--output", "junit", timeout=60.0)
        suite = xml.etree.ElementTree.fromstring(out)[0]
        self.assertEqual((status, suite.get("skipped")), (0, "1"))
        self.assertEqual(suite[0][0].tag, "skipped")

    def test_answers_that_tell_their_decision(self):
        (self.dir / "small.yaml").write_text(SMALL + "emulation: { decision_header: true }\n",
                                             encoding="utf-8")
        path = self.write("matrix: { allUsers: [frontend], frontend-sa: [backend-api] }\n",
                          "small.test.yaml")
        live = self.json(path, "--live", timeout=60.0)
        reasons = [c["got"]["reason"] for c in live["suites"][0]["cases"] if "got" in c]
        self.assertEqual(sorted(set(reasons)), ["granted", "no_credential", "no_grant", "public"])
        self.assertEqual(live["failed"], 0)

    def test_no_gateway_answers_there(self):
        address = f"127.0.0.1:{closed_port()}"
        status, out, err = run("test", TESTS, "--live", "--control", address)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(address, err)

    def test_one_gateway_has_one_topology(self):
        status, _, err = run("test", TESTS, str(POLICIES / "minimal.test.yaml"), "--live",
                             "--control", "127.0.0.1:1")
        self.assertEqual(status, 2)
        self.assertIn("has one topology", err)


class Running(Folder):
    """Against an emulator that runs, and what its traffic says of grants."""

    def setUp(self):
        super().setUp()
        self.topology = Topology(SMALL)
        self.addCleanup(self.topology.close)
        self.recording = self.dir / "rec.jsonl"
        self.up = Up(self.topology, "--no-services", "--record", str(self.recording))
        self.addCleanup(self.up.__exit__, None, None, None)
        self.up.ready()
        self.path = self.write("tests:\n- {caller: anonymous, service: frontend, expect: allow}\n")
        self.args = (self.path, "-c", str(self.topology.path))

    def unused(self, *args):
        part = self.json(*self.args, "--coverage", *args)["suites"][0]
        return [(b["member"], b["on"]) for b in part["unused_bindings"]]

    def call(self):
        calls = self.write("tests:\n- {caller: frontend, service: backend-api, expect: granted}\n",
                           "calls.test.yaml")
        status, out, err = run("test", calls, "-c", str(self.topology.path), "--live",
                               "--keys", str(self.topology.keys),
                               env={"INVOKER_CONTROL": self.up.info["control"]})
        self.assertEqual((status, err), (0, ""), out)

    def test_a_grant_that_traffic_uses_is_no_over_granting(self):
        grant = ("serviceAccount:frontend-sa@my-project.iam.gserviceaccount.com",
                 "service backend-api")
        control = self.up.info["control"]
        self.assertEqual(self.unused(), [grant])
        self.assertEqual(self.unused("--control", control), [grant])
        _, out, _ = run("test", *self.args, "--coverage", "--control", control)
        self.assertIn("over-granting: no test and no traffic needs\n", out)
        self.assertRegex(out, r"topology\.yaml:\d+:\d+: serviceAccount:frontend-sa@\S+ as "
                              r"roles/run\.invoker on service backend-api\n    gcloud run services "
                              r"remove-iam-policy-binding backend-api --region=us-central1 "
                              r"--member=serviceAccount:frontend-sa@\S+ --role=roles/run\.invoker")
        self.call()
        self.assertEqual(self.unused("--control", control), [])
        wait_until(lambda: "granted" in self.recording.read_text(encoding="utf-8"),
                   what="the recorded call")
        self.assertEqual(self.unused("--recording", str(self.recording)), [])
        self.assertEqual(self.unused(), [grant])


class Interrupted(Folder):
    def test_its_emulator_ends_with_it(self):
        with Process("test", TESTS, "--live") as process:
            children = wait_until(lambda: descendants(process.pid), what="its processes")
            os.kill(process.pid, signal.SIGKILL)
            wait_until(lambda: not alive(children | descendants(process.pid)),
                       what="the end of all of them")


if __name__ == "__main__":
    unittest.main()
