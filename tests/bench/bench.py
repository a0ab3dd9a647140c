"""`make bench`: the figures, each a ratio against a peer in the same run. --only h1,ws or words on
the command line pick sections; BENCH_ROUNDS and BENCH_SECONDS make it longer."""

import argparse
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, ROOT]

import api  # noqa: E402
import bulk  # noqa: E402
import grpc  # noqa: E402
import h1  # noqa: E402
import h2  # noqa: E402
import identity  # noqa: E402
import latency  # noqa: E402
import peers  # noqa: E402
import size  # noqa: E402
import ws  # noqa: E402
from emulator import PROGRAMS  # noqa: E402
from program import Program  # noqa: E402
from report import Report  # noqa: E402

TOOLS = ("wrk", "h2load", "haproxy", "nginx", "openssl", "curl")


def decide(ctx):
    ctx.report.section("decide", "one decision, 1,000 services")
    p = subprocess.run([os.path.join(PROGRAMS, "decide_bench")], capture_output=True, text=True,
                       check=False, timeout=120)
    for bindings, ns, ms in re.findall(r"(\d+) +(\d+) ns +([\d.]+) ms", p.stdout):
        ctx.report.value(f"{bindings} bindings: a decision", float(ns), "ns", "<= 1000")
        ctx.report.value(f"{bindings} bindings: building the snapshot", float(ms), "ms", "<= 1000")


SECTIONS = {"h1": h1.bench, "h2": h2.bench, "grpc": grpc.bench, "ws": ws.bench, "bulk": bulk.bench,
            "size": size.bench, "latency": latency.bench, "identity": identity.bench,
            "api": api.bench, "decide": decide}


@dataclasses.dataclass
class Context:
    """What every section gets."""
    folder: str  # for files of this run
    upstream_port: int
    report: Report
    rounds: int = int(os.environ.get("BENCH_ROUNDS", "5"))
    seconds: int = int(os.environ.get("BENCH_SECONDS", "1"))


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="SECTION,…", default="")
    parser.add_argument("sections", nargs="*", metavar="SECTION",
                        help=f"of {', '.join(SECTIONS)}; all when none is named")
    chosen = parser.parse_args()
    wanted = chosen.sections + [word for word in chosen.only.split(",") if word]
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return wanted or list(SECTIONS)


def run(ctx, wanted):
    """A section that fails leaves the others alone."""
    for name in SECTIONS:
        if name not in wanted:
            continue
        running = Program.running[:]
        try:
            SECTIONS[name](ctx)
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as e:
            ctx.report.trouble(str(e))
        for program in Program.running[:]:
            if program not in running:
                program.stop()


def main():
    wanted = options()
    if missing := [p for p in TOOLS if not shutil.which(p)]:
        print(f"bench: skipped, not installed: {', '.join(missing)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    size.raise_descriptor_limit()
    folder = tempfile.mkdtemp(prefix="invoker-bench-")
    report = Report(PROGRAMS)
    began = time.monotonic()
    report.say(f"load average at the start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    report.head()
    try:
        _, upstream_port = peers.upstream(folder)
        run(Context(folder, upstream_port, report), wanted)
    finally:
        Program.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    report.say(f"took {time.monotonic() - began:.0f} s; load average {os.getloadavg()[0]:.2f}")
    return 0 if report.close() else 1


if __name__ == "__main__":
    sys.exit(main())
