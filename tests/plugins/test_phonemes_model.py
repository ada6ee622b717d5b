from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from facewire.articulation import PhoneTime, lip_gap, lip_protrusion, measure, read_phone
from facewire.emotion.curve import EmotionCurve
from facewire.errors import ProfileError
from facewire.testing import check_stage
from facewire.types import Audio, Context, Features, Mark, Utterance, first_sample
from facewire_phonemes.model import PhoneModel
from facewire_phonemes.plugin import ModelConfig

FPS = Fraction(60)
SENTENCES = [
    "The boy put a big map of Bombay on the table.",
    "Peter Piper picked a peck of pickled peppers.",
    "My mother made warm bread for the whole family.",
    "Who would choose to move the blue shoes?",
    "Bob and Mom jumped over the happy puppy.",
    "Father bought a large armchair at the market.",
    "How now, brown cow, what about our house?",
    "A simple example may help people remember it.",
    "Pam, bring me my purple umbrella, please.",
    "Robots must obey the important commands of people.",
]


def speak(text: str, rate: int = 175) -> Audio:
    """A sentence by espeak, with 0.8 s of silence around it."""
    plugin = pytest.importorskip("facewire_espeak.plugin")
    voice = pytest.importorskip("facewire_espeak.voice").Espeak(plugin.EspeakConfig(rate=rate))
    pieces = list(voice.speak(Utterance(text)))
    quiet = np.zeros(int(0.8 * pieces[0].rate), np.float32)
    marks = tuple(m.moved(len(quiet)) for piece in pieces for m in piece.marks)
    samples = np.concatenate([quiet, *(piece.samples for piece in pieces), quiet])
    return Audio(samples, pieces[0].rate, 0, marks)


def features(audio: Audio) -> Features:
    count = len(audio) * 60 // audio.rate
    starts = [first_sample(k, audio.rate, FPS) for k in range(count + 1)]
    power = [np.mean(audio.samples[a:z] ** 2) for a, z in itertools.pairwise(starts)]
    levels = np.clip(1 + 10 * np.log10(np.array(power) + 1e-12) / 60, 0, 1)
    return Features(levels[:, None].astype(np.float32), FPS, 0, audio.rate, audio.marks)


def drive(model: PhoneModel, given: Features, sizes: list[int]) -> np.ndarray:
    """Push features in pieces, each with the marks that begin in it."""
    pieces, at = [], 0
    for size in [*sizes, len(given)]:
        end = min(at + size, len(given))
        a, z = (first_sample(k, given.rate, FPS) for k in (at, end))
        marks = tuple(m for m in given.marks if a <= m.start < z)
        part = Features(given.values[at:end], FPS, at, given.rate, marks)
        pieces.append(model.push(part, EmotionCurve().sample(at, end - at, FPS)))
        at = end
    pieces.extend(model.flush())
    assert [p.start for p in pieces] == list(np.cumsum([0, *map(len, pieces)])[:-1])
    return np.concatenate([p.values for p in pieces])


def test_speech_by_a_voice_closes_opens_and_rounds() -> None:
    at, phones, gaps, forward, rounded, spread = 0.0, [], [], [], [], []
    for text in SENTENCES:
        audio = speak(text)
        model = PhoneModel(ModelConfig(), Context())
        values = drive(model, features(audio), [])
        protrusion = lip_protrusion(values, model.rig)
        for mark in audio.marks:
            if mark.kind == "phone":
                start, end = mark.start / audio.rate, mark.end / audio.rate
                phones.append(PhoneTime(mark.text, start + at, end + at))
                name = read_phone(mark.text).shapes[0].name if read_phone(mark.text).shapes else ""
                middle = protrusion[round((start + end) / 2 * 60)]
                rounded += [middle] if name in ("u", "o", "w") else []
                spread += [middle] if name in ("i", "e") else []
        gaps.append(lip_gap(values, model.rig))
        forward.append(protrusion)
        at += len(values) / 60
    report = measure(np.concatenate(gaps), 60.0, phones)
    assert report.recall >= 0.98 and report.precision >= 0.9 and report.timing <= 1 / 60, report
    assert report.release == 1.0 and report.leak < 0.01, report
    assert 0.5 < report.rate / report.phone_rate < 1.1, report
    assert np.median(rounded) > np.concatenate(forward).mean() + 0.15
    assert np.mean(np.subtract.outer(rounded, spread) > 0) >= 0.9


@pytest.mark.parametrize("causal", [False, True])
def test_cuts_change_nothing(causal: bool) -> None:
    given = features(speak(SENTENCES[0]))
    make = lambda: PhoneModel(ModelConfig(), Context(causal=causal))  # noqa: E731
    whole = drive(make(), given, [])
    assert whole.shape == (len(given), 59)
    assert np.array_equal(whole, drive(make(), given, [1] * len(given)))
    assert np.array_equal(whole, drive(make(), given, [13, 40, 7, 1, 64]))
    check_stage(make)


def test_rows_come_out_after_the_lookahead() -> None:
    for causal, most in ((False, 30), (True, 12)):
        model = PhoneModel(ModelConfig(), Context(causal=causal))
        assert 0 < model.lookahead < most
        out = 0
        for k in range(100):
            row = Features(np.zeros((1, 1), np.float32), FPS, k, 16000)
            out += len(model.push(row, EmotionCurve().sample(k, 1, FPS)))
            assert out >= k + 1 - model.lookahead


def test_the_report_names_what_is_unknown_in_one_line() -> None:
    model = PhoneModel(ModelConfig(), Context())
    texts = ["P", "AA1", "??", "??", "SIL", "M", "日"]
    marks = tuple(Mark("phone", t, 1600 * i, 1600 * (i + 1)) for i, t in enumerate(texts))
    word = Mark("word", "pam", 0, 1600)
    given = Features(np.full((60, 1), 0.5, np.float32), FPS, 0, 16000, (*marks, word))
    drive(model, given, [])
    assert list(model.report()) == [
        "phonemes: 6 phones",
        "phonemes: 2 symbols unknown, mouth neutral: '??' x2, '日' x1",
    ]
    model.reset()
    assert list(model.report()) == ["phonemes: 0 phones"]


@pytest.mark.parametrize("config", [ModelConfig(jaw=-1), ModelConfig(lip=2.5)])
def test_a_style_out_of_range_is_refused(config: ModelConfig) -> None:
    with pytest.raises(ProfileError, match=r"model phonemes: (jaw|lip) is .*, expected 0 to 2"):
        PhoneModel(config, Context())


def test_a_mumbler_moves_less() -> None:
    given = features(speak(SENTENCES[5]))
    usual, mumbler = (
        drive(PhoneModel(ModelConfig(jaw=x, lip=x), Context()), given, []) for x in (1.0, 0.4)
    )
    rig = PhoneModel(ModelConfig(), Context()).rig
    assert lip_gap(mumbler, rig).max() < 0.6 * lip_gap(usual, rig).max()
