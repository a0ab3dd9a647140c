"""Small GETs over HTTP/2, cleartext by prior knowledge: to an HTTP/1.1 upstream, and to one that
speaks HTTP/2 itself (nginx cannot do that)."""

import contextlib
import os

import peers
from emulator import PROGRAMS, Emulator
from generators import h2load
from h1 import bad_tokens, jwt_peer
from measure import contender, rounds
from program import Program


def upstream():
    return Program.listening([os.path.join(PROGRAMS, "h2_upstream")])


def contenders(ctx, stack, emulator, port, location=None, upstream_h2=False):
    """name → (program, URL): the gateway, HAProxy without and with checks, and nginx where it has
    a way to the upstream."""
    options = {"h2": True, "upstream_h2": upstream_h2}
    started = {"haproxy": peers.haproxy(ctx.folder, port, **options),
               "haproxy jwt": jwt_peer(ctx, emulator, port=port, **options)}
    if location:
        started["nginx"] = peers.nginx_proxy(ctx.folder, port, location, h2=True)
    found = {"invoker": (emulator.gateway, emulator.url)}
    for name, (program, at) in started.items():
        stack.enter_context(program)
        found[name] = (program, f"http://127.0.0.1:{at}")
    peers.must_judge(found["haproxy jwt"][1] + "/", emulator.token, bad_tokens(emulator), h2=True)
    try:
        peers.must_judge(emulator.url + "/", emulator.token, bad_tokens(emulator), h2=True)
    except RuntimeError as e:
        ctx.report.trouble(f"invoker: {e}")
        del found["invoker"]
    return found


def figures(report, results, title=""):
    for name, what in (("nginx", "nginx"), ("haproxy", "HAProxy")):
        report.compare(f"{title}CPU vs {what}", results, ("invoker", name), "cpu_us", "<= 1.2")
    report.compare(f"{title}CPU vs HAProxy jwt_verify", results, ("invoker", "haproxy jwt"),
                   "cpu_us", "<= 0.5")
    report.compare(f"{title}requests/s vs HAProxy jwt_verify", results, ("invoker", "haproxy jwt"),
                   "rate", ">= 1.8")


def contest(ctx, emulator, port, **options):
    with contextlib.ExitStack() as stack:
        found = contenders(ctx, stack, emulator, port, **options)
        return rounds(ctx.report, ctx.rounds, {
            name: contender(program, h2load, url + "/", headers=emulator.auth, seconds=ctx.seconds)
            for name, (program, url) in found.items()})


def bench(ctx):
    ctx.report.section("h2", "GETs over HTTP/2, 4 connections of 8 streams (CPU per request)")
    with Emulator(ctx.upstream_port) as emulator:
        figures(ctx.report, contest(ctx, emulator, ctx.upstream_port, location=peers.PROXY_PASS))
    program, port = upstream()
    with program, Emulator(port, use_http2=True) as emulator:
        figures(ctx.report, contest(ctx, emulator, port, upstream_h2=True), "HTTP/2 upstream: ")
