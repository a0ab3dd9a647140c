"""Does google-auth find a metadata server, and whose tokens does it get there? argv: an audience."""

import base64
import json
import sys

import google.auth
import google.auth.transport.requests
from google.oauth2 import id_token


def find(audience):
    request = google.auth.transport.requests.Request()
    google.auth.default(request=request)
    token = id_token.fetch_id_token(request, audience)
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["email"]


try:
    print(json.dumps({"found": True, "as": find(sys.argv[1])}))
except Exception as e:  # pylint: disable=broad-except
    print(json.dumps({"found": False, "why": f"{type(e).__name__}: {e}"}))
