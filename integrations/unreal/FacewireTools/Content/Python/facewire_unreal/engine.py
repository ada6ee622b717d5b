"""Whether Unreal is there, and what is looked up in a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facewire_unreal.clip import ClipError

if TYPE_CHECKING:
    import unreal

SKELETONS = (
    "/MetaHumanCharacter/Face/Face_Archetype_Skeleton",  # 5.6 and later
    "/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton",  # older projects
)


def running() -> bool:
    """Whether this is Unreal's Python: a real call answers, which a typing stub never does."""
    try:
        import unreal

        version: object = unreal.SystemLibrary.get_engine_version()
    except (ImportError, AttributeError):
        return False
    return isinstance(version, str) and bool(version)


def first_of(paths: tuple[str, ...], what: str) -> str:
    """Return the first asset path that the project has; ClipError that names all."""
    import unreal

    for path in paths:
        if unreal.EditorAssetLibrary.does_asset_exist(path):
            return path
    raise ClipError(f"{what}: found none at {', '.join(paths)}; give its path")


def skeleton(path: str) -> unreal.Skeleton:
    """Return a skeleton by its path, or the MetaHuman face's where ``path`` is empty."""
    import unreal

    path = first_of((path,) if path else SKELETONS, "skeleton")
    found = unreal.EditorAssetLibrary.load_asset(path)
    if not isinstance(found, unreal.Skeleton):
        raise ClipError(f"skeleton: {path} is none")
    return found
