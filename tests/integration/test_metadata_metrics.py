"""What the metadata process counts: GET /metrics at its shared listener, and nowhere else."""

import json
import unittest
import urllib.parse

from tests.lib.harness import Process, Topology, http, run, wait_until
from tests.lib.metadata import (AUDIENCE, BACKEND, EMAIL, FLAVOR, SA, MetadataCase, topology)
from tests.lib.prometheus import TYPE, parse, series, value

ALICE = "alice@example.com"


def scrape(address):
    r = http("GET", f"http://{address}/metrics")
    assert r.status == 200, r.text
    assert r.header("Content-Type") == TYPE, r.headers
    return parse(r.text)


class Counting(unittest.TestCase):
    def setUp(self):
        content = topology()
        content["project"]["policy"] = {"bindings": [
            {"role": "roles/iam.serviceAccountTokenCreator", "members": [f"user:{ALICE}"]}]}
        self.t = Topology(content)
        self.addCleanup(self.t.close)
        self.t.shared()
        for name in ("frontend", "backend-api"):
            self.t.ephemeral(name, "listen", "metadata")
        self.p = Process("metadata", *self.t.args(), "--keys", self.t.keys, ready_fd=True)
        self.addCleanup(self.p.kill)
        self.p.wait_ready()
        self.shared = self.t.address("-", "metadata")

    def get(self, path, name="frontend"):
        return http("GET", f"http://{self.t.address(name, 'metadata')}{path}", FLAVOR)

    def post(self, path, body, **headers):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        r = http("POST", f"http://{self.shared}{path}", headers, data)
        self.assertEqual(r.status, 200, r.text)
        return json.loads(r.text)

    def metrics(self):
        return scrape(self.shared)

    def test_tokens_are_counted_by_account_and_kind(self):
        for i in range(3):
            self.get(f"{SA}/default/identity?audience={AUDIENCE}/{i}")
        self.get(f"{SA}/default/identity?audience={AUDIENCE}", "backend-api")
        for _ in range(2):  # the second is the first again
            self.get(f"{SA}/default/token")
        form = {"grant_type": "refresh_token", "client_id": "c", "refresh_token": ALICE}
        user = self.post("/token", urllib.parse.urlencode(form).encode())
        bearer = {"Authorization": "Bearer " + user["access_token"]}
        account = f"/v1/projects/-/serviceAccounts/{BACKEND}:"
        self.post(account + "generateIdToken", {"audience": AUDIENCE}, **bearer)
        self.post(account + "generateAccessToken",
                  {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}, **bearer)
        self.post(account + "signJwt", {"payload": "{}"}, **bearer)
        self.post(account + "signBlob", {"payload": "eA=="}, **bearer)
        self.assertEqual(series(self.metrics(), "invoker_tokens_minted_total", "account", "kind"), {
            (EMAIL, "identity"): 3, (EMAIL, "access"): 1,
            (BACKEND, "identity"): 2, (BACKEND, "access"): 1, (BACKEND, "jwt"): 1,
            (BACKEND, "blob"): 1,
            (ALICE, "identity"): 1, (ALICE, "access"): 1})

    def test_what_is_handed_out_again_is_a_hit(self):
        for _ in range(50):
            self.get(f"{SA}/default/identity?audience={AUDIENCE}")
        m = self.metrics()
        cache = series(m, "invoker_identity_cache_total", "result")
        self.assertEqual(cache["hit"] + cache["miss"], 50)
        self.assertGreater(cache["hit"], 0)
        self.assertEqual(cache["miss"],
                         value(m, "invoker_tokens_minted_total", account=EMAIL, kind="identity"))

    def test_requests_are_counted_by_what_they_are_for_and_status(self):
        self.get(f"{SA}/default/identity")
        self.get(f"{SA}/default/identity?audience=a")
        self.get(f"{SA}/default/email")
        self.get("/computeMetadata/v1/none")
        self.get("/")
        self.get(f"{SA}/default/token")
        http("GET", f"http://{self.shared}/oauth2/v3/certs")
        http("GET", f"http://{self.shared}/tokeninfo?access_token=x")
        http("GET", f"http://{self.shared}/computeMetadata/v1/project/project-id")
        self.get("/elsewhere")
        self.assertEqual(
            series(self.metrics(), "invoker_metadata_requests_total", "group", "status"), {
                ("identity", "400"): 1, ("identity", "200"): 1, ("access_token", "200"): 1,
                ("tree", "200"): 2, ("tree", "404"): 1, ("tree", "403"): 1,
                ("certificates", "200"): 1, ("tokeninfo", "400"): 1, ("other", "404"): 1})
        self.assertEqual(value(self.metrics(), "invoker_metadata_requests_total",
                               group="metrics", status="200"), 1)

    def test_a_rotated_key_is_seen(self):
        before = self.metrics()
        self.assertEqual(value(before, "invoker_signing_keys"), 1)
        self.assertEqual(run("keys", "rotate", "--keys", self.t.keys)[0], 0)
        m = self.metrics()
        self.assertEqual(value(m, "invoker_signing_keys"), 2)
        created = series(m, "invoker_signing_key_created_timestamp_seconds", "signing", "kid")
        self.assertEqual(sorted(signing for signing, _ in created), ["false", "true"])

    def test_reloads_and_the_process_are_counted_as_the_gateway_s_are(self):
        self.t.write("services: {")
        wait_until(lambda: value(self.metrics(), "invoker_topology_reloads_total",
                                 result="failed") == 1, what="the failed reload")
        m = self.metrics()
        self.assertEqual(value(m, "invoker_topology_size", what="services"), 2)
        self.assertGreater(value(m, "process_resident_memory_bytes"), 1024 * 1024)
        self.assertEqual(len(m["invoker_build_info"].samples), 1)


class Where(MetadataCase):
    def test_the_shared_listener_answers_with_and_without_the_flavor(self):
        for headers in ({}, FLAVOR):
            r = http("GET", f"http://{self.shared}/metrics", headers)
            self.assertEqual((r.status, r.header("Content-Type")), (200, TYPE))
        r = http("HEAD", f"http://{self.shared}/metrics")
        self.assertEqual((r.status, r.body), (200, b""))
        self.assertEqual(http("POST", f"http://{self.shared}/metrics").status, 405)

    def test_at_a_service_s_own_listener_there_is_no_such_thing_as_in_production(self):
        url = f"http://{self.address}/metrics"
        self.assertEqual(http("GET", url, FLAVOR).status, 404)
        self.assertEqual(http("GET", url).status, 403)

    def test_nor_for_web_pages_proxies_and_other_names(self):
        url = f"http://{self.shared}/metrics"
        for headers in ({"Origin": "https://evil.example"}, {"X-Forwarded-For": "203.0.113.7"},
                        {"Host": "evil.example"}):
            self.assertEqual(http("GET", url, headers).status, 403)


if __name__ == "__main__":
    unittest.main()
