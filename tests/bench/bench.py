"""`make bench`: the figures, each a ratio against a peer in the same run. BENCH_ROUNDS and
BENCH_SECONDS make it longer."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, ROOT]

import peers  # noqa: E402
from measure import Program, load, median, ratio, rounds, wait_port, wrk  # noqa: E402
from tests.lib.topology import Topology  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
INVOKER = os.path.abspath(os.environ.get("INVOKER") or os.path.join(ROOT, "build", "invoker"))
EMAIL = "caller-sa@bench.iam.gserviceaccount.com"
GIB = 1 << 30


def figure(name, value, goal=""):
    print(f"  {name:<66} {value:>10}   {goal}", flush=True)


class Emulator:
    """metadata and gateway (one worker) in front of one private service."""

    def __init__(self, upstream_port, log="off"):
        self.topology = Topology({
            "project": {"id": "bench", "number": 123456789012}, "region": "us-central1",
            "service_accounts": {"caller-sa": {}, "target-sa": {}},
            "services": {
                "target": {"service_account": "target-sa", "timeout": "3600s",
                           "upstream": f"http://127.0.0.1:{upstream_port}"},
                "caller": {"service_account": "caller-sa"}},
            "matrix": {"caller-sa": ["target"]}})
        t = self.topology
        t.ephemeral("target", "caller", "ingress", "metadata", "control")
        self.metadata = self.start("metadata", "--keys", str(t.keys))
        self.gateway = self.start("gateway", "--workers", "1", "--request-log", log)
        self.url = "http://" + t.address("target", "listen")
        self.identity = ("http://" + t.address("caller", "metadata") + "/computeMetadata/v1/instance"
                         "/service-accounts/default/identity?audience=")
        self.token = self.get(self.identity + self.url)

    def start(self, command, *args):
        read, write = os.pipe()
        program = Program([INVOKER, command, *map(str, self.topology.args()), "--no-watch",
                           "--ready-fd", str(write), *args], pass_fds=(write,))
        os.close(write)
        if os.read(read, 16) != b"ready\n":
            raise RuntimeError(f"{command} is not ready")
        os.close(read)
        return program

    @staticmethod
    def get(url):
        request = urllib.request.Request(url, headers={"Metadata-Flavor": "Google"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode("ascii")

    def close(self):
        self.gateway.stop()
        self.metadata.stop()
        self.topology.close()


def public_key(emulator, folder):
    host = "http://" + emulator.topology.address("metadata")
    pem = next(iter(json.loads(Emulator.get(host + "/oauth2/v1/certs")).values()))
    path = os.path.join(folder, "public.pem")
    with open(path, "w", encoding="ascii") as f:
        subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=pem, stdout=f, text=True,
                       check=True)
    return path


def bench_gateway(folder, emulator, logging, upstream_port):
    auth = [f"Authorization: Bearer {emulator.token}"]
    plain, plain_port = peers.haproxy(folder, "haproxy", upstream_port)
    jwt, jwt_port = peers.haproxy_jwt(folder, upstream_port, public_key(emulator, folder),
                                      emulator.url, EMAIL)
    web, web_port = peers.nginx_proxy(folder, upstream_port)

    def contender(program, url, headers=tuple(auth), connections=32):
        return lambda: load(program, url=url, headers=headers, connections=connections,
                            seconds=SECONDS)

    log_auth = (f"Authorization: Bearer {logging.token}",)
    results = rounds(ROUNDS, {
        "invoker": contender(emulator.gateway, emulator.url + "/"),
        "invoker, logging": contender(logging.gateway, logging.url + "/", log_auth),
        "haproxy": contender(plain, f"http://127.0.0.1:{plain_port}/"),
        "haproxy jwt": contender(jwt, f"http://127.0.0.1:{jwt_port}/"),
        "nginx": contender(web, f"http://127.0.0.1:{web_port}/")})
    print("authorised GET, 32 connections, one worker each:")
    for name in results:
        figure(f"{name}: CPU µs per request; requests/s",
               f"{median(results, name, 0):.1f}; {median(results, name, 1):.0f}")
    figure("CPU per request vs plain HAProxy", f"{ratio(results, 'invoker', 'haproxy', 0):.2f}x",
           "<= 1.1x")
    figure("CPU per request vs HAProxy with jwt_verify and ACLs",
           f"{ratio(results, 'invoker', 'haproxy jwt', 0):.2f}x", "<= 0.5x")
    figure("requests/s vs HAProxy with jwt_verify and ACLs",
           f"{ratio(results, 'invoker', 'haproxy jwt', 1):.2f}x", ">= 1.8x")
    figure("CPU per request with the request log on vs off",
           f"{ratio(results, 'invoker, logging', 'invoker', 0):.2f}x")
    quiet = rounds(ROUNDS, {
        "invoker": contender(emulator.gateway, emulator.url + "/", connections=2),
        "nginx": contender(web, f"http://127.0.0.1:{web_port}/", connections=2)})
    figure("p99 latency at low load vs nginx proxy_pass",
           f"{ratio(quiet, 'invoker', 'nginx', 2):.2f}x", "<= 1.0x")
    for program in (plain, jwt):
        program.stop()
    return web, web_port


def bench_identity(emulator):
    constant = Program([os.path.join(ROOT, "build", "bench", "mhd_constant")],
                       stdout=subprocess.PIPE)
    port = int(constant.popen.stdout.readline())
    flavor = ["Metadata-Flavor: Google"]
    results = rounds(ROUNDS, {
        "cached": lambda: load(emulator.metadata, url=emulator.identity + emulator.url,
                               headers=flavor, seconds=SECONDS),
        "constant": lambda: load(constant, url=f"http://127.0.0.1:{port}/", headers=flavor,
                                 seconds=SECONDS)})
    constant.stop()
    print("identity tokens:")
    figure("cached, requests/s vs libmicrohttpd answering a constant",
           f"{ratio(results, 'cached', 'constant', 1):.2f}x", ">= 0.8x")
    pairs = []
    for _ in range(3):
        _, fresh, _ = wrk(emulator.identity, flavor, seconds=SECONDS,
                          script=os.path.join(HERE, "fresh.lua"))
        out = subprocess.run(["openssl", "speed", "-seconds", "1", "rsa2048"], capture_output=True,
                             text=True, check=True).stdout
        signs = float(re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", out).group(1))
        pairs.append(fresh / signs)
    figure("fresh, tokens/s vs openssl speed sign/s", f"{statistics.median(pairs):.2f}x", ">= 0.9x")


def bench_size(emulator):
    print("size:")
    starts = {"metadata": [], "gateway": []}
    for _ in range(7):
        for command, args in (("metadata", ("--keys", str(emulator.topology.keys))),
                              ("gateway", ("--workers", "1"))):
            began = time.monotonic()
            program = emulator.start(command, *args)
            starts[command].append((time.monotonic() - began) * 1e3)
            if len(starts[command]) == 1:
                figure(f"{command}: resident when idle", f"{program.rss_kib() / 1024:.1f} MiB",
                       "<= 10 MiB")
            program.stop()
    for command, times in starts.items():
        figure(f"{command}: exec to ready (Python's fork included)",
               f"{statistics.median(times):.1f} ms", "<= 10 ms")


def bench_idle(emulator, count=10000):
    host, _, port = emulator.topology.address("target", "listen").rpartition(":")
    request = (f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\n"
               f"Authorization: Bearer {emulator.token}\r\n\r\n").encode("ascii")
    before = emulator.gateway.rss_kib()
    held = []
    try:
        for i in range(count):
            # The loopback's ephemeral ports of one source address would do, but not by much.
            s = socket.create_connection((host, int(port)), 10, (f"127.0.0.{2 + i % 4}", 0))
            held.append(s)
            s.sendall(request)
            if not s.recv(4096).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("not served")
        each = (emulator.gateway.rss_kib() - before) / count
        first = held[0]
        first.sendall(request)
        alive = first.recv(4096).startswith(b"HTTP/1.1 200")
        figure(f"idle keep-alive connections held; resident for each ({'alive' if alive else 'DEAD'})",
               f"{len(held)}; {each:.1f} KiB", "10000; <= 24 KiB")
    except OSError as e:
        figure("idle keep-alive connections held", f"{len(held)} ({e})", "10000")
    finally:
        for s in held:
            s.close()


def transfer(url, headers, upload):
    """Seconds for 1 GiB through curl, chunked."""
    auth = [arg for h in headers for arg in ("-H", h)]
    argv = ["curl", "-sS", "-f", "-o", "/dev/null", *auth]
    began = time.monotonic()
    if upload:
        with subprocess.Popen(["head", "-c", str(GIB), "/dev/zero"], stdout=subprocess.PIPE) as zeros:
            subprocess.run([*argv, "-H", "Expect:", "-X", "POST", "-T", "-", url + "/up"],
                           stdin=zeros.stdout, check=True)
    else:
        subprocess.run([*argv, url + f"/down/{GIB}"], check=True)
    return time.monotonic() - began


def bench_bulk(folder):
    bulk = Program([sys.executable, os.path.join(HERE, "bulk.py")], stdout=subprocess.PIPE)
    port = int(bulk.popen.stdout.readline())
    emulator = Emulator(port)
    web, web_port = peers.nginx_proxy(folder, port)
    auth = [f"Authorization: Bearer {emulator.token}"]
    print("1 GiB, chunked:")
    for upload in (True, False):
        peak = [emulator.gateway.rss_kib()]
        idle = peak[0]
        stop = threading.Event()

        def watch():
            while not stop.wait(0.02):
                peak[0] = max(peak[0], emulator.gateway.rss_kib())
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            pairs = []
            for _ in range(3):
                ours = transfer(emulator.url, auth, upload)
                pairs.append(transfer(f"http://127.0.0.1:{web_port}", auth, upload) / ours)
        finally:
            stop.set()
            watcher.join()
        figure(f"{'up' if upload else 'down'}load throughput vs nginx",
               f"{statistics.median(pairs):.2f}x", ">= 1.0x")
        figure("resident memory gained meanwhile", f"{peak[0] - idle} KiB", "constant")
    for program in (web, bulk):
        program.stop()
    emulator.close()


def bench_decide():
    program = os.path.join(ROOT, "build", "bench", "decide_bench")
    if os.path.exists(program):
        print("decision:")
        print(subprocess.run([program], capture_output=True, text=True, check=True).stdout.rstrip())


def main():
    missing = [p for p in ("wrk", "haproxy", "nginx", "openssl", "curl") if not shutil.which(p)]
    if missing:
        print(f"bench: skipped, not installed: {', '.join(missing)}")
        return
    folder = tempfile.mkdtemp(prefix="invoker-bench-")
    upstream, upstream_port = peers.upstream(folder)
    emulator, logging = Emulator(upstream_port), Emulator(upstream_port, "all")
    programs = [upstream]
    try:
        wait_port(upstream_port)
        web, _ = bench_gateway(folder, emulator, logging, upstream_port)
        programs.append(web)
        bench_identity(emulator)
        bench_size(emulator)
        bench_idle(emulator)
        bench_bulk(folder)
        bench_decide()
    finally:
        emulator.close()
        logging.close()
        for program in programs:
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
