"""Speech in Blender: jobs against a real server and the real program, and bakes of what comes."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blenders
import numpy as np
import pytest
import soundfile
from blender_addon_parts import addon
from blenders import Blender
from server_parts import Served, light, serving, speech

PROGRAM = str(Path(sys.executable).parent / "facewire")
FACE = """
mesh = bpy.data.meshes.new("Kopf")
mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
made = bpy.data.objects.new("Kopf", mesh)
bpy.context.scene.collection.objects.link(made)
made.shape_key_add(name="Basis")
for key in ("jawOpen", "mouthClose", "mouthSmileLeft", "eyeBlinkLeft"):
    made.shape_key_add(name=key)
bpy.context.view_layer.objects.active = made
chosen = bpy.context.scene.facewire_speech
"""

MODAL = """
import time
from types import SimpleNamespace
from facewire_blender import speech, takes
chosen.text, chosen.server, chosen.token = "Mama, papa.", args[0], "a-long-token"
class Manager:
    event_timer_add = staticmethod(lambda *a, **k: "timer")
    event_timer_remove = staticmethod(lambda timer: None)
    modal_handler_add = staticmethod(lambda operator: True)
class Context:
    window, screen, window_manager = None, None, Manager
    def __getattr__(self, name):
        return getattr(bpy.context, name)
class Operator:
    _timer, _names = None, ()
    told = []
    def report(self, kind, text):
        self.told.append([sorted(kind)[0], text])
for name in ("invoke", "modal", "_end", "_finished"):
    setattr(Operator, name, getattr(speech.FACEWIRE_OT_speech, name))
def event(kind, value="NOTHING"):
    return SimpleNamespace(type=kind, value=value)
context, operator = Context(), Operator()
begin = time.monotonic()
tell(sorted(operator.invoke(context, event("LEFTMOUSE"))))
tell(time.monotonic() - begin)
longest, answer = 0.0, {"PASS_THROUGH"}
while answer == {"PASS_THROUGH"}:
    time.sleep(0.02)
    waiting = speech.job() is not None and speech.job().is_alive()
    begin = time.monotonic()
    answer = operator.modal(context, event("TIMER"))
    if waiting:
        longest = max(longest, time.monotonic() - begin)
tell([sorted(answer), longest, takes.names()])
operator.invoke(context, event("LEFTMOUSE"))
try:
    job = speech.job()
    tell(sorted(Operator().invoke(context, event("LEFTMOUSE"))))
finally:
    tell(sorted(operator.modal(context, event("ESC", "PRESS"))))
job.join(10)
tell([job.cancelled, job.is_alive(), speech.job() is None])
operator.invoke(context, event("LEFTMOUSE"))
bpy.ops.facewire.speech_cancel()
tell(sorted(operator.modal(context, event("TIMER"))))
tell(Operator.told)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    profile = light(tmp_path_factory.mktemp("profiles"))
    with serving(profile=profile, token="a-long-token") as running:
        yield running


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "heard.wav"
    soundfile.write(path, speech(1.0), 16000)
    return path


def wish(**said: Any) -> Any:
    return addon("engine").Wish(**said)


def done(job: Any, seconds: float = 60) -> Any:
    job.start()
    job.join(seconds)
    assert not job.is_alive()
    return job.result()


def by_server(served: Served, folder: Path, token: str = "a-long-token", **said: Any) -> Any:
    return addon("engine").ServerJob(wish(**said), folder, served.url, token)


def by_program(folder: Path, **said: Any) -> Any:
    return addon("engine").ProgramJob(wish(**said), folder, PROGRAM)


# -- jobs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["server", "program"])
def test_text_becomes_a_clip_with_marks_and_sound(way: str, served: Served, tmp_path: Path) -> None:
    said = {"text": "[joy:80] Mama, papa!", "profile": "default"}
    job = by_server(served, tmp_path, **said) if way == "server" else by_program(tmp_path, **said)
    clip = done(job)
    assert (clip.name, clip.fps) == ("Mama papa", 60)
    assert len(clip) > 40 and max(clip.column("jawOpen")) > 0.1
    assert max(clip.column("mouthSmileLeft")) > 0.1
    assert [m.text for m in clip.marks if m.kind == "word"] == ["Mama", "papa"]
    assert Path(clip.sound).parent == tmp_path and Path(clip.sound).stem == "Mama papa"
    samples, rate = soundfile.read(clip.sound)
    assert abs(len(samples) / rate - len(clip) / 60) < 0.05
    assert [p.suffix for p in tmp_path.iterdir()] == [".wav"]


@pytest.mark.parametrize("way", ["server", "program"])
def test_a_sound_becomes_a_clip(way: str, served: Served, tmp_path: Path, wav: Path) -> None:
    said = {"sound": str(wav), "emotion": "joy:90", "transcript": "mama"}
    job = by_server(served, tmp_path, **said) if way == "server" else by_program(tmp_path, **said)
    clip = done(job)
    assert (clip.name, clip.sound, len(clip)) == ("heard", str(wav), 60)
    assert max(clip.column("mouthSmileLeft")) > 0.1


def test_both_ways_give_the_same(served: Served, tmp_path: Path) -> None:
    said = {"text": "Bob, come home.", "profile": "default"}
    one, other = done(by_server(served, tmp_path, **said)), done(by_program(tmp_path, **said))
    assert one.channels == other.channels
    away = [
        np.abs(np.subtract(a, b)).max() for a, b in zip(one.columns, other.columns, strict=True)
    ]
    assert max(away) < 1e-5
    assert one.sound == other.sound  # the same sound is kept once


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"text": "Hi.", "profile": "defult"}, "there is no 'defult'"),
        ({"text": "Hi.", "emotion": "hunger:2"}, "hunger"),
    ],
)
def test_what_the_server_refuses_is_its_own_line(
    said: dict[str, str], line: str, served: Served, tmp_path: Path
) -> None:
    with pytest.raises(addon("errors").AddonError, match=line) as told:
        done(by_server(served, tmp_path, **said))
    assert "\n" not in str(told.value)


def test_what_the_program_says_is_told(tmp_path: Path) -> None:
    error, engine = addon("errors").AddonError, addon("engine")
    with pytest.raises(error, match=r"facewire: .*defult"):
        done(by_program(tmp_path, text="Hi.", profile="defult"))
    with pytest.raises(error, match="'no-such-program' is no program; install Facewire"):
        done(engine.ProgramJob(wish(text="Hi."), tmp_path, "no-such-program"))
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_token_or_address_is_told(served: Served, tmp_path: Path) -> None:
    error, engine = addon("errors").AddonError, addon("engine")
    with pytest.raises(error, match="a token is needed"):
        done(by_server(served, tmp_path, token="", text="Hi."))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(error, match=r"no Facewire answers at .* start it with 'facewire serve'"):
        done(engine.ServerJob(wish(text="Hi."), tmp_path, gone))
    with pytest.raises(error, match="server: found 'nonsense', expected one such as http"):
        done(engine.ServerJob(wish(text="Hi."), tmp_path, "nonsense"))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n<html>", "is no Facewire"),
        (b"HTTP/1.0 200 OK\r\n\r\n[]", "is no Facewire"),
        (b"HTTP/1.0 404 Not Found\r\n\r\nwhat", "answers 404 Not Found; expected a Facewire"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n{", "the answer broke off; try again"),
        (b"garbage\r\n\r\n", "no Facewire answers"),
    ],
)
def test_what_is_no_facewire_is_told(answer: bytes, line: str, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def reply() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while not asked.endswith(b"}"):  # what is left unread would reset the connection
                    asked += connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(addon("errors").AddonError, match=line) as told:
            done(addon("engine").ServerJob(wish(text="Hi."), tmp_path, url))
        assert "\n" not in str(told.value)
        thread.join(5)


def test_a_server_that_is_silent_can_be_cancelled(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        job = addon("engine").ServerJob(wish(text="Hi."), tmp_path, url)
        job.start()
        connection, _ = listener.accept()
        connection.recv(65536)
        begin = time.monotonic()
        job.cancel()
        job.join(5)
        assert not job.is_alive() and time.monotonic() - begin < 2
        connection.close()
    with pytest.raises(addon("errors").AddonError, match="cancelled"):
        job.result()


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_program_that_works_can_be_cancelled(stubborn: bool, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    trap = "trap '' TERM\n" if stubborn else ""
    slow.write_text(f"#!/bin/sh\n{trap}echo $$ > {tmp_path}/pid\nwhile true; do sleep 0.1; done\n")
    slow.chmod(0o755)
    job = addon("engine").ProgramJob(wish(text="Hi."), tmp_path, str(slow))
    job.start()
    end = time.monotonic() + 10
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    begin = time.monotonic()
    job.cancel()
    job.join(10)
    assert not job.is_alive() and time.monotonic() - begin < 5
    with pytest.raises(addon("errors").AddonError, match="cancelled"):
        job.result()
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(pid, 0)


def test_a_wish_without_anything_is_told(tmp_path: Path) -> None:
    error = addon("errors").AddonError
    with pytest.raises(error, match="nothing to animate: write a text, or choose a sound file"):
        wish(text="  ").check()
    with pytest.raises(error, match="there is no such sound file"):
        wish(sound=str(tmp_path / "no.wav")).check()
    assert wish(text="[joy] 'Tis, so!").name == "'Tis so"
    assert wish(text="…").name == "speech" and len(wish(text="word " * 50).name) <= 40
    assert wish(text="--help").name == "help"


def test_a_text_that_looks_like_an_option_is_spoken(tmp_path: Path) -> None:
    assert len(done(by_program(tmp_path, text="--help"))) > 10


# -- in Blender ----------------------------------------------------------------------------------


@pytest.mark.parametrize("blender", blenders.every())
def test_speech_is_baked_onto_the_face(blender: Blender, served: Served, tmp_path: Path) -> None:
    """For a file that is saved, and for one that is not: then the sound goes into it."""
    script = (
        FACE
        + """
chosen.text, chosen.server, chosen.token = "Mama, papa.", args[0], "a-long-token"
bpy.context.scene.facewire.keys = "EVERY"
bpy.context.scene.render.fps = 30
tell(sorted(bpy.ops.facewire.speech()))
from facewire_blender import actions, takes
take = takes.get("Mama papa")
keys = bpy.data.objects["Kopf"].data.shape_keys
curve = actions.find(takes.find(take.name)[0], keys, 'key_blocks["jawOpen"].value')
tell([take.frames, max(curve.evaluate(f) for f in range(1, take.frames + 1))])
tell([m.text for m in take.marks if m.kind == "word"])
sound = bpy.data.sounds[0]
tell([sound.packed_file is not None, sound.packed_file.size if sound.packed_file else 0])
bpy.ops.wm.save_as_mainfile(filepath=args[1])
chosen = bpy.context.scene.facewire_speech
chosen.text, chosen.token = "Bob.", ""
try:
    bpy.ops.facewire.speech()
except RuntimeError as error:
    tell(str(error).strip().splitlines()[-1])
chosen.token = "a-long-token"
bpy.ops.facewire.speech()
tell(sorted(bpy.path.basename(s.filepath) for s in bpy.data.sounds))
tell(takes.names())
"""
    )
    told = blender.run(script, served.url, tmp_path / "set.blend", addon=True).told
    assert told[0] == ["FINISHED"]
    assert told[1][0] > 20 and told[1][1] > 0.1
    assert told[2] == ["Mama", "papa"]
    assert told[3][0] is True and told[3][1] > 10_000
    assert "a token is needed" in told[4]
    assert "Bob.wav" in told[5] and (tmp_path / "Bob.wav").is_file()
    assert told[6] == ["Bob", "Mama papa"]


@pytest.mark.parametrize("blender", blenders.ends())
def test_blender_goes_on_while_speech_is_made(blender: Blender, served: Served) -> None:
    """The operator as a window would call it: begun, looked at, finished; and cancelled."""

    told = blender.run(FACE + MODAL, served.url, addon=True).told
    assert told[0] == ["RUNNING_MODAL"] and told[1] < 0.5
    assert told[2][0] == ["FINISHED"] and told[2][1] < 0.5 and told[2][2] == ["Mama papa"]
    assert told[3] == ["CANCELLED"] and told[4] == ["CANCELLED"]
    assert told[5] == [True, False, True]
    assert told[6] == ["CANCELLED"]
    assert [kind for kind, _ in told[7]] == ["INFO", "ERROR", "INFO", "INFO"]
    assert told[7][1][1] == "speech is being made already; cancel it first"


@pytest.mark.parametrize("blender", blenders.ends())
def test_token_and_program_are_in_no_file(blender: Blender, tmp_path: Path) -> None:
    script = """
chosen = bpy.context.scene.facewire_speech
tell(chosen.program)
chosen.server, chosen.token = "http://127.0.0.1:1", "a-secret-token"
chosen.program = "a-program-of-somebody"
tell([chosen.token, chosen.program])
bpy.ops.wm.save_as_mainfile(filepath=args[0], compress=False)
chosen.server = "http://127.0.0.1:2"
tell(chosen.token)
"""
    told = blender.run(script, tmp_path / "it.blend", addon=True).told
    assert told == ["facewire", ["a-secret-token", "a-program-of-somebody"], ""]
    saved = (tmp_path / "it.blend").read_bytes()
    assert b"http://127.0.0.1:1" in saved
    assert b"a-secret-token" not in saved and b"a-program-of-somebody" not in saved


def test_the_environments_token_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_TOKEN", "a-secret-token")
    token_for = addon("asking").token_for
    assert token_for("http://127.0.0.1:8000") == token_for("http://localhost:1") == "a-secret-token"
    for other in ("http://example.org", "http://127.0.0.1.example.org:8000"):
        assert token_for(other) == "" and token_for(other, "given") == "given"
