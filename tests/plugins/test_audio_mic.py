"""The microphone: a simulated one, alone and in a session."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.cli import main
from facewire.clock import MonotonicClock
from facewire.errors import FacewireError, ProfileError
from facewire.inputs import open_input
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.session import Session
from facewire.stages import Clock
from facewire.testing import ListSink, voiced
from facewire.types import Audio
from facewire_audio import portaudio
from facewire_audio.devices import Take
from facewire_audio.mic import Microphone
from facewire_audio.plugin import MicConfig
from facewire_audio.simulated import SimulatedInput, Traits, World
from parts import built

RATE = 16000


def listen(mic: Microphone, seconds: float) -> list[Audio]:
    pieces: list[Audio] = []
    for piece in mic.blocks():
        pieces.append(piece)
        if piece.end >= seconds * RATE:
            mic.close()
    return pieces


def test_it_brings_the_sound_in_order_and_tells_of_lost_sound() -> None:
    world, sound = World(), voiced(2.0, RATE).samples
    device = SimulatedInput(world, sound, Traits(block=160, ppm=40), overflow=(7, 30))
    mic = Microphone(MicConfig(rate=RATE, gate=None), device)
    pieces = listen(mic, 1.5)
    at = 0
    for piece in pieces:
        assert piece.start == at and piece.rate == RATE
        at = piece.end
    assert np.array_equal(np.concatenate([p.samples for p in pieces]), sound[:at])
    assert "audio.mic: the device lost sound 2 times (overflow)" in mic.report()


def test_the_gate_keeps_a_rooms_noise_out() -> None:
    noise = np.random.default_rng(1).standard_normal(3 * RATE).astype(np.float32) * 0.0005
    sound = noise.copy()
    sound[RATE : 2 * RATE] += voiced(1.0, RATE).samples
    device = SimulatedInput(World(), sound, Traits(block=160))
    mic = Microphone(MicConfig(rate=RATE), device)
    out = np.concatenate([p.samples for p in listen(mic, 2.9)])
    assert not out[:RATE].any() and out[RATE : 2 * RATE].any() and not out[int(2.4 * RATE) :].any()


def test_a_device_that_falls_silent_ends_the_input_with_a_word() -> None:
    device = SimulatedInput(World(), voiced(1, RATE).samples, Traits(stalls=((1.0, 100.0),)))
    mic = Microphone(MicConfig(rate=RATE), device)
    assert list(mic.blocks())
    assert "audio.mic: a simulated sound device brings no sound any more" in mic.report()


def test_what_a_slow_run_loses_is_silence_and_the_rest_in_its_place() -> None:
    world = World()
    mic = Microphone(
        MicConfig(rate=RATE, gate=None), SimulatedInput(world, np.ones(20 * RATE, np.float32))
    )
    blocks = mic.blocks()
    world.sleep_until(0.1)
    first = next(blocks)
    world.sleep_until(17.0)  # nobody takes: 512 blocks of 30 ms wait, the rest is lost
    rest = [next(blocks) for _ in range(512)]
    world.sleep_until(17.3)
    rest += [next(blocks) for _ in range(8)]
    samples = np.concatenate([first.samples, *(piece.samples for piece in rest)])
    assert rest[-1].end == len(samples)
    lost = np.flatnonzero(samples == 0)
    assert len(lost) and (np.diff(lost) == 1).all() and samples[-1] == 1
    mic.close()
    list(blocks)
    assert any("samples were lost" in line for line in mic.report())


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ProfileError, match="must not be negative"):
        Microphone(MicConfig(hold=-1.0), SimulatedInput(World(), np.zeros(1, np.float32)))


class Ticking:
    """A device on the system's clock, with a thread of its own as PortAudio has."""

    name = "ticking"

    def __init__(self, sound: np.ndarray) -> None:
        self.world: Clock = MonotonicClock()
        self._sound, self._stop = sound, threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rate: int | None, channel: int, take: Take) -> int:
        self._thread = threading.Thread(target=self._run, args=(take,), daemon=True)
        self._thread.start()
        return rate or RATE

    def _run(self, take: Take) -> None:
        begun = time.perf_counter()
        for i in range(0, len(self._sound), 160):
            if self._stop.wait(max(0.0, begun + (i + 160) / RATE - time.perf_counter())):
                return
            take(self._sound[i : i + 160], self.world.now(), False)

    def stop(self) -> None:
        self._stop.set()


def test_a_live_run_prints_the_delay_to_set(tmp_path: Path) -> None:
    mic = Microphone(MicConfig(rate=RATE), Ticking(voiced(1.5, RATE).samples))
    sink, told = ListSink(live=True), []
    profile = Profile(name="mic", model=(ComponentSpec("phonemes"),), sinks=())
    try:
        session = Session(
            profile, mic, "mic", tmp_path, sinks=[built(sink, "list", "sink")], tell=told.append
        )
    except FacewireError as error:
        pytest.skip(str(error))
    assert session.delivery.clock is mic.clock
    threading.Timer(1.2, session.end).start()
    report = session.run()
    delay = next(line for line in told if "behind the microphone" in line)
    assert f"the face is {1000 * session.delivery.delay:.0f} ms behind" in delay
    assert "OBS" in delay and report.frames > 20
    measured = [value for what, value in report.rows(verbose=True) if what == "offset of list"]
    assert len(measured) == 1 and measured[0].startswith("set +0.0 ms, measured +")


def test_mic_without_a_device_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        PortAudioError = OSError

        @staticmethod
        def query_devices() -> Iterator[dict[str, int]]:
            return iter(())

    monkeypatch.setattr(portaudio, "sounddevice", lambda: Nothing)
    with pytest.raises(FacewireError, match="found no sound device that records") as caught:
        open_input("mic", Profile(name="x", sinks=()), Registry())
    assert "\n" not in str(caught.value)
    assert portaudio.check_devices() == "no sound device; live frames follow the system's clock"


class Three:
    """What PortAudio tells where a webcam, loudspeakers and a headset are connected."""

    PortAudioError = OSError

    class default:
        device = (0, 1)

    @staticmethod
    def query_devices() -> list[dict[str, object]]:
        names = ("Webcam", "Speakers (USB)", "Headset")
        both = zip(names, (1, 0, 1), (0, 2, 2), strict=True)
        late = {"default_low_input_latency": 0.008, "default_low_output_latency": 0.012}
        return [
            {"index": i, "name": n, "max_input_channels": a, "max_output_channels": b} | late
            for i, (n, a, b) in enumerate(both)
        ]


def test_a_device_is_found_by_number_or_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portaudio, "sounddevice", lambda: Three)
    assert portaudio.choose(None, "output")[0] == 1 and portaudio.choose(None, "input")[0] == 0
    assert portaudio.choose("usb", "output")[0] == 1 and portaudio.choose("2", "input")[0] == 2
    with pytest.raises(FacewireError, match="no device that plays is called 'studio'") as caught:
        portaudio.choose("studio", "output")
    assert "1 Speakers (USB); 2 Headset" in str(caught.value)
    assert portaudio.check_devices() == (
        "1 Speakers (USB) plays, 12 ms (others: 2 Headset); 0 Webcam records, 8 ms "
        "(others: 2 Headset)"
    )


@pytest.mark.parametrize(
    ("text", "name"), [("mic", "Webcam"), ("mic:head", "Headset"), ("mic:2", "Headset")]
)
def test_the_command_line_chooses_the_microphone(
    text: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "sounddevice", lambda: Three)
    given = open_input(text, Profile(name="x", sinks=()), Registry())
    assert isinstance(given.source, Microphone) and given.source._device.name == name
    assert given.name == "mic"


@pytest.mark.parametrize("text", ["mic:studio", "mic:1", "mic:17"])
def test_a_microphone_that_is_none_lists_those_that_are(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portaudio, "sounddevice", lambda: Three)
    with pytest.raises(SystemExit) as ended:
        main(["run", text])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said == (
        f"facewire: audio: no device that records is called '{text[4:]}' "
        "(found: 0 Webcam; 2 Headset)\n"
    )


def test_a_line_of_dialogue_and_a_file_are_no_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "sounddevice", lambda: Three)
    monkeypatch.chdir(tmp_path)
    profile, registry = Profile(name="x", sinks=()), Registry()
    assert open_input("mic: one, two.", profile, registry).source.brings == "text"
    assert open_input("mic:2", profile, registry, speak=True).source.brings == "text"
    if sys.platform != "win32":  # where a name may hold a colon
        soundfile.write("mic:2.wav", voiced(0.2, RATE).samples, RATE)
        assert open_input("mic:2.wav", profile, registry).name == "mic:2"
