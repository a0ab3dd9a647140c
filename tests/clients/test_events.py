"""Server-sent events: each arrives before the next is made, over every protocol. The client asks
for an event only when it has the one before, so nothing here depends on a clock."""

import unittest

from tests.clients.peers import PeersTest

THREE = ["event 1", "event 2", "event 3"]


class EventsTest(PeersTest):
    server_program = "events_server.js"
    client_program = "events_client.js"
    modules = ("eventsource",)

    def follow(self, scenario, case, service="backend-api", scheme="http", **options):
        options.setdefault("token", self.token(service))
        env = {"NODE_EXTRA_CA_CERTS": str(self.gateway.ca)} if scheme == "https" else {}
        return self.ask(scenario, env, origin=f"{scheme}://{self.gateway.address(service)}",
                        case=case, **options)

    def test_an_event_source_gets_each_event_as_it_is_made(self):
        answer = self.follow("source", "h1")
        self.assertEqual(answer, {"seen": THREE, "ids": ["1", "2", "3"]})

    def test_an_event_source_over_tls(self):
        answer = self.follow("source", "h1-tls", scheme="https")
        self.assertEqual(answer["seen"], THREE)

    def test_events_over_http_2_without_tls(self):
        answer = self.follow("http2", "h2c")
        self.assertEqual(answer, {"seen": THREE, "alpn": "h2c"})

    def test_events_over_http_2_and_tls(self):
        answer = self.follow("http2", "h2", scheme="https", ca=str(self.gateway.ca))
        self.assertEqual(answer, {"seen": THREE, "alpn": "h2"})

    def test_a_refused_event_source_is_told_the_status(self):
        for scenario in ("source", "http2"):
            with self.subTest(scenario=scenario):
                self.assertEqual(self.follow(scenario, "no", "db-service"), {"status": 403})
                answer = self.follow(scenario, "no", token=self.token("db-service"))
                self.assertEqual(answer, {"status": 401})


if __name__ == "__main__":
    unittest.main()
