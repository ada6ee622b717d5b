"""What the three layers share: cuts, frame rates, seeds, rigs, limits; and helpers for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import radians
from typing import Any

import numpy as np
import pytest
from facewire.errors import InputError, ProfileError
from facewire.rig import Rig
from facewire.stages import Layer
from facewire.testing import check_stage, cuts, drive_layer
from facewire.types import (
    Audio,
    Block,
    Context,
    Emotion,
    FloatArray,
    Frames,
    first_sample,
)
from facewire_idle.plugin import facewire_layers

RIG = Rig.named("arkit61")
RATE = 16000
COMPONENTS = {component.name: component for component in facewire_layers()}
NAMES = list(COMPONENTS)
LOOKS = [f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("In", "Out", "Up", "Down")]


def layer(name: str, context: Context | None = None, **options: Any) -> Any:
    """Build one of the plugin's layers."""
    component = COMPONENTS[name]
    return component.make(component.config(**options), context or Context())


def pulses(
    times: Sequence[float], semitones: Sequence[float], decibels: Sequence[float]
) -> FloatArray:
    """Synthesise syllables of 0.16 s at the times: harmonics of 120 Hz, raised and louder."""
    sound = np.zeros(int((max(times) + 1.5) * RATE))
    t = np.arange(int(0.16 * RATE)) / RATE
    for at, higher, louder in zip(times, semitones, decibels, strict=True):
        pitch = 120.0 * 2.0 ** (higher / 12.0) * (1.0 + 0.03 * np.sin(np.pi * t / 0.16))
        phase = 2.0 * np.pi * np.cumsum(pitch) / RATE
        tone = sum(np.sin(k * phase) / k for k in range(1, 12))
        begin = int(at * RATE)
        sound[begin : begin + len(t)] += (
            0.04 * 10 ** (louder / 20) * np.sin(np.pi * t / 0.16) ** 2 * tone
        )
    return sound.astype(np.float32)


def speech(seconds: float, seed: int = 0) -> FloatArray:
    """Synthesise phrases of 6 to 14 syllables, every fourth one accented, and pauses."""
    random = np.random.default_rng(seed)
    times, at = [], 1.5
    while at < seconds - 2.0:
        for _ in range(int(random.integers(6, 15))):
            times.append(at)
            at += random.uniform(0.19, 0.26)
        at += random.uniform(0.5, 2.0)
    accented = [i % 4 == 2 for i in range(len(times))]
    sound = pulses(times, [4.0 * a for a in accented], [8.0 * a for a in accented])
    return np.concatenate([sound, np.zeros(int(seconds * RATE), np.float32)])[: int(seconds * RATE)]


def blocks(
    values: FloatArray, sound: FloatArray, fps: Fraction, rig: Rig, sizes: Sequence[int]
) -> Iterator[Block]:
    """Yield blocks of so many rows with the sound that belongs to them; emotion is neutral."""
    for begin, end in cuts(len(values), sizes):
        first, last = (first_sample(row, RATE, fps) for row in (begin, end))
        vad = np.tile(np.array([0.5, 0.3, 0.5], np.float32), (end - begin, 1))
        weights = np.eye(16, dtype=np.float32)[np.zeros(end - begin, int)]
        yield Block(
            Frames(values[begin:end], rig, fps, begin),
            Emotion(vad, weights, fps, begin),
            Audio(sound[first:last], RATE, first),
        )


def run(
    layers: Layer | Sequence[Layer],
    seconds: float,
    sound: FloatArray | None = None,
    fps: Fraction | int = 60,
    rig: Rig = RIG,
    sizes: Sequence[int] = (64,),
    values: FloatArray | None = None,
) -> FloatArray:
    """Drive one layer, or several in a row, and return the frames (n, channels)."""
    rows = int(seconds * fps)
    sound = np.zeros(0, np.float32) if sound is None else sound
    values = np.zeros((rows, len(rig)), np.float32) if values is None else values
    for one in layers if isinstance(layers, Sequence) else [layers]:
        values = drive_layer(one, blocks(values, sound, Fraction(fps), rig, sizes), rig)
    return values


def chain(context: Context | None = None, **options: Any) -> list[Layer]:
    """Build gaze, head and blink."""
    return [layer(name, context, **options) for name in NAMES]


def column(values: FloatArray, channel: str, rig: Rig = RIG) -> np.ndarray:
    return values[:, rig.index(channel)].astype(np.float64)


def stretches(true: np.ndarray) -> list[tuple[int, int]]:
    """Return the begin and end of each stretch of a boolean array (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], true.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("causal", [False, True])
def test_conforms(name: str, causal: bool) -> None:
    check_stage(lambda: layer(name, Context(causal=causal)))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("state", ["auto", "thinking", "listening"])
@pytest.mark.parametrize("fps", [Fraction(60), Fraction(30000, 1001)])
def test_any_cut_gives_the_same_bits(causal: bool, state: str, fps: Fraction) -> None:
    context, sound = Context(fps=fps, causal=causal), speech(12.0)
    whole = run(chain(context, state=state), 12.0, sound, fps)
    for sizes in ([1], [7], [3, 64, 1, 30]):
        found = run(chain(context, state=state), 12.0, sound, fps, sizes=sizes)
        assert np.array_equal(found, whole), f"pieces of {sizes}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", ["auto", "thinking", "listening"])
def test_frame_rates_agree(name: str, state: str) -> None:
    sound = speech(20.0)
    finest = run(layer(name, Context(fps=Fraction(120)), state=state), 20.0, sound, 120)
    assert np.ptp(finest, axis=0).max() > 0.02
    for fps in (24, 30, 60):
        found = run(layer(name, Context(fps=Fraction(fps)), state=state), 20.0, sound, fps)
        # one sixth of a second is a whole number of frames at each of these rates
        assert np.abs(found[:: fps // 6] - finest[::20]).max() < 1e-5


def test_together_frame_rates_agree_but_for_blinks_at_gaze_shifts() -> None:
    # When the eyes shifted is read between two frames, so a blink that goes with it moves a little.
    sound = speech(60.0)
    begins = {}
    for fps in (24, 30, 60, 120):
        values = run(chain(Context(fps=Fraction(fps), name="two")), 60.0, sound, fps)
        shut = stretches(column(values, "eyeBlinkLeft") > 0.5)
        begins[fps] = np.array([begin / fps for begin, _ in shut])
    for fps in (24, 30, 60):
        assert len(begins[fps]) == len(begins[120])
        assert np.abs(begins[fps] - begins[120]).max() < 1 / fps + 0.02


def test_the_seed_and_the_name_decide() -> None:
    def go(**context: Any) -> FloatArray:
        return run(chain(Context(**context)), 20.0, speech(20.0))

    assert np.array_equal(go(name="a", seed=1), go(name="a", seed=1))
    one, two, three = go(name="a"), go(name="b"), go(name="a", seed=1)
    for channel in ("leftEyeYaw", "headYaw", "headPitch", "eyeBlinkLeft"):
        for first, second in ((one, two), (one, three)):
            close = np.corrcoef(column(first, channel), column(second, channel))[0, 1]
            assert abs(close) < 0.6, channel


def test_channels_and_rotations_agree_and_either_may_be_missing() -> None:
    sound = speech(20.0)
    only = Rig(
        "channels", tuple(c for c in RIG.channels if not c.endswith(("Yaw", "Pitch", "Roll")))
    )
    turns = Rig("rotations", tuple(c for c in RIG.channels if not c.startswith("eyeLook")))
    full = run([layer("idle.gaze"), layer("idle.head")], 20.0, sound)
    for side, inwards in (("Left", 1), ("Right", -1)):
        look = {way: column(full, f"eyeLook{way}{side}") for way in ("In", "Out", "Up", "Down")}
        yaw, pitch = (column(full, f"{side.lower()}Eye{axis}") for axis in ("Yaw", "Pitch"))
        assert np.abs(yaw - inwards * (look["In"] - look["Out"]) * radians(35)).max() < 1e-6
        assert np.abs(pitch - (look["Down"] - look["Up"]) * radians(35)).max() < 1e-6
        assert np.abs(look["In"] * look["Out"]).max() < 1e-9
    layers = [layer(name, Context(rig=turns)) for name in ("idle.gaze", "idle.head")]
    found = run(layers, 20.0, sound, rig=turns)
    for channel in turns.channels:
        assert np.abs(column(found, channel, turns) - column(full, channel)).max() < 1e-6, channel
    # without a head to help them, the eyes go all the way
    gaze = layer("idle.gaze", Context(rig=only))
    alone = run(gaze, 20.0, sound, rig=only)
    both = run(layer("idle.gaze"), 20.0, sound)
    way = (column(alone, c, only) for c in ("eyeLookInLeft", "eyeLookOutLeft"))
    total = column(both, "leftEyeYaw") + column(both, "headYaw")
    assert np.abs((next(way) - next(way)) * radians(35) - total).max() < 0.012  # the soft limit


@pytest.mark.parametrize("name", NAMES)
def test_a_rig_without_a_face_is_left_alone(name: str) -> None:
    rig = Rig("mouth", ("jawOpen", "mouthClose"))
    values = np.random.default_rng(0).random((300, 2)).astype(np.float32)
    found = run(layer(name, Context(rig=rig)), 5.0, speech(5.0), rig=rig, values=values)
    assert np.array_equal(found, values)


def test_only_the_upper_face_and_the_rotations_move() -> None:
    values = np.random.default_rng(0).uniform(0.1, 0.3, (1200, len(RIG))).astype(np.float32)
    found = run(chain(), 20.0, speech(20.0), values=values)
    moved = {c for i, c in enumerate(RIG.channels) if not np.array_equal(found[:, i], values[:, i])}
    lids = {
        f"eye{what}{side}" for what in ("Blink", "Wide", "Squint") for side in ("Left", "Right")
    }
    brows = {"browInnerUp", "browOuterUpLeft", "browOuterUpRight"}
    turns = {f"head{axis}" for axis in ("Yaw", "Pitch", "Roll")}
    turns |= {f"{side}Eye{axis}" for side in ("left", "right") for axis in ("Yaw", "Pitch")}
    assert moved == lids | brows | turns | set(LOOKS)


@pytest.mark.parametrize("state", ["speaking", "thinking"])
def test_head_and_eyes_stay_within_their_limits(state: str) -> None:
    for sign in (1.0, -1.0):
        values = np.zeros((7200, len(RIG)), np.float32)
        for axis in ("Yaw", "Pitch", "Roll"):
            values[:, RIG.index(f"head{axis}")] = sign * radians(29.0)
        for side, way in (("Left", "In"), ("Right", "Out")):
            values[:, RIG.index(f"eyeLook{way if sign > 0 else LOOKS_OTHER[way]}{side}")] = 0.95
            values[:, RIG.index(f"{side.lower()}EyeYaw")] = sign * 0.95 * radians(35.0)
        layers = [layer(name, amount=2.0, state=state) for name in ("idle.gaze", "idle.head")]
        found = run(layers, 120.0, speech(120.0), values=values)
        for axis in ("Yaw", "Pitch", "Roll"):
            assert np.abs(column(found, f"head{axis}")).max() <= radians(30.0) + 1e-6
        for side in ("left", "right"):
            assert np.abs(column(found, f"{side}EyeYaw")).max() <= radians(35.0) + 1e-6
        assert max(column(found, look).max() for look in LOOKS) <= 1.0 + 1e-6


LOOKS_OTHER = {"In": "Out", "Out": "In"}


def test_what_was_beyond_the_limits_stays_where_it_was() -> None:
    values = np.zeros((1200, len(RIG)), np.float32)
    values[:, RIG.index("headYaw")] = radians(60.0)
    found = run([layer("idle.gaze"), layer("idle.head")], 20.0, speech(20.0), values=values)
    assert np.abs(column(found, "headYaw") - radians(60.0)).max() < 1e-6


def test_nothing_moves_with_amount_and_rate_0() -> None:
    values = np.random.default_rng(0).uniform(0, 0.5, (1200, len(RIG))).astype(np.float32)
    layers = [
        layer("idle.gaze", amount=0),
        layer("idle.head", amount=0),
        layer("idle.blink", rate=0),
    ]
    assert np.abs(run(layers, 20.0, speech(20.0), values=values) - values).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_frames_may_begin_late_and_come_without_sound(name: str) -> None:
    early = run(layer(name), 130.0)
    stage = layer(name)
    frames = Frames(np.zeros((64, len(RIG)), np.float32), RIG, Fraction(60), 7680)
    emotion = Emotion(
        np.full((64, 3), 0.3, np.float32), np.full((64, 16), 1 / 16, np.float32), Fraction(60), 7680
    )
    block = Block(frames, emotion, Audio(np.zeros(0, np.float32), RATE, 2048000))
    out = [stage.push(block), *stage.flush()]
    found = np.concatenate([piece.values for piece in out])
    assert np.abs(found - early[7680:7744]).max() < 1e-6


def test_a_state_can_be_told_live() -> None:
    head, gaze = layer("idle.head", Context(causal=True)), layer("idle.gaze", Context(causal=True))
    nods, away = [], []
    for second, block in enumerate(
        blocks(
            np.zeros((7200, len(RIG)), np.float32), np.zeros(0, np.float32), Fraction(60), RIG, [60]
        )
    ):
        if second == 60:
            head.set_state("listening")
            gaze.set_state("thinking")
        nods.append(column(head.push(block).values, "headPitch"))
        away.append(np.abs(column(gaze.push(block).values, "leftEyeYaw")))
    assert np.ptp(np.concatenate(nods[:60])) < radians(3.0) < np.ptp(np.concatenate(nods[60:]))
    assert np.mean(away[62:]) > 2 * np.mean(away[:60])
    head.set_state("auto")
    with pytest.raises(InputError, match=r"state 'thinkin' is unknown; did you mean 'thinking'\?"):
        head.set_state("thinkin")


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("idle.blink", {"rate": -1.0}, "idle.blink: rate is -1, expected 0 to 60"),
        ("idle.gaze", {"amount": 3.0}, "idle.gaze: amount is 3, expected 0 to 2"),
        ("idle.head", {"amount": float("nan")}, "idle.head: amount is nan, expected 0 to 2"),
    ],
)
def test_a_wrong_option_is_told(name: str, options: dict[str, float], text: str) -> None:
    with pytest.raises(ProfileError) as error:
        layer(name, **options)
    assert str(error.value) == text


def test_loud_and_broken_sound_does_no_harm() -> None:
    for bad in (1e30, np.nan, np.inf):
        sound = speech(6.0)
        sound[RATE : 2 * RATE] = bad
        sound[3 * RATE] = bad
        assert np.isfinite(run(chain(), 6.0, sound)).all()
