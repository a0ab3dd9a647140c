"""The ratios as bars, each with its aim as a line across it; by gnuplot."""

import shutil
import subprocess

PANELS = (("<=", "at most: shorter is better"), (">=", "at least: longer is better"))
WIDTH, ROW, FRAME = 1500, 26, 110
GOOD, SHORT, AIM = "#4c9f70", "#d1603d", "#222222"


def block(name, rows):
    """A named data block: place, label, ratio, the rounds' extremes, aim."""
    lines = []
    for place, f in enumerate(reversed(rows)):
        label = f"{f.section}: {f.name}".replace('"', "'")
        lowest, highest = (f.ratio if v is None else v for v in (f.lowest, f.highest))
        lines.append(f'{place} "{label}" {f.ratio:.3f} {lowest:.3f} {highest:.3f} '
                     f'{f.aim.split()[1]} "{f.ratio:.2f}x"')
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def panel(name, title, rows, top, bottom):
    """In the strip of the picture from top to bottom, as shares of its height."""
    longest = max(max(f.ratio, float(f.aim.split()[1])) for f in rows)
    data = block(name, rows)
    ok = "".join("1" if f.ok else "0" for f in reversed(rows))
    colour = f'(substr("{ok}", int($1) + 1, int($1) + 1) eq "1" ? 0x{GOOD[1:]} : 0x{SHORT[1:]})'
    return data + f"""
set title "{title}"
set tmargin at screen {top}
set bmargin at screen {bottom}
set xrange [0:{longest * 1.15:.2f}]
set yrange [-0.7:{len(rows) - 0.3:.1f}]
plot ${name} using (0):1:(0):3:($1-0.32):($1+0.32):{colour} with boxxyerror lc rgb variable \\
  fs solid 0.85 noborder notitle, \\
  ${name} using 6:($1-0.45):(0):(0.9) with vectors nohead lw 3 lc rgb "{AIM}" notitle, \\
  ${name} using ($3 > $6 ? $3 : $6):1:7:ytic(2) with labels left offset 0.8,0 notitle
"""


def draw(figures, path):
    rows = {sign: [f for f in figures if f.ratio is not None and f.aim.startswith(sign)]
            for sign, _ in PANELS}
    count = sum(map(len, rows.values()))
    if count == 0 or not shutil.which("gnuplot"):
        return
    height = count * ROW + FRAME * sum(map(bool, rows.values()))
    script = f"""
set terminal pngcairo size {WIDTH},{height} font "sans,11" noenhanced background rgb "white"
set output "{path}"
set multiplot
set lmargin at screen 0.43
set rmargin at screen 0.98
set border 3
set tics nomirror out
set ytics scale 0
set grid xtics lc rgb "#dddddd"
set xlabel "ratio to the peer in the same run; the black line is the aim"
"""
    used = 0
    for sign, title in PANELS:
        if rows[sign]:
            top = 1 - (used + FRAME * 0.35) / height
            used += len(rows[sign]) * ROW + FRAME
            bottom = 1 - (used - FRAME * 0.65) / height
            script += panel("least" if sign == ">=" else "most", title, rows[sign], top, bottom)
    subprocess.run(["gnuplot"], input=script + "unset multiplot\n", text=True, check=True,
                   timeout=60)
