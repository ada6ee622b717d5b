"""The whole way: a clip of frames through ``facewire run`` into a VMC receiver."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

import numpy as np
from facewire.profile import load_profile
from facewire.rig import Rig
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

RIG = Rig.named("arkit61")
PROGRAM = Path(
    sysconfig.get_path("scripts"), "facewire.exe" if sys.platform == "win32" else "facewire"
)


def receive(receiver: socket.socket, frames: list[dict[str, Any]]) -> None:
    """Collect frames, each up to its Apply, until nothing came for a while."""
    state: dict[str, Any] = {}
    try:
        while True:
            for message in OscBundle(receiver.recv(2000)):
                assert isinstance(message, OscMessage)
                if message.address == "/VMC/Ext/Blend/Val":
                    state[message.params[0]] = message.params[1]
                elif message.address == "/VMC/Ext/Blend/Apply":
                    frames.append(state)
                    state = {}
                else:
                    state[message.address] = message.params
            receiver.settimeout(2)
    except TimeoutError:
        pass


def test_a_run_arrives_frame_by_frame_and_ends_in_neutral(tmp_path: Path) -> None:
    rows = np.zeros((45, 61), np.float32)
    rows[:, RIG.index("jawOpen")] = np.linspace(0.1, 0.9, 45)
    rows[:, RIG.index("headYaw")] = 0.25
    np.savez(tmp_path / "clip.npz", values=rows, channels=np.array(RIG.channels), fps=60.0, start=0)
    frames: list[dict[str, Any]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        listening = threading.Thread(target=receive, args=(receiver, frames))
        listening.start()
        port = receiver.getsockname()[1]
        (tmp_path / "live.yaml").write_text(
            f"fps: 60\nrig: arkit61\nsinks: [{{use: osc.vmc, port: {port}}}]\n"
        )
        done = subprocess.run(
            [PROGRAM, "run", "clip.npz", "--profile", "live.yaml"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        listening.join()
    assert done.returncode == 0, done.stderr
    assert f"127.0.0.1:{port}" in done.stdout
    times = np.array([frame["/VMC/Ext/T"][0] for frame in frames])
    assert np.all(np.diff(times) > 0)  # never the same twice, never back
    at = np.rint(times * 60).astype(int)
    of_clip = [(i, frame) for i, frame in zip(at, frames, strict=True) if i < 45]
    assert len(of_clip) > 30  # a busy machine may drop some
    for i, frame in of_clip:
        assert frame["JawOpen"] == rows[i, RIG.index("jawOpen")]
    assert of_clip[0][1]["/VMC/Ext/Bone/Pos"][5] > 0.12  # y of a turn to the right
    last = {name: value for name, value in frames[-1].items() if name[0] != "/"}
    assert len(last) == 52 and set(last.values()) == {0.0}


def test_the_shipped_profile() -> None:
    profile = load_profile("vmc")
    assert [spec.use for spec in profile.sinks] == ["osc.vmc"]
    default = load_profile("default")
    assert (profile.model, profile.layers, profile.voice) == (
        default.model, default.layers, default.voice,
    )  # fmt: skip
