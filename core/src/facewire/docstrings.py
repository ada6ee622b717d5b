"""Read what a dataclass says of its fields: the one place where an option is documented."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from types import MappingProxyType


@cache
def field_docs(kind: type) -> MappingProxyType[str, str]:
    """Return each field's meaning in one line; ``""`` where none is written.

    It is the string under the field, or what follows the field's name (in double backquotes) in
    the class's docstring, up to the next field's name.
    """
    names = tuple(getattr(kind, "__dataclass_fields__", ()))
    docs = {name: _mentioned(name, names, kind.__doc__ or "") for name in names}
    return MappingProxyType(docs | _under_fields(kind))


def _mentioned(name: str, names: Sequence[str], text: str) -> str:
    others = "|".join(names)
    end = rf"(?=\s``(?:{others})``|\n\s*\n|\Z)"
    following = re.search(rf"``{name}``:?\s(.+?){end}", text, re.DOTALL)
    return " ".join(following[1].split()) if following else ""


def _under_fields(kind: type) -> dict[str, str]:
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    found = {}
    for above, below in pairwise(body.body if isinstance(body, ast.ClassDef) else []):
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[above.target.id] = " ".join(text.split())
    return found
