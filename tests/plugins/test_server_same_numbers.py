"""One run, four ways out: Live Link packets, the page, the CSV and the server's JSON agree."""

from __future__ import annotations

import base64
import re
import socket
import threading
import zlib
from pathlib import Path

import numpy as np
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import GivenText
from facewire_livelink.wire import Packet, unpack
from server_parts import serving

RIG = Rig.named("arkit61")
TEXT = "[joy:80] My mother may map it."
PROFILE = """\
extends: default
sinks:
  - {{use: livelink, port: {port}, timecode: run}}
  - {{use: files.livelink_csv, path: "{{out}}/take.csv"}}
  - {{use: preview.html, path: "{{out}}/take.html"}}
"""


def test_live_link_page_csv_and_json_are_the_same_numbers(tmp_path: Path) -> None:
    packets: list[Packet] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        listening = threading.Thread(target=_receive, args=(receiver, packets))
        listening.start()
        profile = tmp_path / "all.yaml"
        profile.write_text(PROFILE.format(port=receiver.getsockname()[1]))
        name = "my-mother-may-map-it"
        report = Session(load_profile(profile), GivenText(TEXT), name, tmp_path).run()
        listening.join()
    csv = _csv((tmp_path / "take.csv").read_text())
    page = _page((tmp_path / "take.html").read_text())
    assert csv.shape == page.shape == (report.frames, 61)
    assert np.abs(csv - page).max() < 1e-6
    sent = [packet for packet in packets if packet.frame < report.frames]
    assert len(sent) > 10  # a busy machine drops some, and alters none
    for packet in sent:
        assert packet.values is not None
        assert np.array_equal(packet.values, page[packet.frame])
    _served_alike(tmp_path)


def _served_alike(folder: Path) -> None:
    """The server's JSON, CSV and page of one request are one another's numbers too."""
    with serving() as served, served.client() as client:
        told = client.post("/v1/animate", json={"text": TEXT}).json()
        answers = [
            client.post("/v1/animate", json={"text": TEXT}, headers={"accept": kind}).text
            for kind in ("text/csv", "text/html")
        ]
    rows = np.array(told["frames"])
    assert np.abs(_csv(answers[0]) - rows).max() < 1e-6
    assert np.abs(_page(answers[1]) - rows).max() < 1e-6


def _receive(receiver: socket.socket, packets: list[Packet]) -> None:
    try:
        while True:
            packets.append(unpack(receiver.recv(2000)))
            receiver.settimeout(5)
    except TimeoutError:
        pass


def _csv(text: str) -> np.ndarray:
    head, *lines = text.splitlines()
    names = [name[:1].lower() + name[1:] for name in head.split(",")[2:]]
    table = np.array([line.split(",")[2:] for line in lines], float)
    return table[:, [names.index(channel) for channel in RIG.channels]]


def _page(text: str) -> np.ndarray:
    held = re.search(r'id="data-frames">([^<]*)<', text)
    assert held is not None
    planes = np.frombuffer(zlib.decompress(base64.b64decode(held[1])), np.uint8)
    whole = np.ascontiguousarray(planes.reshape(4, -1).T).view("<f4")
    return whole.reshape(len(RIG.channels), -1).T
