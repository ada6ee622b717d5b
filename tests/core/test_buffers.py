"""Queues of rows, and of sound that waits in a file when there is much of it."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire import buffers
from facewire.buffers import Companion, Queue, SampleFile, Sound
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError
from facewire.rig import Rig
from facewire.types import Audio, Frames
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.lists(st.integers(0, 90), min_size=1, max_size=30)


@given(SIZES, SIZES, st.integers(0, 200))
def test_what_comes_out_is_what_went_in(puts: list[int], takes: list[int], room: int) -> None:
    rng, made = np.random.default_rng(0), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "IN_MEMORY", room)
        patch.setattr(buffers, "PIECE", 16)
        queue, plain = Sound(), Queue()
        for put, take in zip(puts, [*takes, *[0] * len(puts)], strict=False):
            rows = rng.standard_normal(put).astype(np.float32)
            rows[:1] = np.float32(1e-42)  # a subnormal number survives as well
            queue.put(rows)
            plain.put(rows)
            if count := min(take, len(plain)):
                made.append((queue.take(count), plain.take(count)))
        if len(plain):
            made.append((queue.take(len(queue)), plain.take(len(plain))))
    assert len(queue) == 0
    for found, expected in made:
        assert found.tobytes() == expected.tobytes()


def test_a_long_wait_is_spent_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "IN_MEMORY", 1000)
    sound, rig = np.arange(48000, dtype=np.float32), Rig.named("arkit52")
    kept = Companion(48000, Fraction(60))
    for at in range(0, 48000, 480):
        kept.put_sound(sound[at : at + 480])
    assert sum(len(piece) for piece in kept._sound._pieces) <= 1000
    kept.feel(EmotionCurve().sample(0, 60, Fraction(60)))
    pieces: list[Audio] = []
    for k in range(0, 60, 10):
        frames = Frames(np.zeros((10, 52), np.float32), rig, Fraction(60), k)
        pieces.append(kept.cut(frames, rest=k == 50).audio)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), sound)
    assert [piece.start for piece in pieces] == list(range(0, 48000, 8000))


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes, as a full disk does not."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "IN_MEMORY", 100)
    queue, rows = Sound(), np.arange(1000, dtype=np.float32)
    queue.put(rows)
    with full_at(6000), pytest.raises(FacewireError) as error:
        queue.put(rows)
    assert str(error.value) == (
        f"{tempfile.gettempdir()}: long sound cannot wait there: file too large; "
        "make room, or name another folder in TMPDIR"
    )
    assert len(queue) == 1000 and np.array_equal(queue.take(1000), rows)  # what was there, is


def test_a_folder_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(FacewireError, match="none: long sound cannot wait there: no such file"):
        SampleFile()


def test_what_is_read_may_be_written_and_nothing_stays_open() -> None:
    kept = SampleFile()
    kept.append(np.zeros(0, np.float32))
    kept.append(np.arange(10, dtype=np.float32)[::-1])
    found = kept.read(2, 5)
    found += 1
    assert found.tolist() == [8, 7, 6] and kept.read(0, 10).tolist() == [*range(9, -1, -1)]
    file = kept._file
    del kept
    gc.collect()  # a file left open would be a warning, and that an error
    assert file.closed
