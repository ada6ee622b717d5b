"""What a batch leaves in its folder: sound, what is known of it, and the manifest.

``NAME.wav`` is a turn's sound and ``NAME.json`` its words, marks and costs, which appears before
it: where there is a WAV there is the whole turn. ``manifest.jsonl`` is made from these files alone.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from facewire.errors import FacewireError
from facewire.types import FloatArray

MANIFEST = "manifest.jsonl"
_PART = ".facewire-*.part"
_UNLISTED = ("marks",)  # too much for a line of the manifest


class DiskError(FacewireError):
    """A file cannot be written: the next one could not be either."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it becomes ``path``, else it is removed.

    DiskError where the system refuses.
    """
    part = path.with_name(f".facewire-{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise DiskError(
            f"{path}: cannot be written: {cause}; make room, or choose another --out"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_wav(path: Path, samples: FloatArray, rate: int) -> None:
    """Write mono samples (n,) as 16-bit PCM, what is beyond -1..1 clipped; whole or not at all."""
    with whole(path) as part:
        _write_pcm(part, samples, rate)


def _write_pcm(path: Path, samples: FloatArray, rate: int) -> None:
    pcm = np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
    soundfile.write(path, pcm, rate, subtype="PCM_16", format="WAV")


def write_turn(folder: Path, row: dict[str, Any], samples: FloatArray, rate: int) -> None:
    """Write a turn's sound and what is known of it; ``row["file"]`` names the sound."""
    path = folder / row["file"]
    # Both are complete before either appears, and the sound appears last.
    with whole(path) as sound:
        _write_pcm(sound, samples, rate)
        with whole(path.with_suffix(".json")) as part:
            part.write_text(f"{_json(row)}\n", "utf-8")


def sweep(folder: Path) -> None:
    """Remove what a killed run left half written."""
    for part in folder.glob(_PART):
        with suppress(OSError):
            part.unlink()


def known(folder: Path, name: str) -> dict[str, Any]:
    """Return what is known of a turn's sound that is there; ``{}`` if nobody wrote it down."""
    try:
        row = json.loads((folder / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return row if isinstance(row, dict) and row.get("file") == f"{name}.wav" else {}


def write_manifest(folder: Path, names: Iterable[tuple[str, str]]) -> int:
    """Write a row for every sound that is there; return how many.

    ``names``: the script's turns as (id, name), in order. Sounds of other scripts follow, if what
    is known of them is there too.
    """
    rows = [row for turn, name in names if (row := _row(folder, turn, name))]
    listed = {row["file"] for row in rows}
    for path in sorted(folder.glob("*.wav")):
        if path.name not in listed and (other := known(folder, path.stem)):
            rows += [row] if (row := _row(folder, str(other.get("id")), path.stem)) else []
    with whole(folder / MANIFEST) as part:
        part.write_text("".join(f"{_json(row)}\n" for row in rows), "utf-8")
    return len(rows)


def _row(folder: Path, turn: str, name: str) -> dict[str, Any] | None:
    path = folder / f"{name}.wav"
    try:
        sound = soundfile.info(path)
    except (soundfile.SoundFileError, OSError):
        return None
    row = {key: value for key, value in known(folder, name).items() if key not in _UNLISTED}
    length = {"rate": sound.samplerate, "seconds": round(sound.frames / sound.samplerate, 3)}
    return {"id": turn, "file": path.name} | row | length


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)
