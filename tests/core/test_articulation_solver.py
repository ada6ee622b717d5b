from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import (
    CAUSAL,
    CURVES,
    PLANNED,
    PhoneTime,
    Solver,
    Spoken,
    Style,
    Window,
    closures,
    decode,
    lip_gap,
    lip_protrusion,
    lip_to_teeth,
    measure,
    read_phone,
)
from facewire.rig import Rig

FPS = 60
RIG = Rig.named("arkit52_tongue")
SENTENCES = """
P IY1 T ER0 P AY1 P ER0 P IH1 K T AH0 P EH1 K
M AY1 M AH1 DH ER0 M EY1 D W AO1 R M B R EH1 D
B AA1 B AE1 N D M AA1 M JH AH1 M P T
P AE1 M B R IH1 NG M IY0 DH AH0 P ER1 P AH0 L M AE1 P
F AY1 V V EH1 R IY0 F AY1 N V EY1 S AH0 Z F EH1 L
SH IY1 S EH1 L Z S IY1 SH EH1 L Z B AY1 DH AH0 S IY1
HH UW1 W UH1 D CH UW1 Z T UW0 M UW1 V DH AH0 B L UW1 SH UW1 Z
AH0 S IH1 M P AH0 L IH0 G Z AE1 M P AH0 L M EY1 HH EH1 L P
""".strip().split("\n")


def speech(text: str, pace: float = 1.0, seed: int = 0) -> list[PhoneTime]:
    """Phones with plausible lengths in seconds, after 0.8 s of silence."""
    draw = np.random.default_rng(seed)
    at, phones = 0.8, []
    for phone in text.split():
        usual = {"0": 0.06, "1": 0.12}.get(phone[-1], 0.07)
        length = usual * draw.uniform(0.8, 1.4) / pace
        phones.append(PhoneTime(phone, at, at + length))
        at += length
    return phones


def spoken(phones: list[PhoneTime]) -> list[Spoken]:
    return [Spoken(p.start * FPS, p.end * FPS, read_phone(p.text)) for p in phones]


def solve(
    phones: list[PhoneTime],
    window: Window = PLANNED,
    style: Style = Style(),  # noqa: B008
    levels: np.ndarray | None = None,
) -> np.ndarray:
    rows = int((phones[-1].end + 0.8) * FPS) if phones else 120
    solver = Solver(FPS, window, style)
    heard = np.full(rows, 0.6) if levels is None else levels
    return np.concatenate([solver.push(spoken(phones), heard), solver.flush()])


def gap_of(phones: list[PhoneTime], **options: object) -> np.ndarray:
    return solve(phones, **options)[:, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize("window", [PLANNED, CAUSAL], ids=["planned", "causal"])
@pytest.mark.parametrize("text", SENTENCES)
def test_lips_meet_where_they_must_and_nowhere_else(text: str, window: Window) -> None:
    phones = speech(text)
    report = measure(lip_gap(decode(solve(phones, window), RIG), RIG), FPS, phones)
    if report.phone_rate:
        assert report.recall == 1.0 and report.precision == 1.0
        assert np.isnan(report.timing) or report.timing < 0.025
    assert report.leak < 0.01
    assert np.isnan(report.release) or report.release == 1.0


@pytest.mark.parametrize("text", SENTENCES)
def test_speed_shortens_closures_and_drops_none(text: str) -> None:
    slow, fast = speech(text), speech(text, pace=1.8)
    recall = measure(gap_of(fast), FPS, fast).recall
    assert np.isnan(recall) or recall == 1.0
    usual, short = (np.diff(closures(gap_of(p), FPS)[1:-1]).sum() for p in (slow, fast))
    assert short <= usual


@pytest.mark.parametrize("window", [PLANNED, CAUSAL], ids=["planned", "causal"])
def test_any_cut_gives_the_same_curves(window: Window) -> None:
    phones = spoken(speech(SENTENCES[3]))
    levels = np.random.default_rng(0).uniform(0.2, 0.8, 250)
    whole = Solver(FPS, window)
    expected = np.concatenate([whole.push(phones, levels), whole.flush()])
    for seed in range(4):
        sizes = np.random.default_rng(seed).integers(0, 40, 60) if seed else np.ones(250, int)
        solver, at, pieces, left = Solver(FPS, window), 0, [], list(phones)
        for size in sizes:
            due = [p for p in left if p.start < at + size]
            left = [p for p in left if p.start >= at + size]
            pieces.append(solver.push(due, levels[at : at + size]))
            assert sum(map(len, pieces)) >= min(at + size, 250) - window.lookahead
            at = min(250, at + size)
        found = np.concatenate([*pieces, solver.flush()])
        assert np.array_equal(found, expected)


def test_reset_starts_over() -> None:
    phones, solver = speech(SENTENCES[0]), Solver(FPS)
    first = np.concatenate([solver.push(spoken(phones), np.full(150, 0.5)), solver.flush()])
    solver.reset()
    again = np.concatenate([solver.push(spoken(phones), np.full(150, 0.5)), solver.flush()])
    assert np.array_equal(first, again)


def vowel(phone: str, length: float = 0.14) -> float:
    phones = [PhoneTime("T", 0.8, 0.87), PhoneTime(phone, 0.87, 0.87 + length)]
    end = phones[-1].end
    return float(gap_of([*phones, PhoneTime("T", end, end + 0.07)]).max())


def test_vowels_open_in_their_order() -> None:
    a, e, o, i, u = (vowel(phone) for phone in ("AA1", "EH1", "OW1", "IY1", "UW1"))
    assert a > max(e, o) + 0.03 and min(e, o) > max(i, u) + 0.02


def test_stress_and_length_open_the_mouth() -> None:
    assert vowel("AA1") > vowel("AA2") > vowel("AA0")
    assert vowel("AA1", 0.16) > vowel("AA1", 0.06) + 0.02


def test_loud_speech_opens_wider_and_closes_all_the_same() -> None:
    phones = speech("M AA1 M AA1 M AA1 M AA1 M AA1 M AA1 M")
    rows = int((phones[-1].end + 0.8) * FPS)
    levels = np.full(rows, 0.6)
    half = int((phones[6].start) * FPS)
    levels[half:] = 0.75  # 9 dB louder
    flat, loud = gap_of(phones, levels=np.full(rows, 0.6)), gap_of(phones, levels=levels)
    assert loud[half:].max() > 1.1 * flat[half:].max()
    assert measure(loud, FPS, phones).recall == 1.0


def test_style_moves_jaw_and_lips_apart() -> None:
    phones = speech(SENTENCES[2])
    jaw, lower = CURVES.index("jaw"), CURVES.index("lower")
    usual = solve(phones)
    mumbler, shouter = solve(phones, style=Style(0.4, 0.4)), solve(phones, style=Style(1.6, 1.4))
    ventriloquist = solve(phones, style=Style(0.1, 1.0))
    assert mumbler[:, 0].max() < 0.6 * usual[:, 0].max() < 0.6 * shouter[:, 0].max()
    assert ventriloquist[:, jaw].max() < 0.3 * usual[:, jaw].max()
    assert ventriloquist[:, lower].max() == pytest.approx(usual[:, lower].max())
    for curves in (mumbler, shouter, ventriloquist):
        assert measure(curves[:, 0], FPS, phones).recall == 1.0


@pytest.mark.parametrize("name", ["arkit52", "arkit52_tongue", "arkit61", "neurosync68"])
def test_decoded_frames_have_the_solved_gap(name: str) -> None:
    rig = Rig.named(name)
    for text in SENTENCES:
        curves = solve(speech(text))
        values = decode(curves, rig)
        assert np.abs(lip_gap(values, rig) - curves[:, 0]).max() < 1e-5
        assert values.min() >= 0.0 and values.max() <= 1.0
        for channel in rig.channels:
            if channel.endswith("Left") and channel.replace("Left", "Right") in rig:
                twin = channel.replace("Left", "Right")
                assert np.array_equal(values[:, rig.index(channel)], values[:, rig.index(twin)])


def test_a_rig_without_mouth_close_shuts_with_the_jaw() -> None:
    rig = Rig("small", ("jawOpen", "mouthFunnel", "mouthPucker"))
    phones = speech(SENTENCES[2])
    values = decode(solve(phones), rig)
    assert measure(lip_gap(values, rig), FPS, phones).recall == 1.0


def test_bilabials_close_as_captured_faces_do() -> None:
    ratio, jaw = [], []
    for text in SENTENCES:
        phones = speech(text)
        values = decode(solve(phones), RIG)
        for phone in phones:
            if read_phone(phone.text).kind == "closure":
                row = values[round((phone.start + phone.end) / 2 * FPS)]
                jaw.append(row[RIG.index("jawOpen")])
                ratio.append(row[RIG.index("mouthClose")] / jaw[-1])
    assert 1.3 < np.median(ratio) < 1.8
    assert 0.03 <= min(jaw) and max(jaw) < 0.1


def at(values: np.ndarray, phones: list[PhoneTime], *texts: str) -> np.ndarray:
    rows = [round((p.start + p.end) / 2 * FPS) for p in phones if p.text.rstrip("012") in texts]
    return values[rows]


def test_lower_lip_meets_the_teeth_for_f_and_v() -> None:
    phones = speech(SENTENCES[4])
    values = decode(solve(phones), RIG)
    teeth = at(lip_to_teeth(values, RIG), phones, "F", "V")
    assert np.median(teeth) < 0.03 and teeth.max() < 0.06
    assert at(values[:, RIG.index("mouthRollLower")], phones, "F", "V").min() > 0.15


def test_rounding_stands_out() -> None:
    rounded, spread, all_rows = [], [], []
    for text in SENTENCES:
        phones = speech(text)
        forward = lip_protrusion(decode(solve(phones), RIG), RIG)
        rounded.extend(at(forward, phones, "UW", "OW", "W"))
        spread.extend(at(forward, phones, "IY", "EH", "EY", "IH"))
        all_rows.append(forward)
    assert np.min(rounded) > np.concatenate(all_rows).mean() + 0.15
    assert np.mean(np.subtract.outer(rounded, spread) > 0) > 0.9


def test_the_tongue_moves_for_its_consonants() -> None:
    channels = {"L": "tongueTipUp", "TH": "tongueOut", "K": "tongueBack", "N": "tongueUp",
                "R": "tongueRaise", "S": "tongueWide"}  # fmt: skip
    for phone, channel in channels.items():
        values = decode(solve(speech(f"AA1 {phone} AA1")), RIG)
        moved = values[:, RIG.index(channel)]
        assert moved.max() > 0.1, phone
        assert moved[:20].max() == 0.0


def test_silence_is_rest() -> None:
    assert np.array_equal(decode(solve([]), RIG), np.zeros((120, len(RIG))))


def test_motion_is_smooth() -> None:
    for text in SENTENCES:
        values = decode(solve(speech(text)), RIG)
        speed = np.abs(np.diff(values, axis=0)) * FPS
        assert speed.max() < 12.0, text  # a captured face's lips reach 11 a second
        gap = lip_gap(values, RIG).astype(np.float64)
        power = np.abs(np.fft.rfft(gap * np.hanning(len(gap)))) ** 2
        above = np.fft.rfftfreq(len(gap), 1 / FPS) > 12
        assert power[above].sum() < 0.01 * power[1:].sum()


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e30, -1e30])
def test_odd_loudness_gives_finite_curves(odd: float) -> None:
    phones = speech(SENTENCES[0])
    curves = solve(phones, levels=np.full(200, odd))
    assert np.isfinite(curves).all() and measure(curves[:, 0], FPS, phones).recall == 1.0


def test_overlapping_empty_and_endless_phones_do_no_harm() -> None:
    phones = [
        PhoneTime("AA1", 0.5, 0.5),
        PhoneTime("M", 0.5, 0.9),
        PhoneTime("AA1", 0.7, 0.8),
        PhoneTime("IY1", -3.0, 0.2),
        PhoneTime("AA1", 1.0, 1.4),
    ]
    solver = Solver(FPS)
    endless = [*spoken(phones), Spoken(90.0, 1e12, read_phone("AH0"))]
    curves = np.concatenate([solver.push(endless, np.full(600, 0.5)), solver.flush()])
    assert curves.shape == (600, len(CURVES)) and np.isfinite(curves).all()
    assert np.abs(curves).max() < 1.0


def test_memory_stays_bounded() -> None:
    solver = Solver(FPS, CAUSAL)
    held = []
    for block in range(120):
        start = block * 60.0
        phones = [Spoken(start + 7 * i, start + 7 * i + 7, read_phone(("AA1", "M")[i % 2]))
                  for i in range(8)]  # fmt: skip
        solver.push(phones, np.full(60, 0.5))
        held.append(len(solver._segments) + len(solver._phones) + len(solver._loudness))
    assert max(held) < 2400  # 30 s of vowels and a second of all else
    assert max(held[100:]) <= max(held[70:100])
