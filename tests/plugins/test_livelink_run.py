"""The whole way: a clip of frames through ``facewire run`` into a receiver."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import numpy as np
from facewire.rig import Rig
from facewire_livelink.wire import Packet, unpack

RIG = Rig.named("arkit61")
PROFILE = """\
fps: 60
rig: arkit61
sinks: [{{use: livelink, port: {port}, subject: Ada, timecode: run, flip: [headYaw]}}]
"""


def receive(receiver: socket.socket, packets: list[Packet]) -> None:
    """Collect packets until none came for a while."""
    try:
        while True:
            packets.append(unpack(receiver.recv(2000)))
            receiver.settimeout(2)
    except TimeoutError:
        pass


def test_a_run_arrives_frame_by_frame_and_ends_in_neutral(tmp_path: Path) -> None:
    rows = np.zeros((45, 61), np.float32)
    rows[:, RIG.index("jawOpen")] = np.linspace(0.1, 0.9, 45)
    rows[:, RIG.index("headYaw")] = 0.25
    np.savez(tmp_path / "clip.npz", values=rows, channels=np.array(RIG.channels), fps=60.0, start=0)
    packets: list[Packet] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        listening = threading.Thread(target=receive, args=(receiver, packets))
        listening.start()
        (tmp_path / "live.yaml").write_text(PROFILE.format(port=receiver.getsockname()[1]))
        name = "facewire.exe" if sys.platform == "win32" else "facewire"
        command = Path(sysconfig.get_path("scripts"), name)
        done = subprocess.run(
            [command, "run", "clip.npz", "--profile", "live.yaml"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        listening.join()
    assert done.returncode == 0, done.stderr
    frames = np.array([packet.frame for packet in packets])
    assert np.all(np.diff(frames) > 0)  # never the same twice, never back
    values = np.array([packet.values for packet in packets])
    assert np.all(values[-1] == 0)
    of_clip = frames < 45
    assert np.sum(of_clip) > 30  # a busy machine may drop some
    sent = values[of_clip] * np.where(np.array(RIG.channels) == "headYaw", -1, 1)
    np.testing.assert_array_equal(sent, rows[frames[of_clip]])
