"""What an animator chooses for a bake."""

from __future__ import annotations

from dataclasses import dataclass

from .channels import REGIONS

KEYS = ("EVERY", "SIMPLIFIED", "PHONES")
DRIVERS = ("SOURCE", "MUTE", "LEAVE")
PLACES = ("ACTION", "NLA")
MARKERS = ("NONE", "WORDS", "PHONES", "BOTH")
FACING = ("-Y", "Y", "-X", "X", "Z", "-Z")


@dataclass(frozen=True)
class Turn:
    """An object, or a bone of it, that turns with the head or an eye.

    ``facing`` is the axis along which the face looks, in the space of the armature (of a bone) or
    of the parent (of an object); up is Z then, and Y where the face looks along Z.
    """

    object: str
    bone: str = ""
    facing: str = "-Y"


@dataclass(frozen=True)
class Options:
    """How a clip becomes keys.

    ``take``: the take's name, "" for the clip's; at most 63 bytes. ``start``: the scene's frame of
    row 0, None for the scene's first. ``blend_in`` and ``blend_out``: frames over which the bake
    takes over from what is there, and gives back. ``keys``: EVERY frame; SIMPLIFIED, within
    ``tolerance`` on the lips' gap (jawOpen alone = 1) and on each channel; PHONES, at apexes.
    ``drivers``: of a driven key, SOURCE keys what drives it, MUTE switches the driver off (it can
    be switched on again), LEAVE leaves it out. ``place``: as the active ACTION or as an NLA strip.
    ``sound``: a file for the sequencer. ``set_end``: the scene ends with the take.
    """

    take: str = ""
    start: int | None = None
    regions: frozenset[str] = frozenset(REGIONS)
    strength: float = 1.0
    blend_in: int = 0
    blend_out: int = 0
    keys: str = "EVERY"
    tolerance: float = 0.02
    drivers: str = "SOURCE"
    place: str = "ACTION"
    head: Turn | None = None
    left_eye: Turn | None = None
    right_eye: Turn | None = None
    sound: str = ""
    set_end: bool = True
    markers: str = "NONE"

    @property
    def turns(self) -> dict[str, Turn]:
        """Return "head", "leftEye", "rightEye" -> what turns with it."""
        named = {"head": self.head, "leftEye": self.left_eye, "rightEye": self.right_eye}
        return {part: turn for part, turn in named.items() if turn}
