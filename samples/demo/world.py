"""One running topology: `invoker up` as a child, requests through its gateway, its log."""

import contextlib
import http.client
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVOKER = os.environ.get("INVOKER") or os.path.join("build", "invoker")
TUTORIAL = os.path.join("policies", "tutorial.yaml")
READY_S = 60
ANSWER_S = 15
STOP_S = 5

IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity?"
EMAIL = "/computeMetadata/v1/instance/service-accounts/default/email"


class Trouble(Exception):
    """The demo cannot go on; the text says why."""


@contextlib.contextmanager
def uninterrupted():
    """An interruption waits for the end of the block: no child is started and then forgotten. What
    we were started to ignore (nohup, a shell's background) stays ignored."""
    waiting = []
    before = {s: signal.signal(s, lambda *_: waiting.append(s))
              for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) != signal.SIG_IGN}
    try:
        yield
    finally:
        for signo, handler in before.items():
            signal.signal(signo, handler)
    if waiting:
        raise KeyboardInterrupt


class Answer:
    """A response, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.challenge = response.getheader("WWW-Authenticate")
        self.type = response.getheader("Content-Type", "")
        self.text = response.read().decode("utf-8", "replace")
        self.trace = None


def get(authority, target, headers=None):
    """One GET over a connection of its own."""
    connection = http.client.HTTPConnection(authority, timeout=ANSWER_S)
    try:
        connection.request("GET", target, headers=headers or {})
        return Answer(connection.getresponse())
    except (OSError, http.client.HTTPException) as e:
        raise Trouble(f"http://{authority}{target} does not answer: {e}") from e
    finally:
        connection.close()


class World:
    """`with World(topology, state) as w`: runs until the block ends, however it ends. What the
    services remember goes into the folder `state`, which the caller removes. options: more of them
    for `invoker up`."""

    def __init__(self, topology, state, options=()):
        self.topology = topology
        self.state = state
        self.options = options
        self.entries = []
        self.tail = []
        self.changed = threading.Condition()
        self.process = None
        self.threads = []

    def __enter__(self):
        began = time.monotonic()
        command = [INVOKER, "up", "-c", self.topology, "--ephemeral-ports", "--json",
                   "--log-format", "json", *self.options]
        try:
            with uninterrupted():
                self.process = subprocess.Popen(
                    command, cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self._listen(self.process.stderr, self._take_log)
            self._read_ready()
        except OSError as e:
            raise Trouble(f"cannot run {INVOKER}: {e.strerror}; build it with: make") from e
        except BaseException:
            self.stop()
            raise
        self.seconds = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- starting and stopping ----

    def _environment(self):
        """Whatever anybody below writes lies in our folder and goes with it."""
        ours = ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR")
        return {**os.environ, **{name: self.state for name in ours}}

    def _listen(self, stream, take):
        def run():
            for line in stream:
                take(line.decode("utf-8", "replace").rstrip("\n"))
        thread = threading.Thread(target=run, daemon=True)
        with uninterrupted():  # what is started is waited for before its stream is closed
            thread.start()
            self.threads.append(thread)

    def _read_ready(self):
        lines = queue.Queue()
        self._listen(self.process.stdout, lines.put)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                ready = json.loads(lines.get(timeout=0.05))
                break
            except queue.Empty:
                if self.process.poll() is not None:
                    self._join()
                    raise Trouble("invoker up ended before it was ready:\n  "
                                  + "\n  ".join(self.tail[-8:])) from None
                if time.monotonic() > deadline:
                    raise Trouble(f"invoker up was not ready within {READY_S} s") from None
        self.services = ready["services"]
        self.control = urllib.parse.urlsplit(ready["control"]).netloc

    def _join(self):
        for thread in self.threads:
            thread.join(STOP_S)

    def stop(self):
        """SIGTERM, as a process manager would; no orphan is left behind."""
        if self.process is None:
            return
        process, self.process = self.process, None
        with uninterrupted():
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._join()
            process.stdout.close()
            process.stderr.close()

    # ---- the log ----

    def _take_log(self, line):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        with self.changed:
            self.tail.append(line)
            del self.tail[:-40]
            if isinstance(entry, dict):
                self.entries.append(entry)
            self.changed.notify_all()

    def log_entry(self, trace):
        """The gateway's entry on the request that carried this trace id."""
        def found():
            return next((e for e in self.entries if str(e.get("trace", "")).endswith(trace)), None)
        with self.changed:
            if not self.changed.wait_for(lambda: found() is not None, ANSWER_S):
                raise Trouble(f"the gateway logged nothing about request {trace}")
            return found()

    # ---- requests ----

    def authority(self, service):
        """Where the service's URL is reached: host and port."""
        return urllib.parse.urlsplit(self.services[service]["url"]).netloc

    def url(self, service):
        """The service's URL, which is also the audience of tokens for it."""
        return self.services[service]["url"]

    def token(self, caller, audience):
        """What the client libraries do: ask the caller's own metadata server."""
        query = urllib.parse.urlencode({"audience": audience, "format": "full"})
        answer = get(self.services[caller]["metadata"], IDENTITY + query,
                     {"Metadata-Flavor": "Google"})
        if answer.status != 200:
            raise Trouble(f"{caller}'s metadata server gave no token: {answer.status}")
        return answer.text

    def account(self, caller):
        """The account that the caller's metadata server says it runs as."""
        answer = get(self.services[caller]["metadata"], EMAIL, {"Metadata-Flavor": "Google"})
        return answer.text.strip()

    def call(self, service, target, token=None):
        """A request through the gateway, findable in its log."""
        trace = secrets.token_hex(16)
        headers = {"X-Cloud-Trace-Context": f"{trace}/1;o=1"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        answer = get(self.authority(service), target, headers)
        answer.trace = trace
        return answer


def run_invoker(*arguments):
    """Output of a command that must succeed."""
    done = subprocess.run([INVOKER, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"invoker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
