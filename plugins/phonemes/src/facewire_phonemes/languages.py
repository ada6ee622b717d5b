"""In which languages the alignment by a recital was measured, and how well it did."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from facewire.yaml_loader import load_yaml

_NAME = "languages.yaml"


class Measured(NamedTuple):
    """What was found: the median error of a boundary, the share of /p b m/ found, and on what."""

    boundary_ms: float
    closures: float
    on: str


def measured(lang: str) -> Measured | None:
    """Return what is known of a language (``de``, ``de-AT``); None if it is unmeasured."""
    tag = lang.strip().lower().replace("_", "-")
    while tag and tag not in table():
        tag = tag.rpartition("-")[0]
    return table().get(tag)


def told(lang: str) -> str:
    """Return a line for the closing table: how good the alignment is, or that nobody knows."""
    known = measured(lang)
    if known is None:
        every = ", ".join(table())
        return (
            f"warning: the alignment of transcripts in '{lang}' is unmeasured (measured: {every})"
        )
    return (
        f"alignment in '{lang}': boundaries {known.boundary_ms:g} ms off in the median, "
        f"{known.closures:.0%} of p, b, m found; measured on {known.on}"
    )


@cache
def table() -> dict[str, Measured]:
    """Return all that were measured; ValueError where the file is damaged."""
    text = files("facewire_phonemes").joinpath("lexdata", _NAME).read_text("utf-8")
    loaded = load_yaml(text, _NAME)
    if not isinstance(loaded, dict):
        raise ValueError(f"{_NAME}: expected a mapping, found {type(loaded).__name__}")
    return {lang: checked(lang, entry) for lang, entry in loaded.items()}


def checked(lang: Any, entry: Any) -> Measured:
    """Return an entry of the table; ValueError where it is not what is expected."""
    where = f"{_NAME}: {lang}"
    if not isinstance(lang, str) or lang != lang.lower():
        raise ValueError(f"{where}: expected a language's tag in lower case")
    if not isinstance(entry, dict) or set(entry) != set(Measured._fields):
        raise ValueError(f"{where}: expected {', '.join(Measured._fields)}")
    number = (int, float)
    found = Measured(**entry)
    if not isinstance(found.boundary_ms, number) or not 0 < found.boundary_ms < 1000:
        raise ValueError(f"{where}: boundary_ms is {found.boundary_ms}, expected 0 to 1000")
    if not isinstance(found.closures, number) or not 0 <= found.closures <= 1:
        raise ValueError(f"{where}: closures is {found.closures}, expected 0 to 1")
    if not isinstance(found.on, str) or not found.on:
        raise ValueError(f"{where}: expected 'on', what it was measured on")
    return found
