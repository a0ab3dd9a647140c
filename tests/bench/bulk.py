"""Bodies of 1 GiB up and down, over HTTP/1.1 and HTTP/2: throughput, CPU, memory meanwhile."""

import contextlib
import os
import subprocess
import sys
import time
import typing

import h2
import peers
from emulator import Emulator
from measure import rounds
from program import Peak, Program

HERE = os.path.dirname(os.path.abspath(__file__))
GIB = 1 << 30
CURL_S = 60
ROUNDS = {False: 3, True: 2}  # of HTTP/1.1 and HTTP/2


class Transfer(typing.NamedTuple):
    gib_s: float
    ms_gib: float  # CPU of the program in between


def curl(url, headers, upload, over_h2):
    argv = ["curl", "-sS", "-f", "-o", "/dev/null", "--max-time", str(CURL_S)]
    if over_h2:
        argv.append("--http2-prior-knowledge")
    for h in headers:
        argv += ["-H", h]
    if upload:
        with subprocess.Popen(["head", "-c", str(GIB), "/dev/zero"],
                              stdout=subprocess.PIPE) as zeros:
            argv += ["-H", "Expect:", "-X", "POST", "-T", "-", url + "/up"]
            done = subprocess.run(argv, stdin=zeros.stdout, capture_output=True, check=False)
            zeros.stdout.close()
    else:
        done = subprocess.run([*argv, url + f"/down/{GIB}"], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", "replace").strip())


def transfer(program, url, headers, upload, over_h2):
    before, began = program.cpu_s(), time.monotonic()
    curl(url, headers, upload, over_h2)
    return Transfer(1 / (time.monotonic() - began), (program.cpu_s() - before) * 1e3)


def both_ways(ctx, emulator, peer, over_h2):
    """peer: name in figures, program, port."""
    what, program, port = peer
    title = "HTTP/2 " if over_h2 else ""
    for upload in (True, False):
        way = "up" if upload else "down"
        args = (emulator.auth, upload, over_h2)
        with Peak(emulator.gateway) as peak:
            results = rounds(ctx.report, ROUNDS[over_h2], {
                "invoker": lambda: transfer(emulator.gateway, emulator.url, *args),
                "peer": lambda: transfer(program, f"http://127.0.0.1:{port}", *args)})
        pair = ("invoker", "peer")
        ctx.report.compare(f"{title}{way}: throughput vs {what}", results, pair, "gib_s", ">= 1.0")
        ctx.report.compare(f"{title}{way}: CPU vs {what}", results, pair, "ms_gib")
        if results.get("invoker"):
            ctx.report.value(f"{title}{way}: memory gained meanwhile, at its peak",
                             peak.gained_kib(), "KiB", "<= 2048")


def bench(ctx):
    ctx.report.section("bulk", "bodies of 1 GiB of unknown length")
    with contextlib.ExitStack() as stack:
        raw, port = Program.listening([sys.executable, os.path.join(HERE, "bulk_upstream.py")])
        stack.enter_context(raw)
        emulator = stack.enter_context(Emulator(port))
        for over_h2 in (False, True):
            web, web_port = peers.nginx_proxy(ctx.folder, port, h2=over_h2)
            with web:
                both_ways(ctx, emulator, ("nginx", web, web_port), over_h2)
    with contextlib.ExitStack() as stack:
        program, port = h2.upstream()
        stack.enter_context(program)
        emulator = stack.enter_context(Emulator(port, use_http2=True))
        plain, plain_port = peers.haproxy(ctx.folder, port, h2=True, upstream_h2=True)
        stack.enter_context(plain)
        both_ways(ctx, emulator, ("HAProxy, HTTP/2 upstream", plain, plain_port), True)
