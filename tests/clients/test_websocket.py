"""WebSockets by the npm package ws, unmodified, as caller and as service."""

import base64
import json
import os
import unittest

from tests.clients.peers import PeersTest
from tests.clients.support import W401, page_401, page_403
from tests.lib.gateway import run_app
from tests.lib.harness import Client

SAME = {"text": True, "empty": True, "bytes": True, "large": True, "fragments": True}


class WebSocketTest(PeersTest):
    server_program = "ws_server.js"
    client_program = "ws_client.js"
    modules = ("ws",)
    others = {"brief": {"timeout": "2s"}}
    scheme = "ws"
    more = {}

    def where(self, path, service="backend-api", **query):
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.scheme}://{self.gateway.address(service)}{path}?{words}"

    def call(self, scenario, path, service="backend-api", query=(), **options):
        """With a token for the service, unless the options say otherwise."""
        options.setdefault("token", self.token(service))
        return self.ask(scenario, url=self.where(path, service, **dict(query)), **self.more,
                        **options)

    def test_text_and_bytes_small_and_large_are_echoed(self):
        answer = self.call("echo", "/echo", query={"case": "echo"})
        self.assertEqual(answer["same"], SAME)
        self.assertEqual((answer["code"], answer["reason"]), (4000, "done"))
        closed = self.server.told(event="closed", case="echo")
        self.assertEqual((closed["code"], closed["reason"]), (4000, "done"))

    def test_pings_of_both_sides_are_answered(self):
        answer = self.call("ping", "/ping")
        self.assertEqual((answer["pong"], answer["told"]), ("here", "pong are you there"))

    def test_the_service_speaks_first(self):
        answer = self.call("leave", "/greet", query={"case": "greet"})
        self.assertEqual(answer["code"], 1006)
        self.assertEqual(self.server.told(event="closed", case="greet")["code"], 1006)

    def test_the_services_close_code_arrives(self):
        answer = self.call("wait", "/close")
        self.assertEqual((answer["code"], answer["reason"]), (4001, "enough"))

    def test_a_service_that_drops_the_connection_drops_the_callers(self):
        self.assertEqual(self.call("wait", "/drop")["code"], 1006)

    def test_many_messages_arrive_in_order(self):
        answer = self.call("many", "/stream", query={"count": 2000})
        self.assertEqual((answer["seen"], answer["code"]), (2000, 1000))

    def test_a_subprotocol_is_agreed_upon(self):
        answer = self.call("echo", "/echo", protocols=["v1.echo", "v2.echo"])
        self.assertEqual(answer["protocol"], "v2.echo")

    def test_a_call_without_a_grant_is_forbidden(self):
        answer = self.call("wait", "/echo", "db-service", {"case": "refused"})
        self.assertEqual((answer["status"], answer["body"]), (403, page_403("/echo")))
        self.assertEqual(answer["headers"]["content-type"], "text/html; charset=UTF-8")

    def test_no_token_is_forbidden(self):
        answer = self.call("wait", "/echo", token=None)
        self.assertEqual((answer["status"], answer["body"]), (403, page_403("/echo")))

    def test_a_token_for_another_audience_is_unauthorized(self):
        answer = self.call("wait", "/echo", token=self.token("db-service"))
        self.assertEqual((answer["status"], answer["body"]), (401, page_401("/echo")))
        self.assertEqual(answer["headers"]["www-authenticate"], W401)

    def test_a_refused_handshake_never_reaches_the_service(self):
        self.call("wait", "/echo", "db-service", {"case": "never"})
        self.call("wait", "/close", query={"case": "after"})
        self.server.told(event="opened", case="after")
        self.assertFalse([line for line in self.server.everything() if line.get("case") == "never"])

    def test_the_services_timeout_bounds_it(self):
        answer = self.call("wait", "/greet", "brief", {"case": "brief"})
        self.assertEqual(answer["seen"], ["welcome"])
        self.assertIn(answer["code"], (1001, 1006))
        self.server.told(event="closed", case="brief")

    def test_two_sockets_do_not_disturb_each_other(self):
        token = self.token()
        clients = [self.client("stay", url=self.where("/echo", case=f"stay-{i}"), token=token,
                               **self.more) for i in range(2)]
        for client in clients:
            client.told(event="open")
        self.call("wait", "/drop")
        for client in clients:
            client.let_go()
            self.assertEqual(client.told(same=True)["code"], 1000)

    def test_a_log_entry_is_written_at_the_end(self):
        self.call("wait", "/close", query={"case": "logged"})
        request = self.gateway.entry("/close?case=logged")["httpRequest"]
        self.assertEqual((request["requestMethod"], request["status"]), ("GET", 101))


class SecureWebSocketTest(WebSocketTest):
    """The same over TLS."""

    scheme = "wss"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.more = {"ca": str(cls.gateway.ca)}


class HandshakeTest(PeersTest):
    """The handshake by hand."""

    server_program = "ws_server.js"
    modules = ("ws",)

    def handshake(self, client, path="/echo", **changes):
        fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                  "Authorization": f"Bearer {self.token()}", **changes}
        head = "".join(f"{n}: {v}\r\n" for n, v in fields.items() if v is not None)
        return (f"GET {path} HTTP/1.1\r\nHost: {client.address[0]}:{client.address[1]}\r\n"
                f"{head}\r\n").encode()

    @staticmethod
    def masked(text):
        """A text message of a client, masked with zeros."""
        return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()

    def test_a_message_in_the_handshakes_packet_is_not_lost(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client) + self.masked("early"))
            answer = client.read()
            self.assertEqual(answer.status, 101)
            self.assertEqual(answer.header("Upgrade").lower(), "websocket")
            self.assertEqual(answer.header("Connection").lower(), "upgrade")
            self.assertTrue(answer.header("Sec-WebSocket-Accept"))
            self.assertEqual(client._exactly(7), b"\x81\x05early")

    def test_the_services_first_words_may_come_with_its_handshake(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client, "/greet"))
            self.assertEqual(client.read().status, 101)
            self.assertEqual(client._exactly(9), b"\x81\x07welcome")

    def test_the_service_sees_a_stripped_token_and_who_forwarded(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client, "/head", Origin="http://example.com"))
            self.assertEqual(client.read().status, 101)
            first = client._exactly(4)
            seen = json.loads(client._exactly(int.from_bytes(first[2:], "big")))
        self.assertTrue(seen["authorization"].endswith(".SIGNATURE_REMOVED_BY_GOOGLE"), seen)
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertEqual(seen["origin"], "http://example.com")
        self.assertEqual(seen["upgrade"].lower(), "websocket")

    def test_single_bytes_pass_without_waiting_for_more(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client))
            self.assertEqual(client.read().status, 101)
            for byte in self.masked("slow"):
                client.send(bytes([byte]))
            self.assertEqual(client._exactly(6), b"\x81\x04slow")

    def test_a_service_that_does_not_upgrade_answers_as_ever(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client, **{"Sec-WebSocket-Version": "1"}))
            self.assertEqual(client.read().status, 400)

    def test_a_refused_handshake_leaves_the_connection_usable(self):
        with Client(self.gateway.address("backend-api")) as client:
            client.send(self.handshake(client, Authorization=None))
            self.assertEqual(client.read().status, 403)
            client.request("GET", "/", {"Authorization": f"Bearer {self.token()}"})
            self.assertEqual(client.read().body, b"plain /")

    def test_the_ingress_finds_the_service_by_its_name(self):
        with Client(self.gateway.ingress) as client:
            request = self.handshake(client).split(b"\r\n")
            request[1] = f"Host: {run_app('backend-api')}".encode()
            client.send(b"\r\n".join(request) + self.masked("named"))
            self.assertEqual(client.read().status, 101)
            self.assertEqual(client._exactly(7), b"\x81\x05named")


if __name__ == "__main__":
    unittest.main()
