"""What the bench measures with: processes, their CPU time and memory, wrk, paired ratios."""

import ctypes
import os
import re
import signal
import socket
import statistics
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def figure(name, value, goal=""):
    print(f"  {name:<68} {value:>12}   {goal}".rstrip(), flush=True)


def die_with_parent():
    """Nothing outlives the bench, not even when it is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Program:
    """A started program; cpu_s() includes its threads and, with tree, its children."""

    running = []

    def __init__(self, argv, tree=False, **options):
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      preexec_fn=die_with_parent, **options)
        self.tree = tree
        Program.running.append(self)

    def pids(self):
        if not self.tree:
            return [self.popen.pid]
        with open(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children", encoding="ascii") as f:
            return [self.popen.pid, *map(int, f.read().split())]

    def cpu_s(self):
        """Nanosecond-exact: the scheduler's own count."""
        total = 0.0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                    total += int(f.read().split()[0]) / 1e9
        return total

    def rss_kib(self):
        with open(f"/proc/{self.popen.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def stop(self):
        if self in Program.running:
            Program.running.remove(self)
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()

    @classmethod
    def stop_all(cls):
        for program in reversed(cls.running[:]):
            program.stop()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, timeout=10.0):
    end = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def wrk(url, headers=(), connections=32, seconds=2, script=None):
    """(requests, requests per second, p99 in µs); raises when any answer was not 2xx."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for h in headers:
        argv += ["-H", h]
    if script:
        argv += ["-s", script]
    out = subprocess.run([*argv, url], capture_output=True, text=True, check=True,
                         timeout=seconds + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"{url}: {out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return requests, rate, float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def load(program, **options):
    """One wrk run against a program: (CPU µs per request, requests per second, p99 µs)."""
    before = program.cpu_s()
    requests, rate, p99 = wrk(**options)
    return (program.cpu_s() - before) * 1e6 / requests, rate, p99


def rounds(count, contenders):
    """Runs every contender once per round, in turns that go to and fro so that no place in the
    order is an advantage; returns name → list of results."""
    results = {name: [] for name in contenders}
    for i in range(count):
        for name in list(contenders)[::1 if i % 2 == 0 else -1]:
            results[name].append(contenders[name]())
    return results


def ratios(results, ours, theirs, index):
    """Of the rounds' pairs, sorted."""
    return sorted(a[index] / b[index] for a, b in zip(results[ours], results[theirs]))


def median(results, name, index):
    return statistics.median(r[index] for r in results[name])


def compare(title, results, ours, theirs, index, goal):
    """Prints the median of the paired ratios and, as the measure of noise, their extremes."""
    pairs = ratios(results, ours, theirs, index)
    figure(title, f"{statistics.median(pairs):.2f}x",
           f"{goal}   (rounds: {pairs[0]:.2f} to {pairs[-1]:.2f})".strip())
