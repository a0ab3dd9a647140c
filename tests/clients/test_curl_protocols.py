"""curl on every protocol that a caller may choose: HTTP/1.1, HTTP/2 with and without TLS, and the
ingress as an HTTP proxy."""

import hashlib
import json
import shutil
import threading
import unittest

from tests.clients.peers import plain_env
from tests.clients.support import W401, Program, page_401, page_403, temporary
from tests.lib.gateway import Gateway, run_app
from tests.lib.harness import answer, run

CURL = shutil.which("curl")
HTTP2 = bool(CURL) and "HTTP2" in run("--version", program=CURL)[1]
MIB = 1 << 20
SIZE = 64 * MIB
PIECE = bytes(range(256)) * 4096  # a mebibyte


def digest(pieces):
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return total.hexdigest()


@unittest.skipUnless(HTTP2, "curl with HTTP/2 is not installed")
class CurlTest(unittest.TestCase):
    """Every test of a class has the same gateway."""

    @classmethod
    def setUpClass(cls):
        settings = {"service_account": "backend-sa", "limits": {"request_body": "off"}}
        cls.gateway = Gateway({"backend-api": settings, "db-service": settings},
                              {"frontend-sa": ["backend-api"]})
        cls.addClassCleanup(cls.gateway.close)
        cls.upstream = cls.gateway.upstreams["backend-api"]

    def setUp(self):
        self.upstream.handle = self.upstream.serve = None
        self.folder = temporary(self)

    def curl(self, url, *options, token="backend-api", timeout=60):
        """{"status", "version", "headers", "body"}; token: the service that it is for, or None."""
        if token:
            options += ("-H", f"Authorization: Bearer {self.gateway.token(audience=token)}")
        command = [CURL, "-sS", "--cacert", self.gateway.ca, "-D", self.folder / "head", "-o",
                   self.folder / "body", "-w", "%{json}", url, *options]
        with Program(command, plain_env()) as process:
            status = process.wait(timeout)
            self.assertEqual(status, 0, process.err.text())
            told = json.loads(process.out.text())
        lines = (self.folder / "head").read_text(encoding="latin-1").split("\n")
        fields = [line.strip().split(": ", 1) for line in lines if ": " in line]
        body = self.folder / "body"
        return {"status": told["http_code"], "version": told["http_version"],
                "heads": [line.strip() for line in lines if line.startswith("HTTP/")],
                "headers": {name.lower(): value for name, value in fields},
                "body": body.read_bytes() if body.exists() else b""}

    def command(self, *more):
        """curl as it is where its own report is all that counts."""
        token = self.gateway.token(audience="backend-api")
        command = [CURL, "-sS", "--cacert", self.gateway.ca, "-o", "/dev/null", *more, "-H",
                   f"Authorization: Bearer {token}"]
        with Program(command, plain_env()) as process:
            self.assertEqual(process.wait(30), 0, process.err.text())
            return process.out.all()


class Ways:
    """The same calls, whichever protocol."""

    scheme = "http"
    options = ()
    version = None

    def url(self, path, service="backend-api"):
        return f"{self.scheme}://{self.gateway.address(service)}{path}"

    def ask(self, path, *options, service="backend-api", **more):
        got = self.curl(self.url(path, service), *self.options, *options, **more)
        self.assertEqual(got["version"], self.version)
        return got

    def test_a_call_is_allowed(self):
        got = self.ask("/items?x=1")
        self.assertEqual(got["status"], 200)
        self.assertTrue(got["body"].startswith(b"GET /items?x=1 HTTP/1.1\r\n"), got["body"])

    def test_the_service_is_told_the_callers_scheme(self):
        self.ask("/scheme")
        forwarded = self.upstream.last.header("X-Forwarded-Proto")
        self.assertIn(f'proto={forwarded}', self.upstream.last.header("Forwarded"))
        self.assertEqual(forwarded, self.scheme)

    def test_refusals_are_the_same_pages(self):
        got = self.ask("/a?b", service="db-service", token="db-service")
        self.assertEqual((got["status"], got["body"].decode()), (403, page_403("/a")))
        got = self.ask("/a?b", token=None)
        self.assertEqual((got["status"], got["body"].decode()), (403, page_403("/a")))
        got = self.ask("/a?b", token="db-service")
        self.assertEqual((got["status"], got["body"].decode()), (401, page_401("/a")))
        self.assertEqual(got["headers"]["www-authenticate"], W401)

    def test_head_tells_the_length_and_sends_nothing(self):
        self.upstream.handle = lambda received: answer(headers=[("Content-Length", "1234")],
                                                       length=False)
        got = self.ask("/head", "--head")
        self.assertEqual((got["status"], got["headers"]["content-length"]), (200, "1234"))
        # With --head curl writes the head where the body would be.
        self.assertTrue(got["body"].startswith(b"HTTP/"))
        self.assertEqual(self.upstream.last.method, "HEAD")

    def test_an_upload_of_64_mebibytes_arrives_whole(self):
        (self.folder / "upload").write_bytes(PIECE * (SIZE // MIB))
        self.upstream.handle = lambda received: answer(body=digest([received.body]).encode())
        got = self.ask("/upload", "-T", self.folder / "upload")
        self.assertEqual(got["body"].decode(), digest([PIECE] * (SIZE // MIB)))

    def test_a_download_of_64_mebibytes_arrives_whole(self):
        def serve(reader, received):
            reader.sock.sendall(answer(headers=[("Transfer-Encoding", "chunked")], length=False))
            for _ in range(SIZE // MIB):
                reader.sock.sendall(b"%x\r\n" % MIB + PIECE + b"\r\n")
            reader.sock.sendall(b"0\r\n\r\n")
            return True
        self.upstream.serve = serve
        got = self.ask("/download")
        self.assertEqual(len(got["body"]), SIZE)
        self.assertEqual(digest([got["body"]]), digest([PIECE] * (SIZE // MIB)))

    def test_an_upload_that_waits_for_100_continue_gets_it(self):
        got = self.ask("/continue", "-H", "Expect: 100-continue", "--expect100-timeout", "30",
                       "--data-binary", "the body")
        self.assertTrue(got["body"].endswith(b"the body"), got)

    def test_trailers_arrive(self):
        self.upstream.handle = lambda received: answer(
            headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")], length=False
        ) + b"3\r\nabc\r\n0\r\nX-Sum: 294\r\n\r\n"
        got = self.ask("/trailers", "-H", "TE: trailers")
        self.assertEqual(got["body"], b"abc")
        if got["version"] == "2":
            self.assertEqual(got["headers"].get("x-sum"), "294")

    def test_one_connection_serves_many_requests(self):
        lines = self.command("-w", "%{http_code} %{num_connects}\n", *self.options,
                             self.url("/many?[1-20]"))
        self.assertEqual(lines, ["200 1"] + ["200 0"] * 19)


class Http1Ways(Ways):
    options = ("--http1.1",)
    version = "1.1"

    def test_a_refused_upload_is_not_asked_for_its_body(self):
        (self.folder / "upload").write_bytes(PIECE * 8)
        got = self.ask("/refused", "-T", self.folder / "upload", "-H", "Expect: 100-continue",
                       "--expect100-timeout", "30", service="db-service", token="db-service")
        self.assertEqual((got["status"], len(got["heads"])), (403, 1), got["heads"])


class Http1Test(Http1Ways, CurlTest):
    pass


class SecureHttp1Test(Http1Ways, CurlTest):
    scheme = "https"


class Http2Test(Ways, CurlTest):
    options = ("--http2-prior-knowledge",)
    version = "2"
    # curl 7.88, Debian 12's, cannot use a connection twice that it has by prior knowledge.
    test_one_connection_serves_many_requests = None


class SecureHttp2Test(Ways, CurlTest):
    """By ALPN: curl asks for HTTP/2 when it may."""

    scheme = "https"
    version = "2"

    def test_parallel_requests_share_an_http_2_connection(self):
        """The first is answered when the last has come."""
        count, all_here = 10, threading.Barrier(10, timeout=20)

        def handle(received):
            all_here.wait()
            return answer(body=b"x")
        self.upstream.handle = handle
        url = self.url(f"/parallel?[1-{count}]")
        lines = self.command("-Z", "-w", "%{http_code} %{http_version}\n", url)
        self.assertEqual(lines, ["200 2"] * count)

    def test_without_the_ca_nothing_is_trusted(self):
        with Program([CURL, "-sS", self.url("/")], plain_env()) as process:
            self.assertEqual(process.wait(30), 60, process.err.text())


class ProxyTest(CurlTest):
    """The ingress as an HTTP proxy."""

    def by_proxy(self, path, *options, service="backend-api", scheme="https", **more):
        return self.curl(f"{scheme}://{run_app(service)}{path}", "--proxy",
                         f"http://{self.gateway.ingress}", *options, **more)

    def test_the_production_url_works_through_the_proxy(self):
        for options, version in (([], "2"), (["--http1.1"], "1.1")):
            with self.subTest(version=version):
                got = self.by_proxy("/items", *options)
                self.assertEqual((got["status"], got["version"]), (200, version))
                self.assertEqual(self.upstream.last.header("Host"), run_app("backend-api"))
                self.assertEqual(self.upstream.last.header("X-Forwarded-Proto"), "https")

    def test_refusals_through_the_proxy_are_the_same_pages(self):
        for options in ([], ["--http1.1"]):
            with self.subTest(options=options):
                got = self.by_proxy("/a?b", *options, service="db-service", token="db-service")
                self.assertEqual((got["status"], got["body"].decode()), (403, page_403("/a")))
                got = self.by_proxy("/a?b", *options, token="db-service")
                self.assertEqual((got["status"], got["body"].decode()), (401, page_401("/a")))

    def test_the_proxy_takes_absolute_urls(self):
        got = self.curl("http://backend-api.localhost/items?x=1", "--proxy",
                        f"http://{self.gateway.ingress}")
        self.assertEqual((got["status"], got["version"]), (200, "1.1"))
        self.assertTrue(self.upstream.last.raw_head.startswith(b"GET /items?x=1 HTTP/1.1\r\n"))
        self.assertEqual(self.upstream.last.header("Host"), "backend-api.localhost")

    def test_a_production_url_without_tls_leads_to_the_one_with_it(self):
        got = self.by_proxy("/items?x=1", scheme="http")
        self.assertEqual(got["status"], 302)
        self.assertEqual(got["headers"]["location"], f"https://{run_app('backend-api')}/items?x=1")

    def test_a_foreign_host_is_refused_with_a_word_about_egress(self):
        url = "http://foreign.example/"
        got = self.curl(url, "--proxy", f"http://{self.gateway.ingress}", token=None)
        self.assertEqual(got["status"], 403)
        self.assertIn("foreign.example", got["body"].decode())
        self.assertIn("egress: allow", got["body"].decode())
        command = [CURL, "-sS", "--proxy", f"http://{self.gateway.ingress}",
                   "https://foreign.example/", "-w", "%{http_connect}"]
        with Program(command, plain_env()) as process:
            self.assertEqual(process.wait(30), 56)
            self.assertIn("403", process.out.text() + process.err.text())

    def test_a_name_of_the_ingress_works_over_tls(self):
        port = self.gateway.ingress.rpartition(":")[2]
        got = self.curl(f"https://backend-api.localhost:{port}/items")
        self.assertEqual((got["status"], got["version"]), (200, "2"))


if __name__ == "__main__":
    unittest.main()
