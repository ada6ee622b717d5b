"""Registering classes with Blender, and taking back what was registered when one fails."""

from __future__ import annotations

from collections.abc import Sequence

import bpy


def register_classes(classes: Sequence[type]) -> None:
    """Register classes in order; all or none."""
    done: list[type] = []
    try:
        for each in classes:
            bpy.utils.register_class(each)
            done.append(each)
    except Exception:
        unregister_classes(done)
        raise


def unregister_classes(classes: Sequence[type]) -> None:
    """Unregister classes, the last first."""
    for each in reversed(classes):
        bpy.utils.unregister_class(each)
