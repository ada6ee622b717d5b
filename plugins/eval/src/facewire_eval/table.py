"""Results: tables of figures with intervals, as text and as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from facewire_eval.metrics.bootstrap import NOTHING, Figure, short

Better = Literal["high", "low", "one", ""]


@dataclass(frozen=True, slots=True)
class Column:
    """A figure's name, what it means, its unit, and which way is better."""

    name: str
    meaning: str = ""
    better: Better = ""
    unit: str = ""

    def shown(self, figure: Figure) -> str:
        """Return a figure in the column's unit, with its interval."""
        if self.unit == "ms":
            return _scaled(figure, 1000, 0)
        if self.unit == "‰":
            return _scaled(figure, 1000, 2)
        if self.unit == "%":
            return _scaled(figure, 100, 1)
        if self.unit == "mm":
            return _scaled(figure, 1, 2)
        return str(figure)


def _scaled(figure: Figure, by: float, places: int) -> str:
    if not math.isfinite(figure.value):
        return "-"
    ends = (figure.low, figure.value, figure.high)
    low, value, high = (f"{round(by * x, places) + 0.0:.{places}f}" for x in ends)
    return f"{value} [{low}, {high}]" if math.isfinite(figure.low) else value


@dataclass(slots=True)
class Table:
    """A title, what it says, columns, and a row of figures for each engine."""

    key: str
    title: str
    says: str
    columns: Sequence[Column]
    rows: dict[str, list[Figure]] = field(default_factory=dict)

    def add(self, engine: str, figures: Sequence[Figure]) -> None:
        """Add an engine's row; ValueError if it has not a figure for each column."""
        if len(figures) != len(self.columns):
            raise ValueError(f"{self.key}: {len(figures)} figures for {len(self.columns)} columns")
        self.rows[engine] = list(figures)

    def best(self, column: int) -> str | None:
        """Return the engine whose figure is best, if one way is better and two are compared."""
        way = self.columns[column].better
        known = {
            name: row[column].value
            for name, row in self.rows.items()
            if math.isfinite(row[column].value) and name != "captured"
        }
        if not way or len(known) < 2:
            return None
        if way == "one":
            return min(known, key=lambda name: abs(math.log(max(known[name], 1e-9))))
        return (max if way == "high" else min)(known, key=lambda name: known[name])

    def text(self) -> str:
        """Return the table as plain text, columns of engines in rows."""
        heads = ["", *(c.name for c in self.columns)]
        cells = [
            [name, *(c.shown(f) for c, f in zip(self.columns, row, strict=True))]
            for name, row in self.rows.items()
        ]
        widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
        lines = [
            "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                      for i, (cell, w) in enumerate(zip(line, widths, strict=True))).rstrip()
            for line in [heads, *cells]
        ]  # fmt: skip
        return "\n".join([self.title, *lines])

    def data(self) -> dict[str, Any]:
        """Return the table as plain data; what could not be measured is null."""
        return {
            "title": self.title,
            "says": self.says,
            "columns": [
                {"name": c.name, "meaning": c.meaning, "better": c.better, "unit": c.unit}
                for c in self.columns
            ],
            "rows": {name: [_plain(figure) for figure in row] for name, row in self.rows.items()},
        }


def _plain(figure: Figure) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return round(value, 6) if math.isfinite(value) else None

    return {
        "value": number(figure.value),
        "low": number(figure.low),
        "high": number(figure.high),
        "count": figure.count,
    }


@dataclass(frozen=True, slots=True)
class Curve:
    """A few seconds of a curve, for a plot: one line an engine, and phones below."""

    title: str
    fps: float
    lines: dict[str, list[float]]
    marks: tuple[tuple[str, float, float], ...] = ()
    closed: bool = False


@dataclass(slots=True)
class Report:
    """All that was measured: tables, curves to plot, and notes."""

    tables: list[Table] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return tables and notes as plain text."""
        parts = [table.text() for table in self.tables if table.rows]
        return "\n\n".join(
            [*parts, *(["\n".join(f"note: {n}" for n in self.notes)] * bool(self.notes))]
        )

    def data(self) -> dict[str, Any]:
        """Return everything as plain data, tables by key."""
        return {
            "about": self.about,
            "tables": {table.key: table.data() for table in self.tables},
            "notes": self.notes,
        }


__all__ = ["NOTHING", "Better", "Column", "Curve", "Report", "Table", "short"]
