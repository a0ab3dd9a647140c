"""The shared ingress as an HTTP proxy: CONNECT and absolute-form, for the topology's own hosts and,
where it says so, for others."""

import http.client
import os
import socket
import ssl
import subprocess
import threading
import time
import unittest

from tests.lib.gateway import Gateway, run_app
from tests.lib.process import wait_until
from tests.lib.rawhttp import Client, send_raw
from tests.lib.tls import ca_file, context, wrapper
from tests.lib.topology import closed_port
from tests.lib.upstream import Upstream, answer

SERVICES = {"private": {"service_account": "backend-sa", "hosts": ["api.example.test"]},
            "open": {}}
NO_SUCH_HOST = "x" * 64 + ".example"  # too long a label: no resolver is asked
MATRIX = {"frontend-sa": ["private"], "allUsers": ["open"]}


def setUpModule():
    global closed, allowing  # pylint: disable=global-variable-undefined
    closed = Gateway(SERVICES, MATRIX)
    unittest.addModuleCleanup(closed.close)
    allowing = Gateway(SERVICES, MATRIX, egress="allow")
    unittest.addModuleCleanup(allowing.close)


def connect(c, authority, headers=()):
    c.request("CONNECT", authority, [("Host", authority), *headers])
    return c.read_head()


def inside(g, name, authority=None, made=None):
    """A TLS connection inside a tunnel."""
    c = Client(g.ingress)
    head = connect(c, authority or f"{name}:443")
    assert (head.status, head.reason) == (200, "Connection Established"), head.raw_head
    c.wrap(wrapper(name, made))
    return c


def ask(c, host, path="/", headers=()):
    c.request("GET", path, [("Host", host), *headers])
    return c.read()


class OwnHosts(unittest.TestCase):
    def test_a_run_app_host_is_spoken_to_as_in_production(self):
        name = run_app("private")
        token = closed.token(audience=f"https://{name}")
        with inside(closed, name) as c:
            self.assertEqual(ask(c, name).status, 403)
        with inside(closed, name) as c:
            r = ask(c, name, "/in", [("Authorization", f"Bearer {token}")])
        self.assertEqual(r.status, 200)
        self.assertEqual(closed.upstreams["private"].last.header("X-Forwarded-Proto"), "https")

    def test_every_name_of_a_service_is_ours(self):
        for name in ("open.localhost", "OPEN.localhost", run_app("open")):
            with self.subTest(name), inside(closed, name) as c:
                self.assertEqual(ask(c, name).status, 200)

    def test_h2_can_be_spoken_inside(self):
        with inside(closed, "open.localhost", made=context(("h2", "http/1.1"))) as c:
            self.assertEqual(c.sock.selected_alpn_protocol(), "h2")

    def test_a_services_own_address_leads_to_that_service(self):
        with inside(closed, "127.0.0.1", closed.address("open")) as c:
            self.assertEqual(ask(c, "whatever.example").status, 200)

    def test_plain_http_is_spoken_inside_too(self):
        with Client(closed.ingress) as c:
            self.assertEqual(connect(c, closed.address("open")).status, 200)
            self.assertEqual(ask(c, "whatever.example").status, 200)
        with Client(closed.ingress) as c:
            self.assertEqual(connect(c, "open.localhost:80").status, 200)
            self.assertEqual(ask(c, "open.localhost").status, 200)
            self.assertEqual(ask(c, "nobody.example").status, 404)

    def test_the_ingress_itself_is_one_of_us(self):
        with inside(closed, "open.localhost", closed.ingress) as c:
            self.assertEqual(ask(c, "open.localhost").status, 200)

    def test_bytes_right_behind_the_head_are_not_lost(self):
        with Client(closed.ingress) as c:
            c.send(b"CONNECT open.localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n"
                   b"GET /behind HTTP/1.1\r\nHost: open.localhost\r\n\r\n")
            self.assertEqual(c.read_head().status, 200)
            self.assertEqual(c.read().status, 200)
        self.assertEqual(closed.upstreams["open"].last.target, "/behind")

    def test_a_head_byte_by_byte_is_understood(self):
        with Client(closed.ingress) as c:
            for byte in b"CONNECT open.localhost:80 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: b\r\n\r\n":
                c.send(bytes([byte]))
                time.sleep(0.002)
            self.assertEqual(c.read_head().status, 200)
            self.assertEqual(ask(c, "open.localhost").status, 200)

    def test_http_1_0_without_a_host_is_enough(self):
        with Client(closed.ingress) as c:
            c.send(b"CONNECT open.localhost:443 HTTP/1.0\r\n\r\n")
            self.assertEqual(c.read_head().status, 200)

    def test_there_is_no_tunnel_within_a_tunnel(self):
        with Client(closed.ingress) as c:
            self.assertEqual(connect(c, "open.localhost:80").status, 200)
            self.assertEqual(connect(c, "open.localhost:80").status, 400)


class Malformed(unittest.TestCase):
    def test_heads_that_are_not_sound_are_refused(self):
        for head in (b"CONNECT open.localhost HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"CONNECT open.localhost:0 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"CONNECT open.localhost:99999 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"CONNECT me@open.localhost:1 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"CONNECT open.localhost:1 HTTP/1.1\r\n\r\n",
                     b"CONNECT open.localhost:1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                     b"CONNECT open.localhost:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n",
                     b"CONNECT open.localhost:1 HTTP/1.1\nHost: x\n\n",
                     b"CONNECT open.localhost:1 HTTP/1.1\r\nHost : x\r\n\r\n",
                     b"CONNECT open.localhost:1 HTTP/2.0\r\nHost: x\r\n\r\n"):
            with self.subTest(head):
                reply = send_raw(closed.ingress, head)
                self.assertEqual(reply[:12], b"HTTP/1.1 400")

    def test_a_head_without_end_is_refused(self):
        reply = send_raw(closed.ingress, b"CONNECT open.localhost:1 HTTP/1.1\r\nX: " + b"x" * 9000)
        self.assertEqual(reply[:12], b"HTTP/1.1 400")

    def test_a_services_own_listener_is_no_proxy(self):
        with Client(closed.address("open")) as c:
            c.request("CONNECT", "open.localhost:443")
            self.assertIn(c.read().status, (400, 405))


class Denied(unittest.TestCase):
    def assert_denied(self, status, content_type, text):
        self.assertEqual(status, 403)
        self.assertEqual(content_type, "text/plain; charset=utf-8")
        self.assertIn("www.example.com", text)
        self.assertIn("egress: allow", text)
        self.assertIn(closed.topology.path.name, text)

    def test_connect_to_another_host_is_refused_and_says_how_to_allow_it(self):
        with Client(closed.ingress) as c:
            c.request("CONNECT", "www.example.com:443")
            r = c.read()
            self.assert_denied(r.status, r.header("Content-Type"), r.text)
            self.assertTrue(c.closed())
        closed.process.wait_for_line("CONNECT refused")

    def test_so_is_a_request_in_absolute_form(self):
        with Client(closed.ingress) as c:
            c.request("GET", "http://www.example.com/x")
            r = c.read()
            self.assert_denied(r.status, r.header("Content-Type"), r.text)

    def test_an_unknown_host_in_origin_form_stays_404(self):
        self.assertEqual(closed.at_host("www.example.com").status, 404)

    def test_nothing_else_on_this_machine_can_be_reached(self):
        with Upstream() as other:
            for authority in (other.address, f"localhost:{other.port}"):
                with self.subTest(authority), Client(closed.ingress) as c:
                    self.assertEqual(connect(c, authority).status, 403)
            self.assertEqual(other.connections, 0)


class AbsoluteForm(unittest.TestCase):
    def test_http_of_a_run_app_name_is_redirected_to_https(self):
        name = run_app("open")
        with Client(closed.ingress) as c:
            c.request("GET", f"http://{name}/a?b=<c>")
            r = c.read()
        self.assertEqual(r.status, 302)
        self.assertEqual(r.header("Location"), f"https://{name}/a?b=<c>")
        self.assertIn("302 Moved", r.text)
        self.assertIn("b=&lt;c&gt;", r.text)

    def test_over_tls_or_for_other_names_it_is_not(self):
        name = run_app("open")
        self.assertEqual(closed.at_host(name).status, 200)
        with Client(closed.ingress) as c:
            c.request("GET", "http://open.localhost/")
            self.assertEqual(c.read().status, 200)
        with inside(closed, name) as c:
            c.request("GET", f"http://{name}/", {"Host": name})
            self.assertEqual(c.read().status, 200)

    def test_a_services_own_address_leads_to_that_service(self):
        with Client(closed.ingress) as c:
            c.request("GET", closed.url("open") + "/by-address")
            self.assertEqual(c.read().status, 200)
            c.request("GET", closed.url("private") + "/by-address")
            self.assertEqual(c.read().status, 403)


class Allowed(unittest.TestCase):
    def test_connect_is_a_blind_tunnel(self):
        with Upstream() as other, Client(allowing.ingress) as c:
            self.assertEqual(connect(c, f"localhost:{other.port}").status, 200)
            self.assertEqual(ask(c, "whatever", "/out").status, 200)
            self.assertEqual(other.last.target, "/out")
            self.assertEqual(other.last.headers, [("Host", "whatever")])

    def test_bytes_right_behind_the_head_go_through(self):
        with Upstream() as other, Client(allowing.ingress) as c:
            c.send(f"CONNECT {other.address} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                   + b"GET /behind HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(c.read_head().status, 200)
            self.assertEqual(c.read().status, 200)

    def test_much_goes_through_both_ways_and_ends_are_passed_on(self):
        block = os.urandom(1 << 20) * 8

        def echo(listener):
            sock, _ = listener.accept()
            with sock:
                data = bytearray()
                while piece := sock.recv(65536):
                    data += piece
                sock.sendall(data)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            t = threading.Thread(target=echo, args=(listener,))
            t.start()
            with Client(allowing.ingress, timeout=30) as c:
                port = listener.getsockname()[1]
                self.assertEqual(connect(c, f"127.0.0.1:{port}").status, 200)
                c.send(block)
                c.half_close()
                self.assertTrue(c.rest() == block, "changed on its way")
            t.join()

    def test_own_hosts_stay_our_own(self):
        with inside(allowing, run_app("open")) as c:
            self.assertEqual(ask(c, run_app("open")).status, 200)

    def test_what_cannot_be_reached_is_502(self):
        for authority, why in ((f"127.0.0.1:{closed_port()}", "refused"),
                               (f"{NO_SUCH_HOST}:443", "no such host")):
            with self.subTest(authority), Client(allowing.ingress) as c:
                c.request("CONNECT", authority)
                r = c.read()
                self.assertEqual(r.status, 502)
                self.assertIn(why, r.text)

    def test_a_request_in_absolute_form_is_passed_on_as_it_is(self):
        with Upstream(handle=lambda unused: answer(201, b"hello", [("Server", "other")])) as other, \
                Client(allowing.ingress) as c:
            c.request("POST", f"http://localhost:{other.port}/x?y",
                      [("Host", f"localhost:{other.port}"), ("Authorization", "Bearer a.b.c"),
                       ("Proxy-Connection", "keep-alive"), ("X-Forwarded-For", "1.2.3.4")], b"body")
            r = c.read()
            self.assertEqual((r.status, r.body), (201, b"hello"))
            self.assertEqual(r.all("Server"), ["other"])
            self.assertEqual(r.all("X-Cloud-Trace-Context"), [])
            seen = other.last
        self.assertEqual((seen.method, seen.target, seen.body), ("POST", "/x?y", b"body"))
        self.assertEqual(seen.headers, [
            ("Host", f"localhost:{other.port}"), ("Authorization", "Bearer a.b.c"),
            ("X-Forwarded-For", "1.2.3.4"), ("Content-Length", "4")])

    def test_absolute_forms_that_lead_nowhere_are_502(self):
        for url, why in ((f"http://127.0.0.1:{closed_port()}/", "cannot be reached"),
                         (f"http://{NO_SUCH_HOST}/", "no such host"),
                         ("https://www.example.com/", "CONNECT")):
            with self.subTest(url), Client(allowing.ingress) as c:
                c.request("GET", url)
                r = c.read()
                self.assertEqual(r.status, 502)
                self.assertIn(why, r.text)

    def test_a_caller_that_leaves_ends_the_tunnel(self):
        with Upstream(serve=lambda reader, unused: reader.closed()) as other:
            with Client(allowing.ingress) as c:
                self.assertEqual(connect(c, other.address).status, 200)
                c.request("GET", "/")
                other.wait_for(1)
            wait_until(lambda: not other.open, what="the upstream's connection to end")

    def test_stopping_ends_tunnels(self):
        with Gateway({"open": {}}, {"allUsers": ["open"]}, egress="allow") as g, \
                Upstream() as other, Client(g.ingress) as c:
            self.assertEqual(connect(c, other.address).status, 200)
            g.process.send_signal(15)
            self.assertTrue(c.closed())
            self.assertEqual(g.process.wait(), 0)


class RealClients(unittest.TestCase):
    def curl(self, g, url, *arguments):
        return subprocess.run(["curl", "-sS", "--cacert", ca_file(), "--http1.1", "--noproxy", "",
                               "--proxy", f"http://{g.ingress}", *arguments, url],
                              capture_output=True, text=True, timeout=20, check=False)

    def test_curl_asks_a_run_app_url_through_the_proxy(self):
        name = run_app("open")
        out = self.curl(closed, f"https://{name}/curl")
        self.assertEqual((out.returncode, out.stderr), (0, ""))
        self.assertIn("GET /curl HTTP/1.1", out.stdout)

    def test_curl_follows_from_http_to_https(self):
        out = self.curl(closed, f"http://{run_app('open')}/moved", "-L")
        self.assertEqual((out.returncode, out.stderr), (0, ""))
        self.assertIn("GET /moved HTTP/1.1", out.stdout)

    def test_curl_is_told_why_another_host_is_refused(self):
        out = self.curl(closed, "https://www.example.com/")
        self.assertIn("403", out.stderr)
        out = self.curl(closed, "http://www.example.com/")
        self.assertIn("egress: allow", out.stdout)

    def test_pythons_own_client_uses_the_proxy(self):
        name = run_app("open")
        host, port = closed.ingress.rsplit(":", 1)
        c = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(
            cafile=ca_file()), timeout=10)
        c.set_tunnel(name, 443)
        c.request("GET", "/python")
        self.assertEqual(c.getresponse().status, 200)
        c.close()


if __name__ == "__main__":
    unittest.main()
