"""A script as JSONL, or as CSV with the same fields as columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from facewire.config import check_keys
from facewire.errors import InputError
from facewire.sources import check_readable
from facewire.turns import SCRIPT_SUFFIX, Line, Turn, load_turns, read_turns

CSV_SUFFIX = ".csv"
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def load_script(path: Path) -> tuple[list[Line], list[str]]:
    """Return a script's lines, and an error in one line for each that cannot be read.

    InputError where the file as a whole cannot be.
    """
    wrong: list[str] = []
    if path.suffix.lower() == CSV_SUFFIX:
        return read_turns(_rows(path), path.name, _fields, wrong), wrong
    if path.suffix.lower() != SCRIPT_SUFFIX:
        raise InputError(f"{path}: expected a script, .jsonl or .csv")
    return load_turns(path, wrong), wrong


def _rows(path: Path) -> Iterator[tuple[int, tuple[list[str], list[str]]]]:
    """Yield (line number, (header, cells)) of each row."""
    check_readable(path)
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8 text ({error.reason})") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = dict.fromkeys(name for name in header if name)
        check_keys(columns, (field.name for field in fields(Turn)), f"{path.name}:1")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, (header, cells)
    except csv.Error as error:
        raise InputError(f"{path.name}:{reader.line_num}: not CSV: {error}") from error


def _fields(row: tuple[list[str], list[str]], where: str) -> dict[str, Any]:
    """Return a turn's fields; empty cells are left out."""
    header, cells = row
    if len(cells) != len(header):
        raise InputError(
            f"{where}: {len(cells)} cells, expected {len(header)} ({', '.join(header)}); "
            "put text with commas into quotes"
        )
    return _typed({n: c for n, c in zip(header, cells, strict=True) if c.strip()}, where)


def _typed(given: dict[str, str], where: str) -> dict[str, Any]:
    """Read the cells that are no text: pause, locked, vad, level."""
    row: dict[str, Any] = dict(given)
    try:
        if "pause" in given:
            row["pause"] = float(given["pause"])
        if "vad" in given:
            row["vad"] = [float(value) for value in given["vad"].replace(";", " ").split()]
        if given.get("level", "").strip().isdigit():
            row["level"] = int(given["level"])
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    if "locked" in given:
        word = given["locked"].strip().lower()
        if word not in _WORDS:
            raise InputError(f"{where}: locked: found '{word}', expected true or false")
        row["locked"] = _WORDS[word]
    return row
