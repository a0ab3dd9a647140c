"""README.md is true: the blocks that need gcloud."""

import unittest

from tests.clients.gcloud_case import GCLOUD
from tests.lib.readme import ReadmeCase


@unittest.skipUnless(GCLOUD, "gcloud is not installed")
class Readme(ReadmeCase):
    def test_every_gcloud_command_prints_what_the_readme_says(self):
        self.check_blocks("gcloud", timeout=600)


if __name__ == "__main__":
    unittest.main()
