"""Bodies of 1 GiB, chunked, up and down: throughput against nginx, memory meanwhile."""

import os
import statistics
import subprocess
import sys
import threading
import time

import peers
from emulator import Emulator
from measure import Program, figure

HERE = os.path.dirname(os.path.abspath(__file__))
GIB = 1 << 30
PAIRS = 3


def seconds_for(url, headers, upload):
    """Of one transfer by curl."""
    argv = ["curl", "-sS", "-f", "-o", "/dev/null", "--max-time", "60"]
    for h in headers:
        argv += ["-H", h]
    began = time.monotonic()
    if upload:
        with subprocess.Popen(["head", "-c", str(GIB), "/dev/zero"],
                              stdout=subprocess.PIPE) as zeros:
            subprocess.run([*argv, "-H", "Expect:", "-X", "POST", "-T", "-", url + "/up"],
                           stdin=zeros.stdout, check=True)
    else:
        subprocess.run([*argv, url + f"/down/{GIB}"], check=True)
    return time.monotonic() - began


class Peak:
    """The most memory that a program had while the block ran."""

    def __init__(self, program):
        self.program = program
        self.first = self.most = program.rss_kib()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.program.rss_kib())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()


def bench(folder):
    print("1 GiB, chunked:")
    with Program([sys.executable, os.path.join(HERE, "bulk.py")], stdout=subprocess.PIPE) as bulk:
        port = int(bulk.popen.stdout.readline())
        web, web_port = peers.nginx_proxy(folder, port)
        with Emulator(port) as emulator, web:
            for upload in (True, False):
                compare(emulator, f"http://127.0.0.1:{web_port}", upload)


def compare(emulator, web_url, upload):
    pairs = []
    rates = []
    with Peak(emulator.gateway) as peak:
        for _ in range(PAIRS):
            ours = seconds_for(emulator.url, emulator.auth, upload)
            theirs = seconds_for(web_url, emulator.auth, upload)
            pairs.append(theirs / ours)
            rates.append(1 / ours)
    pairs.sort()
    name = "upload" if upload else "download"
    figure(f"{name}: GiB/s", f"{statistics.median(rates):.2f}")
    figure(f"{name}: throughput vs nginx", f"{statistics.median(pairs):.2f}x",
           f">= 1.0x   (rounds: {pairs[0]:.2f} to {pairs[-1]:.2f})")
    figure(f"{name}: resident memory gained meanwhile", f"{peak.most - peak.first} KiB", "constant")
