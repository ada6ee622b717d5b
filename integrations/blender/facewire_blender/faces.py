"""What a clip's channels move in the scene: shape keys, what drives them, bones and objects."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy

from . import drivers, turns
from .channels import ROTATIONS, SHAPES, region_of
from .clip import Clip
from .errors import AddonError
from .inverse import Inverse, combined, invert
from .match import matches
from .options import Options

Place = tuple[bpy.types.ID, str, int]
"""Where an F-curve is: datablock, data path, index."""
IDENTITY = Inverse((0.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class Row:
    """A line of the table of matches. ``how``: key, driver source, muted driver, bone, skipped."""

    channel: str
    object: str
    key: str
    how: str


@dataclass(frozen=True)
class Track:
    """Values (n,) for one F-curve; ``unit`` is how far it goes for a channel of 1."""

    id: bpy.types.ID
    path: str
    index: int
    region: str
    channels: tuple[str, ...]
    values: array[float]
    rest: float = 0.0
    unit: float = 1.0

    @property
    def place(self) -> Place:
        """Where its F-curve is."""
        return self.id, self.path, self.index


@dataclass
class Control:
    """A property that is keyed, and the channels that it serves."""

    id: bpy.types.ID
    path: str
    index: int
    pulls: list[tuple[str, Inverse]] = field(default_factory=list)
    functions: dict[str, drivers.Function] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region of its first channel."""
        return region_of(self.pulls[0][0])

    def track(self, clip: Clip) -> Track | None:
        """Return its values for a clip; None if the clip has none of its channels."""
        there = [(channel, pull) for channel, pull in self.pulls if channel in clip.channels]
        if not there:
            return None
        first = there[0][1]
        if len(there) == 1 and first is IDENTITY:
            values = clip.column(there[0][0])
        else:
            columns = [clip.column(channel) for channel, _ in there]
            named = [channel for channel, _ in there]
            values = array(
                "f",
                [
                    combined(there, dict(zip(named, row, strict=True)))
                    for row in zip(*columns, strict=True)
                ],
            )
        names = tuple(channel for channel, _ in there)
        where = (self.id, self.path, self.index, self.region, names)
        return Track(*where, values, first.rest, first.span)


@dataclass
class Face:
    """The controls of some objects, what turns with head and eyes, and the table of matches."""

    objects: list[bpy.types.Object]
    controls: list[Control] = field(default_factory=list)
    turned: list[turns.Turned] = field(default_factory=list)
    muted: list[tuple[bpy.types.ID, Any]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def channels(self) -> set[str]:
        """The channels that move something."""
        moved = {channel for control in self.controls for channel, _ in control.pulls}
        return moved.union(*(turns.needed(each.part) for each in self.turned))

    def tracks(self, clip: Clip, regions: Sequence[str] | frozenset[str]) -> list[Track]:
        """Return the F-curves of a clip in some regions."""
        found = [control.track(clip) for control in self.controls if control.region in regions]
        made = _merged([track for track in found if track is not None])
        for each in self.turned:
            region = "head" if each.part == "head" else "gaze"
            needs = tuple(sorted(turns.needed(each.part) & set(clip.channels)))
            if region in regions and needs:
                rotations = [each.rotation(turn) for turn in turns.angles(clip, each.part)]
                rest = each.rotation((0.0, 0.0, 0.0))
                where = (each.object, each.prefix, region, needs)
                made += _rotated(where, each.owner.rotation_mode, rotations, rest)
        return made


def find(objects: Sequence[Any], options: Options, channels: tuple[str, ...] = SHAPES) -> Face:
    """Return what the channels move; AddonError if there is nothing that can be keyed."""
    meshes = [obj for obj in objects if obj.type == "MESH"]
    if not meshes and not options.turns:
        raise AddonError("select the face: a mesh with shape keys")
    keyed = [obj for obj in meshes if obj.data.shape_keys]
    if meshes and not keyed:
        names = ", ".join(obj.name for obj in meshes)
        raise AddonError(f"{names}: has no shape keys, expected ARKit's (jawOpen, mouthClose, ...)")
    face = Face(keyed, turned=turns.find(options.turns))
    face.notes += [f"{obj.name} has no shape keys" for obj in meshes if obj not in keyed]
    for obj in keyed:
        if not obj.data.shape_keys.use_relative:
            raise AddonError(f"{obj.name}: its shape keys are absolute; tick Relative first")
        _match(face, obj, options.drivers, channels)
    if keyed and not any(row.key for row in face.rows):
        first = ", ".join(block.name for block in list(keyed[0].data.shape_keys.key_blocks)[1:5])
        raise AddonError(
            f"{keyed[0].name}: none of its shape keys ({first}, ...) is named as ARKit's"
        )
    for block in dict.fromkeys([c.id for c in face.controls] + [t.object for t in face.turned]):
        _local(block, shown(block))
    return face


def shown(block: bpy.types.ID) -> str:
    """Return the name by which an animator knows a datablock: of shape keys, their object's."""
    mesh = getattr(block, "user", None)
    users = (obj.name for obj in bpy.data.objects if obj.data is not None and obj.data == mesh)
    return str(next(users, block.name))


def _local(block: bpy.types.ID, name: str) -> None:
    """Raise AddonError if a datablock cannot be animated in this file."""
    if block.library is not None:
        raise AddonError(
            f"{name}: is linked from {block.library.filepath}; make it local first "
            "(Object > Relations > Make Local)"
        )
    if block.animation_data and block.animation_data.use_tweak_mode:
        raise AddonError(f"{name}: an NLA strip is in tweak mode; leave it (Tab) first")


def _match(face: Face, obj: Any, how: str, channels: tuple[str, ...]) -> None:
    keys = obj.data.shape_keys
    names = [block.name for block in keys.key_blocks if block != keys.reference_key]
    found = matches(names, channels)
    for channel in sorted(found, key=channels.index):
        for name in found[channel]:
            path = f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'
            row = Row(channel, obj.name, name, _add(face, keys, path, channel, how))
            face.rows.append(row)


def _add(face: Face, keys: bpy.types.ID, path: str, channel: str, how: str) -> str:
    """Add a shape key's value, or what drives it; return how it is keyed."""
    driver = drivers.driver_of(keys, path)
    if driver is None:
        _pull(face, drivers.Source(keys, path, 0, float), channel, IDENTITY)
        return "key"
    if how == "LEAVE":
        return "skipped: it is driven"
    if how == "MUTE":
        face.muted.append((keys, driver))
        _pull(face, drivers.Source(keys, path, 0, float), channel, IDENTITY)
        return "muted driver"
    source = drivers.source_of(keys, path)
    if isinstance(source, str):
        return f"skipped: {source}; mute its driver to key it"
    if source.path.startswith("key_blocks") and source.path.endswith(".value"):
        straight: Inverse | None = IDENTITY if _same(source.function) else invert(source.function)
    else:
        rest = drivers.rest_of(source.id, source.path)
        straight = _from_rest(source.function, rest)
    if straight is None:
        return f"skipped: it does not go from 0 to 1 with {source.path}; mute its driver to key it"
    _pull(face, source, channel, straight)
    note = "" if straight.reach > 0.99 else f" (reaches {straight.reach:.2f})"
    return f"driver source: {source.id.name} {source.path}{note}"


def _same(function: drivers.Function) -> bool:
    return all(abs(function(value) - value) < 1e-6 for value in (0.0, 0.25, 1.0))


def _from_rest(function: drivers.Function, rest: float) -> Inverse | None:
    found = invert(lambda moved: function(rest + moved))
    if found is None:
        return None
    return Inverse(found.values, tuple(rest + control for control in found.controls))


def _pull(face: Face, source: drivers.Source, channel: str, inverse: Inverse) -> None:
    place = (source.id, source.path, source.axis)
    for control in face.controls:
        if (control.id, control.path, control.index) == place:
            if channel not in control.functions:
                control.pulls.append((channel, inverse))
                control.functions[channel] = source.function
            return
    face.controls.append(Control(*place, [(channel, inverse)], {channel: source.function}))


def _merged(tracks: list[Track]) -> list[Track]:
    """Turn angles of bones that do not use Euler angles into what they use."""
    angled: dict[tuple[bpy.types.ID, str], list[Track]] = {}
    rest = []
    for track in tracks:
        prefix = track.path.removesuffix("rotation_euler")
        if prefix != track.path and _owner(track.id, prefix).rotation_mode in (
            "QUATERNION", "AXIS_ANGLE",
        ):  # fmt: skip
            angled.setdefault((track.id, prefix), []).append(track)
        else:
            rest.append(track)
    for (block, prefix), parts in angled.items():
        axes = [array("f", bytes(4 * len(parts[0].values))) for _ in range(3)]
        for part in parts:
            axes[part.index] = part.values
        rotations = turns.from_euler(list(zip(*axes, strict=True)))
        names = tuple(channel for part in parts for channel in part.channels)
        mode = _owner(block, prefix).rotation_mode
        where = (block, prefix, parts[0].region, names)
        rest += _rotated(where, mode, rotations, turns.from_euler([(0, 0, 0)])[0])
    return rest


def _owner(block: bpy.types.ID, prefix: str) -> Any:
    return block.path_resolve(prefix.removesuffix(".")) if prefix else block


def _rotated(
    where: tuple[bpy.types.ID, str, str, tuple[str, ...]], mode: str, rotations: Any, rest: Any
) -> list[Track]:
    block, prefix, region, names = where
    path = prefix + turns.attribute(mode)
    resting = turns.columns(mode, [rest])
    return [
        Track(block, path, index, region, names, column, resting[index][0])
        for index, column in enumerate(turns.columns(mode, rotations))
    ]


def missing(face: Face, clip: Clip) -> list[str]:
    """Return the clip's channels that move and that nothing here stands for."""
    return [
        channel
        for channel in clip.channels
        if channel not in face.channels and channel in {*SHAPES, *ROTATIONS} and clip.moves(channel)
    ]
