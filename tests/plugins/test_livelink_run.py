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


class Receiver(threading.Thread):
    """Collects packets until the sender has ended, however long it takes to begin or falters."""

    def __init__(self) -> None:
        super().__init__()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.packets: list[Packet] = []
        self.ended = threading.Event()

    def run(self) -> None:
        with self.socket:
            while True:
                ending = self.ended.is_set()  # before the wait: what was sent by then is there
                try:
                    self.packets.append(unpack(self.socket.recv(2000)))
                except TimeoutError:
                    if ending:
                        return


def clip(folder: Path) -> np.ndarray:
    """Write 45 frames whose jaws all differ; return them (45, 61)."""
    rows = np.zeros((45, 61), np.float32)
    rows[:, RIG.index("jawOpen")] = np.linspace(0.1, 0.9, 45)
    rows[:, RIG.index("headYaw")] = 0.25
    np.savez(folder / "clip.npz", values=rows, channels=np.array(RIG.channels), fps=60.0, start=0)
    return rows


def test_a_run_arrives_frame_by_frame_and_ends_in_neutral(tmp_path: Path) -> None:
    """On a busy machine frames are dropped, sent again or one place later; nothing else is sent."""
    rows, receiver = clip(tmp_path), Receiver()
    receiver.start()
    (tmp_path / "live.yaml").write_text(PROFILE.format(port=receiver.port))
    name = "facewire.exe" if sys.platform == "win32" else "facewire"
    command = Path(sysconfig.get_path("scripts"), name)
    try:
        done = subprocess.run(
            [command, "run", "clip.npz", "--profile", "live.yaml"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    finally:
        receiver.ended.set()
        receiver.join()
    assert done.returncode == 0, done.stderr
    frames = np.array([packet.frame for packet in receiver.packets])
    values = np.array([packet.values for packet in receiver.packets])
    assert f"{len(frames)}, dropped " in done.stdout  # all that was sent arrived
    assert np.all(np.diff(frames) > 0)  # never the same twice, never back
    assert np.all(values[-1] == 0)
    told = np.abs(values[:, RIG.index("jawOpen"), None] - rows[:, RIG.index("jawOpen")])
    of_clip = told.min(axis=1) == 0  # the others ease to neutral
    which = told.argmin(axis=1)[of_clip]
    sent = values[of_clip] * np.where(np.array(RIG.channels) == "headYaw", -1, 1)
    np.testing.assert_array_equal(sent, rows[which])
    assert np.all(np.diff(which) >= 0) and np.all(frames[of_clip] >= which)
    assert len(set(which)) > 1
