"""Make what the add-on carries in ``data/`` from Facewire's own: ``python make_data.py``.

Writes the authored faces, their thumbnails and the head; with ``--demo`` the demo's clip and sound
too (they need facewire-espeak, facewire-phonemes, facewire-v3 and facewire-idle).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib.resources import files
from math import degrees
from pathlib import Path
from typing import Any

import numpy as np
from facewire.rig import Rig
from facewire_v3.preset_file import Preset
from facewire_v3.presets import presets
from facewire_v3.tables import CHANNELS

DATA = Path(__file__).parent / "facewire_blender/data"
TEXT = (
    "[joy:60] Hello, I am Ada. Press play, and I talk! [neutral] My mouth, my brows and my eyes "
    "[joy:60] are all yours to move."
)
FPS = 30
SIDE = 128  # pixels of a thumbnail
PROFILE = """extends: default
fps: {fps}
sinks:
  - {{use: files.json, path: "{{out}}/demo.json"}}
  - {{use: files.wav, path: "{{out}}/demo.wav"}}
"""


def faces() -> dict[str, Any]:
    """Return the authored faces as the add-on reads them; angles in degrees."""
    return {"faces": [_face(preset) for preset in presets()]}


def _face(preset: Preset) -> dict[str, Any]:
    values = zip(CHANNELS, preset.face.tolist(), strict=True)
    return {
        "title": preset.title,
        "picture": f"{_slug(preset.title)}.jpg",
        "family": preset.family,
        "level": preset.level,
        "units": preset.units,
        "head": [round(degrees(angle), 4) for angle in preset.head],
        "channels": {name: round(value, 4) for name, value in values if value},
    }


def text(data: dict[str, Any]) -> str:
    """Return JSON with a face a line."""
    rows = ",\n".join(json.dumps(face) for face in data["faces"])
    return f'{{"faces": [\n{rows}\n]}}\n'


def thumbnails(folder: Path) -> None:
    """Draw each face on Facewire's head."""
    from facewire_preview.render import Renderer
    from PIL import Image

    renderer, rig = Renderer(), Rig.named("arkit61")
    folder.mkdir(exist_ok=True)
    for preset in presets():
        values = np.zeros(len(rig), np.float32)
        values[: len(CHANNELS)] = preset.face
        values[rig.indices("headYaw", "headPitch", "headRoll")] = preset.head
        picture = Image.fromarray(renderer.picture(values, rig, SIDE))
        picture.save(folder / f"{_slug(preset.title)}.jpg", quality=88)


def _slug(title: str) -> str:
    return title.lower().replace(" ", "_")


def demo() -> None:
    """Speak and animate the demo's sentence, numbers rounded to four decimals."""
    import facewire
    from facewire.profile import load_profile

    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "demo.yaml"
        profile.write_text(PROFILE.format(fps=FPS), "utf-8")
        clip = facewire.animate(text=TEXT, profile=load_profile(profile))
        clip.save(Path(folder) / "demo.json")
        clip.save(DATA / "demo.wav")
        found = json.loads((Path(folder) / "demo.json").read_text("utf-8"))
    kept = {key: found[key] for key in ("fps", "fps_fraction", "start", "channels")}
    marks = [{k: _short(v) for k, v in mark.items()} for mark in found["marks"]]
    rows = [json.dumps([_short(value) for value in row]) for row in found["values"]]
    head = json.dumps({**kept, "marks": marks})[:-1]
    whole = ",\n".join(rows)
    (DATA / "demo.json").write_text(f'{head},\n"values": [\n{whole}\n]}}\n', "utf-8")


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    (DATA / "presets.json").write_text(text(faces()), "utf-8")
    thumbnails(DATA / "presets")
    shutil.copyfile(str(files("facewire_preview").joinpath("data/head.glb")), DATA / "head.glb")
    if "--demo" in sys.argv[1:]:
        demo()
