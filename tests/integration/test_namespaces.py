"""The tutorial on real hosts, each a network namespace: one metadata server at 169.254.169.254:80
that tells callers apart by source address, one gateway that answers to every service's name, and
the samples with no variable that points anywhere but at those names."""

import json
import unittest

from tests.lib import netns
from tests.lib.harness import Process, Topology, binary, sample, wait_until

LINK_LOCAL = "169.254.169.254"
GATEWAY = "10.77.0.100"
SERVICES = {
    "frontend": ("10.77.0.1", "frontend-sa", {"BACKEND_URL": "http://backend-api:8080",
                                              "AUTH_URL": "http://auth-service:8080",
                                              "DB_URL": "http://db-service:8080"}),
    "backend-api": ("10.77.0.2", "backend-sa", {"DB_URL": "http://db-service:8080"}),
    "auth-service": ("10.77.0.3", "auth-sa", {}),
    "db-service": ("10.77.0.4", "db-sa", {}),
}
STRANGER = "10.77.0.9"


def topology():
    services = {
        name: {"service_account": account, "url": f"http://{name}:8080", "hosts": [name],
               "upstream": f"http://{address}:9000", "addresses": [address],
               "listen": f"127.0.0.1:{9101 + i}"}
        for i, (name, (address, account, _)) in enumerate(SERVICES.items())}
    return {
        "project": {"id": "my-project", "number": 123456789012},
        "region": "us-central1",
        "listen": {"ingress": f"{GATEWAY}:8080", "metadata": f"{LINK_LOCAL}:80",
                   "control": "127.0.0.1:8079"},
        "service_accounts": {account: {} for _, account, _ in SERVICES.values()},
        "services": services,
        "matrix": {"allUsers": ["frontend"], "frontend-sa": ["backend-api", "auth-service"],
                   "backend-sa": ["db-service"]},
    }


@unittest.skipIf(netns.why_not(), netns.why_not())
class Namespaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wire = cls.enterClassContext(netns.Wire())
        cls.topology = cls.enterClassContext(Topology(topology()))
        names = {name: GATEWAY for name in SERVICES}
        cls.wire.host("meta", "10.77.0.254")
        cls.wire.address("meta", f"{LINK_LOCAL}/32")
        names["metadata.google.internal"] = LINK_LOCAL
        cls.add_host("gateway", GATEWAY, names)
        cls.add_host("stranger", STRANGER, names)
        for name, (address, _, _) in SERVICES.items():
            cls.add_host(name, address, names)
        cls.start("meta", [binary(), "metadata", "-c", cls.topology.path, "--keys",
                           cls.topology.keys])
        cls.start("gateway", [binary(), "gateway", "-c", cls.topology.path, "--workers", "1"])
        for name, (_, _, urls) in SERVICES.items():
            cls.start(name, [sample(name)],
                      {"PORT": "9000", "HOST": "0.0.0.0", "K_SERVICE": name,
                       "DB_PATH": str(cls.topology.dir / "items.db"), **urls})
        wait_until(lambda: cls.curl("stranger", f"http://{LINK_LOCAL}/oauth2/v3/certs")[0] == 200, 20,
                   "the metadata server's keys")
        wait_until(lambda: cls.curl("frontend", "http://backend-api:8080/")[0] == 403, 20,
                   "the gateway's first refusal")
        for name in SERVICES:
            wait_until(lambda n=name: cls.listens(n), 10, f"{name} listens")

    @classmethod
    def listens(cls, name):
        return ":9000" in cls.wire.run(name, "ss", "-Hltn").stdout

    @classmethod
    def add_host(cls, name, address, names):
        cls.wire.host(name, address, names)
        cls.wire.route(name, f"{LINK_LOCAL}/32", address)

    @classmethod
    def start(cls, host, argv, env=None):
        program, *args = cls.wire.command(host, argv)
        return cls.enterClassContext(Process(*args, program=program, env=env))

    @classmethod
    def curl(cls, host, *args):
        """(status, body)"""
        done = cls.wire.run(host, "curl", "-sS", "--max-time", "10", "-w", "\n%{http_code}", *args)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def metadata(self, host, path, base="http://metadata.google.internal"):
        return self.curl(host, "-H", "Metadata-Flavor: Google", base + path)

    def test_each_service_has_its_own_identity_by_name_and_by_link_local_address(self):
        path = "/computeMetadata/v1/instance/service-accounts/default/email"
        for name, (_, account, _) in SERVICES.items():
            for base in ("http://metadata.google.internal", f"http://{LINK_LOCAL}"):
                self.assertEqual(self.metadata(name, path, base),
                                 (200, f"{account}@my-project.iam.gserviceaccount.com"))

    def test_a_host_that_is_no_service_gets_the_default_account(self):
        status, email = self.metadata(
            "stranger", "/computeMetadata/v1/instance/service-accounts/default/email")
        self.assertEqual((status, email),
                         (200, "123456789012-compute@developer.gserviceaccount.com"))

    def call(self, host, service, audience=None):
        status, token = self.metadata(
            host, "/computeMetadata/v1/instance/service-accounts/default/identity?audience="
            + (audience or f"http://{service}:8080"))
        self.assertEqual(status, 200)
        return self.curl(host, "-H", f"Authorization: Bearer {token}",
                         f"http://{service}:8080/items")[0]

    def test_the_matrix_holds_on_the_wire(self):
        self.assertEqual(self.call("backend-api", "db-service"), 200)
        self.assertEqual(self.call("frontend", "db-service"), 403)
        self.assertEqual(self.call("stranger", "db-service"), 403)
        self.assertEqual(self.call("backend-api", "db-service", "http://backend-api:8080"), 401)
        self.assertEqual(self.curl("backend-api", "http://db-service:8080/items")[0], 403)

    def test_the_whole_chain_answers_with_combined_data(self):
        status, body = self.curl("stranger", "http://frontend:8080/api/data")
        self.assertEqual(status, 200, body)
        self.assertIn("items", json.dumps(json.loads(body)))


if __name__ == "__main__":
    unittest.main()
