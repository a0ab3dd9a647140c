"""Cases from tests/corpus: text files that say what bytes are sent and what must become of them.
Each file explains its own keys; here is what they have in common."""

import collections
import dataclasses
import re

from tests.lib.process import ROOT

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([rnt0\\])|\{(\d+) ((?:\\[^{]|[^\\{}])*)\})")
_PLAIN = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescape(text):
    r"""The bytes: \r \n \t \0 \xNN \\ and \{N text}."""
    def one(match):
        code, plain, count, repeated = match.groups()
        if code:
            return chr(int(code, 16))
        return _PLAIN[plain] if plain else _ESCAPE.sub(one, repeated) * int(count)
    return _ESCAPE.sub(one, text).encode("latin-1")


@dataclasses.dataclass
class Case:
    name: str
    line: int
    raw: bytes = b""
    keys: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    def one(self, key, default=None):
        values = self.keys.get(key, [default])
        assert len(values) == 1, f"line {self.line}: {key} stands {len(values)} times"
        return values[0]


def load(name):
    """The cases of a file; each `name:` begins one, `| ` lines are its bytes."""
    cases = []
    with open(f"{ROOT}/tests/corpus/{name}", encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("| "):
                cases[-1].raw += unescape(line[2:])
                continue
            key, colon, value = line.partition(": ")
            assert colon, f"{name}:{number}: neither a key nor bytes: {line}"
            if key == "name":
                cases.append(Case(value, number))
            else:
                cases[-1].keys[key].append(value)
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), f"{name}: two cases have one name"
    return cases
