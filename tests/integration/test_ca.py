"""The local certificate authority, as the commands, the gateway and OpenSSL see it."""

import os
import pathlib
import shutil
import tempfile
import unittest

from tests.lib.gateway import Gateway


class Folder(unittest.TestCase):
    """A folder of its own for each test; the authority in it is not there yet."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="invoker-ca-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.ca = self.root / "ca"


class AtTheGateway(Folder):
    def gateway(self, *options, env=None):
        g = Gateway({"open": {}}, {"allUsers": ["open"]}, options=options, env=env)
        self.addCleanup(g.close)
        self.assertEqual(g.get("open").status, 200)
        return g

    def test_it_makes_its_authority_where_it_is_told(self):
        self.gateway("--ca", str(self.ca))
        self.assertEqual(sorted(os.listdir(self.ca)), ["ca.key", "ca.pem"])
        other = self.root / "other"
        g = self.gateway(env={"INVOKER_CA": str(other)})
        self.assertTrue((other / "ca.pem").exists())
        self.assertNotIn("TLS is off", g.process.err.text())

    def test_unless_told_it_is_beside_the_signing_keys(self):
        g = self.gateway(env={"INVOKER_CA": ""})
        self.assertTrue((g.topology.keys / "ca" / "ca.key").exists())

    def test_without_an_authority_everything_but_tls_works(self):
        self.ca.write_text("in the way", encoding="ascii")
        for place, why in ((str(self.ca), "is a file"), ("/proc/self/no/ca", "cannot make")):
            with self.subTest(place):
                g = self.gateway("--ca", place)
                line = g.process.wait_for_line("TLS is off")
                self.assertIn(why, line)


if __name__ == "__main__":
    unittest.main()
