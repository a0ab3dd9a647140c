"""The figures: printed as a table while they come, kept as text, JSON and a plot."""

import dataclasses
import json
import os
import statistics

import plot
from measure import median, ratios

WIDTHS = "  {:<62} {:>13} {:>13} {:>7}  {:<9} {:<5} {}"
UNITS = {"ns": "{:.0f} ns", "µs": "{:.1f} µs", "ms": "{:.2f} ms", "/s": "{:.0f}/s",
         "KiB": "{:.1f} KiB", "MiB": "{:.1f} MiB", "GiB/s": "{:.2f} GiB/s",
         "ms/GiB": "{:.0f} ms/GiB", "": "{:.0f}"}


@dataclasses.dataclass
class Figure:
    section: str
    name: str
    unit: str
    ours: float
    peer: float | None = None
    ratio: float | None = None
    lowest: float | None = None  # of the rounds' ratios
    highest: float | None = None
    aim: str = ""  # "<= 1.0": of the ratio, or of ours where there is no peer
    ok: bool | None = None

    def judge(self):
        if self.aim:
            sign, limit = self.aim.split()[:2]
            value = self.ours if self.ratio is None else round(self.ratio, 2)
            self.ok = value <= float(limit) if sign == "<=" else value >= float(limit)
        return self

    def row(self):
        def text(value):
            return "" if value is None else UNITS[self.unit].format(value)
        ratio, spread = "", ""
        if self.ratio is not None:
            ratio = f"{self.ratio:.2f}x"
        if self.lowest is not None:
            spread = f"({self.lowest:.2f} to {self.highest:.2f})"
        verdict = {None: "", True: "ok", False: "short"}[self.ok]
        return WIDTHS.format(self.name, text(self.ours), text(self.peer), ratio, self.aim, verdict,
                             spread).rstrip()


class Report:
    def __init__(self, folder):
        self.folder = folder
        self.figures = []
        self.troubles = []
        self.lines = []
        self.current = ""

    def say(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def section(self, name, title):
        self.current = name
        self.say(f"{name}: {title}")

    def trouble(self, text):
        self.troubles.append(f"{self.current}: {text}")
        self.say(f"  not measured: {text}")

    def add(self, figure):
        self.figures.append(figure.judge())
        self.say(figure.row())

    def value(self, name, value, unit, aim=""):
        self.add(Figure(self.current, name, unit, value, aim=aim))

    def against(self, name, unit, values, aim="", spread=(None, None)):
        """values: ours and the peer's, where there are no pairs within rounds."""
        ours, peer = values
        self.add(Figure(self.current, name, unit, ours, peer, ours / peer, *spread, aim))

    def compare(self, name, results, contenders, what, aim=""):
        """The median of the paired ratios and, as the measure of noise, their extremes."""
        ours, theirs = contenders
        if not results.get(ours) or not results.get(theirs):
            return
        unit = {"cpu_us": "µs", "p99_us": "µs", "rate": "/s", "gib_s": "GiB/s",
                "ms_gib": "ms/GiB"}[what]
        pairs = ratios(results, ours, theirs, what)
        self.add(Figure(self.current, name, unit, median(results, ours, what),
                        median(results, theirs, what), statistics.median(pairs), pairs[0],
                        pairs[-1], aim))

    def head(self):
        self.say(WIDTHS.format("figure", "ours", "peer", "ratio", "aim", "", "(rounds)"))

    def close(self):
        """Sums up and writes the files; true when nothing failed to be measured."""
        aimed = [f for f in self.figures if f.ok is not None]
        short = [f for f in aimed if not f.ok]
        self.say(f"{len(aimed) - len(short)} of {len(aimed)} figures reach their aim"
                 + ("; short:" if short else ""))
        for f in short:
            self.say(f"  {f.section}: {f.name}")
        if self.troubles:
            self.say(f"{len(self.troubles)} could not be measured: see above")
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, "bench")
        with open(path + ".txt", "w", encoding="utf-8") as out:
            out.write("\n".join(self.lines) + "\n")
        with open(path + ".json", "w", encoding="utf-8") as out:
            json.dump({"figures": [dataclasses.asdict(f) for f in self.figures],
                       "not_measured": self.troubles}, out, indent=2, ensure_ascii=False)
        plot.draw(self.figures, path + ".png")
        self.say(f"written: {path}.txt, .json, .png")
        return not self.troubles
