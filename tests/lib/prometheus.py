"""A strict reader of Prometheus' text exposition format, version 0.0.4: what a scraper forgives is
an error here."""

import dataclasses
import math
import re

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)", re.S)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\Z)')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Inf)|NaN")
_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Malformed(Exception):
    pass


@dataclasses.dataclass
class Family:
    name: str
    kind: str = ""
    help: str = ""
    samples: dict = dataclasses.field(default_factory=dict)  # (name, frozenset of labels) → value


def _check(condition, what):
    if not condition:
        raise Malformed(what)


def _labels(text, line):
    pairs = []
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        _check(match, f"labels: {line!r}")
        _check(not match[3] or match.end() < len(text), f"a comma ends the labels: {line!r}")
        pairs.append((match[1], re.sub(r'\\[\\"n]', lambda m: _UNESCAPED[m[0]], match[2])))
        at = match.end()
    _check(len({name for name, _ in pairs}) == len(pairs), f"a label twice: {line!r}")
    _check(pairs or not text, f"empty braces: {line!r}")
    return frozenset(pairs)


def _owner(family, name):
    """Whether a sample of that name is one of the family's."""
    if family.kind == "histogram":
        return name in {family.name + end for end in ("_bucket", "_sum", "_count")}
    return name == family.name


def _check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        rest = frozenset(p for p in labels if p[0] != "le")
        series.setdefault(rest, {})[name.removeprefix(family.name), dict(labels).get("le")] = value
    for labels, parts in series.items():
        buckets = [(float(le), n) for (end, le), n in parts.items() if end == "_bucket"]
        bounds = [le for le, _ in buckets]
        counts = [n for _, n in buckets]
        where = f"{family.name}{dict(labels)}"
        _check(bounds == sorted(bounds) and bounds[-1:] == [math.inf], f"{where}: bounds {bounds}")
        _check(counts == sorted(counts), f"{where}: the buckets do not add up")
        _check(parts["_count", None] == counts[-1], f"{where}: _count is not that of +Inf")
        _check(("_sum", None) in parts and len(parts) == len(buckets) + 2, where)


def _check_family(family):
    _check(family.kind in ("counter", "gauge", "histogram"), f"{family.name}: no TYPE")
    _check(family.help, f"{family.name}: no HELP")
    _check((family.kind == "counter") == family.name.endswith("_total"),
           f"{family.name} is a {family.kind}")
    for unit in ("_ms", "_us", "_millis", "_kib", "_kb"):
        _check(unit not in family.name, f"{family.name}: not in a base unit")
    for (name, _), value in family.samples.items():
        _check(family.kind == "gauge" or value >= 0, f"{name} is negative")
    if family.kind == "histogram":
        _check_histogram(family)


def parse(text):
    """{family name: Family}; Malformed says what is wrong."""
    _check(text.endswith("\n"), "the last line is not ended")
    families = {}
    family = None
    for line in text[:-1].split("\n"):
        comment = re.fullmatch(rf"# (HELP|TYPE) ({_NAME}) (.+)", line)
        if comment and comment[1] == "HELP":
            _check(comment[2] not in families, f"{comment[2]} comes in two places")
            family = families[comment[2]] = Family(comment[2], help=comment[3])
        elif comment:
            _check(family and family.name == comment[2] and not family.kind and not family.samples,
                   f"a TYPE out of its place: {line!r}")
            family.kind = comment[3]
        else:
            _take_sample(family, line)
    for each in families.values():
        _check_family(each)
    return families


def _take_sample(family, line):
    match = _SAMPLE.fullmatch(line)
    _check(match, f"neither HELP nor TYPE nor a sample: {line!r}")
    _check(family and _owner(family, match[1]), f"outside of its family: {line!r}")
    _check(_NUMBER.fullmatch(match[3]), f"no number: {line!r}")
    key = match[1], _labels(match[2] or "", line)
    _check(match[2] != "", f"empty braces: {line!r}")
    _check(key not in family.samples, f"twice: {line!r}")
    family.samples[key] = float(match[3])


def value(families, name, **labels):
    """Of exactly these labels; 0 when there is no such sample."""
    family = families.get(name) or families.get(re.sub(r"_(bucket|sum|count)\Z", "", name))
    assert family, f"no family {name}"
    return family.samples.get((name, frozenset(labels.items())), 0)


def series(families, name, *by):
    """{values of these labels: value} of all samples of that name."""
    found = {}
    for (sample, labels), number in families[name].samples.items():
        if sample == name:
            key = tuple(dict(labels)[label] for label in by)
            found[key if len(by) > 1 else key[0]] = found.get(key, 0) + number
    return found
