"""Plots as inline SVG: figures with their intervals, and curves over time."""

from __future__ import annotations

import html
import math
from collections.abc import Callable

from facewire.articulation.closures import CLOSED

from facewire_eval.metrics.bootstrap import Figure
from facewire_eval.table import Column, Curve, Table

WIDE, ROW, HEAD = 178, 15, 34  # a small plot's width, an engine's row, its title
CURVE_WIDE, CURVE_HIGH, LEFT, FOOT = 920, 220, 36, 40
Scale = Callable[[float], float]


def intervals(table: Table, colors: dict[str, int]) -> str:
    """Return a small plot for each column: a dot an engine, its interval a line."""
    plots = [_one(table, k, column, colors) for k, column in enumerate(table.columns)]
    shown = [plot for plot in plots if plot]
    return f'<div class="plots">{"".join(shown)}</div>' if shown else ""


def _one(table: Table, k: int, column: Column, colors: dict[str, int]) -> str:
    figures = {n: row[k] for n, row in table.rows.items() if math.isfinite(row[k].value)}
    if len(figures) < 2:
        return ""
    low, high = _range(list(figures.values()), column)
    across = WIDE - 20

    def x(value: float) -> float:
        return 10 + across * min(max((value - low) / (high - low), 0), 1)

    out = [f'<text x="10" y="13" class="t">{html.escape(column.name)}</text>']
    for at, anchor in ((low, "start"), (high, "end")):
        text = column.shown(Figure(at))
        out.append(f'<text x="{x(at):.1f}" y="27" text-anchor="{anchor}" class="n">{text}</text>')
    for i, (name, figure) in enumerate(figures.items()):
        y, kind = HEAD + ROW * (i + 0.5), f"e{colors[name] % 8}" if name in colors else "own"
        told = f"<title>{html.escape(name)}: {column.shown(figure)}</title>"
        out.append(f'<line x1="10" x2="{WIDE - 10}" y1="{y}" y2="{y}" class="g"/>')
        if math.isfinite(figure.low):
            ends = f'x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}"'
            out.append(f'<line {ends} y1="{y}" y2="{y}" class="i {kind}"/>')
        out.append(
            f'<g class="d {kind}"><circle cx="{x(figure.value):.1f}" cy="{y}" r="4.5"/>{told}</g>'
        )
    high_ = HEAD + ROW * len(figures) + 6
    return (
        f'<svg viewBox="0 0 {WIDE} {high_}" width="{WIDE}" height="{high_}" role="img" '
        f'aria-label="{html.escape(column.name)}">{"".join(out)}</svg>'
    )


def _range(figures: list[Figure], column: Column) -> tuple[float, float]:
    ends = [x for f in figures for x in (f.low, f.value, f.high) if math.isfinite(x)]
    low, high = min(ends), max(ends)
    if column.better == "high" and 0.2 < high <= 1 and column.unit != "mm":
        low, high = min(low, 0.0), 1.0
    elif low > 0:
        low = 0.0
    return (low, high) if high - low > 1e-9 else (low - 0.5, high + 0.5)


def curves(curve: Curve, colors: dict[str, int]) -> str:
    """Return curves over time, phones below; where closed lips count, their threshold."""
    values = [v for line in curve.lines.values() for v in line]
    low, high = min(0.0, *values), max(0.3, *values)
    seconds = max(len(line) for line in curve.lines.values()) / curve.fps
    body = CURVE_HIGH - FOOT

    def x(at: float) -> float:
        return LEFT + (CURVE_WIDE - LEFT - 8) * min(max(at / seconds, 0), 1)

    def y(value: float) -> float:
        return 6 + (body - 6) * (1 - (value - low) / (high - low))

    out = _axes(seconds, low, high, x, y)
    if curve.closed:
        out.append(f'<rect x="{LEFT}" width="{CURVE_WIDE - LEFT - 8}" y="{y(CLOSED):.1f}" '
                   f'height="{y(low) - y(CLOSED):.1f}" class="shut"/>')  # fmt: skip
    for text, start, end in curve.marks:
        labial = text[:1] in "PBM"
        if labial:
            out.append(f'<rect x="{x(start):.1f}" width="{x(end) - x(start):.1f}" y="6" '
                       f'height="{body - 6}" class="lab"/>')  # fmt: skip
        if x(end) - x(start) > 9 or labial:
            out.append(f'<text x="{(x(start) + x(end)) / 2:.1f}" y="{body + 30}" class="n" '
                       f'text-anchor="middle">{html.escape(text)}</text>')  # fmt: skip
    for name, line in curve.lines.items():
        path = " ".join(f"{x(i / curve.fps):.1f},{y(v):.1f}" for i, v in enumerate(line))
        kind = f"e{colors[name] % 8}" if name in colors else "own"
        out.append(f'<polyline points="{path}" class="c {kind}">'
                   f"<title>{html.escape(name)}</title></polyline>")  # fmt: skip
    return (
        f"<h2>{html.escape(curve.title)}</h2>"
        f'<svg class="full" viewBox="0 0 {CURVE_WIDE} {CURVE_HIGH}" role="img" '
        f'aria-label="{html.escape(curve.title)}">{"".join(out)}</svg>'
    )


def _axes(seconds: float, low: float, high: float, x: Scale, y: Scale) -> list[str]:
    out = []
    for k in range(int(low * 10), int(high * 10) + 1):
        out.append(f'<line x1="{LEFT}" x2="{CURVE_WIDE - 8}" y1="{y(k / 10):.1f}" '
                   f'y2="{y(k / 10):.1f}" class="g"/>')  # fmt: skip
        out.append(f'<text x="{LEFT - 5}" y="{y(k / 10) + 4:.1f}" text-anchor="end" '
                   f'class="n">{k / 10:.1f}</text>')  # fmt: skip
    for k in range(int(seconds) + 1):
        out.append(f'<text x="{x(k):.1f}" y="{CURVE_HIGH - FOOT + 15}" text-anchor="middle" '
                   f'class="n">{k} s</text>')  # fmt: skip
    return out
