"""Whole folders, in chunks: what is unchanged is skipped, one bad clip never stops the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import unreal

from facewire_unreal.clip import ClipError
from facewire_unreal.plan import Options, chunks, takes
from facewire_unreal.sequence import import_clip


@dataclass(slots=True)
class Count:
    """How many clips were made, unchanged, bad."""

    made: int = 0
    unchanged: int = 0
    bad: int = 0


def import_folder(folder: Path, options: Options, chunk: int = 50) -> Count:
    """Import every take under ``folder``; memory is given back after each chunk."""
    count = Count()
    todo = list(takes(folder, options.folder).items())
    with unreal.ScopedSlowTask(len(todo), "Facewire clips") as task:
        for some in chunks(todo, chunk):
            for asset, path in some:
                task.enter_progress_frame(1, path.name)
                _one(path, asset, options, count)
            unreal.collect_garbage()
    unreal.log(f"facewire: {count.made} made, {count.unchanged} unchanged, {count.bad} bad")
    return count


def _one(path: Path, asset: str, options: Options, count: Count) -> None:
    try:
        if import_clip(path, asset, options):
            count.made += 1
        else:
            count.unchanged += 1
    except ClipError as error:
        unreal.log_error(f"facewire: {error}")
        count.bad += 1
