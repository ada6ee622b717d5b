"""The sink ``files.srt``: the words as subtitles (SubRip).

Captions are one line of at most 42 characters, five sixths of a second to seven seconds long (the
limits of Netflix's Timed Text Style Guide). A new one begins after a pause, after the end of a
sentence, and where the line would be too long.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from facewire.types import Block, RunInfo

from facewire_files.base import FileSink
from facewire_files.marks import Interval, Marks

LINE = 42
SHORTEST, LONGEST = 5 / 6, 7.0  # seconds
PAUSE = 0.5  # seconds; a breath between phrases is longer, a stop within one shorter
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_NO_SPACES = ("zh", "ja", "th", "lo", "km", "my", "yue")


class SrtSink(FileSink):
    """Write captions at the end of a run; a run without words gives an empty file."""

    faceless = True

    def begin(self, info: RunInfo) -> None:
        """Hold no words yet."""
        self._marks = Marks(info.rate)
        spaced = info.lang.lower().split("-")[0] not in _NO_SPACES
        self._space = " " if spaced else ""
        self._captions = 0

    def write(self, block: Block) -> None:
        """Hold the block's words."""
        self._marks.add(block.audio)

    def finish(self) -> None:
        """Write the captions."""
        rate = self._marks.rate
        found = captions(self._marks.apart("word"), rate, self._space)
        for self._captions, caption in enumerate(lengthened(found, rate), 1):
            text = "\n".join(textwrap.wrap(caption.text, LINE))  # one word longer than a line
            span = f"{_time(caption.start, rate)} --> {_time(caption.end, rate)}"
            self.file.write(f"{self._captions}\n{span}\n{text}\n\n".encode())

    def report(self) -> Sequence[str]:
        """Say so if there were no words."""
        if self.result is None or self._captions:
            return ()
        return (f"{self.path.name}: no captions, as nothing in this run knows the words",)


def captions(words: Sequence[Interval], rate: int, space: str = " ") -> Iterator[Interval]:
    """Yield words joined into captions."""
    line: Interval | None = None
    for word in words:
        if line is not None and _belongs(word, line, rate, space):
            line = Interval(line.start, word.end, line.text + space + word.text)
            continue
        if line is not None:
            yield line
        line = word
    if line is not None:
        yield line


def _belongs(word: Interval, line: Interval, rate: int, space: str) -> bool:
    return (
        word.start - line.end < PAUSE * rate
        and not line.text.endswith(_SENTENCE_ENDS)
        and len(line.text) + len(space) + len(word.text) <= LINE
        and word.end - line.start <= LONGEST * rate
    )


def lengthened(lines: Iterator[Interval], rate: int) -> Iterator[Interval]:
    """Yield captions that stay long enough to be read, as far as the next one lets them."""
    held: Interval | None = None
    for line in lines:
        if held is not None:
            yield _longer(held, rate, line.start)
        held = line
    if held is not None:
        yield _longer(held, rate, held.end + rate)


def _longer(line: Interval, rate: int, until: int) -> Interval:
    wanted = max(line.end, line.start + round(SHORTEST * rate))
    return line._replace(end=max(line.end, min(wanted, until)))


def _time(sample: int, rate: int) -> str:
    thousandths = (sample * 2000 + rate) // (2 * rate)
    seconds, thousandths = divmod(thousandths, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02},{thousandths:03}"
