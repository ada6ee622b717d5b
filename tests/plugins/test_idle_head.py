"""idle.head: sway, breathing, beats at pitch accents, a listener's nods, steady gaze."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.stages import Voice
from facewire.types import Audio, Context, FloatArray, Utterance
from facewire_idle.accents import Accents, decimate, pitch
from facewire_idle.motion import Steps
from facewire_idle.speech import Ear, Turns
from test_idle_stream import (
    RATE,
    RIG,
    chain,
    column,
    layer,
    pulses,
    run,
    speech,
    stretches,
)

AXES = ("headYaw", "headPitch", "headRoll")


def angles(values: FloatArray) -> np.ndarray:
    """Return yaw, pitch and roll of the head in degrees: (n, 3)."""
    return np.degrees(np.stack([column(values, axis) for axis in AXES], 1))


def accented(seconds: float) -> tuple[FloatArray, np.ndarray]:
    """Synthesise even syllables, every sixth raised and louder; return when those are loudest."""
    times = np.arange(1.0, seconds - 2.0, 0.25)
    stand_out = np.arange(len(times)) % 6 == 4
    sound = pulses(times, 4.0 * stand_out, 8.0 * stand_out)
    return sound, times[stand_out] + 0.08


def hops(sound: FloatArray, rate: int = RATE) -> list:
    return Ear().push(Audio(sound, rate))


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize("hertz", [85.0, 140.0, 230.0, 350.0])
def test_pitch_is_right_at_any_rate(rate: int, hertz: float) -> None:
    t = np.arange(rate // 4) / rate
    sound = sum(np.sin(2 * np.pi * k * hertz * t) / k for k in range(1, 6)).astype(np.float32)
    window = np.concatenate([decimate(hop.samples) for hop in hops(0.2 * sound, rate)[:2]])
    assert pitch(window, 0.55) == pytest.approx(hertz, rel=0.03)


def test_noise_has_no_pitch() -> None:
    random = np.random.default_rng(0)
    found = [pitch(random.standard_normal(160), 0.55) for _ in range(200)]
    assert sum(hertz is not None for hertz in found) < 20


@pytest.mark.parametrize("early", [False, True])
def test_accents_are_found_where_they_are(early: bool) -> None:
    sound, peaks = accented(60.0)
    found = Accents(early).hear(hops(sound))
    times = np.array([accent.known if early else accent.time for accent in found])
    nearest = np.abs(times[:, None] - peaks).min(axis=1)
    assert (nearest < 0.12).mean() > 0.9  # precision
    assert (np.abs(times[:, None] - peaks).min(axis=0) < 0.12).mean() > 0.9  # recall
    delays = [accent.known - accent.time for accent in found]
    assert max(delays) < (0.02 if early else 0.12)


def test_even_syllables_and_silence_have_no_accents() -> None:
    times = np.arange(1.0, 30.0, 0.25)
    even = Accents(False).hear(hops(pulses(times, 0.0 * times, 0.0 * times)))
    assert len(even) < 0.05 * len(times)
    assert not Accents(False).hear(hops(np.zeros(10 * RATE, np.float32)))


def test_turns_are_heard_and_clicks_are_not() -> None:
    sound = np.zeros(10 * RATE, np.float32)
    sound[2 * RATE : 4 * RATE] = 0.1 * np.sin(np.arange(2 * RATE) * 0.06)
    sound[6 * RATE : 6 * RATE + 100] = 0.9
    sound += 3e-4 * np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    for look, begin, end in ((0, 2.06, 4.26), (15, 1.9, 4.0)):
        turns = Turns("auto", look)
        turns.hear(hops(sound))
        changes = [(change.time, change.doing) for change in turns.until(10.0)]
        assert [doing for _, doing in changes] == ["speaking", "idle"]
        assert [time for time, _ in changes] == pytest.approx([begin, end], abs=0.021)


@pytest.mark.parametrize("causal", [False, True])
def test_nods_and_brows_lead_the_accents_and_not_all_of_them(causal: bool) -> None:
    sound, peaks = accented(300.0)
    values = run(layer("idle.head", Context(causal=causal)), 300.0, sound)
    brows = stretches(column(values, "browInnerUp") > 1e-3)
    # the sway is slow: what is faster than 6 degrees a second downwards is the stroke of a nod
    speed = np.gradient(angles(values)[:, 1]) * 60
    nods = [(a, b) for a, b in stretches(speed > 6.0) if speed[a:b].max() > 9.0]
    for name, found, most in (("brow", brows, 0.75), ("nod", nods, 0.85)):
        begins = np.array([begin / 60 for begin, _ in found])
        late = begins[:, None] - peaks  # (beats, accents)
        nearest = late[np.arange(len(begins)), np.abs(late).argmin(axis=1)]
        inside = (nearest > -0.23) & (nearest < (0.10 if causal else 0.05))
        assert inside.mean() > 0.9, (name, np.percentile(nearest, [0, 10, 50, 90, 100]))
        assert 0.15 * len(peaks) < len(found) < most * len(peaks), name


def test_sway_is_subtle_in_silence_and_larger_in_speech() -> None:
    quiet = angles(run(layer("idle.head"), 600.0)).std(axis=0)
    loud = angles(run(layer("idle.head", state="speaking"), 600.0)).std(axis=0)
    assert (quiet > [0.4, 0.3, 0.2]).all() and (quiet < [0.9, 0.7, 0.6]).all()
    assert (loud > [1.2, 0.8, 0.6]).all() and (loud < [2.2, 1.6, 1.3]).all()


def test_breathing_is_in_the_sway() -> None:
    pitches = angles(run(layer("idle.head", Context(fps=10)), 1200.0, fps=10))[:, 1]
    power = np.abs(np.fft.rfft(pitches - pitches.mean())) ** 2
    rates = np.fft.rfftfreq(len(pitches), 0.1) * 60
    yaws = angles(run(layer("idle.head", Context(fps=10)), 1200.0, fps=10))[:, 0]
    other = np.abs(np.fft.rfft(yaws - yaws.mean())) ** 2
    band = (rates > 13) & (rates < 17)
    assert power[band].sum() / power.sum() > 2 * other[band].sum() / other.sum()


@pytest.mark.parametrize("state", ["auto", "speaking", "listening", "thinking"])
def test_nothing_pops(state: str) -> None:
    values = run(chain(state=state), 120.0, speech(120.0))
    speed = np.abs(np.diff(angles(values), axis=0)).max(axis=0) * 60
    assert speed.max() < 90.0  # degrees a second
    jerk = np.abs(np.diff(angles(values), n=2, axis=0)).max() * 3600
    assert jerk < 1500.0  # degrees a second squared
    assert np.abs(np.diff(column(values, "browInnerUp"))).max() < 0.08


def test_a_listener_nods_slowly() -> None:
    values = run(layer("idle.head", state="listening"), 600.0)
    pitches = angles(values)[:, 1]
    speed = np.gradient(pitches) * 60
    strokes = [(a, b) for a, b in stretches(speed > 4.0) if speed[a:b].max() > 6.0]
    assert 8.0 < len(strokes) / 10 < 18.0  # nods a minute
    assert speed.max() < 32.0
    assert column(values, "browInnerUp").max() == 0.0


def test_the_eyes_turn_against_the_head() -> None:
    values = run(layer("idle.head"), 120.0, speech(120.0))
    for axis, name in enumerate(("Yaw", "Pitch")):
        head, eye = angles(values)[:, axis], np.degrees(column(values, f"rightEye{name}"))
        slope, base = np.polyfit(head, eye, 1)
        assert slope == pytest.approx(-0.9, abs=0.02)
        assert abs(base) < 0.01
        assert np.corrcoef(head, eye)[0, 1] < -0.999


def test_brows_that_are_lowered_stay_down_and_none_goes_beyond_1() -> None:
    sound, _ = accented(120.0)
    values = np.zeros((7200, len(RIG)), np.float32)
    values[:, RIG.index("browDownLeft")] = 1.0
    found = run(layer("idle.head"), 120.0, sound, values=values)
    assert column(found, "browInnerUp").max() == 0.0
    values = np.full_like(values, 0.0)
    values[:, RIG.index("browInnerUp")] = 0.95
    found = run(layer("idle.head", amount=2.0), 120.0, sound, values=values)
    assert 0.955 < column(found, "browInnerUp").max() <= 1.0


def test_arousal_moves_the_head_more() -> None:
    def spread(arousal: float) -> float:
        from test_idle_stream import blocks

        stage, rows = (
            layer("idle.head", Context(causal=True)),
            np.zeros((6000, len(RIG)), np.float32),
        )
        out = []
        for block in blocks(rows, speech(100.0), Fraction(60), RIG, [64]):
            block.emotion.vad[:, 1] = arousal
            out.append(stage.push(block).values)
        return float(angles(np.concatenate(out)).std(axis=0).sum())

    assert 1.4 < spread(0.8) / spread(0.3) < 1.6
    assert 0.6 < spread(0.05) / spread(0.3) < 0.85


def test_eased_steps_are_smooth_and_the_same_in_any_cut() -> None:
    steps = [(0.3, 0.2, 1.0), (0.4, 0.3, -2.0), (1.1, 0.05, 0.5), (0.35, 1.5, 3.0)]
    times = np.arange(2000) / 1000

    def go(cut: int) -> np.ndarray:
        path = Steps(1)
        for start, duration, delta in steps:
            path.add(start, duration, [delta])
        return np.concatenate([path.at(times[i : i + cut]) for i in range(0, 2000, cut)])[:, 0]

    assert np.array_equal(go(2000), go(1)) and np.array_equal(go(2000), go(33))
    assert go(7)[-1] == pytest.approx(2.5)
    assert np.abs(np.diff(go(9))).max() < 0.03


@pytest.mark.slow
def test_real_and_spoken_sound_gets_a_plausible_number_of_beats(data: Path) -> None:
    sounds = {"jfk.wav": None, "Claire_neutral.wav": None}
    for name in sounds:
        samples, rate = soundfile.read(data / "speech" / name, dtype="float32")
        found = Accents(False).hear(hops(samples, rate))
        assert 0.7 < len(found) / (len(samples) / rate) < 2.2, name


def test_a_spoken_text_gets_nods_and_brow_raises() -> None:
    pytest.importorskip("facewire_espeak", reason="the espeak plugin is not installed")
    from facewire_espeak.plugin import EspeakConfig
    from facewire_espeak.voice import Espeak

    voice: Voice = Espeak(EspeakConfig())
    text = "Well, I never said that she took my money. It was only the blue one that I wanted! " * 4
    pieces = list(voice.speak(Utterance(text)))
    sound = np.concatenate([piece.samples for piece in pieces])
    rate = pieces[0].rate
    heard = Accents(False).hear(hops(sound, rate))
    assert 0.5 < len(heard) / (len(sound) / rate) < 2.5
    assert all(later.time > earlier.time for earlier, later in pairwise(heard))
    words = [mark for piece in pieces for mark in piece.marks if mark.kind == "word"]
    hit = [
        word.text.strip(".,!").lower()
        for accent in heard
        for word in words
        if word.start <= accent.time * rate < word.end
    ]
    likely = {"well", "never", "said", "took", "money", "only", "blue", "wanted"}
    assert sum(word in likely for word in hit) / len(hit) > 0.7
