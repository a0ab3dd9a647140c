"""Rules about the text of sources: banned calls, banned words, sizes."""

import os
import re
import subprocess

BANNED_CALLS = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|system|popen|tmpnam|alloca"
    r"|mktemp|strncpy|localtime|gmtime|asctime|ctime|rand|srand)\s*\(")
BANNED_WORDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
                          + r")\b")
COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.S)
FILE_MAX = 600
FUNCTION_MAX = 80
COMPLEXITY_MAX = 15


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def banned(root, files):
    for path in files:
        text = read(root, path)
        for number, line in enumerate(text.split("\n"), 1):
            if BANNED_WORDS.search(line):
                yield f"{path}:{number}: unfinished work is marked here"
        if path.endswith((".c", ".h")):
            bare = COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)
            for number, line in enumerate(bare.split("\n"), 1):
                found = BANNED_CALLS.search(line)
                if found:
                    yield f"{path}:{number}: {found.group(1)}() is not used here"


def sizes(root, files):
    sources = [f for f in files if f.endswith((".c", ".h"))]
    for path in sources:
        lines = read(root, path).count("\n")
        if lines > FILE_MAX:
            yield f"{path}: {lines} lines, more than {FILE_MAX}"
    out = subprocess.run(["pmccabe", *[f for f in sources if f.endswith(".c")]], cwd=root,
                         capture_output=True, text=True, check=True).stdout
    for row in out.splitlines():
        parts = row.split("\t")
        complexity, lines, where = int(parts[1]), int(parts[4]), parts[5]
        if complexity > COMPLEXITY_MAX:
            yield f"{where}: cyclomatic complexity {complexity}, more than {COMPLEXITY_MAX}"
        if lines > FUNCTION_MAX:
            yield f"{where}: {lines} lines, more than {FUNCTION_MAX}"
