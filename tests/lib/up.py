"""`invoker up` under test: the process, its ready line, its descendants, and tiny services."""

import json
import os

from tests.lib.process import Process, wait_until

# Listens on $PORT and answers every request with its environment. Extra statements run first.
SERVICE = """
import json, os, socket
{extra}
s = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening on", os.environ["PORT"], flush=True)
body = json.dumps(dict(os.environ, PID=str(os.getpid()))).encode()
while True:
    c, _ = s.accept()
    if c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\n"
                  b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    c.close()
"""


def service(extra=""):
    """A command: for a topology."""
    return python(SERVICE.format(extra=extra))


def python(code):
    return ["python3", "-S", "-E", "-c", code]


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[1])


def descendants(pid):
    """All processes below pid that still run."""
    parents = {int(p): parent_of(p) for p in os.listdir("/proc") if p.isdigit()}
    found, fresh = set(), {pid}
    while fresh:
        fresh = {p for p, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def alive(pids):
    return {p for p in pids if parent_of(p) is not None}


def wait_gone(pids, timeout=5.0):
    wait_until(lambda: not alive(pids), timeout, f"end of {pids}")


class Up(Process):
    """`invoker up --json --ephemeral-ports` on a Topology of tests.lib."""

    def __init__(self, topology, *args, command=(), ephemeral=True, env=None):
        words = ["up", "--json", "-c", str(topology.path), "--keys", str(topology.keys)]
        words += ["--ephemeral-ports"] * ephemeral
        words += [*args]
        if command:
            words += ["--", *command]
        super().__init__(*words, env=env)
        self.info = None

    def ready(self, timeout=20.0):
        """Waits for the ready line; returns it parsed."""
        try:
            line = self.out.wait_for(lambda text: text.startswith("{"), timeout)
        except AssertionError:
            raise AssertionError(f"not ready:\n{self.err.text()}") from None
        self.info = json.loads(line)
        return self.info

    def child(self, name):
        """The id of the child whose command line contains these words."""
        for pid in descendants(self.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name.encode() in words:
                return pid
        return None
