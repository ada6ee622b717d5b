"""Read YAML strictly: what is written is what is meant, and a hostile file costs nothing.

PyYAML scans and parses; which plain words are numbers is decided here, because YAML 1.1 reads
``no`` as false, ``010`` as 8 and ``1:30`` as 90. Words: ``true`` and ``false``, ``null``, ``~`` or
nothing, decimal integers without leading zeros, decimal numbers (``1e-3`` and ``.5`` too); anything
else is text. Anchors, aliases, merge keys, tags, duplicate keys and second documents are refused.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from yaml.composer import Composer
from yaml.error import Mark, MarkedYAMLError, YAMLError
from yaml.events import AliasEvent, Event, MappingStartEvent, ScalarEvent, SequenceStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from facewire.errors import ProfileError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32

_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# What text cannot hold: NUL ends a C string (and a path), a lone surrogate has no UTF-8.
_UNFIT = re.compile("[\0\ud800-\udfff]")


class _Refused(Exception):
    """A construct that is refused, and where it is."""

    def __init__(self, text: str, mark: Any) -> None:
        super().__init__(text)
        self.mark: Mark = mark


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's parser, without its resolver and constructor, and with a bound on nesting."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose a node after a look at the event that opens it."""
        event: Event = self.peek_event()  # type: ignore[no-untyped-call]
        _check_event(event, self.depth)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def show(text: str) -> str:
    """Return ``text`` in quotes for an error: one line, no control characters, 40 at most."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _check_event(event: Event, depth: int) -> None:
    mark = event.start_mark
    if isinstance(event, AliasEvent):
        raise _Refused(f"alias {show(f'*{event.anchor}')} is not allowed: write the value", mark)
    if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
        return
    if event.anchor is not None:
        raise _Refused(f"anchor {show(f'&{event.anchor}')} is not allowed: remove it", mark)
    if event.tag is not None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
        raise _Refused(f"tag {show(tag)} is not allowed: remove it", mark)
    if depth >= MAX_DEPTH:
        raise _Refused(f"nested too deeply: at most {MAX_DEPTH} levels", mark)


def scalar(text: str) -> bool | int | float | str | None:
    """Return what a plain YAML word stands for: a boolean, null, a number, or the text itself.

    ValueError for a number that 64 bits cannot hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
            raise ValueError("the number is too large: put it in quotes if it is text")
        return int(text)
    if _NUMBER.fullmatch(text):
        if not math.isfinite(float(text)):
            raise ValueError("the number is too large: put it in quotes if it is text")
        return float(text)
    return text


def _scalar_node(node: ScalarNode) -> Any:
    if _UNFIT.search(node.value):
        raise _Refused("the text holds NUL or half a surrogate pair: remove it", node.start_mark)
    if node.style is not None:
        return node.value
    try:
        return scalar(node.value)
    except ValueError as error:
        raise _Refused(str(error), node.start_mark) from None


def _mapping(node: MappingNode) -> dict[Any, Any]:
    values: dict[Any, Any] = {}
    lines: dict[Any, int] = {}
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        if not isinstance(key_node, ScalarNode):
            raise _Refused("a key must be one word, not a list or mapping", mark)
        if key_node.value == "<<" and key_node.style is None:
            raise _Refused("merge key '<<' is not allowed: write the keys again", mark)
        key = _scalar_node(key_node)
        if key in lines:
            first = f"first in line {lines[key]}"
            raise _Refused(f"key {show(key_node.value)} is written twice ({first}): keep one", mark)
        lines[key] = mark.line + 1
        values[key] = _value(value_node)
    return values


def _value(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(node)
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    assert isinstance(node, ScalarNode)
    return _scalar_node(node)


def _parse(text: str) -> Any:
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except (ValueError, OverflowError):
        # PyYAML passes an escape such as \\U00110000 to chr() unchecked.
        mark = None if loader is None else loader.get_mark()
        raise _Refused("a character escape is wrong: there is no such character", mark) from None
    return None if node is None else _value(node)


def _read(path: Path, where: str) -> str:
    try:
        if not path.exists():
            raise ProfileError(f"{where}: no such file")
        if not path.is_file():
            raise ProfileError(f"{where}: not a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ProfileError(f"{where}: cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise ProfileError(f"{where}: too large: at most {MAX_BYTES // 1_000_000} MB")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ProfileError(f"{where}:1:1: found UTF-16, expected UTF-8: save the file as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        text = f"found byte 0x{data[error.start]:02x}, expected UTF-8: save the file as UTF-8"
        raise ProfileError(f"{where}:{line}:{column}: {text}") from None


def _check_text(text: str, where: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ProfileError(f"{where}: too large: at most {MAX_BYTES // 1_000_000} MB")
    if text.startswith("\ufeff"):
        raise ProfileError(f"{where}:1:1: found a byte order mark: save as UTF-8 without BOM")


def _braces(text: str, mark: Mark) -> bool:
    """Tell whether the line holds ``key: {out}/…``, which YAML takes for a mapping."""
    start = text.rfind("\n", 0, mark.index) + 1
    line = text[start : start + 1000].split("\n")[0]
    return re.search(r"[:-] +\{\w+\}[^\s,}\]]", line) is not None


def _explain(error: Exception, text: str) -> tuple[str, int, int]:
    """Return what is wrong in one line, and its line and column from 1."""
    if isinstance(error, _Refused):
        return str(error), error.mark.line + 1, error.mark.column + 1
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        return f"found control character U+{ord(text[error.position]):04X}: remove it", line, column
    assert isinstance(error, MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    if text[mark.index : mark.index + 1] == "\t":
        return "found a tab, expected spaces: indent with spaces", mark.line + 1, mark.column + 1
    if (error.context or "").startswith("expected a single document"):
        problem = "found a second document ('---'), expected one: remove it"
        return problem, mark.line + 1, mark.column + 1
    parts = [part for part in (error.problem, error.context) if part]
    hint = "; put a value that begins with { in quotes" if _braces(text, mark) else ""
    problem = " ".join(" ".join(parts).split())
    return f"not YAML: {problem}{hint}", mark.line + 1, mark.column + 1


def load_yaml(source: Path | str, where: str) -> Any:
    """Read one YAML document from a file (Path) or a text (str); None if it is empty.

    ``where`` names the source in errors. ProfileError, one line with ``where:line:column``, for
    anything that is not strict YAML in UTF-8 of at most 1 MB and 32 levels.
    """
    text = _read(source, where) if isinstance(source, Path) else source
    _check_text(text, where)
    try:
        return _parse(text)
    except (YAMLError, _Refused) as error:
        problem, line, column = _explain(error, text)
        raise ProfileError(f"{where}:{line}:{column}: {problem}") from None
