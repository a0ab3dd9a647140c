"""call.py URL [AUDIENCE]: one GET with Google's Python library; prints {"status", "headers", "body"}."""

import json
import sys

import google.auth.transport.requests
import google.oauth2.id_token
import requests


def main(url, audience=None):
    headers = {}
    if audience:
        request = google.auth.transport.requests.Request()
        token = google.oauth2.id_token.fetch_id_token(request, audience)
        headers["Authorization"] = f"Bearer {token}"
    answer = requests.get(url, headers=headers, timeout=10)
    names = {name.lower(): value for name, value in answer.headers.items()}
    print(json.dumps({"status": answer.status_code, "headers": names, "body": answer.text}))


main(*sys.argv[1:])
