"""Identity tokens of the metadata server: from its cache, and freshly signed."""

import os
import re
import subprocess
import typing

from emulator import PROGRAMS, Emulator
from generators import wrk
from measure import contender, load, rounds
from program import Program

FRESH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fresh_audience.lua")
FLAVOR = ["Metadata-Flavor: Google"]


class PerCore(typing.NamedTuple):
    rate: float  # tokens for each second of CPU


def bench(ctx):
    ctx.report.section("identity", "tokens of the metadata server")
    with Emulator(ctx.upstream_port) as emulator:
        cached(ctx, emulator)
        fresh(ctx, emulator)


def cached(ctx, emulator):
    constant, port = Program.listening([os.path.join(PROGRAMS, "mhd_constant")])
    options = {"headers": FLAVOR, "seconds": ctx.seconds}
    with constant:
        results = rounds(ctx.report, ctx.rounds, {
            "cached": contender(emulator.metadata, wrk, emulator.identity + emulator.url,
                                **options),
            "constant": contender(constant, wrk, f"http://127.0.0.1:{port}/", **options)})
    pair = ("cached", "constant")
    ctx.report.compare("cached, requests/s vs libmicrohttpd with a constant", results, pair,
                       "rate", ">= 0.8")
    ctx.report.compare("cached, CPU vs libmicrohttpd with a constant", results, pair, "cpu_us",
                       "<= 1.25")


def fresh(ctx, emulator):
    """By CPU time, as openssl speed counts too: others on the machine cost neither."""
    def ours():
        cost = load(emulator.metadata, wrk, emulator.identity, headers=FLAVOR,
                    seconds=ctx.seconds, script=(FRESH,))
        return PerCore(1e6 / cost.cpu_us)

    results = rounds(ctx.report, 3, {"fresh": ours, "sign": openssl_signs})
    ctx.report.compare("fresh, per core-second vs openssl speed's signatures", results,
                       ("fresh", "sign"), "rate", ">= 0.9")


def openssl_signs():
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "rsa2048"], capture_output=True,
                         text=True, check=True, timeout=60).stdout
    return PerCore(float(re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", out).group(1)))
