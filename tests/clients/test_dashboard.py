"""The dashboard of the control listener in Chromium: every section, by mouse and by keyboard, in
light and in dark, with hostile callers. Screenshots are kept in build/artifacts/dashboard."""

import json
import shutil
import unittest

from tests.clients.peers import MODULES, NODE, plain_env
from tests.clients.support import PROGRAMS, Cloud, Program, temporary
from tests.lib.process import ROOT

CHROMIUM = shutil.which("chromium")
PICTURES = ROOT / "build" / "artifacts" / "dashboard"
TIMEOUT = 600


def delayed(text):
    return text.replace("matrix:\n", "emulation: { propagation_delay: 300s }\nmatrix:\n", 1)


class DashboardTest(unittest.TestCase):
    """One browser plays all scenes, one after the other; each test looks at one of them."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        for name, there in (("node", NODE), ("chromium", CHROMIUM)):
            if not there:
                raise unittest.SkipTest(f"{name} is not installed")
        for module in ("playwright-core", "axe-core"):
            if not (MODULES / module).is_dir():
                raise unittest.SkipTest("npm packages are missing: run make deps")
        PICTURES.mkdir(parents=True, exist_ok=True)
        cloud = Cloud(delayed)
        cls.addClassCleanup(cloud.close)
        cls.home = temporary(cls)
        options = {"browser": CHROMIUM, "home": str(cls.home), "info": cloud.info,
                   "topology": str(cloud.topology.path), "pictures": str(PICTURES)}
        env = {**plain_env(), "HOME": str(cls.home)}
        with Program([NODE, PROGRAMS / "dashboard.js", json.dumps(options)], env) as browser:
            if browser.wait(TIMEOUT) != 0:
                raise AssertionError(browser.err.text())
            cls.seen = json.loads(browser.out.text())
        cls.cloud = cloud

    def scene(self, name):
        seen = self.seen[name]
        if isinstance(seen, dict):
            self.assertNotIn("broken", seen, seen.get("broken"))
        return seen

    def test_the_page_works_without_an_error_or_a_foreign_request(self):
        self.assertEqual(self.seen["errors"], [])
        self.assertEqual(self.seen["foreign"], [])

    def test_the_overview_tells_who_may_who_did_and_who_was_refused(self):
        seen = self.scene("overview")
        self.assertEqual(seen["title"], "Invoker")
        self.assertTrue(seen["about"].startswith("my-project · us-central1 · "), seen["about"])
        self.assertEqual((seen["state"], seen["connection"]), ("state ephemeral", "live"))
        self.assertFalse(seen["audit"])
        self.assertEqual(seen["headers"],
                         ["Caller", "frontend", "backend-api", "auth-service", "db-service"])
        self.assertEqual(seen["callers"][:4], ["frontend-sa", "backend-sa", "auth-sa", "db-sa"])
        self.assertIn("Never used 1", seen["tiles"])
        cells = {c.split(":")[0]: c.partition(": ")[2] for c in seen["cells"]}
        self.assertRegex(cells["frontend-sa to backend-api"], r"^granted line \d+ 9 passed \| .*"
                         r"roles/run\.invoker on service backend-api, .*:\d+:\d+$")
        self.assertRegex(cells["frontend-sa to auth-service"], r"^granted line \d+ unused \|")
        self.assertEqual(cells["frontend-sa to db-service"], "no grant 2 refused |")
        self.assertEqual(cells["anonymous to backend-api"], "no grant 1 refused |")
        self.assertRegex(cells["anonymous to frontend"], r"^public 12 passed \|")
        self.assertRegex(cells["db-sa to auth-service"], r"^no grant \|")

    def test_the_graph_draws_used_unused_and_refused_ways_and_says_them_in_words(self):
        seen = self.scene("overview")
        for words in ("frontend-sa called backend-api: 9 calls",
                      "frontend-sa may call auth-service, and has not",
                      "frontend-sa was refused at db-service: 2 calls",
                      "anonymous was refused at backend-api: 1 call"):
            self.assertIn(words, seen["words"])
        dashes = {kind: dash for kind, dash in seen["edges"]}
        self.assertEqual((dashes["edge used"], dashes["edge granted"]), ("none", "none"))
        self.assertNotEqual(dashes["edge refused"], "none")
        self.assertEqual(len(seen["edges"]), len(seen["words"]))

    def test_a_cell_is_explained_and_filters_the_decisions(self):
        seen = self.scene("cell")
        self.assertIn("Refused", seen["text"])
        self.assertIn("gcloud run services add-iam-policy-binding db-service", seen["text"])
        self.assertIn("2 calls refused", seen["text"])
        self.assertEqual(seen["focus"], "explanation-title")
        self.assertTrue(seen["caller"].startswith("frontend-sa@"))
        self.assertEqual(seen["service"], "db-service")
        self.assertEqual(len(seen["rows"]), 2, seen["rows"])
        self.assertGreater(seen["all"], 20)

    def test_a_decision_is_explained_check_by_check(self):
        seen = self.scene("decision")
        self.assertGreaterEqual(len(seen["checks"]), 14)
        self.assertEqual(len(seen["failed"]), 1)
        self.assertIn("audience", seen["failed"][0])
        self.assertIn("backend-api, another service", seen["failed"][0])
        self.assertIn("identity?audience=", seen["copied"])
        self.assertTrue(seen["link"].startswith("https://cloud.google.com/"))

    def test_decisions_come_by_themselves_pause_and_are_filtered(self):
        seen = self.scene("live")
        self.assertEqual(seen["before"], seen["paused"])
        self.assertTrue(seen["refused"])
        self.assertFalse({"granted", "public"} & set(seen["refused"]))
        self.assertEqual(set(seen["found"]), {"GET /api/data"})
        self.assertEqual(seen["none"], "No decision fits the filter.")

    def test_what_if_judges_made_up_calls(self):
        seen = self.scene("whatif")
        self.assertIn("Allowed", seen["allowed"])
        self.assertIn("granted", seen["allowed"])
        self.assertIn("no_credential", seen["anonymous"])
        self.assertIn("expired", seen["expired"])
        self.assertIn("wrong_audience", seen["audience"])
        self.assertIn("the query or fragment is too much", seen["audience"])
        self.assertIn("no service account 'nobody-sa'", seen["unknown"])

    def test_a_token_is_taken_apart_and_kept_nowhere(self):
        seen = self.scene("token")
        self.assertIn("Valid", seen["good"])
        self.assertIn("frontend-sa@my-project.iam.gserviceaccount.com", seen["good"])
        self.assertIn("signature confirmed", seen["good"])
        self.assertRegex(seen["services"][1], "backend-api audience accepted; may invoke")
        self.assertRegex(seen["services"][3], "db-service wants the audience .*may not invoke")
        self.assertIn("bad_signature", seen["tampered"])
        self.assertIn("not_a_jwt", seen["nonsense"])
        self.assertEqual(seen["cleared"], ["", "Paste a token."])
        self.assertFalse(seen["kept"])
        log = self.cloud.up.err.text() + self.cloud.up.out.text()
        self.assertNotRegex(log, r"eyJ[\w-]+\.eyJ")

    def test_what_hostile_callers_write_is_text(self):
        seen = self.scene("hostile")
        self.assertEqual((seen["title"], seen["dialogs"], seen["elements"]), ("Invoker", [], 0))
        self.assertIn("/%3Cscript%3Edocument.title=3%3C/script%3E/hostile", seen["decision"])
        self.assertIn("<img src=x", seen["decision"])
        self.assertIn("<img src=x", seen["inspected"])

    def test_everything_is_reached_by_the_keyboard(self):
        seen = self.scene("keyboard")
        self.assertEqual(seen["stops"][0]["name"], "Skip to the content")
        self.assertEqual([s["name"] for s in seen["stops"] if not s["outline"]], [])
        for name in ("reset", "theme", "tab-traffic", "pause", "f-text", "f-caller", "f-service"):
            self.assertIn(name, [s["id"] for s in seen["stops"]])
        self.assertTrue(seen["cell"].startswith("frontend-sa to db-service"), seen["cell"])
        self.assertEqual(seen["back"], seen["cell"])
        self.assertEqual(seen["tabs"], [
            "tab-whatif #/whatif", "tab-token #/token", "tab-propagation #/propagation",
            "tab-traffic", "tab-propagation #/propagation", "tab-traffic"])

    def test_the_theme_is_the_systems_or_the_buttons(self):
        seen = self.scene("theme")
        names, colours = zip(*seen)
        self.assertEqual(names, ("Theme: system", "Theme: light", "Theme: dark", "Theme: system"))
        self.assertEqual((colours[0], colours[1], colours[3]), (colours[0],) * 3)
        self.assertNotEqual(colours[2], colours[0])

    def test_a_narrow_screen_needs_no_sideways_scrolling(self):
        self.assertLessEqual(self.scene("narrow")["wide"], 360)

    def test_it_is_accessible_in_light_and_dark(self):
        for scene, found in self.scene("access").items():
            with self.subTest(scene=scene):
                self.assertIn(found, ([], 0))

    def test_pending_changes_are_shown_and_can_be_let_through(self):
        seen = self.scene("propagation")
        self.assertIn("takes effect after 5 min", seen["nothing"])
        self.assertEqual(seen["badge"], "2")
        rows = "\n".join(sorted(seen["rows"]))
        self.assertRegex(rows, r"granted serviceAccount:auth-sa@.* service db-service .* in \d")
        self.assertRegex(rows, r"revoked serviceAccount:frontend-sa@.* service auth-service .* in")
        self.assertEqual((seen["before"], seen["after"]), (403, 200))
        self.assertEqual(seen["toast"], "2 changes took effect.")
        self.assertEqual(seen["access"], [])

    def test_audit_mode_is_loud(self):
        seen = self.scene("audit")
        self.assertEqual(seen["status"], 200)
        self.assertIn("nothing is enforced", seen["banner"])
        self.assertIn("audit mode let it through", seen["text"])
        self.assertEqual(seen["access"], [])

    def test_a_lost_connection_is_told_and_found_again(self):
        self.assertEqual(self.scene("lost")["toast"], "Connected again.")

    def test_a_reset_asks_first(self):
        seen = self.scene("reset")
        self.assertEqual(seen["access"], [])
        self.assertGreater(seen["kept"], 20)
        self.assertIn("Calls judged 0", seen["tiles"])

    def test_screenshots_are_kept(self):
        for name in ("traffic", "whatif", "token", "propagation"):
            for scheme in ("light", "dark"):
                self.assertGreater((PICTURES / f"{name}-{scheme}.png").stat().st_size, 5000)


if __name__ == "__main__":
    unittest.main()
