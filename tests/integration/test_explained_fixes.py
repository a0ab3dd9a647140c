"""What the gateway says would mend a refusal here (`local_fix`) is done to the topology's file, as
it stands there; then the same request passes."""

import json
import re
import unittest

from tests.lib.gateway import Gateway, email
from tests.lib.process import run, wait_until
from tests.lib.refusals import ALLOWED, DENY, Requests, decision_of, gateway, identity

# What no line of the topology mends, and why not: another request does, or time.
NOTHING_HERE = {
    "unknown_host": "the host name is wrong, which only the caller can know",
    "reserved_path": "the path has to be another; the container's routes are not the topology's",
    "empty_credential": "the request needs a token", "not_bearer": "the request needs a token",
    "repeated_header": "the request needs one header", "several_tokens": "the request needs one",
    "access_token": "the caller has to fetch another token",
    "not_a_jwt": "the caller has to fetch another token",
    "signature_removed": "the caller has to fetch a token of its own",
    "bad_alg": "the caller has to fetch another token",
    "unknown_key": "the caller has to fetch another token",
    "bad_signature": "the caller has to fetch another token",
    "bad_claims": "the caller has to fetch another token",
    "self_signed_jwt": "the caller has to exchange its token",
    "wrong_issuer": "the caller has to fetch another token",
    "expired": "the caller has to fetch another token",
    "not_yet_valid": "a clock is wrong",
    "no_audience": "the caller has to fetch another token",
    "no_principal": "the caller has to ask for the e-mail",
    "keys_unavailable": "the metadata process has to answer",
}
HERE = {"default_url_disabled", "ingress_blocked", "no_credential", "wrong_audience",
        "account_disabled", "denied", "condition_not_met", "no_grant", "not_propagated"}


def value_of(text):
    """A YAML scalar as it stands in a fix."""
    return {"true": True, "false": False}.get(text, text.strip('"'))


class Mender:
    """Does to a topology what a fix says."""

    def __init__(self, content, caller):
        self.content = json.loads(json.dumps(content))
        self.caller = caller

    def service(self, name, key, more, value):
        settings = self.content["services"][name]
        settings[key] = [*settings.get(key, []), value_of(value)] if more else value_of(value)

    def public(self, name):
        self.content["matrix"].setdefault("allUsers", []).append(name)

    def grant(self, name, who, same, names):
        assert who == same and name in names.split(", "), (who, same, names)
        self.content["matrix"][who] = names.split(", ")

    def account(self, name, key, value):
        self.content["service_accounts"][name][key] = value_of(value)

    def deny(self, line):
        """The rule is the one that begins at the line."""
        before = json.dumps(self.content, indent=2).split("\n")[:int(line)]
        rules = sum(text == "    {" for text in before[before.index('  "deny": ['):])
        self.content["deny"][rules - 1]["exceptionPrincipals"] = [
            f"principal://iam.googleapis.com/projects/-/serviceAccounts/{self.caller}"]

    def delay(self, value):
        self.content["emulation"]["propagation_delay"] = value

    FORMS = [
        (r"services: (\S+): (\w+): (add )?(\S+)", service),
        (r"matrix: add (\S+) to allUsers, if it is meant to be public", public),
        (r"matrix: add (\S+) to (\S+), so that it reads (\S+): \[(.*)\]", grant),
        (r"service_accounts: (\S+): \{ (disabled): (false) \}", account),
        (r"deny: add the caller to exceptionPrincipals of the rule at \S+?:(\d+):\d+", deny),
        (r"emulation: \{ propagation_delay: (\w+) \}, or wait", delay),
    ]

    def apply(self, fix):
        for form, do in self.FORMS:
            found = re.fullmatch(form, fix)
            if found:
                do(self, *found.groups())
                return self.content
        raise AssertionError(f"nobody knows how to do this: {fix}")


class LocalFixes(unittest.TestCase):
    def refusals(self):
        status, out, err = run("why", "--reasons", "-o", "json")
        self.assertEqual(status, 0, err)
        return {row["reason"] for row in json.loads(out)["reasons"] if not row["allowed"]}

    def test_every_refusal_is_mended_here_or_it_is_said_why_not(self):
        self.assertEqual(HERE | set(NOTHING_HERE), self.refusals())
        self.assertFalse(HERE & set(NOTHING_HERE))

    def test_nothing_is_promised_where_nothing_helps(self):
        with gateway(delay="0s", options=["--decision-header"]) as g:
            requests = Requests(g)
            for reason in set(NOTHING_HERE) & requests.reasons:
                with self.subTest(reason):
                    self.assertNotIn("local_fix", decision_of(g, requests.send(reason)))

    def assert_mended(self, g, send, reason, content=None):
        """send() → Response."""
        answer = send()
        report = decision_of(g, answer)
        self.assertEqual((report["reason"], report["allowed"]), (reason, False))
        mender = Mender(content or g.content, report["facts"].get("claims", {}).get("email"))
        g.topology.write(mender.apply(report["local_fix"]))
        answer = wait_until(lambda: (lambda a: a.status == 200 and a)(send()),
                            what=f"the passing of {reason} after: {report['local_fix']}")
        self.assertTrue(decision_of(g, answer)["allowed"])

    def test_what_the_topology_lacks_is_added_and_the_same_request_passes(self):
        with gateway(delay="0s", options=["--decision-header"]) as g:
            requests = Requests(g)
            # What is public afterwards shows nothing any more: it comes last.
            rows = sorted(HERE - {"wrong_audience", "not_propagated", "no_credential"},
                          key=lambda reason: (reason == "default_url_disabled", reason))
            for reason in [*rows, "no_credential"]:
                with self.subTest(reason):
                    headers = None
                    if reason in ("default_url_disabled", "ingress_blocked"):
                        name = {"default_url_disabled": "hidden", "ingress_blocked": "internal"}
                        g.content["matrix"]["frontend-sa"] = ["private", *name.values()]
                        self.take(g)
                        headers = g.bearer(account="frontend-sa", audience=name[reason])
                    self.assert_mended(g, lambda r=reason, h=headers: self.send(requests, r, h),
                                       reason)

    def take(self, g):
        """Writes the topology as it is meant to be and waits until it counts."""
        g.topology.write(g.content)
        headers = g.bearer(account="frontend-sa", audience="internal")
        wait_until(lambda: decision_of(g, g.get("internal", "/", headers))["reason"]
                   == "ingress_blocked", what="the topology being read")

    @staticmethod
    def send(requests, reason, headers):
        if not headers:
            return requests.send(reason)
        host, path = requests.DOORS[reason]
        return requests.g.at_host(host, path, list(headers.items()))

    def test_a_grant_counts_at_once_without_the_delay(self):
        with gateway(options=["--decision-header"]) as g:
            content = json.loads(json.dumps(g.content))
            content["matrix"]["late-sa"] = ["private"]
            headers = g.bearer(account="late-sa", audience="private")
            g.topology.write(content)
            wait_until(lambda: decision_of(g, g.get("private", "/", headers))["reason"]
                       == "not_propagated", what="the grant being seen")
            self.assert_mended(g, lambda: g.get("private", "/", headers), "not_propagated", content)

    def test_the_audience_that_is_named_is_taken(self):
        with gateway(delay="0s", options=["--decision-header"]) as g:
            report = decision_of(g, Requests(g).send("wrong_audience"))
            found = re.fullmatch(r"ask for the audience (\S+)", report["local_fix"])
            headers = g.bearer(account="frontend-sa", audience=found[1])
            self.assertEqual(g.get("private", "/", headers).status, 200)

    def test_a_custom_domain_is_made_an_audience(self):
        with gateway(delay="0s", options=["--decision-header"]) as g:
            headers = g.bearer(account="frontend-sa", audience="https://api.example.test")
            self.assert_mended(g, lambda: g.get("private", "/", headers), "wrong_audience")

    def test_a_caller_on_the_default_account_gets_one_of_its_own(self):
        services = {"private": {"service_account": "backend-sa"}, "caller": {}}
        with Gateway(services, {"frontend-sa": ["private"]}, options=["--decision-header"]) as g:
            def send():
                token = identity(g, "caller", g.url("private"))
                return g.get("private", "/", {"Authorization": "Bearer " + token})
            self.assertIn("default compute account", decision_of(g, send())["explanation"])
            self.assert_mended(g, send, "no_grant")

    def test_the_rule_that_denies_is_the_one_that_is_named(self):
        """A rule before it is left as it is."""
        rule = {"deniedPrincipals": [f"principal://iam.googleapis.com/projects/-/serviceAccounts/"
                                     f"{email('other-sa')}"],
                "deniedPermissions": ["run.googleapis.com/routes.invoke"]}
        with Gateway({"private": {}}, {"denied-sa": ["private"], "other-sa": ["private"]},
                     service_accounts={"denied-sa": {}, "other-sa": {}}, deny=[rule, *DENY],
                     options=["--decision-header"]) as g:
            headers = g.bearer(account="denied-sa", audience="private")
            self.assert_mended(g, lambda: g.get("private", "/", headers), "denied")
            others = g.bearer(account="other-sa", audience="private")
            self.assertEqual(decision_of(g, g.get("private", "/", others))["reason"], "denied")

    def test_allowed_requests_need_nothing(self):
        with gateway(delay="0s", options=["--decision-header"]) as g:
            requests = Requests(g)
            for reason in ALLOWED:
                report = decision_of(g, requests.send(reason))
                self.assertTrue(report["allowed"])
                self.assertFalse({"fix", "local_fix", "terraform", "explanation"} & set(report))


if __name__ == "__main__":
    unittest.main()
