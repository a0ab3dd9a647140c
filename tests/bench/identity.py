"""Identity tokens of the metadata server: from its cache, and freshly signed."""

import os
import re
import subprocess

from emulator import PROGRAMS
from measure import Program, compare, load, rounds

FRESH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fresh.lua")
FLAVOR = ["Metadata-Flavor: Google"]


def bench(emulator, count, seconds):
    print("identity tokens:")
    with Program([os.path.join(PROGRAMS, "mhd_constant")], stdout=subprocess.PIPE) as constant:
        port = int(constant.popen.stdout.readline())
        results = rounds(count, {
            "cached": lambda: load(emulator.metadata, url=emulator.identity + emulator.url,
                                   headers=FLAVOR, seconds=seconds),
            "constant": lambda: load(constant, url=f"http://127.0.0.1:{port}/", headers=FLAVOR,
                                     seconds=seconds)})
    compare("cached, requests/s vs libmicrohttpd answering a constant", results, "cached",
            "constant", 1, ">= 0.8x")
    compare("cached, requests per core-second vs the same", results, "constant", "cached", 0,
            ">= 0.8x")
    results = rounds(3, {
        "fresh": lambda: per_core_second(emulator, seconds),
        "sign": lambda: (openssl_signs(),)})
    compare("fresh, tokens per core-second vs openssl speed sign/s", results, "fresh", "sign", 0,
            ">= 0.9x")


def per_core_second(emulator, seconds):
    """By CPU time, as openssl speed counts too: others on the machine cost neither."""
    cpu_us, _, _ = load(emulator.metadata, url=emulator.identity, headers=FLAVOR, seconds=seconds,
                        script=FRESH)
    return (1e6 / cpu_us,)


def openssl_signs():
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "rsa2048"], capture_output=True,
                         text=True, check=True, timeout=60).stdout
    return float(re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", out).group(1))
