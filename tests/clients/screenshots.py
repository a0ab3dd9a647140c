"""Makes the dashboard's pictures of the README anew: docs/images/dashboard-{light,dark}.png, with
the tutorial's topology and traffic. Run from the root: python3 -m tests.clients.screenshots"""

import json
import pathlib
import shutil
import tempfile

from tests.clients.peers import NODE, plain_env
from tests.clients.support import PROGRAMS, Program
from tests.lib.process import ROOT, ca_folder
from tests.lib.up import Up

HEIGHT = 960
SIZE_MAX = 150 * 1024


class Tutorial:
    """The file itself, so that the page names it."""
    path = "policies/tutorial.yaml"
    keys = ROOT / "build" / "keys"


def main():
    images = ROOT / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="invoker-pictures-") as home:
        up = Up(Tutorial, "--ca", ca_folder())
        try:
            options = {"browser": shutil.which("chromium"), "home": home, "info": up.ready(),
                       "topology": Tutorial.path, "pictures": home, "only": "decision",
                       "height": HEIGHT, "small": True}
            env = {**plain_env(), "HOME": home}
            with Program([NODE, PROGRAMS / "dashboard.js", json.dumps(options)], env) as browser:
                if browser.wait(300) != 0:
                    raise SystemExit(browser.err.text())
                seen = json.loads(browser.out.text())
        finally:
            up.kill()
        if "broken" in seen["decision"]:
            raise SystemExit(seen["decision"]["broken"])
        for scheme in ("light", "dark"):
            made = pathlib.Path(home) / f"traffic-{scheme}.png"
            print(f"dashboard-{scheme}.png: {made.stat().st_size} bytes")
            if made.stat().st_size > SIZE_MAX:
                raise SystemExit(f"more than {SIZE_MAX} bytes")
            shutil.copyfile(made, images / f"dashboard-{scheme}.png")


if __name__ == "__main__":
    main()
