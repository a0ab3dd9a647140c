"""ID tokens with any claims, signed with a key of the emulator: what `invoker token` cannot make."""

import base64
import json
import pathlib
import subprocess
import time

GOOGLE = "https://accounts.google.com"


def _part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def claims(audience, **changes):
    """Good ones, with changes; a claim that is changed to None is left out."""
    now = int(time.time())
    all_of_them = {"iss": GOOGLE, "aud": audience, "sub": "100000000000000000000",
                   "iat": now, "exp": now + 3600, **changes}
    return {name: value for name, value in all_of_them.items() if value is not None}


def signed(keys, payload):
    """payload: claims, or the bytes that stand in their place. keys: a folder of signing keys."""
    key = sorted(pathlib.Path(keys).glob("*.pem"))[0]
    head = {"alg": "RS256", "kid": key.stem, "typ": "JWT"}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    text = _part(json.dumps(head).encode()) + b"." + _part(body)
    mac = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text,
                         capture_output=True, check=True).stdout
    return (text + b"." + _part(mac)).decode("ascii")
