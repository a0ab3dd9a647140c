"""`invoker lesson`: the course plays by itself and with a reader, and leaves nothing behind."""

import concurrent.futures
import functools
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from tests.lib.harness import ROOT, Process, binary, http, run, sanitized, wait_until
from tests.lib.process import ca_folder
from tests.lib.up import Up, alive, descendants, parent_of, wait_gone

SCENES = sorted((ROOT / "policies" / "lessons").glob("*.yaml"))
CHALLENGE = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
ENV_FILE = re.compile(r"^  \. (\S+/env)$", re.M)
SLOW = 5 if sanitized() else 1


class Folders:
    """A $TMPDIR of its own, so that whatever is left behind is seen."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="invoker-test-lessons-")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def env(self):
        return {"TMPDIR": self.dir, "XDG_RUNTIME_DIR": "/nonexistent", "NO_COLOR": "1"}

    def left(self):
        return os.listdir(self.dir)


@functools.lru_cache(maxsize=None)
def told(number):
    """What --auto tells of a lesson; it has to pass."""
    status, out, err = run("lesson", "--auto", number, timeout=60 * SLOW, env={"NO_COLOR": "1"})
    assert (status, err) == (0, ""), (number, status, out, err)
    return out


@functools.lru_cache(maxsize=None)
def course():
    """What --auto says of all lessons, in order."""
    with Folders() as folders:
        status, out, err = run("lesson", "--auto", "all", "--output", "json", timeout=200 * SLOW,
                               env=folders.env)
        assert (status, err, folders.left()) == (0, "", []), (status, out, err, folders.left())
    return json.loads(out)


def answers(number):
    steps = course()["lessons"][number - 1]["steps"]
    return [str(step["answer"]) for step in steps if "answer" in step]


def commands(text):
    """The last request that was asked for, as its reader would type it."""
    lines = text.rsplit("Your request\n\n", 1)[1].split("\n\n", 1)[0]
    return "\n".join(line[2:] for line in lines.split("\n"))


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


class Reader:
    """A terminal in which a lesson is played, and what stands in it."""

    def __init__(self, lesson, env):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GCE_METADATA")}
        environment.update(env)
        main, side = pty.openpty()
        self.text = ""
        self.fd = main
        self.asked = 0
        self.popen = subprocess.Popen(  # its controlling terminal, so that ^C reaches it
            ["setsid", "--ctty", "--wait", binary(), "lesson", str(lesson)], cwd=ROOT, stdin=side,
            stdout=side, stderr=side, env=environment)
        os.close(side)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for pid in descendants(self.popen.pid) | {self.popen.pid}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()
        os.close(self.fd)

    def read_until(self, pattern, timeout=30.0 * SLOW):
        """Reads on until what came since the last answer has it; returns all of that."""
        end = time.monotonic() + timeout
        while not re.search(pattern, self.text[self.asked:]):
            left = end - time.monotonic()
            readable, _, _ = select.select([self.fd], [], [], max(0, left))
            try:
                chunk = os.read(self.fd, 65536) if readable else b""
            except OSError:  # the other side is closed
                chunk = b""
            if not chunk:
                raise AssertionError(f"no {pattern!r} in:\n{self.text}")
            self.text += chunk.decode("utf-8", "replace").replace("\r\n", "\n")
        return self.text[self.asked:]

    def type(self, text):
        self.asked = len(self.text)
        os.write(self.fd, text.encode())

    def end(self, timeout=20.0 * SLOW):
        """The exit status, once everything it wrote is read."""
        try:
            self.read_until(r"(?!)", timeout)
        except AssertionError:
            pass
        return self.popen.wait(timeout)

    @property
    def env_file(self):
        return ENV_FILE.search(self.text).group(1)

    def change(self, old, new):
        """Edits the scene's topology, where that stands in it."""
        path = os.path.join(os.path.dirname(self.env_file), "topology.yaml")
        text = text_of(path)
        if old in text:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))

    def send(self):
        """Types the request that is asked for into another terminal; its output."""
        self.asked = len(self.text)
        script = f". {self.env_file}\n{commands(self.text)}"
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30,
                              check=True).stdout


def play(lesson, env, choose, by_hand=True):
    """Plays a lesson with these answers; returns (exit status, all that was told)."""
    given = iter(choose)
    with Reader(lesson, env) as reader:
        while True:
            said = reader.read_until(
                r"Your answer \(1 to \d\): $|have that done: $|Waiting for it.*\n|in a moment\?\n"
                r"|Lesson \d+ is done")
            if "Your answer" in said:
                reader.type(next(given) + "\n")
            elif "have that done" in said:
                reader.change("45s", "2s")  # readers take their time, tests do not
                reader.type("apply\n")
            elif "is done" in said:
                return reader.end(), reader.text
            elif by_hand:
                reader.send()
            else:
                reader.type("\n")


class ByItself(unittest.TestCase):
    def test_every_lesson_comes_out_as_it_says(self):
        result = course()
        self.assertIs(result["passed"], True)
        self.assertEqual([f"{r['lesson']:02}-{r['name']}.yaml" for r in result["lessons"]],
                         [scene.name for scene in SCENES])
        for lesson in result["lessons"]:
            self.assertIs(lesson["passed"], True, lesson)
            self.assertGreaterEqual(len(lesson["steps"]), 2)
            for step in lesson["steps"]:
                self.assertIs(step["passed"], True)
                self.assertEqual(step["got"]["reason"], step["expected"]["reason"])
                if step["expected"]["status"] != 200:
                    self.assertEqual(step["got"]["status"], step["expected"]["status"])

    def test_one_lesson_is_told_whole(self):
        out = told(5)
        for part in ("Lesson 5 of ", "Which status will it be, and why?", "\n403 Forbidden\n",
                     "no WWW-Authenticate", "The request was not authorized to invoke this service.",
                     "fail        grant", "gcloud run services add-iam-policy-binding backend-api",
                     'resource "google_cloud_run_v2_service_iam_member"',
                     "  + frontend-sa: [auth-service, backend-api]", "\n200, from the container\n",
                     "Lesson 5 is done."):
            self.assertIn(part, out)
        self.assertNotIn("\x1b", out)

    def test_what_is_told_fits_eighty_columns(self):
        # But for what `invoker why` prints: commands and values are for copying.
        copied = re.compile(r"^  ([a-z]|[-+] )|^   ")
        for number in (3, 5):
            for line in told(number).split("\n"):
                if not copied.match(line) or line.startswith("  curl"):
                    self.assertLessEqual(len(line), 80, line)

    def test_two_at_a_time_do_not_meet(self):
        with Folders() as folders, Process("lesson", "--auto", "7", env=folders.env) as one, \
                Process("lesson", "--auto", "7", env=folders.env) as two:
            self.assertEqual((one.wait(60 * SLOW), two.wait(60 * SLOW)), (0, 0))
            self.assertIn("Lesson 7 is done.", one.out.text())
            self.assertIn("Lesson 7 is done.", two.out.text())
            self.assertEqual(folders.left(), [])

    def test_the_readers_own_emulator_is_left_alone(self):
        elsewhere = {"INVOKER_CONTROL": "127.0.0.1:1", "INVOKER_CONFIG": "/nonexistent.yaml",
                     "INVOKER_CA": "/nonexistent/ca"}
        with Folders() as folders:
            status, out, err = run("lesson", "--auto", "expired", timeout=60 * SLOW,
                                   env={**folders.env, **elsewhere})
            self.assertEqual((status, err), (0, ""), out)
        self.assertFalse(os.path.exists("/nonexistent"))

    def test_a_program_of_another_name_in_another_folder_needs_no_files(self):
        with Folders() as folders:
            copy = os.path.join(folders.dir, "cloud run")
            shutil.copy(binary(), copy)
            p = subprocess.run([copy, "lesson", "--auto", "2"], cwd="/", capture_output=True,
                               text=True, stdin=subprocess.DEVNULL, timeout=60 * SLOW, check=False,
                               env={**os.environ, **folders.env})
            self.assertEqual((p.returncode, p.stderr), (0, ""), p.stdout)
            self.assertEqual(folders.left(), ["cloud run"])


class OverTheWire(unittest.TestCase):
    """The claims, tried without the lesson: its scene in an `up`, and requests by hand."""

    def scene(self, name):
        class Scene:
            path = ROOT / "policies" / "lessons" / name
        folder = tempfile.mkdtemp(prefix="invoker-test-keys-")
        self.addCleanup(shutil.rmtree, folder, True)
        Scene.keys = folder
        os.makedirs(os.path.join(folder, "bin"))
        os.symlink(binary(), os.path.join(folder, "bin", "invoker"))
        up = Up(Scene, env={"PATH": f"{folder}/bin:{os.environ['PATH']}"})
        self.addCleanup(up.kill)
        up.ready(60 * SLOW)
        up.scene = Scene
        return up

    def identity(self, up, caller, audience):
        host = up.info["services"][caller]["metadata"]
        answer = http("GET", f"http://{host}/computeMetadata/v1/instance/service-accounts/default/"
                      f"identity?audience={audience}", [("Metadata-Flavor", "Google")])
        self.assertEqual(answer.status, 200)
        return answer.text

    def minted(self, up, *options):
        status, out, err = run("token", "-c", up.scene.path, "--keys", up.scene.keys, *options)
        self.assertEqual((status, err), (0, ""))
        return out.strip()

    def url(self, up, name="backend-api"):
        return up.info["services"][name]["url"]

    def get(self, up, token=None, name="backend-api", path="/", method="GET", fields=()):
        headers = [*fields] + ([("Authorization", f"Bearer {token}")] if token else [])
        return http(method, self.url(up, name) + path, headers)

    def refused(self, answer, status):
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.header("www-authenticate"), CHALLENGE if status == 401 else None)

    def test_no_token_is_403_without_a_challenge(self):
        up = self.scene("01-no-token.yaml")
        self.refused(self.get(up), 403)
        good = self.get(up, self.identity(up, "frontend", self.url(up)))
        self.assertEqual(good.status, 200)
        self.assertIn("SIGNATURE_REMOVED_BY_GOOGLE", good.text)

    def test_audiences(self):
        up = self.scene("03-wrong-audience.yaml")
        for audience, status in ((self.url(up) + "/tasks/run", 200),
                                 (self.url(up) + "/tasks/run%3Fjob=7", 401),
                                 ("https://api.example.com", 401),
                                 ("https://green---backend-api-123456789012.us-central1.run.app",
                                  401)):
            with self.subTest(audience=audience):
                answer = self.get(up, self.identity(up, "frontend", audience))
                if status == 401:
                    self.refused(answer, 401)
                self.assertEqual(answer.status, status)

    def test_the_default_account_is_the_projects_compute_account(self):
        up = self.scene("06-default-account.yaml")
        self.assertEqual(up.info["services"]["frontend"]["service_account"],
                         "123456789012-compute@developer.gserviceaccount.com")
        self.refused(self.get(up, self.identity(up, "frontend", self.url(up))), 403)

    def test_a_public_service_hands_on_what_it_was_sent(self):
        up = self.scene("08-public.yaml")
        forged = self.minted(up, "--as", "frontend-sa", "--audience", self.url(up), "--foreign-key")
        answer = self.get(up, forged)
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.text)["headers"]["Authorization"], f"Bearer {forged}")

    def test_a_token_that_was_received_is_of_no_use(self):
        up = self.scene("10-stripped.yaml")
        token = self.identity(up, "frontend", self.url(up))
        received = self.get(up, token, path="/received/authorization").text.strip()
        self.assertRegex(received, r"^bearer \S+\.\S+\.SIGNATURE_REMOVED_BY_GOOGLE$")
        self.refused(http("GET", self.url(up, "db-service"), [("Authorization", received)]), 401)

    def test_internal_ingress_is_404_whoever_asks(self):
        up = self.scene("11-ingress.yaml")
        self.refused(self.get(up, self.identity(up, "frontend", self.url(up))), 404)
        self.refused(self.get(up), 404)

    def test_a_preflight_gets_no_cors_headers(self):
        up = self.scene("12-preflight.yaml")
        answer = self.get(up, method="OPTIONS", path="/items", fields=[
            ("Origin", "https://frontend.example.com"), ("Access-Control-Request-Method", "GET")])
        self.refused(answer, 403)
        self.assertFalse([n for n in answer.names if n.lower().startswith("access-control")])

    def test_roles_of_the_project(self):
        up = self.scene("13-project-editor.yaml")
        self.assertEqual(self.get(up, self.identity(up, "ci", self.url(up))).status, 200)
        self.refused(self.get(up, self.identity(up, "report", self.url(up))), 403)

    def test_healthz_is_googles_own(self):
        up = self.scene("19-reserved-path.yaml")
        host = [("Host", "backend-api-123456789012.us-central1.run.app"),
                ("Authorization", "Bearer " + self.identity(up, "frontend", self.url(up)))]
        answer = http("GET", f"http://{up.info['ingress']}/healthz", host)
        self.refused(answer, 404)
        self.assertIn("That’s all we know.", answer.text)
        self.assertEqual(http("GET", f"http://{up.info['ingress']}/health", host).status, 200)


class WithAReader(unittest.TestCase):
    def test_every_lesson_is_played_as_it_is_told(self):
        """With the right answers, and each request by the very lines that are printed."""
        def one(number):
            with Folders() as folders:
                env = {**folders.env, "INVOKER_CA": ca_folder()}
                status, text = play(number, env, answers(number))
                return number, status, text, folders.left()

        # A sanitizer has nothing to see in curl's lines that it has not seen in some.
        numbers = (1, 2, 7, 9, 10) if sanitized() else range(1, len(SCENES) + 1)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for number, status, text, left in pool.map(one, numbers):
                self.assertEqual(status, 0, text)
                self.assertIn(f"Lesson {number} is done.", text)
                self.assertEqual(left, [])

    def test_enter_sends_the_request(self):
        with Folders() as folders:
            status, text = play("access-token", folders.env, answers(2), by_hand=False)
        self.assertEqual(status, 0, text)
        self.assertIn("Let us see.", text)

    def test_a_wrong_answer_is_graded_by_status_and_cause(self):
        right = answers(4)
        for given, verdict in (("1", "The cause is right, the status is another one."),
                               ("3", "The status is right, the cause is another one."),
                               ("4", "No: both the status and the cause are others.")):
            with self.subTest(given=given), Folders() as folders:
                self.assertNotIn(given, right)
                status, text = play("expired", folders.env, [given], by_hand=False)
                self.assertEqual(status, 1, text)
                self.assertIn(verdict, text)
                self.assertIn("0 of 1 answers were right", text)
                self.assertEqual(folders.left(), [])

    def test_what_is_no_answer_is_asked_for_again(self):
        with Folders() as folders, Reader(4, folders.env) as reader:
            for nonsense in ("", "0", "5", "two", "\x1b[A", "9" * 3000):
                reader.read_until(r"Your answer \(1 to 4\): $")
                reader.type(nonsense + "\n")
            reader.read_until(r"Your answer \(1 to 4\): $")
            reader.type("2\n")
            self.assertIn("Let us see.", reader.read_until("Waiting for it"))

    def test_another_request_is_not_taken_for_the_one_asked_for(self):
        with Folders() as folders, Reader(4, folders.env) as reader:
            reader.read_until("Your answer")
            reader.type("2\n")
            reader.read_until("Waiting for it.*\n")
            url = re.search(r"BACKEND_API_URL='(.*)'", text_of(reader.env_file)).group(1)
            reader.asked = len(reader.text)
            http("GET", url + "/elsewhere")
            reader.read_until(r"\(Seen: GET /elsewhere\. Another one is asked for\.\)")
            http("GET", url + "/")
            said = reader.read_until(r"Send it as it stands above\.")
            self.assertIn("That came out as 403 (no_credential), not 401 (expired).", said)
            reader.type("\n")
            reader.read_until("401 Unauthorized")

    def test_a_fix_that_was_not_made_does_not_pass(self):
        with Folders() as folders, Reader("wrong-service", folders.env) as reader:
            reader.read_until("Your answer")
            reader.type("1\n")
            reader.read_until("Waiting for it.*\n")
            reader.type("\n")
            reader.read_until("have that done: $")
            reader.type("\n")  # nothing was edited
            reader.read_until("Waiting for it.*\n")
            reader.send()
            reader.read_until(r"That came out as 403 \(no_grant\), not 200 \(granted\)\.")
            reader.change("frontend-sa: [auth-service]",  # in other words than those proposed
                          "frontend-sa:\n  - auth-service\n  - backend-api")
            reader.type("\n")
            reader.read_until("Lesson 5 is done.")
            self.assertEqual(reader.end(), 0)

    def test_a_propagation_that_was_missed_is_told(self):
        with Folders() as folders, Reader("not-propagated", folders.env) as reader:
            reader.read_until("Your answer")
            reader.type("4\n")
            reader.read_until("have that done: $")
            reader.change("45s", "0s")  # as if they had waited
            reader.change("frontend-sa: []", "frontend-sa: [backend-api]")
            reader.type("\n")
            reader.read_until("Waiting for it.*\n")
            reader.type("\n")
            reader.read_until("You were slower than IAM")
            reader.read_until("Waiting for it.*\n")
            reader.type("\n")
            reader.read_until("Lesson 7 is done.")
            self.assertEqual(reader.end(), 0)

    def test_without_a_terminal_nothing_is_asked(self):
        with Folders() as folders, Process("lesson", "4", env=folders.env) as lesson:
            for shown in range(2):
                wait_until(lambda n=shown: lesson.out.text().count("Waiting for it") > n, 30 * SLOW)
                text = lesson.out.text()
                env_file = ENV_FILE.search(text).group(1)
                subprocess.run(["sh", "-c", f". {env_file}\n{commands(text)}"], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
            self.assertEqual(lesson.wait(30 * SLOW), 0)
            self.assertNotIn("Your answer", lesson.out.text())
            self.assertEqual(folders.left(), [])


class NothingIsLeft(unittest.TestCase):
    def processes_of(self, pid, count=5):
        """up, its guard and ours, metadata, gateway and the container."""
        return wait_until(lambda: (len(found := descendants(pid)) >= count and found), 30 * SLOW)

    def test_ctrl_c_at_a_question(self):
        with Folders() as folders, Reader(4, folders.env) as reader:
            reader.read_until("Your answer")
            running = self.processes_of(reader.popen.pid)
            reader.type("\x03")
            self.assertEqual(reader.end(), 128 + signal.SIGINT)
            wait_gone(running, 10 * SLOW)
            self.assertEqual(folders.left(), [])

    def test_ctrl_c_while_it_waits_for_a_request(self):
        with Folders() as folders, Reader(4, folders.env) as reader:
            reader.read_until("Your answer")
            reader.type("2\n")
            reader.read_until("Waiting for it")
            running = self.processes_of(reader.popen.pid)
            reader.type("\x03")
            self.assertEqual(reader.end(), 128 + signal.SIGINT)
            wait_gone(running, 10 * SLOW)
            self.assertEqual(folders.left(), [])

    def test_end_of_input(self):
        with Folders() as folders, Reader(4, folders.env) as reader:
            reader.read_until("Your answer")
            running = self.processes_of(reader.popen.pid)
            reader.type("\x04")
            self.assertEqual(reader.end(), 1)
            wait_gone(running, 10 * SLOW)
            self.assertEqual(folders.left(), [])

    def waiting(self, folders):
        lesson = Process("lesson", "4", env=folders.env)
        self.addCleanup(lesson.kill)
        lesson.out.wait_for("Waiting for it", 30 * SLOW)
        return lesson, self.processes_of(lesson.pid)

    def test_sigterm(self):
        with Folders() as folders:
            lesson, running = self.waiting(folders)
            self.assertEqual(lesson.stop(20 * SLOW), 128 + signal.SIGTERM)
            wait_gone(running, 10 * SLOW)
            self.assertEqual(folders.left(), [])

    def test_a_lesson_that_is_killed(self):
        with Folders() as folders:
            lesson, running = self.waiting(folders)
            lesson.send_signal(signal.SIGKILL)
            lesson.wait()
            wait_gone(running, 10 * SLOW)
            wait_until(lambda: folders.left() == [], 10 * SLOW)

    def test_an_emulator_that_is_killed(self):
        with Folders() as folders:
            lesson, running = self.waiting(folders)
            up, = (p for p in running if b"\0up\0" in cmdline(p) and parent_of(p) == lesson.pid)
            os.kill(up, signal.SIGKILL)
            self.assertEqual(lesson.wait(20 * SLOW), 1)
            self.assertIn("the scene has ended", lesson.err.text())
            wait_gone(running, 10 * SLOW)
            wait_until(lambda: folders.left() == [], 10 * SLOW)

    def test_all_of_them_at_once(self):
        with Folders() as folders, \
                Process("lesson", "--auto", "all", env=folders.env) as lessons:
            running = self.processes_of(lessons.pid, 9)
            self.assertEqual(lessons.stop(30 * SLOW), 128 + signal.SIGTERM)
            wait_gone(running, 10 * SLOW)
            self.assertFalse(alive(running))
            wait_until(lambda: folders.left() == [], 10 * SLOW)


class Usage(unittest.TestCase):
    def test_without_a_lesson_there_is_a_list(self):
        status, out, err = run("lesson")
        self.assertEqual((status, err), (0, ""))
        rows = re.findall(r"^ *(\d+)  (\S+) +\S", out, re.M)
        self.assertEqual([f"{int(n):02}-{name}.yaml" for n, name in rows],
                         [scene.name for scene in SCENES])
        status, out, _ = run("lesson", "--output", "json")
        self.assertEqual([(str(r["lesson"]), r["name"]) for r in json.loads(out)], rows)

    def test_mistakes(self):
        for words, said in ((["expird"], "did you mean 'expired'?"),
                            (["99"], "no lesson '99'; there are 1 to "),
                            (["0"], "no lesson '0'"), (["all"], "--auto go together"),
                            (["--auto"], "--auto go together"),
                            (["1", "2"], "one lesson at a time"),
                            (["1", "--output", "json"], "goes with --auto"),
                            (["1", "--output", "xml"], "--output is 'text' or 'json'")):
            with self.subTest(words=words):
                status, out, err = run("lesson", *words)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(said, err)

    def test_a_scene_that_cannot_be_made_is_told(self):
        status, out, err = run("lesson", "--auto", "1", env={"TMPDIR": "/nonexistent",
                                                             "XDG_RUNTIME_DIR": "/nonexistent"})
        self.assertEqual((status, out), (1, ""))
        self.assertIn("cannot make a folder in /nonexistent", err)


if __name__ == "__main__":
    unittest.main()
