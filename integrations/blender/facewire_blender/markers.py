"""Words and phones of a take as timeline markers, and what the animator made of them.

One take at a time has markers. The scene remembers which marks were placed where (Blender 5.0 keeps
nothing on a marker), and for takes whose markers were taken away again, how they had been moved.
"""
# No __future__ annotations: Blender reads those of properties as objects. Docstrings of operators
# are tips, to which Blender adds the full stop; its flags are sets on the class.
# mypy: disable-error-code="import-not-found,misc,valid-type"

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty

from . import marking, takes
from .clip import Mark
from .errors import AddonError, reports
from .registering import register_classes, unregister_classes

STATE, MOVED = "facewire_shown_marks", "facewire_moved_marks"  # on the scene
MOST = 500
"""Markers at once: more make Blender's timeline slow and unreadable."""
KINDS = {
    "WORDS": ("word", "sound"),
    "PHONES": ("phone",),
    "BOTH": ("word", "sound", "phone"),
}


def place(
    context: Any, take: str, start: int, fps: Fraction, marks: Sequence[Mark], kinds: str
) -> int:
    """Put a take's markers into the timeline instead of those that are there; return how many.

    ``start`` is the scene's frame of second 0. ``kinds`` is NONE, WORDS, PHONES or BOTH. Of more
    than 500 markers, those around the current frame are placed.
    """
    hide(context)
    if kinds == "NONE":
        return 0
    moved = _moved(context.scene)
    if moved.pop(take, None):  # the take is another one now
        context.scene[MOVED] = json.dumps(moved)
    return _put(context.scene, take, start, fps, marks, kinds, None)


def show(context: Any, take: Any, kinds: str, seconds: float | None) -> int:
    """Put a take's markers into the timeline, as they were moved; return how many.

    With ``seconds`` only those that near to the current frame; never more than 500.
    """
    hide(context)
    marks = edited(context, take)
    return _put(context.scene, take.name, _start(take), take.fps, marks, kinds, seconds)


def _start(take: Any) -> int:
    """Return the scene's frame of a take's second 0: its NLA strip may have been moved."""
    blocks = [block for mesh in take.meshes for block in takes.blocks(mesh)]
    return int(take.start + next(filter(None, (takes.shift(b, take.name) for b in blocks)), 0))


def _put(
    scene: Any,
    take: str,
    start: int,
    fps: Fraction,
    marks: Sequence[Mark],
    kinds: str,
    seconds: float | None,
) -> int:
    wanted = [mark for mark in marking.with_pauses(marks) if mark.kind in KINDS[kinds]]
    now = scene.frame_current
    rows = marking.placed(wanted, start, fps)
    if seconds is not None:
        rows = [row for row in rows if abs(row.frame - now) <= seconds * fps]
    near = sorted(rows, key=lambda row: abs(row.frame - now))[:MOST]
    shown = sorted(near, key=lambda row: (row.mark.start, row.mark.kind))
    own = [[each.name, each.frame] for each in scene.timeline_markers]
    for row in shown:
        scene.timeline_markers.new(marking.label(row.mark), frame=row.frame)
    state = {
        "take": take, "start": start, "fps": [fps.numerator, fps.denominator], "kinds": kinds,
        "seconds": seconds, "own": own, "rows": [[*_row(row.mark), row.frame] for row in shown],
    }  # fmt: skip
    scene[STATE] = json.dumps(state)
    return len(shown)


def hide(context: Any) -> None:
    """Take our markers away, and remember how they had been moved; the animator's own stay."""
    scene = context.scene
    state = _state(scene)
    if state is not None:
        found = [take for take in _known() if take.name == state["take"]]
        if found:
            remember(scene, found[0], edited(context, found[0]))
        _clear(scene, state)


def _clear(scene: Any, state: Any) -> None:
    for marker in _ours(scene, state):
        scene.timeline_markers.remove(marker)
    del scene[STATE]


def _ours(scene: Any, state: Any) -> list[Any]:
    """Return the markers that are words and phones, without those named so that were there."""
    own = Counter((name, frame) for name, frame in state["own"])
    found = []
    for marker in scene.timeline_markers:
        place = marker.name, marker.frame
        if own[place]:
            own[place] -= 1
        elif marking.read_label(marker.name):
            found.append(marker)
    return found


def _known() -> list[Any]:
    made = [takes.of(action) for action in bpy.data.actions]
    return [take for take in made if take is not None]


def edited(context: Any, take: Any) -> list[Mark]:
    """Return a take's marks as its markers say, those of the take itself where none moved."""
    kept = _moved(context.scene).get(take.name)
    marks = list(take.marks) if kept is None else [Mark(*row) for row in kept]
    state = _state(context.scene)
    if state is None or state["take"] != take.name:
        return marks
    shown = [marking.Placed(Mark(*row[:4]), row[4]) for row in state["rows"]]
    markers = [(each.name, each.frame) for each in _ours(context.scene, state)]
    fps = Fraction(*state["fps"])
    return marking.edited(marks, shown, markers, state["start"], fps)


def remember(scene: Any, take: Any, marks: Sequence[Mark]) -> None:
    """Keep the marks of a take that were moved and not yet solved."""
    kept = _moved(scene)
    kept.pop(take.name, None)
    if sorted(marks, key=_row) != sorted(take.marks, key=_row):
        kept[take.name] = [_row(mark) for mark in marks]
    scene[MOVED] = json.dumps(kept)


def solved(context: Any, take: Any) -> None:
    """Begin anew from a take's marks, since the mouth follows them now."""
    scene = context.scene
    state = _state(scene)
    kept = _moved(scene)
    kept.pop(take.name, None)
    scene[MOVED] = json.dumps(kept)
    if state is not None and state["take"] == take.name:
        _clear(scene, state)
        show(context, take, state["kinds"], state["seconds"])


def _row(mark: Mark) -> list[Any]:
    return [mark.kind, mark.text, mark.start, mark.end]


def _state(scene: Any) -> Any:
    return json.loads(scene[STATE]) if STATE in scene else None


def _moved(scene: Any) -> dict[str, Any]:
    return dict(json.loads(scene.get(MOVED, "{}")))


class FacewireMarkers(bpy.types.PropertyGroup):
    """Which markers the animator wants to see."""

    kinds: EnumProperty(
        name="Show",
        items=[
            ("WORDS", "Words", 'Words, in quotation marks: "hello"'),
            ("PHONES", "Phones", "Phones, between slashes: /m/; /_/ is a pause"),
            ("BOTH", "Both", "Words and phones"),
        ],
        default="BOTH",
    )
    near: BoolProperty(
        name="Near the playhead",
        description="Keep the timeline of a long take readable",
        default=False,
    )
    seconds: FloatProperty(
        name="Seconds", description="To each side of the playhead",
        default=5.0, min=0.5, max=60.0, subtype="TIME_ABSOLUTE",
    )  # fmt: skip


class FACEWIRE_OT_show_markers(bpy.types.Operator):
    """Put the take's words and phones into the timeline, where you can move them"""

    bl_idname = "facewire.show_markers"
    bl_label = "Show Markers"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Place the markers."""
        wanted = context.scene.facewire_markers
        take = takes.active(context)
        if not take.marks:
            raise AddonError(f"{take.name}: the take has no words or phones to show")
        count = show(context, take, wanted.kinds, wanted.seconds if wanted.near else None)
        if not count:
            raise AddonError(f"{take.name}: nothing is said here; move the playhead into the take")
        more = " (no more at once; move the playhead)" if count >= MOST else ""
        self.report({"INFO"}, f"{count} markers of '{take.name}'{more}")
        return {"FINISHED"}


class FACEWIRE_OT_hide_markers(bpy.types.Operator):
    """Take words and phones out of the timeline; how you moved them is kept"""

    bl_idname = "facewire.hide_markers"
    bl_label = "Hide Markers"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Remove the markers."""
        hide(context)
        return {"FINISHED"}


class FACEWIRE_OT_reset_markers(bpy.types.Operator):
    """Put moved words and phones back to where the mouth has them"""

    bl_idname = "facewire.reset_markers"
    bl_label = "Put Markers Back"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Forget the moves."""
        solved(context, takes.active(context))
        return {"FINISHED"}


class FACEWIRE_PT_markers(bpy.types.Panel):
    """Markers in the sidebar."""

    bl_idname = "FACEWIRE_PT_markers"
    bl_label = "Words and Phones"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 30
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw the choices and the buttons."""
        layout, wanted = self.layout, context.scene.facewire_markers
        layout.row().prop(wanted, "kinds", expand=True)
        layout.prop(wanted, "near")
        if wanted.near:
            layout.prop(wanted, "seconds")
        row = layout.row(align=True)
        row.operator("facewire.show_markers")
        row.operator("facewire.hide_markers", text="Hide")
        layout.operator("facewire.reset_markers")


CLASSES = (
    FacewireMarkers,
    FACEWIRE_OT_show_markers,
    FACEWIRE_OT_hide_markers,
    FACEWIRE_OT_reset_markers,
    FACEWIRE_PT_markers,
)


def register() -> None:
    """Add the markers' settings and operators."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire_markers = PointerProperty(type=FacewireMarkers)


def unregister() -> None:
    """Take them away."""
    del bpy.types.Scene.facewire_markers
    unregister_classes(CLASSES)
