"""POST /reset: one test's changes and recordings are gone before the next one begins."""

import json
import pathlib
import tempfile
import threading
import unittest

from tests.lib.api import ALICE, Api, login
from tests.lib.gateway import PROJECT, Gateway, email
from tests.lib.process import run, wait_until
from tests.lib.rawhttp import Client, http
from tests.lib.sse import Events
from tests.lib.upstream import Upstream, answer

JSON = {"Content-Type": "application/json"}
ACCOUNTS = f"/v1/projects/{PROJECT}/serviceAccounts"
POLICY = f"/v1/projects/{PROJECT}:setIamPolicy"
OTHER_MAY_INVOKE = {"policy": {"bindings": [
    {"role": "roles/run.invoker", "members": ["serviceAccount:" + email("other-sa")]}]}}


class ResetCase(unittest.TestCase):
    def start(self, *options, **more):
        self.g = Gateway({"open": {}, "private": {}},
                         {"allUsers": ["open"], "frontend-sa": ["private"]},
                         ["--workers", "3", *options], **more)
        self.addCleanup(self.g.close)

    def ask(self, path):
        r = http("GET", f"http://{self.g.control}{path}")
        self.assertEqual(r.status, 200, r.text)
        return json.loads(r.text)

    def post(self, headers=(), body=None, method="POST"):
        return http(method, f"http://{self.g.control}/reset", headers, body)

    def reset(self):
        r = self.post()
        self.assertEqual(r.status, 200, r.text)
        return json.loads(r.text)

    def total(self):
        return sum(c["count"] for c in self.ask("/invoker/v1/traffic")["cells"])

    def recorded(self):
        return (self.ask("/invoker/v1/decisions")["decisions"], self.total(),
                set(self.ask("/invoker/v1/status")["requests"].values()))

    def status(self, account):
        return self.g.get("private", "/", self.g.bearer(account=account, audience="private")).status


class Recordings(ResetCase):
    def test_what_was_recorded_is_forgotten_by_every_worker(self):
        self.start()
        for _ in range(30):
            self.g.get("private")
            self.g.get("open")
        wait_until(lambda: self.total() == 60, what="all that was sent")
        since = self.ask("/invoker/v1/traffic")["since"]
        self.assertEqual(self.reset(), {"reset": True, "changed": False, "services": 2})
        self.assertEqual(self.recorded(), ([], 0, {0}))
        self.assertGreater(self.ask("/invoker/v1/traffic")["since"], since)
        self.g.get("private")
        wait_until(lambda: self.total() == 1, what="what came afterwards")

    def test_containers_lines_are_forgotten(self):
        self.start()
        line = json.dumps({"stream": "stdout", "lines": [
            {"time": "2026-05-10T05:57:08.647307Z", "text": "hello"}]}).encode()
        r = http("POST", f"http://{self.g.control}/invoker/v1/services/open/logs", JSON, line)
        self.assertEqual(r.status, 200, r.text)

        def entries():
            r = http("POST", f"http://{self.g.control}/v2/entries:list",
                     {**JSON, "Authorization": "Bearer " + login(self.g.control)},
                     json.dumps({"resourceNames": [f"projects/{PROJECT}"]}).encode())
            self.assertEqual(r.status, 200, r.text)
            return json.loads(r.text).get("entries", [])
        self.assertEqual([e["textPayload"] for e in entries()], ["hello"])
        self.reset()
        self.assertEqual(entries(), [])

    def test_a_request_under_way_ends_as_it_began_and_is_not_recorded(self):
        self.start()
        go = threading.Event()
        self.addCleanup(go.set)

        def wait(_received):
            self.assertTrue(go.wait(10))
            return answer(200, b"at last")
        self.g.upstreams["private"].handle = wait
        bearer = self.g.bearer(audience="private")
        with Client(self.g.address("private")) as client:
            client.request("GET", "/slow", list(bearer.items()))
            self.g.upstreams["private"].wait_for(1)
            self.reset()
            go.set()
            self.assertEqual(client.read().body, b"at last")
        self.g.entry("/slow")  # the log is told
        self.assertEqual(self.recorded(), ([], 0, {0}))

    def test_followers_are_told_and_then_hear_only_of_what_came_afterwards(self):
        self.start()
        for _ in range(20):
            self.g.get("open", "/before")
        wait_until(lambda: self.total() == 20, what="all that was sent")
        with Events(self.g.control, "?backlog=20") as events:
            self.assertEqual(events.paths(20), ["/before"] * 20)
            for i in range(10):
                self.g.get("open", f"/soon-{i}")
            wait_until(lambda: self.total() == 30, what="all that was sent")
            self.reset()
            self.g.get("open", "/after")
            seen = []
            while not seen or seen[-1] != ("decision", "/after"):
                event = events.event()
                seen.append((event["event"], event["data"].get("path")))
            self.assertEqual([e for e in seen if not (e[1] or "").startswith("/soon-")],
                             [("reset", None), ("decision", "/after")])
            self.assertEqual(seen[-2], ("reset", None))

    def test_the_record_goes_on_as_if_nothing_had_been(self):
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder, "decisions.jsonl")
            self.start("--record", str(record))
            go = threading.Event()
            self.addCleanup(go.set)

            def answer_late(_received):
                go.wait(10)
                return answer(200)

            def recorded():
                return [json.loads(line)["path"] for line in record.read_text("utf-8").splitlines()]
            self.g.get("open", "/before")
            self.g.upstreams["open"].handle = answer_late
            with Client(self.g.address("open")) as client:
                client.request("GET", "/late")
                self.g.upstreams["open"].wait_for(2)
                self.reset()
                go.set()
                client.read()
            self.g.get("private", "/after")
            wait_until(lambda: sorted(recorded()) == ["/after", "/before", "/late"],
                       what="all three")
            wait_until(lambda: [d["path"] for d in self.recorded()[0]] == ["/after"],
                       what="the last one")

    def test_what_is_attached_stays(self):
        self.start()
        with Upstream() as other:
            r = http("PUT", f"http://{self.g.control}/invoker/v1/services/open/upstream", JSON,
                     json.dumps({"address": other.address}).encode())
            self.assertEqual(r.status, 200, r.text)
            self.reset()
            self.assertEqual(self.g.get("open", "/here").status, 200)
            self.assertEqual(other.last.target, "/here")

    def test_tokens_stay_valid(self):
        self.start()
        bearer = self.g.bearer(audience="private")
        api = Api(self.g)
        self.assertEqual(self.g.get("private", "/", bearer).status, 200)
        self.reset()
        self.assertEqual(self.g.get("private", "/", bearer).status, 200)
        self.assertEqual(api.get(ACCOUNTS)[0], 200)


class Changes(ResetCase):
    def test_changes_of_the_apis_are_undone_in_memory(self):
        self.start()
        api = Api(self.g)
        self.assertEqual(self.status("other-sa"), 403)
        self.assertEqual(api.post(POLICY, OTHER_MAY_INVOKE)[0], 200)
        self.assertEqual(self.status("other-sa"), 200)
        self.assertIs(self.reset()["changed"], True)
        self.assertEqual(self.status("other-sa"), 403)
        self.assertIs(self.reset()["changed"], False)

    def test_both_processes_and_the_folder_go_back_to_what_was_there_at_the_start(self):
        self.start(state=True)
        api = Api(self.g)
        self.assertEqual(api.post(ACCOUNTS, {"accountId": "early-sa"})[0], 200)
        self.g.process.stop()
        self.g.start()
        api = Api(self.g)
        self.assertEqual(api.post(ACCOUNTS, {"accountId": "late-sa"})[0], 200)
        self.assertEqual(api.post(POLICY, {"policy": {"bindings": [
            *OTHER_MAY_INVOKE["policy"]["bindings"],
            {"role": "roles/iam.serviceAccountTokenCreator", "members": ["user:" + ALICE]}]}})[0],
                         200)
        self.assertEqual((self.mint("early-sa"), self.mint("late-sa")), (200, 200))
        self.assertIs(self.reset()["changed"], True)
        self.assertEqual((self.mint("early-sa"), self.mint("late-sa")), (403, 404))
        self.g.process.kill()  # what was acknowledged is on the disk
        self.g.start()
        api = Api(self.g)
        self.assertEqual(api.get(f"{ACCOUNTS}/{email('early-sa')}")[0], 200)
        self.assertEqual(api.get(f"{ACCOUNTS}/{email('late-sa')}")[0], 404)
        self.assertEqual(self.status("other-sa"), 403)

    def mint(self, account):
        """What the metadata process answers to Alice, who wants to be that account."""
        return Api(self.g).post(f"/v1/projects/-/serviceAccounts/{email(account)}:generateIdToken",
                                {"audience": "https://a.example"})[0]

    def test_a_service_that_an_api_made_is_gone_with_its_listener(self):
        self.start(state=True)
        api = Api(self.g)
        service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service",
                   "metadata": {"name": "made", "namespace": PROJECT},
                   "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/a/b"}]}}}}
        made = api.post(f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}/services", service)
        self.assertEqual(made[0], 200, made[1])
        listen = self.ask("/invoker/v1/status")["services"]["made"]["listen"]
        self.assertEqual(http("GET", f"http://{listen}/").status, 403)
        self.assertEqual(self.reset(), {"reset": True, "changed": True, "services": 2})
        with self.assertRaises(OSError):
            http("GET", f"http://{listen}/")

    def test_what_was_edited_in_the_file_stays(self):
        self.start()
        self.g.content["matrix"]["other-sa"] = ["private"]
        self.g.topology.write(self.g.content)
        wait_until(lambda: self.status("other-sa") == 200, what="the reload")
        self.reset()
        self.assertEqual(self.status("other-sa"), 200)

    def test_nothing_propagates_any_more(self):
        self.start(state=True, emulation={"propagation_delay": "600s"})
        api = Api(self.g)
        self.assertEqual(api.post(POLICY, OTHER_MAY_INVOKE)[0], 200)
        self.assertEqual(self.status("other-sa"), 403)  # on its way
        self.reset()
        self.assertEqual(self.status("other-sa"), 403)
        self.assertEqual(self.status("frontend-sa"), 200)
        self.g.content["matrix"] = {"other-sa": ["private"]}
        self.g.topology.write(self.g.content)
        self.g.process.wait_for_line("topology reloaded")
        self.assertEqual((self.status("other-sa"), self.status("frontend-sa")), (403, 200))
        self.reset()
        self.assertEqual((self.status("other-sa"), self.status("frontend-sa")), (200, 403))


class Asking(ResetCase):
    def setUp(self):
        self.start()

    def assert_refused(self, r, code):
        self.assertEqual(r.status, code, r.text)
        self.assertEqual(json.loads(r.text)["error"]["code"], code)

    def test_only_post_resets(self):
        for method in ("GET", "PUT", "DELETE"):
            r = self.post(method=method)
            self.assert_refused(r, 405)
            self.assertEqual(r.header("Allow"), "POST")

    def test_a_web_page_of_another_origin_may_not(self):
        self.assert_refused(self.post({"Origin": "https://evil.example"}), 403)
        self.assert_refused(self.post({"Sec-Fetch-Site": "cross-site"}), 403)
        self.assert_refused(self.post({"Host": "evil.example"}), 403)
        self.assert_refused(self.post({"Content-Type": "application/x-www-form-urlencoded"}, b""),
                            415)
        self.assert_refused(self.post({"Content-Type": "text/plain"}, b"{}"), 415)

    def test_our_own_page_and_programs_may(self):
        self.assertEqual(self.post({"Origin": f"http://{self.g.control}",
                                    "Sec-Fetch-Site": "same-origin"}).status, 200)
        self.assertEqual(self.post(JSON, b"{}").status, 200)

    def test_the_command_does_it(self):
        self.g.get("open")
        wait_until(lambda: self.total() == 1, what="the request")
        self.assertEqual(run("reset", "--control", self.g.control), (
            0, "The topology is as it was loaded; nothing is recorded any more.", ""))
        self.assertEqual(self.total(), 0)
        self.assertEqual(run("reset", "-q", env={"INVOKER_CONTROL": self.g.control}), (0, "", ""))

    def test_the_command_says_when_nobody_answers(self):
        self.g.process.kill()
        status, out, err = run("reset", "--control", self.g.control)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("invoker reset: ", err)


class Load(ResetCase):
    def test_under_load_every_call_is_answered_as_ever_and_the_counts_are_exact_afterwards(self):
        self.start()
        good = self.g.bearer(audience="private")
        wrong = []
        stop = threading.Event()

        def load():
            while not stop.is_set():
                seen = (self.g.get("private", "/", good).status, self.g.get("private").status,
                        self.g.get("open").status)
                if seen != (200, 403, 200):
                    wrong.append(seen)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(60):
                self.reset()
                self.ask("/invoker/v1/traffic")
                self.ask("/invoker/v1/decisions")
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
        self.assertEqual(wrong, [])
        self.reset()
        self.assertEqual(self.recorded(), ([], 0, {0}))
        for _ in range(10):
            self.g.get("private")
        wait_until(lambda: self.total() == 10, what="what came afterwards")


if __name__ == "__main__":
    unittest.main()
