"""Latency at half load: requests at a fixed pace, each timed from when it was meant to start."""

import contextlib
import functools

import peers
from emulator import Emulator
from generators import paced, wrk
from h1 import jwt_peer
from measure import rounds

DIRECT = "no proxy"


def capacity(contenders, headers):
    """The least of what they reach when pushed: what is half of it is at most half for each."""
    return min(wrk(f"http://{address}/", headers=headers).rate for address in contenders.values())


def quiet(results, what):
    """Other work on the machine only ever adds to a latency, so the quieter rounds count: the
    lower quartile."""
    values = sorted(getattr(r, what) for r in results)
    return values[len(values) // 4]


def measure(ctx, contenders, headers, rate, count):
    return rounds(ctx.report, count, {
        name: functools.partial(paced, address, rate, headers, seconds=ctx.seconds)
        for name, address in contenders.items()})


def added(results, name):
    """To the p99 of the same load without a proxy; a microsecond at the least."""
    return max(quiet(results[name], "p99_us") - quiet(results[DIRECT], "p99_us"), 1.0)


def figures(report, results, rate):
    for name, found in results.items():
        report.say(f"  {name}: p50 {quiet(found, 'p50_us'):.0f} µs, p99 "
                   f"{quiet(found, 'p99_us'):.0f} µs, p99.9 {quiet(found, 'p999_us'):.0f} µs")
    if "invoker" not in results or DIRECT not in results:
        return
    for name, what, aim in (("nginx", "nginx", "<= 1.0"), ("haproxy", "HAProxy", "")):
        if name in results:
            pair = (added(results, "invoker"), added(results, name))
            report.against(f"added p99 at {rate:.0f} requests/s vs {what}", "µs", pair, aim)


def bench(ctx):
    ctx.report.section("latency", "at half load, 32 connections, open loop")
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(Emulator(ctx.upstream_port))
        plain, plain_port = peers.haproxy(ctx.folder, ctx.upstream_port)
        jwt, jwt_port = jwt_peer(ctx, emulator)
        web, web_port = peers.nginx_proxy(ctx.folder, ctx.upstream_port)
        for program in (plain, jwt, web):
            stack.enter_context(program)
        contenders = {DIRECT: f"127.0.0.1:{ctx.upstream_port}", "invoker": emulator.address,
                      "haproxy": f"127.0.0.1:{plain_port}", "nginx": f"127.0.0.1:{web_port}"}
        rate = capacity(contenders, emulator.auth) / 2
        results = measure(ctx, contenders, emulator.auth, rate, 2 * ctx.rounds)
        figures(ctx.report, results, rate)
        slower(ctx, emulator, f"127.0.0.1:{jwt_port}")


def slower(ctx, emulator, jwt_address):
    """HAProxy that checks tokens reaches less: both at half of its capacity."""
    contenders = {"invoker": emulator.address, "haproxy jwt": jwt_address}
    rate = capacity({"haproxy jwt": jwt_address}, emulator.auth) / 2
    results = measure(ctx, contenders, emulator.auth, rate, ctx.rounds)
    if len(results) == len(contenders):
        pair = [quiet(results[name], "p99_us") for name in contenders]
        ctx.report.against(f"p99 at {rate:.0f} requests/s vs HAProxy jwt_verify", "µs", pair)
