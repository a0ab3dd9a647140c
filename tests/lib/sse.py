"""Server-sent events off a socket."""

import json

from tests.lib.rawhttp import Client

STREAM = "/invoker/v1/decisions/stream"


class Events:
    """The gateway's stream of decisions, open when this returns. query: "?refused=1"."""

    def __init__(self, control, query="", headers=(), timeout=10.0):
        self.client = Client(control, timeout)
        self.client.request("GET", STREAM + query, headers)
        self.head = self.client.read_head()
        assert self.head.status == 200, self.head
        self._lines = self._read()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.client.close()

    def close(self):
        self.client.close()

    def _read(self):
        rest = b""
        for chunk in self.client.chunks(self.head):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)
        assert not rest, rest

    def event(self):
        """The next one: {"id", "event", "data": JSON}; None: the stream has ended."""
        fields = {}
        for line in self._lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and "data" in fields:
                return {**fields, "data": json.loads(fields["data"])}
            elif not line:
                fields = {}
        return None

    def events(self, count):
        return [self.event() for _ in range(count)]

    def paths(self, count):
        return [e["data"]["path"] for e in self.events(count)]
