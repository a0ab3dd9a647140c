"""WebSockets: messages of 64 bytes to an echo and back."""

import contextlib
import os

import peers
from emulator import PROGRAMS, Emulator
from generators import ws_load
from measure import contender, rounds
from program import Program


def bench(ctx):
    report = ctx.report
    report.section("ws", "WebSocket messages there and back, 32 connections (CPU per message)")
    echo, port = Program.listening([os.path.join(PROGRAMS, "ws_echo")])
    with contextlib.ExitStack() as stack:
        stack.enter_context(echo)
        emulator = stack.enter_context(Emulator(port))
        plain, plain_port = peers.haproxy(ctx.folder, port)
        web, web_port = peers.nginx_proxy(ctx.folder, port, peers.PROXY_WEBSOCKET)
        stack.enter_context(plain)
        stack.enter_context(web)
        at = {"invoker": (emulator.gateway, emulator.address),
              "haproxy": (plain, f"127.0.0.1:{plain_port}"),
              "nginx": (web, f"127.0.0.1:{web_port}")}
        results = rounds(report, ctx.rounds, {
            name: contender(program, ws_load, address, headers=emulator.auth, seconds=ctx.seconds)
            for name, (program, address) in at.items()})
    for name, what in (("haproxy", "HAProxy"), ("nginx", "nginx")):
        report.compare(f"CPU vs {what}", results, ("invoker", name), "cpu_us", "<= 1.0")
        report.compare(f"messages/s vs {what}", results, ("invoker", name), "rate", ">= 1.0")
