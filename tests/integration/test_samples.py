"""The four sample services for real: `invoker up`, the gateway in front of each, real tokens."""

import json
import os
import signal
import unittest

from tests.clients.support import Cloud, CloudTest
from tests.lib.harness import http, sample, wait_until

GRANT = "backend-sa:  [db-service]"


def data(answer, status=200):
    assert answer.status == status, (answer.status, answer.body)
    return json.loads(answer.body)


class Caller:
    """Calls a service as another one does, with a token of that one's metadata server."""

    def __init__(self, cloud, as_service, to_service):
        self.base = cloud.url(to_service)
        metadata = cloud.info["services"][as_service]["metadata"]
        path = f"instance/service-accounts/default/identity?audience={self.base}"
        token = http("GET", f"http://{metadata}/computeMetadata/v1/{path}",
                     [("Metadata-Flavor", "Google")])
        assert token.status == 200, token.body
        self.bearer = f"Bearer {token.body.decode()}"

    def __call__(self, method, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        return http(method, self.base + path, [("Authorization", self.bearer)], body)


class SamplesTest(CloudTest):
    def test_the_frontend_answers_the_combined_data_of_three_services(self):
        answer = http("GET", self.cloud.url("frontend") + "/api/data")
        self.assertEqual(answer.header("Content-Type"), "application/json")
        combined = data(answer)
        self.assertEqual(list(combined), ["source", "backend_data"])
        self.assertEqual(combined["source"], "frontend")
        self.assertEqual(combined["backend_data"]["source"], "backend-api")
        self.assertEqual(combined["backend_data"]["items"], [
            {"id": 1, "name": "Keyboard", "quantity": 12},
            {"id": 2, "name": "Monitor", "quantity": 4},
            {"id": 3, "name": "Headset", "quantity": 9}])

    def test_the_shared_ingress_reaches_the_frontend_by_name(self):
        answer = http("GET", f"http://{self.cloud.info['ingress']}/api/data",
                      [("Host", "frontend.localhost")])
        self.assertEqual(data(answer)["source"], "frontend")

    def test_the_page_asks_no_other_host_and_serves_both_colour_schemes(self):
        answer = http("GET", self.cloud.url("frontend") + "/")
        page = answer.body.decode()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.header("Content-Type"), "text/html; charset=utf-8")
        self.assertIn("prefers-color-scheme: dark", page)
        self.assertIn('href="/api/data"', page)
        self.assertNotRegex(page, r"https?://|src=|@import")

    def test_stealing_from_the_database_shows_the_403(self):
        stolen = data(http("GET", self.cloud.url("frontend") + "/api/steal"))
        self.assertEqual((stolen["status"], stolen["refused"]), (403, True))
        self.assertEqual(stolen["reason"], "Your client does not have permission to get URL "
                                           "/items from this server.")
        self.assertNotIn("Keyboard", json.dumps(stolen))

    def test_items_are_created_read_changed_and_deleted_through_the_backend(self):
        call = Caller(self.cloud, "frontend", "backend-api")
        made = data(call("POST", "/api/items", {"name": "Mouse", "quantity": 3}), 201)
        path = f"/api/items/{made['id']}"
        self.assertEqual(data(call("GET", path)), {"id": made["id"], "name": "Mouse",
                                                   "quantity": 3})
        changed = data(call("PUT", path, {"name": "Mouse – größer", "quantity": 4}))
        self.assertEqual(changed["name"], "Mouse – größer")
        self.assertEqual(call("DELETE", path).status, 204)
        self.assertEqual(data(call("GET", path), 404), {"error": "there is no such item"})

    def test_the_databases_own_refusals_come_through_as_they_are(self):
        call = Caller(self.cloud, "frontend", "backend-api")
        for method, path, body, status in (
                ("POST", "/api/items", {"name": ""}, 400), ("POST", "/api/items", {}, 400),
                ("POST", "/api/items", {"name": "x" * 201}, 400),
                ("POST", "/api/items", {"name": "x", "quantity": -1}, 400),
                ("POST", "/api/items", {"name": "x", "quantity": 1.5}, 400),
                ("PUT", "/api/items/999999", {"name": "x"}, 404),
                ("DELETE", "/api/items/999999", None, 404), ("GET", "/api/items/1x", None, 404),
                ("GET", "/api/items/..%2fx", None, 404), ("PATCH", "/api/items/1", {}, 405)):
            with self.subTest(method=method, path=path, body=body):
                self.assertIn("error", data(call(method, path, body), status))

    def test_a_user_logs_in_and_the_session_travels_beside_the_services_token(self):
        base = self.cloud.url("frontend")
        login = json.dumps({"username": "alice", "password": "wonderland"}).encode()
        session = data(http("POST", base + "/api/login", body=login))
        who = data(http("GET", base + "/api/session",
                        [("Authorization", f"Bearer {session['token']}")]))
        self.assertEqual(who["user"], "alice")
        self.assertEqual(who["asked_by"], "frontend-sa@my-project.iam.gserviceaccount.com")

    def test_a_wrong_password_a_foreign_session_and_none_are_401(self):
        base = self.cloud.url("frontend")
        for password in ("wonderlanD", "", "x" * 1000):
            login = json.dumps({"username": "alice", "password": password}).encode()
            self.assertEqual(data(http("POST", base + "/api/login", body=login), 401),
                             {"error": "wrong user name or password"})
        stranger = json.dumps({"username": "mallory", "password": "wonderland"}).encode()
        self.assertEqual(http("POST", base + "/api/login", body=stranger).status, 401)
        self.assertEqual(http("GET", base + "/api/session").status, 401)
        self.assertEqual(http("GET", base + "/api/session",
                              [("Authorization", "Bearer e30.AAAA")]).status, 401)

    def test_each_service_logs_the_caller_and_never_a_token(self):
        http("GET", self.cloud.url("frontend") + "/api/data")
        for service, message in (
                ("db-service", "GET /items 200 caller=backend-sa@my-project.iam."),
                ("backend-api", "GET /api/items 200 caller=frontend-sa@my-project.iam."),
                ("frontend", "GET /api/data 200 caller=anonymous")):
            with self.subTest(service=service):
                line = self.cloud.up.wait_for_line(message)
                self.assertEqual(json.loads(line)["process"], service)
        self.assertNotIn("eyJ", self.cloud.up.err.text())

    def test_the_public_frontend_believes_no_forged_caller(self):
        forged = "Bearer e30.eyJlbWFpbCI6ImJvc3NAZXhhbXBsZS5jb20ifQ.x"  # boss@example.com
        http("GET", self.cloud.url("frontend") + "/forged",
             [("X-Serverless-Authorization", forged)])
        self.cloud.up.wait_for_line("GET /forged 404 caller=anonymous")
        self.assertNotIn("boss@example.com", self.cloud.up.err.text())


class LifeTest(unittest.TestCase):
    """What needs a cloud of its own."""

    def setUp(self):
        self.cloud = Cloud()
        self.addCleanup(lambda: self.cloud.close())

    def data(self):
        return http("GET", self.cloud.url("frontend") + "/api/data")

    def test_a_refused_downstream_call_is_502_with_the_reason_until_it_is_granted_again(self):
        text = self.cloud.topology.path.read_text(encoding="utf-8")
        self.assertEqual(self.data().status, 200)
        self.cloud.topology.write(text.replace(GRANT, ""))
        refused = wait_until(lambda: (a := self.data()).status != 200 and a, what="reload")
        answer = data(refused, 502)
        self.assertEqual(answer["service"], "backend-api")
        self.assertEqual(answer["status"], 502)
        self.assertIn("db-service answered 403: Your client does not have permission to get URL "
                      "/items from this server.", answer["error"])
        self.cloud.up.wait_for_line("call to db-service failed")
        self.cloud.topology.write(text)
        wait_until(lambda: self.data().status == 200, what="second reload")

    def test_the_items_survive_a_restart(self):
        call = Caller(self.cloud, "frontend", "backend-api")
        made = data(call("POST", "/api/items", {"name": "Lamp", "quantity": 1}), 201)
        self.assertEqual(call("DELETE", "/api/items/1").status, 204)
        self.assertEqual(self.cloud.up.stop(), 0)
        self.cloud.start()
        items = data(self.data())["backend_data"]["items"]
        self.assertEqual([i["id"] for i in items], [2, 3, made["id"]])
        self.assertEqual(items[-1]["name"], "Lamp")

    def test_a_killed_database_comes_back_and_the_others_with_it(self):
        self.assertEqual(self.data().status, 200)
        killed = self.cloud.up.child(sample("db-service"))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: self.cloud.up.child(sample("db-service")) not in (None, killed), 20,
                   "another process")
        wait_until(lambda: self.data().status == 200, 20, "restart")


if __name__ == "__main__":
    unittest.main()
