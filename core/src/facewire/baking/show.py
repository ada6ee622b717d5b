"""What the review page shows of a line: sound, words and curves, as a script of its own.

``OUT/review/NAME.js`` calls ``line(…)`` of the page: a page opened from disk may load scripts, but
no other files.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facewire.baking.record import write_whole
from facewire.baking.score import Judge
from facewire.types import FloatArray, Mark

FOLDER = "review"
PEAKS = 100
"""Columns of the waveform a second."""
LONGEST = 600
"""Seconds of a line's sound that the page holds."""


def show_path(out: Path, name: str) -> Path:
    """Return where a line's data for the review are."""
    return out / FOLDER / f"{name}.js"


def write_show(out: Path, name: str, judge: Judge) -> None:
    """Write a line's data, whole or not at all."""
    text = json.dumps(shown(name, judge), ensure_ascii=False, separators=(",", ":"))
    write_whole(show_path(out, name), f"line({in_script(text)})\n")


def in_script(text: str) -> str:
    """Return JSON that may stand in a script."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def shown(name: str, judge: Judge) -> dict[str, Any]:
    """Return a line's data: times in seconds, curves in thousandths, the waveform in 127ths."""
    pcm = judge.pcm[: LONGEST * judge.rate]
    return {
        "name": name,
        "fps": round(judge.frame_rate, 6),
        "seconds": round(len(judge.pcm) / judge.rate, 3),
        "gap": _thousandths(judge.gap),
        "jaw": _thousandths(judge.jaw),
        "peaks": _peaks(pcm, judge.rate),
        "words": [_mark(m, judge.rate) for m in judge.marks if m.kind == "word"],
        "phones": [_mark(m, judge.rate) for m in judge.marks if m.kind == "phone"],
        "sound": "data:audio/flac;base64," + base64.b64encode(_flac(pcm, judge.rate)).decode(),
    }


def _thousandths(curve: FloatArray) -> list[int]:
    return [int(value) for value in np.rint(np.clip(curve, -1, 4) * 1000)]


def _mark(mark: Mark, rate: int) -> list[Any]:
    return [mark.text, round(mark.start / rate, 3), round(mark.end / rate, 3), mark.confidence]


def _peaks(pcm: NDArray[np.int16], rate: int) -> list[int]:
    """Return the greatest sample, 0..127, of each hundredth of a second."""
    step = max(1, rate // PEAKS)
    rows = np.abs(pcm[: len(pcm) // step * step].astype(np.int32)).reshape(-1, step)
    return [int(value) for value in rows.max(axis=1) // 258] if len(rows) else []


def _flac(pcm: NDArray[np.int16], rate: int) -> bytes:
    """Return the sound as FLAC, which is the same bytes each time."""
    import soundfile

    out = io.BytesIO()
    if not len(pcm):
        pcm = np.zeros(rate // 10, np.int16)
    soundfile.write(out, pcm, rate, format="FLAC", subtype="PCM_16")
    return out.getvalue()
