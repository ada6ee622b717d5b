"""The sink ``files.textgrid``: words and phones as Praat reads them.

Format: the long text format of Praat's manual, "TextGrid file formats"; UTF-8. Tiers are called
``words`` and ``phones`` as forced aligners call them.
"""

from __future__ import annotations

from collections.abc import Iterator

from facewire.types import Block, RunInfo, first_sample

from facewire_files.base import FileSink
from facewire_files.marks import Interval, Marks

_TIERS = {"word": "words", "phone": "phones", "sound": "sounds"}


class TextGridSink(FileSink):
    """Write the marks of a run at its end; a tier ``sounds`` (laughs, breaths) if there are any."""

    faceless = True

    def begin(self, info: RunInfo) -> None:
        """Hold no marks yet."""
        self._info = info
        self._marks = Marks(info.rate)
        self._end = 0

    def write(self, block: Block) -> None:
        """Hold the block's marks."""
        self._marks.add(block.audio)
        frames = first_sample(block.frames.end, block.audio.rate, block.frames.fps)
        self._end = max(self._end, block.audio.end, frames)

    def finish(self) -> None:
        """Write all tiers."""
        one_frame = first_sample(1, self._marks.rate, self._info.fps)  # Praat knows no empty span
        end = max(self._end, self._marks.end()) or max(1, one_frame)
        tiers = {name: self._marks.tier(kind, end) for kind, name in _TIERS.items()}
        if not self._marks.apart("sound"):
            del tiers["sounds"]
        for line in _lines(tiers, end, self._marks.rate):
            self.file.write(f"{line}\n".encode())


def _lines(tiers: dict[str, list[Interval]], end: int, rate: int) -> Iterator[str]:
    yield 'File type = "ooTextFile"'
    yield 'Object class = "TextGrid"'
    yield ""
    yield "xmin = 0"
    yield f"xmax = {_seconds(end, rate)}"
    yield "tiers? <exists>"
    yield f"size = {len(tiers)}"
    yield "item []:"
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        yield f"    item [{number}]:"
        yield '        class = "IntervalTier"'
        yield f'        name = "{name}"'
        yield "        xmin = 0"
        yield f"        xmax = {_seconds(end, rate)}"
        yield f"        intervals: size = {len(intervals)}"
        for place, interval in enumerate(intervals, 1):
            text = interval.text.replace('"', '""')
            yield f"        intervals [{place}]:"
            yield f"            xmin = {_seconds(interval.start, rate)}"
            yield f"            xmax = {_seconds(interval.end, rate)}"
            yield f'            text = "{text}"'


def _seconds(sample: int, rate: int) -> str:
    # Nanoseconds, never "1e-05": some readers know no exponents.
    return f"{sample / rate:.9f}".rstrip("0").rstrip(".")
