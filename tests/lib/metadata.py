"""A running metadata server and the ways to ask it: `class X(MetadataCase)`."""

import atexit
import base64
import json
import shutil
import tempfile
import unittest

from tests.lib.process import Process
from tests.lib.rawhttp import Client, http
from tests.lib.topology import Topology

V1 = "/computeMetadata/v1"
SA = V1 + "/instance/service-accounts"
FLAVOR = {"Metadata-Flavor": "Google"}
EMAIL = "frontend-sa@my-project.iam.gserviceaccount.com"
BACKEND = "backend-sa@my-project.iam.gserviceaccount.com"
DEFAULT = "123456789012-compute@developer.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AUDIENCE = "https://backend-api-123456789012.us-central1.run.app"

_keys = None


def shared_keys():
    """One folder of signing keys for the whole test run: making a key takes a while."""
    global _keys
    if _keys is None:
        _keys = tempfile.mkdtemp(prefix="invoker-test-keys-")
        atexit.register(shutil.rmtree, _keys, ignore_errors=True)
    return _keys


def topology(**changes):
    """The tests' topology as data; services: name -> settings that are added or replaced."""
    content = {
        "project": {"id": "my-project", "number": 123456789012},
        "region": "us-central1",
        "service_accounts": {"frontend-sa": {}, "backend-sa": {}},
        "services": {
            "frontend": {"service_account": "frontend-sa", "listen": "127.0.0.1:8081",
                         "metadata": "127.0.0.1:8181"},
            "backend-api": {"service_account": "backend-sa", "listen": "127.0.0.1:8082",
                            "metadata": "127.0.0.1:8182"},
        },
        "matrix": {"frontend-sa": ["backend-api"]},
    }
    for name, settings in changes.pop("services", {}).items():
        content["services"].setdefault(name, {}).update(settings)
    content.update(changes)
    return content


def decode(token):
    """(header, claims) of a JWT; the signature is not looked at."""
    parts = token.split(".")
    return [json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in parts[:2]]


class MetadataCase(unittest.TestCase):
    """One server for the class: `frontend` and `backend-api` at their own addresses, and the shared
    listener. `content` and `extra` (options) may be replaced."""

    content = topology()
    extra = []

    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(cls.content, keys=shared_keys())
        cls.addClassCleanup(cls.topology.close)
        cls.topology.shared()
        for name in cls.content["services"]:
            cls.topology.ephemeral(name, "listen", "metadata")
        cls.process = Process("metadata", *cls.topology.args(), "--keys", cls.topology.keys,
                              "--log-format", "text", *cls.extra, ready_fd=True)
        cls.addClassCleanup(cls.finish)
        cls.process.wait_ready()
        cls.address = cls.topology.address("frontend", "metadata")
        cls.shared = cls.topology.address("-", "metadata")

    @classmethod
    def finish(cls):
        """Every server that served a test must still stop cleanly."""
        try:
            status = cls.process.stop()
            assert status == 0, f"exit status {status}:\n{cls.process.err.text()}"
        finally:
            cls.process.kill()

    def ask(self, path, headers=None, method="GET", address=None, body=None):
        """Asks frontend's own server with the flavour header (headers replaces it)."""
        return http(method, f"http://{address or self.address}{path}",
                    FLAVOR if headers is None else headers, body)

    def value(self, path, address=None):
        response = self.ask(path, address=address)
        self.assertEqual(response.status, 200, response.body)
        return response.text

    def client(self, address=None):
        client = Client(address or self.address)
        self.addCleanup(client.close)
        return client
