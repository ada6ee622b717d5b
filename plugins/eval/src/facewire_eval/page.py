"""The report as one page: tables, intervals drawn, curves; nothing is loaded from anywhere."""

from __future__ import annotations

import html
import json
from importlib.resources import files

from facewire_eval.plots import curves, intervals
from facewire_eval.table import Column, Report, Table


def page(report: Report) -> str:
    """Return the page of a report."""
    engines = list(dict.fromkeys(name for table in report.tables for name in table.rows))
    colors = {name: i for i, name in enumerate(n for n in engines if n != "captured")}
    parts = [_table(table, colors) for table in report.tables if table.rows]
    drawn = [curves(curve, colors) for curve in report.curves if curve.lines]
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes)
    return fill(
        "report.html",
        {
            "LEGEND": _legend(colors),
            "ABOUT": html.escape(_about(report)),
            "CURVES": "".join(f'<section class="card">{svg}</section>' for svg in drawn),
            "TABLES": "".join(parts),
            "NOTES": f'<section class="card"><h2>Notes</h2><ul>{notes}</ul></section>'
            * bool(notes),
            "DATA": json.dumps(report.data(), ensure_ascii=False).replace("<", "\\u003c"),
        },
    )


def fill(name: str, parts: dict[str, str]) -> str:
    """Return a template of this package with its ``{{PLACES}}`` filled in."""
    template = files("facewire_eval").joinpath(f"data/{name}").read_text("utf-8")
    pieces = template.split("{{")  # split, not replaced: what is filled in may hold a placeholder
    out = [pieces[0]]
    for piece in pieces[1:]:
        key, _, rest = piece.partition("}}")
        out += [parts[key], rest]
    return "".join(out)


def _about(report: Report) -> str:
    about = report.about
    takes, lines = about.get("takes", {}), about.get("recordings", {})
    told = []
    if takes:
        told.append(f"{len(takes)} captured takes, {sum(takes.values()):.0f} s")
    if lines:
        told.append(
            f"{len(lines)} transcribed recordings, {sum(lines.values()):.0f} s, "
            f"{about.get('bilabials', 0)} p b m"
        )
    return "; ".join(told) or "no recordings"


def _legend(colors: dict[str, int]) -> str:
    return "".join(
        f'<span class="key"><i class="e{i % 8}"></i>{html.escape(name)}</span>'
        for name, i in colors.items()
    )


def _table(table: Table, colors: dict[str, int]) -> str:
    heads = "".join(_head(column) for column in table.columns)
    rows = []
    for name, row in table.rows.items():
        cells = []
        for k, (column, figure) in enumerate(zip(table.columns, row, strict=True)):
            value, _, inside = column.shown(figure).partition(" ")
            best = ' class="best"' if table.best(k) == name else ""
            cells.append(f"<td{best}>{value}<small>{inside}</small></td>")
        mark = f'<i class="e{colors[name] % 8}"></i>' if name in colors else ""
        rows.append(f"<tr><th scope=row>{mark}{html.escape(name)}</th>{''.join(cells)}</tr>")
    return (
        f'<section class="card" id="{table.key}"><h2>{html.escape(table.title)}</h2>'
        f"<p>{html.escape(table.says)}</p>{intervals(table, colors)}"
        f'<div class="wide"><table><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _head(column: Column) -> str:
    way = {"high": " ↑", "low": " ↓", "one": " →1", "": ""}[column.better]
    unit = f", {column.unit}" if column.unit else ""
    meaning = html.escape(column.meaning)
    return f'<th scope=col title="{meaning}">{html.escape(column.name)}{unit}{way}</th>'
