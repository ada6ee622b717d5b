from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from facewire.emotion import State
from facewire.errors import InputError, StageError
from facewire.pipeline import Pipeline
from facewire.stages import Layer
from facewire.testing import cut_audio, voiced
from facewire.types import Audio, Block, Frames, Mark, first_sample, frames_within
from hypothesis import given, settings
from hypothesis import strategies as st
from parts import FPS, RIG, NoOp, Shift, pipeline

SOUND = voiced(2.3, 22050)
MARKS = (
    Mark("word", "one", 0, 9000),
    Mark("word", "two", 20000, 30000),
    Mark("phone", "T", 50714, 50715),
)


def joined(blocks: list[Block]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Mark]]:
    frames = np.concatenate([b.frames.values for b in blocks])
    vad = np.concatenate([b.emotion.vad for b in blocks])
    sound = np.concatenate([b.audio.samples for b in blocks])
    return frames, vad, sound, [m for b in blocks for m in b.audio.marks]


def drive(pipe: Pipeline, sizes: list[int], sound: Audio = SOUND) -> list[Block]:
    blocks = [b for piece in cut_audio(sound, sizes) for b in pipe.push(piece)]
    return [*blocks, *pipe.flush()]


def contiguous(blocks: list[Block]) -> None:
    at = sample = 0
    for block in blocks:
        frames, audio = block.frames, block.audio
        assert 0 < len(frames) <= 64
        assert frames.start == block.emotion.start == at
        assert audio.start == sample
        at += len(frames)
        if block is not blocks[-1]:
            assert audio.end == first_sample(at, audio.rate, frames.fps)
        sample = audio.end


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=6),
    fps=st.sampled_from([FPS, Fraction(24), Fraction(30000, 1001), Fraction(120)]),
)
def test_any_cut_gives_what_the_whole_gives(sizes: list[int], fps: Fraction) -> None:
    def layers() -> list[Layer]:
        return [Shift(3, 4), NoOp(), Shift(0, 70), Shift(80)]

    sound = replace(SOUND, marks=MARKS)
    whole = afraid(layers(), fps, sound, [len(sound)])
    cut = afraid(layers(), fps, sound, sizes)
    contiguous(whole)
    contiguous(cut)
    for one, other in zip(joined(whole), joined(cut), strict=True):
        if isinstance(one, list):
            assert one == other
        else:
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, atol=1e-6)


def afraid(layers: list[Layer], fps: Fraction, sound: Audio, sizes: list[int]) -> list[Block]:
    pipe = pipeline(*layers, fps=fps)
    pipe.curve.set(Fraction(1), State.named("fear"), "tags")
    return drive(pipe, sizes, sound)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 192000])
@pytest.mark.parametrize("n", [1, 2, 735, 1470, 1471, 5000, 22050])
def test_there_is_a_row_for_every_frame_that_begins_in_the_sound(rate: int, n: int) -> None:
    blocks = drive(pipeline(Shift(2)), [n], Audio(np.ones(n, np.float32), rate))
    assert sum(len(b.frames) for b in blocks) == frames_within(n, rate, FPS)
    assert sum(len(b.audio) for b in blocks) == n


def test_all_sound_and_marks_come_out_once() -> None:
    sound = replace(SOUND, marks=MARKS)
    _, _, samples, marks = joined(drive(pipeline(Shift(9), rate=22050), [1000], sound))
    assert np.array_equal(samples, sound.samples)
    assert [m.text for m in marks] == ["one", "two", "T"]
    assert all(abs(m.start - n.start) <= 1 for m, n in zip(marks, MARKS, strict=True))


def test_layers_see_each_row_of_emotion_once_and_in_order() -> None:
    layer = Shift(0, 30)
    blocks = drive(pipeline(layer), [777])
    rows = sum(len(b.frames) for b in blocks)
    assert layer.seen == list(range(rows + 30))


def test_a_live_change_acts_on_the_first_row_not_yet_conditioned() -> None:
    pipe = pipeline()
    first = pipe.push(Audio(SOUND.samples[:22050], 22050))
    done = sum(len(b.frames) for b in first) + 5  # the model holds five rows back
    pipe.curve.set(None, State.named("anger"))
    rest = [*pipe.push(Audio(SOUND.samples[22050:], 22050, 22050)), *pipe.flush()]
    vad = joined([*first, *rest])[1]
    angry = np.array(State.named("anger").vad, np.float32)
    assert np.allclose(vad[:done, 1], 0.30)
    assert np.allclose(vad[done:], angry)


def test_frames_skip_the_model_and_are_resampled_to_its_rate() -> None:
    pipe = pipeline(Shift(4, 3))
    values = np.zeros((90, len(RIG)), np.float32)
    values[:, RIG.index("browInnerUp")] = 0.3
    values[:, RIG.index("jawOpen")] = np.linspace(0, 1, 90)
    blocks = []
    for i in range(0, 90, 7):
        blocks += pipe.push_frames(Frames(values[i : i + 7], RIG, Fraction(30), i))
    blocks += pipe.flush()
    out = joined(blocks)[0]
    assert len(out) == 180
    np.testing.assert_allclose(out[::2, RIG.index("jawOpen")], np.linspace(0, 1, 90), atol=1e-6)


def test_a_pipeline_can_be_used_again_after_reset() -> None:
    pipe = pipeline(Shift(3, 2))
    first = joined(drive(pipe, [500]))
    pipe.reset()
    again = joined(drive(pipe, [500]))
    assert np.array_equal(first[0], again[0])


def test_a_stage_that_fails_is_named() -> None:
    class Broken(Layer):
        def push(self, block: Block) -> Frames:
            raise ZeroDivisionError("by zero")

    with pytest.raises(StageError) as error:
        drive(pipeline(Broken()), [len(SOUND)])
    assert str(error.value) == (
        "layer 'layer0' (facewire-test 1.0) failed: ZeroDivisionError: by zero"
    )


def test_a_layer_that_makes_rows_up_is_named() -> None:
    class Double(Layer):
        def push(self, block: Block) -> Frames:
            frames = block.frames
            return replace(frames, values=np.repeat(frames.values, 2, axis=0))

    with pytest.raises(
        StageError, match=r"layer 'layer0' .* returned \d+ frames where at most \d+ were due"
    ):
        drive(pipeline(Double()), [len(SOUND)])


def test_audio_of_another_rate_is_refused() -> None:
    pipe = pipeline()
    pipe.push(Audio(np.zeros(100, np.float32), 16000))
    with pytest.raises(InputError, match="audio at 8000 Hz came into a session at 16000 Hz"):
        pipe.push(Audio(np.zeros(100, np.float32), 8000))


def test_latency_names_each_part() -> None:
    parts = dict(pipeline(Shift(3, 2)).latency(22050))
    assert parts["model 'jaw' (facewire-test 1.0)"] == pytest.approx(5 / 60)
    assert parts["layer 'layer0' (facewire-test 1.0)"] == pytest.approx(5 / 60)
    assert 0.005 < (parts["resampler"] or 0) < 0.05
