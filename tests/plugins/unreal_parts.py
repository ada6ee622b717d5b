"""What the published stub of Unreal's Python says: a slice to type-check against, and a fake.

The fake is made from the stub: every class, method, argument and property must be there, or the
call fails. It records calls and answers with what a test gives it, or with another fake.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INTEGRATION = Path(__file__).parents[2] / "integrations/unreal"
CODE = INTEGRATION / "FacewireTools/Content/Python/facewire_unreal"
WHEEL = "unreal_stub-0.3-py3-none-any.whl"
SHA256 = "8fc686af01b50654116ca7316c4d1c28538f91af18f1b46d196da2142f7e84c3"
HEAD = """# mypy: ignore-errors
from __future__ import annotations
from collections.abc import *
from typing import *
from types import TracebackType
_T = TypeVar('_T')
_ElemType = TypeVar('_ElemType')
_KeyType = TypeVar('_KeyType')
_ValueType = TypeVar('_ValueType')
_EngineSubsystemTypeVar = TypeVar('_EngineSubsystemTypeVar')
_EditorSubsystemTypeVar = TypeVar('_EditorSubsystemTypeVar')
"""
ROOTS = {"Name", "Text", "Array", "Map", "Class", "Object", "StructBase", "EnumBase"}
_CLASS = re.compile(r"^class (\w+)(?:\((.*)\))?:\n((?:[ \t].*\n|\n)*)", re.MULTILINE)


def published() -> str:
    """Return unreal-stub's source, kept between runs; skip where it cannot be had."""
    default = Path(tempfile.gettempdir()) / f"facewire-unreal-stub-{os.getuid()}"
    cache = Path(os.environ.get("FACEWIRE_TEST_CACHE", default))
    wheel = cache / WHEEL
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache)]
        done = subprocess.run([*pip, "unreal-stub==0.3"], capture_output=True, text=True)
        if done.returncode:
            pytest.skip("unreal-stub 0.3 is not in the cache and cannot be downloaded")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    with zipfile.ZipFile(wheel) as file:
        return file.read("unreal/unreal.py").decode("utf-8-sig").replace("\r\n", "\n")


def used() -> set[str]:
    """Return the names that the plugin takes from ``unreal``."""
    found = set()
    for path in CODE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found |= {node.attr} if node.value.id == "unreal" else set()
    return found


def sliced(source: str) -> str:
    """Return the stub's classes that the plugin meets, as a module that parses.

    The stub as it is published does not (a default that is no Python). Docstrings go; what a
    signature names and the slice has not is Any. Arguments take what Unreal converts by itself:
    str for Name and Text, any sequence for Array, a type for Class.
    """
    own = (INTEGRATION / "stubs/livelink.pyi").read_text("utf-8")
    own = "".join(line for line in own.splitlines(True) if not line.startswith("from "))
    source = re.sub(r'r"""(?:.|\n)*?"""\n', "...\n", source)
    classes = {m[1]: (m[0], m[2] or "") for m in _CLASS.finditer(source + "\n" + own)}
    functions = re.findall(r"^def \w+\(.*\).*:\n", source, re.MULTILINE)
    wanted, level = set(), (used() | ROOTS) & set(classes)
    for _ in range(3):  # what is named, what its methods return, and what those return
        level = _with_bases(level, classes)
        wanted |= level
        returned = " ".join(
            hint for name in level for hint in re.findall(r"-> (.*):\n", classes[name][0])
        )
        level = (set(re.findall(r"\w+", returned)) & set(classes)) - wanted
    order = [name for name in classes if name in wanted]
    body = "".join(_eased(classes[name][0]) for name in order)
    body += "".join(_eased(line) + "    ...\n" for line in functions if _named(line) in used())
    known = wanted | set(dir(builtins)) | {"Any"}
    missing = sorted(set(re.findall(r"\b[A-Z]\w+", body)) - known - set(_typing()))
    return HEAD + "".join(f"{name}: TypeAlias = Any\n" for name in missing) + body


def _with_bases(names: set[str], classes: dict[str, tuple[str, str]]) -> set[str]:
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        found.add(name)
        todo += [b for b in re.findall(r"\w+", classes[name][1]) if b in classes and b not in found]
    return found


def _named(line: str) -> str:
    return line[4 : line.index("(")]


def _typing() -> list[str]:
    import collections.abc
    import typing

    return [*typing.__all__, *collections.abc.__all__, "TracebackType"]


def _eased(text: str) -> str:
    """Loosen arguments by Unreal's own conversions; defaults that are data become ``...``."""
    lines = []
    for line in text.splitlines(True):
        if line.lstrip().startswith("def "):
            call, arrow, hint = line.rpartition(" -> ")
            call, arrow, hint = (call, arrow, hint) if arrow else (line, "", "")
            call = re.sub(r" = \[.*?\](?=, \w+: |\))", " = ...", call)
            call = re.sub(r" = (?:\w+\.\w+|None)(?=[,)])", " = ...", call)
            call = re.sub(r": (Name|Text)\b", r": \1 | str", call)
            call = re.sub(r": Array\[", ": Sequence[", call)
            call = re.sub(r": Class\b", ": Class | type", call)
            call = re.sub(r": (Factory)\b", r": \1 | None", call)
            line = call + arrow + hint
        lines.append(line)
    return "".join(lines)


class Unreal(types.ModuleType):
    """A fake ``unreal``: ``calls`` is what was called, ``answers`` what tests make of calls."""

    def __init__(self, stub: str) -> None:
        super().__init__("unreal")
        tree = ast.parse(stub)
        self.nodes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
        self.functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        self.made: dict[str, type] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.answers: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        if name in self.functions:
            return lambda *a, **k: self.call(name, self.functions[name], None, a, k)
        if name not in self.nodes:
            raise AttributeError(f"the stub has no unreal.{name}")
        if name not in self.made:
            self.made[name] = self._class(name)
        return self.made[name]

    def _class(self, name: str) -> type:
        unreal, node = self, self.nodes[name]
        bases = tuple(
            getattr(self, base.id)
            for base in node.bases
            if isinstance(base, ast.Name) and base.id in self.nodes
        )
        if name == "ScopedSlowTask":
            bases = ()

        class Meta(type):
            def __getattr__(cls, attr: str) -> Any:
                return unreal.member(cls, None, attr)

        def of(one: Any, attr: str) -> Any:
            return unreal.member(type(one), one, attr)

        def put(one: Any, attr: str, value: Any) -> None:
            unreal.assign(one, attr, value)

        def begin(one: Any, *args: Any, **kwargs: Any) -> None:
            init = unreal.find(type(one), "__init__")
            if init:
                bind(init, args, kwargs, type(one).__name__)

        space = {"__getattr__": of, "__setattr__": put, "__init__": begin}
        if name == "ScopedSlowTask":
            space["__enter__"] = lambda one: one
            space["__exit__"] = lambda one, *_: None
        plain = bases and any(type(base) is not type for base in bases)
        return (type(bases[0]) if plain else Meta)(name, bases, space)

    def find(self, cls: type, attr: str) -> Any:
        """Return the stub's definition of an attribute, in the class or a base."""
        for one in cls.__mro__:
            for node in getattr(self.nodes.get(one.__name__), "body", ()):
                if isinstance(node, ast.FunctionDef) and node.name == attr:
                    return node
                target = getattr(node, "target", None)
                if isinstance(node, ast.AnnAssign) and getattr(target, "id", "") == attr:
                    return node
        return None

    def member(self, cls: type, one: Any, attr: str) -> Any:
        node = self.find(cls, attr)
        if node is None or attr.startswith("__"):
            raise AttributeError(f"the stub has no {cls.__name__}.{attr}")
        if isinstance(node, ast.AnnAssign):
            return f"{cls.__name__}.{attr}"
        marks = {ast.unparse(mark) for mark in node.decorator_list}
        if marks & {"property"} or any(mark.endswith(".setter") for mark in marks):
            return self.call(f"{cls.__name__}.{attr}", node, one, (), {})
        assert one is not None or "classmethod" in marks, f"{cls.__name__}.{attr} wants an instance"
        return lambda *a, **k: self.call(f"{cls.__name__}.{attr}", node, one, a, k)

    def assign(self, one: Any, attr: str, value: Any) -> None:
        if not attr.startswith("_"):
            assert self.find(type(one), attr), f"the stub has no {type(one).__name__}.{attr}"
            self.calls.append((f"{type(one).__name__}.{attr}=", (value,)))
        object.__setattr__(one, attr, value)

    def call(self, name: str, node: Any, one: Any, args: Any, kwargs: Any) -> Any:
        bind(node, args, kwargs, name)
        self.calls.append((name, args))
        if name in self.answers:
            return self.answers[name](*args, **kwargs)
        return self.default(node.returns)

    def default(self, hint: Any) -> Any:
        text = ast.unparse(hint) if hint else "None"
        if text.startswith("Array["):
            return []
        plain = {"bool": True, "str": "", "int": 0, "float": 0.0, "Name": "", "Text": ""}
        if text in plain:
            return plain[text]
        return getattr(self, text)() if text in self.nodes else None


def bind(node: Any, args: Any, kwargs: Any, name: str) -> None:
    """Fail where the stub's signature does not take these arguments."""
    names = [a.arg for a in node.args.args if a.arg not in ("self", "cls")]
    assert len(args) <= len(names) or node.args.vararg, f"{name}: {len(args)} arguments"
    unknown = set(kwargs) - set(names[len(args) :])
    assert not unknown, f"{name}: the stub has no argument {unknown}"
    needed = names[len(args) : len(names) - len(node.args.defaults)]
    missing = set(needed) - set(kwargs)
    assert not missing, f"{name}: {missing} missing"
