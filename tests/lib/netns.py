"""Network namespaces that a test makes for itself: hosts on one wire, plugged into a bridge that
lives in a namespace of its own, so that the machine's own network is untouched."""

import os
import pathlib
import shutil
import subprocess


def ip(*args):
    return subprocess.run(["ip", *args], check=True, capture_output=True, text=True).stdout


def why_not():
    """None where namespaces can be made, else the reason."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "ip (iproute2) is not installed"
    probe = f"invp{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return "this system forbids network namespaces: " + made.stderr.strip()
    subprocess.run(["ip", "netns", "del", probe], check=False)
    return None


class Wire:
    """`with Wire() as wire: wire.host("a", "10.77.0.1")`; wire.exec("a", [...]) starts a program
    there. /etc/hosts of each host is its own."""

    def __init__(self):
        self._prefix = f"inv{os.getpid()}"
        self._hosts = []
        self._add("fabric")
        ip("-n", self.name("fabric"), "link", "add", "br0", "type", "bridge")
        ip("-n", self.name("fabric"), "link", "set", "br0", "up")

    def name(self, host):
        return f"{self._prefix}-{host}"

    def _add(self, host):
        ip("netns", "add", self.name(host))
        self._hosts.append(host)
        ip("-n", self.name(host), "link", "set", "lo", "up")

    def host(self, host, address, names=None):
        """names: what /etc/hosts says there, name → address."""
        ns, fabric = self.name(host), self.name("fabric")
        self._add(host)
        port = f"p{len(self._hosts)}"
        ip("-n", fabric, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
        ip("-n", fabric, "link", "set", port, "master", "br0", "up")
        ip("-n", ns, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", ns, "link", "set", "eth0", "up")
        etc = pathlib.Path("/etc/netns") / ns
        etc.mkdir(parents=True)
        lines = ["127.0.0.1 localhost", *(f"{a} {n}" for n, a in (names or {}).items())]
        (etc / "hosts").write_text("\n".join(lines) + "\n", encoding="ascii")

    def address(self, host, address):
        ip("-n", self.name(host), "addr", "add", address, "dev", "eth0")

    def route(self, host, target, source):
        ip("-n", self.name(host), "route", "add", target, "dev", "eth0", "src", source)

    def command(self, host, argv):
        """argv as it must be started to run on that host; exec'ed, so its pid is the program's."""
        return ["ip", "netns", "exec", self.name(host), *argv]

    def run(self, host, *argv, timeout=20):
        return subprocess.run(self.command(host, argv), capture_output=True, text=True,
                              timeout=timeout, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for host in self._hosts:
            ns = self.name(host)
            subprocess.run(["ip", "netns", "del", ns], check=False)
            shutil.rmtree(pathlib.Path("/etc/netns") / ns, ignore_errors=True)
