"""Decisions as they are made: GET /invoker/v1/decisions/stream."""

import json
import threading
import time
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, http
from tests.lib.sse import STREAM, Events

STREAMS = 16


class Stream(unittest.TestCase):
    def start(self, *options):
        self.g = Gateway({"open": {}, "private": {}}, {"allUsers": ["open"]},
                         ["--request-log", "off", *options])
        self.addCleanup(self.g.close)

    def setUp(self):
        self.start("--workers", "3")

    def events(self, query="", headers=()):
        events = Events(self.g.control, query, headers)
        self.addCleanup(events.close)
        return events

    def decisions(self, query=""):
        answer = http("GET", f"http://{self.g.control}/invoker/v1/decisions{query}")
        return json.loads(answer.text)["decisions"]

    def remember(self, *paths, name="open"):
        for path in paths:
            self.g.get(name, path)
        wait_until(lambda: self.decisions()[0]["path"] == paths[-1] if self.decisions() else False)

    # ---- what is told ----

    def test_a_decision_is_told_as_the_list_has_it(self):
        events = self.events()
        self.assertEqual(events.head.header("Content-Type"), "text/event-stream")
        self.assertEqual(events.head.header("Cache-Control"), "no-store")
        self.g.get("private", "/a?secret=1")
        event = events.event()
        self.assertEqual(event["event"], "decision")
        self.assertRegex(event["id"], "^[0-9a-f]{24}$")
        self.assertEqual(event["data"], self.decisions()[0])
        self.assertEqual((event["data"]["path"], event["data"]["reason"]), ("/a", "no_credential"))

    def test_those_before_are_told_when_asked_for(self):
        self.remember("/1", "/2", "/3")
        with Events(self.g.control) as nothing, Events(self.g.control, "?backlog=2") as two:
            self.g.get("open", "/4")
            self.assertEqual(nothing.paths(1), ["/4"])
            self.assertEqual(two.paths(3), ["/2", "/3", "/4"])

    def test_it_is_narrowed_down(self):
        token = self.g.bearer(account="frontend-sa", audience="private")
        streams = {"?refused=1": ["/refused", "/granted", "/last"], "?service=open": ["/open"],
                   "?caller=frontend-sa": ["/granted"], f"?caller={email('frontend-sa')}":
                   ["/granted"], "?caller=anonymous&service=private": ["/refused", "/last"],
                   "?reason=no_grant": ["/granted"], "?reason=public": ["/open"]}
        opened = {query: self.events(query) for query in streams}
        self.g.get("private", "/refused")
        self.g.get("open", "/open")
        self.g.get("private", "/granted", token)
        self.g.get("private", "/last")
        for query, paths in streams.items():
            self.assertEqual(opened[query].paths(len(paths)), paths, query)

    def test_every_decision_is_told_once_whichever_worker_made_it(self):
        count, threads = 60, 5
        streams = [self.events(), self.events("?service=open")]

        def ask(thread):
            for i in range(count):
                self.g.get("open", f"/{thread}-{i}")
        askers = [threading.Thread(target=ask, args=(t,)) for t in range(threads)]
        for asker in askers:
            asker.start()
        expected = sorted(f"/{t}-{i}" for t in range(threads) for i in range(count))
        for stream in streams:
            self.assertEqual(sorted(stream.paths(count * threads)), expected)
        for asker in askers:
            asker.join()

    # ---- going on ----

    def test_it_goes_on_behind_the_last_one_that_was_read(self):
        with self.events() as first:
            for i in range(40):
                self.g.get("open", f"/{i}")
            all_of_them = first.events(40)
        for at in (0, 17, 38):
            with self.events(headers={"Last-Event-ID": all_of_them[at]["id"]}) as again:
                rest = [e["id"] for e in again.events(len(all_of_them) - at - 1)]
                self.assertEqual(rest, [e["id"] for e in all_of_them[at + 1:]])
                self.g.get("open", f"/after-{at}")
                self.assertEqual(again.paths(1), [f"/after-{at}"])
            with self.events(headers={"Last-Event-ID": all_of_them[-1]["id"]}) as last:
                all_of_them += [last.event()]

    def test_a_new_gateway_tells_all_to_who_followed_the_former(self):
        with self.events() as first:
            self.g.get("open", "/before")
            last = first.event()["id"]
        self.g.process.stop()
        self.g.start()
        self.remember("/after")
        again = self.events(headers={"Last-Event-ID": last})
        self.assertEqual(again.paths(1), ["/after"])

    def test_who_was_away_for_too_long_is_told_so(self):
        with self.events() as first:
            self.g.get("open", "/first")
            last = first.event()["id"]
        with Client(self.g.address("open")) as client:
            for i in range(3 * 1024 + 10):
                client.request("GET", f"/{i}")
                client.read()
        again = self.events(headers={"Last-Event-ID": last})
        event = again.event()
        self.assertEqual((event["event"], event["data"]), ("missed", {"missed": None}))
        self.assertEqual(again.event()["event"], "decision")

    # ---- who may not ----

    def test_what_makes_no_sense_is_refused(self):
        for query, headers in (("?backlog=1001", {}), ("?backlog=x", {}), ("?backlog=-1", {}),
                               ("?service=" + "s" * 64, {}), ("", {"Last-Event-ID": "../x"}),
                               ("", {"Last-Event-ID": "a" * 33})):
            answer = http("GET", f"http://{self.g.control}{STREAM}{query}", headers)
            self.assertEqual(answer.status, 400, (query, headers))
        self.assertEqual(http("POST", f"http://{self.g.control}{STREAM}").status, 405)

    def test_a_page_of_another_origin_may_not_listen(self):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Host": "evil.example"}):
            answer = http("GET", f"http://{self.g.control}{STREAM}", headers)
            self.assertEqual(answer.status, 403, headers)

    def test_head_tells_the_type_only(self):
        answer = http("HEAD", f"http://{self.g.control}{STREAM}")
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "text/event-stream"))

    def test_there_are_so_many_at_a_time_and_who_leaves_makes_room(self):
        streams = [self.events() for _ in range(STREAMS)]
        self.assertEqual(http("GET", f"http://{self.g.control}{STREAM}").status, 503)
        self.assertEqual(http("GET", f"http://{self.g.control}/healthz").status, 200)
        streams[3].close()

        def opens():
            try:
                return Events(self.g.control)
            except AssertionError:
                return None
        with wait_until(opens, what="room for a stream") as events:
            self.g.get("open", "/x")
            self.assertEqual(events.paths(1), ["/x"])
            self.assertEqual(streams[0].paths(1), ["/x"])

    # ---- ends ----

    def test_a_stopping_gateway_ends_the_streams(self):
        events = self.events()
        self.g.get("open", "/x")
        self.assertEqual(events.paths(1), ["/x"])
        self.assertEqual(self.g.process.stop(), 0)
        self.assertIsNone(events.event())

    def test_a_reader_that_does_not_read_holds_up_nobody(self):
        lazy = self.events()
        busy = self.events("?reason=no_credential")
        end = time.monotonic() + 1
        with Client(self.g.address("open")) as client:
            while time.monotonic() < end:
                client.request("GET", "/" + "x" * 200)
                client.read()
        self.g.get("private", "/seen")
        told = busy.event()
        while told["event"] == "missed":  # the load's, of which nobody knows whether it matches
            told = busy.event()
        self.assertEqual(told["data"]["path"], "/seen")
        self.assertIn(lazy.event()["event"], ("decision", "missed"))


if __name__ == "__main__":
    unittest.main()
