"""Facewire for Blender: speech animation on shape keys and bones, and keys one can edit.

One source for both ways to install: an extension (``blender_manifest.toml``, Blender 4.2 and later)
and a legacy add-on (``bl_info``, 3.4 and later). Licence: GPL-3.0-or-later.
"""

from __future__ import annotations

import importlib
from types import ModuleType

bl_info = {
    "name": "Facewire",
    "author": "Facewire contributors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > Facewire",
    "description": "Bake speech animation onto shape keys and bones, edit it, drive it live",
    "category": "Animation",
}
MODULES = (
    "settings", "operators", "tweaks", "panel", "markers", "resolve", "poses", "demo",
    "live", "speech", "batch",
)  # fmt: skip


def _modules() -> list[ModuleType]:
    return [importlib.import_module(f"{__name__}.{name}") for name in MODULES]


def register() -> None:
    """Add panels, operators and settings to Blender."""
    for module in _modules():
        module.register()


def unregister() -> None:
    """Take them away again."""
    for module in reversed(_modules()):
        module.unregister()
