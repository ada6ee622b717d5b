"""A dialogue of two voices: both faces through ``facewire run``, live and into files."""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from facewire.articulation.lips import lip_gap
from facewire.cli.run import command
from facewire.rig import Rig
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

RIG = Rig.named("arkit61")
SCENE = """\
{"speaker": "ada", "text": "Maybe my map is at home, by the big lamp."}
{"speaker": "bob", "text": "Bring it, and bring a warm lamp.", "pause": 0.4, "emotion": "anger"}
{"speaker": "ada", "text": "Fine, I am on my way."}
"""
PROFILE = """\
speakers:
  ada: {{voice: {{use: espeak, voice: en-us}}, subject: Ada}}
  bob: {{voice: {{use: espeak, voice: en-gb}}, subject: Bob}}
voice: espeak
model: phonemes
layers: [idle.blink, clamp]
sinks: [files.npz, files.wav{live}]
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (tmp_path / "scene.jsonl").write_text(SCENE, "utf-8")
    return tmp_path


def run(folder: Path, live: str = "") -> str:
    (folder / "duo.yaml").write_text(PROFILE.format(live=live), "utf-8")
    paths = [str(folder / name) for name in ("scene.jsonl", "duo.yaml", "out")]
    done = CliRunner().invoke(command, [paths[0], "--profile", paths[1], "--out", paths[2]])
    assert done.exit_code == 0, done.output
    return done.output


def take(folder: Path, subject: str) -> dict[str, np.ndarray]:
    with np.load(folder / f"out/scene.{subject}.npz") as made:
        return dict(made)


def turns(folder: Path) -> list[slice]:
    """Return the frames of the three turns, told by the words in the takes' marks."""
    found = []
    for subject, first, last in (("Ada", 0, 9), ("Bob", 0, 6), ("Ada", 10, 14)):
        words = [mark for mark in take(folder, subject)["marks"] if mark["kind"] == "word"]
        found.append(slice(int(words[first]["start"] * 60), int(words[last]["end"] * 60)))
    return found


def test_each_face_talks_in_its_own_file_and_is_shut_in_the_others_turns(scene: Path) -> None:
    said = run(scene)
    assert "faces" in said and "Ada, Bob" in said
    assert sorted(p.name for p in (scene / "out").iterdir()) == [
        "scene.Ada.npz", "scene.Bob.npz", "scene.wav",
    ]  # fmt: skip
    values = {name: take(scene, name)["values"] for name in ("Ada", "Bob")}
    sound, rate = soundfile.read(scene / "out/scene.wav")
    assert len(values["Ada"]) == len(values["Bob"]) == -(-len(sound) * 60 // rate)
    jaw, blink = RIG.index("jawOpen"), RIG.index("eyeBlinkLeft")
    for span, who, other in zip(turns(scene), ("Ada", "Bob", "Ada"), ("Bob", "Ada", "Bob"),
                                strict=True):  # fmt: skip
        speaking, silent = values[who][span], values[other][span]
        assert np.ptp(speaking[:, jaw]) > 0.1 and np.abs(silent[6:-6, jaw]).max() < 0.02
        assert lip_gap(silent[6:-6], RIG).max() < 0.02 < lip_gap(speaking, RIG).max()
        assert np.abs(sound[span.start * rate // 60 : span.stop * rate // 60]).max() > 0.1
    assert not np.array_equal(values["Ada"][:, blink], values["Bob"][:, blink])  # each its own


def test_a_take_is_the_same_twice(scene: Path) -> None:
    run(scene)
    first = [(scene / f"out/scene.{who}.npz").read_bytes() for who in ("Ada", "Bob")]
    run(scene)
    assert [(scene / f"out/scene.{who}.npz").read_bytes() for who in ("Ada", "Bob")] == first


class Receiver(threading.Thread):
    """Two of another author's decoders: packets by the subject that they are sent under."""

    def __init__(self) -> None:
        super().__init__()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.ended = threading.Event()
        self.packets: dict[str, list[bytes]] = defaultdict(list)

    def run(self) -> None:
        while True:
            try:
                data = self.socket.recv(2000)
            except TimeoutError:
                if self.ended.is_set():
                    break
                continue
            ok, face = PyLiveLinkFace.decode(data)
            assert ok
            self.packets[face.name].append(data)
        self.socket.close()


def read(data: bytes) -> tuple[int, str, float]:
    """Return timecode, device and jaw of a packet, as the other decoder reads them."""
    _, face = PyLiveLinkFace.decode(data)
    return face._frames, face.uuid, face.get_blendshape(FaceBlendShape.JawOpen)


def test_both_faces_arrive_under_their_subjects_at_the_same_timecodes(scene: Path) -> None:
    receiver = Receiver()
    receiver.start()
    port = receiver.socket.getsockname()[1]
    try:
        said = run(scene, f", {{use: livelink, port: {port}}}")
    finally:
        receiver.ended.set()
        receiver.join()
    assert "Ada" in said and sorted(receiver.packets) == ["Ada", "Bob"]
    ada, bob = ([read(data) for data in receiver.packets[who]] for who in ("Ada", "Bob"))
    assert {one[1] for one in ada}.isdisjoint(one[1] for one in bob)  # a device each
    begin = ada[0][0]
    both = {one[0] for one in ada} & {one[0] for one in bob}
    assert abs(begin - bob[0][0]) <= 2 and len(both) > 0.5 * max(len(ada), len(bob))
    for frames in (ada, bob):
        numbers = np.array([one[0] for one in frames])
        assert (np.diff(numbers) > 0).all() and frames[-1][2] == 0
    made = {who: take(scene, who)["values"][:, RIG.index("jawOpen")] for who in ("Ada", "Bob")}
    for who, frames in (("Ada", ada), ("Bob", bob)):
        jaws = np.array([one[2] for one in frames if one[0] - begin < len(made[who])])
        near = [np.abs(made[who] - jaw).min() for jaw in jaws]
        assert max(near) < 1e-6 and jaws.max() > 0.1  # every packet is a frame of the take
