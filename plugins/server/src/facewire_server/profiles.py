"""Profiles by name: what a client may choose from."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from facewire.errors import FacewireError, InputError, ProfileError, nearest
from facewire.profile import Profile, find_profile, load_profile, profile_names

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_SHIPPED = Path(str(files("facewire"))) / "profiles"


class Profiles:
    """The profiles of the folders, and the one that the server was started with."""

    def __init__(self, default: str) -> None:
        self._path = find_profile(default)
        self.default = self._path.stem
        load_profile(self._path)

    def names(self) -> list[str]:
        """Return the names that clients may use, the server's own first."""
        others = [name for name in profile_names() if _NAME.fullmatch(name)]
        return [self.default, *(name for name in others if name != self.default)]

    def load(self, name: str | None = None) -> Profile:
        """Load a profile by name; InputError with the nearest if there is none."""
        if name is None or name == self.default:
            return load_profile(self._path)
        names = self.names()
        if name not in names:
            hint = nearest(name[:64], names)
            raise InputError(
                f"profile: there is no {name[:64]!r}{hint} (known: {', '.join(names)})"
            )
        return load_profile(name)

    def listed(self) -> list[dict[str, Any]]:
        """Return what a person chooses by; a profile that cannot be used says why."""
        return [self._listed(name) for name in self.names()]

    def _listed(self, name: str) -> dict[str, Any]:
        try:
            profile = self.load(name)
        except FacewireError as error:
            return {"name": name, "summary": "", "error": " ".join(str(error).split())}
        return {
            "name": name,
            "summary": summary(self._path if name == self.default else find_profile(name)),
            "voice": bool(profile.voice),
            "model": profile.model[0].use if profile.model else None,
            "sinks": [spec.use for spec in profile.sinks],
            "speakers": list(profile.speakers),
        }


@lru_cache(maxsize=256)
def summary(path: Path) -> str:
    """Return the first sentence of a profile's opening comment."""
    line = ""
    for text in path.read_text("utf-8", "replace").splitlines():
        if not text.startswith("#") or not text.strip("# "):
            break
        line += " " + text.strip("# ")
    return line.strip()


def need_model(profile: Profile) -> Profile:
    """Return the profile if it can animate sound; ProfileError otherwise."""
    if not profile.model:
        raise ProfileError(f"profile '{profile.name}' has no model; choose another")
    return profile
