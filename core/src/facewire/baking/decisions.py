"""What people decided of baked lines on the review page: ``review.json``, and what is kept of it.

Approvals, locks and notes are kept in ``OUT/review/decisions.json``, so that a lock lasts; a
rejected line is baked again once, by the command that brings the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from facewire.baking.record import write_whole
from facewire.baking.show import FOLDER
from facewire.errors import InputError
from facewire.sources import check_readable


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was decided of a line; ``version`` is that of the bake it was decided of."""

    decision: Literal["approve", "lock", "reject"] | None = None
    note: str = ""
    version: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    facewire: Literal["review"]
    lines: dict[str, Decision]


def load_decisions(path: Path) -> dict[str, Decision]:
    """Read a ``review.json``; InputError in one line."""
    check_readable(path)
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).lines
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no review.json as the review page makes it: {error}") from error


def kept_path(out: Path) -> Path:
    """Return where decisions are kept."""
    return out / FOLDER / "decisions.json"


def kept_decisions(out: Path) -> dict[str, Decision]:
    """Return what was decided before; InputError if the file is damaged."""
    path = kept_path(out)
    return load_decisions(path) if path.exists() else {}


def keep(out: Path, new: Mapping[str, Decision]) -> dict[str, Decision]:
    """Put new decisions over those before, write them down and return them all."""
    kept = {**kept_decisions(out), **new}
    kept = {name: one for name, one in sorted(kept.items()) if one.decision or one.note}
    text = msgspec.json.format(msgspec.json.encode(_File("review", kept)), indent=1)
    write_whole(kept_path(out), text.decode() + "\n")
    return kept


def names_of(decisions: Mapping[str, Decision], wanted: str) -> set[str]:
    """Return the names of lines with a decision."""
    return {name for name, one in decisions.items() if one.decision == wanted}


def unknown(decisions: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the names that no line has."""
    return sorted(set(decisions) - set(names))
