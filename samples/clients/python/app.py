"""Frontend service that calls the authenticated backend."""

import http.server
import json
import logging
import os
import signal
import sys
import threading

import google.auth.exceptions
import google.auth.transport.requests
import google.oauth2.id_token
import requests

BACKEND_URL = os.environ["BACKEND_URL"].rstrip("/")
TIMEOUT_S = 10


def get_id_token(target_url):
    """Fetches an identity token for the target service; on Cloud Run from the metadata server."""
    return google.oauth2.id_token.fetch_id_token(
        google.auth.transport.requests.Request(), target_url)


def call_backend(path):
    """The backend's answer to GET path, called with a valid identity token."""
    response = requests.get(
        BACKEND_URL + path, headers={"Authorization": f"Bearer {get_id_token(BACKEND_URL)}"},
        timeout=TIMEOUT_S)
    response.raise_for_status()
    return response.json()


def get_data():
    try:
        return 200, {"source": "frontend", "backend_data": call_backend("/api/items")}
    except (google.auth.exceptions.GoogleAuthError, requests.RequestException) as error:
        logging.error("calling the backend failed: %s", error)
        return 502, {"error": str(error)}


class Frontend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # of an idle connection

    def do_GET(self):
        if self.path.partition("?")[0] == "/api/data":
            self.answer(*get_data())
        else:
            self.answer(404, {"error": "there is nothing at this path"})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    address = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))
    with http.server.ThreadingHTTPServer(address, Frontend) as server:
        signal.signal(signal.SIGTERM,
                      lambda *_: threading.Thread(target=server.shutdown).start())
        logging.info("Frontend listening on port %d", server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
