"""Values onto a face now, without keys: for live streams and poses."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import bpy

from . import faces
from .channels import REGIONS
from .clip import Clip
from .drivers import mute
from .errors import AddonError
from .faces import Track
from .options import Options, Turn


class Face:
    """Some meshes, what drives their keys, and what turns with head and eyes."""

    def __init__(
        self,
        objects: Sequence[Any],
        drivers: str = "SOURCE",
        turns: Mapping[str, Turn] | None = None,
    ) -> None:
        named = {"head": "head", "leftEye": "left_eye", "rightEye": "right_eye"}
        turned: dict[str, Any] = {named[part]: turn for part, turn in (turns or {}).items()}
        self._face = faces.find(objects, Options(drivers=drivers, **turned))
        mute(self._face.muted)
        for each in self._face.turned:
            each.remember()

    @property
    def channels(self) -> set[str]:
        """The channels that move something."""
        return self._face.channels

    def tracks(self, values: Mapping[str, float]) -> list[Track]:
        """Return what is to be set (one value each) for channel values."""
        columns = tuple(array("f", [value]) for value in values.values())
        clip = Clip("now", Fraction(1), tuple(values), columns)
        return self._face.tracks(clip, REGIONS)

    def apply(self, values: Mapping[str, float]) -> None:
        """Set channels; those that are not named stay. AddonError if an object was deleted."""
        try:
            for track in self.tracks(values):
                put(track.id, track.path, track.index, track.values[0])
        except ReferenceError:
            raise AddonError("the face was deleted; select another one") from None

    def insert(self, frame: float) -> None:
        """Key all that the face moves as it is now."""
        for track in self.tracks(dict.fromkeys(sorted(self.channels), 0.0)):
            array_like = hasattr(track.id.path_resolve(track.path), "__len__")
            index = track.index if array_like else -1
            track.id.keyframe_insert(track.path, index=index, frame=frame)

    def rest(self) -> None:
        """Set all channels to 0."""
        self.apply(dict.fromkeys(sorted(self.channels), 0.0))


def put(block: bpy.types.ID, path: str, index: int, value: float) -> None:
    """Set the property that an F-curve of this path and index would write."""
    now = block.path_resolve(path)
    if hasattr(now, "__len__"):
        now[index] = value
        return
    if path.endswith("]"):
        owner, _, name = path.rpartition("[")
        holder = block.path_resolve(owner) if owner else block
        holder[name[1:-2]] = type(now)(value)
        block.update_tag()
        return
    owner, _, name = path.rpartition(".")
    setattr(block.path_resolve(owner) if owner else block, name, value)
