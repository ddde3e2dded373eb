"""Reads the tables of `benches/drift` and writes a plot of median delays as SVG."""

import re
import sys
from html import escape

COLOURS = ["#0a6", "#36c", "#c33", "#b70", "#939", "#666"]
SHARES = [(40, 90), (20, 300), (10, 510)]
WIDTH, HEIGHT, TOP, BOTTOM = 860, 360, 30, 310
MOST = 3_000


def y(delay):
    """Logarithmic, from 10 calls to 3 000."""
    from math import log10

    share = (log10(min(max(delay, 10), MOST)) - 1) / (log10(MOST) - 1)
    return BOTTOM - share * (BOTTOM - TOP)


def lines(text):
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) != 5 or not re.match(r"\d+ \(", cells[1]):
            continue
        ours = cells[0] == "all streams; the three tools rarest in its own reference"
        if ours or re.match(r"PSI|JSD|ADWIN", cells[0]):
            name = "this library, all streams" if ours else cells[0].replace("`", "")
            yield name, [int(re.match(r"\d+", cell)[0]) for cell in cells[2:]]


def main():
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        '<text x="50" y="18" fill="#222">median calls until a change is found, at as rare false alarms (logarithmic)</text>',
    ]
    for delay in [10, 30, 100, 300, 1_000, 3_000]:
        out.append(f'<path d="M60 {y(delay):.1f}H540" stroke="#ddd"/><text x="52" y="{y(delay) + 4:.1f}" text-anchor="end" fill="#555">{delay}</text>')
    for share, x in SHARES:
        out.append(f'<text x="{x}" y="330" text-anchor="middle" fill="#555">{share} % moved</text>')
    for at, (name, delays) in enumerate(lines(sys.stdin.read())):
        colour = COLOURS[at % len(COLOURS)]
        points = " ".join(f"{x},{y(delay):.1f}" for (_, x), delay in zip(SHARES, delays))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{3 if at == 0 else 1.5}"/>')
        for (_, x), delay in zip(SHARES, delays):
            out.append(f'<circle cx="{x}" cy="{y(delay):.1f}" r="3" fill="{colour}"/>')
        out.append(f'<path d="M560 {46 + 20 * at}H584" stroke="{colour}" stroke-width="3"/><text x="590" y="{50 + 20 * at}" fill="#222">{escape(name)}</text>')
    for (_, x), budget in zip(SHARES, [35, 85, 200]):
        out.append(f'<path d="M{x - 14} {y(budget):.1f}H{x + 14}" stroke="#222" stroke-dasharray="3 2"/>')
    out.append('<path d="M560 290H584" stroke="#222" stroke-dasharray="3 2"/><text x="590" y="294" fill="#222">budget</text>')
    print("\n".join([*out, "</svg>"]))


main()
