"""A small form: Unreal's Python has no file dialog, but shows an object's details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import unreal


@unreal.uclass()
class FacewireForm(unreal.Object):
    """The fields of every form; each entry reads those that it names."""

    clip = unreal.uproperty(unreal.FilePath)
    takes = unreal.uproperty(unreal.DirectoryPath)
    folder = unreal.uproperty(str)
    skeleton = unreal.uproperty(str)
    names = unreal.uproperty(str)
    fps = unreal.uproperty(str)
    subject = unreal.uproperty(str)


def ask(title: str, fields: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Show the form; return its fields as text, or nothing if it was cancelled."""
    form = unreal.new_object(FacewireForm)
    for name, text in given.items():
        form.set_editor_property(name, text)
    if not unreal.EditorDialog.show_object_details_view(title, form):
        return {}
    return {name: _text(form.get_editor_property(name)) for name in fields}


def _text(value: object) -> str:
    if isinstance(value, unreal.FilePath):
        return str(value.file_path)
    return str(value.path) if isinstance(value, unreal.DirectoryPath) else str(value)
