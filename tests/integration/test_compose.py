"""The compose files are well-formed for both Compose versions, and agree with the topology."""

import pathlib
import re
import shutil
import subprocess
import unittest

from tests.lib.harness import ROOT, run

COMPOSE = shutil.which("docker-compose")
FILES = [["docker-compose.yml"], ["docker-compose.yml", "docker-compose.linklocal.yml"]]


class Compose(unittest.TestCase):
    @unittest.skipUnless(COMPOSE, "docker-compose is not installed")
    def test_the_files_are_accepted(self):
        for files in FILES:
            args = [arg for f in files for arg in ("-f", f)]
            done = subprocess.run([COMPOSE, *args, "config", "-q"], cwd=ROOT, capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_topology_beside_them_is_valid(self):
        status, _, err = run("check", "policies/compose.yaml")
        self.assertEqual((status, err), (0, ""))

    def test_every_subnet_and_fixed_address_is_mapped_to_a_service(self):
        topology = pathlib.Path(ROOT, "policies", "compose.yaml").read_text(encoding="utf-8")
        for name in ("docker-compose.yml", "docker-compose.linklocal.yml"):
            text = pathlib.Path(ROOT, name).read_text(encoding="utf-8")
            wanted = re.findall(r"subnet: (172[\d./]+)", text)
            wanted += [a for a in re.findall(r"ipv4_address: ([\d.]+)", text)
                       if a != "169.254.169.254"]
            self.assertTrue(wanted)
            for address in wanted:
                self.assertIn(address, topology)


if __name__ == "__main__":
    unittest.main()
