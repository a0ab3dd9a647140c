"""gRPC: unary calls of a small message, to an upstream of HTTP/2."""

import contextlib
import os

import h2
import peers
from emulator import Emulator
from generators import h2load
from measure import contender, rounds

# Not compressed, eight bytes: gRPC's length-prefixed message.
MESSAGE = b"\0\0\0\0\x08\x0a\x06worlds"
FIELDS = ["content-type: application/grpc", "te: trailers"]
CALL = "/bench.Greeter/Greet"


def must_call(url, headers, body):
    options = [word for h in headers for word in ("-H", h)]
    answer = peers.curl(url, *options, "--data-binary", "@" + body, h2=True)
    if "grpc-status: 0" not in answer:
        raise RuntimeError(f"{url} does not answer with a gRPC status: {answer[:300]}")


def bench(ctx):
    ctx.report.section("grpc", "unary calls, 4 connections of 8 streams (CPU per call)")
    body = os.path.join(ctx.folder, "message")
    with open(body, "wb") as f:
        f.write(MESSAGE)
    program, port = h2.upstream()
    with contextlib.ExitStack() as stack:
        stack.enter_context(program)
        emulator = stack.enter_context(Emulator(port, use_http2=True))
        found = h2.contenders(ctx, stack, emulator, port, location=peers.PROXY_GRPC,
                              upstream_h2=True)
        headers = emulator.auth + FIELDS
        for _, url in found.values():
            must_call(url + CALL, headers, body)
        results = rounds(ctx.report, ctx.rounds, {
            name: contender(program, h2load, url + CALL, headers=headers, seconds=ctx.seconds,
                            body=body)
            for name, (program, url) in found.items()})
    h2.figures(ctx.report, results)
