"""A strict reader of the part of HashiCorp's configuration language that configuration without
computation needs ("Configuration Syntax" in Terraform's documentation)."""

import re

TOKEN = re.compile(r'''
    (?P<space>[ \t]+) | (?P<comment>\#[^\n]*) | (?P<newline>\n)
  | (?P<name>[A-Za-z][A-Za-z0-9_-]*) | (?P<mark>[{}\[\]=,.()])
  | "(?P<text>(?:[^"\\\n\x00-\x1f]|\\(?:["\\nrt]|u[0-9A-F]{4}))*)"''', re.X)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Reference(str):
    """An expression that is no literal."""


def text_of(raw):
    """What a quoted template without templates stands for."""
    out = re.sub(r"\\(u[0-9A-F]{4}|.)",
                 lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else ESCAPES[m[1]], raw)
    assert not re.search(r"(?<!\$)(?:\$\$)*\$\{|(?<!%)(?:%%)*%\{", raw), f"a template: {raw}"
    return out.replace("$${", "${").replace("%%{", "%{")


def tokens(source):
    at = 0
    while at < len(source):
        m = TOKEN.match(source, at)
        assert m, f"line {source.count(chr(10), 0, at) + 1}: {source[at:at + 40]!r}"
        at = m.end()
        if m.lastgroup not in ("space", "comment"):
            yield m.lastgroup, m[m.lastgroup]
    yield "end", ""


class Reader:
    def __init__(self, source):
        self.tokens = list(tokens(source))

    def peek(self):
        return self.tokens[0]

    def take(self, kind, value=None):
        got = self.tokens.pop(0)
        assert got[0] == kind and value in (None, got[1]), f"{kind} {value}: found {got}"
        return got[1]

    def skip_lines(self):
        while self.peek()[0] == "newline":
            self.tokens.pop(0)

    def value(self):
        kind, value = self.tokens.pop(0)
        if kind == "text":
            return text_of(value)
        if (kind, value) == ("mark", "["):
            items = []
            while self.peek() != ("mark", "]"):
                items.append(self.value())
                if self.peek() != ("mark", "]"):
                    self.take("mark", ",")
            self.take("mark", "]")
            return items
        assert kind == "name", f"a value: found {kind} {value}"
        if self.peek() == ("mark", "("):
            self.take("mark", "(")
            value = Reference(f"{value}({self.value()})")
            self.take("mark", ")")
            return value
        while self.peek() == ("mark", "."):
            self.take("mark", ".")
            value += "." + self.take("name")
        return Reference(value)

    def body(self, end):
        """({attribute: value}, [(type, [label], body)])"""
        attributes, blocks = {}, []
        self.skip_lines()
        while self.peek() != end:
            name = self.take("name")
            if self.peek() == ("mark", "="):
                self.take("mark", "=")
                assert name not in attributes, name
                attributes[name] = self.value()
            else:
                labels = []
                while self.peek()[0] == "text":
                    labels.append(text_of(self.take("text")))
                self.take("mark", "{")
                self.take("newline")
                blocks.append((name, labels, self.body(("mark", "}"))))
                self.take("mark", "}")
            self.take("newline")
            self.skip_lines()
        return attributes, blocks


def resources(source):
    """{(type, name): (attributes, blocks)}; nothing but resources, each once, references to them
    alone."""
    attributes, blocks = Reader(source).body(("end", ""))
    assert not attributes
    found = {}
    for kind, labels, body in blocks:
        assert kind == "resource" and len(labels) == 2 and tuple(labels) not in found, labels
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", labels[1]), labels
        found[tuple(labels)] = body
    for own, _ in found.values():
        for value in own.values():
            if isinstance(value, Reference) and value.startswith("google_"):
                assert tuple(value.split(".")[:2]) in found, value
    return found
