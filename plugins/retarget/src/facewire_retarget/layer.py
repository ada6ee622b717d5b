"""The layer ``retarget``: channels by a table, closures kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from facewire.articulation import lip_gap
from facewire.articulation.closures import CLOSED
from facewire.rig import Rig
from facewire.stages import Layer
from facewire.types import Block, FloatArray, Frames

from facewire_retarget.tables import GAP, INPUTS, Mix, Row, Table

OPEN = 2 * CLOSED
"""The gap from which on a channel is what its mix makes; below CLOSED it is its ``closed``."""
FLOAT = np.float32
LARGEST = FLOAT(1e30)
"""Inputs are held to this, so that no sum of them overflows."""
SHOWN = 8  # names in one line
STILL = 1e-3
"""A divisor below this makes a ratio 0: that channel does nothing there."""


class Retarget(Layer):
    """Makes each channel of a table from a frame alone; nothing is held back."""

    def __init__(self, table: Table, given: Rig) -> None:
        self.rig = table.rig
        self._bound = Bound(table, given)

    def push(self, block: Block) -> Frames:
        """Return the frames made by the table."""
        frames = block.frames
        if frames.rig != self._bound.given:  # inside a sink that wants a rig of its own
            self._bound = Bound(self._bound.table, frames.rig)
        return replace(frames, values=self._bound.apply(frames.values), rig=self._bound.out)

    def report(self) -> Sequence[str]:
        """Say which channels the table names and the frames do not have."""
        names = self._bound.missing
        if not names:
            return ()
        shown = ", ".join(names[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return (
            f"retarget '{self._bound.table.name}': the table names {shown}{more}, and the rig "
            f"'{self._bound.given.name}' has none of them: there it does nothing",
        )


class Bound:
    """A table bound to the rig of the frames it is given.

    A table without a rig changes the channels that it names and leaves the others. Where the lips
    of the given frame are closed (gap under .03, faded out to .06), ``closed`` is taken, and where
    the result has jawOpen and mouthClose, mouthClose is raised until its gap is that of the given.
    """

    def __init__(self, table: Table, given: Rig) -> None:
        self.table, self.given = table, given
        self.out = table.rig or given
        self._rows = [row for name, row in table.rows.items() if name in self.out]
        self._columns = self.out.indices(*table.rows)
        self._mix = _weights([row.inputs for row in self._rows])
        held = [row.closed for row in self._rows]
        self._holds = np.array([closed is not None for closed in held], FLOAT)
        self._closed = _weights([c if isinstance(c, dict) else {} for c in held])
        self._rest = np.array([c if isinstance(c, float) else 0.0 for c in held], FLOAT)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The channels that the table reads or changes and the given rig does not have."""
        made = () if self.table.rig else tuple(self.table.rows)
        read = (name for row in self.table.rows.values() for name in row.read)
        named = dict.fromkeys([*made, *read])
        return tuple(name for name in named if name not in self.given and name != GAP)

    def apply(self, values: FloatArray) -> FloatArray:
        """Return (n, channels of the table's rig) of frames (n, channels of the given rig)."""
        given = np.clip(values, -LARGEST, LARGEST)
        if self.table.mirror:
            given = given[:, self._mirrored] * self._signs
        gap = lip_gap(given, self.given)
        inputs = self._inputs(given, gap)
        shut = np.clip((OPEN - gap) / (OPEN - CLOSED), 0.0, 1.0)[:, None]  # (n, 1)
        made = np.empty((len(values), len(self._rows)), FLOAT)
        mixed = inputs @ self._mix
        for i, row in enumerate(self._rows):
            made[:, i] = _shaped(_ratio(inputs, row) if row.ratio else mixed[:, i], row)
        held = shut * self._holds * self._moving(inputs)
        made += held * (inputs @ self._closed + self._rest - made)
        out = (
            given.copy()
            if self.table.rig is None
            else np.zeros((len(values), len(self.out)), FLOAT)
        )
        out[:, self._columns] = made
        return self._met(out, gap, shut[:, 0])

    def _inputs(self, values: FloatArray, gap: FloatArray) -> FloatArray:
        """Return (n, len(INPUTS)); what the rig lacks is 0."""
        inputs = np.zeros((len(values), len(INPUTS)), FLOAT)
        inputs[:, self._to] = values[:, self._from]
        inputs[:, -1] = np.maximum(gap, 0.0)
        return inputs

    @cached_property
    def _from(self) -> list[int]:
        return [i for i, name in enumerate(self.given.channels) if name in INPUTS]

    @cached_property
    def _to(self) -> list[int]:
        return [INPUTS.index(self.given.channels[i]) for i in self._from]

    def _moving(self, inputs: FloatArray) -> FloatArray:
        """Return (n, rows) 1, and 0 where a ratio's divisor is still: it has nothing to close."""
        moving = np.ones((len(inputs), len(self._rows)), FLOAT)
        for i, row in enumerate(self._rows):
            if row.ratio:
                moving[:, i] = inputs[:, INPUTS.index(row.ratio[1])] >= STILL
        return moving

    @cached_property
    def _mirrored(self) -> list[int]:
        """The column of each channel's other side."""
        return [self.given.index(other(name)) for name in self.given.channels]

    @cached_property
    def _signs(self) -> FloatArray:
        turned = [name.endswith(("Yaw", "Roll")) for name in self.given.channels]
        return np.where(turned, -1, 1).astype(FLOAT)

    def _met(self, values: FloatArray, gap: FloatArray, shut: FloatArray) -> FloatArray:
        """Raise mouthClose where the given lips were closer than these are."""
        if "mouthClose" in self.out and "jawOpen" in self.out:
            apart = np.clip(lip_gap(values, self.out) - np.maximum(gap, 0.0), 0.0, LARGEST)
            values[:, self.out.index("mouthClose")] += shut * apart
        return values


def other(name: str) -> str:
    """Return the channel on the other side; the name itself where it has no side."""
    for one, two in (("Left", "Right"), ("left", "right")):
        for a, b in ((one, two), (two, one)):
            if name.endswith(a) or (name.startswith(a) and name[len(a)].isupper()):
                return name.replace(a, b, 1) if name.startswith(a) else name[: -len(a)] + b
    return name


def _weights(mixes: list[Mix]) -> FloatArray:
    """Return (len(INPUTS), len(mixes))."""
    out = np.zeros((len(INPUTS), len(mixes)), FLOAT)
    for i, mix in enumerate(mixes):
        for name, weight in mix.items():
            out[INPUTS.index(name), i] = weight
    return out


def _ratio(inputs: FloatArray, row: Row) -> FloatArray:
    assert row.ratio
    above, below = (inputs[:, INPUTS.index(name)] for name in row.ratio)
    still = below < STILL
    found: FloatArray = np.where(still, 0.0, above / np.where(still, 1.0, below)).astype(FLOAT)
    return found


def _shaped(given: FloatArray, row: Row) -> FloatArray:
    """Return given (n,) after dead zone, curve, gain, offset and range."""
    x = given.astype(np.float64)
    if row.dead:
        x = np.sign(x) * np.maximum(np.abs(x) - row.dead, 0.0) / (1.0 - row.dead)
    if row.curve:
        points = np.array(row.curve)
        x = np.interp(x, points[:, 0], points[:, 1])
    shaped: FloatArray = np.clip(x * row.gain + row.offset, row.low, row.high).astype(FLOAT)
    return shaped
