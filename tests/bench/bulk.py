"""Bodies of 1 GiB up and down, over HTTP/1.1 and HTTP/2: throughput, CPU, memory meanwhile."""

import contextlib
import dataclasses
import functools
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


@dataclasses.dataclass
class Peer:
    """Another proxy in front of the same upstream, and how the two are compared."""
    title: str
    name: str
    program: Program
    port: int
    over_h2: bool
    size: int = GIB
    rounds: int = 2


class Transfer(typing.NamedTuple):
    gib_s: float
    ms_gib: float  # CPU of the program in between


def curl(url, headers, upload, peer):
    argv = ["curl", "-sS", "-f", "-o", "/dev/null", "--max-time", str(CURL_S)]
    if peer.over_h2:
        argv.append("--http2-prior-knowledge")
    for h in headers:
        argv += ["-H", h]
    if upload:
        with subprocess.Popen(["head", "-c", str(peer.size), "/dev/zero"],
                              stdout=subprocess.PIPE) as zeros:
            argv += ["-H", "Expect:", "-X", "POST", "-T", "-", url + "/up"]
            done = subprocess.run(argv, stdin=zeros.stdout, capture_output=True, check=False)
            zeros.stdout.close()
    else:
        done = subprocess.run([*argv, url + f"/down/{peer.size}"], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", "replace").strip())


def transfer(program, url, headers, upload, peer):
    before, began = program.cpu_s(), time.monotonic()
    curl(url, headers, upload, peer)
    passed, cpu = time.monotonic() - began, program.cpu_s() - before
    return Transfer(peer.size / GIB / passed, cpu * 1e3 * GIB / peer.size)


def both_ways(ctx, emulator, peer):
    for upload in (True, False):
        title = peer.title + ("up" if upload else "down")
        args = (emulator.auth, upload, peer)
        with Peak(emulator.gateway) as peak:
            results = rounds(ctx.report, peer.rounds, {
                "invoker": functools.partial(transfer, emulator.gateway, emulator.url, *args),
                peer.name: functools.partial(transfer, peer.program,
                                             f"http://127.0.0.1:{peer.port}", *args)})
        pair = ("invoker", peer.name)
        ctx.report.compare(f"{title}: throughput vs {peer.name}", results, pair, "gib_s", ">= 1.0")
        ctx.report.compare(f"{title}: CPU vs {peer.name}", results, pair, "ms_gib")
        if results.get("invoker"):
            ctx.report.value(f"{title}: memory gained at its peak", peak.gained_kib(),
                             "KiB", "<= 2048")


def bench(ctx):
    ctx.report.section("bulk", "bodies of 1 GiB whose length is not announced")
    with contextlib.ExitStack() as stack:
        raw, port = Program.listening([sys.executable, os.path.join(HERE, "bulk_upstream.py")])
        stack.enter_context(raw)
        emulator = stack.enter_context(Emulator(port))
        web, web_port = peers.nginx_proxy(ctx.folder, port)
        with web:
            both_ways(ctx, emulator, Peer("", "nginx", web, web_port, False, rounds=3))
        web, web_port = peers.nginx_proxy(ctx.folder, port, h2=True)
        with web:
            both_ways(ctx, emulator, Peer("HTTP/2 ", "nginx", web, web_port, True))
    through_h2(ctx)


def through_h2(ctx):
    """HTTP/2 on both sides. HAProxy moves large bodies slowly there, hence a smaller one."""
    with contextlib.ExitStack() as stack:
        program, port = h2.upstream()
        stack.enter_context(program)
        emulator = stack.enter_context(Emulator(port, use_http2=True))
        plain, plain_port = peers.haproxy(ctx.folder, port, h2=True, upstream_h2=True)
        stack.enter_context(plain)
        both_ways(ctx, emulator, Peer("HTTP/2 both sides, 1/4 GiB ", "HAProxy", plain, plain_port,
                                      True, GIB // 4))
