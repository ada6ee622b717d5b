"""Words and phones as TextGrid and SRT, read back by others' parsers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import srt
import textgrid
import textgrids
from facewire.rig import Rig
from facewire.stages import Sink
from facewire.types import Audio, Block, Emotion, Frames, Mark, RunInfo, first_sample
from facewire_files.srt import LINE, SrtSink
from facewire_files.textgrid import TextGridSink
from hypothesis import given, settings
from hypothesis import strategies as st

RIG = Rig.named("arkit52")
FPS = Fraction(60)
RATE = 44100


def write(sink: Sink, marks: Sequence[Mark], seconds: float = 4.0, lang: str = "en") -> Path:
    """Push a run of so many seconds, each block with the marks that begin in it."""
    sink.open(RunInfo("clip", RIG, FPS, RATE, lang=lang))
    rows = int(seconds * 60)
    for at in range(0, rows, 64):
        n = min(64, rows - at)
        start, end = (first_sample(k, RATE, FPS) for k in (at, at + n))
        here = tuple(mark for mark in marks if start <= mark.start < end)
        feeling = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), FPS, at)
        frames = Frames(np.zeros((n, 52), np.float32), RIG, FPS, at)
        sink.push(
            Block(frames, feeling, Audio(np.zeros(end - start, np.float32), RATE, start, here))
        )
    sink.close()
    return Path(sink.result)


def word(text: str, start: float, end: float) -> Mark:
    return Mark("word", text, round(start * RATE), round(end * RATE))


HELLO = [
    word("hello", 0.5, 0.9),
    word('"world"', 0.9, 1.4),
    Mark("phone", "HH", 22050, 25000),
    Mark("phone", "AH0", 25000, 27001),
    word("été", 2.0, 2.25),
]


def test_praat_text_is_read_by_two_parsers(tmp_path: Path) -> None:
    path = write(TextGridSink(tmp_path / "a.TextGrid"), HELLO)
    first = textgrid.TextGrid.fromFile(str(path))
    assert [tier.name for tier in first] == ["words", "phones"] and first.maxTime == 4.0
    words = [(i.minTime, i.maxTime, i.mark) for i in first[0]]
    assert words == [
        (0, 0.5, ""),
        (0.5, 0.9, "hello"),
        (0.9, 1.4, '"world"'),
        (1.4, 2.0, ""),
        (2.0, 2.25, "été"),
        (2.25, 4.0, ""),
    ]
    second = textgrids.TextGrid(str(path))
    phones = [(i.xmin, i.xmax, i.text) for i in second["phones"]]
    assert [text for *_, text in phones] == ["", "HH", "AH0", ""]
    assert phones[2][0] == phones[1][1] == pytest.approx(25000 / RATE, abs=1e-9)
    assert second.xmax == 4.0 and [text for *_, text in words][2] == '"world"'


def test_praat_long_format_line_by_line(tmp_path: Path) -> None:
    path = write(TextGridSink(tmp_path / "a.TextGrid"), [word('a "b"', 0.1, 0.2)], 0.2)
    raw = path.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf") and b"\r" not in raw and raw.endswith(b"\n")
    lines = raw.decode("utf-8").split("\n")
    assert lines[:8] == [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        "xmax = 0.2",
        "tiers? <exists>",
        "size = 2",
        "item []:",
    ]
    assert lines[13:22] == [
        "        intervals: size = 2",
        "        intervals [1]:",
        "            xmin = 0",
        "            xmax = 0.1",
        '            text = ""',
        "        intervals [2]:",
        "            xmin = 0.1",
        "            xmax = 0.2",
        '            text = "a ""b"""',
    ]


def test_laughs_have_a_tier_of_their_own(tmp_path: Path) -> None:
    laugh = Mark("sound", "laugh", 0, RATE)
    path = write(TextGridSink(tmp_path / "a.TextGrid"), [laugh, *HELLO])
    assert [t.name for t in textgrid.TextGrid.fromFile(str(path))] == ["words", "phones", "sounds"]


def test_silence_is_one_empty_interval(tmp_path: Path) -> None:
    grid = textgrid.TextGrid.fromFile(str(write(TextGridSink(tmp_path / "a.TextGrid"), [])))
    assert [(i.minTime, i.maxTime, i.mark) for i in grid[0]] == [(0, 4.0, "")]


MARKS = st.lists(
    st.builds(
        lambda kind, text, start, length: Mark(kind, text, start, start + length),
        st.sampled_from(["word", "phone"]),
        st.text(max_size=60),
        st.integers(-100, 4 * RATE - 1),
        st.integers(-10, 5 * RATE),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(MARKS)
def test_any_marks_become_intervals_without_overlap_or_gap(
    tmp_path_factory: pytest.TempPathFactory, marks: list[Mark]
) -> None:
    folder = tmp_path_factory.mktemp("marks")
    grid = textgrid.TextGrid.fromFile(str(write(TextGridSink(folder / "a.TextGrid"), marks)))
    for tier in grid:  # the parser itself raises where two overlap
        edges = [(i.minTime, i.maxTime) for i in tier]
        assert edges[0][0] == 0 and edges[-1][1] == grid.maxTime >= 4
        assert all(one[1] == other[0] for one, other in pairwise(edges))
    text = write(SrtSink(folder / "a.srt"), marks).read_text("utf-8")
    captions = list(srt.parse(text))
    ends = [timedelta(0), *(caption.end for caption in captions)]
    assert all(c.start >= end for c, end in zip(captions, ends, strict=False))
    assert all(len(line) <= LINE for c in captions for line in c.content.splitlines())


def spoken(text: str, seconds: float = 0.3, start: float = 0.0) -> list[Mark]:
    words = text.split()
    return [word(w, start + i * seconds, start + (i + 1) * seconds) for i, w in enumerate(words)]


def test_captions_break_at_pauses_sentences_and_42_characters(tmp_path: Path) -> None:
    marks = [
        *spoken("The quick brown fox jumps over the lazy dog and runs away. Then it"),
        *spoken("sleeps", start=5.0),
    ]
    captions = list(srt.parse(write(SrtSink(tmp_path / "a.srt"), marks, 7).read_text()))
    assert [caption.content for caption in captions] == [
        "The quick brown fox jumps over the lazy",
        "dog and runs away.",
        "Then it",
        "sleeps",
    ]
    assert [caption.index for caption in captions] == [1, 2, 3, 4]
    assert captions[0].start == timedelta(0) and captions[0].end == timedelta(seconds=2.4)
    # Short ones stay for 5/6 of a second where nothing follows sooner.
    assert captions[2].end - captions[2].start == timedelta(milliseconds=833)
    assert captions[3].start == timedelta(seconds=5)


def test_no_caption_outlasts_seven_seconds(tmp_path: Path) -> None:
    marks = spoken("a b c d e f g h", 2.0)
    captions = list(srt.parse(write(SrtSink(tmp_path / "a.srt"), marks, 17).read_text()))
    assert max(caption.end - caption.start for caption in captions) <= timedelta(seconds=7)


def test_times_after_an_hour(tmp_path: Path) -> None:
    text = write(SrtSink(tmp_path / "a.srt"), [word("late", 3661.5, 3663)], 3664).read_text()
    assert text == "1\n01:01:01,500 --> 01:01:03,000\nlate\n\n"


def test_chinese_has_no_spaces_and_a_long_word_is_cut(tmp_path: Path) -> None:
    marks = spoken("你 好 世 界")
    assert "你好世界\n" in write(SrtSink(tmp_path / "a.srt"), marks, 2, "zh-CN").read_text("utf-8")
    path = write(SrtSink(tmp_path / "b.srt"), [word("x" * 100, 0, 1)], 2)
    assert [len(line) for line in path.read_text().split("\n")[2:5]] == [42, 42, 16]


def test_a_run_without_words_says_so(tmp_path: Path) -> None:
    sink = SrtSink(tmp_path / "a.srt")
    assert write(sink, HELLO[2:4]).read_bytes() == b""
    assert sink.report() == ("a.srt: no captions, as nothing in this run knows the words",)
