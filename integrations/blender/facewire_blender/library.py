"""Faces as Actions in the asset browser, and such an Action put onto a face.

Blender's own pose library poses bones. A face whose shape keys are driven by bones or by properties
of the rig gets Actions that it applies as any pose. Shape keys are no bones: for them the Actions
hold the keys' values, and Facewire applies them.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import bpy

from . import actions, drive
from .errors import AddonError
from .faces import Track
from .presets import Preset

CATALOG = "6d0f3a52-4a5b-4c63-9a0e-facef1e00047"
CATALOG_FILE = "blender_assets.cats.txt"
TAG = "facewire"
FACE = "facewire_face"  # on an Action: the title of the face that it holds
Place = tuple[bpy.types.ID, str, int, float]
"""A property and the value it goes to."""
_HEADER = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n\n"


def make(face: drive.Face, presets: Iterable[Preset]) -> list[bpy.types.Action]:
    """Return an Action for each face, marked as an asset; those made before are replaced.

    One Action holds all where an Action has slots; before 4.4, a second one holds the shape keys of
    a rig that has both bones and keys.
    """
    planned = [
        (f"{preset.title}{name}", preset, tracks)
        for preset in presets
        for name, tracks in _parts(face.tracks(preset.values())).items()
    ]
    for title, _, _ in planned:
        _check(title)
    return [_action(*each) for each in planned]


def _check(title: str) -> None:
    """Raise AddonError where an Action of that name is not ours, or is used somewhere."""
    action = bpy.data.actions.get(title)
    if action is None:
        return
    if FACE not in action:
        raise AddonError(
            f"an action '{title}' is already there and is none of Facewire's faces; rename it"
        )
    if action.users > action.use_fake_user:
        raise AddonError(f"the face '{title}' is used as an action or a strip; rename that action")


def _parts(tracks: Sequence[Track]) -> dict[str, list[Track]]:
    """Return what goes into which Action: bones and objects before shape keys."""
    keys = [track for track in tracks if isinstance(track.id, bpy.types.Key)]
    rest = [track for track in tracks if not isinstance(track.id, bpy.types.Key)]
    if actions.SLOTS or not keys or not rest:
        return {"": [*rest, *keys]}
    return {"": rest, " (keys)": keys}


def _action(title: str, preset: Preset, tracks: Sequence[Track]) -> bpy.types.Action:
    before = bpy.data.actions.get(title)
    if before is not None:
        bpy.data.actions.remove(before)
    action = bpy.data.actions.new(title)
    action[FACE] = preset.title
    owners: dict[str, bpy.types.ID] = {}
    for track in tracks:
        kind = track.id.rna_type.identifier
        owner = owners.setdefault(kind, track.id)  # one slot a kind: all meshes of a face share it
        curve = actions.curve(action, owner, track.path, track.index, track.region.capitalize())
        actions.write(curve, [1.0], [track.values[0]], straight=True)
    if not actions.SLOTS:
        action.id_root = "KEY" if "Key" in owners else "OBJECT"
    _mark(action, preset)
    return action


def _mark(action: bpy.types.Action, preset: Preset) -> None:
    action.asset_mark()
    said = action.asset_data
    units = f" (FACS {preset.units})" if preset.units else ""
    said.description = f"{preset.title}{units}"
    said.catalog_id = CATALOG
    for tag in dict.fromkeys((TAG, preset.family)):
        said.tags.new(tag, skip_if_exists=True)
    with bpy.context.temp_override(id=action):
        bpy.ops.ed.lib_id_load_custom_preview(filepath=str(preset.picture))


def catalog(blend: Path) -> Path:
    """Name the faces' catalogue where Blender looks for it: beside the file, or above it.

    Nothing that another tool wrote there is lost.
    """
    above = [folder / CATALOG_FILE for folder in blend.parents]
    file = next((each for each in above if each.is_file()), blend.parent / CATALOG_FILE)
    text = file.read_text("utf-8") if file.is_file() else _HEADER
    if CATALOG not in text:
        end = "" if text.endswith("\n") else "\n"
        beside = file.with_name(f"{file.name}.part")
        beside.write_text(f"{text}{end}{CATALOG}:Facewire Faces:Facewire Faces\n", "utf-8")
        beside.replace(file)
    return file


def of_tracks(tracks: Iterable[Track]) -> list[Place]:
    """Return where a face's values go."""
    return [(track.id, track.path, track.index, track.values[0]) for track in tracks]


def of_action(action: bpy.types.Action, face: drive.Face, mouth: bool) -> list[Place]:
    """Return where an Action's values go on a face; AddonError if it fits nowhere there."""
    held = {
        (curve.data_path, curve.array_index): curve.evaluate(action.frame_range[0])
        for curve in actions.all_curves(action)
        if mouth or curve.group is None or curve.group.name != "Lips"
    }
    everything = face.tracks(dict.fromkeys(sorted(face.channels), 0.0))
    found = [
        (track.id, track.path, track.index, held[track.path, track.index])
        for track in everything
        if (track.path, track.index) in held
    ]
    if not found:
        raise AddonError(f"'{action.name}' moves nothing of this face; make its own pose library")
    return found


def blend(places: Iterable[Place], strength: float) -> None:
    """Move properties towards values: at ``strength`` 0 not at all, at 1 all the way."""
    for block, path, index, value in places:
        now = _value(block, path, index)
        drive.put(block, path, index, now + strength * (value - now))


def _value(block: bpy.types.ID, path: str, index: int) -> float:
    found = block.path_resolve(path)
    return float(found[index] if hasattr(found, "__len__") else found)
