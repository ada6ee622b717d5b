"""Live, speech and batch in a real Blender window, on a screen that nobody sees."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import blenders
import pytest
from server_parts import Served, light, serving
from test_blender_batch import write

pytestmark = [pytest.mark.external, pytest.mark.slow]

SCRIPT = """
import json, os, socket, sys, threading, time, traceback
import bpy
folder, server, out, port = sys.argv[sys.argv.index("--") + 1:]
sys.path.insert(0, folder)
import facewire_blender
for module in facewire_blender._modules():
    for each in module.CLASSES:  # open, and on the tab that is shown: so all panels are drawn
        if issubclass(each, bpy.types.Panel):
            each.bl_options = set()
            each.bl_category = "Item"
bpy.context.preferences.view.show_splash = False
facewire_blender.register()
from facewire_blender import live, speech, wire
mesh = bpy.data.meshes.new("Kopf")
mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
face = bpy.data.objects.new("Kopf", mesh)
scene = bpy.context.scene
scene.collection.objects.link(face)
for key in ("Basis", "jawOpen", "mouthClose"):
    face.shape_key_add(name=key)
for each in bpy.context.selected_objects:
    each.select_set(False)
face.select_set(True)
bpy.context.view_layer.objects.active = face
view = [a for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D"][0]
view.spaces[0].show_region_ui = True
scene.facewire_live.port = int(port)
scene.facewire_speech.text, scene.facewire_speech.server = "Mama, papa.", server
scene.facewire_batch.path = os.path.join(out, "takes")
told = {}
def inside():
    window = bpy.context.window_manager.windows[0]
    region = [r for r in view.regions if r.type == "WINDOW"][0]
    return bpy.context.temp_override(window=window, area=view, region=region)
def send():
    sender, row = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), [0.0] * 61
    row[wire.CHANNELS.index("jawOpen")] = 0.5
    for k in range(100000):
        packet = wire.Packet("id", "Ada", k, 0.0, 60, 1, tuple(row))
        sender.sendto(wire.pack(packet), ("127.0.0.1", int(port)))
        time.sleep(1 / 60)
def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(true.__code__.co_firstlineno)
        yield 0.02
def steps():
    yield 1.0
    with inside():
        bpy.ops.facewire.live_start()
    threading.Thread(target=send, daemon=True).start()
    jaw = face.data.shape_keys.key_blocks["jawOpen"]
    yield from until(lambda: jaw.value == 0.5)
    with inside():
        bpy.ops.facewire.live_record()
    yield from until(lambda: live.link().receiver.record.seconds > 1)
    with inside():
        bpy.ops.facewire.live_record()
        bpy.ops.facewire.live_stop()
    told["live"] = [a.name for a in bpy.data.actions]
    with inside():
        told["speech"] = sorted(bpy.ops.facewire.speech("INVOKE_DEFAULT"))
    told["beats"] = 0
    for wait in until(lambda: speech.job() is None):
        told["beats"] += 1
        yield wait
    told["said"] = [a.name for a in bpy.data.actions]
    with inside():
        told["batch"] = sorted(bpy.ops.facewire.batch("INVOKE_DEFAULT"))
    yield from until(lambda: "Facewire Batch" in bpy.data.texts)
    told["baked"] = bpy.data.texts["Facewire Batch"].lines[0].body
    yield 0.5
going = steps()
def go():
    try:
        return next(going)
    except StopIteration:
        pass
    except BaseException:
        told["error"] = traceback.format_exc()
    with open(os.path.join(out, "told.json"), "w") as file:
        json.dump(told, file)
    sys.stderr.flush()
    os._exit(0)
bpy.app.timers.register(go, first_interval=1.0)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    profile = light(tmp_path_factory.mktemp("profiles"))
    with serving(profile=profile) as running:
        yield running


def test_a_window_stays_alive_and_draws_every_panel(served: Served, tmp_path: Path) -> None:
    """Real timers, real modal operators, and no panel whose drawing fails."""
    screen, blender = shutil.which("xvfb-run"), blenders.program()
    if screen is None:
        pytest.skip("xvfb-run is missing: install xvfb")
    (tmp_path / "takes").mkdir()
    for name in ("one", "two"):
        write(tmp_path / "takes", name)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        [
            screen, "-a", "-s", "-screen 0 1000x1900x24", blender.path, "--factory-startup",
            "-noaudio", "--window-geometry", "0", "0", "1000", "1900", "--python", str(script),
            "--", str(blenders.ADDON), served.url, str(tmp_path), port,
        ],
        env={**blenders.environment(str(tmp_path)), "LIBGL_ALWAYS_SOFTWARE": "1"},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    path = tmp_path / "told.json"
    if not path.exists() and "Unable to open a display" in done.stdout + done.stderr:
        pytest.skip("this Blender opens no window on Xvfb")
    assert path.exists(), (done.stdout + done.stderr)[-3000:]
    told = json.loads(path.read_text())
    assert "error" not in told, told
    assert told["live"] == ["live"] and told["speech"] == told["batch"] == ["RUNNING_MODAL"]
    assert told["beats"] >= 1 and "Mama papa" in told["said"]
    assert told["baked"] == "2 of 2 takes baked"
    assert "Traceback" not in done.stdout + done.stderr, (done.stdout + done.stderr)[-3000:]
