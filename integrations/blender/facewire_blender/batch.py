"""Bake many: the takes of a folder or manifest become Actions, with a report.

On a render farm: ``blender -b file.blend --addons facewire_blender --python-exit-code 1
--python-expr "import bpy; bpy.ops.facewire.batch(path='takes', save='baked.blend')"``.
"""
# No __future__ annotations: Blender reads the annotations of properties as objects.
# mypy: disable-error-code="valid-type,misc"

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import PointerProperty, StringProperty

from . import bake, listing, settings
from .errors import AddonError, cause, reports
from .listing import Item
from .match import match
from .registering import register_classes, unregister_classes

TEXT = "Facewire Batch"


@dataclass
class Outcome:
    """What became of one take: what the bake reports, or why there is none."""

    take: str
    clip: str
    error: str = ""
    start: int = 0
    frames: int = 0
    actions: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """One line of the report."""
        if self.error:
            return f"{self.take}: failed: {self.error}"
        lacks = f", not found: {', '.join(self.missing)}" if self.missing else ""
        return f"{self.take}: {self.frames} frames{lacks}"


class Batch:
    """Takes that are baked one after the other; ``step`` does the next.

    Every take leaves Actions of its own, kept by a fake user; the last one stays on the face. A
    take that cannot be baked is noted, and the others go on.
    """

    def __init__(self, items: Sequence[Item], names: Sequence[str], options: Any) -> None:
        self.items, self.names, self.options = items, names, options
        self.outcomes: list[Outcome] = []

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return len(self.outcomes) >= len(self.items)

    @property
    def failed(self) -> int:
        """How many takes could not be baked."""
        return sum(bool(each.error) for each in self.outcomes)

    def step(self, context: Any) -> Outcome:
        """Bake the next take."""
        item = self.items[len(self.outcomes)]
        outcome = Outcome(item.name, str(item.path))
        try:
            self._bake(context, item, outcome)
        except AddonError as error:
            outcome.error = str(error)
        except OSError as error:
            outcome.error = f"{error.filename or item.path}: {cause(error)}"
        except Exception as error:  # a defect must not take the night's other takes with it
            outcome.error = f"unexpected {type(error).__name__}: {error}"
        self.outcomes.append(outcome)
        return outcome

    def _bake(self, context: Any, item: Item, outcome: Outcome) -> None:
        clip = item.read()
        meshes = _objects(item.objects or self.names)
        report = bake.bake(context, clip, meshes, item.changed(self.options))
        outcome.start, outcome.frames = report.start, report.frames
        outcome.actions, outcome.missing = report.actions, report.missing
        outcome.notes = report.notes

    def table(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        left = [item.name for item in self.items[len(self.outcomes) :]]
        return {
            "baked": len(self.outcomes) - self.failed,
            "failed": self.failed,
            "left": left,
            "takes": [vars(each) for each in self.outcomes],
        }

    def summary(self) -> str:
        """Return the report's first line."""
        lines = [f"{len(self.outcomes) - self.failed} of {len(self.items)} takes baked"]
        lines += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(lines)

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        return [self.summary(), *(each.line for each in self.outcomes)]


def _objects(names: Sequence[str]) -> list[Any]:
    missing = [name for name in names if name not in bpy.data.objects]
    if missing:
        known = ", ".join(each.name for each in bpy.data.objects if each.type == "MESH") or "none"
        raise AddonError(f"there is no mesh '{missing[0]}' (meshes: {known})")
    return [bpy.data.objects[name] for name in names]


def faces(context: Any) -> list[str]:
    """Return the meshes a batch is for: those chosen, else all with fitting shape keys.

    On a farm it is chance what a file has selected.
    """
    try:
        chosen = [each.name for each in settings.objects(context) if each.data.shape_keys]
    except AddonError:
        chosen = []
    found = chosen or [each.name for each in context.scene.objects if _fits(each)]
    if not found:
        raise AddonError("no mesh of the scene has shape keys with ARKit's names")
    return found


def _fits(each: Any) -> bool:
    keys = each.data.shape_keys if each.type == "MESH" else None
    return keys is not None and bool(match([block.name for block in keys.key_blocks]))


def prepared(context: Any, path: str) -> Batch:
    """Return the batch of a folder or manifest; AddonError where there is nothing to bake."""
    if not path:
        raise AddonError("choose a folder of takes, or a manifest")
    # the takes begin at the same frame: their sounds and markers would lie upon each other
    options = replace(settings.options(context), place="ACTION", markers="NONE", sound="")
    return Batch(listing.listed(_path(path)), faces(context), options)


def _path(path: str) -> Path:
    """Return a path as Blender writes it ("//" is beside the file) or as a shell does."""
    return Path(bpy.path.abspath(path)).absolute()


def write_report(batch: Batch, path: str) -> None:
    """Put the report into a text of the file, and as JSON at a path if there is one."""
    text = bpy.data.texts.get(TEXT) or bpy.data.texts.new(TEXT)
    text.clear()
    text.write("\n".join(batch.lines()) + "\n")
    if path:
        target = _path(path)
        part = target.with_name(f".{target.name[:40]}.{os.getpid()}.part")
        try:
            part.write_text(json.dumps(batch.table(), ensure_ascii=False, indent=1), "utf-8")
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


class FacewireBatch(bpy.types.PropertyGroup):
    """What the panel Bake Many holds."""

    path: StringProperty(
        name="Takes",
        subtype="FILE_PATH",
        description="A folder of takes, or a manifest (.json, .jsonl, bake.jsonl of facewire bake)",
    )
    report: StringProperty(
        name="Report", subtype="FILE_PATH", description="Also write the report here, as JSON"
    )


class FACEWIRE_OT_batch(bpy.types.Operator):
    """Bake all takes of a folder or manifest, an action each"""

    bl_idname = "facewire.batch"
    bl_label = "Bake Many"
    bl_options = {"REGISTER", "UNDO"}

    path: StringProperty(options={"SKIP_SAVE"})
    report_path: StringProperty(options={"SKIP_SAVE"})
    save: StringProperty(
        options={"SKIP_SAVE"}, description="Save the file here when all takes are done"
    )

    _batch: Any = None
    _timer: Any = None

    def _prepared(self, context: Any) -> Batch:
        chosen = context.scene.facewire_batch
        self.path, self.report_path = self.path or chosen.path, self.report_path or chosen.report
        return prepared(context, self.path)

    @reports
    def execute(self, context: Any) -> set[str]:
        """Bake all at once: for scripts and farms."""
        batch = self._prepared(context)
        began = time.monotonic()
        for line in _all(batch, context):
            print(f"facewire: {line}", flush=True)  # a farm's log
        print(f"facewire: {time.monotonic() - began:.1f} s", flush=True)
        return self._finished(batch)

    @reports
    def invoke(self, context: Any, event: Any) -> set[str]:
        """Bake one take at a time, with the window alive between them."""
        self._batch = self._prepared(context)
        manager = context.window_manager
        manager.progress_begin(0, len(self._batch.items))
        self._timer = manager.event_timer_add(0.01, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    @reports
    def modal(self, context: Any, event: Any) -> set[str]:
        """Bake the next; Esc stops after the one at hand."""
        batch = self._batch
        if event.type == "ESC" and event.value == "PRESS":
            self._end(context)
            self.report({"WARNING"}, f"stopped: {batch.summary()}")
            write_report(batch, self.report_path)
            return {"FINISHED"}  # what is baked stays, and undo takes it back
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        outcome = batch.step(context)
        context.window_manager.progress_update(len(batch.outcomes))
        context.workspace.status_text_set(f"{batch.summary()} ({outcome.take}); Esc stops")
        if not batch.done:
            return {"RUNNING_MODAL"}
        self._end(context)
        return self._finished(batch)

    def cancel(self, context: Any) -> None:
        """Be told that Blender ends it."""
        self._end(context)

    def _end(self, context: Any) -> None:
        manager = context.window_manager
        if self._timer is not None:
            manager.event_timer_remove(self._timer)
            manager.progress_end()
            context.workspace.status_text_set(None)
            self._timer = None

    def _finished(self, batch: Batch) -> set[str]:
        write_report(batch, self.report_path)
        if self.save:
            bpy.ops.wm.save_as_mainfile(filepath=str(_path(self.save)), copy=True)
        if batch.failed:
            first = next(each for each in batch.outcomes if each.error)
            self.report({"ERROR"}, f"{batch.summary()}: {first.take}: {first.error}")
        else:
            self.report({"INFO"}, batch.summary())
        return {"FINISHED"}


def _all(batch: Batch, context: Any) -> Iterator[str]:
    while not batch.done:
        outcome = batch.step(context)
        yield f"{len(batch.outcomes)} of {len(batch.items)}: {outcome.line}"


class FACEWIRE_PT_batch(bpy.types.Panel):
    """Bake Many in the sidebar."""

    bl_idname = "FACEWIRE_PT_batch"
    bl_label = "Bake Many"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 70
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw where the takes are, and the button."""
        layout, chosen = self.layout, context.scene.facewire_batch
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.prop(chosen, "path")
        layout.prop(chosen, "report")
        layout.operator("facewire.batch", icon="RENDER_ANIMATION")
        if TEXT in bpy.data.texts:
            layout.label(text=bpy.data.texts[TEXT].lines[0].body)


CLASSES = (FacewireBatch, FACEWIRE_OT_batch, FACEWIRE_PT_batch)


def register() -> None:
    """Add the panel and its operator."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire_batch = PointerProperty(type=FacewireBatch)


def unregister() -> None:
    """Take them away."""
    del bpy.types.Scene.facewire_batch
    unregister_classes(CLASSES)
