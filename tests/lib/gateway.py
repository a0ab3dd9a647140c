"""A metadata server and a gateway on ephemeral ports, with upstreams that echo: what the gateway's
tests run against."""

import atexit
import json
import pathlib
import shutil
import tempfile

from tests.lib.process import Process, ca_folder, run, wait_until
from tests.lib.rawhttp import Client, http
from tests.lib.topology import Topology
from tests.lib.upstream import Upstream

PROJECT = "my-project"
NUMBER = "123456789012"
REGION = "us-central1"

_shared = {}


def keys_dir():
    """One folder of keys for all tests of a run: making a key takes most of a test's time."""
    if "keys" not in _shared:
        _shared["keys"] = tempfile.mkdtemp(prefix="invoker-test-keys-")
        atexit.register(shutil.rmtree, _shared["keys"], True)
    return _shared["keys"]


def email(account):
    return f"{account}@{PROJECT}.iam.gserviceaccount.com"


def run_app(service):
    """The deterministic host name."""
    return f"{service}-{NUMBER}.{REGION}.run.app"


class Gateway:
    """services: {name: settings}; each without `upstream` gets one of its own that echoes, unless
    it is None. state: both keep, or read, what the APIs change in a folder beside the topology. Use
    as a context manager."""

    def __init__(self, services, matrix=None, options=(), start=True, metadata=True, env=None,
                 state=False, **top):
        self.upstreams = {}
        self.env = env
        self.options = options
        self.metadata = None
        self.process = None
        self.content = {
            "project": {"id": PROJECT, "number": int(NUMBER)}, "region": REGION,
            "keys": keys_dir(),
            "service_accounts": {"frontend-sa": {}, "backend-sa": {}, "other-sa": {}},
            "services": {name: self._service(name, dict(s)) for name, s in services.items()},
            "matrix": matrix or {}, **top}
        self.topology = Topology(self.content, keys_dir()).shared()
        for name in services:
            self.topology.ephemeral(name, "listen", "metadata")
        self.state = ["--state", str(self.topology.dir / "state")] if state else []
        if state:
            self.options = ["--ephemeral-ports", *self.state, *options]
        if metadata:
            self.start_metadata()
        if start:
            self.start()

    def _service(self, name, settings):
        if "upstream" not in settings:
            self.upstreams[name] = Upstream()
            settings["upstream"] = self.upstreams[name].url
        elif settings["upstream"] is None:
            del settings["upstream"]
        return settings

    def start_metadata(self):
        self.metadata = Process("metadata", *self.topology.args(), *self.state, ready_fd=True,
                                env=self.env)
        self.metadata.wait_ready()

    def start(self, wait=True):
        self.process = Process("gateway", *self.topology.args(), *self.options, ready_fd=True,
                               env=self.env)
        if wait:
            self.process.wait_ready()
        return self.process

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        for process in (self.process, self.metadata):
            if process:
                process.kill()
        for upstream in self.upstreams.values():
            upstream.close()
        self.topology.close()

    # ---- where things are ----

    def address(self, name, kind="listen"):
        return self.topology.address(name, kind)

    def url(self, name):
        return f"http://{self.address(name)}"

    @property
    def ingress(self):
        return self.address("-", "ingress")

    @property
    def control(self):
        return self.address("-", "control")

    @property
    def ca(self):
        """The local CA's certificate, with which the gateway's own are signed."""
        return pathlib.Path(ca_folder()) / "ca.pem"

    # ---- asking ----

    def get(self, name, path="/", headers=(), method="GET", body=None, **more):
        return http(method, self.url(name) + path, headers, body, **more)

    def at_host(self, host, path="/", headers=(), method="GET"):
        """At the shared ingress, by Host."""
        with Client(self.ingress) as client:
            client.request(method, path, [("Host", host), *headers])
            return client.read(head_only=method == "HEAD")

    def token(self, *flags, account="frontend-sa", audience=None):
        """As `invoker token` mints it; audience: the service's name, or any string with a dot or
        colon in it."""
        if audience in self.content["services"]:
            audience = self.url(audience)
        arguments = ["token", "-c", self.topology.path, "--keys", keys_dir(), "--as", account]
        if audience is not None:
            arguments += ["--audience", audience]
        status, out, err = run(*arguments, *flags)
        assert status == 0, err
        return out.strip()

    def bearer(self, *flags, **more):
        return {"Authorization": "Bearer " + self.token(*flags, **more)}

    # ---- the log ----

    def log(self):
        """All JSON lines so far."""
        return [json.loads(line) for line in self.process.err.all() if line.startswith("{")]

    def entries(self):
        """The request-log entries so far."""
        return [e for e in self.log() if "httpRequest" in e]

    def entry(self, path):
        """The entry of a request, found by the end of its URL; waits for it."""
        def find():
            return [e for e in self.entries() if e["httpRequest"]["requestUrl"].endswith(path)]
        return wait_until(find, what=f"a request-log entry for {path}")[-1]
