"""All that an integration test needs: `from tests.lib.harness import *` (run from the root)."""

from tests.lib.process import (ROOT, Lines, Process, binary, run, sample, sanitized,
                               wait_until)
from tests.lib.rawhttp import Client, Closed, Response, http, send_raw
from tests.lib.topology import Ports, Topology, closed_port
from tests.lib.upstream import Received, Upstream, answer

__all__ = [
    "ROOT", "Client", "Closed", "Lines", "Ports", "Process", "Received", "Response", "Topology",
    "Upstream", "answer", "binary", "closed_port", "http", "run", "sample", "sanitized",
    "send_raw", "wait_until",
]
