"""What tests of the Blender add-on share: its pure modules here, and rigs made in a Blender."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from blenders import Blender

INTEGRATION = Path(__file__).parents[2] / "integrations/blender"
CODE = INTEGRATION / "facewire_blender"
_NAME = "facewire_addon"  # the plugin in plugins/blender has the add-on's own name


@cache
def _package() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        _NAME, CODE / "__init__.py", submodule_search_locations=[str(CODE)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    return package


def addon(module: str) -> ModuleType:
    """Return a module of the add-on that needs no Blender."""
    _package()
    return importlib.import_module(f"{_NAME}.{module}")


def scripted(blender: Blender, script: str, *args: str | Path, **how: Any) -> list[Any]:
    """Run a script that has the rigs of ``blender_addon_rigs``; return what it told."""
    begin = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return blender.run(begin + PRELUDE + script, *args, addon=True, **how).told


PRELUDE = """
import math
from fractions import Fraction
import facewire_blender
from facewire_blender import actions, bake, channels, clip, faces, options, strips, takes
from facewire_blender.errors import AddonError
from facewire_blender.options import Options, Turn
import blender_addon_rigs as rigs
scene = bpy.context.scene
"""
