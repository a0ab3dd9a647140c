"""What came to the gateway, in numbers: exact counts over several workers, after reloads, under
load."""

import json
import ssl
import threading
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import wait_until
from tests.lib.prometheus import TYPE, Malformed, parse, series, value
from tests.lib.rawhttp import Client, http
from tests.lib.tls import context, wrapper
from tests.lib.topology import closed_port
from tests.lib.upstream import answer


class Counted(unittest.TestCase):
    def setUp(self):
        self.start()

    def start(self, **top):
        self.g = Gateway({"open": {}, "private": {"service_account": "backend-sa"}},
                         {"allUsers": ["open"], "frontend-sa": ["private"]},
                         ["--workers", "3"], **top)
        self.addCleanup(self.g.close)

    def ask(self, path):
        r = http("GET", f"http://{self.g.control}{path}")
        self.assertEqual(r.status, 200, r.text)
        return r

    def traffic(self):
        r = self.ask("/invoker/v1/traffic")
        self.assertEqual(r.header("Content-Type"), "application/json; charset=UTF-8")
        return json.loads(r.text)

    def counted(self, total):
        """The traffic once so many decisions are counted: the last is counted when it is over,
        which may be after its answer has arrived."""
        def look():
            t = self.traffic()
            return sum(c["count"] for c in t["cells"]) >= total and t
        return wait_until(look, what=f"{total} decisions")

    def cells(self, traffic):
        return {(c["service"], c["caller"], c["reason"]): c["count"] for c in traffic["cells"]}

    def send(self):
        """Known traffic over many connections, so that every worker gets some."""
        good = self.g.bearer(audience="private")
        other = self.g.bearer(account="other-sa", audience="private")
        for _ in range(20):
            self.g.get("private", "/", good)
        for _ in range(15):
            self.g.get("private", "/", other)
        for _ in range(10):
            self.g.get("private")
            self.g.get("private", "/", {"Authorization": "Bearer x"})
            self.g.get("open", "/", good)
            self.g.at_host("nobody.example")
        return 75

    def metrics(self):
        r = self.ask("/metrics")
        self.assertEqual(r.header("Content-Type"), TYPE)
        return parse(r.text)


class Traffic(Counted):
    def test_decisions_of_all_workers_are_counted_by_service_caller_and_reason(self):
        t = self.counted(self.send())
        self.assertEqual(self.cells(t), {
            ("private", email("frontend-sa"), "granted"): 20,
            ("private", email("other-sa"), "no_grant"): 15,
            ("private", "anonymous", "no_credential"): 10,
            ("private", "unverified", "not_a_jwt"): 10,
            ("open", "anonymous", "public"): 10,
            ("", "anonymous", "unknown_host"): 10})
        self.assertEqual(t["overflow"], 0)
        allowed = {c["reason"]: c["allowed"] for c in t["cells"]}
        self.assertEqual(allowed, {
            "granted": True, "public": True, "no_grant": False, "no_credential": False,
            "not_a_jwt": False, "unknown_host": False})
        for c in t["cells"]:
            self.assertIs(c["enforced"], True)
            self.assertLessEqual(t["since"], c["first"])
            self.assertLessEqual(c["first"], c["last"])

    def test_bindings_are_counted_by_use(self):
        t = self.counted(self.send())
        used = {(b["member"], b["on"]): b for b in t["bindings"]}
        frontend = used["serviceAccount:" + email("frontend-sa"), "service private"]
        self.assertEqual((frontend["count"], frontend["role"]), (20, "roles/run.invoker"))
        self.assertRegex(frontend["at"], rf"\A{self.g.topology.path}:\d+:\d+\Z")

    def test_counts_go_on_behind_a_reload(self):
        self.counted(self.send())
        self.g.content["matrix"]["other-sa"] = ["private"]
        self.g.topology.write(self.g.content)
        other = self.g.bearer(account="other-sa", audience="private")
        wait_until(lambda: self.g.get("private", "/", other).status == 200, what="the reload")
        t = self.counted(76)
        cells = self.cells(t)
        self.assertEqual(cells["private", email("frontend-sa"), "granted"], 20)
        self.assertGreaterEqual(cells["private", email("other-sa"), "granted"], 1)
        self.assertGreaterEqual(cells["private", email("other-sa"), "no_grant"], 15)

    def test_what_audit_mode_lets_pass_is_not_enforced(self):
        self.g.close()
        self.start(emulation={"mode": "audit"})
        self.g.get("private")
        cells = self.counted(1)["cells"]
        self.assertEqual([(c["reason"], c["allowed"], c["enforced"]) for c in cells],
                         [("no_credential", False, False)])
        m = self.metrics()
        self.assertEqual(value(m, "invoker_decisions_total", service="private", caller="anonymous",
                               reason="no_credential", enforced="false"), 1)
        self.assertEqual(value(m, "invoker_audited_requests_total"), 1)


class Metrics(Counted):
    def test_decisions_and_requests_are_those_of_the_other_views(self):
        t = self.counted(self.send())
        m = self.metrics()
        self.assertEqual(series(m, "invoker_decisions_total", "service", "caller", "reason"),
                         self.cells(t))
        self.assertEqual(set(series(m, "invoker_decisions_total", "enforced")), {"true"})
        status = json.loads(self.ask("/invoker/v1/status").text)["requests"]
        outcomes = series(m, "invoker_requests_total", "outcome")
        self.assertEqual(outcomes, {k: status[k] for k in ("allowed", "refused", "failed")})
        self.assertEqual(sum(outcomes.values()), status["total"])

    def test_latencies_and_answers_are_counted_by_service(self):
        self.counted(self.send())
        m = self.metrics()

        def count(service, forwarded):
            return value(m, "invoker_request_duration_seconds_count", service=service,
                         forwarded=forwarded)
        self.assertEqual([count(*key) for key in (("private", "true"), ("private", "false"),
                                                  ("open", "true"), ("open", "false"))],
                         [20, 35, 10, 0])
        self.assertEqual(series(m, "invoker_responses_total", "service", "class"), {
            ("private", "2xx"): 20, ("private", "4xx"): 35, ("open", "2xx"): 10})

    def test_a_token_is_verified_once_by_each_worker_that_sees_it(self):
        self.counted(self.send())
        m = self.metrics()
        verified = value(m, "invoker_token_verifications_total", result="ok")
        cache = series(m, "invoker_token_cache_total", "result")
        self.assertLessEqual(2, verified)
        self.assertLessEqual(verified, 6)
        self.assertEqual(cache, {"hit": 35 - verified, "miss": verified})
        forged = self.g.bearer("--foreign-key-same-kid", audience="private")
        for _ in range(2):
            self.g.get("private", "/", forged)
        self.counted(77)
        results = series(self.metrics(), "invoker_token_verifications_total", "result")
        self.assertEqual({k: n for k, n in results.items() if n},
                         {"ok": verified, "bad_signature": 2})

    def test_what_is_in_flight_is_seen_and_gone_again(self):
        def answer_later(_received):
            seen.append(value(self.metrics(), "invoker_requests_in_flight", service="open"))
            return answer(200)
        seen = []
        self.g.upstreams["open"].handle = answer_later
        self.g.get("open")
        self.assertEqual(seen, [1])
        self.counted(1)
        self.assertEqual(value(self.metrics(), "invoker_requests_in_flight", service="open"), 0)

    def test_failures_of_containers_are_counted_by_kind(self):
        self.g.close()
        self.g = Gateway({"down": {"upstream": f"http://127.0.0.1:{closed_port()}"},
                          "none": {"upstream": None}, "odd": {}, "slow": {"timeout": "1s"}},
                         {"allUsers": ["down", "none", "odd", "slow"]})
        self.addCleanup(self.g.close)
        self.g.upstreams["odd"].handle = lambda _: b"this is no HTTP\r\n\r\n"
        self.g.upstreams["slow"].serve = lambda reader, _: bool(reader.sock.recv(1))
        for name in ("down", "down", "none", "odd", "slow"):
            self.assertIn(self.g.get(name).status, (503, 504), name)
        self.counted(5)
        m = self.metrics()
        self.assertEqual(series(m, "invoker_upstream_errors_total", "service", "kind"), {
            ("down", "connect-failed"): 2, ("none", "no-container"): 1,
            ("odd", "bad-response"): 1, ("slow", "timeout"): 1})
        self.assertEqual(value(m, "invoker_requests_total", outcome="failed"), 5)

    def test_connections_are_counted_by_protocol(self):
        with Client(self.g.address("open")) as one, Client(self.g.address("open")) as idle:
            for path in ("/a", "/b"):
                one.request("GET", path)
                self.assertEqual(one.read().status, 200)
            wait_until(lambda: value(self.metrics(), "invoker_connections_open") == 2,
                       what="both connections")
            m = self.metrics()
            self.assertEqual(series(m, "invoker_connections_total", "protocol"), {
                "http1": 1, "http2": 0, "connect": 0, "tls_http1": 0, "tls_http2": 0})
            self.assertEqual(value(m, "invoker_connections_accepted_total"), 2)
            idle.close()
        wait_until(lambda: value(self.metrics(), "invoker_connections_open") == 0,
                   what="the end of both")

    def test_tls_is_counted_by_what_is_within_and_by_its_end(self):
        for protocols in (["http/1.1"], ["h2"]):
            with Client(self.g.address("open"), wrap=wrapper("localhost", context(protocols))):
                pass
        with self.assertRaises(ssl.SSLError), \
                Client(self.g.address("open"), wrap=wrapper("localhost", ssl.create_default_context())):
            pass
        m = wait_until(lambda: value(self.metrics(), "invoker_tls_handshakes_total",
                                     result="failed") == 1 and self.metrics(), what="the failure")
        self.assertEqual(value(m, "invoker_tls_handshakes_total", result="ok"), 2)
        connections = series(m, "invoker_connections_total", "protocol")
        self.assertEqual((connections["tls_http1"], connections["tls_http2"]), (1, 1))

    def test_reloads_and_keys_are_counted(self):
        m = self.metrics()
        loaded = value(m, "invoker_topology_loaded_timestamp_seconds")
        self.assertEqual(series(m, "invoker_topology_reloads_total", "result"),
                         {"ok": 0, "failed": 0})
        self.assertEqual(value(m, "invoker_topology_size", what="services"), 2)
        self.assertGreaterEqual(value(m, "invoker_jwks_fetches_total", result="ok"), 1)
        self.assertEqual(value(m, "invoker_jwks_keys"), 1)
        self.g.topology.write("services: {")
        wait_until(lambda: value(self.metrics(), "invoker_topology_reloads_total",
                                 result="failed") == 1, what="the failed reload")
        self.g.topology.write(self.g.content)
        wait_until(lambda: value(self.metrics(), "invoker_topology_reloads_total",
                                 result="ok") == 1, what="the reload")
        self.assertGreater(value(self.metrics(), "invoker_topology_loaded_timestamp_seconds"),
                           loaded)

    def test_the_process_says_what_it_is_and_uses(self):
        m = self.metrics()
        (labels,) = [dict(key[1]) for key in m["invoker_build_info"].samples]
        self.assertRegex(labels["compiler"], r"\A(gcc|clang) \d+")
        self.assertEqual(value(m, "invoker_workers"), 3)
        self.assertEqual(value(m, "invoker_ready"), 1)
        self.assertGreater(value(m, "process_cpu_seconds_total"), 0)
        self.assertGreater(value(m, "process_open_fds"), 10)
        self.assertAlmostEqual(value(m, "process_resident_memory_bytes") / 1024,
                               self.g.process.rss_kib(), delta=4096)

    def test_what_one_page_of_another_origin_may_not_read_no_page_may(self):
        for path in ("/metrics", "/invoker/v1/traffic"):
            r = http("GET", f"http://{self.g.control}{path}", {"Origin": "https://evil.example"})
            self.assertEqual(r.status, 403)
            r = http("POST", f"http://{self.g.control}{path}")
            self.assertEqual((r.status, r.header("Allow")), (405, "GET, HEAD"))

    def test_a_service_s_own_listener_has_no_metrics(self):
        self.assertEqual(self.g.get("private", "/metrics").status, 403)
        self.g.get("open", "/metrics")
        self.assertEqual(self.g.upstreams["open"].last.target, "/metrics")


class Load(Counted):
    def test_whoever_looks_meanwhile_sees_counts_that_only_grow(self):
        good = self.g.bearer(audience="private")
        stop = threading.Event()
        sent = [0] * 4

        def load(i):
            while not stop.is_set():
                self.g.get("private", "/", good)
                self.g.get("private")
                sent[i] += 2
        threads = [threading.Thread(target=load, args=[i]) for i in range(4)]
        for thread in threads:
            thread.start()
        before = {}
        try:
            for _ in range(40):
                now = series(self.metrics(), "invoker_decisions_total", "caller")
                for caller, n in before.items():
                    self.assertGreaterEqual(now[caller], n)
                before = now
                self.traffic()
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
        t = self.counted(sum(sent))
        self.assertEqual(sum(c["count"] for c in t["cells"]), sum(sent))
        self.assertEqual(sum(b["count"] for b in t["bindings"]), sum(sent) / 2)


class Reader(unittest.TestCase):
    """The reader itself finds what it is there for."""
    GOOD = ("# HELP a_total Help.\n# TYPE a_total counter\n"
            'a_total{x="\\"\\\\\\n"} 1\na_total{x="b"} 2.5\n')
    HISTOGRAM = ("# HELP h_seconds Help.\n# TYPE h_seconds histogram\n"
                 'h_seconds_bucket{le="0.1"} 1\nh_seconds_bucket{le="+Inf"} 2\n'
                 "h_seconds_sum 3\nh_seconds_count 2\n")

    def test_it_reads_what_is_sound(self):
        families = parse(self.GOOD + self.HISTOGRAM)
        self.assertEqual(value(families, "a_total", x='"\\\n'), 1)
        self.assertEqual(value(families, "h_seconds_count"), 2)

    def test_it_refuses_what_is_not(self):
        good, histogram = self.GOOD, self.HISTOGRAM
        for bad in (good[:-1], good + good, good + 'a_total{x="b"} 3\n', good + "b_total 1\n",
                    good.replace("counter", "gauge"), good.replace("# TYPE a_total counter\n", ""),
                    good.replace('{x="b"}', '{x="b\n"}'), good.replace('{x="b"}', '{x="\\b"}'),
                    good.replace('{x="b"}', '{x="b",}'), good.replace('{x="b"}', "{}"),
                    good.replace("2.5", "2,5"), good.replace("2.5", "-1"),
                    good.replace('{x="b"}', '{x="b",x="c"}'), good.replace("Help.", ""),
                    histogram.replace("count 2", "count 3"), histogram.replace("+Inf", "0.2"),
                    histogram.replace("} 1", "} 3"), histogram.replace("h_seconds_sum 3\n", "")):
            with self.subTest(bad), self.assertRaises(Malformed):
                parse(bad)


if __name__ == "__main__":
    unittest.main()
