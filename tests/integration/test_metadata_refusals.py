"""Who is refused and how; the headers of every answer; methods; bad input on the socket."""

import socket

from tests.lib.harness import Client, send_raw
from tests.lib.metadata import EMAIL, FLAVOR, SA, V1, MetadataCase

ROOT_BODY = "computeMetadata/\n"
EMAIL_PATH = f"{SA}/default/email"


class Flavour(MetadataCase):
    def test_the_root_answers_200_and_the_flavour_without_the_header(self):
        response = self.ask("/", {})
        self.assertEqual((response.status, response.text), (200, ROOT_BODY))
        self.assertEqual(response.header("Metadata-Flavor"), "Google")

    def test_the_root_does_not_look_at_the_flavours_value(self):
        self.assertEqual(self.ask("/", {"Metadata-Flavor": "Not Google"}).status, 200)

    def test_the_root_without_the_flavour_shows_nothing_that_hangs_below_it(self):
        for query in ("?recursive=true", "?recursive=true&alt=text", "?wait_for_change=true"):
            for headers in ({}, {"Metadata-Flavor": "Not Google"}):
                response = self.ask("/" + query, headers)
                self.assertEqual((response.status, response.text), (200, ROOT_BODY), query)
        self.assertIn(EMAIL, self.ask("/?recursive=true").text)

    def test_blanks_around_a_header_s_value_are_no_part_of_it(self):
        for flavour in ("Metadata-Flavor:Google", "Metadata-Flavor: \tGoogle \t "):
            answer = send_raw(self.address, f"GET {EMAIL_PATH} HTTP/1.1\r\nHost: metadata \r\n"
                              f"{flavour}\r\nConnection: close\r\n\r\n".encode("ascii"))
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)

    def test_a_missing_flavour_is_403_without_the_flavour_in_the_answer(self):
        for path in (EMAIL_PATH, f"{SA}/default/token", V1, f"{V1}/", "/nowhere"):
            response = self.ask(path, {})
            self.assertEqual(response.status, 403, path)
            self.assertIsNone(response.header("Metadata-Flavor"))
            self.assertEqual(response.header("Content-Type"), "text/html; charset=UTF-8")
            self.assertIn("<title>Error 403 (Forbidden)!!1</title>", response.text)

    def test_a_wrong_flavour_is_403(self):
        for value in ("google", "GOOGLE", "Not Google", "Google,Google", ""):
            self.assertEqual(self.ask(EMAIL_PATH, {"Metadata-Flavor": value}).status, 403, value)

    def test_the_legacy_header_does_not_stand_in_for_the_flavour(self):
        self.assertEqual(self.ask(EMAIL_PATH, {"X-Google-Metadata-Request": "True"}).status, 403)

    def test_the_flavours_name_is_case_insensitive(self):
        for name in ("metadata-flavor", "METADATA-FLAVOR"):
            self.assertEqual(self.ask(EMAIL_PATH, {name: "Google"}).status, 200)

    def test_x_forwarded_for_is_refused_everywhere(self):
        for path in ("/", EMAIL_PATH, f"{SA}/default/token"):
            for value in ("1.2.3.4", "x", ""):
                response = self.ask(path, {"X-Forwarded-For": value, **FLAVOR})
                self.assertEqual((response.status, response.text), (403, "Forbidden"))
                self.assertEqual(response.header("Content-Type"), "text/html; charset=UTF-8")

    def test_answers_to_flavoured_requests_carry_the_flavour(self):
        for path in ("/", EMAIL_PATH, V1, "/nowhere", f"{SA}/default/identity",
                     f"{SA}/default/token"):
            response = self.ask(path)
            self.assertEqual(response.header("Metadata-Flavor"), "Google", path)
            self.assertIn("Metadata-Flavor", response.names)  # one client compares the case

    def test_answers_name_the_serverless_server_and_have_length_type_and_date(self):
        for path in ("/", EMAIL_PATH, V1, "/nowhere", f"{SA}/default/token"):
            response = self.ask(path)
            self.assertEqual(response.header("Server"), "Metadata Server for Serverless")
            self.assertEqual(int(response.header("Content-Length")), len(response.body))
            self.assertIsNotNone(response.header("Content-Type"))
            self.assertIsNotNone(response.header("Date"))
            self.assertIsNone(response.header("Transfer-Encoding"))
            self.assertIsNone(response.header("Content-Encoding"))

    def test_accept_encoding_changes_nothing(self):
        response = self.ask(EMAIL_PATH, {"Accept-Encoding": "gzip, deflate, br", **FLAVOR})
        self.assertEqual(response.text, EMAIL)


class Hosts(MetadataCase):
    extra = ["--hosts", "meta.example,other.example"]

    def test_every_documented_host_is_accepted(self):
        for host in (self.address, "metadata.google.internal", "metadata.google.internal.",
                     "metadata", "169.254.169.254", "metadata.google.internal:80", "localhost:1",
                     "[::1]:80", "Metadata.Google.Internal", "meta.example", "other.example:99"):
            response = self.ask(EMAIL_PATH, {"Host": host, **FLAVOR})
            self.assertEqual((response.status, response.text), (200, EMAIL), host)

    def test_a_name_under_somebody_elses_control_is_refused(self):
        for host in ("evil.example", "metadata.google.internal.evil.example",
                     "127.0.0.1.evil.example", "localhost.evil.example:80"):
            for path in ("/", EMAIL_PATH, "/oauth2/v3/certs"):
                response = self.ask(path, {"Host": host, **FLAVOR})
                self.assertEqual(response.status, 403, host)
                self.assertIsNone(response.header("Metadata-Flavor"))
                self.assertIn("--hosts", response.text)

    def test_the_host_of_an_absolute_target_counts(self):
        for target, status in ((f"http://metadata.google.internal{EMAIL_PATH}", 200),
                               (f"http://evil.example{EMAIL_PATH}", 403)):
            client = self.client()
            client.request("GET", target, FLAVOR)
            self.assertEqual(client.read().status, status)


class Methods(MetadataCase):
    def test_head_is_get_without_body(self):
        for path in ("/", EMAIL_PATH, f"{V1}/"):
            get, head = self.ask(path), self.ask(path, method="HEAD")
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(head.header("Content-Length"), str(len(get.body)))
            self.assertEqual(head.header("ETag"), get.header("ETag"))
            self.assertEqual(head.header("Metadata-Flavor"), "Google")

    def test_post_answers_as_get(self):
        self.assertEqual(self.ask(f"{V1}/?recursive=true", method="POST", body=b"").body,
                         self.ask(f"{V1}/?recursive=true").body)
        self.assertEqual(self.ask(f"{SA}/default/token", method="POST", body=b"chain").status, 200)
        self.assertEqual(
            self.ask(f"{SA}/default/identity?audience=x", method="POST", body=b"c").status, 200)

    def test_other_methods_are_405_and_named(self):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
            response = self.ask(EMAIL_PATH, method=method)
            self.assertEqual(response.status, 405, method)
            self.assertEqual(response.header("Allow"), "GET, HEAD, POST")
            self.assertIn(method, response.text)


class BadInput(MetadataCase):
    def tearDown(self):
        self.assertEqual(self.value(EMAIL_PATH), EMAIL)  # nothing else is disturbed

    def status(self, data, half_close=False):
        raw = send_raw(self.address, data, half_close=half_close)
        return int(raw.split(b" ")[1]) if raw.startswith(b"HTTP/1.") else raw

    def test_garbage_is_refused_or_the_connection_ends(self):
        for data in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x80" * 200,
                     b"hello\r\n\r\n", b"GET\r\n\r\n", b"\r\n\r\n\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\xff" * 70000):
            with self.subTest(data[:20]):
                got = self.status(data, half_close=True)
                self.assertTrue(got == b"" or (isinstance(got, int) and 400 <= got <= 505), got)

    def test_malformed_heads_are_400(self):
        for head in (b"GET / HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
                     b"GET x HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n"):
            with self.subTest(head):
                self.assertEqual(self.status(head, half_close=True), 400)

    def test_a_huge_head_is_431_or_414(self):
        for head in (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000,
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 20000):
            with self.subTest(head[:40]):
                with Client(self.address) as client:
                    try:
                        client.send(head + b"\r\n\r\n")
                    except OSError:
                        pass  # refused while we were still sending
                    else:
                        try:
                            raw = client.rest()
                        except ConnectionResetError:
                            raw = b""
                        self.assertIn(raw[9:12], (b"431", b"414", b"400", b""), raw[:100])

    def test_a_body_beyond_the_limit_is_413(self):
        response = self.ask(EMAIL_PATH, method="POST", body=b"x" * 100000)
        self.assertEqual(response.status, 413)

    def test_half_requests_and_slow_clients_hold_up_nobody(self):
        slow = [self.client() for _ in range(50)]
        for n, client in enumerate(slow):
            client.send(b"GET /computeMetadata/v1/project/project-id HTTP/1.1\r\nHost: loc"[:n + 1])
        self.assertEqual(self.value(EMAIL_PATH), EMAIL)
        rest = b"GET /computeMetadata/v1/project/project-id HTTP/1.1\r\nHost: localhost\r\n" \
               b"Metadata-Flavor: Google\r\n\r\n"
        for n, client in enumerate(slow):
            client.send(rest[n + 1:])
            self.assertEqual(client.read().text, "my-project")

    def test_a_head_byte_by_byte_is_understood(self):
        client = self.client()
        for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n":
            client.send(bytes([byte]))
        self.assertEqual(client.read().text, ROOT_BODY)

    def test_clients_that_leave_without_reading_do_no_harm(self):
        for _ in range(50):
            with Client(self.address) as client:
                client.request("GET", f"{SA}/default/token", FLAVOR)
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def test_pipelined_requests_are_answered_in_order(self):
        client = self.client()
        for path in ("/", EMAIL_PATH, f"{V1}/project/project-id"):
            client.request("GET", path, FLAVOR)
        self.assertEqual([client.read().text for _ in range(3)],
                         [ROOT_BODY, EMAIL, "my-project"])

    def test_http_1_0_is_answered_and_closed(self):
        raw = send_raw(self.address, b"GET /computeMetadata/v1/project HTTP/1.0\r\n"
                       b"Metadata-Flavor: Google\r\n\r\n")
        head, _, body = raw.partition(b"\r\n\r\n")
        self.assertIn(b" 301 ", head)
        self.assertIn(f"Location: http://{self.address}{V1}/project/\r\n".encode(), head + b"\r\n")
        self.assertEqual(body, f"{V1}/project/\n".encode())

    def test_connection_close_is_honoured(self):
        client = self.client()
        client.request("GET", "/", {"Host": "metadata.google.internal.", "Connection": "close"})
        self.assertEqual(client.read().status, 200)
        self.assertTrue(client.closed())

