"""Node programs on both sides of the gateway: upstreams that tell what happens to them, and clients
that print what came of a scenario."""

import json
import os
import shutil
import subprocess
import unittest

from tests.clients.support import FOREIGN, HERE, PROGRAMS, Program
from tests.lib.gateway import Gateway
from tests.lib.process import wait_until

NODE = shutil.which("node")
MODULES = HERE / "node_modules"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "grpc_proxy", "no_grpc_proxy")


def plain_env():
    """The machine's variables without what clients would ask for an identity, trust or a proxy."""
    return {k: v for k, v in os.environ.items()
            if not k.startswith(FOREIGN) and k.lower() not in PROXIES}


class Peer(Program):
    """A Node program of ours; each line that it prints is a JSON object. Its standard input is a
    pipe, whose end tells that this process is gone, or done with it."""

    def __init__(self, name, *args, env=None):
        super().__init__([NODE, PROGRAMS / name, *args], {**plain_env(), **(env or {})},
                         stdin=subprocess.PIPE)

    def let_go(self):
        self.popen.stdin.close()

    def kill(self):
        self.popen.stdin.close()
        super().kill()

    def told(self, timeout=30.0, **wanted):
        """The first object with these members."""
        def matches(line):
            return line.startswith("{") and wanted.items() <= json.loads(line).items()
        try:
            return json.loads(self.out.wait_for(matches, timeout))
        except AssertionError:
            raise AssertionError(f"nothing with {wanted}:\n{self.out.text()}\n"
                                 f"{self.err.text()}") from None

    def everything(self):
        return [json.loads(line) for line in self.out.all()]


class Server(Peer):
    """An upstream: its first line tells its port."""

    def __init__(self, name, *args, env=None):
        super().__init__(name, *args, env=env)
        try:
            line = self.out.wait_for(lambda text: text.startswith("{"), 30.0)
        except AssertionError:
            raise AssertionError(f"{name} does not listen:\n{self.err.text()}") from None
        self.port = json.loads(line)["port"]
        self.url = f"http://127.0.0.1:{self.port}"


class Client(Peer):
    """A client in a scenario; it may wait for let_go() to read on or to end."""

    def __init__(self, name, scenario, options, env=None):
        super().__init__(name, scenario, json.dumps(options), env=env)

    def result(self, timeout=60.0):
        """What it printed, when it has."""
        def line():
            ended = self.popen.poll() is not None
            if ended:
                self.out.join()
            if ended and not self.out.all():
                raise AssertionError(f"{self.command[-3:]}:\n{self.err.text()}")
            return self.out.all()
        return json.loads(wait_until(line, timeout, f"a result of {self.command[-3:]}")[0])


class PeersTest(unittest.TestCase):
    """Every test of the class has the same upstream program and gateway. `backend` and `others` are
    the settings of the service that frontend-sa may call and of more services."""

    server_program = None
    client_program = None
    modules = ()
    backend = {}
    others = {}

    @classmethod
    def setUpClass(cls):
        if not NODE:
            raise unittest.SkipTest("node is not installed")
        for module in cls.modules:
            if not (MODULES / module).is_dir():
                raise unittest.SkipTest("npm packages are missing: run make deps")
        cls.server = Server(cls.server_program)
        cls.addClassCleanup(cls.server.kill)
        services = {"frontend": {"service_account": "frontend-sa", "upstream": None},
                    "backend-api": cls.settings(cls.backend),
                    "db-service": cls.settings(cls.backend),
                    **{name: cls.settings(more) for name, more in cls.others.items()}}
        cls.gateway = Gateway(services, {"frontend-sa": ["backend-api", *cls.others]})
        cls.addClassCleanup(cls.gateway.close)

    @classmethod
    def settings(cls, more):
        return {"service_account": "backend-sa", "upstream": cls.server.url, **more}

    def client(self, scenario, env=None, **options):
        """A started client; it is gone when the test ends."""
        client = Client(self.client_program, scenario, options, env)
        self.addCleanup(client.kill)
        return client

    def ask(self, scenario, env=None, **options):
        """What a client that waits for nothing printed."""
        client = self.client(scenario, env, **options)
        result = client.result()
        client.let_go()
        self.assertEqual(client.wait(30), 0, client.err.text())
        return result

    def token(self, service="backend-api"):
        return self.gateway.token(audience=service)
