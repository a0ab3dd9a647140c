"""`invoker up`: readiness, supervision, stopping."""

import json
import os
import pty
import signal
import subprocess
import unittest

from tests.lib.harness import Closed, Topology, binary, closed_port, http, wait_until
from tests.lib.up import Up, alive, descendants, python, service, wait_gone

PROJECT = {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1"}


def topology(services, **more):
    return {**PROJECT, "service_accounts": {"front-sa": {}, "back-sa": {}}, "services": services,
            "matrix": {"allUsers": list(services)}, **more}


def two_services():
    return topology({
        "front": {"service_account": "front-sa", "command": service(),
                  "env": {"BACK": "${back.url}"}},
        "back": {"service_account": "back-sa", "command": service("import sys\nprint('hello')\n"
                 "print('{\"severity\":\"INFO\",\"n\":1}')\nprint('to stderr', file=sys.stderr)")},
    })


def environment_of(address):
    return json.loads(http("GET", url_of(address)).body)


def url_of(address):
    return address if address.startswith("http://") else f"http://{address}"


class Readiness(unittest.TestCase):
    def test_the_ready_line_is_one_line_with_exactly_these_keys(self):
        with Topology(two_services()) as t, Up(t) as up:
            info = up.ready()
            self.assertEqual(list(info), ["ready", "control", "ingress", "metadata", "certs_v1",
                                          "certs_v3", "ca", "ca_bundle", "state", "services"])
            self.assertIs(info["ready"], True)
            self.assertRegex(info["control"], r"^http://127\.0\.0\.1:\d+$")
            self.assertRegex(info["ingress"], r"^127\.0\.0\.1:\d+$")
            self.assertRegex(info["metadata"], r"^127\.0\.0\.1:\d+$")
            self.assertEqual(info["certs_v1"], f"http://{info['metadata']}/oauth2/v1/certs")
            self.assertEqual(info["certs_v3"], f"http://{info['metadata']}/oauth2/v3/certs")
            self.assertEqual(list(info["services"]), ["front", "back"])
            for name, svc in info["services"].items():
                self.assertEqual(list(svc), ["url", "metadata", "upstream", "service_account"])
                self.assertRegex(svc["url"], r"^http://127\.0\.0\.1:\d+$")
                self.assertRegex(svc["metadata"], r"^127\.0\.0\.1:\d+$")
                self.assertRegex(svc["upstream"], r"^http://127\.0\.0\.1:\d+$")
                self.assertEqual(svc["service_account"],
                                 f"{name}-sa@my-project.iam.gserviceaccount.com")
            self.assertEqual(up.stop(), 0)
            self.assertEqual(up.out.all(), [json.dumps(info, separators=(",", ":"))])

    def test_everything_answers_once_the_line_is_there(self):
        with Topology(two_services()) as t, Up(t) as up:
            info = up.ready()
            for svc in info["services"].values():
                self.assertEqual(http("GET", svc["url"]).status, 200)
                self.assertEqual(http("GET", url_of(svc["metadata"])).status, 200)
            for url in (info["certs_v1"], info["certs_v3"], info["control"] + "/healthz"):
                self.assertEqual(http("GET", url).status, 200)

    def test_a_service_has_the_environment_of_its_container(self):
        given = {"GOOGLE_APPLICATION_CREDENTIALS": "/no/key.json", "NO_GCE_CHECK": "true",
                 "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": "example.com"}
        with Topology(two_services()) as t, Up(t, env=given) as up:
            info = up.ready()
            front = info["services"]["front"]
            env = environment_of(front["upstream"])
            self.assertEqual(env["PORT"], front["upstream"].rpartition(":")[2])
            self.assertEqual(env["K_SERVICE"], "front")
            self.assertEqual(env["K_CONFIGURATION"], "front")
            self.assertRegex(env["K_REVISION"], r"^front-00001-[a-z0-9]{3}$")
            self.assertEqual(env["BACK"], info["services"]["back"]["url"])
            for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"):
                self.assertEqual(env[name], front["metadata"])
            self.assertNotIn("GOOGLE_APPLICATION_CREDENTIALS", env)
            self.assertNotIn("NO_GCE_CHECK", env)
            self.assertRegex(env["no_proxy"], r"^example\.com,127\.0\.0\.1,localhost,")
            self.assertEqual(env["HTTP_PROXY"], f"http://{info['ingress']}")

    def test_two_run_side_by_side(self):
        with Topology(two_services()) as t1, Topology(two_services()) as t2, \
                Up(t1) as one, Up(t2) as two:
            ports = []
            for up in (one, two):
                info = up.ready()
                ports += [info["control"], info["ingress"], info["metadata"]]
                for svc in info["services"].values():
                    ports += [svc["url"], svc["metadata"], svc["upstream"]]
            numbers = [p.rpartition(":")[2] for p in ports]
            self.assertEqual(len(set(numbers)), len(numbers))
            self.assertEqual(one.stop(), 0)
            self.assertEqual(http("GET", two.info["services"]["front"]["url"]).status, 200)
            self.assertEqual(two.stop(), 0)

    def test_a_service_without_command_is_not_waited_for(self):
        content = topology({"front": {"service_account": "front-sa",
                                      "upstream": f"http://127.0.0.1:{closed_port()}"},
                            "back": {"service_account": "back-sa"}})
        with Topology(content) as t, Up(t) as up:
            info = up.ready()
            self.assertEqual(info["services"]["front"]["upstream"],
                             content["services"]["front"]["upstream"])
            self.assertIsNone(info["services"]["back"]["upstream"])
            self.assertEqual(http("GET", info["services"]["back"]["url"]).status, 503)

    def test_without_json_people_get_a_table(self):
        with Topology(two_services()) as t:
            with Up(t) as up:
                up.command.remove("--json")
            status = subprocess.run(
                [*up.command, "--", "true"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL, check=False)
            self.assertEqual((status.returncode, status.stdout), (0, b""))
            with subprocess.Popen(up.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  stdin=subprocess.DEVNULL, text=True) as p:
                lines = [p.stdout.readline() for _ in range(5)]
                p.send_signal(signal.SIGTERM)
                self.assertEqual(p.wait(5), 0)
        self.assertEqual(lines[0], f"Invoker is ready: {t.path}\n")
        self.assertRegex(lines[2], r"^SERVICE +URL +RUNS AS +UPSTREAM$")
        self.assertRegex(lines[3], r"^front +http://127\.0\.0\.1:\d+ +front-sa@my-project\.iam"
                                   r"\.gserviceaccount\.com +127\.0\.0\.1:\d+$")


class Output(unittest.TestCase):
    def test_each_line_of_a_service_names_it(self):
        with Topology(two_services()) as t, Up(t, "--log-format", "json") as up:
            up.ready()
            for wanted in ("hello", "to stderr"):
                entry = json.loads(up.wait_for_line(f'"{wanted}"'))
                self.assertEqual((entry["process"], entry["message"]), ("back", wanted))
            entry = json.loads(up.wait_for_line('"jsonPayload"'))
            self.assertEqual((entry["process"], entry["jsonPayload"]),
                             ("back", {"severity": "INFO", "n": 1}))

    def test_text_lines_too(self):
        with Topology(two_services()) as t, Up(t, "--log-format", "text") as up:
            up.ready()
            self.assertEqual(up.wait_for_line("hello"), "back | hello")

    def test_every_log_entry_names_its_process(self):
        with Topology(two_services()) as t, Up(t, "--log-format", "json") as up:
            up.ready()
            self.assertEqual(up.stop(), 0)
            entries = [json.loads(line) for line in up.err.all()]
            self.assertLessEqual({e["process"] for e in entries},
                                 {"up", "metadata", "gateway", "front", "back"})

    def test_a_log_file_takes_everything(self):
        with Topology(two_services()) as t:
            path = t.dir / "log"
            with Up(t, "--log-format", "text", "--log-file", str(path)) as up:
                up.ready()
                self.assertEqual(up.stop(), 0)
                self.assertEqual(up.err.all(), [])
            self.assertIn("back | hello\n", path.read_text(encoding="utf-8"))
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_nobody_reading_the_log_does_not_keep_it_from_stopping(self):
        chatty = service("import threading\n"
                         "def chat():\n while True: print('x' * 1000, flush=True)\n"
                         "threading.Thread(target=chat, daemon=True).start()")
        with Topology(topology({"front": {"command": chatty}})) as t:
            with subprocess.Popen(
                    [binary(), "up", "--json", "--ephemeral-ports", "-c", str(t.path), "--keys",
                     str(t.keys)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    stdin=subprocess.DEVNULL) as p:
                p.stdout.readline()
                children = descendants(p.pid)
                p.send_signal(signal.SIGTERM)
                self.assertEqual(p.wait(5), 0)
                wait_gone(children)


class Stopping(unittest.TestCase):
    # A grandchild in the same group, and one in a session of its own, both deaf to SIGTERM.
    STUBBORN = ("import signal, subprocess\n"
                "deaf = ['python3', '-S', '-c', 'import signal,time\\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
                "print(\"deaf\", flush=True)\\ntime.sleep(600)']\n"
                "subprocess.Popen(deaf)\n"
                "subprocess.Popen(deaf, start_new_session=True)\n")

    def start(self, t, up):
        up.ready()
        wait_until(lambda: up.err.text().count("deaf") >= 2, what="two deaf processes")
        everybody = descendants(up.pid)
        self.assertGreaterEqual(len(everybody), 6)
        return everybody

    def stops(self, signo):
        with Topology(topology({"front": {"command": service(self.STUBBORN)}})) as t, \
                Up(t) as up:
            everybody = self.start(t, up)
            # It promises a second; the rest is room for a busy machine.
            self.assertEqual(up.stop(signo=signo, timeout=3), 0)
            self.assertEqual(alive(everybody), set())

    def test_sigterm_leaves_no_orphan(self):
        self.stops(signal.SIGTERM)

    def test_sigint_leaves_no_orphan(self):
        self.stops(signal.SIGINT)

    def test_sigkill_leaves_no_orphan_and_no_folder(self):
        with Topology(topology({"front": {"command": service(
                self.STUBBORN.replace("subprocess.Popen(deaf, start_new_session=True)",
                                      "subprocess.Popen(deaf)"))}})) as t, \
                Up(t, env={"TMPDIR": str(t.dir), "XDG_RUNTIME_DIR": ""}) as up:
            everybody = self.start(t, up)
            self.assertEqual(len(list(t.dir.glob("invoker-*"))), 1)
            up.send_signal(signal.SIGKILL)
            wait_gone(everybody)
            self.assertEqual(list(t.dir.glob("invoker-*")), [])

    def test_closing_its_terminal_stops_it(self):
        with Topology(two_services()) as t:
            log = t.dir / "log"
            pid, terminal = pty.fork()
            if pid == 0:
                os.execv(binary(), ["invoker", "up", "--ephemeral-ports", "-c", str(t.path),
                                    "--keys", str(t.keys), "--log-file", str(log)])
            shown = b""
            while b"Ctrl-C stops everything" not in shown:
                shown += os.read(terminal, 65536)
            everybody = descendants(pid)
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            self.assertEqual(alive(everybody), set())

    def test_the_private_folder_is_removed(self):
        with Topology(two_services()) as t, \
                Up(t, env={"TMPDIR": str(t.dir), "XDG_RUNTIME_DIR": ""}) as up:
            up.ready()
            folder, = t.dir.glob("invoker-*")
            self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
            self.assertEqual(up.stop(), 0)
            self.assertFalse(folder.exists())

    def test_a_signal_before_it_is_ready_stops_it_too(self):
        never = python("import time; print('here', flush=True); time.sleep(600)")
        with Topology(topology({"front": {"command": never}})) as t, Up(t) as up:
            up.wait_for_line("here")
            everybody = descendants(up.pid)
            self.assertEqual(up.stop(), 0)
            self.assertEqual(up.out.all(), [])
            self.assertEqual(alive(everybody), set())


class Restarting(unittest.TestCase):
    def killed(self, find, name):
        with Topology(two_services()) as t, Up(t) as up:
            info = up.ready()
            first = find(up, info)
            os.kill(first, signal.SIGKILL)
            up.wait_for_line(f"{name} was killed by SIGKILL")
            again = wait_until(lambda: find(up, info), what="a new process")
            self.assertNotEqual(again, first)
            url = info["services"]["front"]["url"]
            wait_until(lambda: answers(url), what="an answer of the service")
            self.assertEqual(up.stop(), 0)
            self.assertEqual(len(up.out.all()), 1)

    def test_a_killed_service_is_started_again(self):
        def find(_up, info):
            address = info["services"]["front"]["upstream"]
            return answers(address) and int(environment_of(address)["PID"])
        self.killed(find, "front")

    def test_a_killed_gateway_is_started_again(self):
        self.killed(lambda up, info: up.child("gateway"), "gateway")

    def test_a_killed_metadata_server_is_started_again(self):
        self.killed(lambda up, info: up.child("metadata"), "metadata")

    def test_a_service_that_ends_is_started_again_and_the_message_says_why(self):
        once = ("import sys, threading\n"
                "if not os.path.exists('{0}'):\n"
                " open('{0}', 'w').close()\n"
                " threading.Timer(1.0, lambda: os._exit(3)).start()\n")
        with Topology({}) as t:
            t.write(topology({"front": {"command": service(once.format(t.dir / "mark"))}}))
            with Up(t) as up:
                info = up.ready()
                up.wait_for_line("front exited with status 3")
                up.wait_for_line("answers again")
                self.assertEqual(environment_of(info["services"]["front"]["upstream"])["K_SERVICE"],
                                 "front")


def answers(address):
    try:
        return http("GET", address).status == 200
    except (OSError, Closed):
        return False


class StartupFailures(unittest.TestCase):
    def fails(self, content, *wanted, args=(), status=1, timeout=20):
        with Topology(content) as t, Up(t, *args) as up:
            self.assertEqual(up.wait(timeout), status)
            self.assertEqual(up.out.all(), [])
            for text in wanted:
                self.assertIn(text, up.err.text())
            return up.err.text()

    def test_a_command_that_is_not_there(self):
        self.fails(topology({"front": {"command": ["no-such-program-here"]}}),
                   "cannot run no-such-program-here", "No such file or directory", "giving up")

    def test_a_service_that_dies_again_and_again(self):
        err = self.fails(topology({"front": {"command": python("raise SystemExit(7)")}}),
                         "front exited with status 7", "giving up")
        self.assertEqual(err.count("front exited with status 7"), 5)

    def test_a_service_that_never_listens(self):
        self.fails(topology({"front": {"command": python("import time; time.sleep(600)")}}),
                   "not ready in time", args=("--ready-timeout", "1"))

    def test_keys_that_cannot_be_made(self):
        with Topology(two_services()) as t:
            (t.dir / "file").write_text("", encoding="ascii")
            t.keys = t.dir / "file" / "keys"
            with Up(t) as up:
                self.assertEqual(up.wait(20), 1)
                self.assertIn("file/keys", up.err.text())
                self.assertIn("giving up", up.err.text())

    def test_a_broken_topology_is_told_with_its_places(self):
        with Topology("project: { id: p-one-two, number: 1\n") as t, Up(t) as up:
            self.assertEqual(up.wait(), 2)
            self.assertRegex(up.err.text(), r"topology\.yaml:\d+:\d+: ")
            self.assertEqual(up.out.all(), [])
        content = topology({"front": {"service_account": "frnt-sa", "colour": "red"}})
        err = self.fails(content, "frnt-sa", "colour", status=2)
        self.assertGreaterEqual(err.count("topology.yaml:"), 2)

    def test_busy_ports_are_all_told_with_the_key_to_change(self):
        with Topology({}) as t:
            t.shared()
            ports = {kind: t.address("-", kind) for kind in ("ingress", "metadata", "control")}
            front = t.ephemeral("front", "listen", "metadata", "upstream")
            own = {kind: t.address("front", kind) for kind in ("listen", "metadata", "upstream")}
            own["upstream"] = "http://" + front
            t.write(topology({"front": {**own, "command": service()}}, listen=ports))
            with Up(t, ephemeral=False) as up:
                self.assertEqual(up.wait(), 1)
                err = up.err.text()
            for key in ("listen.ingress", "listen.metadata", "listen.control",
                        "services.front.listen", "services.front.metadata",
                        "services.front.upstream"):
                self.assertRegex(err, rf"127\.0\.0\.1:\d+ is in use by another process; change "
                                      rf"{key} \(.*topology\.yaml.*\) or use --ephemeral-ports")


class Command(unittest.TestCase):
    def test_it_finds_the_addresses_in_its_environment(self):
        show = python("import json, os; print(json.dumps(dict(os.environ)))")
        with Topology({"project": PROJECT["project"], "region": "us-central1",
                       "services": {"back-end": {"command": service()}}}) as t, \
                Up(t, command=show) as up:
            self.assertEqual(up.wait(20), 0)
            info, env = map(json.loads, up.out.all())
            self.assertEqual(env["BACK_END_URL"], info["services"]["back-end"]["url"])
            self.assertEqual(env["INVOKER_CONTROL"], info["control"])
            self.assertEqual(env["INVOKER_INGRESS"], info["ingress"])
            self.assertEqual(env["INVOKER_METADATA"], info["metadata"])
            self.assertEqual(env["INVOKER_CONFIG"], os.path.realpath(t.path))

    def test_its_status_is_ours(self):
        for code, status in (("raise SystemExit(0)", 0), ("raise SystemExit(42)", 42),
                             ("import os; os.kill(os.getpid(), 9)", 128 + 9)):
            with self.subTest(code), Topology(two_services()) as t, \
                    Up(t, command=python(code)) as up:
                self.assertEqual(up.wait(20), status)

    def test_one_that_cannot_run_is_127(self):
        with Topology(two_services()) as t, Up(t, command=["no-such-program-here"]) as up:
            self.assertEqual(up.wait(20), 127)
            self.assertIn("cannot run no-such-program-here", up.err.text())

    def test_it_is_told_of_a_signal_and_everything_stops(self):
        polite = python("import signal, sys, time\n"
                        "signal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
                        "print('waiting', flush=True)\ntime.sleep(600)")
        with Topology(two_services()) as t, Up(t, command=polite) as up:
            up.out.wait_for("waiting")
            everybody = descendants(up.pid)
            self.assertEqual(up.stop(signo=signal.SIGINT), 5)
            self.assertEqual(alive(everybody), set())

    def test_what_it_leaves_behind_is_stopped(self):
        leaves = python("import subprocess\nprint(subprocess.Popen(['sleep', '600'],"
                        " start_new_session=True).pid, flush=True)")
        with Topology(two_services()) as t, Up(t, command=leaves) as up:
            self.assertEqual(up.wait(20), 0)
            self.assertEqual(alive({int(up.out.all()[1])}), set())


if __name__ == "__main__":
    unittest.main()
