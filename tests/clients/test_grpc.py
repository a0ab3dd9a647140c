"""gRPC of all four kinds by Google's library for Node, unmodified, as caller and as service."""

import unittest

from tests.clients.peers import PeersTest
from tests.lib.gateway import run_app

TRAILERS = {"x-trailer": "behind the replies", "x-trailer-bin": "0001feff"}
COUNT = 20


class GrpcTest(PeersTest):
    server_program = "grpc_server.js"
    client_program = "grpc_client.js"
    modules = ("@grpc/grpc-js", "@grpc/proto-loader", "google-auth-library")
    backend = {"use_http2": True}
    # gRPC reaches its process as HTTP/2 without a word about it.
    others = {"native": {}}

    def call(self, scenario, service="backend-api", **options):
        """With a token for the service, unless the options say otherwise."""
        options.setdefault("token", self.token(service))
        return self.ask(scenario, target=self.gateway.address(service), **options)

    def ended_well(self, answer):
        self.assertEqual(answer["status"], "OK", answer)
        self.assertLessEqual(TRAILERS.items(), answer["trailers"].items())

    def test_a_unary_call_is_allowed(self):
        for service in ("backend-api", "native"):
            with self.subTest(service=service):
                answer = self.call("once", service)
                self.ended_well(answer)
                self.assertEqual(answer["data"], "hello")

    def test_the_service_sees_the_caller_but_not_the_signature(self):
        token = self.token()
        seen = self.call("once", token=token)["metadata"]
        self.assertEqual(seen["authorization"].split()[1],
                         token.rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE")
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertEqual(seen["x-forwarded-for"], "127.0.0.1")
        self.assertRegex(seen["x-cloud-trace-context"], r"^[0-9a-f]{32}/\d+")
        self.assertIn("grpc-node-js/", seen["user-agent"])

    def test_a_clients_stream_becomes_one_reply(self):
        for service in ("backend-api", "native"):
            with self.subTest(service=service):
                answer = self.call("collect", service, count=COUNT)
                self.ended_well(answer)
                self.assertEqual(answer["count"], COUNT)
                self.assertEqual(answer["data"], "".join(f"{i}," for i in range(COUNT)))

    def test_one_request_becomes_a_servers_stream(self):
        for service in ("backend-api", "native"):
            with self.subTest(service=service):
                answer = self.call("spread", service, count=COUNT)
                self.ended_well(answer)
                self.assertEqual(answer["seen"], list(range(COUNT)))

    def test_two_streams_talk_with_each_other(self):
        for service in ("backend-api", "native"):
            with self.subTest(service=service):
                answer = self.call("talk", service, count=COUNT)
                self.ended_well(answer)
                self.assertEqual(answer["seen"], [f"word {i}" for i in range(COUNT)])

    def test_every_kind_without_a_grant_is_denied(self):
        for scenario in ("once", "collect", "spread", "talk"):
            with self.subTest(scenario=scenario):
                answer = self.call(scenario, "db-service", count=1)
                self.assertEqual(answer["status"], "PERMISSION_DENIED", answer)
                self.assertIn("403", answer["details"])

    def test_a_token_for_another_audience_is_unauthenticated(self):
        for scenario in ("once", "collect", "spread", "talk"):
            with self.subTest(scenario=scenario):
                answer = self.call(scenario, token=self.token("db-service"), count=1)
                self.assertEqual(answer["status"], "UNAUTHENTICATED", answer)
                self.assertIn("401", answer["details"])

    def test_no_token_is_denied(self):
        answer = self.call("once", token=None)
        self.assertEqual(answer["status"], "PERMISSION_DENIED", answer)

    def test_a_refused_call_never_reaches_the_service(self):
        self.call("once", "db-service", case="refused")
        self.call("once", case="allowed")
        self.server.told(event="begun", case="allowed")
        told = self.server.everything()
        self.assertFalse([line for line in told if line.get("case") == "refused"])

    def test_a_status_without_a_reply_arrives_with_its_trailers(self):
        answer = self.call("fail")
        self.assertEqual(answer["status"], "ALREADY_EXISTS")
        self.assertEqual(answer["details"], "there is one: é")
        self.assertLessEqual(TRAILERS.items(), answer["trailers"].items())

    def test_a_status_behind_replies_arrives_with_its_trailers(self):
        answer = self.call("spread", count=3, code=9)
        self.assertEqual((answer["status"], answer["details"]), ("FAILED_PRECONDITION", "enough"))
        self.assertEqual(answer["seen"], [0, 1, 2])
        self.assertLessEqual(TRAILERS.items(), answer["trailers"].items())

    def test_the_server_may_end_a_call_that_its_caller_has_not(self):
        answer = self.call("interrupted")
        self.assertEqual((answer["status"], answer["details"]), ("ABORTED", "not in that tone"))

    def test_messages_of_a_mebibyte_pass(self):
        self.assertEqual(self.call("large"), {"status": "OK", "same": True})

    def test_more_than_every_window_and_buffer_passes(self):
        self.assertEqual(self.call("large", size=40 << 20), {"status": "OK", "same": True})

    def test_a_hundred_calls_share_a_channel(self):
        self.assertEqual(self.call("parallel", count=100), {"right": 100, "statuses": ["OK"]})

    def test_more_calls_than_streams_wait_for_their_turn(self):
        self.assertEqual(self.call("parallel", count=250), {"right": 250, "statuses": ["OK"]})

    def test_a_slow_reader_gets_every_message(self):
        client = self.client("slow", target=self.gateway.address("backend-api"),
                             token=self.token(), case="slow", count=400)
        self.server.told(event="begun", case="slow")
        client.let_go()
        answer = client.result()
        self.ended_well(answer)
        self.assertEqual((answer["seen"], answer["bytes"]), (400, 400 << 16))

    def test_an_unread_stream_holds_the_server_back(self):
        client = self.client("slow", target=self.gateway.address("backend-api"),
                             token=self.token(), case="held", count=3000)
        self.server.told(event="begun", case="held")
        # 187 MiB: if nothing held the server back it would have written them before this is done.
        self.call("spread", count=2000)
        self.assertFalse([told for told in self.server.everything()
                          if told.get("case") == "held" and told["event"] == "written"])
        client.kill()
        self.server.told(event="cancelled", case="held")

    def gives_up(self, scenario, status, **options):
        """The service hears of it while the channel is still open."""
        client = self.client(scenario, target=self.gateway.address("backend-api"),
                             token=self.token(), case=scenario, stay=True, **options)
        self.assertEqual(client.result()["status"], status)
        self.server.told(event="cancelled", case=scenario)
        client.let_go()

    def test_a_deadline_that_passes_is_seen_by_the_service(self):
        self.gives_up("deadline", "DEADLINE_EXCEEDED", ms=500)

    def test_a_cancelled_call_is_seen_by_the_service(self):
        self.gives_up("cancel", "CANCELLED")

    def test_a_log_entry_names_method_and_protocol(self):
        self.call("once")
        request = self.gateway.entry("/peers.Echo/Once")["httpRequest"]
        self.assertEqual((request["requestMethod"], request["status"]), ("POST", 200))
        self.assertEqual(request["protocol"], "H2C")


class SecureGrpcTest(PeersTest):
    """Over TLS, with tokens of the metadata server as real call credentials."""

    server_program = "grpc_server.js"
    client_program = "grpc_client.js"
    modules = GrpcTest.modules
    backend = {"use_http2": True}

    def call(self, scenario, service="backend-api", target=None, env=None, audience=None, **more):
        env = {"GCE_METADATA_HOST": self.gateway.address("frontend", "metadata"), **(env or {})}
        audience = audience or f"https://{run_app(service)}"
        return self.ask(scenario, env, target=target or self.gateway.address(service),
                        ca=str(self.gateway.ca), audience=audience, **more)

    def test_call_credentials_are_allowed(self):
        answer = self.call("once")
        self.assertEqual((answer["status"], answer["data"]), ("OK", "hello"), answer)
        self.assertEqual(answer["metadata"]["x-forwarded-proto"], "https")

    def test_streams_pass(self):
        answer = self.call("talk", count=COUNT)
        self.assertEqual(len(answer["seen"]), COUNT, answer)

    def test_messages_of_a_mebibyte_pass(self):
        self.assertEqual(self.call("large"), {"status": "OK", "same": True})

    def test_no_grant_is_denied_and_another_audience_unauthenticated(self):
        self.assertEqual(self.call("once", "db-service")["status"], "PERMISSION_DENIED")
        answer = self.call("once", audience=f"https://{run_app('db-service')}")
        self.assertEqual(answer["status"], "UNAUTHENTICATED", answer)

    def test_the_production_name_works_through_the_proxy(self):
        env = {"https_proxy": f"http://{self.gateway.ingress}", "no_proxy": "127.0.0.1"}
        for service, status in (("backend-api", "OK"), ("db-service", "PERMISSION_DENIED")):
            with self.subTest(service=service):
                answer = self.call("once", service, f"{run_app(service)}:443", env)
                self.assertEqual(answer["status"], status, answer)

    def test_without_the_ca_there_is_no_call(self):
        env = {"GCE_METADATA_HOST": self.gateway.address("frontend", "metadata")}
        answer = self.ask("once", env, target=self.gateway.address("backend-api"),
                          ca="/etc/ssl/certs/ca-certificates.crt",
                          audience=f"https://{run_app('backend-api')}")
        self.assertEqual(answer["status"], "UNAVAILABLE")
        self.assertIn("certificate", answer["details"])


if __name__ == "__main__":
    unittest.main()
