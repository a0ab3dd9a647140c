"""Small GETs over HTTP/1.1: allowed by a token seen before, by one never seen, and refused."""

import contextlib
import os
import subprocess

import emulator as invoker
import peers
from emulator import PROGRAMS, Emulator
from generators import wrk
from measure import contender, rounds

# The gateway remembers fewer tokens, so that each has been forgotten when its turn comes again.
DIFFERENT_TOKENS = 8000
MANY_TOKENS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "many_tokens.lua")


def bearer(token):
    return [f"Authorization: Bearer {token}"]


def wrong_audience(emulator):
    return invoker.get(emulator.identity + "http://other.example.test")


def bad_tokens(emulator):
    head, payload, signature = emulator.token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return {"a broken signature":
            f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1:]}",
            "another audience": wrong_audience(emulator)}


def jwt_peer(ctx, emulator, **options):
    """HAProxy that checks what the gateway checks."""
    key = emulator.public_key(os.path.join(ctx.folder, "public.pem"))
    return peers.haproxy(ctx.folder, options.pop("port", ctx.upstream_port),
                         peers.jwt_rules(key, emulator.url, invoker.CALLER), **options)


def mint(ctx, emulator):
    path = os.path.join(ctx.folder, "tokens")
    with open(path, "wb") as out:
        subprocess.run([os.path.join(PROGRAMS, "mint"), emulator.keys, emulator.url,
                        invoker.CALLER, str(DIFFERENT_TOKENS)], stdout=out, check=True, timeout=120)
    return path


def contenders(ctx, stack):
    emulator = stack.enter_context(Emulator(ctx.upstream_port))
    logging = stack.enter_context(Emulator(ctx.upstream_port, "all"))
    plain, plain_port = peers.haproxy(ctx.folder, ctx.upstream_port)
    jwt, jwt_port = jwt_peer(ctx, emulator)
    web, web_port = peers.nginx_proxy(ctx.folder, ctx.upstream_port)
    for program in (plain, jwt, web):
        stack.enter_context(program)
    ours, theirs = emulator.url + "/", f"http://127.0.0.1:{jwt_port}/"
    for url in (ours, theirs):
        peers.must_judge(url, emulator.token, bad_tokens(emulator))
    fresh = {"script": (MANY_TOKENS, mint(ctx, emulator)), "seconds": ctx.seconds}
    seen = {"headers": emulator.auth, "seconds": ctx.seconds}
    elsewhere = {"headers": bearer(wrong_audience(emulator)), "seconds": ctx.seconds,
                 "refused": True}
    nobody = {"headers": bearer(emulator.token_without_grant()), "seconds": ctx.seconds,
              "refused": True}
    return {
        "invoker": contender(emulator.gateway, wrk, ours, **seen),
        "haproxy": contender(plain, wrk, f"http://127.0.0.1:{plain_port}/", **seen),
        "logging": contender(logging.gateway, wrk, logging.url + "/",
                             **{**seen, "headers": logging.auth}),
        "haproxy jwt": contender(jwt, wrk, theirs, **seen),
        "nginx": contender(web, wrk, f"http://127.0.0.1:{web_port}/", **seen),
        "invoker, unseen": contender(emulator.gateway, wrk, ours, **fresh),
        "haproxy jwt, unseen": contender(jwt, wrk, theirs, **fresh),
        "invoker, audience": contender(emulator.gateway, wrk, ours, **elsewhere),
        "haproxy jwt, audience": contender(jwt, wrk, theirs, **elsewhere),
        "invoker, no grant": contender(emulator.gateway, wrk, ours, **nobody)}


def bench(ctx):
    report = ctx.report
    report.section("h1", "GETs over HTTP/1.1, 32 connections (CPU is that per request)")
    with contextlib.ExitStack() as stack:
        results = rounds(report, ctx.rounds, contenders(ctx, stack))
    for name, title in (("invoker", ""), ("logging", ", logging all")):
        report.compare(f"CPU vs HAProxy{title}", results, (name, "haproxy"), "cpu_us",
                       "<= 1.1" if title else "<= 1.0")
        report.compare(f"CPU vs HAProxy jwt_verify{title}", results, (name, "haproxy jwt"),
                       "cpu_us", "<= 0.5")
        report.compare(f"requests/s vs HAProxy jwt_verify{title}", results, (name, "haproxy jwt"),
                       "rate", ">= 1.8")
    report.compare("CPU vs nginx", results, ("invoker", "nginx"), "cpu_us")
    report.compare("CPU, logging all vs not", results, ("logging", "invoker"), "cpu_us")
    unseen = ("invoker, unseen", "haproxy jwt, unseen")
    report.compare("never-seen tokens, requests/s vs HAProxy jwt_verify", results, unseen, "rate",
                   ">= 1.0")
    report.compare("never-seen tokens, CPU vs HAProxy jwt_verify", results, unseen, "cpu_us",
                   "<= 1.0")
    report.compare("refused for its audience, CPU vs forwarding", results,
                   ("invoker, audience", "invoker"), "cpu_us", "<= 1.0")
    report.compare("refused without a grant, CPU vs forwarding", results,
                   ("invoker, no grant", "invoker"), "cpu_us", "<= 1.0")
    report.compare("refused for its audience, CPU vs HAProxy jwt_verify refusing", results,
                   ("invoker, audience", "haproxy jwt, audience"), "cpu_us")
