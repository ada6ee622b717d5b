"""A Level Sequence with a clip's sound, and the clip on the face control board."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import unreal

from facewire_unreal import engine
from facewire_unreal.clip import Clip, ClipError
from facewire_unreal.keys import held_rows, reduced

BOARDS = (
    "/MetaHumanCharacter/Face/Face_ControlBoard_CtrlRig",
    "/Game/MetaHumans/Common/Face/Face_ControlBoard_CtrlRig",
)
TOLERANCE, GAP_TOLERANCE = 0.005, 0.01
_ASSETS = unreal.EditorAssetLibrary


def level_sequence(asset: str, fps: Fraction) -> unreal.LevelSequence:
    """Return the Level Sequence ``asset``, made at ``fps`` if there is none."""
    if _ASSETS.does_asset_exist(asset):
        found = _ASSETS.load_asset(asset)
    else:
        folder, _, name = asset.rpartition("/")
        tools = unreal.AssetToolsHelpers.get_asset_tools()
        factory = unreal.LevelSequenceFactoryNew()
        found = tools.create_asset(name, folder, unreal.LevelSequence, factory)
    if not isinstance(found, unreal.LevelSequence):
        raise ClipError(f"{asset}: is no Level Sequence; choose another name")
    found.set_display_rate(unreal.FrameRate(fps.numerator, fps.denominator))
    return found


def attach_wav(sequence: unreal.LevelSequence, wav: Path, folder: str) -> None:
    """Import ``wav`` and put it on an audio track that begins at 0."""
    seconds = duration(wav)
    task = unreal.AssetImportTask()
    task.filename, task.destination_path = str(wav), folder
    task.automated = task.replace_existing = task.save = True
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
    paths = list(task.imported_object_paths)
    sound = _ASSETS.load_asset(paths[0]) if paths else None
    if not isinstance(sound, unreal.SoundBase):
        raise ClipError(f"{wav}: Unreal did not import it as a sound")
    section = sequence.add_track(unreal.MovieSceneAudioTrack).add_section()
    if not isinstance(section, unreal.MovieSceneAudioSection):
        raise ClipError(f"{wav}: Unreal made no audio section")
    section.set_sound(sound)
    section.set_range_seconds(0.0, seconds)
    sequence.set_playback_start_seconds(0.0)
    sequence.set_playback_end_seconds(max(seconds, sequence.get_playback_end_seconds()))
    _ASSETS.save_loaded_asset(sequence, False)


def duration(wav: Path) -> float:
    """Return a WAV file's seconds; ClipError if it is none."""
    try:
        with wave.open(str(wav), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise ClipError(f"{wav}: is no PCM WAV: {str(error).lower()}") from None


def control_rig(
    sequence: unreal.LevelSequence,
    animation: unreal.AnimSequence,
    face: unreal.SkeletalMeshComponent,
    clip: Clip,
) -> unreal.MovieSceneSection:
    """Bake ``animation`` onto the face control board; return the empty additive section above it.

    Keys are thinned by the gap of ``clip``'s lips: the ARKit rows at the animation's own rate.
    """
    board = _ASSETS.load_asset(engine.first_of(BOARDS, "face control board"))
    if not isinstance(board, unreal.ControlRigBlueprint):
        raise ClipError("face control board: is no Control Rig")
    editor = unreal.get_editor_subsystem(unreal.UnrealEditorSubsystem)
    if editor is None:
        raise ClipError("unreal: there is no editor; open the level first")
    library = unreal.ControlRigSequencerLibrary
    track = library.find_or_create_control_rig_track(
        editor.get_editor_world(), sequence, board.get_control_rig_class(),
        sequence.add_possessable(face),
    )  # fmt: skip
    sections = list(track.get_sections())
    baked = sections[0] if sections else track.add_section()
    if not library.load_anim_sequence_into_control_rig_section(
        baked, animation, face, unreal.FrameNumber(0)
    ):
        raise ClipError("face control board: Unreal could not bake the animation onto it")
    _thin(baked, held_rows(clip, TOLERANCE, GAP_TOLERANCE))
    additive = track.add_section()
    additive.set_blend_type(unreal.MovieSceneBlendType.ADDITIVE)
    additive.set_range(0, len(clip.rows))
    _ASSETS.save_loaded_asset(sequence, False)
    return additive


def _thin(section: unreal.MovieSceneSection, held: list[int]) -> None:
    for channel in section.get_all_channels():
        if isinstance(channel, unreal.MovieSceneScriptingFloatChannel):
            keys = [k for k in channel.get_keys() if isinstance(k, _KEY)]
            at = {key.get_time().frame_number.value: i for i, key in enumerate(keys)}
            rows = [at[row] for row in held if row in at]
            kept = set(reduced([key.get_value() for key in keys], TOLERANCE, rows) if keys else ())
            for i, key in enumerate(keys):
                if i in kept:
                    key.set_interpolation_mode(unreal.RichCurveInterpMode.RCIM_LINEAR)
                else:
                    channel.remove_key(key)


_KEY = unreal.MovieSceneScriptingFloatKey
