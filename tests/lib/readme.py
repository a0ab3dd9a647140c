"""The documents' console blocks: run, in order, in one shell, and compared with what the document
says that they print. `…` there stands for anything (times, tokens, random ids)."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.lib.harness import ROOT, binary

README = pathlib.Path(ROOT, "README.md")
DOCUMENTS = [README, *sorted(pathlib.Path(ROOT, "docs").glob("*.md"))]
MARK = "@@next@@"


def console_blocks(kind="", document=README):
    """[[(command, expected output)...]...] of the ```console blocks; kind: the word behind that."""
    blocks = []
    for block in re.findall(rf"^```console{' ' * bool(kind)}{kind}\n(.*?)^```$",
                            document.read_text(encoding="utf-8"), re.M | re.S):
        steps = []
        for line in block.split("\n")[:-1]:
            if line.startswith("$ "):
                steps.append([line[2:], ""])
            elif steps and steps[-1][0].endswith("\\"):
                steps[-1][0] += "\n" + line.removeprefix("> ")
            else:
                steps[-1][1] += line + "\n"
        blocks.append(steps)
    return blocks


def pattern(expected):
    """The expected text as a pattern in which … matches anything, over lines where it stands alone."""
    parts = []
    for line in expected.split("\n")[:-1]:
        if line == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*?".join(re.escape(p) for p in line.split("…")) + r"\s*?\n")
    return re.compile("".join(parts) + r"\s*\Z")


def shell():
    """A shell whose network is its own where the system allows that, so that the README's fixed
    ports are free."""
    if shutil.which("unshare") and shutil.which("ip"):
        probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return ["unshare", "-n", "bash", "-c", "ip link set lo up; exec bash \"$0\""]
    return ["bash"]


class ReadmeCase(unittest.TestCase):
    maxDiff = None

    def workspace(self):
        """The checkout as its user sees it, with the program under test as build/invoker."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="invoker-readme-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(ROOT / "policies", folder / "policies")
        (folder / "keys").mkdir(mode=0o700)
        (folder / "build").mkdir()
        os.symlink(binary(), folder / "build" / "invoker")
        os.symlink(pathlib.Path(binary()).parent / "samples", folder / "build" / "samples")
        return folder

    def check_blocks(self, kind="", timeout=120, document=README):
        """Runs all blocks of that kind in one shell."""
        folder = self.workspace()
        steps = [step for block in console_blocks(kind, document) for step in block]
        self.assertGreater(len(steps), 4)
        script = folder / "script"
        script.write_text("exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n" + "\n".join(
            f"{command}\necho; echo {MARK}" for command, _ in steps), encoding="utf-8")
        done = subprocess.run([*shell(), str(script)], cwd=folder, capture_output=True, text=True,
                              timeout=timeout, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, "NO_COLOR": "1", "TERM": "dumb",
                                   "XDG_STATE_HOME": str(folder)})
        outputs = done.stdout.split(MARK + "\n")
        for (command, expected), output in zip(steps, outputs):
            with self.subTest(command=command):
                self.assertRegex(output, pattern(expected), f"$ {command}\n{output}")
        self.assertEqual(len(outputs), len(steps) + 1, done.stdout + done.stderr)
