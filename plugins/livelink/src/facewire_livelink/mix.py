"""The layer ``livelink.mix``: the face above from a phone's take, the mouth from the sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from facewire.delivery import ease
from facewire.errors import InputError, ProfileError
from facewire.resample import FrameResampler, mouth_columns
from facewire.rig import Rig, remap
from facewire.stages import Layer, Source
from facewire.types import Block, Context, FloatArray, Frames

from facewire_livelink.align import shift
from facewire_livelink.plugin import MixConfig

EASE = 0.2  # seconds in which the take comes in at its begin, and goes at its end


class Mix(Layer):
    """Takes all channels but jaw, mouth and tongue from a take of the same speech.

    Where the take's shift is not known, rows wait until ``learn`` seconds of the sound's jaw are
    in; both jaws then tell (``align.shift``), once. What is put out depends on the rows alone.
    """

    def __init__(self, config: MixConfig, context: Context) -> None:
        if config.shift is None and context.causal:
            raise ProfileError("livelink.mix: a live run cannot wait to align; set 'shift' instead")
        if config.learn < 1 or config.within <= 0:
            raise ProfileError("livelink.mix: expected learn of at least 1, within above 0")
        self._config, self._fps, self._rig = config, context.fps, context.rig
        self._upper = np.setdiff1d(np.arange(len(self._rig)), mouth_columns(self._rig))
        self._take = _rows(config.take, context)
        self.lookahead = 0 if config.shift is not None else int(config.learn * self._fps)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        known = self._config.shift
        self._by = None if known is None else round(known * self._fps)
        self._likeness = 0.0
        self._held = np.zeros((0, len(self._rig)), np.float32)
        self._next = 0

    def push(self, block: Block) -> Frames:
        """Take a block; return the rows that are mixed."""
        self._held = np.concatenate([self._held, block.frames.values])
        ready = max(0, len(self._held) - self.lookahead)
        if ready and self._by is None:
            self._learn()
        return replace(block.frames, values=self._mixed(ready), start=self._next - ready)

    def flush(self) -> Iterator[Frames]:
        """Yield the rows that waited."""
        if len(self._held):
            if self._by is None:
                self._learn()
            rows = len(self._held)
            yield Frames(self._mixed(rows), self._rig, self._fps, self._next - rows)

    def _learn(self) -> None:
        """Find by how much the take is behind, from the first rows' jaw: the same in any cut."""
        jaw = self._rig.index("jawOpen")
        heard = self._held[: self.lookahead, jaw]
        taken = self._take[: len(heard) + self._most, jaw]
        self._by, self._likeness = shift(heard, taken, self._most)

    @property
    def _most(self) -> int:
        return int(self._config.within * self._fps)

    def _mixed(self, count: int) -> FloatArray:
        """Return the next (count, channels) rows, and move on."""
        out, self._held = self._held[:count].copy(), self._held[count:]
        places = self._next + np.arange(count) + (self._by or 0)
        self._next += count
        inside = (places >= 0) & (places < len(self._take))
        edge = np.minimum(places, len(self._take) - 1 - places) / float(EASE * self._fps)
        eased = ease(edge.astype(np.float32))
        share = np.where(inside, eased, np.float32(0))[:, None]  # (rows, 1)
        taken = self._take[np.clip(places, 0, len(self._take) - 1)][:, self._upper]
        out[:, self._upper] += (taken - out[:, self._upper]) * share
        return out

    def report(self) -> Sequence[str]:
        """Say by how much the take was moved."""
        if self._by is None or self._config.shift is not None:
            return ()
        seconds = float(self._by / self._fps)
        alike = f"jaws alike by {self._likeness:.2f}"
        return (f"livelink.mix: the take is {seconds:+.3f} s behind the sound ({alike})",)


def _rows(path: str, context: Context) -> FloatArray:
    """Read a take: (n, channels) of the rig, at the run's frames a second."""
    component = "files.npz" if path.lower().endswith(".npz") else "files.livelink_csv"
    source = context.build("source", {"use": component, "path": path})
    assert isinstance(source, Source)
    pieces = [piece for piece in source.blocks() if isinstance(piece, Frames)]
    if not pieces:
        raise InputError(f"livelink.mix: {path} holds no frames")
    values = np.concatenate([remap(piece.values, piece.rig, context.rig) for piece in pieces])
    return _at(values, pieces[0].fps, context.fps, context.rig)


def _at(values: FloatArray, fps: Fraction, to: Fraction, rig: Rig) -> FloatArray:
    if fps == to:
        return values
    resampler = FrameResampler(fps, to, len(rig), rig)
    return np.concatenate([resampler.push(values), resampler.flush()])
