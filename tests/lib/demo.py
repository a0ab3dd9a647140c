"""The demo's traffic, made by its own code: for tests of what records and learns."""

import contextlib
import importlib
import io
import os
import sys

from tests.lib.process import ROOT, binary


def modules():
    """demo.py and mistakes.py of samples/demo."""
    os.environ.setdefault("INVOKER", binary())
    folder = os.path.join(ROOT, "samples", "demo")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("demo"), importlib.import_module("mistakes")


def tutorial():
    """The text of policies/tutorial.yaml, to be used from any folder."""
    with open(os.path.join(ROOT, "policies", "tutorial.yaml"), encoding="utf-8") as f:
        return modules()[1].absolute(f.read())


def matrix_of(text):
    """The lines of the block `matrix:` in a topology or a part of one, comments cut."""
    lines = text[("\n" + text).index("\nmatrix:"):].splitlines()
    found = [lines[0]]
    for line in lines[1:]:
        line = line.split("#")[0].rstrip()
        if line and not line.startswith(" "):
            break
        if line:
            found.append(line)
    return found


def traffic(topology, folder, options=(), only_served=False):
    """The calls of chapters 2 and 3 against a running topology (a path); the number of differences
    from what the tutorial's matrix says. only_served: without the calls that it refuses."""
    demo, _ = modules()
    tally = demo.Tally()
    allowed = demo.verdicts(os.path.join("policies", "tutorial.yaml"))
    with demo.World(topology, folder, options) as world, \
            contextlib.redirect_stdout(io.StringIO()):
        demo.show_chain(world, tally)
        if only_served:
            for caller in (None, *world.services):
                account = world.services[caller]["service_account"] if caller else None
                for name in world.services:
                    if allowed[account][name]:
                        tally.check(demo.try_one(world, allowed, caller, name)[0] == 200, name)
        else:
            demo.show_pairs(world, allowed, tally)
    return tally.differences
