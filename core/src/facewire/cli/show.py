"""What the command line prints: progress, notes and tables."""

from __future__ import annotations

import sys
from functools import partial
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from facewire.report import Report

WIDTH = 100
Plain = partial(Console, highlight=False, markup=False, emoji=False)
"""A console that prints text as it stands: brackets and backslashes in it are no markup."""


def say(what: str | Table, file: TextIO | None = None) -> None:
    """Print to standard output, or to a file; without colours where it is no terminal."""
    console = Plain(file=file or sys.stdout)
    if not console.is_terminal:
        console = Plain(file=file or sys.stdout, width=WIDTH, no_color=True)
    console.print(what)


class Progress:
    """A bar on a terminal (standard error), nothing elsewhere; notes are plain lines."""

    def __init__(
        self, name: str, total: float | None, quiet: bool, record: TextIO | None = None
    ) -> None:
        self._record = record
        self._console = Plain(stderr=True)
        self._quiet, self._total, self._name = quiet, total, name
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if not self._quiet and self._console.is_terminal:
            name = TextColumn("{task.description}", markup=False)
            seconds = TextColumn("{task.completed:.1f} s")
            columns = (name, BarColumn(), seconds, TimeElapsedColumn())
            self._bar = Bar(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=self._total)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def at(self, seconds: float) -> None:
        """Show how much sound has gone in."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=seconds)

    def note(self, line: str) -> None:
        """Print a line at once, and put it into the log."""
        if self._record:
            print(line, file=self._record, flush=True)
        if not self._quiet:
            self._console.print(line, soft_wrap=True)


def closing_table(report: Report, verbose: bool = False) -> Table:
    """Return the table that ends a run."""
    table = Table(title=report.name, title_justify="left", show_header=False, box=None)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for what, value in report.rows(verbose):
        table.add_row(what, value)
    return table


def listing(columns: list[str], rows: list[list[str]]) -> Table:
    """Return a plain table."""
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
