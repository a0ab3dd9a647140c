"""The tutorial's four mistakes: each made on purpose in a copy of the topology, then observed."""

import json
import os
import time

import show
from world import ROOT, TUTORIAL, INVOKER, Trouble, World

GRANT = "  frontend-sa: [backend-api, auth-service]"
PROPAGATION_S = 2
RELOAD_S = 15
PATH = "/api/items"


def change(text, old, new):
    """Replaces the one place; a topology that looks different must not pass unnoticed."""
    if text.count(old) < 1:
        raise Trouble(f"{TUTORIAL} has no '{old.strip()}' any more; the demo edits that line")
    return text.replace(old, new, 1)


def absolute(text):
    """The topology as it may lie in any folder."""
    samples = os.path.join(os.path.dirname(os.path.abspath(os.path.join(ROOT, INVOKER))),
                           "samples")
    text = change(text, "keys: ../keys", "keys: " + os.path.join(ROOT, "keys"))
    return text.replace("[build/samples/", f"[{samples}/")


def copy_of_tutorial(folder, name, *edits):
    """Path of a copy with these (old, new) replacements."""
    with open(os.path.join(ROOT, TUTORIAL), encoding="utf-8") as f:
        text = absolute(f.read())
    for old, new in edits:
        text = change(text, old, new)
    path = os.path.join(folder, name)
    save(path, text)
    return path


def save(path, text):
    """As an editor saves: a new file under the old name."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".new", path)


def brief(text):
    """A log text without its links."""
    return text.split(" Read more at ")[0]


def report(world, answer, entry):
    """Response, log line, cause and cure, all from the real thing."""
    show.fact("response", f"{answer.status} {answer.reason}: {show.page_text(answer.text)}",
              "yellow")
    if answer.challenge:
        show.fact("", f"WWW-Authenticate: {answer.challenge}")
    request = entry["httpRequest"]
    invoker = entry["invoker"]
    show.fact("log", f"{entry['severity']} {request['status']} {request['requestMethod']} "
                     f"{request['requestUrl']} {brief(entry.get('textPayload', ''))}")
    cause = invoker.get("explanation", "").replace(os.path.dirname(world.topology) + "/", "")
    show.fact("cause", cause, "bold")
    show.command("mend", invoker.get("fix", ""))


def check(tally, what, answer, entry, status, reason):
    """Counts, and says what differs."""
    seen = (answer.status, entry["invoker"].get("reason"))
    tally.check(seen == (status, reason), f"{what}: expected {status} {reason}, saw "
                                          f"{seen[0]} {seen[1]}")


def call_backend(world, audience=None):
    """frontend's call to backend-api, with the token that its metadata server gives it."""
    token = world.token("frontend", audience or world.url("backend-api"))
    answer = world.call("backend-api", PATH, token)
    return answer, world.log_entry(answer.trace)


def show_app(world, tally):
    """What the person in front of the browser gets to see of it."""
    answer = world.call("frontend", "/api/data")
    tally.check(answer.status == 502, f"frontend /api/data: expected 502, saw {answer.status}")
    try:
        said = json.loads(answer.text)["error"].split(":")[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        said = answer.text
    show.fact("the user", f"sees {answer.status} {answer.reason}: {said}")


def wrong_service(folder, tally):
    """a"""
    show.fact("made", "frontend-sa was granted db-service, not backend-api")
    path = copy_of_tutorial(folder, "wrong-service.yaml",
                            (GRANT, "  frontend-sa: [db-service, auth-service]"))
    with World(path, folder) as world:
        answer, entry = call_backend(world)
        report(world, answer, entry)
        show_app(world, tally)
    check(tally, "grant on the wrong service", answer, entry, 403, "no_grant")


def default_account(folder, tally):
    """b"""
    path = copy_of_tutorial(folder, "default-account.yaml",
                            ("    service_account: frontend-sa\n", ""))
    with World(path, folder) as world:
        account = world.account("frontend")
        show.fact("made", f"frontend deployed without --service-account: it runs as {account}")
        answer, entry = call_backend(world)
        report(world, answer, entry)
        show_app(world, tally)
    check(tally, "default service account", answer, entry, 403, "no_grant")
    tally.check(account.endswith("-compute@developer.gserviceaccount.com"),
                f"default service account: frontend runs as {account}")


def wrong_audience(folder, tally):
    """c"""
    path = copy_of_tutorial(folder, "wrong-audience.yaml")
    with World(path, folder) as world:
        audience = world.url("frontend")
        show.fact("made", f"token for {audience} (frontend's own URL) sent to backend-api")
        answer, entry = call_backend(world, audience)
        report(world, answer, entry)
        show.command("its URL", 'gcloud run services describe backend-api --region=us-central1 '
                                '--format="value(status.url)"')
    check(tally, "wrong audience", answer, entry, 401, "wrong_audience")


def await_reason(world, done, limit_s):
    """Calls until done(answer, entry); the last of both."""
    deadline = time.monotonic() + limit_s
    while True:
        answer, entry = call_backend(world)
        if done(answer, entry) or time.monotonic() > deadline:
            return answer, entry
        time.sleep(0.02)


def not_propagated(folder, tally):
    """d"""
    show.fact("made", f"the grant was added a moment ago; here it takes {PROPAGATION_S} s to "
                      "arrive (in production: minutes)")
    name = "not-propagated.yaml"
    path = copy_of_tutorial(folder, name, (GRANT, "  frontend-sa: [auth-service]"),
                            ("\nmatrix:", "\nemulation: { propagation_delay: "
                                          f"{PROPAGATION_S}s }}\n\nmatrix:"))
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with World(path, folder) as world:
        before, entry = call_backend(world)
        check(tally, "before the grant", before, entry, 403, "no_grant")
        save(path, change(text, "  frontend-sa: [auth-service]", GRANT))
        began = time.monotonic()
        answer, entry = await_reason(
            world, lambda a, e: e["invoker"].get("reason") != "no_grant", RELOAD_S)
        report(world, answer, entry)
        check(tally, "grant not yet propagated", answer, entry, 403, "not_propagated")
        later, entry = await_reason(world, lambda a, e: a.status == 200,
                                    PROPAGATION_S + RELOAD_S)
        waited = time.monotonic() - began
        check(tally, "grant propagated", later, entry, 200, "granted")
        show.fact("later", f"{later.status} {later.reason}, {waited:.1f} s after the grant, "
                           "without a restart", "green")


MISTAKES = [
    ("The grant is on the wrong service", wrong_service),
    ("The frontend uses the default service account", default_account),
    ("The token's audience is not the backend's URL", wrong_audience),
    ("The grant has not propagated yet", not_propagated),
]


def make_all(folder, tally):
    """All four, one after the other."""
    for letter, (title, run) in zip("abcd", MISTAKES):
        show.line()
        show.line("   " + show.paint(f"{letter}) {title}", "bold"))
        run(folder, tally)
