"""`invoker run` and `invoker env`: being a service of a running topology."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from tests.lib.harness import Process, Topology, closed_port, http, run, wait_until
from tests.lib.up import Up, alive, descendants, python, service

NASTY = "a'b\"c $HOME `x` \\ \\n %PATH% \u2019 !x ; # end "


def topology():
    return {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1",
            "service_accounts": {"back-sa": {}},
            "services": {
                "back": {"service_account": "back-sa",
                         "env": {"FRONT": "${front.url}", "NASTY": NASTY}},
                "front": {}},
            "matrix": {"allUsers": ["back", "front"]}}


class Run(unittest.TestCase):
    def start(self, t, info, *command, args=()):
        return Process("run", *args, "-c", str(t.path), "back", "--", *command,
                       env={"INVOKER_CONTROL": info["control"]})

    def test_the_command_becomes_the_upstream_as_long_as_it_runs(self):
        with Topology(topology()) as t, Up(t) as up:
            info = up.ready()
            url = info["services"]["back"]["url"]
            self.assertEqual(http("GET", url).status, 503)
            with self.start(t, info, *service()) as container:
                container.wait_for_line("attached")
                env = json.loads(http("GET", url).body)
                self.assertEqual(env["K_SERVICE"], "back")
                self.assertEqual(env["GCE_METADATA_HOST"], info["services"]["back"]["metadata"])
                self.assertEqual(env["FRONT"], info["services"]["front"]["url"])
                self.assertEqual(env["NASTY"], NASTY)
                everybody = descendants(container.pid)
                self.assertEqual(container.stop(), 128 + signal.SIGTERM)
                self.assertEqual(alive(everybody), set())
            self.assertEqual(http("GET", url).status, 503)

    def test_it_stays_attached_through_a_reload_and_a_restart_of_the_gateway(self):
        with Topology(topology()) as t, Up(t) as up:
            info = up.ready()
            url = info["services"]["back"]["url"]
            with self.start(t, info, *service()) as container:
                container.wait_for_line("attached")
                t.write({**topology(), "matrix": {"allUsers": ["back"]}})
                wait_until(lambda: http("GET", info["services"]["front"]["url"]).status == 403,
                           what="the reload")
                self.assertEqual(http("GET", url).status, 200)
                os.kill(up.child("gateway"), signal.SIGKILL)
                container.wait_for_line("attached again")
                self.assertEqual(http("GET", url).status, 200)

    def test_its_status_is_ours(self):
        with Topology(topology()) as t, Up(t) as up:
            info = up.ready()
            for code, status in (("raise SystemExit(0)", 0), ("raise SystemExit(9)", 9),
                                 ("import os; os.kill(os.getpid(), 15)", 128 + 15)):
                with self.subTest(code), self.start(t, info, *python(code)) as container:
                    self.assertEqual(container.wait(), status)

    def test_signals_are_handed_on(self):
        # os.write: a handler that prints while print() runs is an error in Python.
        polite = python("import os, signal, sys, time\n"
                        "signal.signal(signal.SIGHUP, lambda *_: os.write(1, b'hup\\n'))\n"
                        "signal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
                        "print('waiting', flush=True)\nwhile True: time.sleep(600)")
        with Topology(topology()) as t, Up(t) as up:
            with self.start(t, up.ready(), *polite) as container:
                container.out.wait_for("waiting")
                container.send_signal(signal.SIGHUP)
                container.out.wait_for("hup")
                self.assertEqual(container.stop(signo=signal.SIGINT), 5)

    def test_a_chosen_port_is_used(self):
        port = closed_port()
        with Topology(topology()) as t, Up(t) as up:
            show = python("import os; print(os.environ['PORT'])")
            with self.start(t, up.ready(), *show, args=("--port", str(port))) as container:
                self.assertEqual(container.wait(), 0)
                self.assertEqual(container.out.text(), str(port))

    def test_what_it_leaves_behind_is_stopped(self):
        leaves = python("import subprocess\nprint(subprocess.Popen(['sleep', '600'],"
                        " start_new_session=True).pid, flush=True)")
        with Topology(topology()) as t, Up(t) as up:
            with self.start(t, up.ready(), *leaves) as container:
                self.assertEqual(container.wait(), 0)
                self.assertEqual(alive({int(container.out.text())}), set())

    def test_inside_up_it_needs_no_options(self):
        with Topology(topology()) as t:
            inner = [os.environ.get("INVOKER") or "build/invoker", "run", "back", "--",
                     *python("import os; print(os.environ['FRONT'], os.environ['FRONT_URL'])")]
            with Up(t, command=inner) as up:
                self.assertEqual(up.wait(20), 0)
                info, line = json.loads(up.out.all()[0]), up.out.all()[1]
                url = info["services"]["front"]["url"]
                self.assertEqual(line, f"{url} {url}")

    def test_without_a_gateway_it_says_so(self):
        with Topology(topology()) as t:
            status, out, err = run("run", "-c", str(t.path), "--control",
                                   f"127.0.0.1:{closed_port()}", "back", "--", "true")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("no gateway answers at 127.0.0.1:", err)
            self.assertIn("invoker up", err)

    def test_a_command_that_is_not_there(self):
        with Topology(topology()) as t, Up(t) as up:
            with self.start(t, up.ready(), "no-such-program-here") as container:
                self.assertEqual(container.wait(), 1)
                self.assertIn("cannot run no-such-program-here", container.err.text())

    def test_an_unknown_service_is_refused(self):
        with Topology(topology()) as t:
            status, _, err = run("run", "-c", str(t.path), "bcak", "--", "true")
            self.assertEqual(status, 2)
            self.assertIn("no service 'bcak'", err)
            self.assertIn("did you mean 'back'?", err)


class Env(unittest.TestCase):
    def show(self, *args, env=None):
        status, out, err = run("env", *args, env=env)
        self.assertEqual((status, err), (0, ""))
        return out

    def test_the_topologys_addresses(self):
        with Topology(topology()) as t:
            env = json.loads(self.show("-c", str(t.path), "back", "--shell", "json"))
            self.assertEqual(env["GCE_METADATA_HOST"], "127.0.0.1:8181")
            self.assertEqual(env["GCE_METADATA_IP"], env["GCE_METADATA_HOST"])
            self.assertEqual(env["GCE_METADATA_ROOT"], env["GCE_METADATA_HOST"])
            self.assertEqual(env["FRONT"], "http://127.0.0.1:8082")
            self.assertEqual(env["K_SERVICE"], "back")
            self.assertEqual(env["CLOUDSDK_CORE_PROJECT"], "my-project")
            self.assertEqual(env["CLOUDSDK_CORE_ACCOUNT"],
                             "back-sa@my-project.iam.gserviceaccount.com")
            self.assertIsNone(env["GOOGLE_APPLICATION_CREDENTIALS"])
            self.assertEqual(env["HTTPS_PROXY"], "http://127.0.0.1:8080")
            self.assertEqual(env["NO_PROXY"], env["no_proxy"])
            self.assertTrue(os.path.isabs(env["SSL_CERT_FILE"]))
            self.assertNotIn("PORT", env)

    def test_the_running_gateways_addresses_when_it_is_named(self):
        with Topology(topology()) as t, Up(t) as up:
            info = up.ready()
            for where in ({"env": {"INVOKER_CONTROL": info["control"]}},
                          {"args": ("--control", info["control"].removeprefix("http://"))}):
                env = json.loads(self.show("-c", str(t.path), "back", "--shell=json",
                                           *where.get("args", ()), env=where.get("env")))
                self.assertEqual(env["GCE_METADATA_HOST"], info["services"]["back"]["metadata"])
                self.assertEqual(env["FRONT"], info["services"]["front"]["url"])

    def evaluated(self, shell, statements):
        """What the shell's environment is after the statements, as JSON by python."""
        dump = 'python3 -S -E -c "import os, json; print(json.dumps(dict(os.environ)))"'
        given = {**os.environ, "GOOGLE_APPLICATION_CREDENTIALS": "/no/key.json"}
        done = subprocess.run([shell, "-c", f"{statements}\n{dump}"], env=given, check=True,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        return json.loads(done.stdout)

    def test_shells_take_exactly_the_values(self):
        with Topology(topology()) as t:
            wanted = json.loads(self.show("-c", str(t.path), "back", "--shell", "json"))
            self.assertIn("http_proxy", wanted)
            for shell, name in (("sh", "sh"), ("bash", "bash"), ("dash", "sh"), ("zsh", "zsh"),
                                ("fish", "fish"), ("pwsh", "powershell")):
                if not shutil.which(shell):
                    continue
                with self.subTest(shell):
                    env = self.evaluated(shell, self.show("-c", str(t.path), "back", "--shell",
                                                          name) + "\n")
                    for key, value in wanted.items():
                        self.assertEqual(env.get(key), value, key)

    def test_every_line_is_a_statement_or_a_comment_that_says_who_reads_it(self):
        with Topology(topology()) as t:
            lines = self.show("-c", str(t.path), "back").splitlines()
            for line in lines:
                self.assertRegex(line, r"^(# |export [A-Za-z_0-9]+='|unset [A-Z_]+$)")
            comment = lines[lines.index(next(x for x in lines if "GCE_METADATA_ROOT" in x)) - 1]
            self.assertIn("C++", comment)
            self.assertIn("gcloud", comment)
            self.assertIn("169.254.169.254:80", lines[-1])

    def test_cmd_exe_is_told_what_it_cannot_hold(self):
        with Topology(topology()) as t:
            status, out, err = run("env", "-c", str(t.path), "back", "--shell", "cmd")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("NASTY cannot be written for cmd.exe", err)
            lines = self.show("-c", str(t.path), "front", "--shell", "cmd").splitlines()
            self.assertIn('set "K_SERVICE=front"', lines)
            self.assertIn('set "GOOGLE_APPLICATION_CREDENTIALS="', lines)

    def test_unknown_words_are_refused(self):
        with Topology(topology()) as t:
            status, _, err = run("env", "-c", str(t.path), "bakc")
            self.assertEqual(status, 2)
            self.assertIn("did you mean 'back'?", err)
            status, _, err = run("env", "-c", str(t.path), "back", "--shell", "tcsh")
            self.assertEqual(status, 2)
            self.assertIn("--shell is sh, fish, powershell, cmd, dotenv or json, not 'tcsh'", err)


if __name__ == "__main__":
    unittest.main()
