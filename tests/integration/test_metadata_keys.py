"""Keys that change, vanish and come back under a running server; folders that the system refuses."""

import os
import shutil
import tempfile
import unittest

from tests.lib.harness import Process, Topology, http, run, wait_until
from tests.lib.metadata import FLAVOR, SA, MetadataCase, topology


class RunningKeys(unittest.TestCase):
    """A server with keys of its own, so that they can be taken away."""

    def setUp(self):
        self.t = Topology(topology())
        self.addCleanup(self.t.close)
        self.t.shared()
        for name in ("frontend", "backend-api"):
            self.t.ephemeral(name, "listen", "metadata")
        self.p = Process("metadata", *self.t.args(), "--keys", self.t.keys, "--log-format", "text",
                         ready_fd=True)
        self.addCleanup(self.p.kill)
        self.p.wait_ready()
        self.asked = 0

    def mint(self):
        """The answer to a request for an identity token that nobody asked for before."""
        self.asked += 1
        return http("GET", f"http://{self.t.address('frontend', 'metadata')}{SA}/default/identity"
                    f"?audience=x{self.asked}", FLAVOR)

    def wait_for(self, status):
        return wait_until(lambda: (r := self.mint()).status == status and r, what=f"{status}")

    def private_key(self):
        return next(self.t.keys.glob("*.pem"))

    def test_a_vanished_folder_is_500_and_the_log_says_how_to_mend_it(self):
        self.assertEqual(self.mint().status, 200)
        away = self.t.dir / "away"
        os.rename(self.t.keys, away)
        self.assertIn(f"Could not fetch URI {SA}/default/identity?audience=x",
                      self.wait_for(500).text)
        self.p.err.wait_for(f"invoker keys init --keys {self.t.keys}")
        certs = http("GET", f"http://{self.t.address('-', 'metadata')}/oauth2/v3/certs")
        self.assertEqual(certs.status, 200)  # what was signed before can still be verified
        os.rename(away, self.t.keys)
        self.wait_for(200)
        self.assertEqual(self.p.stop(), 0)

    def test_an_emptied_folder_recovers_with_a_new_key(self):
        self.private_key().unlink()
        self.wait_for(500)
        self.p.err.wait_for("no signing key; make one with: invoker keys init")
        self.assertEqual(run("keys", "init", "--keys", self.t.keys)[0], 0)
        self.wait_for(200)

    def test_a_key_that_others_may_read_no_longer_signs(self):
        self.private_key().chmod(0o644)
        os.utime(self.t.keys)
        self.wait_for(500)
        self.p.err.wait_for("mend with: chmod 600")
        self.private_key().chmod(0o600)
        self.wait_for(200)

    def test_tokeninfo_knows_a_token_that_was_signed_with_a_newer_key(self):
        self.assertEqual(run("keys", "rotate", "--overlap", "0", "--keys", self.t.keys)[0], 0)
        status, token, err = run("token", "-c", self.t.path, "--as", "frontend-sa", "--audience",
                                 "https://x.example", "--keys", self.t.keys)
        self.assertEqual(status, 0, err)
        info = http("GET", f"http://{self.t.address('-', 'metadata')}/tokeninfo?id_token="
                    + token.strip())
        self.assertEqual(info.status, 200, info.body)


class RefusedFolders(MetadataCase):
    def test_a_folder_that_cannot_be_made_names_the_option_to_change(self):
        blocked = "/proc/nowhere/keys"
        status, _, err = run("metadata", "-c", self.topology.path, "--keys", blocked)
        self.assertEqual(status, 1)
        self.assertIn("change --keys", err)
        t = Topology(topology(keys=blocked))
        self.addCleanup(t.close)
        status, _, err = run("metadata", "-c", t.path)
        self.assertEqual(status, 1)
        self.assertIn("change 'keys:' in", err)
        self.assertIn("--keys", err)

    def test_a_key_that_others_may_read_is_refused_with_the_command_that_mends_it(self):
        keys = tempfile.mkdtemp(prefix="invoker-test-keys-")
        self.addCleanup(shutil.rmtree, keys)
        self.assertEqual(run("keys", "init", "--keys", keys)[0], 0)
        (name,) = (n for n in os.listdir(keys) if n.endswith(".pem"))
        path = os.path.join(keys, name)
        os.chmod(path, 0o644)
        status, _, err = run("metadata", "-c", self.topology.path, "--keys", keys)
        self.assertNotEqual(status, 0)
        self.assertIn(f"mend with: chmod 600 {path}", err)
        self.assertNotIn("--keys", err.split("mend with", 1)[1])
