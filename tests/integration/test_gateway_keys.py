"""Where the gateway's verification keys come from and how it keeps up with them."""

import http.server
import json
import threading
import time
import unittest
import urllib.request

from tests.lib.gateway import Gateway, keys_dir
from tests.lib.process import run, wait_until
from tests.lib.topology import Topology


class KeyServer:
    """Serves a JWKS document and counts who asks."""

    def __init__(self, document):
        self.document = document
        self.asked = 0
        self.fail = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                outer.asked += 1
                body = outer.document.encode()
                self.send_response(500 if outer.fail else 200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "public, max-age=3600")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def published(g):
    """The document of the fixture's metadata server."""
    url = f"http://{g.address('-', 'metadata')}/oauth2/v3/certs"
    with urllib.request.urlopen(url, timeout=5) as r:
        return r.read().decode()


class Keys(unittest.TestCase):
    def gateway(self, **more):
        g = Gateway({"private": {}}, {"frontend-sa": ["private"]}, **more)
        self.addCleanup(g.close)
        return g

    def status(self, g, token):
        return g.get("private", "/", {"Authorization": f"Bearer {token}"}).status

    def test_a_gateway_that_starts_first_waits_for_the_keys(self):
        g = self.gateway(metadata=False, start=False)
        g.start(wait=False)
        token = g.token(audience="private")
        answers = []
        wait_until(lambda: self.can_connect(g), what="the listener")
        asking = threading.Thread(target=lambda: answers.append(self.status(g, token)))
        asking.start()
        g.start_metadata()
        g.process.wait_ready()
        asking.join()
        self.assertEqual(answers, [200])

    def can_connect(self, g):
        try:
            g.get("private")
            return True
        except OSError:
            return False

    def test_without_keys_nothing_is_provable_and_the_log_says_so(self):
        g = self.gateway(metadata=False, start=False)
        g.start(wait=False)
        wait_until(lambda: self.can_connect(g), what="the listener")
        begun = time.monotonic()
        token = g.token(audience="private")
        self.assertEqual(self.status(g, token), 401)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(g.entry("/")["invoker"]["reason"], "no_credential")
        wait_until(lambda: [e for e in g.entries() if e["invoker"]["reason"] == "keys_unavailable"])
        g.process.wait_for_line("no verification keys yet")

    def test_a_file_of_keys_will_do(self):
        g = self.gateway(start=False)
        path = g.topology.dir / "jwks.json"
        path.write_text(published(g))
        g.metadata.kill()
        g.options = ("--jwks", str(path))
        g.start()
        self.assertEqual(self.status(g, g.token(audience="private")), 200)

    def test_an_unknown_kid_causes_one_fetch_and_floods_do_not(self):
        source = self.gateway(start=False)
        server = KeyServer(published(source))
        self.addCleanup(server.close)
        source.options = ("--jwks", server.url)
        source.start()
        self.assertEqual(server.asked, 1)
        foreign = source.token("--foreign-key", audience="private")
        for _ in range(20):
            self.assertEqual(self.status(source, foreign), 401)
        self.assertLessEqual(server.asked, 2)
        self.assertEqual(self.status(source, source.token(audience="private")), 200)

    def test_a_rotated_key_is_fetched_when_its_first_token_comes(self):
        own = Topology({"services": {}})
        self.addCleanup(own.close)
        status, _, err = run("keys", "init", "--keys", own.keys)
        self.assertEqual(status, 0, err)
        g = self.gateway(start=False)
        old, new = published(g), self.jwks_of(g, own.keys)
        server = KeyServer(old)
        self.addCleanup(server.close)
        g.options = ("--jwks", server.url)
        g.start()
        remembered = g.token(audience="private")
        self.assertEqual(self.status(g, remembered), 200)
        server.document = new
        status, token, err = run("token", "-c", g.topology.path, "--keys", own.keys, "--as",
                                 "frontend-sa", "--audience", g.url("private"))
        self.assertEqual(status, 0, err)
        # The first fetch was a moment ago: the next one is made a few seconds after it.
        wait_until(lambda: self.status(g, token.strip()) == 200, what="the new key")
        self.assertEqual(server.asked, 2)
        self.assertEqual(self.status(g, remembered), 401)

    def jwks_of(self, g, folder):
        """What a metadata server with that folder publishes."""
        other = Gateway({"private": {}}, start=False, metadata=False)
        self.addCleanup(other.close)
        other.content["keys"] = str(folder)
        other.topology.write(other.content)
        other.start_metadata()
        document = published(other)
        self.assertNotEqual(json.loads(document), json.loads(published(g)))
        return document

    def test_former_keys_stay_when_the_source_fails(self):
        g = self.gateway(start=False)
        server = KeyServer(published(g))
        self.addCleanup(server.close)
        g.options = ("--jwks", server.url)
        g.start()
        server.fail = True
        g.process.send_signal(1)
        g.process.wait_for_line("the former ones stay")
        self.assertEqual(self.status(g, g.token(audience="private")), 200)

    def test_the_gateway_opens_no_private_key(self):
        g = self.gateway()
        g.get("private", "/", g.bearer(audience="private"))
        with open(f"/proc/{g.process.pid}/maps", encoding="ascii") as maps:
            self.assertNotIn(keys_dir(), maps.read())
        g2 = self.gateway(start=False)
        g2.content["keys"] = "/nonexistent/keys"
        g2.topology.write(g2.content)
        g2.start()
        self.assertEqual(self.status(g2, g2.token(audience="private")), 200)

    def test_a_bad_source_is_an_error(self):
        g = self.gateway(metadata=False, start=False)
        for source, words in (("https://x.example/keys", "only http://"), ("http://", "expected")):
            status, _, err = run("gateway", *g.topology.args(), "--jwks", source)
            self.assertEqual(status, 1)
            self.assertIn(words, err)


if __name__ == "__main__":
    unittest.main()
