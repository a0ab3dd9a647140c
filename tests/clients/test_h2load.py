"""h2load of nghttp2: many requests on few connections, none of which may fail."""

import re
import shutil
import unittest

from tests.clients.peers import plain_env
from tests.clients.support import Program
from tests.lib.gateway import Gateway

H2LOAD = shutil.which("h2load")
REQUESTS = 2000


@unittest.skipUnless(H2LOAD, "h2load is not installed")
class H2LoadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway({"backend-api": {"service_account": "backend-sa"},
                               "db-service": {"service_account": "backend-sa"}},
                              {"frontend-sa": ["backend-api"]})
        cls.addClassCleanup(cls.gateway.close)

    def load(self, token, *options, scheme="http"):
        """{"2xx": …, "4xx": …, "failed": …, …}"""
        command = [H2LOAD, "-n", REQUESTS, "-c", 4, *(options or ("-m", 50)), "-H",
                   f"Authorization: Bearer {token}",
                   f"{scheme}://{self.gateway.address('backend-api')}/items"]
        with Program(command, plain_env()) as process:
            self.assertEqual(process.wait(120), 0, process.err.text())
            out = process.out.text()
        found = re.findall(r"(\d+) (total|done|succeeded|failed|errored|timeout|[2-5]xx)\b", out)
        self.assertTrue(found, out)
        return {name: int(number) for number, name in found}

    def check(self, got, kind):
        self.assertEqual((got[kind], got["done"]), (REQUESTS, REQUESTS), got)
        self.assertEqual((got["errored"], got["timeout"]), (0, 0), got)

    def test_every_request_of_many_streams_is_answered(self):
        self.check(self.load(self.gateway.token(audience="backend-api")), "2xx")

    def test_every_request_with_a_wrong_token_is_refused(self):
        self.check(self.load(self.gateway.token(audience="db-service")), "4xx")

    def test_a_hundred_streams_a_connection(self):
        got = self.load(self.gateway.token(audience="backend-api"), "-m", 100)
        self.check(got, "2xx")

    def test_http_2_and_http_1_over_tls(self):
        token = self.gateway.token(audience="backend-api")
        self.check(self.load(token, scheme="https"), "2xx")
        self.check(self.load(token, "--h1", scheme="https"), "2xx")

    def test_http_1_with_the_same_load(self):
        self.check(self.load(self.gateway.token(audience="backend-api"), "--h1"), "2xx")


if __name__ == "__main__":
    unittest.main()
