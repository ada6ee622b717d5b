"""Re-solve: the mouth follows words and phones that were moved, by a running ``facewire serve``."""
# No __future__ annotations: Blender reads those of properties as objects. Docstrings of operators
# are tips, to which Blender adds the full stop; its flags are sets on the class.
# mypy: disable-error-code="import-not-found,misc,valid-type"

import time
from collections import Counter
from typing import Any

import bpy
from bpy.props import FloatProperty, PointerProperty

from . import bake, markers, marking, takes
from .asking import Question, check_allowed, token_for
from .channels import SHAPES
from .clip import Mark
from .errors import AddonError, reports
from .registering import register_classes, unregister_classes
from .solving import LONGEST, REACH, Stretch

ROUTE = "/v1/resolve"
_STEP = 0.1  # seconds between two looks for the answer
MOUTH = tuple(name for name in SHAPES if name.startswith(("jaw", "mouth", "tongue")))


def apply(context: Any, take: Any, stretch: Stretch, answer: Any) -> None:
    """Put a solved stretch into a take's curves; tweaks on strips above are not touched."""
    begin, end = (float(row / stretch.fps) for row in (stretch.begin, stretch.end - 1))
    old = bake.heard(context, take.name, MOUTH, begin, end)
    if not old.channels:
        raise AddonError(f"{take.name}: the take has no curves of a mouth; bake it again")
    made = stretch.clip(answer, old, take.options.strength)
    bake.patch(context, take.name, made, begin, end)


def plan(context: Any) -> tuple[Any, list[Mark], list[Stretch]]:
    """Return the take, its marks as the markers are, and what must be solved."""
    take = takes.active(context)
    now = markers.edited(context, take)
    stretches = [
        Stretch.around(part, take.frames, take.fps)
        for part in marking.changes(take.marks, now, REACH, LONGEST)
    ]
    return take, now, [stretch for stretch in stretches if stretch is not None]


class FacewireResolve(bpy.types.PropertyGroup):
    """How long is waited; the server is the one of the panel Speech."""

    timeout: FloatProperty(
        name="Give up after", default=30.0, min=1.0, max=600.0, subtype="TIME_ABSOLUTE"
    )


def where(context: Any) -> tuple[str, str, float]:
    """Return the server, its token and the seconds it has; AddonError if Blender is offline."""
    said = context.scene.facewire_speech
    check_allowed(said.server, getattr(bpy.app, "online_access", True))
    token = token_for(said.server, said.token)
    return said.server, token, context.scene.facewire_resolve.timeout


class Run:
    """One Re-solve: its questions one after the other, then all answers at once."""

    def __init__(self, context: Any) -> None:
        self.take, self.now, self.stretches = plan(context)
        self._where, self._scene = where(context), context.scene.name
        self._answers: list[Any] = []
        self._question: Question | None = None

    @property
    def moved(self) -> bool:
        """Whether any mark is another than before."""
        return Counter(self.now) != Counter(self.take.marks)

    @property
    def share(self) -> float:
        """How much has been answered, 0 to 1."""
        return len(self._answers) / max(1, len(self.stretches))

    def step(self) -> bool:
        """Ask, or look for an answer; return whether all are there. AddonError if one fails."""
        if self._question is not None:
            if self._question.is_alive():
                return False
            self._answers.append(self._question.result())
            self._question = None
        if len(self._answers) == len(self.stretches):
            return True
        body = self.stretches[len(self._answers)].request(self.now, self.take.marks)
        server, token, timeout = self._where
        self._question = Question(server, ROUTE, body, token, timeout)
        self._question.start()
        return False

    def finish(self, context: Any) -> list[str]:
        """Write what was answered; return the server's notes."""
        take = takes.get(self.take.name)  # undo may have made another of it meanwhile
        if take.marks != self.take.marks or context.scene.name != self._scene:
            raise AddonError(f"{take.name}: the take has changed meanwhile; press Re-solve again")
        for stretch, answer in zip(self.stretches, self._answers, strict=True):
            apply(context, take, stretch, answer)
        takes.set_marks(take.name, tuple(self.now))
        markers.solved(context, takes.get(take.name))
        notes = [note for answer in self._answers for note in answer.get("notes", ())]
        return list(dict.fromkeys(map(str, notes)))


class FACEWIRE_OT_resolve(bpy.types.Operator):
    """Let the mouth follow the words and phones you moved; your tweaks stay"""

    bl_idname = "facewire.resolve"
    bl_label = "Re-solve"
    bl_options = {"REGISTER", "UNDO"}
    _busy = False

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Run one at a time."""
        return not FACEWIRE_OT_resolve._busy

    @reports
    def execute(self, context: Any) -> set[str]:
        """Ask and wait: for scripts, and for Blender without a window."""
        run = self._begun(context)
        if run is None:
            return {"CANCELLED"}
        while not run.step():
            time.sleep(_STEP / 10)
        return self._done(context, run)

    @reports
    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask, and go on working until the answer is there."""
        self._run = self._begun(context)
        if self._run is None:
            return {"CANCELLED"}
        self._run.step()
        FACEWIRE_OT_resolve._busy = True
        manager = context.window_manager
        self._timer = manager.event_timer_add(_STEP, window=context.window)
        manager.progress_begin(0.0, 1.0)
        context.workspace.status_text_set("Facewire solves the mouth. Esc: cancel")
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        """Look for the answer; everything else passes through."""
        if event.type == "ESC":
            self._over(context)
            self.report({"INFO"}, "cancelled: the mouth is as it was")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        return self._looked(context)

    def cancel(self, context: Any) -> None:
        """Stop with Blender."""
        self._over(context)

    def _looked(self, context: Any) -> set[str]:
        try:
            if not self._run.step():
                context.window_manager.progress_update(self._run.share)
                return {"RUNNING_MODAL"}
        except AddonError as error:
            self._over(context)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._over(context)
        return self._done(context, self._run)

    def _over(self, context: Any) -> None:
        FACEWIRE_OT_resolve._busy = False
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)

    def _begun(self, context: Any) -> Any:
        run = Run(context)
        if run.moved:
            return run
        self.report({"INFO"}, "no marker was moved: there is nothing to solve")
        return None

    @reports
    def _done(self, context: Any, run: Run) -> set[str]:
        for note in run.finish(context):
            self.report({"WARNING"}, note)
        seconds = sum((each.end - each.begin) / float(each.fps) for each in run.stretches)
        self.report({"INFO"}, f"solved {seconds:.1f} s of '{run.take.name}'")
        return {"FINISHED"}


class FACEWIRE_PT_resolve(bpy.types.Panel):
    """Re-solve in the sidebar."""

    bl_idname = "FACEWIRE_PT_resolve"
    bl_label = "Re-solve"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_markers"

    def draw(self, context: Any) -> None:
        """Draw the button and the server's address."""
        said = context.scene.facewire_speech
        self.layout.operator("facewire.resolve", icon="FILE_REFRESH")
        self.layout.prop(said, "server")
        self.layout.prop(said, "token")
        self.layout.prop(context.scene.facewire_resolve, "timeout")


CLASSES = (FacewireResolve, FACEWIRE_OT_resolve, FACEWIRE_PT_resolve)


def register() -> None:
    """Add Re-solve."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire_resolve = PointerProperty(type=FacewireResolve)


def unregister() -> None:
    """Take it away."""
    del bpy.types.Scene.facewire_resolve
    unregister_classes(CLASSES)
