"""How likely it is that a baked line needs a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facewire.stages import Sink
from facewire.types import Block, RunInfo


class Judge(Sink):
    """Listens to a line as it is baked, and scores it."""

    def __init__(self, words: str | None) -> None:
        self._words = words

    def open(self, info: RunInfo) -> None:
        """Begin."""

    def push(self, block: Block) -> None:
        """Take a block."""

    def close(self) -> None:
        """End."""

    def scores(self, notes: Sequence[str]) -> dict[str, Any]:
        """Return the line's scores."""
        return {}
