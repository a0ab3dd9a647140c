"""Starting up, and resident memory: idle, and for each of 10,000 connections."""

import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import time

import emulator as invoker
from emulator import Emulator
from program import Program

CONNECTIONS = 10000
STARTS = 9


def bench(ctx):
    ctx.report.section("size", "starting up, and resident memory")
    with Emulator(ctx.upstream_port) as emulator:
        alone(ctx.report, emulator)
        idle_connections(ctx.report, emulator)
    together(ctx, "up to first authorised 200, keys exist", "<= 100", False)
    together(ctx, "up to first authorised 200, keys made", "<= 500", True)


def alone(report, emulator):
    for command, args in (("metadata", ("--keys", emulator.keys)), ("gateway", ("--workers", "1"))):
        times = []
        for i in range(STARTS):
            began = time.monotonic()
            program = emulator.start(command, *args)
            times.append((time.monotonic() - began) * 1e3)
            if i == 0:
                time.sleep(0.2)
                report.value(f"{command}: resident when idle", program.rss_kib() / 1024, "MiB",
                             "<= 10")
            program.stop()
        report.value(f"{command}: exec to answering (fork from Python included)",
                     statistics.median(times), "ms", "<= 10")


def exchange(address, request):
    """The answer's body; raises unless it is a 200."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 10) as s:
        s.sendall(request.encode("ascii"))
        data = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    return body.decode("ascii")


def first_answer(info):
    """Asks for a token and then for the service, as a caller would."""
    metadata = info["services"]["caller"]["metadata"]
    url = info["services"]["target"]["url"]
    target = url.partition("//")[2]
    path = invoker.identity_url(metadata).partition(metadata)[2] + url
    token = exchange(metadata, f"GET {path} HTTP/1.1\r\nHost: {metadata}\r\n"
                     "Metadata-Flavor: Google\r\nConnection: close\r\n\r\n")
    exchange(target, f"GET / HTTP/1.1\r\nHost: {target}\r\nAuthorization: Bearer {token}\r\n"
             "Connection: close\r\n\r\n")


def together(ctx, title, aim, new_keys):
    with invoker.topology(ctx.upstream_port) as t:
        times = []
        for _ in range(STARTS + (not new_keys)):
            if new_keys:
                shutil.rmtree(t.keys, ignore_errors=True)
            began = time.monotonic()
            with Program([invoker.INVOKER, "up", "--json", "--ephemeral-ports", "-c", str(t.path),
                          "--keys", str(t.keys)], stdout=subprocess.PIPE) as up:
                first_answer(json.loads(up.popen.stdout.readline()))
                times.append((time.monotonic() - began) * 1e3)
        if not new_keys:
            times.pop(0)  # made them
        ctx.report.value(title, statistics.median(times), "ms", aim)


def idle_connections(report, emulator):
    """Each has had one answer and stays open. Four source addresses: one has not many more
    ephemeral ports than connections are wanted."""
    host, _, port = emulator.address.rpartition(":")
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\n{emulator.auth[0]}\r\n\r\n".encode("ascii")
    before = emulator.gateway.rss_kib()
    held = []

    def answered(s):
        s.sendall(request)
        return s.recv(4096).startswith(b"HTTP/1.1 200")

    try:
        for i in range(CONNECTIONS):
            source = (f"127.0.0.{2 + i % 4}", 0)
            held.append(socket.create_connection((host, int(port)), 10, source))
            if not answered(held[-1]):
                raise OSError("not answered")
        each = (emulator.gateway.rss_kib() - before) / CONNECTIONS
        if not all(answered(s) for s in held[::100]):
            raise OSError("gone again")
        report.value("resident memory for each idle connection", each, "KiB", "<= 24")
    except OSError as e:
        report.trouble(f"after {len(held)} connections: {e}")
    finally:
        report.value("idle connections held, all served before and after", len(held), "",
                     f">= {CONNECTIONS}")
        for s in held:
            s.close()


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
