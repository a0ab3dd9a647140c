"""`invoker learn`, as a developer runs it; the demo's traffic gives the tutorial's matrix back."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from tests.lib import demo
from tests.lib.gateway import Gateway, email
from tests.lib.process import ROOT, binary, run, wait_until
from tests.lib.rawhttp import http
from tests.lib.topology import closed_port

TUTORIAL = os.path.join(ROOT, "policies", "tutorial.yaml")
TIME = "2027-01-15T08:00:00.5Z"


def decision(service, reason, caller=None, **more):
    """A line of a recording."""
    return json.dumps({"timestamp": TIME, "status": 200, "reason": reason, "service": service,
                       **({"caller": caller} if caller else {}), **more}) + "\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="invoker-learn-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def ok(self, *words):
        status, out, err = run("learn", *words)
        self.assertEqual((status, err), (0, ""))
        return out


class Demo(Folder):
    def test_the_demos_traffic_gives_the_tutorials_matrix_and_again_in_audit_mode_without_any(self):
        text = demo.tutorial()
        matrix = demo.matrix_of(text)
        self.assertEqual(len(matrix), 4)
        topology = self.write("tutorial.yaml", text)
        recording = os.path.join(self.folder, "enforced.jsonl")
        self.assertEqual(demo.traffic(topology, self.folder, ["--record", recording]), [])
        learned = self.ok(recording, "-c", TUTORIAL)
        self.assertEqual(demo.matrix_of(learned), matrix)
        self.assertNotIn("Granted now", learned)
        self.assertEqual(self.ok(recording, "-c", TUTORIAL, "--diff"), "")
        self.assertEqual(run("replay", recording, "-c", TUTORIAL, "--reasons")[0], 0)

        # The same without a matrix: nothing is known but what passes.
        bare = self.write("bare.yaml", text[:text.index("\nmatrix:")]
                          + "\nemulation: { mode: audit }\n")
        recording = os.path.join(self.folder, "audited.jsonl")
        self.assertEqual(
            demo.traffic(bare, self.folder, ["--record", recording], only_served=True), [])
        learned = self.ok(recording, "-c", bare)
        self.assertEqual(demo.matrix_of(learned), matrix)
        self.assertIn("let pass by audit mode", learned)

        # In its place it is a topology, which grants what the tutorial's does.
        whole = self.write("whole.yaml", text[:text.index("\nmatrix:")] + "\n" + learned)
        self.assertEqual(run("check", whole)[0], 0)
        self.assertEqual(run("matrix", "-c", whole), run("matrix", "-c", TUTORIAL))
        # Under it all of these calls pass, and for lack of any none would.
        self.assertEqual(run("replay", recording, "-c", whole)[0], 0)
        status, out, _ = run("replay", recording, "-c", bare, "-o", "json")
        told = json.loads(out)
        self.assertEqual((status, told["same"], told["allowed"]), (1, 0, []))
        self.assertEqual(sum(g["count"] for g in told["refused"]), told["calls"])



class Recordings(Folder):
    def setUp(self):
        super().setUp()
        self.recording = self.write(
            "r.jsonl",
            decision("backend-api", "granted", email("frontend-sa"))
            + decision("db-service", "no_grant", email("auth-sa"), enforced=False)
            + decision("db-service", "expired", fix="fetch a new one")
            + decision("db-service", "no_grant", email("db-sa")))

    def test_standard_input_and_several_files_add_up(self):
        with open(self.recording, "rb") as f:
            done = subprocess.run([binary(), "learn", "-", self.recording, "-c", TUTORIAL],
                                  stdin=f, capture_output=True, text=True, check=True)
        # The same file by both names is read once.
        self.assertIn("# What 4 calls need, as recorded in standard input, ", done.stdout)
        piped = subprocess.run([binary(), "learn", "-", self.recording, "-c", TUTORIAL],
                               input=decision("frontend", "public"), capture_output=True,
                               text=True, check=True)
        self.assertIn("# What 5 calls need", piped.stdout)
        self.assertEqual(demo.matrix_of(piped.stdout),
                         ["matrix:", "  allUsers:    [frontend]", "  frontend-sa: [backend-api]",
                          "  auth-sa:     [db-service]"])

    def test_what_is_not_learned_is_told(self):
        out = self.ok(self.recording, "-c", TUTORIAL)
        self.assertIn("# Not learned, because no grant mends it; fix the caller:\n"
                      "#   somebody -> db-service: expired, 1 call, last 2027-01-15T08:00:00Z\n"
                      "#     fix: fetch a new one\n", out)
        self.assertIn("#   db-sa -> db-service: no_grant, ", out)
        self.assertIn("#   frontend-sa -> auth-service (", out)
        self.assertIn("tutorial.yaml:82:30): never used\n", out)
        self.assertIn("  db-sa:       [db-service]\n",
                      self.ok(self.recording, "-c", TUTORIAL, "--refused"))

    def test_a_diff_exits_with_1(self):
        status, out, err = run("learn", self.recording, "-c", TUTORIAL, "--diff")
        self.assertEqual((status, err), (1, ""))
        self.assertEqual([line[:2] for line in out.splitlines()], ["- "] * 3 + ["+ "])
        self.assertIn("+ auth-sa -> db-service: 1 call, last 2027-01-15T08:00:00Z (1 let pass by "
                      "audit mode)", out)

    def test_the_whole_topology_passes_the_check_and_has_no_more_to_learn(self):
        whole = self.write("whole.yaml", self.ok(self.recording, "-c", TUTORIAL, "--whole"))
        self.assertEqual(run("check", whole)[0], 0)
        self.assertEqual(self.ok(self.recording, "-c", whole, "--diff"), "")

    def test_gcloud_and_terraform_have_the_grants(self):
        out = self.ok(self.recording, "-c", TUTORIAL, "-o", "gcloud")
        self.assertEqual(out.count("add-iam-policy-binding"), 2)
        self.assertIn(f"--member=serviceAccount:{email('auth-sa')}", out)
        self.assertEqual(subprocess.run(["sh", "-n"], input=out, text=True, check=False).returncode,
                         0)
        out = self.ok(self.recording, "-c", TUTORIAL, "-o", "terraform")
        self.assertEqual(out.count('"google_cloud_run_v2_service_iam_member"'), 2)

    def test_what_cannot_be_read_exits_with_2_and_names_the_line(self):
        bad = self.write("bad.jsonl", decision("frontend", "public") + "{}\n")
        status, out, err = run("learn", bad, "-c", TUTORIAL)
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err, f'invoker learn: {bad}:2: no decision: "timestamp" is missing')
        status, _, err = run("learn", self.folder + "/none", "-c", TUTORIAL)
        self.assertEqual(status, 2)
        self.assertIn("cannot open", err)

    def test_a_line_that_somebody_still_writes_is_left_out(self):
        cut = self.write("cut.jsonl", decision("frontend", "public") + '{"timestamp":"20')
        status, out, err = run("learn", cut, "-c", TUTORIAL)
        self.assertEqual(status, 0)
        self.assertIn("What 1 call needs", out)
        self.assertIn(f"{cut}:2: the line ends before it is whole, and was left out", err)

    def test_usage_errors(self):
        for words in ([self.recording, "--control", "127.0.0.1:1"],
                      [self.recording, "--diff", "--whole"], [self.recording, "-o", "xml"],
                      [self.recording, "--whole", "-o", "gcloud"],
                      ["--control", f"127.0.0.1:{closed_port()}"],
                      [self.recording, "-c", self.folder + "/none.yaml"]):
            with self.subTest(words):
                self.assertEqual(run("learn", *words)[0], 2)


class Running(unittest.TestCase):
    def test_a_running_gateway_tells_what_it_remembers_and_what_was_granted_by_api(self):
        with Gateway({"private": {}, "open": {}}, {"allUsers": ["open"]},
                     emulation={"mode": "audit"}) as g:
            g.get("open")
            g.get("private", "/", g.bearer(account="other-sa", audience="private"))
            g.get("private", "/", g.bearer("--expired", audience="private"))
            wait_until(lambda: '"total":3,' in http(
                "GET", f"http://{g.control}/invoker/v1/status").text)
            status, out, err = run("learn", "-c", g.topology.path, "--control", g.control)
            self.assertEqual((status, err), (0, ""))
            self.assertEqual(demo.matrix_of(out), ["matrix:", "  allUsers: [open]",
                                                   "  other-sa: [private]"])
            self.assertIn("# What 3 calls need, as recorded in the gateway at 127.0.0.1:", out)
            self.assertIn("#   frontend-sa -> private: expired, 1 call, ", out)


if __name__ == "__main__":
    unittest.main()
