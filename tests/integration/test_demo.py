"""`make demo`, as a newcomer runs it: exit status, colours, tidiness, and that it can fail."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from tests.lib.process import ROOT, binary, wait_until

INVOKER = binary()
DEMO = [sys.executable, "-B", os.path.join(ROOT, "samples", "demo", "demo.py")]
LIMIT_S = 120

# Stands in for the binary; what `invoker matrix` prints is changed on the way.
LIAR = """#!{python}
import os, subprocess, sys
real = {real!r}
if sys.argv[1] != "matrix":
    os.execv(real, [real, *sys.argv[1:]])
out = subprocess.run([real, *sys.argv[1:]], capture_output=True, text=True, check=True).stdout
sys.stdout.write(out.replace({old!r}, {new!r}))
"""


def children(pid):
    """Process ids of the direct children."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(n) for n in f.read().split()]


def descendants(pid):
    """All process ids below it."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def is_running(pid):
    """Not gone, and not a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Demo(unittest.TestCase):
    """Each test has a folder for temporary files of its own, which must be empty afterwards."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="invoker-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.temporary = os.path.join(self.folder, "tmp")
        os.mkdir(self.temporary)
        self.env = {**os.environ, "INVOKER": INVOKER, "TMPDIR": self.temporary,
                    "HOME": os.path.join(self.folder, "home"), "TERM": "xterm"}
        self.env.pop("NO_COLOR", None)
        self.env.pop("XDG_RUNTIME_DIR", None)
        self.env.pop("XDG_STATE_HOME", None)

    def run_demo(self, **changes):
        """The finished demo, its output piped."""
        return subprocess.run(DEMO, cwd=ROOT, env={**self.env, **changes}, capture_output=True,
                              text=True, timeout=LIMIT_S, check=False)

    def assert_tidy(self):
        """Nothing is left: neither in the temporary folder nor in the home folder."""
        wait_until(lambda: not os.listdir(self.temporary),
                   what=f"{self.temporary} is empty again")
        self.assertFalse(os.path.exists(self.env["HOME"]))

    def run_on_terminal(self, **changes):
        """(exit status, output) with a pseudo-terminal as standard output."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(DEMO, cwd=ROOT, env={**self.env, **changes}, stdout=theirs,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            os.close(theirs)
            out = b""
            try:
                while chunk := os.read(ours, 65536):
                    out += chunk
            except OSError:
                pass  # the terminal's other end is closed: the demo ended
            os.close(ours)
            process.stderr.read()
            return process.wait(LIMIT_S), out.decode()

    def test_everything_is_as_expected_and_plain_text_in_a_pipe(self):
        """The whole story, without a single colour code."""
        done = self.run_demo()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout[-2000:])
        self.assertNotIn("\033", done.stdout)
        for said in ("frontend-sa", '"source": "frontend"', "20 of 20 as the matrix says",
                     "a) The grant is on the wrong service", "b) The frontend uses the default",
                     "c) The token's audience", "d) The grant has not propagated yet",
                     "403 Forbidden", "401 Unauthorized", 'Bearer error="invalid_token"',
                     "gcloud run services add-iam-policy-binding backend-api",
                     "gcloud run services update frontend", "observations are as expected"):
            self.assertIn(said, done.stdout)
        self.assertNotIn("WRONG", done.stdout)
        self.assertLess(done.stdout.count("\n"), 120)
        self.assertLess(max(len(line) for line in done.stdout.split("\n")
                            if "metadata.google.internal" not in line), 111)
        self.assert_tidy()

    def test_colours_on_a_terminal_only_where_they_are_wanted(self):
        """https://no-color.org"""
        status, out = self.run_on_terminal()
        self.assertEqual(status, 0, out[-2000:])
        self.assertIn("\033[", out)
        status, out = self.run_on_terminal(NO_COLOR="1")
        self.assertEqual(status, 0, out[-2000:])
        self.assertNotIn("\033[", out)
        self.assert_tidy()

    def test_a_difference_is_named_and_fails(self):
        """A matrix that promises what the gateway refuses."""
        liar = os.path.join(self.folder, "invoker")
        with open(liar, "w", encoding="utf-8") as f:
            f.write(LIAR.format(python=sys.executable, real=INVOKER,
                                old='"db-service":{"allowed":false',
                                new='"db-service":{"allowed":true'))
        os.chmod(liar, 0o755)
        os.symlink(os.path.join(os.path.dirname(INVOKER), "samples"),
                   os.path.join(self.folder, "samples"))
        done = self.run_demo(INVOKER=liar)
        self.assertEqual(done.returncode, 1, done.stdout[-2000:] + done.stderr)
        self.assertIn("403 WRONG, expected 200", done.stdout)
        self.assertIn("frontend > db-service: expected 200, saw 403", done.stdout)
        self.assertIn("nobody (no token) > db-service: expected 200, saw 403", done.stdout)
        self.assertIn("4 of ", done.stdout)

    def test_a_missing_binary_is_said_with_the_cure(self):
        """Not a traceback."""
        done = self.run_demo(INVOKER=os.path.join(self.folder, "nothing"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("build it with: make", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assert_tidy()

    def test_interrupting_stops_and_removes_everything(self):
        """Ctrl-C, or SIGTERM, in the middle: no process and no file is left."""
        def of_a_terminal():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job's children ignore it
        for signo in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen(DEMO, cwd=ROOT, env=self.env, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True,
                                  preexec_fn=of_a_terminal) as process:
                for line in process.stdout:
                    if line.startswith("4  "):
                        break
                below = wait_until(lambda: descendants(process.pid), what="a running topology")
                process.send_signal(signo)
                process.stdout.read()
                said = process.stderr.read()
                self.assertEqual(process.wait(LIMIT_S), 130)
            self.assertEqual(said, "demo: interrupted\n")
            wait_until(lambda: not any(is_running(p) for p in below),
                       what="every process below has ended")
            self.assert_tidy()


if __name__ == "__main__":
    unittest.main()
