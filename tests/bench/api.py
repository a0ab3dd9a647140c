"""Google's APIs on the control listener: how long gcloud waits for each answer. All that a change
takes is in it: validation, the state's file, the workers' new snapshot, the metadata process. With
--state it is synced to the disk, too; that one is set against what the disk takes alone."""

import collections
import json
import os
import statistics
import time

from tests.lib.api import ALICE, login
from tests.lib.cloudrun import LOCATION, SPACE, V2, deploy
from tests.lib.gateway import PROJECT, Gateway, email
from tests.lib.rawhttp import Client

ACCOUNTS = f"/v1/projects/{PROJECT}/serviceAccounts"
FRONTEND = f"/v1/projects/-/serviceAccounts/{email('frontend-sa')}"
INVOKER = {"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}}
CREATOR = {"policy": {"bindings": [{"role": "roles/iam.serviceAccountTokenCreator",
                                    "members": [f"user:{ALICE}"]}]}}
LOGS = {"resourceNames": [f"projects/{PROJECT}"], "orderBy": "timestamp desc", "pageSize": 50,
        "filter": 'resource.type = "cloud_run_revision" AND '
                  'resource.labels.service_name = "shop"'}


def calls(i):
    """What is asked in round i: name, method, path, body."""
    shop, made = f"{SPACE}/services/shop", f"{SPACE}/services/made-{i}"
    account = f"{ACCOUNTS}/{email('frontend-sa')}"
    return [
        ("project get", "GET", f"/v1/projects/{PROJECT}", None),
        ("project getIamPolicy", "POST", f"/v1/projects/{PROJECT}:getIamPolicy", {}),
        ("service accounts create", "POST", ACCOUNTS, {"accountId": f"bench-{i:06d}"}),
        ("service accounts get", "GET", account, None),
        ("service accounts list", "GET", f"{ACCOUNTS}?pageSize=100", None),
        ("service accounts setIamPolicy", "POST", f"{account}:setIamPolicy", CREATOR),
        ("service accounts delete", "DELETE", f"{ACCOUNTS}/{email(f'bench-{i:06d}')}", None),
        ("services create, dry run", "POST", f"{SPACE}/services?dryRun=all", deploy(f"made-{i}")),
        ("services create", "POST", f"{SPACE}/services", deploy(f"made-{i}")),
        ("services get", "GET", made, None),
        ("services delete", "DELETE", made, None),
        ("services replace", "PUT", shop, deploy("shop", env={"N": str(i)}, nonce=f"n{i}")),
        ("services list", "GET", f"{SPACE}/services", None),
        ("services list, v2", "GET", f"{V2}/services", None),
        ("services getIamPolicy", "GET", f"{LOCATION}/services/shop:getIamPolicy", None),
        ("services setIamPolicy", "POST", f"{LOCATION}/services/shop:setIamPolicy", INVOKER),
        ("logging entries:list", "POST", "/v2/entries:list", LOGS),
        ("credentials generateAccessToken", "POST", FRONTEND + ":generateAccessToken",
         {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}),
        ("credentials generateIdToken", "POST", FRONTEND + ":generateIdToken",
         {"audience": f"https://bench-{i}.example"})]


def ask(client, token, method, path, body):
    """Milliseconds until the answer is there."""
    fields = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    begun = time.perf_counter()
    client.request(method, path, fields, None if body is None else json.dumps(body).encode())
    answer = client.read()
    taken = time.perf_counter() - begun
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.text}")
    return taken * 1000


def measure(rounds, *options):
    """{what is asked: the median}"""
    times = collections.defaultdict(list)
    with Gateway({"api": {}}, state=True, options=options) as g:
        token = login(g.control)
        with Client(g.control) as client:
            ask(client, token, "POST", f"{SPACE}/services", deploy("shop"))
            for i in range(rounds):
                for name, *call in calls(i):
                    times[name].append(ask(client, token, *call))
    return {name: statistics.median(found) for name, found in times.items()}


def measure_resets(rounds):
    """(behind nothing that was changed, behind a new service, account and policy): the median of
    POST /reset, both processes and the state's file included."""
    idle, changed = [], []
    with Gateway({"api": {}}, state=True, options=("--state-is-temporary",)) as g:
        token = login(g.control)
        with Client(g.control) as client:
            for i in range(rounds):
                ask(client, token, "POST", f"{SPACE}/services", deploy(f"made-{i}"))
                ask(client, token, "POST", ACCOUNTS, {"accountId": f"bench-{i:06d}"})
                ask(client, token, "POST", f"/v1/projects/{PROJECT}:setIamPolicy", CREATOR)
                changed.append(ask(client, token, "POST", "/reset", None))
                g.get("api")  # something to forget
                idle.append(ask(client, token, "POST", "/reset", None))
    return statistics.median(idle), statistics.median(changed)


def sync_alone(folder, rounds):
    """What the disk takes for a file and its name: milliseconds, the median."""
    times = []
    path = os.path.join(folder, "synced")
    for _ in range(rounds):
        begun = time.perf_counter()
        with open(path + ".tmp", "wb") as f:
            f.write(b"x" * 8192)
            os.fsync(f.fileno())
        os.replace(path + ".tmp", path)
        parent = os.open(folder, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def bench(ctx):
    ctx.report.section("api", "answers of Google's APIs, medians")
    rounds = 10 * ctx.rounds
    for name, taken in measure(rounds, "--state-is-temporary").items():
        ctx.report.value(name, taken, "ms", "<= 5")
    idle, changed = measure_resets(rounds)
    ctx.report.value("reset", idle, "ms", "<= 1")
    ctx.report.value("reset behind changes", changed, "ms", "<= 1")
    synced = measure(rounds)["services setIamPolicy"]
    ctx.report.against("services setIamPolicy with --state vs the disk's syncs alone", "ms",
                       (synced, sync_alone(ctx.folder, rounds)))
