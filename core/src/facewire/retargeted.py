"""A sink that gets its frames in another rig, while all others keep theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from facewire.errors import ProfileError
from facewire.stages import Layer, Sink
from facewire.types import Block, Context, RunInfo


def retargeted(sink: Sink, table: str | None, context: Context) -> Sink:
    """Return ``sink`` behind the layer ``retarget`` with a table; itself where there is none.

    For a sink's ``make``, whose config has ``retarget: str | None``: a table's name, or the path
    of one, relative to the profile.
    """
    if table is None:
        return sink
    return Retargeted(sink, nested(table, context))


def nested(table: str, context: Context) -> Layer:
    """Return the layer ``retarget`` with a table; ProfileError where it delays rows."""
    layer = context.build("layer", {"use": "retarget", "table": table})
    assert isinstance(layer, Layer)
    if layer.lookahead:
        raise ProfileError(f"retarget: {table}: a table inside a sink cannot delay rows")
    return layer


class Retargeted(Sink):
    """Passes everything on to a sink, frames through a layer."""

    def __init__(self, sink: Sink, layer: Layer) -> None:
        self._sink, self._layer = sink, layer
        self.live, self.fps, self.rig = sink.live, sink.fps, sink.rig
        self.clock, self.latency, self.path = sink.clock, sink.latency, sink.path

    @property
    def result(self) -> Any:
        """What the sink made."""
        return self._sink.result

    def open(self, info: RunInfo) -> None:
        """Begin, with the rig that the table makes."""
        self._sink.open(replace(info, rig=self._layer.rig or info.rig))

    def push(self, block: Block) -> None:
        """Hand on a block in the other rig."""
        self._sink.push(replace(block, frames=self._layer.push(block)))

    def close(self) -> None:
        """Commit."""
        self._sink.close()

    def abort(self) -> None:
        """Discard."""
        self._sink.abort()

    def reset(self) -> None:
        """Forget all input."""
        self._layer.reset()
        self._sink.reset()

    def report(self) -> Sequence[str]:
        """Return the sink's lines and the table's."""
        return [*self._sink.report(), *self._layer.report()]
