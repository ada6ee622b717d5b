"""Live Link: whether a subject arrives, and a preset for packaged builds."""

from __future__ import annotations

import unreal

from facewire_unreal.clip import ClipError


def subjects() -> list[str]:
    """Return the names of the subjects that Live Link has and that are enabled."""
    found = unreal.LiveLinkBlueprintLibrary.get_live_link_enabled_subject_names(False)
    return [str(subject.name) for subject in found]


def check(subject: str) -> str:
    """Return one line that says whether ``subject`` arrives, and what to do if it does not."""
    found = subjects()
    if subject in found:
        return f"the subject '{subject}' is there; choose it in the MetaHuman's LLink Face Subj"
    if found:
        return f"no subject '{subject}'; there are: {', '.join(found)}"
    return (
        "no subject at all: add the source ARKit, port 11111, in the Live Link panel; "
        "then run facewire doctor, and allow UDP 11111 in the firewall"
    )


def preset(asset: str) -> unreal.LiveLinkPreset:
    """Save Live Link's sources and subjects as a preset; never over another kind of asset."""
    if unreal.EditorAssetLibrary.does_asset_exist(asset):
        found = unreal.EditorAssetLibrary.load_asset(asset)
    else:
        folder, _, name = asset.rpartition("/")
        tools = unreal.AssetToolsHelpers.get_asset_tools()
        found = tools.create_asset(name, folder, unreal.LiveLinkPreset, None)
    if not isinstance(found, unreal.LiveLinkPreset):
        raise ClipError(f"{asset}: is no Live Link preset; choose another name")
    found.build_from_client()
    unreal.EditorAssetLibrary.save_loaded_asset(found, False)
    return found
