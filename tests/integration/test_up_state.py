"""`invoker up` runs what is deployed through the gateway's APIs, and remembers it where asked to."""

import json
import os
import signal
import socket
import tempfile
import unittest
from types import SimpleNamespace

from tests.lib.api import Api as Google, login
from tests.lib.cloudrun import IMAGE, LOCATION, SPACE, Api, deploy, put
from tests.lib.harness import Process, Topology, http, run, wait_until
from tests.lib.up import Up, alive, python, service, wait_gone

PLAIN = "gcr.io/my-project/plain"  # no command is known for it
BROKEN = "gcr.io/my-project/broken"
COMMAND = "spec/template/spec/containers/0/image"


def topology(services=None, **more):
    services = services if services is not None else {"front": {"command": service()}}
    return {"project": {"id": "my-project", "number": 123456789012}, "region": "us-central1",
            "service_accounts": {"frontend-sa": {}}, "services": services,
            "images": {IMAGE: service(), BROKEN: python("raise SystemExit(3)")},
            "matrix": {"allUsers": list(services)}, **more}


def api_of(info):
    control = info["control"].removeprefix("http://")
    return Api(control, login(control))


def publish(api, name, **more):
    """Deploys for everybody; the URL's path to it by the ingress is its name."""
    made = api.create(name, **more)
    api.grant(name, "roles/run.invoker", "allUsers")
    return made


def by_name(info, name):
    """The answer of the service at the shared ingress."""
    return http("GET", f"http://{info['ingress']}/", [("Host", f"{name}.localhost")])


def environment(info, name):
    """What its process says its environment is; it has to answer at once."""
    response = by_name(info, name)
    assert response.status == 200, (response.status, response.text)
    return json.loads(response.text)


def environment_or_empty(info, name):
    try:
        response = by_name(info, name)
    except OSError:
        return {}
    return json.loads(response.text) if response.status == 200 else {}


def answers(address):
    try:
        return http("GET", f"http://{address}/").status == 200
    except OSError:
        return False


def wait_for_colour(info, name, colour):
    def find():
        env = environment_or_empty(info, name)
        return env if env.get("COLOUR") == colour else None
    return wait_until(find, what=f"{name} in {colour}")


def status(info):
    return json.loads(http("GET", info["control"] + "/invoker/v1/status").text)


class Deployed(unittest.TestCase):
    def setUp(self):
        self.topology = Topology(topology())
        self.addCleanup(self.topology.close)

    def up(self, *args, **more):
        up = Up(self.topology, *args, **more)
        self.addCleanup(up.kill)
        up.ready()
        return up

    def test_the_first_request_waits_until_a_new_service_has_started(self):
        up = self.up()
        publish(api_of(up.info), "shop", env={"COLOUR": "red"})
        env = environment(up.info, "shop")
        about = status(up.info)["services"]["shop"]
        self.assertEqual(env["COLOUR"], "red")
        self.assertEqual(env["PORT"], about["upstream"].rpartition(":")[2])
        self.assertEqual((env["K_SERVICE"], env["K_CONFIGURATION"]), ("shop", "shop"))
        self.assertRegex(env["K_REVISION"], r"^shop-00001-[a-z0-9]{3}$")
        self.assertEqual(env["GCE_METADATA_HOST"], about["metadata"])
        who = http("GET", f"http://{about['metadata']}/computeMetadata/v1/instance/"
                          "service-accounts/default/email", [("Metadata-Flavor", "Google")])
        self.assertEqual(who.text, "frontend-sa@my-project.iam.gserviceaccount.com")
        self.assertEqual(http("GET", f"http://{about['listen']}/").status, 200)

    def test_nothing_else_is_disturbed(self):
        up = self.up()
        front = environment(up.info, "front")["PID"]
        daemons = {up.child("gateway"), up.child("metadata")}
        publish(api_of(up.info), "shop")
        environment(up.info, "shop")
        self.assertEqual(environment(up.info, "front")["PID"], front)
        self.assertEqual({up.child("gateway"), up.child("metadata")}, daemons)
        self.assertEqual(len(up.out.all()), 1)

    def test_an_update_restarts_it_with_the_new_revision(self):
        up = self.up()
        api = api_of(up.info)
        publish(api, "shop", env={"COLOUR": "red"})
        before = environment(up.info, "shop")
        api.update("shop", "spec/template/spec/containers/0/env",
                   [{"name": "COLOUR", "value": "green"}])
        now = wait_for_colour(up.info, "shop", "green")
        self.assertNotEqual(now["PID"], before["PID"])
        self.assertRegex(now["K_REVISION"], r"^shop-00002-")
        self.assertEqual(now["PORT"], before["PORT"])
        wait_gone({int(before["PID"])})

    def test_who_may_call_it_does_not_restart_it(self):
        up = self.up()
        api = api_of(up.info)
        publish(api, "shop")
        before = environment(up.info, "shop")
        api.grant("shop", "roles/run.invoker", "user:alice@example.com")
        api.update("shop", ["metadata", "annotations", "run.googleapis.com/ingress"], "internal")
        wait_until(lambda: by_name(up.info, "shop").status, what="an answer")
        self.assertTrue(alive({int(before["PID"])}))

    def test_a_deleted_service_is_stopped(self):
        up = self.up()
        api = api_of(up.info)
        publish(api, "shop")
        pid = int(environment(up.info, "shop")["PID"])
        api.ok("DELETE", f"{SPACE}/services/shop?alt=json")
        wait_gone({pid})
        self.assertEqual(by_name(up.info, "shop").status, 404)
        self.assertTrue(alive({up.pid, up.child("gateway")}))

    def test_a_service_of_the_file_can_be_deleted_too(self):
        up = self.up()
        pid = int(environment(up.info, "front")["PID"])
        api_of(up.info).ok("DELETE", f"{SPACE}/services/front?alt=json")
        wait_gone({pid})
        self.assertEqual(by_name(up.info, "front").status, 404)

    def test_a_change_of_the_file_leaves_what_was_deployed(self):
        up = self.up()
        publish(api_of(up.info), "shop")
        pid = environment(up.info, "shop")["PID"]
        self.topology.write(topology({"front": {"command": service()},
                                      "added": {"command": service()}}))
        added = wait_until(lambda: environment_or_empty(up.info, "added"), what="the added one")
        self.assertEqual(added["K_SERVICE"], "added")
        self.assertEqual(environment(up.info, "shop")["PID"], pid)

    def test_killed_daemons_know_it_again(self):
        up = self.up()
        publish(api_of(up.info), "shop")
        before = environment(up.info, "shop")
        for name in ("gateway", "metadata"):
            os.kill(up.child(name), signal.SIGKILL)
            up.err.wait_for(f"{name} was killed")
        env = wait_until(lambda: environment_or_empty(up.info, "shop"), what="the next gateway")
        self.assertEqual(env["PID"], before["PID"])
        wait_until(lambda: answers(before["GCE_METADATA_HOST"]), what="its metadata server")

    def test_an_image_without_a_command_is_left_to_run(self):
        up = self.up()
        api = api_of(up.info)
        api.ok("POST", f"{SPACE}/services?alt=json", put(deploy("plain"), COMMAND, PLAIN))
        api.grant("plain", "roles/run.invoker", "allUsers")
        self.assertEqual(by_name(up.info, "plain").status, 503)
        api.update("plain", COMMAND, IMAGE)
        env = wait_until(lambda: environment_or_empty(up.info, "plain"), what="its start")
        self.assertRegex(env["K_REVISION"], r"^plain-00002-")

    def test_a_service_of_the_file_takes_what_is_deployed_over_it(self):
        up = self.up()
        api = api_of(up.info)
        before = environment(up.info, "front")
        api.update("front", "spec/template/spec/containers/0/env",
                   [{"name": "COLOUR", "value": "green"}])
        now = wait_for_colour(up.info, "front", "green")
        self.assertNotEqual(now["PID"], before["PID"])
        self.assertEqual(now["PORT"], before["PORT"])

    def test_a_service_of_the_file_without_a_process_gets_one(self):
        self.topology.write(topology({"front": {}}))
        up = self.up()
        self.assertEqual(by_name(up.info, "front").status, 503)
        api_of(up.info).update("front", COMMAND, IMAGE)
        env = wait_until(lambda: environment_or_empty(up.info, "front"), what="its start")
        self.assertEqual(env["PORT"],
                         status(up.info)["services"]["front"]["upstream"].rpartition(":")[2])

    def test_a_file_without_a_service_is_where_one_can_start(self):
        self.topology.write(topology({}))
        up = self.up()
        self.assertEqual(up.info["services"], {})
        publish(api_of(up.info), "shop")
        self.assertEqual(environment(up.info, "shop")["K_SERVICE"], "shop")


class Kept(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="invoker-test-state-")
        self.addCleanup(self.folder.cleanup)
        self.topology = Topology(topology())
        self.addCleanup(self.topology.close)

    def up(self, *args, **more):
        up = Up(self.topology, *args, **more)
        self.addCleanup(up.kill)
        return up

    def test_with_a_folder_the_next_run_has_it_all_on_the_same_addresses(self):
        state = os.path.join(self.folder.name, "deep", "state")
        one = self.up("--state", state)
        one.ready()
        self.assertEqual(one.info["state"], os.path.realpath(state))
        publish(api_of(one.info), "shop", env={"COLOUR": "red"})
        first = environment(one.info, "shop")
        about = status(one.info)["services"]["shop"]
        self.assertEqual(one.stop(), 0)
        wait_gone({int(first["PID"])})
        two = self.up("--state", state)
        two.ready()
        self.assertEqual(two.info["services"]["shop"]["url"], about["url"])
        again = environment(two.info, "shop")
        for key in ("PORT", "COLOUR", "K_REVISION", "GCE_METADATA_HOST"):
            self.assertEqual(again[key], first[key])
        self.assertNotIn("ephemeral", two.err.text())
        self.assertEqual(two.stop(), 0)

    def test_without_one_it_says_so_and_forgets(self):
        one = self.up(env={"XDG_RUNTIME_DIR": self.folder.name})
        one.ready()
        self.assertIsNone(one.info["state"])
        one.err.wait_for("this run is ephemeral")
        publish(api_of(one.info), "shop")
        environment(one.info, "shop")
        self.assertEqual(one.stop(), 0)
        self.assertEqual(os.listdir(self.folder.name), [])
        two = self.up()
        self.assertNotIn("shop", two.ready()["services"])

    def test_one_that_cannot_start_keeps_nobody_from_starting(self):
        one = self.up("--state", self.folder.name)
        one.ready()
        api = api_of(one.info)
        api.ok("POST", f"{SPACE}/services?alt=json", put(deploy("broken"), COMMAND, BROKEN))
        one.err.wait_for("broken exited with status 3")
        self.assertEqual(one.stop(), 0)
        two = self.up("--state", self.folder.name)
        two.ready()
        self.assertEqual(environment(two.info, "front")["K_SERVICE"], "front")
        self.assertEqual(two.stop(), 0)

    def test_an_address_that_is_taken_meanwhile_is_named(self):
        one = self.up("--state", self.folder.name)
        one.ready()
        publish(api_of(one.info), "shop")
        listen = status(one.info)["services"]["shop"]["listen"]
        self.assertEqual(one.stop(), 0)
        host, _, port = listen.rpartition(":")
        with socket.create_server((host, int(port))):
            two = self.up("--state", self.folder.name)
            self.assertEqual(two.popen.wait(10), 1)
        self.assertIn(f"{listen} is the listen address of shop, which an API made", two.err.text())

    def test_a_folder_that_is_in_use_is_named(self):
        one = self.up("--state", self.folder.name)
        one.ready()
        two = self.up("--state", self.folder.name)
        self.assertNotEqual(two.popen.wait(20), 0)
        two.err.join()
        self.assertIn("is in use by another gateway", two.err.text())
        self.assertEqual(environment(one.info, "front")["K_SERVICE"], "front")

    def test_a_state_that_is_none_is_refused(self):
        with open(os.path.join(self.folder.name, "state.json"), "w", encoding="utf-8") as f:
            f.write("{}")
        up = self.up("--state", self.folder.name)
        self.assertEqual(up.popen.wait(10), 1)
        self.assertIn("state.json: not a state of this program", up.err.text())
        self.assertEqual(up.out.all(), [])


class ByName(unittest.TestCase):
    """Commands know what the APIs made by asking the gateway."""

    @classmethod
    def setUpClass(cls):
        cls.topology = Topology(topology())
        cls.addClassCleanup(cls.topology.close)
        cls.up = Up(cls.topology)
        cls.addClassCleanup(cls.up.kill)
        cls.up.ready()
        api = api_of(cls.up.info)
        made = put(deploy("plain", env={"COLOUR": "red"}), COMMAND, PLAIN)
        api.ok("POST", f"{SPACE}/services?alt=json", made)
        api.grant("plain", "roles/run.invoker", "allUsers")
        cls.env = {"INVOKER_CONTROL": cls.up.info["control"]}
        cls.config = ["-c", str(cls.topology.path)]

    def test_run_attaches_a_process_with_its_environment(self):
        with Process("run", *self.config, "plain", "--", *service(), env=self.env) as container:
            container.wait_for_line("attached")
            env = environment(self.up.info, "plain")
            self.assertEqual((env["K_SERVICE"], env["COLOUR"]), ("plain", "red"))
            self.assertRegex(env["K_REVISION"], r"^plain-00001-")
            self.assertEqual(env["GCE_METADATA_HOST"],
                             status(self.up.info)["services"]["plain"]["metadata"])
            container.stop()
        self.assertEqual(by_name(self.up.info, "plain").status, 503)

    def test_env_prints_it(self):
        code, out, err = run("env", *self.config, "plain", env=self.env)
        self.assertEqual(code, 0, err)
        self.assertIn("K_SERVICE='plain'", out)
        self.assertIn("COLOUR='red'", out)

    def test_token_knows_an_account_that_was_created(self):
        api = Google(SimpleNamespace(control=self.up.info["control"].removeprefix("http://")))
        made = api.post("/v1/projects/my-project/serviceAccounts", {"accountId": "later-sa"})
        self.assertEqual(made[0], 200, made)
        code, out, err = run("token", *self.config, "--keys", self.topology.keys, "--as",
                             "later-sa", "--audience", "https://x.example", "-o", "json",
                             env=self.env)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["account"],
                         "later-sa@my-project.iam.gserviceaccount.com")

    def test_why_knows_what_was_deployed_and_granted(self):
        words = ["why", *self.config, "--anonymous", "--to"]
        code, out, err = run(*words, "plain", env=self.env)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("plain", out)
        api = api_of(self.up.info)
        self.addCleanup(api.grant, "front", "roles/run.invoker", "allUsers")
        where = f"{LOCATION}/services/front:setIamPolicy?alt=json"
        api.ok("POST", where, {"policy": {"bindings": [], "version": 3}}, region="")
        self.assertEqual(run(*words, "front")[0], 0)  # by the file
        control = self.up.info["control"].removeprefix("http://")
        self.assertEqual(run(*words, "front", "--control", control)[0], 1)

    def test_a_name_that_nobody_has_is_refused(self):
        for words in (["run", *self.config, "plainn", "--", "true"],
                      ["env", *self.config, "plainn"]):
            code, _, err = run(*words, env=self.env)
            self.assertEqual(code, 2)
            self.assertIn("no service 'plainn'", err)
            self.assertIn("did you mean 'plain'?", err)


if __name__ == "__main__":
    unittest.main()
