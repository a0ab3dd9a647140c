"""The file of decisions: gateway --record FILE."""

import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from tests.lib.gateway import NUMBER, PROJECT, REGION, Gateway, keys_dir
from tests.lib.process import binary, run, wait_until
from tests.lib.rawhttp import Client, Closed, http
from tests.lib.topology import Topology
from tests.lib.up import Up, service


class Recording(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="invoker-test-"))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.file = self.dir / "decisions.jsonl"

    def start(self, *options, start=True):
        self.g = Gateway({"open": {}, "private": {}}, {"allUsers": ["open"]},
                         ["--request-log", "off", "--record", str(self.file), *options],
                         start=start)
        self.addCleanup(self.g.close)
        return self.g

    def lines(self, *suffixes):
        """Every line is whole JSON, at any time."""
        text = "".join(self.dir.joinpath(self.file.name + s).read_text(encoding="utf-8")
                       for s in suffixes or [""])
        assert not text or text.endswith("\n"), text[-200:]
        return [json.loads(line) for line in text.splitlines()]

    def paths(self):
        return [line["path"] for line in self.lines()]

    def ask_many(self, count, threads=4, name="open", path="/"):
        def ask(thread):
            with Client(self.g.address(name)) as client:
                for i in range(count // threads):
                    client.request("GET", f"{path}{thread}-{i}")
                    client.read()
        askers = [threading.Thread(target=ask, args=(t,)) for t in range(threads)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        return sorted(f"{path}{t}-{i}" for t in range(threads) for i in range(count // threads))

    # ---- what stands there ----

    def test_a_decision_is_a_line_soon_after_and_for_its_owner_only(self):
        g = self.start()
        self.assertEqual(self.lines(), [])
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        begin = time.monotonic()
        g.get("private", "/a?secret=1")
        wait_until(self.lines, what="the line")
        self.assertLess(time.monotonic() - begin, 2)
        listed = json.loads(http("GET", f"http://{g.control}/invoker/v1/decisions").text)
        self.assertEqual(self.lines(), listed["decisions"])

    def test_nothing_is_lost_when_the_gateway_stops(self):
        g = self.start("--workers", "3")
        expected = self.ask_many(2000)
        self.assertEqual(g.process.stop(), 0)
        self.assertEqual(sorted(self.paths()), expected)
        self.assertNotIn("recorded", g.process.err.text())

    def test_another_run_appends(self):
        g = self.start()
        g.get("open", "/1")
        g.process.stop()
        g.start()
        g.get("open", "/2")
        g.process.stop()
        self.assertEqual(self.paths(), ["/1", "/2"])

    def test_without_the_option_nothing_is_written(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}) as g:
            g.get("open")
            g.process.stop()
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_up_records_over_a_crash_of_the_gateway(self):
        content = {"project": {"id": PROJECT, "number": int(NUMBER)}, "region": REGION,
                   "services": {"open": {"command": service()}}, "matrix": {"allUsers": ["open"]}}

        def ask(path):
            try:
                return http("GET", url + path).status == 200
            except (OSError, Closed):
                return False
        with Topology(content, keys_dir()) as t, Up(t, "--record", self.file) as up:
            info = up.ready()
            url = info["services"]["open"]["url"]
            wait_until(lambda: ask("/1"))
            wait_until(lambda: set(self.paths()) == {"/1"})
            status = json.loads(http("GET", f"{info['control']}/invoker/v1/status").text)
            os.kill(status["process"]["pid"], signal.SIGKILL)
            wait_until(lambda: ask("/2"), what="the gateway's successor")
            wait_until(lambda: set(self.paths()) == {"/1", "/2"})
            self.assertEqual(up.stop(), 0)

    # ---- how it is kept ----

    def test_a_full_file_is_kept_and_the_oldest_goes(self):
        g = self.start("--record-max", "64k", "--record-keep", "2")
        expected = self.ask_many(1200)
        g.process.stop()
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()),
                         [self.file.name + s for s in ("", ".1", ".2")])
        kept = [line["path"] for line in self.lines(".2", ".1", "")]
        for p in self.dir.iterdir():
            self.assertLessEqual(p.stat().st_size, 64 * 1024)
            self.assertEqual(stat.S_IMODE(p.stat().st_mode), 0o600)
        self.assertEqual(len(set(kept)), len(kept))
        self.assertLess(set(kept), set(expected))

    def test_none_is_lost_where_the_file_changes(self):
        g = self.start("--record-max", "64k", "--record-keep", "100")
        expected = self.ask_many(1200)
        g.process.stop()
        suffixes = [p.name.removeprefix(self.file.name) for p in self.dir.iterdir()]
        self.assertGreater(len(suffixes), 3)
        self.assertEqual(sorted(line["path"] for line in self.lines(*suffixes)), expected)

    def test_a_file_that_was_moved_away_begins_anew_at_sighup(self):
        g = self.start()
        g.get("open", "/1")
        wait_until(lambda: self.paths() == ["/1"])
        self.file.rename(self.dir / "away")
        g.process.popen.send_signal(signal.SIGHUP)
        wait_until(self.file.exists, what="a new file")
        g.get("open", "/2")
        wait_until(lambda: self.paths() == ["/2"])

    # ---- when it cannot be written ----

    def test_a_disk_that_is_full_is_told_once_and_the_gateway_goes_on(self):
        g = self.start()
        pid = g.process.pid
        g.get("open", "/1")
        wait_until(lambda: self.paths() == ["/1"])
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (self.file.stat().st_size + 100, hard))

        def told(message):
            return [e for e in g.log() if e["message"] == message]
        for i in range(3):
            self.assertEqual(g.get("open", f"/lost-{i}").status, 200)
            wait_until(lambda: told("decisions are not recorded"))
            time.sleep(0.1)  # a batch for each
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        g.get("open", "/2")
        wait_until(lambda: self.paths() == ["/1", "/2"])
        self.assertEqual(len(told("decisions are not recorded")), 1)
        self.assertIn(str(self.file), told("decisions are not recorded")[0]["error"])
        again = wait_until(lambda: told("decisions are recorded again"))
        self.assertEqual([e["lost"] for e in again], [3])

    def test_a_file_that_cannot_be_had_keeps_the_gateway_from_starting(self):
        self.start(start=False)
        for path, why in ((str(self.dir), "Is a directory"), ("/dev/null", "is no plain file"),
                          (str(self.dir / "no" / "such"), "No such file")):
            status, out, err = run("gateway", *self.g.topology.args(), "--record", path)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("--record: ", err)
            self.assertIn(path, err)
            self.assertIn(why, err)

    def test_two_gateways_do_not_share_a_file(self):
        self.start()
        with Gateway({"open": {}}, start=False) as other:
            status, _, err = run("gateway", *other.topology.args(), "--record", self.file)
        self.assertEqual(status, 1)
        self.assertIn(f"another process writes to {self.file}", err)

    def test_options_that_make_no_sense_are_refused(self):
        for options in (["--record-max", "1m"], ["--record-keep", "1"], ["--record", ""],
                        ["--record", "f", "--record-max", "63k"],
                        ["--record", "f", "--record-max", "2000g"],
                        ["--record", "f", "--record-max", "1x"],
                        ["--record", "f", "--record-max", "k"],
                        ["--record", "f", "--record-keep", "1001"],
                        ["--record", "f", "--record-keep", "-1"]):
            for command in ("gateway", "up"):
                p = subprocess.run([binary(), command, *options], cwd=self.dir, text=True,
                                   capture_output=True, check=False)
                self.assertEqual((p.returncode, p.stdout), (2, ""), options)
                self.assertIn("--record", p.stderr)


if __name__ == "__main__":
    unittest.main()
