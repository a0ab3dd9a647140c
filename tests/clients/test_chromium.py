"""Chromium as a browser of the tutorial: over TLS with the local authority trusted, and by the
ingress as its proxy."""

import json
import pathlib
import shutil
import subprocess
import unittest

from tests.clients.peers import MODULES, NODE, plain_env
from tests.clients.support import PROGRAMS, CloudTest, page_403, temporary
from tests.lib.gateway import run_app
from tests.lib.process import ROOT, ca_folder

CHROMIUM = shutil.which("chromium")
CERTUTIL = shutil.which("certutil")
PICTURES = ROOT / "build" / "screenshots"


class ChromiumTest(CloudTest):
    @classmethod
    def setUpClass(cls):
        for name, there in (("node", NODE), ("chromium", CHROMIUM), ("certutil", CERTUTIL)):
            if not there:
                raise unittest.SkipTest(f"{name} is not installed")
        if not (MODULES / "playwright-core").is_dir():
            raise unittest.SkipTest("npm packages are missing: run make deps")
        super().setUpClass()
        PICTURES.mkdir(parents=True, exist_ok=True)

    def home(self, trusting=True):
        """A HOME whose browser trusts the local authority besides the system's own."""
        home = temporary(self)
        store = home / ".pki" / "nssdb"
        store.mkdir(parents=True)
        database = f"sql:{store}"
        subprocess.run([CERTUTIL, "-d", database, "-N", "--empty-password"], check=True)
        if trusting:
            subprocess.run([CERTUTIL, "-d", database, "-A", "-t", "C,,", "-n", "local", "-i",
                            pathlib.Path(ca_folder()) / "ca.pem"], check=True)
        return home

    def browse(self, url, home=None, picture=None, **options):
        home = home or self.home()
        options.update(browser=CHROMIUM, home=str(home), url=url)
        if picture:
            options["screenshot"] = str(PICTURES / f"{picture}.png")
        out = self.execute(NODE, PROGRAMS / "browse.js", json.dumps(options),
                           env={**plain_env(), "HOME": str(home)}, timeout=120)
        if picture:
            self.assertGreater((PICTURES / f"{picture}.png").stat().st_size, 1000)
        return json.loads(out)

    @property
    def ingress(self):
        return self.cloud.info["ingress"].rpartition("/")[2]

    def port(self):
        return self.ingress.rpartition(":")[2]

    def test_the_frontend_works_over_tls(self):
        seen = self.browse(f"https://frontend.localhost:{self.port()}/", picture="frontend",
                           click="Get the data", wait="Keyboard")
        self.assertEqual((seen.get("status"), seen.get("title")), (200, "Frontend"), seen)
        self.assertIn('"source": "backend-api"', seen["text"])
        self.assertEqual(seen["protocol"], "h2")
        self.assertTrue(all(protocol == "h2" for protocol in seen["resources"]), seen)
        self.assertTrue(seen["secure"])
        self.assertEqual(seen["errors"], [])

    def test_without_the_authority_the_page_is_not_shown(self):
        seen = self.browse(f"https://frontend.localhost:{self.port()}/", self.home(trusting=False))
        self.assertIn("ERR_CERT_AUTHORITY_INVALID", seen.get("failed", ""), seen)

    def test_the_frontend_works_without_tls_too(self):
        seen = self.browse(f"http://frontend.localhost:{self.port()}/", click="Try to steal",
                           wait="403")
        self.assertEqual((seen.get("status"), seen.get("protocol")), (200, "http/1.1"), seen)

    def test_a_private_service_of_production_shows_its_refusal(self):
        seen = self.browse(f"https://{run_app('backend-api')}/api/items", picture="forbidden",
                           proxy=f"http://{self.ingress}")
        self.assertEqual((seen.get("status"), seen.get("title")), (403, "403 Forbidden"), seen)
        self.assertEqual(seen["html"], page_403("/api/items"))
        self.assertEqual(seen["protocol"], "h2")

    def test_the_frontend_works_by_its_name_in_production(self):
        seen = self.browse(f"https://{run_app('frontend')}/", proxy=f"http://{self.ingress}",
                           click="Get the data", wait="Keyboard")
        self.assertEqual((seen.get("status"), seen.get("protocol")), (200, "h2"), seen)
        self.assertEqual(seen["errors"], [])

    def test_a_host_that_is_none_of_the_topologys_is_not_reached(self):
        seen = self.browse("https://foreign.example/", proxy=f"http://{self.ingress}")
        self.assertIn("ERR_TUNNEL_CONNECTION_FAILED", seen.get("failed", ""), seen)


if __name__ == "__main__":
    unittest.main()
