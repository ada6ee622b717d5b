"""Which morph target of a head is which channel: by name, tolerant of case, prefix and spelling.

``eyeBlinkLeft`` is also found as ``EyeBlinkLeft``, ``eye_blink_left``, ``eyeBlink_L``,
``eyeBlinkL`` and ``head.eyeBlinkLeft``. VRM expressions of either version are looked at first,
since there the maker of the model said what belongs together.

Formats: VRM 0.0 (``extensions.VRM.blendShapeMaster``) and VRM 1.0
(``extensions.VRMC_vrm.expressions``), VRM Consortium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from facewire.rig import Rig

from facewire_preview.glb import Glb

CHANNELS = tuple(c for c in Rig.named("arkit52_tongue").channels)
_SIDE = re.compile(r"(?:[_\-. ]([lrLR])|(?<=[a-z])([LR]))$")
_KEYS = {channel.lower(): channel for channel in CHANNELS}
_LONGEST = sorted(_KEYS, key=len, reverse=True)


class Target(NamedTuple):
    """One target of one mesh (their numbers), and how far it goes for a channel of 1."""

    mesh: int
    target: int
    weight: float


@dataclass(slots=True)
class Binding:
    """The targets of each channel that a head has, and what else its targets are called."""

    targets: dict[str, list[Target]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return one line: how many of ARKit's shapes matched, which are missing."""
        wanted = Rig.named("arkit52").channels
        missing = [channel for channel in wanted if channel not in self.targets]
        line = f"{len(wanted) - len(missing)} of {len(wanted)} ARKit shapes matched"
        if missing:
            line += f"; missing: {', '.join(missing)}"
        if self.unknown:
            line += f"; {len(self.unknown)} targets are no ARKit shapes"
        return line


def channel_of(name: str) -> str | None:
    """Return the channel that a target's name stands for, or None."""
    side = _SIDE.search(name)
    if side:
        which = (side[1] or side[2]).lower()
        name = name[: side.start()] + ("left" if which == "l" else "right")
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((_KEYS[known] for known in _LONGEST if key.endswith(known)), None)


def bind(glb: Glb) -> Binding:
    """Return what the head's targets are."""
    binding = Binding()
    for name, targets in (*_vrm1(glb), *_vrm0(glb)):
        channel = channel_of(name)
        if channel and targets:
            binding.targets.setdefault(channel, targets)
    said = frozenset(binding.targets)
    for mesh, made in enumerate(glb.items("meshes")):
        for channel, index, name in _named(target_names(made)):
            if channel is None:
                binding.unknown.append(name)
            elif channel not in said:
                binding.targets.setdefault(channel, []).append(Target(mesh, index, 1.0))
    return binding


def target_names(mesh: Any) -> list[str]:
    """Return the names of a mesh's targets, wherever its exporter put them."""
    places = [mesh.get("extras")]
    places += [primitive.get("extras") for primitive in mesh.get("primitives", ())]
    for extras in places:
        if isinstance(extras, dict) and isinstance(extras.get("targetNames"), list):
            return [str(name) for name in extras["targetNames"]]
    return []


def _named(names: Sequence[str]) -> Iterator[tuple[str | None, int, str]]:
    """Yield (channel, index, name); of two names for one channel, the shorter has it."""
    best: dict[str, int] = {}
    for index, name in enumerate(names):
        channel = channel_of(name)
        if channel is None:
            yield None, index, name
        elif channel not in best or len(name) < len(names[best[channel]]):
            best[channel] = index
    yield from ((channel, index, names[index]) for channel, index in best.items())


def _vrm1(glb: Glb) -> Iterator[tuple[str, list[Target]]]:
    expressions = _at(glb.document, "extensions", "VRMC_vrm", "expressions")
    nodes = glb.items("nodes")
    for kind in ("custom", "preset"):
        for name, expression in _at(expressions, kind).items():
            targets = []
            for part in _list(expression, "morphTargetBinds"):
                node = part.get("node", -1)
                if 0 <= node < len(nodes) and "mesh" in nodes[node]:
                    weight = float(part.get("weight", 1.0))
                    targets.append(Target(nodes[node]["mesh"], int(part["index"]), weight))
            yield name, targets


def _vrm0(glb: Glb) -> Iterator[tuple[str, list[Target]]]:
    master = _at(glb.document, "extensions", "VRM", "blendShapeMaster")
    for group in _list(master, "blendShapeGroups"):
        yield (
            str(group.get("name", "")),
            [
                Target(int(part["mesh"]), int(part["index"]), float(part.get("weight", 100)) / 100)
                for part in _list(group, "binds")
            ],
        )


def _at(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []
