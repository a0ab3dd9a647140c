"""What the demo prints: headings, tables with a few colours, wrapped paragraphs."""

import os
import re
import shutil
import sys
import textwrap

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
WIDTH = min(shutil.get_terminal_size((100, 24)).columns, 110) if COLOUR else 100


def paint(text, *styles):
    """The text in these styles, or plain where nobody sees them."""
    if not COLOUR or not styles:
        return text
    codes = ";".join(CODES[s] for s in styles)
    return f"\033[{codes}m{text}\033[0m"


def visible(text):
    """How many columns it takes."""
    return len(re.sub(r"\033\[[0-9;]*m", "", text))


def line(text=""):
    """One line, at once: a demo is watched."""
    print(text, flush=True)


def heading(number, text):
    """Opens a chapter."""
    line()
    line(paint(f"{number}  {text}", "bold"))


def table(head, rows):
    """Columns as wide as their widest cell; cells may be painted."""
    widths = [max(visible(r[i]) for r in [head, *rows]) for i in range(len(head))]

    def row(cells, *styles):
        padded = [c + " " * (w - visible(c)) for c, w in zip(cells, widths)]
        line("   " + paint("  ".join(padded).rstrip(), *styles))
    row(head, "dim")
    for r in rows:
        row(r)


def fact(label, text, *styles):
    """A labelled paragraph."""
    indent = " " * 15
    parts = textwrap.wrap(text, WIDTH - len(indent), break_long_words=False,
                          break_on_hyphens=False) or [""]
    for i, part in enumerate(parts):
        name = paint(f"   {label:<12}", "dim") if i == 0 else indent
        line(name + paint(part, *styles))


def command(label, text):
    """A command to copy: broken where a shell allows it."""
    pieces = textwrap.wrap(text, WIDTH - 19, break_long_words=False, break_on_hyphens=False)
    for i, piece in enumerate(pieces):
        end = " \\" if i + 1 < len(pieces) else ""
        name = paint(f"   {label:<12}", "dim") if i == 0 else " " * 17
        line(name + paint(piece, "cyan") + end)


def page_text(html):
    """The words of an error page, without its markup."""
    found = re.findall(r"<h2>(.*?)</h2>", html, re.S)
    words = re.sub(r"<[^>]*>", "", " ".join(found)).strip()
    return " ".join(words.split())


def status(code, expected):
    """A status as a table's cell: right or wrong at a glance."""
    if code != expected:
        return paint(f"{code} WRONG, expected {expected}", "red", "bold")
    return paint(f"{code} ok", "green" if code < 300 else "yellow")
