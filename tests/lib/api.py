"""Google's APIs on the control listener, asked as a user who has logged in with /token."""

import json
import unittest
import urllib.parse

from tests.lib.gateway import Gateway
from tests.lib.rawhttp import Client, http

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ALICE = "alice@example.com"


def login(control, user=ALICE):
    """An access token of the user's."""
    form = {"grant_type": "refresh_token", "client_id": "c", "client_secret": "s",
            "refresh_token": user}
    answer = http("POST", f"http://{control}/token", FORM, urllib.parse.urlencode(form).encode())
    assert answer.status == 200, answer.text
    return json.loads(answer.text)["access_token"]


class Api:
    """api = Api(gateway); api.get("/v1/projects/my-project") → (status, JSON)."""

    def __init__(self, gateway, user=ALICE):
        self.base = f"http://{gateway.control}"
        self.bearer = {"Authorization": f"Bearer {login(gateway.control, user)}"}

    def ask(self, method, path, body=None, headers=None):
        """body: bytes as they are, else sent as JSON. headers: in place of the bearer's."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        fields = {**(self.bearer if headers is None else headers), **(JSON if data else {})}
        answer = http(method, self.base + path, fields, data)
        return answer.status, json.loads(answer.text)

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)


class ApiCase(unittest.TestCase):
    """Both processes for the class, and Alice."""

    @classmethod
    def setUpClass(cls):
        cls.g = Gateway({"private": {}, "open": {}}, {"allUsers": ["open"]}, state=True)
        cls.addClassCleanup(cls.g.close)
        cls.api = Api(cls.g)

    def refused(self, answer, code, status, *parts):
        """answer: a Response or (status, JSON). Errors are JSON and hold no HTML."""
        if not isinstance(answer, tuple):
            self.assertEqual(answer.header("Content-Type"), "application/json; charset=UTF-8")
            self.assertNotIn("<html", answer.text.lower())
            answer = answer.status, json.loads(answer.text)
        self.assertEqual(answer[0], code, answer[1])
        error = answer[1]["error"]
        self.assertEqual((error["code"], error["status"]), (code, status))
        for part in parts:
            self.assertIn(part, error["message"])
        return error

    def good(self, answer):
        self.assertEqual(answer[0], 200, answer[1])
        return answer[1]

    def raw(self, method, target, headers, body=None):
        with Client(self.g.control) as client:
            client.request(method, target, headers, body)
            return client.read()
