"""Errors in Blender's own way: one line in the status bar and the info log."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class AddonError(Exception):
    """One line that says where, what was found, what was expected and what to do."""


def cause(error: OSError) -> str:
    """Return what the system says of a file, in lower case."""
    return (error.strerror or str(error)).lower()


def reports(method: Callable[..., set[str]]) -> Callable[..., set[str]]:
    """Let an operator's method report an AddonError (or OSError) and cancel."""

    def told(self: Any, *args: Any) -> set[str]:
        try:
            return method(self, *args)
        except AddonError as error:
            self.report({"ERROR"}, str(error))
        except OSError as error:
            self.report({"ERROR"}, f"{error.filename or 'a file'}: {cause(error)}")
        return {"CANCELLED"}

    @functools.wraps(method)
    def with_context(self: Any, context: Any) -> set[str]:
        return told(self, context)

    @functools.wraps(method)
    def with_event(self: Any, context: Any, event: Any) -> set[str]:
        return told(self, context, event)

    # Blender counts a method's arguments
    return with_event if method.__code__.co_argcount == 3 else with_context
