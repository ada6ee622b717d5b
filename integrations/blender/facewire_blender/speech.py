"""Speech: text or a sound file becomes a take on the face, made by an installed Facewire."""
# No __future__ annotations: Blender reads the annotations of properties as objects.
# mypy: disable-error-code="valid-type,misc"

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from . import bake, settings
from .asking import SERVER, TOKEN, check_allowed, token_for
from .engine import Job, ProgramJob, ServerJob, Wish
from .errors import AddonError, reports
from .registering import register_classes, unregister_classes

TICK = 0.1  # seconds between two looks at the job


def wish(context: Any) -> Wish:
    """Return what the panel asks for; AddonError where it asks for nothing."""
    chosen = context.scene.facewire_speech
    heard = chosen.source == "SOUND"
    found = Wish(
        text="" if heard else chosen.text,
        sound=bpy.path.abspath(chosen.sound) if heard else "",
        transcript=chosen.text if heard else "",
        profile=chosen.profile,
        emotion=chosen.emotion,
    )
    found.check()
    return found


def job_of(context: Any) -> Job:
    """Return the job that makes what the panel asks for, not begun yet."""
    chosen, asked = context.scene.facewire_speech, wish(context)
    folder = sound_folder()
    if chosen.way == "PROGRAM":
        return ProgramJob(asked, folder, bpy.path.abspath(chosen.program))
    check_allowed(chosen.server or SERVER, getattr(bpy.app, "online_access", True))
    return ServerJob(asked, folder, chosen.server, token_for(chosen.server, chosen.token))


def sound_folder() -> Path:
    """Return where made sounds go: beside the .blend file, or where Blender keeps what passes."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else Path(bpy.app.tempdir)


def finish(context: Any, job: Job, names: Sequence[str]) -> Any:
    """Bake a job's clip onto objects; return the report. AddonError where there is no clip."""
    made = job.result()
    objects = [bpy.data.objects[name] for name in names if name in bpy.data.objects]
    chosen = settings.options(context, made.sound)
    options = replace(chosen, take=made.name, sound=made.sound if chosen.sound else "")
    report = bake.bake(context, made, objects, options)
    if not bpy.data.filepath and made.sound and not job.wish.sound:
        pack(made.sound)
    return report


def pack(path: str) -> None:
    """Put a sound into the .blend file: the folder it lies in goes when Blender ends."""
    for sound in bpy.data.sounds:
        if bpy.path.abspath(sound.filepath) == path and not sound.packed_file:
            sound.pack()


# Of this session alone: what a scene holds goes into the .blend file, and a file of somebody else's
# may name another server, or a program to run.
_tokens: dict[str, str] = {}  # by server
_program = "facewire"


def _token(self: Any) -> str:
    return _tokens.get(self.server, "")


def _keep_token(self: Any, value: str) -> None:
    _tokens[self.server] = value


def _program_of(self: Any) -> str:
    return _program


def _keep_program(self: Any, value: str) -> None:
    global _program
    _program = value


class FacewireSpeech(bpy.types.PropertyGroup):
    """What the panel Speech holds."""

    source: EnumProperty(
        name="From",
        default="TEXT",
        items=(
            ("TEXT", "Text", "A voice speaks the text"),
            ("SOUND", "Sound", "A recording is animated"),
        ),
    )
    text: StringProperty(
        name="Text",
        description="What is said, such as: [joy:80] Hello! (of a recording: its words)",
    )
    sound: StringProperty(name="Sound", subtype="FILE_PATH", description="WAV, FLAC, OGG or MP3")
    profile: StringProperty(
        name="Profile", default="default", description="Facewire's profile: a name, or a file"
    )
    emotion: StringProperty(name="Emotion", description="Of the whole, such as joy:80")
    way: EnumProperty(
        name="Facewire",
        default="SERVER",
        items=(
            ("SERVER", "Server", "A running 'facewire serve'"),
            ("PROGRAM", "Program", "The program 'facewire'"),
        ),
    )
    server: StringProperty(name="Server", default=SERVER)
    token: StringProperty(
        name="Token",
        subtype="PASSWORD",
        get=_token,
        set=_keep_token,
        description=f"Where it wants one; empty: {TOKEN} of the environment, on this machine",
    )
    program: StringProperty(
        name="Program",
        subtype="FILE_PATH",
        get=_program_of,
        set=_keep_program,
        description="The path of 'facewire', where Facewire is installed",
    )


_job: Job | None = None
_began = 0.0


def job() -> Job | None:
    """Return the job that runs."""
    return _job


class FACEWIRE_OT_speech(bpy.types.Operator):
    """Make the take and bake it onto the selected face; Blender goes on meanwhile"""

    bl_idname = "facewire.speech"
    bl_label = "Bake Speech"
    bl_options = {"REGISTER", "UNDO"}

    _timer: Any = None
    _names: Sequence[str] = ()

    @reports
    def execute(self, context: Any) -> set[str]:
        """Make and bake it, and wait: for scripts."""
        self._names = [each.name for each in settings.objects(context)]
        made = job_of(context)
        made.start()
        made.join()
        return self._finished(context, made)

    @reports
    def invoke(self, context: Any, event: Any) -> set[str]:
        """Begin, and look at it from time to time."""
        global _job, _began
        if _job is not None:
            raise AddonError("speech is being made already; cancel it first")
        self._names = [each.name for each in settings.objects(context)]
        made = job_of(context)
        made.start()
        _job, _began = made, time.monotonic()
        self._timer = context.window_manager.event_timer_add(TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    @reports
    def modal(self, context: Any, event: Any) -> set[str]:
        """Look at the job; Esc cancels it."""
        if _job is None or (event.type == "ESC" and event.value == "PRESS"):
            self._end(context)
            self.report({"INFO"}, "speech: cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        _redraw(context)
        if _job.is_alive():
            return {"PASS_THROUGH"}
        made = _job
        self._end(context)
        return self._finished(context, made)

    def cancel(self, context: Any) -> None:
        """Be told that Blender ends it, with the window or the file."""
        self._end(context)

    def _end(self, context: Any) -> None:
        global _job
        ended, _job = _job, None
        if ended is not None and ended.is_alive():
            ended.cancel()
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        _redraw(context)

    def _finished(self, context: Any, made: Job) -> set[str]:
        report = finish(context, made, self._names)
        self.report({"INFO"}, report.lines()[0])
        return {"FINISHED"}


class FACEWIRE_OT_speech_cancel(bpy.types.Operator):
    """Cancel the speech that is being made"""

    bl_idname = "facewire.speech_cancel"
    bl_label = "Cancel"

    @reports
    def execute(self, context: Any) -> set[str]:
        """Cancel it; what waits for it sees that."""
        global _job
        if _job is None:
            raise AddonError("no speech is being made")
        ended, _job = _job, None
        ended.cancel()
        return {"FINISHED"}


def _redraw(context: Any) -> None:
    for area in context.screen.areas if context.screen else ():
        if area.type == "VIEW_3D":
            area.tag_redraw()


class FACEWIRE_PT_speech(bpy.types.Panel):
    """Speech in the sidebar."""

    bl_idname = "FACEWIRE_PT_speech"
    bl_label = "Speech"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 60
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw what is said, by whom it is made, and the button."""
        layout, chosen = self.layout, context.scene.facewire_speech
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.enabled = _job is None
        column.prop(chosen, "source", expand=True)
        if chosen.source == "SOUND":
            column.prop(chosen, "sound")
        column.prop(chosen, "text", text="Words" if chosen.source == "SOUND" else "Text")
        for name in ("profile", "emotion", "way"):
            column.prop(chosen, name)
        for name in ("program",) if chosen.way == "PROGRAM" else ("server", "token"):
            column.prop(chosen, name)
        if _job is None:
            layout.operator("facewire.speech", icon="PLAY_SOUND")
        else:
            layout.label(text=f"making it: {time.monotonic() - _began:.0f} s (Esc cancels)")
            layout.operator("facewire.speech_cancel", icon="CANCEL")


CLASSES = (FacewireSpeech, FACEWIRE_OT_speech, FACEWIRE_OT_speech_cancel, FACEWIRE_PT_speech)


def register() -> None:
    """Add the panel and its operators."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire_speech = PointerProperty(type=FacewireSpeech)


def unregister() -> None:
    """End what runs, and take them away."""
    global _job
    ended, _job = _job, None
    if ended is not None:
        ended.cancel()
    del bpy.types.Scene.facewire_speech
    unregister_classes(CLASSES)
