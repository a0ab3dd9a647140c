"""README.md is true: what needs nothing but the checkout is run here."""

import pathlib
import re
import unittest

from tests.lib.harness import ROOT, run
from tests.lib.readme import README, ReadmeCase


class Readme(ReadmeCase):
    def test_every_command_prints_what_the_readme_says(self):
        self.check_blocks()

    def test_the_refusals_table_is_the_programs_own(self):
        status, table, _ = run("why", "--reasons", "--output", "markdown")
        self.assertEqual(status, 0)
        self.assertIn(table.strip(), README.read_text(encoding="utf-8"))

    def test_every_link_into_the_checkout_leads_somewhere(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
            self.assertTrue((ROOT / target).exists(), target)

    def test_every_target_it_names_exists(self):
        makefile = pathlib.Path(ROOT, "Makefile").read_text(encoding="utf-8")
        for target in set(re.findall(r"`make ([a-z]+)`", README.read_text(encoding="utf-8"))):
            self.assertRegex(makefile, rf"(?m)^{target}:|^\.PHONY:.*\b{target}\b")


if __name__ == "__main__":
    unittest.main()
