"""The load generators: each is run once and says (requests, requests per second, p99 in µs). They
raise when anything was answered otherwise than it should be."""

import os
import re
import subprocess
import typing

from emulator import PROGRAMS

GRACE_S = 30  # for a generator to start and to end


class Run(typing.NamedTuple):
    requests: int
    rate: float
    p99_us: float = 0.0


def output(argv, seconds):
    p = subprocess.run(argv, capture_output=True, text=True, check=False,
                       timeout=seconds + GRACE_S)
    if p.returncode:
        words = " ".join((p.stderr or p.stdout).split())
        raise RuntimeError(f"{os.path.basename(argv[0])}: {words[:200]}")
    return p.stdout


def header_options(headers):
    return [word for h in headers for word in ("-H", h)]


def microseconds(value, unit):
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def wrk(url, headers=(), connections=32, seconds=1, script=(), refused=False):
    """script: a Lua file and its arguments. refused: all answers have to be refusals, instead of
    none."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
            *header_options(headers)]
    if script:
        argv += ["-s", script[0]]
    out = output([*argv, url, *(["--", *script[1:]] if script[1:] else [])], seconds)
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if "Socket errors" in out or (int(other.group(1)) if other else 0) != refused * requests:
        raise RuntimeError(f"wrk: {url}: {' '.join(out.split())[-200:]}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return Run(requests, rate, microseconds(*re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()))


def h2load(url, headers=(), connections=4, streams=8, seconds=1, body=None):
    """HTTP/2 by prior knowledge. body: a file that every request carries."""
    argv = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}",
            *header_options(headers)]
    if body:
        argv += ["-d", body]
    out = output([*argv, url], seconds)
    done, failed = map(int, re.search(r"(\d+) done, \d+ succeeded, (\d+) failed", out).groups())
    others = re.search(r"status codes: \d+ 2xx, (.*)", out).group(1)
    if failed or done == 0 or others != "0 3xx, 0 4xx, 0 5xx":
        raise RuntimeError(f"h2load: {url}: {done} done, {failed} failed, {others}")
    return Run(done, float(re.search(r"([\d.]+) req/s", out).group(1)))


def ws_load(address, headers=(), connections=32, seconds=1):
    """Messages that went there and back."""
    out = output([os.path.join(PROGRAMS, "ws_load"), address, str(connections), str(seconds),
                  *headers], seconds)
    messages, rate, p99 = out.split()
    return Run(int(messages), float(rate), float(p99))


class Paced(typing.NamedTuple):
    p50_us: float
    p99_us: float
    p999_us: float


def paced(address, rate, headers=(), connections=32, seconds=1):
    out = output([os.path.join(PROGRAMS, "paced"), address, str(connections), str(int(rate)),
                  str(seconds), *headers], seconds)
    return Paced(*map(float, out.split()[1:]))
