"""`invoker logs`: the running gateway's decisions, for people and for programs."""

import json
import os
import pty
import re
import signal
import subprocess
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import Process, binary, run, wait_until
from tests.lib.rawhttp import http

TIME = r"\d\d:\d\d:\d\d\.\d\d\d"
ID = "[0-9a-f]{8}"


class Logs(unittest.TestCase):
    def setUp(self):
        self.g = Gateway({"open": {}, "private": {}}, {"allUsers": ["open"]},
                         ["--request-log", "off"])
        self.addCleanup(self.g.close)

    def listed(self):
        answer = http("GET", f"http://{self.g.control}/invoker/v1/decisions")
        return json.loads(answer.text)["decisions"]

    def ask(self, name, path, headers=()):
        self.g.get(name, path, headers)
        shown = path.split("?")[0]
        wait_until(lambda: [d for d in self.listed() if d["path"] == shown], what=path)

    def logs(self, *args, status=0):
        got, out, err = run("logs", "--control", self.g.control, *args)
        self.assertEqual(got, status, err)
        return out, err

    def paths(self, *args):
        return [json.loads(line)["path"] for line in
                self.logs(*args, "--output", "json")[0].splitlines()]

    def follow(self, *args):
        process = Process("logs", "--follow", "--control", self.g.control, *args)
        self.addCleanup(process.kill)
        return process

    def following(self, *args):
        """It has read the first decision, so it gets all that come."""
        self.ask("open", "/begin")
        process = self.follow("--limit", "1", *args)
        process.out.wait_for("/begin")
        return process

    # ---- what is remembered ----

    def test_decisions_are_lines_and_a_refusal_says_why_and_what_mends_it(self):
        self.ask("open", "/1?secret=1")
        self.ask("private", "/2", self.g.bearer(account="frontend-sa", audience="private"))
        out, err = self.logs()
        first, second, *advice = out.splitlines()
        self.assertRegex(first, f"^{TIME} 200 public  anonymous -> open  GET /1  "
                                rf"[\d.]+ m?s  {ID}$")
        self.assertRegex(second, f"^{TIME} 403 no_grant  frontend-sa@my-project -> private  GET /2"
                                 rf"  [\d.]+ m?s  {ID}$")
        self.assertEqual([line[:16] for line in advice],
                         ["    cause       ", "    production  ", "    here        "])
        self.assertIn(f"serviceAccount:{email('frontend-sa')} holds no role", advice[0])
        self.assertIn("gcloud run services add-iam-policy-binding private", advice[1])
        self.assertIn("matrix: add private to frontend-sa", advice[2])
        self.assertEqual(err, "")
        self.assertEqual(self.logs("--brief")[0].splitlines(), [first, second])
        ids = [d["id"][:8] for d in reversed(self.listed())]
        self.assertEqual([line.split()[-1] for line in (first, second)], ids)

    def test_json_is_a_line_for_each_as_the_listener_has_it(self):
        self.ask("open", "/1")
        self.ask("private", "/2")
        out, _ = self.logs("-o", "json")
        self.assertEqual([json.loads(line) for line in out.splitlines()], self.listed()[::-1])

    def test_they_are_narrowed_down(self):
        token = self.g.bearer(account="frontend-sa", audience="private")
        self.ask("open", "/1")
        self.ask("private", "/2")
        self.ask("private", "/3", token)
        for args, paths in ((["--refused"], ["/2", "/3"]), (["private"], ["/2", "/3"]),
                            (["--service", "open"], ["/1"]), (["--limit", "1"], ["/3"]),
                            (["--caller", "anonymous"], ["/1", "/2"]),
                            (["--caller", "frontend-sa"], ["/3"]),
                            (["--caller", "frontend-sa@my-project"], ["/3"]),
                            (["--caller", email("frontend-sa")], ["/3"]),
                            (["--caller", "frontend"], []),
                            (["--reason", "no_credential"], ["/2"]),
                            (["--reason", "truncated"], [])):
            self.assertEqual(self.paths(*args), paths, args)
        out, err = self.logs("--service", "nobody")
        self.assertEqual((out, err), ("", "invoker logs: no such decision is remembered"))

    def test_what_callers_send_does_not_reach_the_terminal(self):
        self.g.get("open", "/\u00c2\u009b2J")  # U+009B, which some terminals take for ESC [
        wait_until(self.listed)
        self.assertEqual(self.listed()[0]["path"], "/\u009b2J")
        out, _ = self.logs()
        self.assertRegex(out, r"GET /\S*2J  ")
        self.assertTrue(all(c == "\n" or 32 <= ord(c) < 127 for c in out), ascii(out))

    def test_usage(self):
        for args, message in ((["--limit", "0"], "--limit is a number from 1 to 1000"),
                              (["--limit", "1001"], "--limit is a number from 1 to 1000"),
                              (["-f", "--limit", "-2"], "--limit is a number from 0 to 1000"),
                              (["--output", "yaml"], "--output is 'text' or 'json'"),
                              (["--reason", "no_gant"], "did you mean 'no_grant'?"),
                              (["a", "b"], "unexpected operand 'b'"),
                              (["a", "--service", "b"], "give one of them")):
            out, err = self.logs(*args, status=2)
            self.assertEqual(out, "")
            self.assertIn(message, err)

    def test_without_a_gateway(self):
        self.g.process.stop()
        for args in ([], ["--follow"]):
            out, err = self.logs(*args, status=1)
            self.assertEqual(out, "")
            self.assertIn(f"no gateway answers at {self.g.control}", err)

    # ---- as they are made ----

    def test_follow_goes_on(self):
        logs = self.following("--brief")
        self.ask("private", "/1")
        self.ask("open", "/2")
        self.assertRegex(logs.out.wait_for("/1"), f"^{TIME} 403 no_credential .* GET /1 ")
        self.assertRegex(logs.out.wait_for("/2"), f"^{TIME} 200 public .* GET /2 .*  {ID}$")
        self.assertEqual(logs.stop(), 0)
        self.assertEqual(len(logs.out.all()), 3)
        self.assertEqual(logs.err.text(), "")

    def test_follow_is_narrowed_down_and_speaks_json(self):
        logs = self.following("-o", "json")
        refused = self.follow("--refused", "--limit", "0", "private", "-o", "json")

        def both():
            self.g.get("private", "/probe")
            return refused.out.all() and logs.out.all()
        wait_until(both)
        self.ask("open", "/1")
        self.ask("private", "/2")
        logs.out.wait_for("/2")
        refused.out.wait_for("/2")
        self.assertIn("/1", logs.out.text())
        self.assertNotIn("/1", refused.out.text())
        self.assertEqual(json.loads(refused.out.all()[-1]), self.listed()[0])

    def test_follow_survives_a_restart_of_the_gateway(self):
        logs = self.following("--brief")
        self.g.process.stop()
        logs.err.wait_for(f"the gateway at {self.g.control} is gone; waiting for it")
        self.g.start()
        self.g.get("open", "/after")
        logs.err.wait_for(f"the gateway at {self.g.control} is back")
        logs.out.wait_for("/after")
        self.assertEqual(logs.stop(), 0)
        self.assertEqual([re.search(r"GET (\S+)", line)[1] for line in logs.out.all()],
                         ["/begin", "/after"])
        self.assertEqual(len(logs.err.all()), 2)

    def test_follow_ends_when_it_is_told_to(self):
        for signo in (signal.SIGINT, signal.SIGTERM):
            logs = self.following()
            logs.popen.send_signal(signo)
            self.assertEqual(logs.popen.wait(10), 0)
            logs.err.join()
            self.assertEqual(logs.err.text(), "")

    def test_follow_ends_with_its_reader(self):
        """Even when nothing is left to be written: `invoker logs -f | head -1`."""
        self.ask("open", "/1")
        with subprocess.Popen([binary(), "logs", "-f", "--control", self.g.control],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as logs:
            self.addCleanup(logs.kill)
            self.assertIn(b"/1", logs.stdout.readline())
            logs.stdout.close()
            self.assertEqual(logs.wait(10), 0)
            self.assertEqual(logs.stderr.read(), b"")

    def test_colours_are_for_terminals(self):
        self.ask("private", "/1")
        coloured, plain = (self.on_terminal(env) for env in ({}, {"NO_COLOR": "1"}))
        self.assertIn("\x1b[31m403 no_credential\x1b[0m", coloured)
        self.assertNotIn("\x1b", plain)
        self.assertNotIn("\x1b", self.logs()[0])

    def on_terminal(self, env):
        master, slave = pty.openpty()
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        subprocess.run([binary(), "logs", "--control", self.g.control], stdout=slave, check=True,
                       env={**environment, **env})
        os.close(slave)
        text = b""
        try:
            while chunk := os.read(master, 65536):
                text += chunk
        except OSError:  # the terminal has no other end any more
            pass
        os.close(master)
        return text.decode()


if __name__ == "__main__":
    unittest.main()
