"""A topology in which every refusal of the table of reasons can be met, and the requests that meet
them."""

import json

from tests.lib.gateway import Gateway, email, keys_dir, run_app
from tests.lib.rawhttp import http
from tests.lib.tokens import claims, signed

INVOKER = "roles/run.invoker"
SERVICES = {
    "private": {"hosts": ["api.example.test"], "policy": {"version": 3, "bindings": [
        {"role": INVOKER, "members": [f"serviceAccount:{email('timed-sa')}"],
         "condition": {"title": "long ago",
                       "expression": "request.time < timestamp('2020-01-01T00:00:00Z')"}}]}},
    "open": {},
    "unchecked": {"invoker_iam_check": False},
    "internal": {"ingress": "internal"},
    "hidden": {"default_url": False},
}
ACCOUNTS = {"frontend-sa": {}, "other-sa": {}, "disabled-sa": {"disabled": True}, "late-sa": {},
            "timed-sa": {}, "denied-sa": {}, "leaving-sa": {}}
MATRIX = {"frontend-sa": ["private"], "disabled-sa": ["private"], "denied-sa": ["private"],
          "leaving-sa": ["private"], "allUsers": ["open"]}
DENY = [{"deniedPrincipals":
         [f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email('denied-sa')}"],
         "deniedPermissions": ["run.googleapis.com/routes.invoke"]}]
# Production writes no request-log entry for these.
UNLOGGED = {"unknown_host", "reserved_path", "default_url_disabled", "ingress_blocked"}
ALLOWED = {"granted", "public", "iam_check_disabled"}


def gateway(delay="1h", services=None, matrix=None, **more):
    """services and matrix: more of them."""
    return Gateway({**SERVICES, **(services or {})}, {**MATRIX, **(matrix or {})},
                   service_accounts=ACCOUNTS, deny=DENY,
                   emulation={"propagation_delay": delay}, **more)


def bad_tokens(g):
    """Reason → a token for it, whatever the request."""
    good = g.token(audience="private")
    url = g.url("private")

    def made(**changes):
        return signed(keys_dir(), claims(url, email=email("frontend-sa"), **changes))

    def broken(flag):
        return g.token(flag, audience="private")

    return {
        "granted": good,
        "access_token": broken("--access-token"),
        "not_a_jwt": "abc",
        "signature_removed": good.rsplit(".", 1)[0] + ".SIGNATURE_REMOVED_BY_GOOGLE",
        "bad_alg": broken("--unsigned"),
        "unknown_key": broken("--foreign-key"),
        "bad_signature": broken("--tampered"),
        "bad_claims": made(exp=None),
        "self_signed_jwt": made(iss=email("frontend-sa")),
        "wrong_issuer": made(iss="https://securetoken.google.com/my-project"),
        "expired": broken("--expired"),
        "not_yet_valid": broken("--not-yet-valid"),
        "no_audience": made(aud=None),
        "wrong_audience": g.token(audience="https://elsewhere.example"),
        "no_principal": signed(keys_dir(), claims(url)),
        "account_disabled": g.token(account="disabled-sa", audience="private"),
        "denied": g.token(account="denied-sa", audience="private"),
        "condition_not_met": g.token(account="timed-sa", audience="private"),
        "no_grant": g.token(account="other-sa", audience="private"),
    }



IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"


def identity(g, name, audience):
    """A token of the service's own, from its metadata server."""
    answer = http("GET", f"http://{g.address(name, 'metadata')}{IDENTITY}?audience={audience}",
                  {"Metadata-Flavor": "Google"})
    assert answer.status == 200, answer.text
    return answer.text


class Requests:
    """requests.send(reason) makes the request that is refused, or allowed, for that reason; twice
    the same, but for the path. Not here: not_propagated and keys_unavailable, which are a matter of
    when."""

    DOORS = {"unknown_host": ("nowhere.example", "/"),
             "reserved_path": (run_app("private"), "/_ah/"),
             "default_url_disabled": (run_app("hidden"), "/"),
             "ingress_blocked": ("internal.localhost", "/"),
             "public": ("open.localhost", "/"), "iam_check_disabled": ("unchecked.localhost", "/")}

    def __init__(self, g):
        self.g = g
        self.tokens = bad_tokens(g)
        good = "Bearer " + self.tokens["granted"]
        self.headers = {
            "no_credential": [],
            "empty_credential": [("Authorization", "")],
            "not_bearer": [("Authorization", "Basic eA==")],
            "repeated_header": [("Authorization", good), ("Authorization", good)],
            "several_tokens": [("Authorization", f"{good}, {good}")],
            **{reason: [("Authorization", f"Bearer {token}")]
               for reason, token in self.tokens.items()}}

    @property
    def reasons(self):
        return set(self.DOORS) | set(self.headers)

    def send(self, reason, path=None):
        if reason in self.DOORS:
            host, beginning = self.DOORS[reason]
            return self.g.at_host(host, beginning + (path or reason).lstrip("/"))
        return self.g.get("private", path or f"/{reason}", self.headers[reason])


def decision_of(g, response):
    """What the gateway tells of the decision that the answer names by its X-Invoker-Decision."""
    which = response.header("X-Invoker-Decision").split()[0]
    answer = http("GET", f"http://{g.control}/invoker/v1/decisions/{which}")
    assert answer.status == 200, answer.text
    return json.loads(answer.text)
