"""README.md and docs/ are true: what needs nothing but the checkout is run here."""

import pathlib
import re
import unittest

from tests.lib.harness import ROOT, run
from tests.lib.readme import DOCUMENTS, README, ReadmeCase


class Readme(ReadmeCase):
    def test_every_command_prints_what_the_readme_says(self):
        self.check_blocks()

    def test_the_refusals_table_is_the_programs_own(self):
        status, table, _ = run("why", "--reasons", "--output", "markdown")
        self.assertEqual(status, 0)
        self.assertIn(table.strip(), README.read_text(encoding="utf-8"))

    def test_every_link_into_the_checkout_leads_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", document.read_text(encoding="utf-8")):
                self.assertTrue((document.parent / target).exists(), f"{document}: {target}")

    def test_every_target_it_names_exists(self):
        makefile = pathlib.Path(ROOT, "Makefile").read_text(encoding="utf-8")
        for target in set(re.findall(r"`make ([a-z]+)`", README.read_text(encoding="utf-8"))):
            self.assertRegex(makefile, rf"(?m)^{target}:|^\.PHONY:.*\b{target}\b")


class Docs(ReadmeCase):
    """Each in a shell of its own."""

    def test_every_command_of_the_page_on_observing(self):
        self.check_blocks(document=ROOT / "docs" / "observing.md")

    def test_every_command_of_the_page_on_tests(self):
        self.check_blocks(document=ROOT / "docs" / "testing.md")

    def test_every_command_of_the_page_on_learning(self):
        self.check_blocks(document=ROOT / "docs" / "learning.md")

    def test_every_command_of_the_page_on_the_doctor(self):
        self.check_blocks(document=ROOT / "docs" / "doctor.md")

    def test_there_is_no_other_page_with_commands(self):
        pages = {d.name for d in DOCUMENTS if "```console\n" in d.read_text(encoding="utf-8")}
        self.assertEqual(pages, {"README.md", "observing.md", "testing.md", "learning.md",
                                 "doctor.md"})


if __name__ == "__main__":
    unittest.main()
