"""Bake a clip: a plan first, in which all that can fail fails, then keys, strips and sound."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import bpy

from . import actions, drive, drivers, faces, keying, markers, sounds, strips, takes
from .channels import ARKIT, SHAPES
from .clip import Clip
from .errors import AddonError
from .faces import Control, Face, Place, Track
from .holding import check, curves, holder, name_of
from .options import Options
from .report import Report, beyond, skipped
from .retime import retimed
from .stretch import heard, patch
from .takes import Take

__all__ = ["Report", "bake", "heard", "holder", "patch", "scene_rate"]


def scene_rate(scene: Any) -> Fraction:
    """Return the scene's frames a second, 24000/1001 for 24 over 1.001."""
    base = Fraction(scene.render.fps_base).limit_denominator(10000)
    return Fraction(scene.render.fps) / base


def bake(context: Any, clip: Clip, objects: Sequence[Any], options: Options) -> Report:
    """Bake a clip onto meshes (and bones) at the scene's rate; AddonError leaves all as it was.

    The same take again replaces its keys: strips, tweaks, and regions left out now stay.
    """
    scene = context.scene
    name = name_of(options.take or clip.name)
    start = scene.frame_start if options.start is None else options.start
    sounds.check(options.sound)
    face = faces.find(objects, options, _channels(clip))
    made = scaled(retimed(clip, scene_rate(scene)), options.strength)
    tracks = face.tracks(made, options.regions)
    if not tracks:
        raise AddonError(f"{clip.name}: nothing in it moves what is chosen here")
    check(tracks, name)
    keyed = {track.place for track in tracks}
    face.muted = [(held, c) for held, c in face.muted if (held, c.data_path, 0) in keyed]
    tracks = [_over(track, start, options) for track in tracks]
    at = keying.rows(made, tracks, options)
    rows = [row for row in face.rows if row.channel in clip.channels]
    report = Report(name, start, len(made), rows=rows, missing=faces.missing(face, clip))
    report.notes += [*clip.notes, *face.notes, *skipped(face), *beyond(tracks)]
    source = (clip.path, tuple(obj.name for obj in face.objects))
    take = Take(name, start, len(made), made.fps, made.marks, *source, options)

    def work() -> None:
        drivers.mute(face.muted)
        for turned in face.turned:
            turned.remember()
        held = curves(tracks, take)
        _rest([c for c in face.controls if c.region in options.regions], keyed, name)
        report.keys = keying.keyed(held, at, start, made, options)
        report.actions = _remember({track.id for track in tracks}, take)
        for block in dict.fromkeys(track.id for track in tracks):
            action = holder(name, block)
            report.notes += strips.place(block, action, options.place, start)
        _around(context, take, options)

    _undone(work, face)
    return report


def _channels(clip: Clip) -> tuple[str, ...]:
    """Return what shape keys may stand for: ARKit's, and others that the clip has (visemes)."""
    return (*SHAPES, *(name for name in clip.channels if name not in {*SHAPES, *ARKIT}))


def scaled(clip: Clip, strength: float) -> Clip:
    """Return a clip whose channels go further or less far."""
    if strength == 1.0:
        return clip
    columns = tuple(array("f", [strength * v for v in column]) for column in clip.columns)
    return replace(clip, columns=columns)


def _remember(blocks: set[bpy.types.ID], take: Take) -> list[str]:
    """Write the take on its Actions; a bake of some regions keeps the objects of the others."""
    held = [action for action in takes.find(take.name)]
    before = [takes.of(action) for action in held]
    objects = dict.fromkeys(name for was in before if was for name in was.objects)
    take = replace(
        take,
        objects=tuple({**objects, **dict.fromkeys(take.objects)}),
        options=_joined(take.options, [was.options for was in before if was]),
    )
    for action in held:
        takes.write(action, take, takes.owner(action))
    return [action.name for action in held]


def _joined(now: Options, before: Sequence[Options]) -> Options:
    """Return the last bake's options, with the regions, head and eyes of those before it."""
    for was in before:
        now = replace(
            now,
            regions=now.regions | was.regions,
            head=now.head or was.head,
            left_eye=now.left_eye or was.left_eye,
            right_eye=now.right_eye or was.right_eye,
        )
    return now


def _over(track: Track, start: int, options: Options) -> Track:
    """Return a track that takes over from what is there, and gives back."""
    if not options.blend_in and not options.blend_out:
        return track
    count = len(track.values)
    weights = keying.ramp(count, options.blend_in, options.blend_out)
    beneath = [
        value if weight == 1.0 else strips.under(*track.place, start + row, track.rest)
        for row, (value, weight) in enumerate(zip(track.values, weights, strict=True))
    ]
    return replace(track, values=keying.blended(track.values, beneath, weights))


def _rest(controls: Sequence[Control], keyed: set[Place], name: str) -> None:
    """Put to rest what a bake before this one keyed, and this clip has no channel for."""
    for control in controls:
        place = control.id, control.path, control.index
        action = None if place in keyed else holder(name, control.id)
        curve = action and actions.find(action, *place)
        if curve:
            actions.curves(action, control.id).remove(curve)
            drive.put(*place, control.pulls[0][1].rest)


def _around(context: Any, take: Take, options: Options) -> None:
    """Set what goes with a take: sound, the scene's end, markers."""
    scene = context.scene
    if options.sound:
        sounds.place(scene, options.sound, take.name, take.start)
    if options.set_end:
        last = take.start + take.frames - 1
        scene.frame_end = last if takes.names() == [take.name] else max(scene.frame_end, last)
    if options.markers != "NONE" and take.marks:
        markers.place(context, take.name, take.start, take.fps, take.marks, options.markers)


def _undone(work: Callable[[], None], face: Face) -> None:
    """Do the work; if it breaks, take back the Actions it made and the drivers it muted."""
    before = set(bpy.data.actions)
    active = {
        block: block.animation_data.action
        for control in face.controls
        if (block := control.id).animation_data
    }
    try:
        work()
    except Exception:
        for _, curve in face.muted:
            curve.mute = False
        for action in set(bpy.data.actions) - before:
            bpy.data.actions.remove(action)
        for block, action in active.items():
            if action and block.animation_data.action != action:
                actions.assign(block, action)
        raise
