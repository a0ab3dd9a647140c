"""The compose files are well-formed for both Compose versions, and agree with the topology."""

import ipaddress
import pathlib
import re
import shutil
import subprocess
import unittest

from tests.lib.harness import ROOT, run

COMPOSE = shutil.which("docker-compose")
FILES = [["docker-compose.yml"], ["docker-compose.yml", "docker-compose.linklocal.yml"]]
METADATA_SERVER = ipaddress.ip_network("169.254.169.254")


def networks_of(name, pattern):
    """What the pattern's group holds in that file: addresses and subnets, between commas."""
    text = pathlib.Path(ROOT, name).read_text(encoding="utf-8")
    return [ipaddress.ip_network(item.strip()) for found in re.findall(pattern, text)
            for item in found.split(",")]


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

    def test_every_volume_has_a_place_in_the_image_that_its_user_may_write_to(self):
        made = re.findall(r"install -d -o invoker -g invoker -m \d+ ([^\\\n]+)",
                          pathlib.Path(ROOT, "Dockerfile").read_text(encoding="utf-8"))
        compose = pathlib.Path(ROOT, "docker-compose.yml").read_text(encoding="utf-8")
        mounted = re.findall(r'volumes: \["(\w+):(/\w+)"\]', compose)
        self.assertEqual({name for name, _ in mounted},
                         set(re.findall(r"^  (\w+): \{\}$", compose.split("\nvolumes:\n")[1], re.M)))
        self.assertEqual({place for _, place in mounted}, set(" ".join(made).split()))

    def test_the_gateway_keeps_its_authority_in_a_volume(self):
        compose = pathlib.Path(ROOT, "docker-compose.yml").read_text(encoding="utf-8")
        gateway = re.search(r"(?ms)^  gateway:\n(.*?)^  \S", compose).group(1)
        place = re.search(r"--ca, (/\w+)\]", gateway).group(1)
        self.assertIn(f'volumes: ["ca:{place}"]', gateway)

    def test_every_subnet_and_fixed_address_is_mapped_to_a_service(self):
        mapped = networks_of("policies/compose.yaml", r"addresses: \[(.+)\]")
        for name in ("docker-compose.yml", "docker-compose.linklocal.yml"):
            wanted = networks_of(name, r"subnet: (172[\d./]+)")
            wanted += [a for a in networks_of(name, r"ipv4_address: ([\d.]+)")
                       if a != METADATA_SERVER]
            self.assertTrue(wanted)
            for address in wanted:
                self.assertTrue(any(address.subnet_of(m) for m in mapped), (name, address))

    def test_addresses_given_out_never_meet_the_fixed_ones(self):
        given_out = networks_of("docker-compose.yml", r"ip_range: ([\d./]+)")
        fixed = [a for files in FILES[1:] for name in files
                 for a in networks_of(name, r"ipv4_address: ([\d.]+)")]
        self.assertEqual(len(given_out), 4)
        self.assertEqual(len(fixed), len(set(fixed)))
        for address in fixed:
            self.assertFalse(any(address.subnet_of(r) for r in given_out), address)

    def test_samples_on_the_shared_link_listen_on_their_own_network_only(self):
        text = pathlib.Path(ROOT, "docker-compose.linklocal.yml").read_text(encoding="utf-8")
        apps = re.findall(r"HOST: ([\d.]+) .*\n +networks:\n +\S+ \{ ipv4_address: ([\d.]+)", text)
        self.assertEqual(len(apps), 4)
        for listens_on, own in apps:
            self.assertEqual(listens_on, own)
        self.assertEqual(text.count("<<: *own-address"), 4)


if __name__ == "__main__":
    unittest.main()
