"""The gateway's listeners speak TLS beside plain HTTP, on the same port."""

import socket
import ssl
import subprocess
import threading
import time
import unittest
import warnings

from tests.lib.gateway import Gateway, run_app
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, Closed, send_raw
from tests.lib.tls import ca_file, context, wrapper
from tests.lib.upstream import answer

MEGABYTE = 1 << 20


def setUpModule():
    global g  # pylint: disable=global-variable-undefined
    g = Gateway({"private": {"service_account": "backend-sa", "hosts": ["api.example.test"]},
                 "open": {}},
                {"frontend-sa": ["private"], "allUsers": ["open"]})
    unittest.addModuleCleanup(g.close)


def client(address, name, made=None, **more):
    return Client(address, wrap=wrapper(name, made), **more)


def ask(c, path="/", headers=(), method="GET", body=None):
    c.request(method, path, headers, body)
    return c.read(head_only=method == "HEAD")


class Requests(unittest.TestCase):
    def test_a_services_own_listener_takes_a_token_and_refuses_without(self):
        token = g.token(audience="private")
        with client(g.address("private"), "127.0.0.1") as c:
            self.assertEqual(ask(c).status, 403)
        with client(g.address("private"), "127.0.0.1") as c:
            r = ask(c, "/in", {"Authorization": f"Bearer {token}"})
        self.assertEqual(r.status, 200)
        self.assertEqual(g.upstreams["private"].last.target, "/in")

    def test_the_shared_ingress_takes_every_name_of_a_service(self):
        for name in ("open.localhost", run_app("open"), "OPEN.localhost"):
            with self.subTest(name), client(g.ingress, name) as c:
                self.assertEqual(ask(c, "/", {"Host": name}).status, 200)
        with client(g.ingress, "api.example.test") as c:
            self.assertEqual(ask(c, "/", {"Host": "api.example.test"}).status, 403)

    def test_the_container_and_the_log_are_told_the_truth_about_the_scheme(self):
        with client(g.address("open"), "localhost") as c:
            self.assertEqual(ask(c, "/over-tls", {"X-Forwarded-Proto": "gopher"}).status, 200)
        seen = g.upstreams["open"].last
        self.assertEqual(seen.header("X-Forwarded-Proto"), "https")
        self.assertEqual(seen.header("Forwarded"), 'for="127.0.0.1";proto=https')
        self.assertEqual(seen.header("X-Forwarded-For"), "127.0.0.1")
        entry = g.entry("/over-tls")["httpRequest"]
        self.assertEqual(entry["requestUrl"], f"https://{g.address('open')}/over-tls")
        self.assertEqual(entry["remoteIp"], "127.0.0.1")

    def test_a_connection_is_kept_alive(self):
        with client(g.address("open"), "localhost") as c:
            for i in range(20):
                self.assertEqual(ask(c, f"/again/{i}").status, 200)

    def test_pipelined_requests_are_answered_in_order(self):
        with client(g.address("open"), "localhost") as c:
            for i in range(5):
                c.request("GET", f"/pipelined/{i}")
            for i in range(5):
                self.assertIn(f"/pipelined/{i} ".encode(), c.read().body)

    def test_head_and_expect_100_continue_work(self):
        with client(g.address("open"), "localhost") as c:
            self.assertEqual(ask(c, method="HEAD").status, 200)
            c.request("POST", "/", {"Content-Length": "4", "Expect": "100-continue"})
            self.assertEqual(c.read_head().status, 100)
            c.send(b"body")
            self.assertEqual(c.read().status, 200)

    def test_large_bodies_pass_both_ways_unchanged(self):
        block = bytes(range(256)) * 4096
        body = block * 8
        g.upstreams["open"].handle = lambda received: answer(body=received.body)
        self.addCleanup(setattr, g.upstreams["open"], "handle", None)
        with client(g.address("open"), "localhost", timeout=30) as c:
            r = ask(c, "/large", method="POST", body=body)
        self.assertEqual(r.status, 200)
        self.assertTrue(r.body == body, "the body changed on its way")

    def test_a_refused_upload_still_gets_its_answer(self):
        with client(g.address("private"), "localhost", timeout=30) as c:
            try:
                c.request("POST", "/", body=b"x" * (8 * MEGABYTE))
            except OSError:
                pass
            self.assertEqual(c.read().status, 403)

    def test_the_first_event_of_a_stream_arrives_before_the_last_is_sent(self):
        more = threading.Event()

        def serve(reader, unused):
            reader.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n")
            more.wait(10)
            reader.sock.sendall(b"8\r\ndata: 2\n\r\n0\r\n\r\n")
            return True

        g.upstreams["open"].serve = serve
        self.addCleanup(setattr, g.upstreams["open"], "serve", None)
        with client(g.address("open"), "localhost") as c:
            c.request("GET", "/events")
            events = c.chunks(c.read_head())
            self.assertEqual(next(events), b"data: 1\n")
            more.set()
            self.assertEqual(next(events), b"data: 2\n")

    def test_an_answer_that_ends_with_the_connection_ends_it_properly(self):
        g.upstreams["open"].serve = lambda reader, unused: reader.sock.sendall(
            answer(body=b"until the end", length=False))
        self.addCleanup(setattr, g.upstreams["open"], "serve", None)
        with client(g.address("open"), "localhost") as c:
            c.send(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            self.assertTrue(c.rest().endswith(b"until the end"))

    def test_a_slow_reader_costs_no_memory(self):
        size = 30 * MEGABYTE
        g.upstreams["open"].handle = lambda unused: answer(body=b"\0" * size)
        self.addCleanup(setattr, g.upstreams["open"], "handle", None)
        with client(g.address("open"), "localhost", timeout=60) as c:
            before = g.process.rss_kib()
            c.request("GET", "/slowly")
            time.sleep(0.5)
            self.assertLess(g.process.rss_kib() - before, 8 * 1024)
            self.assertEqual(len(c.read().body), size)

    def test_many_clients_at_once(self):
        failures = []

        def many():
            try:
                with client(g.address("open"), "localhost", timeout=30) as c:
                    for i in range(10):
                        assert ask(c, f"/many/{i}").status == 200
            except Exception as e:  # pylint: disable=broad-exception-caught
                failures.append(e)

        threads = [threading.Thread(target=many) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])


class Leaving(unittest.TestCase):
    def test_a_caller_that_leaves_is_noticed_while_the_service_works(self):
        g.upstreams["open"].serve = lambda reader, unused: reader.closed()
        self.addCleanup(setattr, g.upstreams["open"], "serve", None)
        with client(g.address("open"), "localhost") as c:
            c.request("GET", "/left-over-tls")
            wait_until(lambda: any(r.target == "/left-over-tls"
                                   for r in g.upstreams["open"].requests), what="the request")
        entry = g.entry("/left-over-tls")
        self.assertEqual(entry["invoker"]["failure"], "client-gone")

    def test_an_end_without_farewell_is_one_too(self):
        c = client(g.address("open"), "localhost")
        self.assertEqual(ask(c).status, 200)
        plain = socket.socket(fileno=c.sock.detach())
        plain.close()
        with client(g.address("open"), "localhost") as again:
            self.assertEqual(ask(again).status, 200)

    def test_stopping_says_farewell(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}) as other:
            with client(other.address("open"), "localhost") as c:
                self.assertEqual(ask(c).status, 200)
                other.process.send_signal(15)
                self.assertTrue(c.closed())
                self.assertEqual(other.process.wait(), 0)


class Handshakes(unittest.TestCase):
    def handshake(self, name, made=None, address=None):
        with client(address or g.ingress, name, made) as c:
            return c.sock.version(), c.sock.selected_alpn_protocol(), c.sock.getpeercert()

    def test_protocols_are_agreed_on(self):
        for offered, chosen in (((), None), (("http/1.1",), "http/1.1"), (("h2",), "h2"),
                                (("http/1.1", "h2"), "h2"), (("spdy/3", "http/1.1"), "http/1.1")):
            with self.subTest(offered):
                self.assertEqual(self.handshake("open.localhost", context(offered))[1], chosen)

    def test_nothing_in_common_is_an_alert(self):
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.handshake("open.localhost", context(("spdy/3",)))

    def test_without_alpn_it_is_http_1_1(self):
        with client(g.address("open"), "localhost", context(())) as c:
            self.assertEqual(ask(c).status, 200)

    def test_tls_1_3_and_1_2_are_spoken(self):
        self.assertEqual(self.handshake("open.localhost")[0], "TLSv1.3")
        old = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(self.handshake("open.localhost", old)[0], "TLSv1.2")
        with client(g.address("open"), "localhost", old) as c:
            self.assertEqual(ask(c).status, 200)

    def test_tls_1_1_is_not(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            older = context(minimum_version=ssl.TLSVersion.TLSv1,
                            maximum_version=ssl.TLSVersion.TLSv1_1)
        older.set_ciphers("DEFAULT:@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError):
            self.handshake("open.localhost", older)

    def test_the_certificate_is_for_the_name_asked_for(self):
        for name in ("open.localhost", run_app("private"), "api.example.test"):
            with self.subTest(name):
                cert = self.handshake(name)[2]
                self.assertEqual(cert["subjectAltName"], (("DNS", name),))

    def test_without_a_name_it_is_for_the_local_addresses(self):
        cert = self.handshake("127.0.0.1")[2]
        self.assertIn(("IP Address", "127.0.0.1"), cert["subjectAltName"])
        self.assertIn(("DNS", "localhost"), cert["subjectAltName"])

    def test_an_unknown_name_is_refused_and_the_log_says_why(self):
        for name in ("nobody.localhost", "example.com", "www." + run_app("open")):
            with self.subTest(name), self.assertRaisesRegex(ssl.SSLError, "(?i)unrecognized.name"):
                self.handshake(name)
        g.process.wait_for_line("no certificate for the name")

    def test_the_service_behind_every_listener_is_known_by_name_too(self):
        self.assertEqual(self.handshake("private.localhost", address=g.address("open"))[1],
                         "http/1.1")

    def test_a_client_that_does_not_trust_us_is_told_of_in_the_log(self):
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.handshake("open.localhost", ssl.create_default_context())
        g.process.wait_for_line("the client does not trust the certificate")

    def test_sessions_are_resumed_by_whichever_worker(self):
        made = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        with client(g.ingress, "open.localhost", made) as c:
            session = c.sock.session
        for _ in range(8):
            resumed = Client(g.ingress, wrap=lambda sock: made.wrap_socket(
                sock, server_hostname="open.localhost", session=session))
            with resumed as c:
                self.assertTrue(c.sock.session_reused)

    def test_client_certificates_are_not_asked_for(self):
        out = subprocess.run(
            ["openssl", "s_client", "-connect", g.ingress, "-servername", "open.localhost",
             "-CAfile", ca_file(), "-verify_return_error"],
            input="", capture_output=True, text=True, timeout=20, check=True).stdout
        self.assertIn("No client certificate CA names sent", out)
        self.assertIn("Verification: OK", out)


class OnOnePort(unittest.TestCase):
    def test_plain_http_is_served_beside_tls(self):
        with client(g.address("open"), "localhost") as c:
            self.assertEqual(g.get("open").status, 200)
            self.assertEqual(ask(c).status, 200)

    def test_a_request_byte_by_byte_is_served(self):
        with Client(g.address("open")) as c:
            for byte in b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n":
                c.send(bytes([byte]))
                time.sleep(0.002)
            self.assertEqual(c.read().status, 200)

    def test_a_handshake_byte_by_byte_succeeds(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context().wrap_bio(incoming, outgoing, server_hostname="open.localhost")
        with Client(g.ingress) as c:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        c.send(bytes([byte]))
                    incoming.write(c.sock.recv(65536))
            self.assertEqual(tls.selected_alpn_protocol(), "http/1.1")

    def test_what_is_not_tls_after_all_is_turned_away(self):
        reply = send_raw(g.address("open"), b"\x16\x03\x01\x00\x05hello")
        self.assertEqual(reply[:1], b"\x15")
        self.assertEqual(g.get("open").status, 200)

    def test_who_leaves_before_or_in_a_handshake_harms_nobody(self):
        for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"P", b"CONN"):
            with self.subTest(data):
                try:
                    send_raw(g.address("open"), data, half_close=True)
                except Closed:
                    pass
        self.assertEqual(g.get("open").status, 200)


class Curl(unittest.TestCase):
    def curl(self, *arguments):
        return subprocess.run(["curl", "-sS", "--cacert", ca_file(), "--http1.1", *arguments],
                              capture_output=True, text=True, timeout=20, check=False)

    def test_a_run_app_url_is_asked_as_in_production(self):
        name = run_app("open")
        host, port = g.ingress.rsplit(":", 1)
        out = self.curl("--connect-to", f"{name}:443:{host}:{port}", f"https://{name}/curl")
        self.assertEqual((out.returncode, out.stderr), (0, ""))
        self.assertIn("GET /curl HTTP/1.1", out.stdout)

    def test_an_unknown_name_fails_the_handshake(self):
        host, port = g.ingress.rsplit(":", 1)
        out = self.curl("--connect-to", f"nobody.example:443:{host}:{port}",
                        "https://nobody.example/")
        self.assertNotEqual(out.returncode, 0)


if __name__ == "__main__":
    unittest.main()
