"""`make bench`: the figures, each a ratio against a peer in the same run. BENCH_ROUNDS and
BENCH_SECONDS make it longer; words on the command line pick sections."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, ROOT]

import gateway  # noqa: E402
import identity  # noqa: E402
import peers  # noqa: E402
import size  # noqa: E402
import transfer  # noqa: E402
from emulator import PROGRAMS, Emulator  # noqa: E402
from measure import Program  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
SECTIONS = ("gateway", "identity", "size", "transfer", "decide")


def decide():
    print("decision:", flush=True)
    subprocess.run([os.path.join(PROGRAMS, "decide_bench")], check=False, timeout=120)


def run(folder, wanted):
    _, upstream_port = peers.upstream(folder)
    with Emulator(upstream_port) as emulator:
        if "gateway" in wanted:
            with Emulator(upstream_port, "all") as logging:
                gateway.bench(folder, upstream_port, emulator, logging, ROUNDS, SECONDS)
        if "identity" in wanted:
            identity.bench(emulator, ROUNDS, SECONDS)
        if "size" in wanted:
            size.bench(emulator, upstream_port)
    if "transfer" in wanted:
        transfer.bench(folder)
    if "decide" in wanted:
        decide()


def main():
    missing = [p for p in ("wrk", "haproxy", "nginx", "openssl", "curl") if not shutil.which(p)]
    if missing:
        print(f"bench: skipped, not installed: {', '.join(missing)}")
        return
    wanted = sys.argv[1:] or SECTIONS
    if unknown := set(wanted) - set(SECTIONS):
        sys.exit(f"bench: no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    size.raise_descriptor_limit()
    folder = tempfile.mkdtemp(prefix="invoker-bench-")
    began = time.monotonic()
    print(f"load average at the start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    try:
        run(folder, wanted)
    finally:
        Program.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"took {time.monotonic() - began:.0f} s; load average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
