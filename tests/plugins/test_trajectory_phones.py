from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.articulation import CURVES, lip_gap, lip_protrusion, lip_to_teeth, measure, read_phone
from facewire.assemble import assemble
from facewire.emotion import EmotionCurve
from facewire.profile import Profile, load_profile
from facewire.rig import Rig
from facewire.speech import trust_marks
from facewire.testing import voiced
from facewire.types import Audio, Context, Mark
from facewire_trajectory.agreement import Agreement
from facewire_trajectory.config import MelConfig, ModelConfig
from facewire_trajectory.constrain import GAP, SOON, Phones, constrained, doubted
from facewire_trajectory.extractor import MelExtractor, PhonedExtractor, make
from facewire_trajectory.mel import RATE
from facewire_trajectory.model import Trajectory
from trajectory_parts import SENTENCES, animate, driven, phones_of, speak

RIG = Rig.named("arkit52_tongue")


@pytest.fixture(scope="module")
def held() -> list[tuple[Audio, np.ndarray]]:
    sounds = [speak(text) for text in SENTENCES]
    return [(sound, animate(sound)) for sound in sounds]


def test_closures_are_where_the_phones_are(held: list[tuple[Audio, np.ndarray]]) -> None:
    reports = [measure(lip_gap(v, RIG), 60.0, phones_of(sound)) for sound, v in held]
    assert np.nanmean([report.recall for report in reports]) >= 0.98
    assert np.nanmean([report.precision for report in reports]) >= 0.95
    assert np.nanmedian([report.timing for report in reports]) <= 1 / 60
    rates = [sum(getattr(report, name) for report in reports) for name in ("rate", "phone_rate")]
    assert abs(rates[0] / rates[1] - 1) <= 0.3
    assert max(report.leak for report in reports) <= 0.01


def test_the_lower_lip_meets_the_teeth_and_round_vowels_are_round(
    held: list[tuple[Audio, np.ndarray]],
) -> None:
    bites, forward, spread = [], [], []
    for sound, values in held:
        for phone in phones_of(sound):
            rows = values[int(phone.start * 60) : int(phone.end * 60) + 1]
            name = read_phone(phone.text).shapes[0].name if read_phone(phone.text).shapes else ""
            if name == "f":
                bites.append(float(lip_to_teeth(rows, RIG).min()))
            if name in ("u", "uu", "o", "w"):
                forward.append(float(lip_protrusion(rows, RIG).max()))
            if name in ("i", "e"):
                spread.append(float(lip_protrusion(rows, RIG).mean()))
    assert np.mean(np.array(bites) < 0.05) > 0.9
    assert np.mean(forward) > np.mean(spread) + 0.15


def test_the_network_still_says_how_far_the_mouth_opens() -> None:
    sound = speak(SENTENCES[0])
    loud = np.where(np.arange(len(sound)) > len(sound) // 2, 1.0, 0.3)
    other = Audio((sound.samples * loud).astype(np.float32), RATE, 0, sound.marks)
    bare = Audio(sound.samples, RATE)
    assert not np.allclose(animate(sound), animate(bare), atol=0.02)
    assert not np.allclose(animate(sound), animate(other), atol=0.01)


def test_phones_can_be_left_out_of_it() -> None:
    sound = speak(SENTENCES[2])
    bare = Audio(sound.samples, RATE)
    assert np.array_equal(animate(sound, ModelConfig(phones=False)), animate(bare))
    model = Trajectory(ModelConfig(), Context())
    driven(model, sound)
    assert model.report()[1] == f"trajectory: held to {model._phones.count} phones"


def test_a_laugh_between_phones_is_the_networks() -> None:
    network = np.full((10, len(CURVES)), 0.3)
    phones = np.zeros((10, len(CURVES)))
    vocal = np.linspace(0, 1, 10)
    mixed = constrained(network, phones, vocal)
    assert np.allclose(mixed[:, GAP], 0.3 * vocal)


def test_a_transcript_is_aligned() -> None:
    pytest.importorskip("facewire_phonemes")
    sound = speak(SENTENCES[0])
    profile = Profile(name="test", sinks=())
    context = assemble(profile, "test", None, transcript=SENTENCES[0]).context  # type: ignore[arg-type]
    extractor = make(MelConfig(), context)
    assert isinstance(extractor, PhonedExtractor) and extractor.lookahead is None
    bare = Audio(sound.samples, RATE)
    pieces = [extractor.push(bare), *extractor.flush()]
    plain = MelExtractor()
    rows = [plain.push(bare).values, *(piece.values for piece in plain.flush())]
    assert np.array_equal(np.concatenate([p.values for p in pieces]), np.concatenate(rows))
    phones = [mark for piece in pieces for mark in piece.marks if mark.kind == "phone"]
    labial = [m for m in phones if m.text.strip("012") in ("P", "B", "M")]
    assert len(labial) >= 5
    assert all(0 <= mark.start <= len(sound) for mark in phones)


def test_a_transcript_that_cannot_be_aligned_is_no_error() -> None:
    pytest.importorskip("facewire_phonemes")
    context = assemble(
        Profile(name="test", sinks=(), lang="xx"), "test", None, transcript="qq"
    ).context  # type: ignore[arg-type]
    extractor = make(MelConfig(), context)
    sound = voiced(2.0, RATE)
    rows = sum(len(p) for p in [extractor.push(sound), *extractor.flush()])
    assert rows == 120
    assert extractor.report()


@pytest.mark.parametrize("context", [Context(lang="zh"), Context(causal=True, transcript="hello")])
def test_in_another_language_or_live_nothing_waits(context: Context) -> None:
    assert make(MelConfig(), context).lookahead == 600


def test_without_a_transcript_english_is_heard() -> None:
    pytest.importorskip("facewire_phonemes")
    sound = speak(SENTENCES[1])
    bare = Audio(sound.samples, RATE)
    profile = Profile(name="test", sinks=())
    extractor = make(MelConfig(), assemble(profile, "test", None).context)  # type: ignore[arg-type]
    assert isinstance(extractor, PhonedExtractor)
    pieces = [extractor.push(bare), *extractor.flush()]
    plain = MelExtractor()
    rows = [plain.push(bare).values, *(piece.values for piece in plain.flush())]
    assert np.array_equal(np.concatenate([p.values for p in pieces]), np.concatenate(rows))
    phones = [mark for piece in pieces for mark in piece.marks if mark.kind == "phone"]
    assert len(phones) > 10 and all(mark.confidence < 1.0 for mark in phones)
    marked = Audio(sound.samples, RATE, 0, tuple(phones))
    model = Trajectory(ModelConfig(), Context())
    heard = driven(model, marked)
    assert f"{model._phones.count} of them heard" in model.report()[1]
    known = driven(Trajectory(ModelConfig(), Context(transcript=SENTENCES[1])), marked)
    alone = driven(Trajectory(ModelConfig(phones=False), Context()), marked)
    gaps = [lip_gap(values, RIG) for values in (heard, known, alone)]
    assert not np.allclose(gaps[0], gaps[1], atol=0.01)
    assert not np.allclose(gaps[0], gaps[2], atol=0.01)


def test_phones_that_are_doubted_close_no_open_mouth() -> None:
    network = np.zeros((3, len(CURVES)))
    network[:, GAP] = 0.05, 0.275, 0.4
    held = doubted(network, np.zeros((3, len(CURVES))))
    np.testing.assert_allclose(held[:, GAP], [0.0, 0.1375, 0.4])


def heard_vowels(other: np.ndarray) -> np.ndarray:
    """Return the gap (n,) of lips at rest for the network while a recogniser hears vowels."""
    count, sound = len(other), np.zeros((len(other), 3))
    sound[:, 0], sound[:, 1] = other, 1.0 - other
    marks = [
        Mark("phone", "AA1", a * 400, (a + 10) * 400, confidence=0.5) for a in range(0, count, 10)
    ]
    phones = Phones()
    phones.push(marks, RATE, np.full((count, 64), -5.0, np.float32), known=False)
    phones.flush()
    rows = np.zeros((count, len(CURVES)))
    pieces = [phones.hold(rows[a : a + 7], sound[a : a + 7]) for a in range(0, count, 7)]
    return np.concatenate(pieces)[:, GAP]


def test_phones_heard_where_no_mouth_sounds_have_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agreement, "push", lambda self, network, phones, told: np.ones(len(told)))
    assert heard_vowels(np.zeros(240))[20:].min() > 0.02
    assert np.abs(heard_vowels(np.full(240, 0.99))).max() < 1e-6  # from the beginning
    assert np.abs(heard_vowels(np.full(240, 0.7))).max() < 1e-6  # doubt alone is no speech
    spoken, doubt, other = np.zeros(60), np.full(120, 0.7), np.full(120, 0.99)
    gap = heard_vowels(np.concatenate([spoken, doubt, other, spoken]))
    assert gap[20 : 180 + int(SOON)].min() > 0.02  # as long as a held vowel may be taken for noise
    assert np.abs(gap[180 + 2 * int(SOON) : 300]).max() < 1e-6
    assert gap[300:340].min() > 0.02  # and again with the first speech


def _live(model: Any, sound: Audio, extractor: Any = None) -> Any:
    """Return the frames of a live run, a tenth of a second at a time."""
    extractor = extractor or MelExtractor()
    frames, curve = [], EmotionCurve()

    def take(features: Any) -> None:
        frames.append(model.push(features, curve.sample(features.start, len(features), model.fps)))

    for at in range(0, len(sound), 2400):
        marks = tuple(mark for mark in sound.marks if at <= mark.start < at + 2400)
        take(extractor.push(Audio(sound.samples[at : at + 2400], RATE, at, marks)))
    for features in extractor.flush():
        take(features)
    return np.concatenate([f.values for f in [*frames, *model.flush()]])


def test_live_a_voices_phones_close_the_lips_too() -> None:
    reports = []
    for text in SENTENCES:
        sound = speak(text)
        model: Any = Trajectory(ModelConfig(live="phones"), Context(causal=True))
        gap = lip_gap(_live(model, sound), RIG)
        reports.append(measure(gap, 60.0, phones_of(sound)))
        assert model.report()[1] == f"trajectory: held to {model._phones.count} phones"
    assert np.nanmean([report.recall for report in reports]) >= 0.98
    assert np.nanmean([report.precision for report in reports]) >= 0.95


def test_live_phones_are_heard_in_english_if_the_model_asks() -> None:
    pytest.importorskip("facewire_phonemes")
    profile = Profile(name="test", sinks=())
    context = assemble(profile, "test", None, causal=True).context  # type: ignore[arg-type]
    model: Any = Trajectory(ModelConfig(live="phones"), context)
    assert model.features == {"use": "trajectory.mel", "mode": "live"}
    extractor = make(MelConfig("live"), context)
    assert isinstance(extractor, PhonedExtractor) and extractor.lookahead
    assert extractor.lookahead / RATE <= 0.76
    sound = speak(SENTENCES[1])
    values = _live(model, Audio(sound.samples, RATE), extractor)
    assert len(values) == -(-len(sound) // 400)
    assert model._phones.doubted == model._phones.count > 10
    german = replace(context, lang="de")
    assert not isinstance(make(MelConfig("live"), german), PhonedExtractor)


def test_live_a_voice_that_marks_phones_is_not_waited_for() -> None:
    assembly = assemble(load_profile("default"), "test", Path("out"), causal=True)
    pipeline = assembly.pipeline()
    assert pipeline.extractor and isinstance(pipeline.extractor.stage, PhonedExtractor)
    trust_marks(assembly, pipeline)
    assert pipeline.extractor.stage.lookahead == 600


def test_a_voices_phones_stay_exact() -> None:
    pytest.importorskip("facewire_phonemes")
    sound = speak(SENTENCES[0])
    profile = Profile(name="test", sinks=())
    extractor = make(MelConfig(), assemble(profile, "test", Path("out")).context)
    assert isinstance(extractor, PhonedExtractor)
    found = [mark for piece in [extractor.push(sound), *extractor.flush()] for mark in piece.marks]
    assert set(found) == set(sound.marks)


def test_live_the_sound_alone_is_58_ms_behind() -> None:
    model = Trajectory(ModelConfig(), Context(causal=True))
    assert model.features == {"use": "trajectory.mel", "mode": "auto"}
    sound = speak(SENTENCES[0])
    bare = Audio(sound.samples, RATE)
    other = Trajectory(ModelConfig(), Context(causal=True))
    assert np.array_equal(_live(model, sound), _live(other, bare))
