"""Invoker as the bench runs it: one private service, one caller that may invoke it."""

import json
import os
import select
import subprocess
import urllib.request

from program import Program
from tests.lib.topology import Topology

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVOKER = os.path.abspath(os.environ.get("INVOKER") or os.path.join(ROOT, "build", "invoker"))
PROGRAMS = os.path.join(os.path.dirname(INVOKER), "bench")  # the bench's own, built beside it
CALLER = "caller-sa@bench-project.iam.gserviceaccount.com"


def get(url):
    request = urllib.request.Request(url, headers={"Metadata-Flavor": "Google"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode("ascii")


def topology(upstream_port, **target):
    """target: more keys of the service."""
    return Topology({
        "project": {"id": "bench-project", "number": 123456789012}, "region": "us-central1",
        "limits": {"request_body": "off", "response_body": "off"},
        "service_accounts": {"caller-sa": {}, "target-sa": {}},
        "services": {
            "target": {"service_account": "target-sa", "timeout": "3600s",
                       "upstream": f"http://127.0.0.1:{upstream_port}", **target},
            "caller": {"service_account": "caller-sa"}},
        "matrix": {"caller-sa": ["target"]}})


def identity_url(metadata):
    """To be completed by the audience."""
    return (f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default/identity"
            "?audience=")


class Emulator:
    """metadata and gateway (one worker) in front of an upstream."""

    def __init__(self, upstream_port, log="off", **target):
        self.topology = topology(upstream_port, **target).shared()
        self.topology.ephemeral("target", "listen", "metadata")
        self.topology.ephemeral("caller", "listen", "metadata")
        self.keys = str(self.topology.keys)
        self.metadata = self.start("metadata", "--keys", self.keys)
        self.gateway = self.start("gateway", "--workers", "1", "--request-log", log)
        self.address = self.topology.address("target", "listen")
        self.url = "http://" + self.address
        self.identity = identity_url(self.topology.address("caller", "metadata"))
        self.token = get(self.identity + self.url)
        self.auth = [f"Authorization: Bearer {self.token}"]

    def start(self, command, *args):
        """Returns when the process is ready."""
        read, write = os.pipe()
        try:
            program = Program([INVOKER, command, *self.topology.args(), "--no-watch",
                               "--ready-fd", str(write), *args], pass_fds=(write,))
            os.close(write)
            readable, _, _ = select.select([read], [], [], 10)
            if not readable or os.read(read, 16) != b"ready\n":
                raise RuntimeError(f"invoker {command} is not ready")
            return program
        finally:
            os.close(read)

    def token_without_grant(self):
        """Good in itself, but of an account that may not invoke the service."""
        return get(identity_url(self.topology.address("target", "metadata")) + self.url)

    def public_key(self, path):
        """Writes the verification key as PEM."""
        certs = get("http://" + self.topology.address("-", "metadata") + "/oauth2/v1/certs")
        pem = next(iter(json.loads(certs).values()))
        with open(path, "w", encoding="ascii") as f:
            subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=pem, stdout=f, text=True,
                           check=True)
        return path

    def close(self):
        self.gateway.stop()
        self.metadata.stop()
        self.topology.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
