"""Driver expressions, read without running them as Python.

What Blender calls simple expressions: numbers, variables, arithmetic, comparisons, its
functions and ``a if b else c``. Anything else is a ValueError.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Formula = Callable[[Mapping[str, float]], float]
_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_UNARY: Mapping[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}  # fmt: skip


def _clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(value, low), high)


def _lerp(one: float, other: float, part: float) -> float:
    return one * (1 - part) + other * part


def _smoothstep(low: float, high: float, value: float) -> float:
    at = _clamp((value - low) / (high - low))
    return at * at * (3 - 2 * at)


_NAMES = {"pi": math.pi, "e": math.e, "tau": math.tau, "True": 1.0, "False": 0.0}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min, "max": max, "abs": abs, "round": round, "int": int, "float": float, "pow": pow,
    "clamp": _clamp, "lerp": _lerp, "smoothstep": _smoothstep,
    **{name: getattr(math, name) for name in (
        "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "floor",
        "ceil", "trunc", "fabs", "fmod", "radians", "degrees",
    )},
}  # fmt: skip


def read(text: str) -> Formula:
    """Return a formula of the variables' values; ValueError if it is none of the simple kind."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError):
        raise ValueError(f"'{text[:40]}' is no expression") from None
    _check(tree)

    def formula(values: Mapping[str, float]) -> float:
        return float(_value(tree, values))

    return formula


def _check(node: Any) -> None:
    known = (
        ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.IfExp,
        ast.BoolOp,
    )  # fmt: skip
    if isinstance(node, ast.expr) and not isinstance(node, known):
        raise ValueError(f"{type(node).__name__.lower()} is more than a simple expression")
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords:
            raise ValueError("it calls a function that is not Blender's own")
        children: list[Any] = list(node.args)
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        _check(child)


def _value(node: Any, values: Mapping[str, float]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in values and node.id not in _NAMES:
            raise ValueError(f"'{node.id}' is no variable of the driver")
        return values.get(node.id, _NAMES.get(node.id))
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.Call):
        called: Any = node.func
        return _FUNCTIONS[called.id](*(_value(each, values) for each in node.args))
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, values) else node.orelse, values)
    if isinstance(node, ast.BoolOp):
        found = [bool(_value(each, values)) for each in node.values]
        return all(found) if isinstance(node.op, ast.And) else any(found)
    sides = [_value(each, values) for each in (node.left, *node.comparators)]
    tests = zip(node.ops, sides, sides[1:], strict=False)
    return all(_BINARY[type(how)](one, other) for how, one, other in tests)
