"""`invoker matrix`, `invoker why --reasons` and `invoker why --last`, as a developer runs them."""

import json
import os
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import ROOT, run, wait_until
from tests.lib.topology import Topology, closed_port

TUTORIAL = os.path.join(ROOT, "policies", "tutorial.yaml")
SERVICES = ["frontend", "backend-api", "auth-service", "db-service"]
ALLOWED = {("frontend-sa", "backend-api"), ("frontend-sa", "auth-service"),
           ("backend-sa", "db-service")}
COMPUTE = "123456789012-compute@developer.gserviceaccount.com"
CALLERS = ["frontend-sa", "backend-sa", "auth-sa", "db-sa", COMPUTE, "anonymous"]


def expected(caller, service):
    if service == "frontend":
        return "yes (public)"
    return "yes" if (caller, service) in ALLOWED else "no"


class Matrix(unittest.TestCase):
    def matrix(self, *words, config=TUTORIAL):
        status, out, err = run("matrix", "-c", config, *words)
        self.assertEqual((status, err), (0, ""))
        return out

    def test_the_table_has_a_row_for_each_caller_and_a_column_for_each_service(self):
        for out in (self.matrix(), self.matrix("--output", "table")):
            head, *rows = out.splitlines()
            self.assertEqual(head.split(), SERVICES)
            self.assertEqual([row.split()[0] for row in rows], CALLERS)
            starts = [head.index(" " + name) + 1 for name in SERVICES] + [None]
            for row in rows:
                for i, name in enumerate(SERVICES):
                    self.assertEqual(row[starts[i]:starts[i + 1]].strip(),
                                     expected(row.split()[0], name))

    def test_markdown_says_the_same(self):
        lines = self.matrix("--output", "markdown").splitlines()
        self.assertEqual(lines[0], "| caller | " + " | ".join(SERVICES) + " |")
        self.assertEqual(lines[1], "|---" * 5 + "|")
        self.assertEqual(lines[2:], ["| " + " | ".join([c] + [expected(c, s) for s in SERVICES])
                                     + " |" for c in CALLERS])

    def test_json_names_reason_and_binding(self):
        callers = json.loads(self.matrix("--output", "json"))["callers"]
        self.assertEqual([c["caller"] for c in callers], CALLERS)
        by_name = {c["caller"]: c for c in callers}
        self.assertEqual(by_name["frontend-sa"]["email"], email("frontend-sa"))
        self.assertIsNone(by_name["anonymous"]["email"])
        for caller in callers:
            self.assertEqual(list(caller["services"]), SERVICES)
            for name, verdict in caller["services"].items():
                self.assertEqual(verdict["allowed"],
                                 expected(caller["caller"], name).startswith("yes"))
        self.assertEqual(by_name["frontend-sa"]["services"]["backend-api"],
                         {"allowed": True, "reason": "granted", "role": "roles/run.invoker",
                          "member": f"serviceAccount:{email('frontend-sa')}", "scope": "service"})
        self.assertEqual(by_name["backend-sa"]["services"]["backend-api"],
                         {"allowed": False, "reason": "no_grant"})
        self.assertEqual(by_name["anonymous"]["services"]["db-service"],
                         {"allowed": False, "reason": "no_credential"})

    def test_project_bindings_groups_and_people_count(self):
        content = {"project": {"id": "my-project", "number": 123456789012, "policy": {
            "bindings": [{"role": "roles/editor", "members": ["user:eve@example.com"]}]}},
                   "service_accounts": {"a": {}}, "users": ["eve@example.com", "amy@example.com"],
                   "groups": {"team@example.com": ["amy@example.com"]},
                   "services": {"one": {}, "two": {}}, "matrix": {"team@example.com": ["two"]}}
        with Topology(content) as t:
            rows = {c["caller"]: c["services"]
                    for c in json.loads(self.matrix("-o", "json", config=t.path))["callers"]}
        self.assertEqual(rows["eve@example.com"]["one"]["scope"], "project")
        self.assertEqual(rows["eve@example.com"]["two"]["role"], "roles/editor")
        self.assertFalse(rows["amy@example.com"]["one"]["allowed"])
        self.assertEqual(rows["amy@example.com"]["two"]["member"], "group:team@example.com")
        self.assertFalse(rows["a"]["two"]["allowed"])

    def test_usage_errors(self):
        for words in (["--output", "yaml"], ["extra"], ["-c", "/nonexistent/t.yaml"]):
            with self.subTest(words):
                status, out, err = run("matrix", *words)
                self.assertEqual((status, out), (2, ""))
                self.assertTrue(err)


class Reasons(unittest.TestCase):
    def reasons(self, *words):
        status, out, err = run("why", "--reasons", *words)
        self.assertEqual((status, err), (0, ""))
        return out

    def rows(self):
        return json.loads(self.reasons("--output", "json"))["reasons"]

    def test_json_has_what_the_gateway_answers(self):
        rows = {row["reason"]: row for row in self.rows()}
        self.assertEqual(len(rows), 32)
        for name, row in rows.items():
            self.assertEqual(list(row), ["reason", "allowed", "status", "www_authenticate",
                                         "log_text", "logged", "summary", "fix", "learn_more"])
            self.assertRegex(row["learn_more"], r"^https://cloud\.google\.com/(run|iam)?/?docs/")
            self.assertEqual(row["www_authenticate"] is not None, row["status"] == 401, name)
            self.assertEqual(row["allowed"], row["status"] == 200, name)
            self.assertEqual(row["fix"] is None, row["allowed"], name)
            self.assertEqual(row["logged"], row["status"] != 404, name)
            self.assertTrue(row["summary"])
        self.assertEqual([rows[n]["status"] for n in ("no_credential", "access_token",
                                                      "wrong_audience", "no_grant")],
                         [403, 401, 401, 403])

    def test_the_table_has_a_line_for_each_and_its_cure_below(self):
        for words in ([], ["--output", "table"], ["--output", "text"]):
            lines = self.reasons(*words).splitlines()
            names = [line.split()[0] for line in lines if not line.startswith(" ")]
            self.assertEqual(names, [row["reason"] for row in self.rows()])
            cures = [line.strip() for line in lines if line.startswith(" ")]
            self.assertEqual(cures, [row["fix"] for row in self.rows() if row["fix"]])

    def test_markdown_is_one_table_and_the_log_texts_it_refers_to(self):
        table, _, notes = self.reasons("--output", "markdown").partition("\n\n")
        cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in table.splitlines()]
        self.assertEqual(cells[0], ["reason", "status", "challenge", "log", "what happened",
                                    "what mends it"])
        self.assertEqual([row[0] for row in cells[2:]], [f"`{r['reason']}`" for r in self.rows()])
        letters = {row[3] for row in cells[2:]} - {"no text", "no entry"}
        self.assertEqual({line[2] for line in notes.splitlines() if line.startswith("- ")}, letters)
        for row in self.rows():
            if row["log_text"]:
                self.assertIn(row["log_text"], notes)

    def test_another_format_is_a_usage_error(self):
        status, out, err = run("why", "--reasons", "--output", "xml")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("xml", err)


class Last(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"private": {}, "other": {}}, {"frontend-sa": ["private"]})
        cls.addClassCleanup(cls.g.close)

    def last(self, *words, control=None):
        return run("why", "--last", "--control", control or self.g.control, *words)

    def refuse(self, path, **more):
        self.g.get("private", path, **more)

        def seen():
            out = self.last("--output", "json")[1]
            return out != "null" and json.loads(out)["path"] == shown
        shown = path.split("?")[0]
        wait_until(seen, what=f"the refusal of {path}")

    def test_before_any_refusal_there_is_nothing_to_explain(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}) as g:
            self.assertEqual(g.get("open").status, 200)
            status, out, err = self.last(control=g.control)
            self.assertEqual((status, out, err), (0, "No request was refused yet.", ""))
            self.assertEqual(self.last("-o", "json", control=g.control)[:2], (0, "null"))

    def test_the_latest_refusal_is_explained_with_its_cure(self):
        self.refuse("/first")
        self.refuse("/second?x=1", headers=self.g.bearer(account="other-sa", audience="private"))
        status, out, err = self.last()
        self.assertEqual((status, err), (1, ""))
        self.assertTrue(out.startswith("refused with 403 (no_grant)\n\n"), out)
        for name, value in (("service", "private"), ("method", "GET"),
                            ("caller", email("other-sa")),
                            ("production", "gcloud run services add-iam-policy-binding private")):
            self.assertRegex(out, rf"(?m)^  {name} +{value}")
        self.assertRegex(out, r"(?m)^  cause +\S")
        self.assertRegex(out, r"(?m)^  here +matrix: add private to other-sa")
        report = json.loads(self.last("--output", "json")[1])
        self.assertEqual((report["reason"], report["status"]), ("no_grant", 403))
        self.assertIn("add-iam-policy-binding private", report["fix"])

    def test_the_gateway_is_found_by_variable_and_by_topology(self):
        self.refuse("/found")
        status, out, _ = run("why", "--last", env={"INVOKER_CONTROL": self.g.control})
        self.assertEqual(status, 1)
        self.assertIn("/found", out)
        with Topology({"project": {"id": "p-project", "number": 1}, "services": {"s": {}},
                       "listen": {"control": self.g.control}}) as t:
            status, out, err = run("why", "--last", "-c", t.path)
            self.assertEqual(status, 1, err)
            self.assertIn("/found", out)

    def test_a_path_cannot_move_the_cursor(self):
        """U+009B begins an escape sequence as ESC [ does; here it comes as UTF-8."""
        self.g.get("private", "/a\xc2\x9b31mb")
        out = wait_until(lambda: "31mb" in self.last()[1] and self.last()[1], what="the refusal")
        self.assertIn("/a?31mb", out)

    def test_without_a_gateway_the_address_is_named(self):
        address = f"127.0.0.1:{closed_port()}"
        status, out, err = self.last(control=address)
        self.assertEqual((status, out), (1, ""))
        self.assertIn(address, err)


class Options(unittest.TestCase):
    def test_just_granted_needs_a_delay(self):
        status, out, err = run("why", "-c", TUTORIAL, "--as", "frontend-sa", "--to", "backend-api",
                               "--just-granted")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("propagation_delay", err)


if __name__ == "__main__":
    unittest.main()
