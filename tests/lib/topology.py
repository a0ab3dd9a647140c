"""Topologies for tests: files in a temporary folder and ports that nobody else can take."""

import json
import os
import pathlib
import shutil
import socket
import tempfile


class Ports:
    """Reserves free TCP ports: each stays bound (SO_REUSEPORT, not listening) until close(), so that
    only a process that is told to share ports (--addresses) can listen on it."""

    def __init__(self):
        self._held = []

    def reserve(self, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, 0))
        self._held.append(sock)
        return sock.getsockname()[1]

    def address(self, host="127.0.0.1"):
        port = self.reserve(host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self):
        for sock in self._held:
            sock.close()
        self._held = []


def closed_port(host="127.0.0.1"):
    """A port on which nothing listens (freed again: for 'connection refused')."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        return sock.getsockname()[1]


class Topology:
    """A temporary folder with topology.yaml, an addresses file and a place for keys.

    content: YAML text, or data that is written as JSON (which is YAML). Every service and shared
    listener named in `ephemeral` gets a reserved port in the addresses file.
        t = Topology(text); t.ephemeral("frontend", "metadata"); t.address("frontend", "metadata")
        Process("metadata", *t.args())
    """

    def __init__(self, content, keys=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="invoker-test-"))
        self.path = self.dir / "topology.yaml"
        self.addresses_path = self.dir / "addresses"
        self.keys = pathlib.Path(keys) if keys else self.dir / "keys"
        self.ports = Ports()
        self._addresses = {}
        self.write(content)
        self._write_addresses()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.ports.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, content, name="topology.yaml"):
        """Replaces the file as an editor does: written beside it, then renamed over it."""
        if not isinstance(content, str):
            content = json.dumps(content, indent=2)
        temporary = self.dir / f".{name}.new"
        temporary.write_text(content, encoding="utf-8")
        os.replace(temporary, self.dir / name)

    def set_address(self, name, kind, address):
        """name "-": a shared listener. kind: listen, metadata, upstream; ingress, metadata, control."""
        self._addresses[(name, kind)] = address
        self._write_addresses()
        return address

    def ephemeral(self, name, *kinds, host="127.0.0.1"):
        """Reserves one port for each kind; returns the last address."""
        address = None
        for kind in kinds:
            address = self.set_address(name, kind, self.ports.address(host))
        return address

    def shared(self):
        """Reserves ports for the three shared listeners."""
        self.ephemeral("-", "ingress", "metadata", "control")
        return self

    def address(self, name, kind):
        return self._addresses[(name, kind)]

    def _write_addresses(self):
        lines = [f"{n} {k} {a}\n" for (n, k), a in self._addresses.items()]
        temporary = self.dir / ".addresses.new"
        temporary.write_text("".join(lines), encoding="ascii")
        os.replace(temporary, self.addresses_path)

    def args(self):
        """Options that every long-running command takes."""
        return ["-c", str(self.path), "--addresses", str(self.addresses_path)]
