# mypy: ignore-errors
"""Runs inside Blender: a mesh comes in, the add-on bakes the clip, files go out.

A process of its own; the engine never imports this. What happens is told in one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import traceback
from fractions import Fraction

TOLD = "facewire-told:"
ADDONS = ("bl_ext.user_default.facewire_blender", "facewire_blender")


class Told(Exception):
    """One line for the person who asked."""


def main(path: str) -> dict:
    """Do the job in a file."""
    import bpy

    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    _load_mesh(bpy, job["mesh"])
    addon = _addon(job["addon"])
    if job["fps"]:
        _set_rate(bpy.context.scene, Fraction(*job["fps"]))
    objects = _objects(bpy, addon, job["objects"])
    folder = job["sound"]
    there = set(os.listdir(folder)) if folder else set()
    clip = _clip(addon, job)
    turn = addon("options").Turn
    turns = {part: turn(*name.split(":", 1)) for part, name in job["turns"].items()}
    options = addon("options").Options(keys=job["keys"], sound=clip.sound, markers="WORDS", **turns)
    try:
        report = addon("bake").bake(bpy.context, clip, objects, options)
        _write(bpy, job["outputs"], report)
    except Exception:
        path, name = os.path.split(clip.sound)
        if path == folder and name not in there:
            os.unlink(clip.sound)  # it came out of the package for this
        raise
    return {"lines": report.lines()}


def _addon(folder: str):
    """Return what imports a module of the add-on: from its folder, or as it is installed."""
    import addon_utils

    if folder:
        sys.path.insert(0, folder)
        name = "facewire_blender"
        importlib.import_module(name).register()
    else:
        enabled = (name for name in ADDONS if addon_utils.enable(name) is not None)
        name = next(enabled, None)
    module = sys.modules.get(name or "")
    if module is None or not hasattr(module, "register"):
        raise Told(
            "the Facewire add-on is not installed in this Blender; install it there, "
            "or give its folder as --addon"
        )
    return lambda part: importlib.import_module(f"{name}.{part}")


def _load_mesh(bpy, path: str) -> None:
    kind = os.path.splitext(path)[1].lower()
    try:
        if kind == ".blend":
            bpy.ops.wm.open_mainfile(filepath=path)
            return
        bpy.ops.wm.read_factory_settings(use_empty=True)
        if kind == ".fbx":
            bpy.ops.import_scene.fbx(filepath=path)
        else:
            _mend_numpy()
            bpy.ops.import_scene.gltf(filepath=path)
    except RuntimeError as error:
        raise Told(f"{os.path.basename(path)}: cannot be read: {_line(error)}") from error
    for action in list(bpy.data.actions):  # what the file brings would play along
        bpy.data.actions.remove(action)


def _mend_numpy() -> None:
    """Give numpy back the names that Blender 3.4's glTF uses and numpy 1.24 has dropped."""
    import numpy

    for name, kind in (("bool", bool), ("int", int), ("float", float), ("object", object)):
        if name not in vars(numpy):
            setattr(numpy, name, kind)


def _set_rate(scene, rate: Fraction) -> None:
    """Set the frame rate: 30 over 1.001 for 30000/1001, as Blender's presets do."""
    whole = round(rate)
    scene.render.fps = whole
    scene.render.fps_base = float(whole / rate)


def _clip(addon, job: dict):
    if job["clip"].lower().endswith(".facewire"):
        return addon("package").read(job["clip"], job["sound"])
    return addon("clip").read(job["clip"])


def _objects(bpy, addon, names: list) -> list:
    """Return the meshes named; else all that have shape keys of ARKit's names."""
    meshes = [each for each in bpy.context.scene.objects if each.type == "MESH"]
    if names:
        found = {each.name: each for each in meshes}
        missing = [name for name in names if name not in found]
        if missing:
            known = ", ".join(sorted(found)) or "none"
            raise Told(f"--object '{missing[0]}': there is no such mesh (meshes: {known})")
        return [found[name] for name in names]
    match = addon("match").match
    keyed = [each for each in meshes if each.data.shape_keys]
    fitting = [each for each in keyed if match([k.name for k in each.data.shape_keys.key_blocks])]
    if not fitting:
        raise Told("no mesh of the file has shape keys with ARKit's names")
    return fitting


def _write(bpy, outputs: dict, report) -> None:
    scene = bpy.context.scene
    scene.frame_start = report.start
    scene.frame_end = report.start + max(1, report.frames) - 1
    scene.frame_set(report.start)
    # the .glb comes last: for it, keys may be moved
    for kind, export in (("blend", _write_blend), ("fbx", _write_fbx), ("glb", _write_glb)):
        if kind not in outputs:
            continue
        try:
            export(bpy, outputs[kind])
        except RuntimeError as error:
            raise Told(f"{kind} cannot be written: {_line(error)}") from error


def _write_blend(bpy, path: str) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True, relative_remap=True)


def _write_glb(bpy, path: str) -> None:
    """Export what plays now, frame by frame: the exporter's default would leave Actions apart."""
    _mend_numpy()
    if "export_anim_slide_to_zero" not in bpy.ops.export_scene.gltf.get_rna_type().properties:
        _slide(bpy)
    _call(
        bpy.ops.export_scene.gltf,
        filepath=path,
        export_format="GLB",
        export_animations=True,
        export_morph=True,
        export_morph_normal=False,
        export_morph_animation=True,
        export_force_sampling=True,
        export_frame_range=True,
        export_nla_strips=False,
        export_animation_mode="ACTIVE_ACTIONS",
        export_optimize_animation_size=False,
        export_anim_slide_to_zero=True,
    )


def _slide(bpy) -> None:
    """Let the animation begin at second 0, with the sound: before 4.0 the exporter does not."""
    scene = bpy.context.scene
    for action in bpy.data.actions:
        for curve in action.fcurves:
            for point in curve.keyframe_points:
                for place in (point.co, point.handle_left, point.handle_right):
                    place.x -= scene.frame_start
    scene.frame_start, scene.frame_end = 0, scene.frame_end - scene.frame_start
    scene.frame_set(0)


def _write_fbx(bpy, path: str) -> None:
    """Export the scene's animation: with all Actions or NLA strips the shape keys' is lost."""
    _call(
        bpy.ops.export_scene.fbx,
        filepath=path,
        bake_anim=True,
        bake_anim_use_all_bones=True,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        add_leaf_bones=False,
    )


def _call(operator, **options) -> None:
    """Call an operator with those of the options that this Blender has."""
    known = operator.get_rna_type().properties.keys()
    operator(**{name: value for name, value in options.items() if name in known})


def _line(error: BaseException) -> str:
    """Return what matters of an error; an operator's holds a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if re.match(r"[A-Z]\w*(Error|Exception): ", line)]
    return (causes or lines or [type(error).__name__])[-1]


def run(path: str) -> int:
    """Run the job and tell how it went; return the exit status."""
    try:
        answer, code = main(path), 0
    except Exception as error:
        known = isinstance(error, Told) or type(error).__name__ == "AddonError"
        if not known:
            traceback.print_exc()
        answer = {"error": _line(error) if known else f"{type(error).__name__}: {_line(error)}"}
        code = 2 if known else 1
    print("\n" + TOLD + json.dumps(answer), flush=True)  # Blender may have left a line open
    return code


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path != here]  # the engine's modules are not meant
    status = run(sys.argv[sys.argv.index("--") + 1])
    sys.stderr.flush()
    os._exit(status)  # bpy as a module may crash while Python shuts down
