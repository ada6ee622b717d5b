"""Live: a stream from Facewire or a phone moves the face in the viewport, and can be recorded."""
# No __future__ annotations: Blender reads the annotations of properties as objects.
# mypy: disable-error-code="valid-type,misc,untyped-decorator"

import time
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, PointerProperty, StringProperty

from . import bake, drive, settings, takes, wire
from .errors import AddonError, reports
from .receiver import Receiver, Subject
from .registering import register_classes, unregister_classes

TICK = 1 / 60  # seconds between two looks at what has come
SHOWN = 0.5  # seconds between two drawings of the panel


class Link:
    """The one connection of this Blender: what is received, and the face that it moves.

    Objects are held by name: undo makes others of the same name.
    """

    def __init__(self, receiver: Receiver, names: list[str], subject: str, options: Any) -> None:
        self.receiver, self.names, self.subject = receiver, names, subject
        self.options = options
        self.began_at = 0  # the scene's frame at which recording began
        self.trouble = ""
        self._face: Any = None
        self._drawn = 0.0
        self._applied = 0

    def tick(self) -> float | None:
        """Take what has come and show it; return when to look again, None at the end."""
        if _link is not self:
            return None
        self.receiver.drain()
        found = self.receiver.chosen(self.subject)
        if found is not None and found.values is not None and found.count != self._applied:
            self._applied = found.count
            self._show(found)
        if time.perf_counter() - self._drawn > SHOWN:
            self._drawn = time.perf_counter()
            redraw()
        return TICK

    def _show(self, subject: Subject) -> None:
        assert subject.values is not None
        try:
            self.face().apply(dict(zip(wire.CHANNELS, subject.values, strict=True)))
            self.trouble = ""
        except (AddonError, ReferenceError) as error:
            self._face, self.trouble = None, str(error)

    def face(self) -> Any:
        """Return what is moved, found anew after an undo."""
        if self._face is None:
            objects = [bpy.data.objects[name] for name in self.names if name in bpy.data.objects]
            self._face = drive.Face(objects, self.options.drivers, self.options.turns)
        return self._face

    def forget(self) -> None:
        """Look the objects up again: those of before an undo are gone."""
        self._face = None

    def close(self) -> None:
        """Let the port go and put the face back to what its keys say."""
        self.receiver.close()
        try:
            self.face().rest()
        except (AddonError, ReferenceError):
            return
        for scene in bpy.data.scenes:
            if any(name in scene.objects for name in self.names):
                scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


_link: Link | None = None


def link() -> Link | None:
    """Return the running link."""
    return _link


def start(context: Any) -> Link:
    """Begin to listen for the chosen meshes; AddonError where the port or the face is wrong."""
    global _link
    if _link is not None:
        raise AddonError("live is running already; stop it first")
    chosen = context.scene.facewire_live
    names = [each.name for each in settings.objects(context)]
    receiver = Receiver("0.0.0.0" if chosen.phones else "127.0.0.1", chosen.port)
    made = Link(receiver, names, chosen.subject.strip(), settings.options(context))
    try:
        made.face()
    except AddonError:
        receiver.close()
        raise
    _link = made
    bpy.app.timers.register(made.tick, first_interval=0.0)
    return made


def stop() -> None:
    """Stop listening."""
    global _link
    if _link is not None:
        ended, _link = _link, None
        ended.close()


def redraw() -> None:
    """Draw the sidebars anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def _running() -> Link:
    if _link is None:
        raise AddonError("live is not running; start it first")
    return _link


@bpy.app.handlers.persistent
def _on_undo(*_: Any) -> None:
    if _link is not None:
        _link.forget()


@bpy.app.handlers.persistent
def _on_load(*_: Any) -> None:
    stop()


class FacewireLive(bpy.types.PropertyGroup):
    """What the panel Live holds."""

    port: IntProperty(
        name="Port", default=wire.PORT, min=1, max=65535, description="UDP port to listen on"
    )
    subject: StringProperty(
        name="Subject", description="Whose face; empty: the first one that comes"
    )
    phones: BoolProperty(
        name="Other Devices",
        default=False,
        description="Listen to phones and other machines too, not to this one alone",
    )
    take: StringProperty(name="Take", default="live", description="Name of what is recorded")


class FACEWIRE_OT_live_start(bpy.types.Operator):
    """Let a stream from Facewire or the Live Link Face app move the selected face"""

    bl_idname = "facewire.live_start"
    bl_label = "Start"

    @reports
    def execute(self, context: Any) -> set[str]:
        """Begin to listen."""
        made = start(context)
        self.report({"INFO"}, f"listening on port {made.receiver.port}")
        return {"FINISHED"}


class FACEWIRE_OT_live_stop(bpy.types.Operator):
    """Stop listening; the face goes back to its keys"""

    bl_idname = "facewire.live_stop"
    bl_label = "Stop"

    @reports
    def execute(self, context: Any) -> set[str]:
        """Stop."""
        if _running().receiver.record is not None:
            raise AddonError("a recording runs: press Stop and Bake first (undo takes it back)")
        stop()
        return {"FINISHED"}


class FACEWIRE_OT_live_record(bpy.types.Operator):
    """Record the stream; press again to bake what was recorded, from the frame it began at"""

    bl_idname = "facewire.live_record"
    bl_label = "Record"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Begin to record, or end and bake."""
        running = _running()
        receiver = running.receiver
        receiver.drain()
        if receiver.record is None:
            found = receiver.chosen(running.subject)
            if found is None:
                raise AddonError("nothing comes in yet; start the sender first")
            receiver.begin_record(found.name)
            running.began_at = context.scene.frame_current
            return {"FINISHED"}
        record = receiver.end_record()
        clip = record.clip(takes.free(context.scene.facewire_live.take.strip() or "live"))
        objects = [bpy.data.objects[n] for n in running.names if n in bpy.data.objects]
        options = replace(
            settings.options(context), take=clip.name, start=running.began_at, sound=""
        )
        try:
            report = bake.bake(context, clip, objects, options)
        except AddonError:
            receiver.record = record  # nothing is lost: it goes on until it can be baked
            raise
        self.report({"INFO"}, report.lines()[0])
        return {"FINISHED"}


class FACEWIRE_PT_live(bpy.types.Panel):
    """Live in the sidebar."""

    bl_idname = "FACEWIRE_PT_live"
    bl_label = "Live"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 50
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw the address, what comes, and the buttons."""
        layout, chosen = self.layout, context.scene.facewire_live
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.enabled = _link is None
        for name in ("port", "subject", "phones"):
            column.prop(chosen, name)
        if _link is None:
            layout.operator("facewire.live_start", icon="PLAY")
            return
        for text in status(_link):
            layout.label(text=text)
        recording = _link.receiver.record is not None
        layout.prop(chosen, "take")
        label = "Stop and Bake" if recording else "Record"
        layout.operator("facewire.live_record", text=label, icon="REC")
        layout.operator("facewire.live_stop", icon="SNAP_FACE")


def status(running: Link) -> list[str]:
    """Return what the panel says of a running link."""
    receiver = running.receiver
    if not receiver.subjects:
        return [f"waiting on port {receiver.port}"]
    now = time.perf_counter()
    lines = [
        f"{each.name}: {each.per_second:.0f} a second"
        + (f", silent for {now - each.came:.0f} s" if now - each.came > 2 else "")
        for each in list(receiver.subjects.values())[:4]
    ]
    if receiver.record is not None:
        lines.append(f"recording: {receiver.record.seconds:.1f} s")
    return [*lines, running.trouble] if running.trouble else lines


CLASSES = (
    FacewireLive, FACEWIRE_OT_live_start, FACEWIRE_OT_live_stop, FACEWIRE_OT_live_record,
    FACEWIRE_PT_live,
)  # fmt: skip
_HANDLERS = (("undo_post", _on_undo), ("redo_post", _on_undo), ("load_pre", _on_load))


def register() -> None:
    """Add the panel, its operators and handlers."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire_live = PointerProperty(type=FacewireLive)
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Stop, and take them away."""
    stop()
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    del bpy.types.Scene.facewire_live
    unregister_classes(CLASSES)
