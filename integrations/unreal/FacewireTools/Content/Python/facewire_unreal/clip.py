"""A clip as its file holds it: rows of channels at a rate, and the words that are spoken."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

Row = list[float]
MAX_FPS = 1000
MAX_BYTES = 64 << 20


class ClipError(Exception):
    """One line that says where, what was found, what was expected."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is spoken, in seconds from the first row."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Clip:
    """Rows (n, channels) at ``fps``; row k is at k / fps seconds."""

    channels: tuple[str, ...]
    rows: list[Row]
    fps: Fraction
    words: tuple[Word, ...] = ()

    @property
    def seconds(self) -> float:
        """Seconds from the first row to the last."""
        return float((len(self.rows) - 1) / self.fps)

    def column(self, name: str) -> list[float]:
        """Return one channel's values (n,)."""
        at = self.channels.index(name)
        return [row[at] for row in self.rows]


SUFFIXES = (".csv", ".json")


def read(path: Path) -> Clip:
    """Read a take by its suffix; ClipError in one line if it is not as it should be."""
    from facewire_unreal import read_csv, read_json

    if path.suffix.lower() not in SUFFIXES:
        raise ClipError(
            f"{path}: expected {' or '.join(SUFFIXES)}; write one with the sink files.json"
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ClipError(f"{path}: is {size >> 20} MB, expected 64 at most; cut the take")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise ClipError(f"{path}: cannot be read: {cause}") from error
    except UnicodeDecodeError:
        raise ClipError(f"{path}: is no text, expected a take") from None
    reader = read_csv.parse if path.suffix.lower() == ".csv" else read_json.parse
    return reader(text, str(path))
