"""The sample services alone: their limits, their settings, and their metadata client against a
metadata server and a called service that the test plays itself."""

import base64
import hashlib
import hmac
import json
import re
import socket
import string
import tempfile
import time
import unittest

from tests.lib.harness import Process, Upstream, answer, closed_port, http, sample, send_raw

FLAVOR = ("Metadata-Flavor", "Google")
PAGE = (b"\n<html><head>\n<title>401 Unauthorized</title>\n</head>\n<body>\n"
        b"<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the "
        b"requested URL <code>/items</code>.</h2>\n<h2></h2>\n</body></html>\n")


def segment(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")


def id_token(expires_in=3600, mark=0):
    claims = {"email": "backend-sa@my-project.iam.gserviceaccount.com", "mark": mark,
              "exp": int(time.time()) + expires_in}
    return b".".join([segment({"alg": "RS256"}), segment(claims), b"c2ln"])


def json_answer(content, status=200):
    return answer(status, json.dumps(content).encode(), [("Content-Type", "application/json")])


def token_answer(token, headers=(FLAVOR,)):
    return answer(200, token, [("Content-Type", "text/html"), *headers])


class Alone(unittest.TestCase):
    def start(self, name, **env):
        """The sample on a free port; returns (process, URL)."""
        process = self.launch(name, **env)
        line = process.out.wait_for("listening on")
        return process, f"http://127.0.0.1:{json.loads(line)['port']}"

    def launch(self, name, **env):
        process = Process(program=sample(name), env={"PORT": "0", **env})
        self.addCleanup(process.kill)
        return process

    def play(self, handle=None):
        upstream = Upstream(handle)
        self.addCleanup(upstream.close)
        return upstream

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="invoker-sample-")
        self.addCleanup(folder.cleanup)
        return folder.name


class MetadataClientTest(Alone):
    """backend-api between a played metadata server and a played db-service."""

    def setUp(self):
        self.metadata = self.play(lambda _: token_answer(id_token()))
        self.db = self.play(lambda _: json_answer({"items": []}))
        self.process, self.url = self.start("backend-api", GCE_METADATA_HOST=self.metadata.address,
                                            DB_URL=self.db.url + "/")

    def tearDown(self):
        self.assertEqual(self.process.stop(), 0, self.process.err.text())  # and nothing leaked

    def get(self):
        return http("GET", self.url + "/api/items")

    def refused(self, reason):
        refusal = self.get()
        self.assertEqual(refusal.status, 502, refusal.body)
        self.assertIn(reason, json.loads(refusal.body)["error"])

    def test_the_token_is_asked_as_the_libraries_ask_and_kept(self):
        self.assertEqual([self.get().status, self.get().status], [200, 200])
        self.assertEqual(len(self.metadata.requests), 1)
        asked = self.metadata.requests[0]
        audience = self.db.url.replace(":", "%3A").replace("/", "%2F")
        self.assertEqual(asked.target, "/computeMetadata/v1/instance/service-accounts/default/"
                                       f"identity?format=full&audience={audience}")
        self.assertEqual(asked.header("Metadata-Flavor"), "Google")
        self.assertEqual(asked.header("Host"), self.metadata.address)
        sent = self.db.requests[1]
        self.assertEqual(sent.header("Authorization").split(".")[1],
                         self.db.requests[0].header("Authorization").split(".")[1])
        self.assertTrue(sent.header("Authorization").startswith("Bearer ey"))
        self.assertEqual(sent.target, "/items")

    def test_a_token_that_is_about_to_expire_is_not_kept(self):
        self.metadata.handle = lambda _: token_answer(id_token(expires_in=299))
        self.assertEqual([self.get().status, self.get().status], [200, 200])
        self.assertEqual(len(self.metadata.requests), 2)

    def test_a_busy_metadata_server_is_asked_again(self):
        for status in (503, 429):
            self.metadata.reply(answer(status, b"later", [FLAVOR]))
        self.metadata.handle = None
        self.metadata.reply(token_answer(id_token()))
        self.assertEqual(self.get().status, 200)
        self.assertEqual(len(self.metadata.requests), 3)

    def test_a_refusing_metadata_server_is_502_with_its_words(self):
        self.metadata.handle = lambda _: answer(404, b"no such \xff account", [FLAVOR])
        self.refused("the metadata server answered 404: no such ? account")
        self.assertEqual(len(self.metadata.requests), 1)

    def test_something_else_at_the_metadata_servers_address_is_recognised(self):
        self.metadata.handle = lambda _: token_answer(id_token(), headers=())
        self.refused("Metadata-Flavor")
        self.assertEqual(self.db.requests, [])

    def test_an_answer_that_is_no_token_is_refused(self):
        for text in (b"", b"hello", b"a.b", b"a.b.c.d", b"e30.e30.e30", b"x" * 20000,
                     b"e30." + segment({"exp": "soon"}) + b".x"):
            with self.subTest(text=text[:40]):
                self.metadata.handle = lambda _, text=text: token_answer(text)
                self.assertEqual(self.get().status, 502)
        self.assertEqual(self.db.requests, [])

    def test_a_token_that_is_refused_as_unverifiable_is_replaced_once(self):
        marks = iter(range(100))
        self.metadata.handle = lambda _: token_answer(id_token(mark=next(marks)))
        page = answer(401, PAGE, [("Content-Type", "text/html"),
                                  ("WWW-Authenticate", 'Bearer error="invalid_token"')])
        self.db.handle = None
        self.db.reply(page)
        self.db.reply(json_answer({"items": []}))
        self.assertEqual(self.get().status, 200)
        self.assertEqual(len(self.metadata.requests), 2)
        for _ in range(2):
            self.db.reply(page)
        self.refused('permission to the requested URL /items. (WWW-Authenticate: Bearer '
                     'error="invalid_token")')

    def test_an_unreachable_or_broken_service_is_502_and_the_next_call_works(self):
        for bad in (None, b"rubbish\r\n\r\n", json_answer({"error": "disk full"}, 500),
                    answer(404, b"<h2>not here</h2>", [("Content-Type", "text/html")]),
                    answer(200, b"x" * (1024 * 1024 + 1), [("Content-Type", "application/json")]),
                    answer(302, b"", [("Location", "http://127.0.0.1:1/")])):
            with self.subTest(bad=bad and bad[:40]):
                self.db.handle = lambda _, bad=bad: bad
                self.assertEqual(self.get().status, 502)
        self.db.handle = lambda _: json_answer({"items": []})
        self.assertEqual(self.get().status, 200)

    def test_the_trace_is_passed_on(self):
        trace = "105445aa7843bc8bf206b12000100000/1;o=1"
        http("GET", self.url + "/api/items", [("X-Cloud-Trace-Context", trace)])
        self.assertEqual(self.db.requests[0].header("X-Cloud-Trace-Context"), trace)


class LimitsTest(Alone):
    def setUp(self):
        self.process, self.url = self.start("db-service", DB_PATH=self.folder() + "/items.db")
        self.address = self.url.removeprefix("http://")

    def status(self, method, path, body=None):
        return http(method, self.url + path, body=body).status

    def test_bad_bodies_are_400_and_large_ones_413(self):
        for body in (b"", b"{", b"[]", b"null", b'{"name":"a","name":"b"}', b'{"name":"a\xff"}',
                     b'{"name":"a\\u0000b"}', b'{"name":"a","price":1}', b'{"name":1}', b"[" * 5000):
            with self.subTest(body=body[:30]):
                self.assertEqual(self.status("POST", "/items", body), 400)
        self.assertEqual(self.status("POST", "/items", b"x" * 65537), 413)
        self.assertEqual(self.status("GET", "/items"), 200)

    def test_a_chunked_body_is_read_up_to_the_limit(self):
        def chunked(*parts):
            head = (b"POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                    b"Connection: close\r\n\r\n")
            return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in [*parts, b""])

        item = (b'{"name":', b'"Lamp"}')
        self.assertIn(b" 201 ", send_raw(self.address, chunked(*[b" " * 8192] * 7, *item)).splitlines()[0])
        self.assertIn(b" 413 ", send_raw(self.address, chunked(*[b" " * 8192] * 8, *item)).splitlines()[0])

    def test_an_unclear_length_is_400(self):
        said = send_raw(self.address, b"POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                                      b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        self.assertIn(b" 400 ", said.splitlines()[0])

    def test_garbage_and_half_requests_disturb_nobody(self):
        for data in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\0" * 100, b"GET /items HTTP/1.1\r\n",
                     b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n"):
            with self.subTest(data=data[:30]):
                send_raw(self.address, data, half_close=True)
                self.assertEqual(self.status("GET", "/items"), 200)

    def test_paths_are_strict(self):
        for path, status in (("/items/0", 404), ("/items/", 404), ("/items/1/2", 404),
                             ("/items/-1", 404), ("/items/99999999999999999999", 404),
                             ("/items%2F1", 404), ("/items/1%00", 404), ("/items?x=1", 200)):
            with self.subTest(path=path):
                self.assertEqual(self.status("GET", path), status)
        refused = http("DELETE", self.url + "/items")
        self.assertEqual((refused.status, refused.header("Allow")), (405, "GET, HEAD, POST"))

    def test_names_are_data_and_no_sql(self):
        name = "x'); DROP TABLE items; --"
        made = json.loads(http("POST", self.url + "/items",
                               body=json.dumps({"name": name}).encode()).body)
        self.assertEqual(json.loads(http("GET", f"{self.url}/items/{made['id']}").body)["name"],
                         name)

    def test_a_thousand_items_are_enough(self):
        for _ in range(997):
            self.assertEqual(self.status("POST", "/items", b'{"name":"a"}'), 201)
        self.assertEqual(self.status("POST", "/items", b'{"name":"a"}'), 409)
        self.assertEqual(self.status("DELETE", "/items/1"), 204)
        self.assertEqual(self.status("POST", "/items", b'{"name":"a"}'), 201)


class SettingsTest(Alone):
    def says(self, name, wanted, **env):
        process = self.launch(name, **env)
        self.assertEqual(process.wait(), 1)
        lines = [json.loads(line) for line in process.out.all()]
        self.assertEqual(lines[-1]["severity"], "ERROR")
        self.assertIn(wanted, lines[-1]["message"])

    def test_what_is_missing_or_wrong_is_named(self):
        db = self.folder() + "/items.db"
        self.says("frontend", "BACKEND_URL environment variable is required")
        self.says("frontend", "BACKEND_URL is \"backend\"; expected", BACKEND_URL="backend")
        self.says("frontend", "AUTH_URL is", BACKEND_URL="http://x", AUTH_URL="http://")
        self.says("db-service", "PORT is \"80x\"", PORT="80x", DB_PATH=db)
        self.says("db-service", "PORT is \"65536\"", PORT="65536", DB_PATH=db)
        self.says("db-service", "HOST is \"localhost\"", HOST="localhost", DB_PATH=db)
        self.says("db-service", "set DB_PATH", DB_PATH="/proc/items.db")
        self.says("db-service", "set DB_PATH", XDG_STATE_HOME="/proc/none", DB_PATH="")
        self.says("auth-service", "SESSION_KEY has fewer", SESSION_KEY="short")

    def test_a_busy_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            self.says("auth-service", f"cannot listen on 127.0.0.1 port {port}", PORT=port)

    def test_a_file_that_is_no_database_is_left_alone(self):
        path = self.folder() + "/notes.txt"
        with open(path, "w", encoding="ascii") as notes:
            notes.write("my notes " * 100)
        self.says("db-service", "file is not a database", DB_PATH=path)
        with open(path, encoding="ascii") as notes:
            self.assertEqual(notes.read(), "my notes " * 100)

    def test_the_deleted_first_items_do_not_come_back(self):
        path = self.folder() + "/items.db"
        process, url = self.start("db-service", DB_PATH=path)
        for item in (1, 2, 3):
            self.assertEqual(http("DELETE", f"{url}/items/{item}").status, 204)
        self.assertEqual(process.stop(), 0)
        _, url = self.start("db-service", DB_PATH=path)
        self.assertEqual(json.loads(http("GET", url + "/items").body), {"items": []})

    def test_processes_that_make_the_database_at_the_same_time_do_not_disturb_each_other(self):
        path = self.folder() + "/items.db"
        started = [self.launch("db-service", DB_PATH=path) for _ in range(6)]
        for process in started:
            port = json.loads(process.out.wait_for("listening on"))["port"]
            items = json.loads(http("GET", f"http://127.0.0.1:{port}/items").body)["items"]
            self.assertEqual([item["id"] for item in items], [1, 2, 3])

    def test_a_service_whose_neighbours_are_unknown_says_so(self):
        _, url = self.start("frontend", BACKEND_URL="http://127.0.0.1:1")
        self.assertEqual(http("GET", url + "/api/steal").status, 503)
        refusal = http("GET", url + "/api/login")
        self.assertEqual(refusal.status, 502)
        self.assertIn("its URL is not configured", json.loads(refusal.body)["error"])

    def test_backend_api_alone_has_items_of_its_own_until_it_ends(self):
        first = [{"id": 1, "name": "Keyboard", "quantity": 12},
                 {"id": 2, "name": "Monitor", "quantity": 4},
                 {"id": 3, "name": "Headset", "quantity": 9}]

        def items():
            return json.loads(http("GET", url + "/api/items").body)

        process, url = self.start("backend-api")
        process.out.wait_for("DB_URL is not set: items are kept in memory")
        self.assertEqual(items(), {"source": "backend-api", "items": first})
        made = http("POST", url + "/api/items", body=b'{"name":"Lamp","quantity":1}')
        self.assertEqual(made.status, 201)
        item = f"{url}/api/items/{json.loads(made.body)['id']}"
        self.assertEqual(http("PUT", item, body=b'{"name":"Lamp","quantity":2}').status, 200)
        self.assertEqual(json.loads(http("GET", item).body)["quantity"], 2)
        self.assertEqual(http("DELETE", f"{url}/api/items/1").status, 204)
        self.assertEqual([i["name"] for i in items()["items"]], ["Monitor", "Headset", "Lamp"])
        self.assertEqual(http("DELETE", f"{url}/api/items/1").status, 404)
        self.assertEqual(http("POST", url + "/api/items", body=b"{}").status, 400)
        self.assertEqual(process.stop(), 0, process.err.text())
        _, url = self.start("backend-api")
        self.assertEqual(items()["items"], first)

    def test_a_dead_metadata_server_is_502(self):
        _, url = self.start("backend-api", GCE_METADATA_HOST=f"127.0.0.1:{closed_port()}",
                            DB_URL="http://127.0.0.1:1")
        refusal = http("GET", url + "/api/items")
        self.assertEqual(refusal.status, 502)
        self.assertIn("no ID token", json.loads(refusal.body)["error"])

    def test_sigterm_does_not_wait_for_a_service_that_never_answers(self):
        metadata = self.play(lambda _: token_answer(id_token()))
        silent = self.play()
        silent.serve = lambda reader, received: reader.sock.recv(1) and False
        process, url = self.start("backend-api", GCE_METADATA_HOST=metadata.address,
                                  DB_URL=silent.url)
        with socket.create_connection(url.removeprefix("http://").split(":")) as waiting:
            waiting.sendall(b"GET /api/items HTTP/1.1\r\nHost: x\r\n\r\n")
            silent.wait_for(1)
            self.assertEqual(process.stop(timeout=3), 0)
        process.out.wait_for("stopped while requests were still running")


class SessionTest(Alone):
    KEY = "a-secret-of-the-test"

    def setUp(self):
        self.process, self.url = self.start("auth-service", SESSION_KEY=self.KEY)

    def tearDown(self):
        self.assertEqual(self.process.stop(), 0, self.process.err.text())

    def session(self, key=KEY, **claims):
        payload = segment({"sub": "alice", "iat": 0, "exp": int(time.time()) + 100, **claims})
        mac = hmac.new(hashlib.sha256(key.encode()).digest(), payload, "sha256").digest()
        return (payload + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()

    def verify(self, *headers):
        said = http("GET", self.url + "/verify", list(headers))
        return said.status, json.loads(said.body)

    def test_a_session_of_the_same_key_holds_until_it_expires(self):
        status, body = self.verify(("Authorization", "bearer  " + self.session()))
        self.assertEqual((status, body["user"]), (200, "alice"))
        status, body = self.verify(("Authorization", "Bearer " + self.session(exp=1000)))
        self.assertEqual((status, "expired" in body["error"]), (401, True))

    def test_other_keys_changed_claims_and_rubbish_are_401(self):
        good = self.session()
        payload, mac = good.split(".")
        alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
        same_bytes = good[:-1] + alphabet[alphabet.index(good[-1]) + 1]  # but not canonical
        for token in (self.session(key="another secret of 16"), self.session(sub="x" * 64),
                      segment({"sub": "bob", "exp": 9999999999}).decode() + "." + mac,
                      payload + ".", payload, payload + "." + mac + ".", mac + "." + payload,
                      good[:-1], same_bytes, good + "A", good + "=", "." + mac, "x" * 5000, ""):
            with self.subTest(token=token[:60]):
                self.assertEqual(self.verify(("Authorization", "Bearer " + token))[0], 401)
        self.assertEqual(self.verify(("Authorization", "Basic " + good))[0], 401)
        self.assertEqual(self.verify()[0], 401)

    def test_the_users_session_is_read_beside_the_services_token(self):
        service = b".".join([segment({"alg": "RS256"}),
                             segment({"email": "frontend-sa@my-project.iam.gserviceaccount.com"}),
                             b"SIGNATURE_REMOVED_BY_GOOGLE"]).decode()
        status, body = self.verify(("Authorization", "Bearer " + self.session()),
                                   ("X-Serverless-Authorization", "bearer " + service))
        self.assertEqual((status, body["asked_by"]),
                         (200, "frontend-sa@my-project.iam.gserviceaccount.com"))

    def test_the_log_never_names_a_session(self):
        login = json.dumps({"username": "bob", "password": "builder"}).encode()
        token = json.loads(http("POST", self.url + "/login", body=login).body)["token"]
        self.assertRegex(token, re.compile(r"^[\w-]+\.[\w-]{43}$"))
        self.process.out.wait_for("user bob has logged in")
        self.assertNotIn(token, self.process.out.text())
        self.assertNotIn("builder", self.process.out.text())


if __name__ == "__main__":
    unittest.main()
