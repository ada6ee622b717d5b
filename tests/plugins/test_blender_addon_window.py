"""The add-on in a real Blender with a window: panels drawn, Re-solve beside one's work, undo, Esc.

``FACEWIRE_STILLS=folder`` keeps the pictures of the window.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import blenders
import numpy as np
import pytest
from blender_addon_served import TOKEN, served
from PIL import Image

KEPT = os.environ.get("FACEWIRE_STILLS")
WIDTH, HEIGHT = 1500, 1000
BEGIN = """
import json, os, sys, traceback
sys.path.insert(0, {folder!r})
import bpy
bpy.context.preferences.view.show_splash = False
import facewire_blender
facewire_blender.register()
server, token, mute, out = {args!r}
def tell(**values):
    print({mark!r} + json.dumps(values), flush=True)
"""
SCENE = """
from facewire_blender import markers, resolve, takes
manager = bpy.context.window_manager

def area(kind):
    return next(a for a in manager.windows[0].screen.areas if a.ui_type == kind)

def within(kind="VIEW_3D"):
    window, place = manager.windows[0], area(kind)
    region = next(r for r in place.regions if r.type == "WINDOW")
    return bpy.context.temp_override(
        window=window, screen=window.screen, area=place, region=region, scene=window.scene)

def mouse(x, y, *events):
    window = manager.windows[0]
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=int(x), y=int(y))
    for event in events:
        window.event_simulate(type="LEFTMOUSE", value=event, x=int(x), y=int(y))

def picture(name):
    with within():
        bpy.ops.screen.screenshot(filepath=f"{out}/{name}.png")

def marks():
    return sorted(map(str, takes.get("Facewire Demo").marks))

def move(by):
    with within():
        bpy.ops.ed.undo_push(message="before")
        marker = next(m for m in bpy.context.scene.timeline_markers if m.name == "/m/")
        marker.frame += by
        bpy.context.scene.facewire_speech.token = token
        return list(bpy.ops.facewire.resolve("INVOKE_DEFAULT"))

def raised(by):  # the area below the 3D view becomes higher, by its edge
    edge = area("VIEW_3D").y - 1
    mouse(600, edge, "PRESS")
    for k in range(10):
        mouse(600, edge + by * k / 9)
        yield 0.05
    mouse(600, edge + by, "RELEASE")
    yield 1
    mouse(600, edge + by + 250)

def settled():  # panels slide open
    for k in range(8):
        for place in manager.windows[0].screen.areas:
            place.tag_redraw()
        mouse(500 + 10 * k, 600)
        yield 0.25

def play():
    bpy.ops.facewire.demo()
    yield 1
    scene = manager.windows[0].scene
    for each in scene.objects:
        each.select_set(each.type == "MESH")
    manager.windows[0].view_layer.objects.active = scene.objects["face"]
    view = area("VIEW_3D")
    view.spaces.active.show_region_ui = True
    scene.frame_set(150)
    yield 1
    yield from raised(130)
    side = next(r for r in view.regions if r.type == "UI")
    mouse(side.x + side.width - 14, side.y + side.height - 170, "PRESS", "RELEASE")  # the tab
    yield 1
    with within("TIMELINE"):
        bpy.ops.action.view_all()
    yield 1
    picture("panel")
    top = view.y + view.height
    mouse(1090, top - 467, "PRESS", "RELEASE")  # Words and Phones
    scene.facewire_markers.kinds, scene.facewire_markers.near = "PHONES", True
    scene.facewire_markers.seconds = 1.2
    scene.frame_set(110)
    with within():
        bpy.ops.facewire.show_markers()
    with within("TIMELINE"):
        bpy.ops.action.view_frame()
        for _ in range(9):
            bpy.ops.view2d.zoom_in(zoomfacx=0.3, zoomfacy=0)
    yield from settled()
    picture("markers")
    before = marks()
    scene.facewire_speech.server = server
    result = move(2)
    for _ in range(100):
        if not resolve.FACEWIRE_OT_resolve._busy:
            break
        yield 0.1
    solved = marks()
    with within():
        bpy.ops.ed.undo()
    yield 1
    tell(what="solved", result=result, solved=solved != before, undone=marks() == before)
    manager.windows[0].scene.facewire_speech.server = mute
    result = move(3)
    yield 1
    waits = resolve.FACEWIRE_OT_resolve._busy
    for value in ("PRESS", "RELEASE"):
        manager.windows[0].event_simulate(type="ESC", value=value, x=600, y=600)
    yield 1
    tell(what="cancelled", waits=waits, over=not resolve.FACEWIRE_OT_resolve._busy,
         same=marks() == before)
    with within():
        bpy.ops.facewire.reset_markers()
    mouse(1090, top - 467, "PRESS", "RELEASE")
    yield from settled()
    mouse(1090, top - 493, "PRESS", "RELEASE")  # Faces
    manager.windows[0].scene.facewire_poses.face = "joy L5"
    yield from settled()
    with within():
        bpy.ops.facewire.pose_library()
    area("TIMELINE").ui_type = "ASSETS"
    yield 1
    assets = area("ASSETS").spaces.active
    assets.params.asset_library_ref = "LOCAL"
    yield 1
    assets.activate_asset_by_id(bpy.data.actions["joy L5"])
    yield 1
    key = manager.windows[0].scene.objects["face"].data.shape_keys.key_blocks["mouthSmileLeft"]
    with within("ASSETS"):
        result = list(bpy.ops.facewire.apply_face_asset("INVOKE_DEFAULT"))
    tell(what="asset", result=result, smile=key.value)
    yield from raised(120)
    yield from settled()
    picture("faces")

course = play()
def step():
    try:
        return next(course)
    except StopIteration:
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
bpy.app.timers.register(step, first_interval=2)
"""


@contextmanager
def screen() -> Iterator[str]:
    """Run a virtual screen while the block runs; give its display."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is missing: apt-get install xvfb")
    read, write = os.pipe()
    size = f"{WIDTH}x{HEIGHT}x24"
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        try:
            if not number:
                pytest.skip("Xvfb does not start here")
            yield f":{number}"
        finally:
            server.terminate()


def shown(script: str, folder: Path, *args: str) -> list[Any]:
    """Run a script in a Blender with a window; return what it told."""
    file = folder / "script.py"
    begin = BEGIN.format(folder=str(blenders.ADDON), args=args, mark=blenders.MARK)
    file.write_text(begin + script, "utf-8")
    command = [blenders.program().path, "--factory-startup", "-noaudio"]
    place = ["--enable-event-simulate", "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)]
    with screen() as display:
        done = subprocess.run(
            [*command, *place, "--python", str(file)], capture_output=True, text=True, timeout=240,
            env={**blenders.environment(str(folder)), "DISPLAY": display,
                 "LIBGL_ALWAYS_SOFTWARE": "1"},
        )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith(blenders.MARK)]
    return [json.loads(line[len(blenders.MARK) :]) for line in lines]


@pytest.mark.slow
@pytest.mark.external
def test_an_animators_window(tmp_path: Path) -> None:
    out = Path(KEPT).resolve() if KEPT else tmp_path
    out.mkdir(exist_ok=True)
    with served(tmp_path) as server, socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}"
        solved, cancelled, asset = shown(SCENE, tmp_path, server, TOKEN, silent, str(out))
    assert solved == {
        "what": "solved", "result": ["RUNNING_MODAL"], "solved": True, "undone": True,
    }  # fmt: skip
    assert cancelled["waits"] and cancelled["over"] and cancelled["same"]
    assert asset["result"] == ["FINISHED"] and asset["smile"] == pytest.approx(0.92, abs=1e-4)
    pictures = [np.asarray(Image.open(out / f"{n}.png").convert("RGB"), np.float32)
                for n in ("panel", "markers", "faces")]  # fmt: skip
    for one, other in zip(pictures, pictures[1:] + pictures[:1], strict=True):
        assert (
            one.shape == (HEIGHT, WIDTH, 3) and (np.abs(one - other).max(axis=2) > 30).sum() > 999
        )
