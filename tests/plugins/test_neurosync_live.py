"""Live runs: running statistics, the sliding window, and what happens when time runs short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError
from facewire.testing import cut_audio, cuts, drive_extractor, drive_model, voiced
from facewire.types import Audio, Context, Features
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.features import features
from facewire_neurosync.finish import Finish, rig_of
from facewire_neurosync.live_extractor import LiveExtractor
from facewire_neurosync.live_model import LiveTransformer, Pace
from facewire_neurosync.plugin import ExtractorConfig, ModelConfig

RATE = 88200


def extractor(calibration: Path | None = None) -> LiveExtractor:
    return LiveExtractor(ExtractorConfig(calibration), Context(causal=True))


def live(sound: Audio, sizes: list[int], calibration: Path | None = None) -> Any:
    return drive_extractor(extractor(calibration), cut_audio(sound, sizes))[0]


# -- features -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[1470], [333, 5000, 1], [100_000]])
def test_any_cut_gives_the_same_rows(sizes: list[int]) -> None:
    sound = voiced(2.0, RATE)
    assert np.array_equal(live(sound, sizes), live(sound, [len(sound)]))


@pytest.mark.parametrize("samples", [1, 735, 736, 1470, 1471, 5000, 8085, 30001])
def test_as_many_rows_as_offline(samples: int) -> None:
    sound = Audio(voiced(1.0, RATE).samples[:samples], RATE)
    found = live(sound, [500])
    assert found.shape == features(sound.samples).shape and np.isfinite(found).all()


def test_a_row_comes_out_within_its_lookahead() -> None:
    stage, sound = extractor(), voiced(1.0, RATE)
    rows = 0
    for piece in cut_audio(sound, [1470]):
        rows += len(stage.push(piece))
        assert rows >= (piece.end - stage.lookahead) // 1470
    assert stage.lookahead == 4410


def test_autocorrelation_is_exact_and_the_rest_close(data: Path, tmp_path: Path) -> None:
    import soxr

    samples, rate = soundfile.read(data / "neurosync/pangram.wav", dtype="float32")
    sound = Audio(soxr.resample(samples, rate, RATE, "HQ"), RATE)
    offline, found = features(sound.samples), live(sound, [2000])
    assert np.abs(found - offline)[:-2, 69:].max() < 1e-6
    away = np.sqrt(np.mean((found - offline)[:, :23] ** 2))
    assert away < 0.2  # of a standard deviation
    path = tmp_path / "speaker.wav"
    soundfile.write(path, samples, rate)
    calibrated = live(sound, [2000], path)
    assert np.sqrt(np.mean((calibrated - offline)[:, :23] ** 2)) < min(0.05, away / 2)


def test_a_bad_calibration(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(48000), 48000)
    with pytest.raises(FacewireError, match=r"silence\.wav: expected a second of speech"):
        extractor(path)


def test_it_recovers_from_a_blow_to_the_microphone() -> None:
    quiet = voiced(12.0, RATE).samples
    samples = quiet.copy()
    samples[RATE : RATE + 500] = 1e4
    found, expected = live(Audio(samples, RATE), [RATE]), live(Audio(quiet, RATE), [RATE])
    assert np.isfinite(found).all()
    assert np.abs(found[300:, 69:] - expected[300:, 69:]).max() < 1e-6


# -- the window -----------------------------------------------------------------------------------


class Clocked:
    """A network whose windows take as long as a test says; gives back its input's first columns."""

    architecture = Architecture(32, 48, 1, 1, 2, 68)

    def __init__(self, cost: float = 0.01, waits: tuple[float, ...] = ()) -> None:
        self.cost, self.now, self.work = cost, 0.0, 0.0
        self.ends: list[float] = []
        self.waits = iter(waits)  # what windows wait for the processor beside their cost

    def clock(self) -> float:
        return self.now

    def worked(self) -> float:
        return self.work

    def __call__(self, windows: Any) -> Any:
        self.now += self.cost + next(self.waits, 0.0)
        self.work += self.cost
        self.ends.append(float(windows[0, :, 255].max()))
        return windows[:, :, :68].copy()


def rows_of(count: int) -> Any:
    rows = np.random.default_rng(0).standard_normal((count, 256)).astype(np.float32)
    rows[:, 255] = np.arange(count)
    return rows


def model(network: Clocked, **options: Any) -> LiveTransformer:
    config = ModelConfig(Path("none"), ease=0, zero=(), divide=1.0, **options)
    return LiveTransformer(config, network, (), network.clock, network.worked)


def run(made: LiveTransformer, rows: Any, sizes: list[int], each: Any = None) -> Any:
    curve, pieces = EmotionCurve(), []
    for a, b in cuts(len(rows), sizes):
        pieces.append((Features(rows[a:b], made.fps, a, RATE), curve.sample(a, b - a, made.fps)))
        if each:
            each(a)
    return drive_model(made, pieces)


@pytest.mark.parametrize("sizes", [[1], [64], [13, 40]])
@pytest.mark.parametrize(("hop", "lookahead"), [(15, 6), (15, 0), (1, 3), (96, 31), (40, 12)])
def test_rows_come_out_once_and_in_order(sizes: list[int], hop: int, lookahead: int) -> None:
    rows, made = rows_of(317), model(Clocked(), hop=hop, lookahead=lookahead)
    found = run(made, rows, sizes)
    # the network gives its input back, so any window says the same of a row
    assert np.abs(found - rows[:, :68]).max() < 1e-6


def test_after_a_reset_the_same_rows_give_the_same_frames() -> None:
    rows, made = rows_of(200), model(Clocked(), hop=15, lookahead=6)
    first = run(made, rows, [40])
    made.reset()
    assert np.array_equal(first, run(made, rows, [40]))


def test_a_row_waits_no_longer_than_the_model_says() -> None:
    rows, made, out = rows_of(300), model(Clocked(0.1), hop=15, lookahead=6), 0
    curve = EmotionCurve()
    assert made.lookahead == 15 + 6 - 1 + 6  # a tenth of a second is six rows
    for k in range(300):
        row = Features(rows[k : k + 1], made.fps, k, RATE)
        out += len(made.push(row, curve.sample(k, 1, made.fps)))
        assert out >= k + 1 - made.lookahead


@pytest.mark.parametrize(
    ("waits", "rows"),
    [
        ((9.0,), 6),  # the very first window does not count
        ((0, 0.5, 0, 0, 0.5, 0), 6),  # nor do two of five that others disturbed
        ((0.1,) * 9, 12),  # half of the processor is somebody else's for good
        ((0.5,) * 9, 13),  # much more than that passes, or the step widens
        ((5.0,) * 9, 13),
    ],
)
def test_a_busy_machine_does_not_set_the_latency(waits: tuple[float, ...], rows: int) -> None:
    network = Clocked(0.1, waits)
    made = model(network, hop=15, lookahead=6)
    assert made.lookahead == 15 + 6 - 1 + rows
    assert made._pace.hop == 15 and len(network.ends) <= 6 and network.now < 16


def test_windows_are_cross_faded() -> None:
    class Steps(Clocked):
        def __call__(self, windows: Any) -> Any:
            super().__call__(windows)
            return np.full((1, 128, 68), len(self.ends), np.float32)

    found = run(model(Steps(), hop=20, lookahead=4), rows_of(90), [1])[:, 0]
    assert np.abs(np.diff(found)).max() < 0.21
    assert found[0] == found[15] and found[36] > found[35] - 1e-6


def test_under_load_the_step_widens_and_comes_back() -> None:
    network = Clocked(0.05)
    made = model(network, hop=15, lookahead=6)
    rows, curve, queue, worst = rows_of(1800), EmotionCurve(), 0.0, 0.0
    given, kinds = 0, []
    for k in range(len(rows)):
        network.cost = 0.6 if 600 <= k < 1200 else 0.05  # both cores busy for ten seconds
        begun = network.now
        row = Features(rows[k : k + 1], made.fps, k, RATE)
        out = made.push(row, curve.sample(k, 1, made.fps))
        assert out.start == given
        assert not len(out) or np.abs(out.values - rows[given : given + len(out), :68]).max() < 1e-5
        given += len(out)
        # what a window takes beyond a row's own time waits; a row's time works it off
        queue = max(0.0, queue + network.now - begun - 1 / 60)
        worst = max(worst, queue)
        kinds.append(made._pace.hop)
    assert kinds[590] == 15 and kinds[1190] in (40, 41) and kinds[-1] == 15
    assert worst < 0.65 and queue < 0.1  # one window, never a growing queue
    told = made.report()[-1]
    assert "took longer than 15 rows" in told and "the widest step was 4" in told


def test_windows_that_cost_seconds_hold_the_face() -> None:
    made = model(Clocked(3.0), hop=15)
    found = run(made, rows_of(1000), [10])
    assert found.shape == (1000, 68) and np.isfinite(found).all()
    assert "the face was held for" in made.report()[-1]


def test_pace() -> None:
    pace = Pace(15, 0.1)
    assert pace.hop == 15
    pace.took(0.45)
    assert pace.hop == 30
    for cost, hop in ((0.05, 17), (0.05, 15)):
        pace.took(cost)
        assert pace.hop == hop
    pace.reset()
    assert (pace.hop, pace.windows, pace.widest) == (15, 0, 15)


def test_live_easing_counts_from_the_first_row() -> None:
    config = ModelConfig(Path("none"), zero=())
    finish = Finish(config, rig_of(68, "trained"))
    ones = np.full((4, 68), 100, np.float32)
    parts = [finish(ones, whole=False)[:, 0] for _ in range(2)]
    assert np.allclose(np.concatenate(parts), [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1])


def test_a_live_run_of_a_profile(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from facewire.assemble import assemble
    from facewire.profile import load_profile
    from facewire.registry import Registry
    from facewire.sources import AudioFile

    weights = data / "neurosync/model.pth"
    clip = data / "neurosync/pangram.wav"
    (tmp_path / "p.yaml").write_text(
        f"rig: neurosync68\nsinks: []\nmodel: {{use: neurosync, weights: '{weights}', "
        f"calibration: '{clip}'}}\n"
    )
    profile = load_profile(str(tmp_path / "p.yaml"), ())
    made = assemble(profile, "a", tmp_path, causal=True, registry=Registry())
    pipeline, blocks = made.pipeline(), []
    assert all(seconds is not None for _, seconds in pipeline.latency(22050))
    for audio in AudioFile(clip).blocks():
        assert isinstance(audio, Audio)
        blocks += pipeline.push(audio)
    early = sum(len(block.frames) for block in blocks)
    blocks += pipeline.flush()
    found = np.concatenate([block.frames.values for block in blocks])
    expected = np.load(data / "neurosync/pangram.npz")["frames"].copy()
    assert found.shape == expected.shape and early > 0.8 * len(found)
    expected[:, 61:] /= 100
    away = np.sqrt(np.mean((found - expected) ** 2)) / expected.std()
    assert 0 < away < 0.3
