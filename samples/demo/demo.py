#!/usr/bin/env python3
"""The tutorial's topology, walked through for a newcomer: the matrix, one good call, every call,
and the four usual mistakes. Everything shown is observed; exit status 1 if anything differs."""

import concurrent.futures
import json
import os
import shutil
import signal
import sys
import tempfile

import mistakes
import show
from world import INVOKER, ROOT, TUTORIAL, Trouble, World, run_invoker

# A path of each service that its code answers with 200 when the caller gets through.
PATHS = {"frontend": "/", "backend-api": "/api/items", "auth-service": "/", "db-service": "/items"}
NOBODY = "nobody (no token)"


class Tally:
    """What was compared, and what differed."""

    def __init__(self):
        self.count = 0
        self.differences = []

    def check(self, good, what):
        """what: the sentence to say when it is not good."""
        self.count += 1
        if not good:
            self.differences.append(what)


def topology_for(folder):
    """The tutorial's own file; a copy only where the binary is not the usual one."""
    usual = os.path.join(ROOT, "build", "invoker")
    if os.path.abspath(os.path.join(ROOT, INVOKER)) == usual:
        return TUTORIAL
    return mistakes.copy_of_tutorial(folder, "tutorial.yaml")


def verdicts(topology):
    """{e-mail, or None for anybody: {service: may invoke it}}, as `invoker matrix` says."""
    matrix = json.loads(run_invoker("matrix", "-c", topology, "--output", "json"))
    return {row["email"]: {name: cell["allowed"] for name, cell in row["services"].items()}
            for row in matrix["callers"]}


def show_matrix(world, allowed):
    """Chapter 1."""
    show.heading(1, f"Who may invoke what, says {TUTORIAL}")
    names = list(world.services)
    rows = []
    for who in [None] + [world.services[n]["service_account"] for n in names]:
        cells = [show.paint("yes", "green") if allowed[who][n] else show.paint("-", "dim")
                 for n in names]
        rows.append([(who or "anybody").split("@")[0], *cells])
    show.table(["", *names], rows)


def show_chain(world, tally):
    """Chapter 2."""
    show.heading(2, "A call all the way: you > frontend > backend-api > db-service")
    answer = world.call("frontend", "/api/data")
    show.fact("request", f"GET {world.url('frontend')}/api/data")
    show.fact("response", f"{answer.status} {answer.reason}", "green")
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = {}
    tally.check(answer.status == 200 and body.get("source") == "frontend"
                and "backend_data" in body, f"/api/data: {answer.status} {answer.text[:200]}")
    show.fact("", json.dumps(body, ensure_ascii=False))


def try_one(world, allowed, caller, service):
    """(status seen, status expected) of one real request."""
    token = world.token(caller, world.url(service)) if caller else None
    account = world.services[caller]["service_account"] if caller else None
    expected = 200 if allowed[account][service] else 403
    return world.call(service, PATHS[service], token).status, expected


def show_pairs(world, allowed, tally):
    """Chapter 3."""
    show.heading(3, "Every caller tries every service, with a token from its own metadata server")
    names = list(world.services)
    callers = [None, *names]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        tried = {(c, s): pool.submit(try_one, world, allowed, c, s) for c in callers for s in names}
    rows = []
    right = 0
    for c in callers:
        cells = []
        for s in names:
            seen, expected = tried[c, s].result()
            tally.check(seen == expected, f"{c or NOBODY} > {s}: expected {expected}, saw {seen}")
            right += seen == expected
            cells.append(show.status(seen, expected))
        rows.append([c or NOBODY, *cells])
    show.table(["caller", *names], rows)
    show.line(f"   {right} of {len(tried)} as the matrix says")


def tell(folder, tally):
    """The four chapters."""
    topology = topology_for(folder)
    with World(topology, folder) as world:
        allowed = verdicts(topology)
        show.line(show.paint("Invoker", "bold") + f": {TUTORIAL} on ephemeral ports, offline, "
                  f"ready in {world.seconds * 1000:.0f} ms")
        show_matrix(world, allowed)
        show_chain(world, tally)
        show_pairs(world, allowed, tally)
    show.heading(4, "The tutorial's four mistakes, made on purpose")
    mistakes.make_all(folder, tally)


def conclude(tally):
    """The exit status."""
    show.line()
    if not tally.differences:
        show.line(show.paint(f"All {tally.count} observations are as expected.", "green", "bold")
                  + "  Next: build/invoker up -c policies/tutorial.yaml")
        return 0
    show.line(show.paint(f"{len(tally.differences)} of {tally.count} observations differ:", "red"))
    for difference in tally.differences:
        show.line(f"   {difference}")
    return 1


def on_term(_signo, _frame):
    """As Ctrl-C: everything is stopped and removed on the way out."""
    raise KeyboardInterrupt


def main():
    """Exit status: 0 as expected, 1 something differs, 130 interrupted."""
    signal.signal(signal.SIGTERM, on_term)
    tally = Tally()
    folder = tempfile.mkdtemp(prefix="invoker-demo-")
    try:
        tell(folder, tally)
        return conclude(tally)
    except Trouble as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
