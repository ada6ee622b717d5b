"""Driven shape keys: what drives them, and switching drivers off so that it can be undone.

A key on a driven property has no effect: the driver writes over it. So what drives it is keyed.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import bpy

from . import expression
from .inverse import Function as Function
from .inverse import invert

_DEEPEST = 4
_INDEX = re.compile(r"^(.*)\[(\d+)\]$")
_AXES = {"X": 0, "Y": 1, "Z": 2}
_MOVES = {"LOC": "location", "ROT": "rotation_euler", "SCALE": "scale"}
_MIXED: Mapping[str, Callable[[Iterable[float]], float]] = {
    "AVERAGE": lambda values: statistics.fmean(values), "SUM": sum, "MIN": min, "MAX": max,
}  # fmt: skip
_MUTED = "facewire_muted"


class Source(NamedTuple):
    """What is keyed in place of a driven property, and the property as a function of it."""

    id: bpy.types.ID
    path: str
    axis: int
    function: Function


def driver_of(block: bpy.types.ID, path: str, index: int = 0) -> bpy.types.FCurve | None:
    """Return the driver that writes a property; None if there is none that works."""
    found = block.animation_data
    for curve in found.drivers if found else ():
        same = curve.data_path == path and curve.array_index == index
        if same and not curve.mute and curve.driver:
            return curve
    return None


def sources(block: bpy.types.ID) -> list[bpy.types.ID]:
    """Return the datablocks that a datablock's drivers read, and those that drive these."""
    found: dict[bpy.types.ID, None] = {}
    todo = [block]
    while todo:
        held = todo.pop().animation_data
        for curve in [each for each in held.drivers if not each.mute] if held else ():
            targets = (t.id for v in curve.driver.variables for t in v.targets if t.id)
            new = [target for target in dict.fromkeys(targets) if target not in found]
            found.update(dict.fromkeys(new))
            todo += new
    return [each for each in found if each != block]


def source_of(block: bpy.types.ID, path: str, index: int = 0, deep: int = _DEEPEST) -> Source | str:
    """Return what drives a property in the end, drivers of drivers followed; or why not."""
    curve = driver_of(block, path, index)
    if curve is None:
        return Source(block, path, index, lambda value: value)
    if not deep:
        return "drivers drive each other"
    found = _followed(curve)
    if isinstance(found, str):
        return found
    outer = source_of(found.id, found.path, found.axis, deep - 1)
    if isinstance(outer, str):
        return outer
    inner, before = found.function, outer.function
    return outer._replace(function=lambda value: inner(before(value)))


def _followed(curve: Any) -> Source | str:
    """Return the one variable that moves a driver, others held as they are now; or why not."""
    driver = curve.driver
    if driver.use_self or not driver.variables:
        return "its driver reads no variable that can be keyed"
    try:
        formula = _formula(driver)
    except ValueError as error:
        return str(error)
    places: dict[str, tuple[bpy.types.ID, str, int]] = {}
    for variable in driver.variables:
        place = _property(variable) if variable.type == "SINGLE_PROP" else _transform(variable)
        if isinstance(place, str):
            return place
        places[variable.name] = place
    now = {name: _now(*place) for name, place in places.items()}
    shaped = bool(curve.keyframe_points) or bool(curve.modifiers)

    def moved_by(name: str) -> Function:
        def function(value: float) -> float:
            made = formula({**now, name: value})
            return float(curve.evaluate(made)) if shaped else made

        return function

    found = [Source(*place, moved_by(name)) for name, place in places.items()]
    if len(found) > 1:
        found = [each for each in found if _moves(each)]
    if len(found) != 1:
        return f"its driver has {len(places)} variables, and it is not clear which to key"
    return found[0]


def _formula(driver: Any) -> expression.Formula:
    if driver.type == "SCRIPTED":
        return expression.read(driver.expression)
    how = _MIXED[driver.type]
    return lambda values: float(how(values.values()))


def _now(block: bpy.types.ID, path: str, index: int) -> float:
    value = block.path_resolve(path)
    return float(value[index] if hasattr(value, "__len__") else value)


def _moves(source: Source) -> bool:
    rest = rest_of(source.id, source.path)
    return invert(lambda moved: source.function(rest + moved)) is not None


def _property(variable: Any) -> tuple[bpy.types.ID, str, int] | str:
    target = variable.targets[0]
    if target.id is None or not target.data_path:
        return "its driver points at nothing"
    path, index = target.data_path, 0
    try:
        value = target.id.path_resolve(path)
    except ValueError:
        return f"its driver points at '{path}', which is not there"
    if not isinstance(value, (int, float)):
        return f"its driver reads '{path}', which is no number"
    split = _INDEX.match(path)
    if split and not path.endswith('"]'):
        path, index = split[1], int(split[2])
    return target.id, path, index


def _transform(variable: Any) -> tuple[bpy.types.ID, str, int] | str:
    target = variable.targets[0]
    if variable.type != "TRANSFORMS":
        return f"its driver measures {variable.type.lower().replace('_', ' ')}"
    kind, _, axis = target.transform_type.partition("_")
    if target.id is None or kind not in _MOVES or axis not in _AXES:
        return f"its driver reads {target.transform_type.lower()}"
    free = not target.bone_target and target.id.parent is None
    if target.transform_space != "LOCAL_SPACE" and not free:
        return "its driver reads a place in the world, expected local space"
    if kind == "ROT" and target.rotation_mode not in ("AUTO", "XYZ"):
        return f"its driver reads {target.rotation_mode.lower()} rotation"
    path = _MOVES[kind]
    if target.bone_target:
        if target.id.pose is None or target.bone_target not in target.id.pose.bones:
            return f"its driver's bone '{target.bone_target}' is not there"
        path = f'pose.bones["{bpy.utils.escape_identifier(target.bone_target)}"].{path}'
    return target.id, path, _AXES[axis]


def rest_of(block: bpy.types.ID, path: str) -> float:
    """Return where a control is at rest: 1 for a scale, else 0."""
    return 1.0 if path.endswith("scale") else 0.0


def mute(curves: Iterable[tuple[bpy.types.ID, bpy.types.FCurve]]) -> int:
    """Switch drivers off and remember which; return how many were on."""
    count = 0
    for block, curve in curves:
        known = json.loads(block.get(_MUTED, "[]"))
        block[_MUTED] = json.dumps([*known, [curve.data_path, curve.array_index]])
        curve.mute = True
        count += 1
    return count


def restore(block: bpy.types.ID) -> int:
    """Switch on again what ``mute`` switched off; return how many."""
    known = {(path, index) for path, index in json.loads(block.get(_MUTED, "[]"))}
    found = block.animation_data
    count = 0
    for curve in found.drivers if found else ():
        if (curve.data_path, curve.array_index) in known and curve.mute:
            curve.mute = False
            count += 1
    if _MUTED in block:
        del block[_MUTED]
    return count
