from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import read_phone
from facewire.types import FloatArray, Mark
from facewire_v3.config import V3Config
from facewire_v3.gate import Gate, gate_numbers
from facewire_v3.groups import LIPSYNC, PAUSE, SHARED
from facewire_v3.listener import Heard
from facewire_v3.protect import Need
from facewire_v3.tables import RIG
from facewire_v3.wearer import gates
from v3_parts import ARKIT, RATE, TEXTS, Run, Speech, key, silence, speeches

SMILE = RIG.index("mouthSmileLeft")
LOWER = ARKIT.indices(*SHARED, *PAUSE)


@pytest.fixture(scope="module")
def spoken() -> list[Speech]:
    return speeches(TEXTS[:4])


def follow(activity: np.ndarray, look: int = 0, fps: float = 60.0) -> np.ndarray:
    gate, out, heard = Gate(fps, look), [], 0
    for row in range(len(activity)):
        while heard <= min(row + look, len(activity) - 1):
            gate.hear(float(activity[heard]))
            heard += 1
        out.append(gate.step(row))
    return np.array(out)


def kept(speech: np.ndarray) -> np.ndarray:
    return gates([Heard(each, 0.0, 0.0, Need(0.0, 0.0, 0.0)) for each in speech.tolist()])


def test_attack_release_and_slew_are_the_specified_ones() -> None:
    envelope = gate_numbers().envelope
    assert (envelope["attack"], envelope["release"], envelope["slew"]) == (0.07, 0.18, 4.0)
    talk = np.r_[np.zeros(60), np.ones(60), np.zeros(120)]
    for fps, look in ((60.0, 0), (60.0, 9), (120.0, 18), (24.0, 9)):
        speech = follow(np.repeat(talk, 2), look, fps)
        moved = np.abs(np.diff(kept(speech), axis=0)) * fps
        assert moved.max() <= 4.0 + 1e-4
    speech = follow(talk)
    open_, closed = np.flatnonzero(speech > 1 - 1 / np.e)[0] - 60, speech[120:]
    assert 3 <= open_ <= 7  # 70 ms, held back a little by the slew
    falling = closed[closed < 0.9]
    assert falling[11] / falling[0] == pytest.approx(np.exp(-11 / 60 / 0.18), rel=0.02)


def test_a_smile_keeps_at_least_0_6() -> None:
    floors = kept(np.array([1.0]))[0]
    assert floors[SMILE] >= 0.6
    assert all(0.0 < floors[RIG.index(name)] < 1.0 for name in SHARED)


def high(values: np.ndarray) -> np.ndarray:
    """Return what of values (n,) at 60 a second is above 2 Hz."""
    spectrum = np.fft.rfft(values - values.mean())
    spectrum[np.fft.rfftfreq(len(values), 1 / 60) <= 2.0] = 0.0
    return np.fft.irfft(spectrum, len(values))


def talking(speech: Speech) -> slice:
    times = [
        (m.start, m.end) for m in speech.marks if m.kind == "phone" and read_phone(m.text).shapes
    ]
    first, last = min(a for a, _ in times), max(z for _, z in times)
    return slice(int(first / speech.rate * 60), int(last / speech.rate * 60))


def added(speech: Speech, emotion: str, marked: bool = True, causal: bool = False) -> FloatArray:
    run = Run([key(0, emotion)], V3Config(), marked=marked, causal=causal)
    return run(speech) - speech.values


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("emotion", ["joy:140", "gratitude:100", "love:140", "pride:100"])
def test_a_held_smile_does_not_flicker(spoken: list[Speech], emotion: str, marked: bool) -> None:
    for speech in spoken:
        smile = added(speech, emotion, marked)[talking(speech), speech.rig.index("mouthSmileLeft")]
        assert high(smile).std() < 0.10 * smile.mean()
        assert smile.min() > 0.6 * added(silence(1), emotion)[-1, ARKIT.index("mouthSmileLeft")]


@pytest.mark.parametrize("emotion", ["fear:140", "sadness:140", "disgust:140", "anger:140"])
def test_nor_does_anything_else_that_is_held(spoken: list[Speech], emotion: str) -> None:
    for speech in spoken:
        rows = added(speech, emotion)[talking(speech)][:, speech.rig.indices(*SHARED)]
        for column in rows.T:
            if column.mean() > 0.03:
                assert high(column).std() < 0.10 * column.mean()


def test_it_reads_the_model_and_never_its_own_output(spoken: list[Speech]) -> None:
    """Another emotion, as loud on the mouth as can be, leaves the gate as it was."""
    speech = spoken[0]
    column = speech.rig.index("noseSneerLeft")  # no measure of the lips knows the nose
    shares = []
    for emotion in ("disgust:140", "disgust:80", "anger:100"):
        full = added(silence(1), emotion)[-1, ARKIT.index("noseSneerLeft")]
        shares.append(added(speech, emotion)[:, column] / full)
    for other in shares[1:]:
        assert np.abs(shares[0] - other).max() < 1e-4


def phrase(pause: float, marked: bool = True) -> tuple[Speech, float, float]:
    """Return a mouth that says "ah", pauses and says it again, and where the pause is."""
    jaw = ARKIT.index("jawOpen")
    values = np.zeros((round((2.0 + pause + 1.0) * 60), len(ARKIT)), np.float32)
    spans = ((1.0, 2.0), (2.0 + pause, 3.0 + pause))
    time = np.arange(len(values)) / 60
    for start, end in spans:
        opens = np.clip((time - start + 0.06) / 0.08, 0, 1) * np.clip((end - time) / 0.08, 0, 1)
        wave = 0.3 + 0.1 * np.sin(2 * np.pi * 4 * time)
        values[:, jaw] += (opens * wave).astype(np.float32)
    marks = tuple(Mark("phone", "AA1", int(a * RATE), int(z * RATE)) for a, z in spans)
    return Speech("phrase", values, ARKIT, RATE, marks if marked else ()), 2.0, 2.0 + pause


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("emotion", ["sulk:140", "sadness:100", "anger:100"])
def test_in_pauses_the_lower_face_is_the_emotions(emotion: str, marked: bool) -> None:
    speech, start, end = phrase(0.9, marked)
    whole = np.linalg.norm(added(silence(2), emotion)[-1, LOWER])
    size = np.linalg.norm(added(speech, emotion)[:, LOWER], axis=1) / whole
    assert size[int((start + 0.4) * 60)] >= 0.8
    assert size[int((end - 0.2) * 60)] >= 0.8
    lips = np.linalg.norm(added(speech, emotion)[:, ARKIT.indices(*LIPSYNC)], axis=1)
    most = lips.max()
    assert lips[70:115].max() == 0.0  # speech owns them
    assert lips[int((end - 0.04) * 60) + 1 : int((end + 1.0) * 60) - 6].max() < 0.02 + 0.02 * most


def test_live_the_lips_come_and_go_as_early_as_can_be() -> None:
    speech, start, end = phrase(0.9)
    whole = np.linalg.norm(added(silence(2), "sulk:140")[-1, LOWER])
    size = np.linalg.norm(added(speech, "sulk:140", causal=True)[:, LOWER], axis=1) / whole
    assert size[int((start + 0.5) * 60)] >= 0.8
    assert size[int((end + 0.15) * 60)] < 0.5


def test_short_pauses_stay_speech() -> None:
    speech, start, end = phrase(0.24)
    lips = added(speech, "sulk:140")[:, ARKIT.indices(*LIPSYNC)]
    assert np.abs(lips[int(start * 60) - 40 : int(end * 60) + 40]).max() == 0.0
