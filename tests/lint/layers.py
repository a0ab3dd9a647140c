"""The house's rules about includes: a room includes only rooms below it, and foreign headers stay
where they belong. Returns problems as text lines."""

import os
import re

BELOW = {
    "base": set(),
    "jose": {"base"},
    "pki": {"base"},
    "cel": {"base"},
    "policy": {"cel", "base"},
    "config": {"policy", "cel", "base"},
    "state": {"config", "policy", "cel", "base"},
    "decision": {"policy", "base"},
    "expect": {"decision", "config", "policy", "base"},
    "http": {"base"},
    "proxy": {"http", "base"},
    "metadata": {"http", "state", "config", "jose", "policy", "base"},
    "gateway": {"proxy", "http", "decision", "state", "config", "policy", "jose", "pki", "base"},
    "control": {"http", "decision", "state", "config", "policy", "cel", "jose", "base"},
    "cli": {"base", "jose", "pki", "cel", "policy", "config", "state", "decision", "expect", "http",
            "proxy", "metadata", "gateway", "control"},
}
# The decision sees the claims struct, never a token.
ALSO = {("decision", "jose/claims.h")}
FOREIGN = [
    (re.compile(r"microhttpd"), {"http", "proxy"}),
    (re.compile(r"^nghttp2/"), {"proxy"}),
    (re.compile(r"^openssl/"), {"jose", "pki", "proxy", "cli"}),
    (re.compile(r"^jansson"), {"jose", "state", "policy", "control", "cli", "metadata", "gateway"}),
    (re.compile(r"^yaml\.h"), {"config"}),
    (re.compile(r"^(curl/|sqlite3)"), set()),
]
# The judgement is pure: nothing that reads a clock, a socket or a document.
PURE = {"emulator/decision/decide.c", "emulator/decision/credential.c",
        "emulator/decision/reasons.c"}
IMPURE = re.compile(r"^(sys/|net|arpa/|time\.h|unistd|fcntl|stdio|openssl|jansson|yaml"
                    r"|base/(clock|net|loop|log|file)\.h)")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def check_file(path, text):
    room = path.split("/")[1] if path.count("/") > 1 else "cli"
    for header in INCLUDE.findall(text):
        top = header.split("/")[0]
        if top in BELOW and top != room and top not in BELOW[room] \
                and (room, header) not in ALSO:
            yield f"{path}: room {room} includes {header}, which is not below it"
        for pattern, rooms in FOREIGN:
            if pattern.search(header) and room not in rooms:
                yield f"{path}: {header} does not belong in room {room}"
        if path in PURE and IMPURE.search(header):
            yield f"{path}: the pure judgement includes {header}"


def check(root, files):
    for path in files:
        if path.startswith("emulator/"):
            with open(os.path.join(root, path), encoding="utf-8") as f:
                yield from check_file(path, f.read())
