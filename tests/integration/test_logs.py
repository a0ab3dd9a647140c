"""Where containers' lines and the gateway's requests are found again: entries:list."""

import json
import os
import pty
import re
import signal
import unittest

from tests.lib.api import login
from tests.lib.gateway import Gateway
from tests.lib.harness import Closed, Process, Topology, binary, http, wait_until
from tests.lib.up import Up, python, service

# To stdout and stderr before it listens, and one line for each request.
TALKER = """
def say(text, to=sys.stdout):
    print(text, file=to, flush=True)
say("first words")
say("a warning", sys.stderr)
say('{"severity":"ERROR","message":"no luck","order":7}')
"""

ON_SIGNAL = """
import signal
signal.signal(signal.SIGUSR1, lambda *_: say("got a signal"))
"""

FLOOD_LINES = 6000
FLOOD = f"""
import signal
def flood(*_):
    for i in range({FLOOD_LINES}):
        print("drop", i)
    say("end of the flood")
signal.signal(signal.SIGUSR1, flood)
"""


def topology(**services):
    return {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1",
            "services": services, "matrix": {"allUsers": list(services)}}


def start(t):
    return Up(t, "--log-format", "text")


def talker(extra=""):
    return {"command": service("import sys" + TALKER + extra)}


class Logs:
    """entries:list at a control listener. Each question logs in anew: tokens die with the process
    that gave them out."""

    def __init__(self, control):
        self.control = control.removeprefix("http://")

    def ask(self, words="", **more):
        body = {"resourceNames": ["projects/my-project"], "filter": words, **more}
        answer = http("POST", f"http://{self.control}/v2/entries:list",
                      {"Authorization": f"Bearer {login(self.control)}",
                       "Content-Type": "application/json"}, json.dumps(body).encode())
        assert answer.status == 200, answer.text
        return json.loads(answer.text)

    def entries(self, words="", **more):
        """Of all pages, the oldest first."""
        found, token = [], None
        while True:
            page = self.ask(words, pageSize=1000, **({"pageToken": token} if token else {}), **more)
            found += page.get("entries", [])
            token = page.get("nextPageToken")
            if not token:
                return found

    def texts(self, words=""):
        return [e.get("textPayload") for e in self.entries(words)]

    def wait(self, words, count=1):
        return wait_until(lambda: len(e := self.entries(words)) >= count and e,
                          what=f"{count} entries of {words}")


def answers(url):
    try:
        return http("GET", url).status == 200
    except (OSError, Closed):
        return False


class OfServices(unittest.TestCase):
    """`invoker up`."""

    def tell(self, info, name="front"):
        """SIGUSR1 to the service's process."""
        os.kill(int(json.loads(http("GET", info["services"][name]["upstream"]).body)["PID"]),
                signal.SIGUSR1)

    def test_a_printed_line_is_found(self):
        with Topology(topology(front=talker(), back=talker())) as t, start(t) as up:
            logs = Logs(up.ready()["control"])
            of = "resource.type=cloud_run_revision AND resource.labels.service_name=front"
            entry = logs.wait(f'{of} AND textPayload="first words"')[0]
            self.assertEqual(entry["logName"],
                             "projects/my-project/logs/run.googleapis.com%2Fstdout")
            labels = entry["resource"]["labels"]
            self.assertEqual((labels["location"], labels["project_id"]),
                             ("us-central1", "my-project"))
            self.assertRegex(labels["revision_name"], "^front-00001-[a-z]{3}$")
            self.assertNotIn("severity", entry)
            warning = logs.wait(f"{of} AND warning")[0]
            self.assertTrue(warning["logName"].endswith("%2Fstderr"))
            self.assertEqual(logs.wait("first", 2)[1]["textPayload"], "first words")
            up.wait_for_line("front | first words")  # it is printed as ever

    def test_a_line_that_is_json_has_a_severity_and_a_payload(self):
        with Topology(topology(front=talker())) as t, start(t) as up:
            logs = Logs(up.ready()["control"])
            entry = logs.wait("severity>=ERROR")[0]
            self.assertEqual(entry["severity"], "ERROR")
            self.assertEqual(entry["jsonPayload"], {"message": "no luck", "order": 7})
            self.assertNotIn("textPayload", entry)
            self.assertEqual(logs.entries("jsonPayload.order=7"), [entry])
            self.assertEqual(logs.entries("jsonPayload.order>7"), [])

    def test_lines_go_on_when_the_gateway_was_killed(self):
        with Topology(topology(front=talker(ON_SIGNAL))) as t, start(t) as up:
            info = up.ready()
            logs = Logs(info["control"])
            logs.wait('"first words"')
            os.kill(up.child("gateway"), signal.SIGKILL)
            self.tell(info)
            up.wait_for_line("front | got a signal")
            wait_until(lambda: answers(info["control"] + "/healthz"), what="a new gateway")
            self.assertEqual(logs.wait('"got a signal"')[0]["textPayload"], "got a signal")
            self.assertEqual(logs.texts('"first words"'), [])  # they were in the former's memory

    def test_a_gateway_that_takes_no_lines_holds_up_nobody(self):
        with Topology(topology(front=talker(FLOOD))) as t, start(t) as up:
            info = up.ready()
            logs = Logs(info["control"])
            logs.wait('"first words"')
            gateway = up.child("gateway")
            os.kill(gateway, signal.SIGSTOP)
            try:
                self.tell(info)
                up.wait_for_line("front | end of the flood", 30)
                self.assertEqual(sum("front | drop" in line for line in up.err.all()), FLOOD_LINES)
            finally:
                os.kill(gateway, signal.SIGCONT)
            logs.wait('"end of the flood"')
            texts = [text or "" for text in logs.texts("log_id(run.googleapis.com/stdout)")]
            said = [re.match(r"invoker: (\d+) lines before this are lost", x) for x in texts]
            lost = sum(int(m.group(1)) for m in said if m)
            kept = [int(x.removeprefix("drop ")) for x in texts if x.startswith("drop ")]
            self.assertGreater(lost, 0)
            self.assertEqual(kept[-1000:], list(range(FLOOD_LINES - 1000, FLOOD_LINES)))
            # What the gateway took without a chance to say so was counted as lost.
            self.assertGreaterEqual(lost + len(set(kept)), FLOOD_LINES)
            self.assertLess(lost, FLOOD_LINES)


class OfAttachedCommands(unittest.TestCase):
    """`invoker run`."""

    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"front": {"upstream": None}}, {"allUsers": ["front"]})
        cls.addClassCleanup(cls.g.close)
        cls.logs = Logs(cls.g.control)

    def command(self, *words, args=()):
        return ["run", *args, "-c", str(self.g.topology.path), "--control", self.g.control, "front",
                "--", *words]

    def test_its_output_is_passed_on_byte_by_byte_and_its_lines_are_found(self):
        code = ("import sys; sys.stdout.write('out one\\r\\n\\nout \\x1b[1mtwo'); "
                "sys.stderr.write('err one\\n'); sys.exit(3)")
        with Process(*self.command(*python(code))) as container:
            self.assertEqual(container.wait(), 3)
            self.assertEqual(container.out.all(), ["out one\r", "", "out \x1b[1mtwo"])
            self.assertIn("err one", container.err.all())
        # All is there once it has ended.
        self.assertEqual(self.logs.texts("logName:stdout AND textPayload:out"),
                         ["out one", "out \x1b[1mtwo"])
        self.assertEqual(self.logs.texts("logName:stderr AND textPayload:one"), ["err one"])

    def in_terminal(self, *command):
        """What a terminal shows of it, until it ends; and its exit status."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(binary(), ["invoker", *command])
        shown = b""
        try:
            while chunk := os.read(terminal, 65536):
                shown += chunk
        except OSError:  # EIO: nobody has it open any more
            pass
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_a_terminal_stays_one(self):
        show = python("import os; print('tty?', [os.isatty(i) for i in range(3)])")
        shown, status = self.in_terminal(*self.command(*show))
        self.assertEqual(status, 0, shown)
        self.assertIn("tty? [True, True, True]", shown)
        self.assertEqual(self.logs.texts('"tty?"'), [])

    def test_capture_gives_it_pipes_and_keeps_its_lines(self):
        show = python("import os; print('pipe?', [os.isatty(i) for i in range(3)])")
        shown, status = self.in_terminal(*self.command(*show, args=["--capture"]))
        self.assertEqual(status, 0, shown)
        self.assertIn("pipe? [True, False, False]", shown)
        self.assertEqual(self.logs.texts('"pipe?"'), ["pipe? [True, False, False]"])


class OfRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"open": {}, "private": {}, "empty": {"upstream": None}},
                        {"allUsers": ["open", "empty"]})
        cls.addClassCleanup(cls.g.close)
        cls.logs = Logs(cls.g.control)

    def entry(self, path, words=""):
        return self.logs.wait(f'httpRequest.requestUrl:"{path}"{words}')[0]

    def test_a_request_s_entry_says_why(self):
        rows = [("open", "/let-in", 200, "INFO", "public"),
                ("private", "/kept-out", 403, "WARNING", "no_credential")]
        for name, path, status, severity, reason in rows:
            with self.subTest(name):
                self.assertEqual(self.g.get(name, path).status, status)
                entry = self.entry(path)
                self.assertEqual(entry["severity"], severity)
                self.assertEqual(entry["httpRequest"]["status"], status)
                self.assertEqual(entry["httpRequest"]["requestUrl"], self.g.url(name) + path)
                self.assertEqual(entry["resource"]["labels"]["service_name"], name)
                self.assertEqual(entry["labels"]["invoker/reason"], reason)
                self.assertIn(entry, self.logs.entries(f'labels."invoker/reason"={reason}'))
                # the same one that stands in the gateway's own log
                self.assertEqual(self.g.entry(path)["insertId"], entry["insertId"])
        denied = self.entry("/kept-out")
        self.assertIn("invoker/explanation", denied["labels"])
        self.assertEqual(self.entry("/kept-out", " AND severity>=WARNING"), denied)
        self.assertEqual(self.logs.entries('httpRequest.requestUrl:"/let-in" AND '
                                           "severity>=WARNING"), [])

    def test_where_nobody_serves_the_log_says_how_to_attach_one(self):
        self.assertEqual(self.g.get("empty", "/nobody").status, 503)
        self.assertEqual(self.entry("/nobody")["severity"], "ERROR")
        advice = self.logs.entries("resource.labels.service_name=empty AND "
                                   "logName:stderr AND severity=ERROR")
        self.assertEqual(len(advice), 1)
        self.assertRegex(advice[0]["textPayload"],
                         "^invoker: No upstream is attached to empty. Here: "
                         "invoker run empty -- COMMAND, or services.empty.upstream in ")
        self.assertEqual(advice[0]["trace"], self.entry("/nobody")["trace"])

    def test_what_never_reaches_a_service_is_not_there(self):
        self.assertEqual(self.g.at_host("nowhere.example.test", "/astray").status, 404)
        self.assertEqual(self.g.get("open", "/found").status, 200)
        self.entry("/found")
        self.assertEqual(self.logs.entries('"/astray"'), [])


if __name__ == "__main__":
    unittest.main()
