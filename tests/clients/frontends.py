"""The tutorial's frontend in other languages, put into the frontend's place."""

import json
import re

from tests.clients.support import Program
from tests.lib.harness import http, wait_until

LISTENING = re.compile(r"Frontend listening on port (\d+)")


class Frontends:
    """command: how the language runs its frontend; extra: variables that its tools need."""

    command = ()
    extra = {}

    def start(self, backend):
        """The frontend as its own process, with backend as BACKEND_URL; returns (process, URL)."""
        env = dict(self.cloud.env("frontend"), **self.extra)
        env.update(HOST="127.0.0.1", PORT="0", BACKEND_URL=backend)
        process = Program(self.command, env)
        self.addCleanup(process.kill)

        def port():
            said = process.out.text() + process.err.text()
            if process.popen.poll() is not None:
                raise AssertionError(f"the frontend has ended:\n{said}")
            return LISTENING.search(said)

        return process, f"http://127.0.0.1:{wait_until(port, 20, 'frontend').group(1)}"

    def test_the_frontend_combines_the_data(self):
        process, url = self.start(self.cloud.url("backend-api"))
        answer = http("GET", url + "/api/data")
        self.assertEqual(answer.status, 200, answer.body)
        data = json.loads(answer.body)
        self.assertEqual(data["source"], "frontend")
        self.assertEqual(data["backend_data"]["items"][0],
                         {"id": 1, "name": "Keyboard", "quantity": 12})
        self.assertEqual(process.stop(), 0)

    def test_the_frontend_tells_that_it_was_refused(self):
        _, url = self.start(self.cloud.url("db-service"))
        answer = http("GET", url + "/api/data")
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn("403", json.loads(answer.body)["error"])
