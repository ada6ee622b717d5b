"""The sink that plays: every sample at its time, on a device that is simulated."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.assemble import assemble
from facewire.cli.doctor import command as doctor
from facewire.delivery import Delivery
from facewire.emotion import neutral
from facewire.errors import InputError
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.report import Report
from facewire.session import Session
from facewire.sources import GivenAudio
from facewire.testing import FakeClock, ListSink, voiced
from facewire.types import Audio, Block, Component, Frames, RunInfo, first_sample
from facewire_audio import portaudio
from facewire_audio.clap import Ear, Flashes, clap, simulated
from facewire_audio.command import clap as command
from facewire_audio.simulated import SimulatedOutput, Traits, World
from facewire_audio.speaker import Speaker
from parts import RIG, Jaw, Loudness, built

FPS, RATE = Fraction(60), 16000
OSC_APPS = ("vmc", "vrchat", "steamlink", "facecap", "ifacialmocap", "vtubestudio")
OSC_SINKS = ("osc", *(f"osc.{app}" for app in OSC_APPS))


def play(
    traits: Traits, seconds: int = 5, offset: float = 0.0
) -> tuple[Speaker, SimulatedOutput, ListSink, np.ndarray]:
    """Deliver a sound to a simulated device beside another live sink."""
    world = World(3.0)
    device = SimulatedOutput(world, traits)
    speaker, other = Speaker(device, offset), ListSink(live=True)
    delivery = Delivery(
        [built(other, "other", "sink"), built(speaker, "audio", "sink")], (RIG, FPS), tell=print
    )
    sound = voiced(seconds, RATE).samples
    delivery.start(RunInfo("clip", RIG, FPS, RATE), -0.05)
    for start in range(0, seconds * 60, 60):
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + 60))
        audio = sound[first:last]
        frames = Frames(np.zeros((60, len(RIG)), np.float32), RIG, FPS, start)
        piece = Audio(audio, RATE, first)
        delivery.push(Block(frames, neutral(60, start, FPS), piece))
    delivery.finish()
    return speaker, device, other, sound


def heard(device: SimulatedOutput) -> np.ndarray:
    return np.concatenate([samples for _, samples in device.heard])


def test_what_is_played_is_the_sound_sample_for_sample() -> None:
    speaker, device, other, sound = play(Traits(ppm=70, block=256, jitter=0.003))
    out = heard(device)
    begin = int(np.flatnonzero(out)[0] - np.flatnonzero(sound)[0])
    assert np.array_equal(out[begin : begin + len(sound)], sound)
    assert [b.frames.start for b in other.blocks][:300] == list(range(300))  # none was lost
    assert len(speaker.report()) == 1  # nothing came too late


def test_a_device_of_another_rate_gets_the_sound_resampled() -> None:
    _, device, _, sound = play(Traits(rate=48000))
    out, found = heard(device), np.flatnonzero(np.abs(sound) > 0.05)
    played = np.flatnonzero(np.abs(out) > 0.05)
    assert (played[-1] - played[0]) / 48000 == pytest.approx(
        (found[-1] - found[0]) / RATE, abs=0.002
    )
    assert np.abs(out).max() == pytest.approx(np.abs(sound).max(), rel=0.05)


@pytest.mark.parametrize("offset", [0.0, 0.08, -0.05])
def test_the_offset_moves_the_sound_against_the_face(offset: float) -> None:
    claps = simulated(12, 30, offset)
    assert (len(claps.offsets), claps.missed) == (12, 0)
    assert claps.mean == pytest.approx(offset, abs=0.003)


DEVICES = {  # what it is like, and the most in seconds: mean, drift, one clap
    "fast": (Traits(ppm=150, jitter=0.003), 0.003, 0.002, 0.006),
    "coarse": (Traits(ppm=80, block=2048, jitter=0.015), 0.015, 0.005, 0.030),
    "wireless, another rate": (Traits(ppm=-300, rate=44100, latency=0.2), 0.003, 0.002, 0.006),
}


@pytest.mark.parametrize("name", DEVICES)
def test_ten_minutes_of_claps_do_not_drift(name: str) -> None:
    traits, mean, drift, most = DEVICES[name]
    device = SimulatedOutput(World(), traits)
    device.heard = deque(maxlen=1)  # type: ignore[assignment]  # ten minutes are 115 MB
    claps = clap(device, 600)
    assert len(claps.offsets) == 600 and claps.missed == 0 and claps.good
    assert abs(claps.mean) < mean and abs(claps.drift) < drift
    assert np.abs(claps.offsets).max() < most
    assert claps.ppm == pytest.approx(traits.ppm, abs=60)


class Parts(Registry):
    """Offers the tests' extractor and model."""

    def find(self, kind: str, name: str, where: str = "") -> tuple[Component, object]:
        made = {"jaw": Jaw, "loudness": Loudness}[name]
        return Component(name, lambda config, context: made()), self.plugins[0]


@pytest.mark.parametrize("ppm", [150, -150])
def test_beeps_meet_the_jaw_through_a_whole_session(ppm: float) -> None:
    """From sound through extractor and model: the beep is heard as the jaw opens."""
    world = World()
    ear = Ear(SimulatedOutput(world, Traits(ppm=ppm, jitter=0.003)))
    eye, speaker = Flashes(world), Speaker(ear)
    at = np.arange(60 * RATE)
    beeps = np.where(at % RATE < RATE // 10, 0.9 * np.sin(at * 0.4), 0).astype(np.float32)
    sinks = [built(eye, "eye", "sink"), built(speaker, "audio", "sink")]
    profile = Profile(name="clap", model=(ComponentSpec("jaw"),), sinks=())
    Session(profile, GivenAudio(beeps, RATE), sinks=sinks, registry=Parts()).run()
    assert len(eye.times) == 60 and abs(len(ear.times) - 60) <= 1
    apart = [min((b - seen for b in ear.times), key=abs) for seen in eye.times]
    assert abs(np.mean(apart)) < 0.020 and abs(np.mean(apart[-6:]) - np.mean(apart[:6])) < 0.010


def test_claps_on_another_clock_than_the_devices_do_drift() -> None:
    """The measure sees what it is there for."""
    world = World()
    claps = clap(SimulatedOutput(world, Traits(ppm=-1000)), 60, loose=world)
    assert claps.drift == pytest.approx(0.055, abs=0.01)
    assert not claps.good


def test_a_stall_loses_its_sound_and_no_more() -> None:
    speaker, device, _, sound = play(Traits(stalls=((5.0, 0.6),)), seconds=6)
    lines = speaker.report()
    assert "audio: the device stood still 1 times" in lines
    # the sound's end is heard when it is due: 3 s of start, the sinks' lead and the margin before
    last = max(t for t, s in device.heard if np.abs(s).max() > 0.01)
    ends = np.flatnonzero(np.abs(sound) > 0.01)[-1] / RATE
    assert last == pytest.approx(3.0 + 0.05 + 0.15 + ends, abs=0.05)


def test_a_device_that_is_lost_is_said_and_started_anew() -> None:
    world = World()
    device = SimulatedOutput(world, Traits(stalls=((2.0, 60.0),)))
    speaker, told = Speaker(device), []
    delivery = Delivery([built(speaker, "audio", "sink")], (RIG, FPS), tell=told.append)
    delivery.start(RunInfo("clip", RIG, FPS, RATE), -0.05)
    for start in range(0, 600, 60):
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + 60))
        frames = Frames(np.zeros((60, len(RIG)), np.float32), RIG, FPS, start)
        sound = Audio(np.full(last - first, 0.2, np.float32), RATE, first)
        delivery.push(Block(frames, neutral(60, start, FPS), sound))
        device.traits = Traits()  # it answers again once it is started anew
    delivery.finish()
    assert len(told) == 1 and "a simulated sound device gave no sign of life for 1.0 s" in told[0]
    assert any(np.abs(samples).max() > 0.1 for at, samples in device.heard if at > 8)


def test_without_a_device_clap_says_so_and_simulates(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(device: str | None, way: str) -> None:
        raise InputError("audio: found no sound device that plays; connect one")

    monkeypatch.setattr(portaudio, "choose", none)
    done = CliRunner().invoke(command, ["--seconds", "5"])
    assert done.exit_code == 0, done.output
    assert "found no sound device" in done.output and "on a simulated device" in done.output
    assert "claps: 5 measured, 0 missed" in done.output and "result: good" in done.output
    asked = CliRunner().invoke(command, ["--device", "Studio"])
    assert isinstance(asked.exception, InputError)


@pytest.mark.parametrize("ppm", ["nan", "1e9", "-2000"])
def test_clap_refuses_a_clock_that_no_device_has(ppm: str) -> None:
    done = CliRunner().invoke(command, ["--simulate", "--ppm", ppm])
    assert isinstance(done.exception, InputError) and not done.output
    assert str(done.exception) == f"--ppm is {float(ppm):g}, expected -1000 to 1000"


def test_doctor_claps(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(device: str | None, way: str) -> None:
        raise InputError("audio: found no sound device that plays; connect one")

    monkeypatch.setattr(portaudio, "choose", none)
    done = CliRunner().invoke(doctor, ["--clap"])
    assert done.exit_code == 0 and "result: good" in done.output


def test_another_sinks_early_frames_leave_a_fake_clocks_ring_whole() -> None:
    """A sink that wants frames earlier made the rings of the others too short."""
    early, late = ListSink(live=True), ListSink(live=True)
    early.latency = -0.4
    delivery = Delivery(
        [built(early, "early", "sink"), built(late, "late", "sink")], (RIG, FPS), FakeClock()
    )
    delivery.start(RunInfo("clip", RIG, FPS, RATE))
    for start in range(0, 300, 60):
        frames = Frames(np.zeros((60, len(RIG)), np.float32), RIG, FPS, start)
        sound = Audio(np.zeros(RATE, np.float32), RATE, start * RATE // 60)
        delivery.push(Block(frames, neutral(60, start, FPS), sound))
    delivery.finish()
    for sink in (early, late):
        assert [b.frames.start for b in sink.blocks][:300] == list(range(300))


@pytest.mark.parametrize(
    "name",
    [*OSC_SINKS, "livelink", "audio.rtp"],
)
def test_every_live_sink_takes_an_offset(name: str) -> None:
    context = assemble(Profile(name="x", sinks=()), "clip", Path("out")).context
    sink = Registry().build("sink", ComponentSpec(name, {"offset": -0.04}), context).stage
    assert sink.latency == -0.04 and sink.live


def test_the_closing_table_tells_the_offset_set_and_measured() -> None:
    sink = ListSink(live=True)
    sink.latency = 0.05
    delivery = Delivery([built(sink, "list", "sink")], (RIG, FPS), FakeClock())
    delivery.start(RunInfo("clip", RIG, FPS, RATE))
    frames = Frames(np.zeros((60, len(RIG)), np.float32), RIG, FPS, 0)
    sound = Audio(np.zeros(RATE, np.float32), RATE, 0)
    delivery.push(Block(frames, neutral(60, 0, FPS), sound))
    delivery.finish()
    pacer = delivery.outlets[0].pacer
    assert pacer is not None
    table = dict(Report("clip", "x", tallies=[("list", pacer.tally)]).rows(verbose=True))
    assert table["offset of list"] == "set +50.0 ms, measured +50.0 ms"
