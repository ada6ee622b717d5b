"""What is written down of a baked line, beside its outputs: ``NAME.bake.json``, and all in one.

A record appears after the outputs it tells of, so where there is a record they are whole. It holds
no times of day and no durations of work: the same line gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from facewire.atomic import AtomicFile, told

SUFFIX = ".bake.json"
MANIFEST = "bake.jsonl"
_PART = re.compile(r"\..+\.[0-9a-f]{12}\.part")


def record_path(out: Path, name: str) -> Path:
    """Return where the record of a line is."""
    return out / f"{name}{SUFFIX}"


def read_record(out: Path, name: str) -> dict[str, Any]:
    """Return the record of a line; ``{}`` if there is none, or none that can be read."""
    try:
        record = json.loads(record_path(out, name).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("name") == name else {}


def write_record(out: Path, record: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    write_whole(record_path(out, record["name"]), _text(record, 1))


def write_manifest(out: Path, names: Iterable[str]) -> Path:
    """Write the records of a script's lines, in its order, a line each; return the path."""
    rows = [record for name in names if (record := read_record(out, name))]
    path = out / MANIFEST
    write_whole(path, "".join(_text(row, None) for row in rows))
    return path


def _text(record: dict[str, Any], indent: int | None) -> str:
    return json.dumps(record, ensure_ascii=False, indent=indent) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; FacewireError where the system refuses."""
    with told(path):
        file = AtomicFile(path)
        try:
            file.write(text.encode("utf-8", "replace"))
            file.commit()
        except BaseException:
            file.discard()
            raise


def there(out: Path, record: dict[str, Any]) -> bool:
    """Whether all outputs that a record tells of are there."""
    outputs = record.get("outputs")
    if not isinstance(outputs, list) or "error" in record:
        return False
    return all(isinstance(name, str) and (out / name).is_file() for name in outputs)


def sweep(folders: Iterable[Path]) -> None:
    """Remove what a killed run left half written in folders."""
    for folder in set(folders):
        with suppress(OSError):
            for path in folder.iterdir():
                if _PART.fullmatch(path.name):
                    with suppress(OSError):
                        path.unlink()
