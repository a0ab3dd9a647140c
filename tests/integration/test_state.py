"""What the APIs change: kept in --state over restarts and kills, else in memory, and never in the
topology's file."""

import json
import random
import threading
import unittest

from tests.lib.api import Api
from tests.lib.gateway import PROJECT, Gateway
from tests.lib.process import Process
from tests.lib.rawhttp import Closed

ACCOUNTS = f"/v1/projects/{PROJECT}/serviceAccounts"


def create(api, name):
    return api.post(ACCOUNTS, {"accountId": name})[0]


def names(api):
    """The ids of the accounts that there are."""
    found, token = set(), ""
    while True:
        status, page = api.get(f"{ACCOUNTS}?pageSize=100&pageToken={token}")
        assert status == 200, page
        found |= {a["email"].partition("@")[0] for a in page.get("accounts", [])}
        token = page.get("nextPageToken", "")
        if not token:
            return found


class Writer(threading.Thread):
    """Makes accounts, one after the other, until the gateway is gone; those that it was told of as
    made are in `acknowledged`, what it had no answer to is in `open`."""

    def __init__(self, api, prefix):
        super().__init__(daemon=True)
        self.api = api
        self.prefix = prefix
        self.acknowledged = []
        self.open = None
        self.enough = threading.Event()

    def run(self):
        for i in range(100000):
            self.open = f"{self.prefix}-{i:05d}"
            try:
                status = create(self.api, self.open)
            except (OSError, Closed):
                return
            assert status == 200, status
            self.acknowledged.append(self.open)
            self.open = None
            self.enough.set()


class TestState(unittest.TestCase):
    def test_killed_at_any_moment_it_keeps_what_it_acknowledged_and_no_half_of_anything(self):
        chance = random.Random(4711)
        with Gateway({"api": {}}, state=True) as g:
            known = names(Api(g))
            for turn in range(20):
                writer = Writer(Api(g), f"turn-{turn:02d}")
                writer.start()
                self.assertTrue(writer.enough.wait(20))
                threading.Event().wait(chance.uniform(0, 0.05))  # the moment is what varies
                g.process.kill()
                writer.join(20)
                g.start()
                found = names(Api(g))
                known |= set(writer.acknowledged)
                self.assertLessEqual(known, found, "acknowledged, and lost")
                self.assertLessEqual(found - known, {writer.open})
                known = found
            folder = g.topology.dir / "state"
            document = json.loads((folder / "state.json").read_text())
            self.assertEqual(document["serial"], len(document["accounts"]))
            self.assertEqual(sorted(f.name for f in folder.iterdir()), ["lock", "state.json"])

    def test_the_metadata_process_knows_what_was_acknowledged(self):
        with Gateway({"api": {}}, state=True) as g:
            api = Api(g)
            self.assertEqual(create(api, "fresh-sa"), 200)
            whom = f"projects/-/serviceAccounts/fresh-sa@{PROJECT}.iam.gserviceaccount.com"
            policy = {"policy": {"bindings": [{
                "role": "roles/iam.serviceAccountTokenCreator",
                "members": ["user:alice@example.com"]}]}}
            self.assertEqual(api.post(f"{ACCOUNTS}/fresh-sa@{PROJECT}.iam.gserviceaccount.com"
                                      ":setIamPolicy", policy)[0], 200)
            status, answer = api.post(f"/v1/{whom}:generateIdToken", {"audience": "https://x"})
            self.assertEqual(status, 200, answer)
            self.assertEqual(answer["token"].count("."), 2)

    def test_the_file_is_left_as_its_user_wrote_it(self):
        with Gateway({"api": {}}, state=True) as g:
            before = {f: f.read_bytes() for f in g.topology.dir.iterdir() if f.is_file()}
            self.assertEqual(create(Api(g), "fresh-sa"), 200)
            after = {f: f.read_bytes() for f in g.topology.dir.iterdir() if f.is_file()}
            self.assertEqual(before, after)

    def test_without_a_folder_a_restart_forgets_and_the_log_says_so(self):
        with Gateway({"api": {}}) as g:
            g.process.wait_for_line("kept in memory only")
            self.assertEqual(create(Api(g), "fresh-sa"), 200)
            self.assertIn("fresh-sa", names(Api(g)))
            g.process.kill()
            g.start()
            self.assertNotIn("fresh-sa", names(Api(g)))

    def test_a_second_gateway_is_told_who_holds_the_folder(self):
        with Gateway({"api": {}}, state=True) as g:
            other = Process("gateway", *g.topology.args(), *g.state)
            self.addCleanup(other.kill)
            self.assertEqual(other.wait(10), 1)
            self.assertIn("is in use by another gateway", other.err.text())


if __name__ == "__main__":
    unittest.main()
