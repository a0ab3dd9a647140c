"""`invoker up` follows the topology file."""

import json
import signal
import unittest

from tests.lib.harness import Closed, Topology, http, wait_until
from tests.lib.up import Up, alive, service


def topology(services, **more):
    return {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1",
            "services": services, "matrix": {"allUsers": list(services)}, **more}


def one(env=None):
    return {"command": service(), "env": env or {"COLOUR": "red"}}


def by_name(info, name):
    """What the service's process says its environment is, asked through the gateway by name."""
    try:
        response = http("GET", f"http://{info['ingress']}/", [("Host", f"{name}.localhost")])
    except (OSError, Closed):
        return None
    return json.loads(response.body) if response.status == 200 else None


class Following(unittest.TestCase):
    def test_a_new_service_is_started_and_reachable(self):
        with Topology(topology({"front": one()})) as t, Up(t) as up:
            info = up.ready()
            before = by_name(info, "front")["PID"]
            t.write(topology({"front": one(), "added": one({"PEER": "${front.url}"})}))
            added = wait_until(lambda: by_name(info, "added"), what="an answer of the new service")
            self.assertEqual(added["K_SERVICE"], "added")
            self.assertEqual(added["PEER"], info["services"]["front"]["url"])
            self.assertEqual(http("GET", f"http://{added['GCE_METADATA_HOST']}/").status, 200)
            self.assertEqual(by_name(info, "front")["PID"], before)
            self.assertEqual(up.stop(), 0)
            self.assertEqual(len(up.out.all()), 1)

    def test_a_removed_service_is_stopped(self):
        with Topology(topology({"front": one(), "gone": one()})) as t, Up(t) as up:
            info = up.ready()
            pid = int(by_name(info, "gone")["PID"])
            t.write(topology({"front": one()}))
            wait_until(lambda: not alive({pid}), what="end of the removed service")
            self.assertEqual(by_name(info, "front")["K_SERVICE"], "front")

    def test_only_a_changed_service_is_started_again(self):
        with Topology(topology({"front": one(), "other": one()})) as t, Up(t) as up:
            info = up.ready()
            front, other = (by_name(info, name)["PID"] for name in ("front", "other"))
            t.write(topology({"front": one({"COLOUR": "blue"}), "other": one()}))
            wait_until(lambda: (by_name(info, "front") or {}).get("COLOUR") == "blue",
                       what="the new environment")
            self.assertNotEqual(by_name(info, "front")["PID"], front)
            self.assertEqual(by_name(info, "other")["PID"], other)

    def test_a_changed_matrix_restarts_nothing(self):
        with Topology(topology({"front": one()})) as t, Up(t) as up:
            info = up.ready()
            before = by_name(info, "front")["PID"]
            t.write({**topology({"front": one()}), "matrix": {}})
            url = f"http://{info['ingress']}/"
            host = [("Host", "front.localhost")]
            wait_until(lambda: http("GET", url, host).status == 403, what="a refusal")
            t.write(topology({"front": one()}))
            wait_until(lambda: http("GET", url, host).status == 200, what="an answer")
            self.assertEqual(by_name(info, "front")["PID"], before)

    def test_an_invalid_file_changes_nothing_and_is_told(self):
        with Topology(topology({"front": one()})) as t, Up(t, "--log-format", "json") as up:
            info = up.ready()
            before = by_name(info, "front")
            t.write(topology({"front": {**one(), "colour": "red"}, "new": one()}))
            entry = json.loads(up.wait_for_line("colour"))
            self.assertEqual((entry["process"], entry["severity"]), ("up", "ERROR"))
            self.assertIn("line", entry)
            up.wait_for_line("last good one stays")
            self.assertEqual(by_name(info, "front"), before)
            self.assertIsNone(by_name(info, "new"))
            t.write(topology({"front": one(), "new": one()}))
            wait_until(lambda: by_name(info, "new"), what="an answer after it was mended")

    def test_sighup_reads_the_file_again(self):
        with Topology(topology({"front": one()})) as t, Up(t, "--log-format", "json") as up:
            info = up.ready()
            before = by_name(info, "front")["PID"]
            up.send_signal(signal.SIGHUP)
            for name in ("up", "metadata", "gateway"):
                up.wait_for_line(lambda line, name=name: f'"process":"{name}"' in line
                                 and "topology reloaded" in line)
            self.assertEqual(by_name(info, "front")["PID"], before)

    def test_a_busy_port_leaves_everything_as_it_was(self):
        any_port = {"listen": "127.0.0.1:0", "metadata": "127.0.0.1:0"}
        shared = {"ingress": "127.0.0.1:0", "metadata": "127.0.0.1:0", "control": "127.0.0.1:0"}
        content = topology({"front": {**one(), **any_port}}, listen=shared)
        with Topology(content) as t, Up(t, ephemeral=False) as up:
            info = up.ready()
            before = by_name(info, "front")
            busy = t.ports.address()
            t.write(topology({"front": {**one(), **any_port},
                              "new": {"listen": busy, "metadata": "127.0.0.1:0"}}, listen=shared))
            up.wait_for_line(f"{busy} is in use by another process; change services.new.listen")
            up.wait_for_line("what ran goes on running")
            self.assertEqual(by_name(info, "front"), before)
            self.assertEqual(up.stop(), 0)


if __name__ == "__main__":
    unittest.main()
