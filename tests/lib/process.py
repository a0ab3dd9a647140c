"""The program under test as a real process: started, watched, stopped by its own id."""

import atexit
import collections
import functools
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The program under test: $INVOKER, else build/invoker."""
    return os.path.abspath(os.environ.get("INVOKER") or ROOT / "build" / "invoker")


def sanitized():
    """Whether it was built with a sanitizer, whose own memory counts, too."""
    return any(variant in binary().split(os.sep) for variant in ("asan", "tsan"))


def sample(name):
    """A sample service's program, which lies beside the program under test."""
    return os.path.join(os.path.dirname(binary()), "samples", name)


@functools.lru_cache(maxsize=None)
def ca_folder():
    """Where processes under test keep their certificate authority unless a test says otherwise: not
    in the checkout's keys folder."""
    folder = tempfile.mkdtemp(prefix="invoker-test-ca-")
    atexit.register(shutil.rmtree, folder, True)
    return folder


def wait_until(condition, timeout=10.0, what="condition"):
    """Calls condition() until it is true and returns what it returned; AssertionError after that."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


class Lines:
    """What a process writes to one stream, line by line, read by a thread so that it never blocks."""

    LIMIT = 20000

    def __init__(self, stream):
        self._lines = collections.deque(maxlen=self.LIMIT)
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                with self._changed:
                    self._lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def all(self):
        with self._changed:
            return list(self._lines)

    def text(self):
        return "\n".join(self.all())

    def wait_for(self, wanted, timeout=10.0):
        """The first line that contains `wanted` (or for which wanted(line) is true)."""
        matches = wanted if callable(wanted) else (lambda line: wanted in line)
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self._lines:
                    if matches(line):
                        return line
                left = end - time.monotonic()
                if self._closed or left <= 0:
                    raise AssertionError(f"no line with {wanted!r} in:\n" + "\n".join(self._lines))
                self._changed.wait(left)

    def join(self, timeout=10.0):
        self._thread.join(timeout)


class Process:
    """`Process("metadata", "-c", path, ready_fd=True)` runs `invoker metadata -c path --ready-fd N`.

    program: another program than the one under test. As a context manager it is killed (by its id)
    when the block ends, if it still runs. stop() asks with SIGTERM and returns the exit status.
    """

    def __init__(self, *args, program=None, env=None, cwd=None, ready_fd=False, stdin=None):
        command = [program or binary(), *map(str, args)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GCE_METADATA")}
        environment["INVOKER_CA"] = ca_folder()
        environment.update(env or {})
        self._ready_read = None
        self._ready = b""
        pass_fds = ()
        ready_write = None
        if ready_fd:
            self._ready_read, ready_write = os.pipe()
            command[2:2] = ["--ready-fd", str(ready_write)]
            pass_fds = (ready_write,)
        try:
            self.popen = subprocess.Popen(
                command, env=environment, cwd=cwd or ROOT, stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=pass_fds)
        finally:
            if ready_write is not None:
                os.close(ready_write)
        self.command = command
        self.out = Lines(self.popen.stdout)
        self.err = Lines(self.popen.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()

    @property
    def pid(self):
        return self.popen.pid

    def wait_ready(self, timeout=20.0):
        """Returns when the process wrote "ready" to its --ready-fd."""
        end = time.monotonic() + timeout
        while b"\n" not in self._ready:
            left = end - time.monotonic()
            readable, _, _ = select.select([self._ready_read], [], [], max(0, left))
            chunk = os.read(self._ready_read, 64) if readable else b""
            if not chunk:
                raise AssertionError(f"{self.command} is not ready:\n{self.err.text()}")
            self._ready += chunk
        if self._ready != b"ready\n":
            raise AssertionError(f"odd readiness line {self._ready!r}")
        return self

    def wait_for_line(self, wanted, timeout=10.0):
        """A line of standard error: a substring or a predicate."""
        return self.err.wait_for(wanted, timeout)

    def send_signal(self, signo):
        self.popen.send_signal(signo)

    def wait(self, timeout=10.0):
        """The exit status; negative: the signal that ended it."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} still runs:\n{self.err.text()}") from None
        self.out.join()
        self.err.join()
        return status

    def stop(self, timeout=5.0, signo=signal.SIGTERM):
        if self.popen.poll() is None:
            self.send_signal(signo)
        return self.wait(timeout)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.out.join()
        self.err.join()
        if self._ready_read is not None:
            os.close(self._ready_read)
            self._ready_read = None

    def rss_kib(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        raise AssertionError("no VmRSS")


def run(*args, timeout=20.0, env=None, cwd=None, program=None):
    """Runs to the end; returns (exit status, standard output, standard error)."""
    with Process(*args, env=env, cwd=cwd, program=program) as process:
        status = process.wait(timeout)
        return status, process.out.text(), process.err.text()
