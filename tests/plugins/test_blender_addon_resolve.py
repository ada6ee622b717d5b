"""Re-solve: a marker is moved in a real Blender, and a real server solves that stretch of mouth."""

from __future__ import annotations

import http.server
import itertools
import socket
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import blenders
import pytest
from blender_addon_parts import CODE, addon, scripted
from blender_addon_served import TOKEN, served

asking, clips, solving = addon("asking"), addon("clip"), addon("solving")
AddonError = addon("errors").AddonError
EVERY = pytest.mark.parametrize("blender", blenders.every())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("profiles")) as address:
        yield address


# -- without a Blender ---------------------------------------------------------------------------


def stretch_of(frames: int = 40) -> Any:
    return solving.Stretch(10, 10 + frames, Fraction(30000, 1001))


def test_a_request_asks_for_whole_frames_and_sends_what_is_near() -> None:
    marks = [clips.Mark("phone", "a", k * 0.1, k * 0.1 + 0.1) for k in range(200)]
    body = stretch_of().request([*marks, clips.Mark("word", "all", 0, 20)], marks)
    assert 9 < body["begin"] * body["fps"] < 10 and 49 < body["end"] * body["fps"] < 50
    assert body["marks"] == body["was"] and all(mark["kind"] == "phone" for mark in body["marks"])
    assert len(body["marks"]) < 45
    assert body["marks"][0]["start"] + 0.1 > 10 * 1.001 / 30 - 1
    outside = solving.Stretch.around((50.0, 51.0), 100, Fraction(24))
    assert outside is None
    last = solving.Stretch.around((3.0, 9.0), 100, Fraction(24))
    assert (last.begin, last.end) == (72, 100)


def test_the_difference_is_added_and_a_closure_is_shut() -> None:
    stretch = solving.Stretch(0, 3, Fraction(24))
    heard = clips.made("t", Fraction(24), ("jawOpen", "browDownLeft"), [[0.5, 0.2]] * 3)
    answer = {
        "channels": ["jawOpen", "mouthClose"],
        "start": 0,
        "frames": [[0.3, 0.0], [0.5, 0.0], [0.0, 0.0]],
        "before": [[0.3, 0.0], [0.3, 0.0], [0.4, 0.0]],
    }
    made = stretch.clip(answer, heard)
    assert made.channels == ("jawOpen",)
    assert list(made.column("jawOpen")) == pytest.approx([0.5, 0.7, 0.0])
    half = stretch.clip(answer, heard, strength=0.5)
    assert list(half.column("jawOpen"))[:2] == pytest.approx([0.5, 0.6])


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"channels": ["jawOpen"], "start": 1, "frames": [[0.0]] * 3, "before": [[0.0]] * 3},
        {"channels": ["jawOpen"], "start": 0, "frames": [[0.0]] * 2, "before": [[0.0]] * 2},
        {"channels": ["jawOpen"], "start": 0, "frames": [["x"]] * 3, "before": [[0.0]] * 3},
        {"channels": ["jawOpen"], "start": 0, "frames": [[1e400]] * 3, "before": [[0.0]] * 3},
    ],
)
def test_an_answer_that_is_none_is_refused(answer: Any) -> None:
    heard = clips.made("t", Fraction(24), ("jawOpen",), [[0.5]] * 3)
    with pytest.raises(AddonError, match="no solved stretch"):
        solving.Stretch(0, 3, Fraction(24)).clip(answer, heard)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A server that is no Facewire."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.path == "/page" else 404)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: Any) -> None:
        pass


def test_what_goes_wrong_is_one_line(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # loopback is never asked of a proxy
    body = solving.Stretch(0, 3, Fraction(24)).request([], [])
    assert asking.ask(server, "/v1/resolve", body, TOKEN)["start"] == 0
    with pytest.raises(AddonError, match="token"):
        asking.ask(server, "/v1/resolve", body, "wrong")
    with pytest.raises(AddonError, match=r"fps"):
        asking.ask(server, "/v1/resolve", {**body, "fps": -1}, TOKEN)
    with pytest.raises(AddonError, match=r"no Facewire answers at .*refused.*facewire serve"):
        asking.ask(f"http://127.0.0.1:{free_port()}", "/", body)
    for address in ("file:///etc/passwd", "127.0.0.1:8000", "", "http://"):
        with pytest.raises(AddonError, match="expected an address such as"):
            asking.ask(address, "/", body)
    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{other.server_port}"
        with pytest.raises(AddonError, match="is no Facewire"):
            asking.ask(where, "/page", body)
        with pytest.raises(AddonError, match="it answers 404"):
            asking.ask(where, "/v1/resolve", body)
        other.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        where = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(AddonError, match=r"has not answered for 0\.3 s"):
            asking.ask(where, "/", body, "", 0.3)


# -- in real Blenders ----------------------------------------------------------------------------

BEGIN = """
from facewire_blender import lips, markers
scene.render.fps = 24
made = clip.read(args[0])
face = rigs.face()
bake.bake(bpy.context, made, [face], Options(start=11, markers="PHONES"))
keys = face.data.shape_keys
said = scene.facewire_speech
said.server, said.token = args[1], args[2]
def curves(action):
    return {c.data_path: [round(c.evaluate(f), 7) for f in range(1, 180)]
            for c in actions.all_curves(action)}
def gaps():
    return [round(rigs.measured(face, f)[0], 4) for f in range(11, 11 + takes.get("demo").frames)]
"""

MOVE = (
    BEGIN
    + """
before = gaps()
bpy.ops.facewire.add_tweaks()
key = keys.key_blocks["mouthSmileLeft"]
for frame, value in ((30, 0.5), (90, 0.7)):
    key.value = value
    key.keyframe_insert("value", frame=frame)
tweak = keys.animation_data.action
tweaked, held = curves(tweak), bake.holder("demo", keys)
old, mixed = curves(held), gaps()
marker = [m for m in scene.timeline_markers if m.name == "/m/"][int(args[3])]
was, marker.frame = marker.frame, marker.frame + int(args[4])
to = marker.frame
result = bpy.ops.facewire.resolve()
new, after = curves(held), gaps()
moved = sorted({f for path in new for f in range(179) if old[path][f] != new[path][f]})
again = bpy.ops.facewire.resolve()
tell({"result": list(result), "again": list(again), "was": was, "to": to, "before": mixed,
      "after": after, "moved": [moved[0] + 1, moved[-1] + 1], "plain": before,
      "tweaks": curves(tweak) == tweaked and keys.animation_data.action == tweak,
      "channels": sorted(path.split('"')[1] for path in new if old[path] != new[path]),
      "marks": [[m.text, m.start] for m in takes.get("demo").marks if m.text == "m"]})
"""
)


@EVERY
def test_the_mouth_follows_a_moved_marker(blender: Any, server: str) -> None:
    """The m of "my eyes" comes 4 frames later: the lips shut there, and no longer where it was."""
    (told,) = scripted(blender, MOVE, CODE / "data/demo.json", server, TOKEN, "4", "4")
    assert told["result"] == ["FINISHED"] and told["again"] == ["CANCELLED"]
    shut, first = told["after"], 11
    here, there = told["to"] - first, told["was"] - first
    assert min(shut[here - 1 : here + 2]) < 0.03
    assert min(told["before"][there - 1 : there + 2]) < 0.03 < min(shut[there - 1 : there + 2])
    low, high = told["moved"]
    assert told["was"] - 13 <= low and high <= told["to"] + 14
    jumps = [abs(a - b) for a, b in itertools.pairwise(shut)]
    same = [abs(a - b) for a, b in zip(told["before"], told["before"][1:], strict=False)]
    assert max(jumps) < max(same) + 0.05
    assert told["tweaks"]
    assert all(name.startswith(("jaw", "mouth", "tongue")) for name in told["channels"])


KINDS = """
from facewire_blender import markers
scene.render.fps = 24
made = clip.read(args[0])
said = scene.facewire_speech
said.server, said.token = args[1], args[2]
for name, face, keys in (("simple", rigs.face("One"), "SIMPLIFIED"),
                         ("phones", rigs.face("Two"), "PHONES"),
                         ("driven", rigs.driven()[0], "EVERY")):
    for other in scene.objects:
        other.select_set(other == face)
    bpy.context.view_layer.objects.active = face
    bake.bake(bpy.context, made, [face], Options(take=name, start=11, keys=keys))
    gaps = lambda: [round(rigs.measured(face, 11 + k)[0], 4) for k in range(len(rows))]
    rows = range(takes.get(name).frames)
    before = gaps()
    scene.facewire_markers.kinds = "PHONES"
    bpy.ops.facewire.show_markers()
    marker = [m for m in scene.timeline_markers if m.name == "/m/"][4]
    was, marker.frame = marker.frame, marker.frame + 4
    to = marker.frame
    bpy.ops.facewire.resolve()
    tell([name, was - 11, to - 11, before, gaps()])
"""


@EVERY
def test_few_keys_and_driven_keys_are_solved_too(blender: Any, server: str) -> None:
    for name, was, to, before, after in scripted(
        blender, KINDS, CODE / "data/demo.json", server, TOKEN
    ):
        assert min(after[to - 1 : to + 2]) < 0.03, name
        assert min(before[was - 1 : was + 2]) < 0.03 < min(after[was - 1 : was + 2]), name
        off = [abs(a - b) for a, b in zip(before, after, strict=True)]
        assert max(off[: was - 14] + off[to + 15 :]) < 0.02, name


FAIL = (
    BEGIN
    + """
held = bake.holder("demo", keys)
old = curves(held)
marker = next(m for m in scene.timeline_markers if m.name == "/m/")
marker.frame -= 2
for server, token, timeout in eval(args[3]):
    said.server, said.token = server, token
    scene.facewire_resolve.timeout = timeout
    try:
        bpy.ops.facewire.resolve()
        told = "nothing"
    except RuntimeError as error:
        told = str(error)
    tell([told, curves(held) == old, list(takes.get("demo").marks) == list(made.marks)])
"""
)


@EVERY
def test_a_failure_changes_nothing(blender: Any, server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}"
        tried = [
            (f"http://127.0.0.1:{free_port()}", "", 5.0),
            (server, "a-wrong-token", 5.0),
            (silent, "", 1.0),
        ]
        told = scripted(blender, FAIL, CODE / "data/demo.json", server, TOKEN, repr(tried))
    assert [unchanged for _, *unchanged in told] == [[True, True]] * 3
    texts = [text for text, *_ in told]
    assert "start it with 'facewire serve'" in texts[0]
    assert "token" in texts[1] and "has not answered for 1 s" in texts[2]


@pytest.mark.parametrize(
    ("server", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000/", True),
        ("http://[::1]:8000", True),
        ("http://127.0.0.1.example.org:8000", False),
        ("https://example.org/localhost", False),
    ],
)
def test_offline_only_this_machine_is_asked(server: str, here: bool) -> None:
    asking = addon("asking")
    asking.check_allowed(server, True)
    if here:
        asking.check_allowed(server, False)
    else:
        with pytest.raises(AddonError, match="is another machine, and Blender is offline"):
            asking.check_allowed(server, False)


def test_the_routes_of_both_sides_are_one() -> None:
    resolve = (CODE / "resolve.py").read_text("utf-8")
    from facewire_server import resolve as route

    assert '"/v1/resolve"' in resolve
    assert any("/v1/resolve" in line for line in Path(route.__file__).read_text().splitlines())
