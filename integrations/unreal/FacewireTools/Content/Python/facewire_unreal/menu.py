"""The menu Tools > Facewire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import unreal

from facewire_unreal import folder, level, live
from facewire_unreal.clip import Clip, ClipError, read
from facewire_unreal.dialog import ask
from facewire_unreal.plan import Options, asset_name
from facewire_unreal.retime import retime
from facewire_unreal.sequence import import_clip

MENU, OWNER = "LevelEditor.MainMenu.Tools", "Facewire"
ENTRIES = (
    ("clip", "Import clip...", "A take as an AnimSequence"),
    ("folder", "Import folder...", "Every take under a folder; what is unchanged is skipped"),
    ("sound", "Clip and sound in a Level Sequence...", "The take, and the WAV of its name beside"),
    ("board", "Clip on the face control board...", "Reduced keys under an additive section"),
    ("check", "Check Live Link subject...", "Whether the subject arrives"),
    ("preset", "Make Live Link preset", "The sources there are now, for packaged builds"),
)


def register() -> None:
    """Add the entries to the menu Tools."""
    menus = unreal.ToolMenus.get()
    menu = menus.extend_menu(MENU).add_sub_menu(OWNER, OWNER, OWNER, "Facewire", "Facewire clips")
    for name, label, tip in ENTRIES:
        command = f"from facewire_unreal import menu; menu.chosen('{name}')"
        entry = unreal.ToolMenuEntryExtensions.init_menu_entry(
            OWNER, name, label, tip, unreal.ToolMenuStringCommandType.PYTHON, "None", command
        )
        menu.add_menu_entry(OWNER, entry)
    menus.refresh_all_widgets()


def chosen(name: str) -> None:
    """Run an entry; its error is shown in one line."""
    try:
        text = ACTIONS[name]()
    except ClipError as error:
        text = str(error)
        unreal.log_error(f"facewire: {text}")
    if text:
        unreal.EditorDialog.show_message("Facewire", text, unreal.AppMsgType.OK)


def _clip() -> str:
    found = ask("Import clip", ("clip", "folder", "skeleton", "names", "fps"), _defaults())
    return _imported(found)[0] if found else ""


def _folder() -> str:
    found = ask("Import folder", ("takes", "folder", "skeleton", "names", "fps"), _defaults())
    if not found:
        return ""
    count = folder.import_folder(Path(found["takes"]), _options(found))
    return f"{count.made} made, {count.unchanged} unchanged, {count.bad} bad (see the log)"


def _sound() -> str:
    found = ask("Clip and sound", ("clip", "folder", "skeleton", "names", "fps"), _defaults())
    if not found:
        return ""
    wav = Path(found["clip"]).with_suffix(".wav")
    level.duration(wav)  # say so before anything is made
    _, asset, clip = _imported(found)
    level.attach_wav(level.level_sequence(f"{asset}_Level", clip.fps), wav, found["folder"])
    return f"{asset}_Level: made, with {wav.name}"


def _board() -> str:
    face = _selected_face()
    found = ask("Clip on the control board", ("clip", "folder", "skeleton", "fps"), _defaults())
    if not found:
        return ""
    _, asset, clip = _imported(found)
    animation = unreal.EditorAssetLibrary.load_asset(asset)
    assert isinstance(animation, unreal.AnimSequence)
    level.control_rig(level.level_sequence(f"{asset}_Level", clip.fps), animation, face, clip)
    return f"{asset}_Level: the control board has the clip, with an additive section above it"


def _check() -> str:
    found = ask("Check Live Link", ("subject",), {"subject": "Facewire"})
    return live.check(found["subject"]) if found else ""


def _preset() -> str:
    asset = f"{Options().folder}/FacewireLiveLink"
    live.preset(asset)
    return f"{asset}: saved; apply it where the game begins (Apply to Client)"


def _defaults() -> dict[str, str]:
    default = Options()
    return {"folder": default.folder, "names": default.names, "fps": "0"}


def _options(found: dict[str, str]) -> Options:
    try:
        fps = int(found["fps"] or 0)
    except ValueError:
        raise ClipError(f"fps: found '{found['fps']}', expected a whole number") from None
    return Options(found["folder"], found["skeleton"], found.get("names", "metahuman"), fps)


def _imported(found: dict[str, str]) -> tuple[str, str, Clip]:
    """Return what to say, the asset, and the take's own channels at the asset's rate."""
    path, options = Path(found["clip"]), _options(found)
    asset = f"{options.folder.rstrip('/')}/{asset_name(path)}"
    made = import_clip(path, asset, options)
    clip = read(path)
    clip = retime(clip, type(clip.fps)(options.fps)) if options.fps else clip
    return f"{asset}: {'made' if made else 'is unchanged'}", asset, clip


def _selected_face() -> unreal.SkeletalMeshComponent:
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    for actor in actors.get_selected_level_actors() if actors else ():
        for part in actor.get_components_by_class(unreal.SkeletalMeshComponent):
            if isinstance(part, unreal.SkeletalMeshComponent) and part.get_name() == "Face":
                return part
    raise ClipError("select a MetaHuman in the level first: found no component 'Face'")


ACTIONS: dict[str, Callable[[], str]] = {
    "clip": _clip,
    "folder": _folder,
    "sound": _sound,
    "board": _board,
    "check": _check,
    "preset": _preset,
}
