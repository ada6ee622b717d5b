"""A clip as an AnimSequence: one float curve a channel, words as notifies."""

from __future__ import annotations

import json
from pathlib import Path

import unreal

from facewire_unreal import engine
from facewire_unreal.clip import Clip, ClipError, read
from facewire_unreal.plan import Options, content_hash, prepared

HASH, WORDS = "Facewire.Hash", "Facewire.Words"
TRACK = "FacewireWords"
_ASSETS = unreal.EditorAssetLibrary
_ANIMATION = unreal.AnimationLibrary


def import_clip(path: Path, asset: str, options: Options) -> bool:
    """Make or renew the AnimSequence ``asset``; return False if it is unchanged.

    The file is read and its curves made before an asset is touched; ClipError otherwise.
    """
    clip = read(path)
    fingerprint = content_hash(path, options)
    found = _ASSETS.load_asset(asset) if _ASSETS.does_asset_exist(asset) else None
    if found is not None and not isinstance(found, unreal.AnimSequence):
        raise ClipError(f"{asset}: is no AnimSequence; choose another folder")
    if found is not None and _ASSETS.get_metadata_tag(found, HASH) == fingerprint:
        return False
    curves = prepared(clip, options)
    notify = _notify_class(options.notify) if clip.words and options.notify else None
    skeleton = engine.skeleton(options.skeleton)
    if found is not None and found.get_editor_property("skeleton") != skeleton:
        raise ClipError(f"{asset}: is on another skeleton; delete it, or choose another folder")
    sequence = found or create(asset, skeleton)
    _write(sequence, curves)
    _compress(sequence, options.compression)
    _mark_words(sequence, curves, notify)
    _ASSETS.set_metadata_tag(sequence, HASH, fingerprint)
    if not _ASSETS.save_loaded_asset(sequence, False):
        raise ClipError(f"{asset}: could not be saved; is it checked out and writable?")
    return True


def create(asset: str, skeleton: unreal.Skeleton) -> unreal.AnimSequence:
    """Return a new, empty AnimSequence."""
    factory = unreal.AnimSequenceFactory()
    factory.set_editor_property("target_skeleton", skeleton)
    folder, _, name = asset.rpartition("/")
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    made = tools.create_asset(name, folder, unreal.AnimSequence, factory)
    if not isinstance(made, unreal.AnimSequence):
        raise ClipError(f"{asset}: Unreal could not create it")
    return made


def _write(sequence: unreal.AnimSequence, clip: Clip) -> None:
    rows = clip.rows if len(clip.rows) > 1 else clip.rows * 2
    times = [float(k / clip.fps) for k in range(len(rows))]
    rate = unreal.FrameRate(clip.fps.numerator, clip.fps.denominator)
    controller = sequence.controller
    controller.open_bracket("Facewire", False)
    try:
        _ANIMATION.remove_all_curve_data(sequence)
        controller.set_frame_rate(rate, False)
        controller.set_number_of_frames(unreal.FrameNumber(len(rows) - 1), False)
        for column, name in enumerate(clip.channels):
            _ANIMATION.add_curve(sequence, name, unreal.RawCurveTrackTypes.RCT_FLOAT, False)
            _ANIMATION.add_float_curve_keys(sequence, name, times, [row[column] for row in rows])
    finally:
        controller.close_bracket(False)


def _compress(sequence: unreal.AnimSequence, path: str) -> None:
    if not path:
        return
    settings = _ASSETS.load_asset(path) if _ASSETS.does_asset_exist(path) else None
    if isinstance(settings, unreal.AnimCurveCompressionSettings):
        _ANIMATION.set_curve_compression_settings(sequence, settings)
    else:
        unreal.log_warning(f"facewire: no curve compression settings at {path}")


def _notify_class(path: str) -> unreal.Class:
    found = unreal.load_class(None, path)
    if found is None:
        raise ClipError(f"notify: found no class {path}")
    return found


def _mark_words(sequence: unreal.AnimSequence, clip: Clip, notify: unreal.Class | None) -> None:
    if TRACK in map(str, _ANIMATION.get_animation_notify_track_names(sequence)):
        _ANIMATION.remove_animation_notify_track(sequence, TRACK)
    words = [[word.text, word.start, word.end] for word in clip.words]
    _ASSETS.set_metadata_tag(sequence, WORDS, json.dumps(words, ensure_ascii=False))
    if notify is None:
        return
    _ANIMATION.add_animation_notify_track(sequence, TRACK)
    for word in clip.words:
        at = max(0.0, min(word.start, clip.seconds))
        made = _ANIMATION.add_animation_notify_event(sequence, TRACK, at, notify)
        if not isinstance(made, unreal.AnimNotify_PlaySound):  # a class of the project's own
            _name(made, word.text)


def _name(notify: unreal.AnimNotify, text: str) -> None:
    try:
        notify.set_editor_property("Word", text)
    except Exception:  # Unreal raises a plain Exception for a property that is not there
        unreal.log_warning("facewire: the notify has no string variable 'Word'")
