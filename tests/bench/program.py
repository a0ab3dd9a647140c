"""Started programs, their CPU time and memory, and ports for them."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import threading
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


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

    @classmethod
    def listening(cls, argv):
        """One that prints the port it listens on; returns both."""
        program = cls(argv, stdout=subprocess.PIPE)
        return program, int(program.popen.stdout.readline())

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
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        return total

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


class Peak:
    """The most memory that a program had while the block ran."""

    def __init__(self, program):
        self.program = program
        self.first = self.most = program.rss_kib()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def gained_kib(self):
        return self.most - self.first

    def watch(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.program.rss_kib())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()
        self.most = max(self.most, self.program.rss_kib())


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
