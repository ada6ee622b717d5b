"""Run by Unreal when the editor starts: register the menu, and nothing outside the editor."""

from __future__ import annotations

from facewire_unreal.engine import running

if running():
    from facewire_unreal.menu import register

    register()
