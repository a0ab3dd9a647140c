"""What the container gets to see of a request, and the caller of a response (Cloud Run's container
contract): tokens without signature, forwarding and trace fields, the front end's own fields."""

import re
import unittest

from tests.lib.gateway import Gateway
from tests.lib.rawhttp import Client
from tests.lib.upstream import answer

TRACE = "105445aa7843bc8bf206b12000100000"


class Headers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"private": {"service_account": "backend-sa"}, "open": {}},
                        {"frontend-sa": ["private"], "allUsers": ["open"]})
        cls.addClassCleanup(cls.g.close)
        cls.token = cls.g.token(audience="private")
        cls.stripped = "bearer " + cls.token.rsplit(".", 1)[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"

    def through(self, name, headers, **more):
        """What the container saw."""
        r = self.g.get(name, "/h", headers, **more)
        self.assertEqual(r.status, 200)
        return self.g.upstreams[name].last

    # ---- tokens ----

    def test_the_token_that_decided_arrives_in_lower_case_and_without_signature(self):
        seen = self.through("private", {"Authorization": f"Bearer {self.token}"})
        self.assertEqual(seen.header("Authorization"), self.stripped)

    def test_authorization_is_untouched_when_x_serverless_authorization_decided(self):
        seen = self.through("private", {"Authorization": "Bearer of.the.app",
                                        "X-Serverless-Authorization": f"Bearer {self.token}"})
        self.assertEqual(seen.header("Authorization"), "Bearer of.the.app")
        self.assertEqual(seen.header("X-Serverless-Authorization"), self.stripped)

    def test_an_open_service_gets_the_tokens_as_they_came(self):
        seen = self.through("open", {"Authorization": f"Bearer {self.token}",
                                     "X-Serverless-Authorization": "Bearer x"})
        self.assertEqual(seen.header("Authorization"), f"Bearer {self.token}")
        self.assertEqual(seen.header("X-Serverless-Authorization"), "Bearer x")

    # ---- forwarding ----

    def test_the_peer_stands_in_x_forwarded_for_and_the_scheme_is_the_truth(self):
        seen = self.through("open", {})
        self.assertEqual(seen.header("X-Forwarded-For"), "127.0.0.1")
        self.assertEqual(seen.header("X-Forwarded-Proto"), "http")
        self.assertEqual(seen.header("Forwarded"), 'for="127.0.0.1";proto=http')

    def test_the_peer_is_appended_to_what_the_client_claims(self):
        seen = self.through("open", {"X-Forwarded-For": "203.0.113.7, 10.0.0.1",
                                     "X-Forwarded-Proto": "https", "Forwarded": "for=x"})
        self.assertEqual(seen.header("X-Forwarded-For"), "203.0.113.7, 10.0.0.1, 127.0.0.1")
        self.assertEqual(seen.header("X-Forwarded-Proto"), "http")
        self.assertEqual(seen.header("Forwarded"), 'for=x, for="127.0.0.1";proto=http')

    def test_the_peer_is_the_last_of_several_fields(self):
        seen = self.through("open", [("X-Forwarded-For", "a"), ("X-Forwarded-For", "b")])
        self.assertEqual(seen.all("X-Forwarded-For"), ["a", "b", "127.0.0.1"])

    def test_each_peer_is_told_apart(self):
        for source in ("127.0.0.2", "127.0.0.3", "127.0.0.2"):
            seen = self.through("open", {}, source=source)
            self.assertEqual(seen.header("X-Forwarded-For"), source)

    def test_reserved_x_google_fields_are_stripped(self):
        seen = self.through("open", {"X-Google-Real-IP": "1.2.3.4", "x-google-": "kept",
                                     "X-Goog-Request-Params": "kept"})
        self.assertEqual(seen.all("X-Google-Real-IP"), [])
        self.assertEqual(seen.header("X-Goog-Request-Params"), "kept")

    def test_host_user_agent_cookies_and_unknown_fields_travel(self):
        seen = self.through("open", [("Host", "my.example:81"), ("User-Agent", "curl/8.5"),
                                     ("Cookie", "a=b"), ("X-Mine", "1"), ("X-Mine", "2"),
                                     ("Accept-Encoding", "gzip")])
        self.assertEqual(seen.header("Host"), "my.example:81")
        self.assertEqual(seen.header("User-Agent"), "curl/8.5")
        self.assertEqual(seen.header("Cookie"), "a=b")
        self.assertEqual(seen.all("X-Mine"), ["1", "2"])
        self.assertEqual(seen.header("Accept-Encoding"), "gzip")

    def test_hop_by_hop_fields_stay_behind(self):
        seen = self.through("open", {"Connection": "close, X-Hop", "X-Hop": "1", "Keep-Alive": "5",
                                     "Proxy-Authorization": "Basic x"})
        for name in ("X-Hop", "Keep-Alive", "Proxy-Authorization"):
            self.assertEqual(seen.all(name), [])

    # ---- trace context ----

    def test_each_request_gets_a_trace_in_both_spellings(self):
        seen = self.through("open", {})
        cloud = re.fullmatch(r"([0-9a-f]{32})/(\d+);o=0", seen.header("X-Cloud-Trace-Context"))
        w3c = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-00", seen.header("traceparent"))
        self.assertEqual(cloud[1], w3c[1])
        self.assertEqual(int(cloud[2]), int(w3c[2], 16))

    def test_a_clients_trace_is_kept_and_answered(self):
        r = self.g.get("open", "/", {"X-Cloud-Trace-Context": f"{TRACE}/1;o=1"})
        seen = self.g.upstreams["open"].last
        self.assertRegex(seen.header("X-Cloud-Trace-Context"), rf"\A{TRACE}/\d+;o=1\Z")
        self.assertRegex(seen.header("traceparent"), rf"\A00-{TRACE}-[0-9a-f]{{16}}-01\Z")
        self.assertEqual(r.header("X-Cloud-Trace-Context"), f"{TRACE};o=1")

    def test_a_traceparent_alone_is_kept_too(self):
        seen = self.through("open", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
                                     "tracestate": "x=1"})
        self.assertRegex(seen.header("X-Cloud-Trace-Context"), rf"\A{TRACE}/\d+;o=1\Z")
        self.assertEqual(seen.header("tracestate"), "x=1")

    def test_a_malformed_trace_is_replaced(self):
        for bad in ("zz", "0" * 32, TRACE + "/x", TRACE[:-1]):
            seen = self.through("open", {"X-Cloud-Trace-Context": bad})
            self.assertRegex(seen.header("X-Cloud-Trace-Context"), r"\A[0-9a-f]{32}/\d+;o=0\Z")
            self.assertNotIn(bad, seen.header("X-Cloud-Trace-Context"))

    def assert_new_trace(self, headers):
        seen = self.through("open", headers)
        cloud = re.fullmatch(r"([0-9a-f]{32})/(\d+);o=0", seen.header("X-Cloud-Trace-Context"))
        self.assertNotEqual(cloud[1], TRACE)
        self.assertRegex(seen.header("traceparent"), rf"\A00-{cloud[1]}-[0-9a-f]{{16}}-00\Z")
        self.assertIsNone(seen.header("tracestate"))

    def test_contexts_that_are_malformed_repeated_or_too_long_are_replaced(self):
        good = f"00-{TRACE}-00f067aa0ba902b7-01"
        for fields in (
                [("traceparent", good.upper())], [("traceparent", good + "-x")],
                [("traceparent", good.replace("00f0", "00g0"))], [("traceparent", "")],
                [("traceparent", good), ("traceparent", good)],
                [("traceparent", good + "1" * 8000)],
                [("X-Cloud-Trace-Context", TRACE), ("X-Cloud-Trace-Context", TRACE)],
                [("X-Cloud-Trace-Context", TRACE + "/1;o=" + "1" * 8000)],
                [("X-Cloud-Trace-Context", TRACE + "/1;o=1\xff")]):
            with self.subTest(fields):
                self.assert_new_trace([*fields, ("tracestate", "of=another")])

    def test_a_tracestate_without_its_traceparent_is_dropped(self):
        self.assert_new_trace({"tracestate": "x=1"})
        seen = self.through("open", {"X-Cloud-Trace-Context": TRACE + "/1;o=1",
                                     "tracestate": "x=1"})
        self.assertIsNone(seen.header("tracestate"))

    def test_the_log_has_the_trace_that_the_container_sees(self):
        for path, headers in (("/by-cloud", {"X-Cloud-Trace-Context": TRACE + "/1;o=1"}),
                              ("/by-parent", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})):
            self.assertEqual(self.g.get("open", path, headers).status, 200)
            seen = self.g.upstreams["open"].last.header("traceparent").split("-")
            entry = self.g.entry(path)
            self.assertEqual((entry["trace"], entry["spanId"], entry["traceSampled"]),
                             (f"projects/my-project/traces/{TRACE}", seen[2], True))

    def test_a_refusal_keeps_and_logs_the_trace_too(self):
        r = self.g.get("private", "/refused", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
        self.assertEqual((r.status, r.header("X-Cloud-Trace-Context")), (403, TRACE + ";o=1"))
        self.assertEqual(self.g.entry("/refused")["trace"], f"projects/my-project/traces/{TRACE}")

    # ---- the way back ----

    def test_the_front_ends_own_response_fields_replace_the_containers(self):
        self.g.upstreams["open"].reply(answer(headers=[
            ("Server", "nginx"), ("X-Cloud-Trace-Context", "mine"), ("Alt-Svc", "clear"),
            ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Mine", "1")], body=b"hello"))
        r = self.g.get("open", "/")
        self.assertEqual(r.header("Server"), "Google Frontend")
        self.assertEqual(r.header("Alt-Svc"), 'h3=":443"; ma=2592000')
        self.assertRegex(r.header("X-Cloud-Trace-Context"), r"\A[0-9a-f]{32}\Z")
        self.assertEqual(r.all("Set-Cookie"), ["a=1", "b=2"])
        self.assertEqual(r.header("X-Mine"), "1")
        self.assertIsNotNone(r.header("Date"))
        self.assertEqual(r.body, b"hello")

    def test_there_is_no_via_without_a_load_balancer(self):
        self.assertEqual(self.g.get("open", "/").all("Via"), [])

    def test_status_and_reason_of_the_container_travel(self):
        self.g.upstreams["open"].reply(answer(status=418, reason="Teapot"))
        self.assertEqual(self.g.get("open", "/").status, 418)

    def test_targets_arrive_byte_by_byte(self):
        for target in ("/a%2Fb//c?x=%41&y", "/?", "/%7e;p=1?q=a+b", "*"):
            with Client(self.g.address("open")) as c:
                c.request("OPTIONS" if target == "*" else "GET", target)
                self.assertEqual(c.read().status, 200)
            self.assertEqual(self.g.upstreams["open"].last.target, target)


if __name__ == "__main__":
    unittest.main()
