"""Whole sessions: live ones on a clock of their own, emotion columns on their way, long input."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import facewire_neurosync
import numpy as np
import pytest
from click.testing import CliRunner
from facewire.cli import cli
from facewire.pipeline import Built
from facewire.profile import load_profile
from facewire.session import Session
from facewire.stages import Source
from facewire.testing import FakeClock, ListSink, cut_audio, voiced
from facewire.types import Audio
from facewire_neurosync.live_model import LiveTransformer

pytest.importorskip("torch")
TINY = Path(facewire_neurosync.__file__).with_name("data") / "tiny.safetensors"
FPS = Fraction(60)


class Microphone(Source):
    """Sound in pieces of 20 ms, as from a device that the session's clock never has to wait for."""

    live, brings, rate = True, "audio", 16000

    def __init__(self, seconds: float) -> None:
        self.sound = voiced(seconds, 16000)

    def blocks(self) -> Iterator[Audio]:
        yield from cut_audio(self.sound, [320])


class Busy:
    """A network whose windows take ``cost(now)`` seconds of the session's clock."""

    def __init__(self, network: Any, clock: FakeClock, cost: Any) -> None:
        self.network, self.clock, self.cost = network, clock, cost
        self.architecture = network.architecture

    def __call__(self, windows: Any) -> Any:
        self.clock.sleep_until(self.clock.now() + self.cost(self.clock.now()))
        return self.network(windows)


def live(tmp_path: Path, seconds: float, cost: Any) -> tuple[Any, ListSink, LiveTransformer]:
    path = tmp_path / "live.yaml"
    path.write_text(
        f"rig: neurosync68\nlayers: []\nsinks: []\nmodel: {{use: neurosync, weights: '{TINY}'}}\n"
    )
    sink, clock = ListSink(live=True), FakeClock()
    sinks = [Built(sink, "list", "sink")]
    made = Session(load_profile(str(path), ()), Microphone(seconds), sinks=sinks, clock=clock)
    assert made.pipeline.model is not None
    stage = made.pipeline.model.stage
    assert isinstance(stage, LiveTransformer)
    stage._network, stage._clock = Busy(stage._network, clock, cost), clock.now
    return made.run(), sink, stage


def numbers(sink: ListSink) -> Any:
    """Return the numbers of the frames in the order they were sent."""
    spans = [np.arange(b.frames.start, b.frames.end) for b in sink.blocks]
    return np.concatenate(spans)


def test_a_microphone_moves_a_face_in_order(tmp_path: Path) -> None:
    report, sink, stage = live(tmp_path, 4.0, lambda now: 0.005)
    (_, tally) = report.tallies[0]
    sent = numbers(sink)
    assert tally.dropped == 0 and tally.sent >= 240
    assert (np.diff(sent) >= 0).all() and len(np.unique(sent)) == sent[-1] + 1
    assert np.isfinite(sink.values).all() and np.ptp(sink.values[10:230], axis=0).max() > 0.01
    assert stage._pace.wider == 0


def test_under_contention_frames_stay_in_order_and_it_recovers(tmp_path: Path) -> None:
    report, sink, stage = live(tmp_path, 14.0, lambda now: 0.6 if 3 < now < 7 else 0.03)
    sent = numbers(sink)
    assert (np.diff(sent) >= 0).all()
    assert stage._pace.wider >= 3 and stage._pace.widest >= 36 and stage._pace.hop == 15
    told = " ".join(report.notes)
    assert "took longer than 15 rows" in told
    last = np.unique(sent[sent >= 11 * 60])  # three seconds and more after it was over
    assert len(last) == last[-1] - last[0] + 1
    assert sent[-1] >= 14 * 60 - 1


@pytest.mark.parametrize(("rig", "drops"), [("arkit61", True), ("neurosync68", False)])
def test_check_says_when_a_rig_drops_the_emotions(tmp_path: Path, rig: str, drops: bool) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        f"rig: {rig}\nmodel: {{use: neurosync, weights: '{TINY}'}}\n"
        "sinks: [{use: files.npz, path: '{out}/{name}.npz'}]\n"
    )
    done = CliRunner().invoke(cli, ["check", str(path)])
    assert done.exit_code == 0, done.output
    line = (
        f"note: rig '{rig}' has no emotionAngry, emotionDisgusted, emotionFearful, emotionHappy, "
        "emotionNeutral, emotionSad, emotionSurprised, which model 'neurosync'"
    )
    assert (line in " ".join(done.output.split())) is drops


def test_sinks_take_their_own_rig_of_a_neurosync68_run(tmp_path: Path) -> None:
    import soundfile

    sound = voiced(1.0, 16000)
    soundfile.write(tmp_path / "a.wav", sound.samples, 16000)
    path = tmp_path / "p.yaml"
    path.write_text(
        f"rig: neurosync68\nlayers: []\nmodel: {{use: neurosync, weights: '{TINY}'}}\nsinks:\n"
        "  - {use: files.npz, path: '{out}/{name}.npz'}\n"
        "  - {use: files.livelink_csv, path: '{out}/{name}.csv'}\n"
    )
    done = CliRunner().invoke(
        cli, ["run", str(tmp_path / "a.wav"), "--profile", str(path), "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "a.npz") as kept:
        names, values = list(kept["channels"]), kept["values"]
    assert names[61] == "emotionAngry" and values.shape == (61, 68)
    header = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    columns = header[0].split(",")
    row = dict(zip(columns, header[31].split(","), strict=True))
    for column in ("JawLeft", "JawRight", "MouthLeft", "JawOpen"):
        channel = column[0].lower() + column[1:]
        value = values[30, names.index(channel)]
        assert float(row[column]) == pytest.approx(value, abs=1e-5)
