"""Eyes and lids in a rig: turning them, keeping them in their limits, seeing them shift.

Angles are radians, yaw + towards the subject's right, pitch + down. A value of 1.0 of a look
channel is 35 degrees (measured on captures: the slope of eye rotation over look is 0.61). A rig may
have look channels, rotations or both; what it lacks is computed into a spare column and dropped.
"""

from __future__ import annotations

from math import radians

import numpy as np
from facewire.rig import Rig
from facewire.types import Context, FloatArray, Frames
from numpy.typing import NDArray

from facewire_idle.motion import Doubles

RADIANS = radians(1.0)
FULL_LOOK = radians(35.0)
EYE_LIMIT = radians(35.0)
HEAD_LIMIT = radians(30.0)
SIDES = ("Left", "Right")
# Four slots: yaw and pitch of the left eye, then of the right. Positive angles are the first names.
_POSITIVE = ("eyeLookInLeft", "eyeLookDownLeft", "eyeLookOutRight", "eyeLookDownRight")
_NEGATIVE = ("eyeLookOutLeft", "eyeLookUpLeft", "eyeLookInRight", "eyeLookUpRight")
_ROTATIONS = ("leftEyeYaw", "leftEyePitch", "rightEyeYaw", "rightEyePitch")
_LIDS = tuple(f"eye{what}{side}" for what in ("Blink", "Wide") for side in SIDES)
# How much eyeBlink and eyeWide go with one unit of looking down and up, beside what the look
# channels themselves do to the lids. A real capture has 0.7 and 0.8 a unit, another 0; between.
LID_FOLLOW = 0.3


def columns(rig: Rig, *channels: str) -> NDArray[np.intp]:
    """Return the columns of the channels; those the rig lacks get the spare one, ``len(rig)``."""
    places = [rig.index(name) if name in rig else len(rig) for name in channels]
    return np.array(places, dtype=np.intp)


def with_spare(values: FloatArray) -> Doubles:
    """Return a copy of values (n, channels) with a spare column at the end: (n, channels + 1)."""
    out = np.zeros((len(values), values.shape[1] + 1))
    out[:, :-1] = values
    return out


def without_spare(frames: Frames, values: Doubles) -> Frames:
    """Return ``frames`` with the values (n, channels + 1), the spare column dropped."""
    return Frames(values[:, :-1].astype(np.float32), frames.rig, frames.fps, frames.start)


def within(now: Doubles, added: Doubles, limit: float) -> Doubles:
    """Return what of ``added`` fits into the room between ``now`` and ``limit``, of either sign.

    Values that are beyond the limit already are left where they are. a / sqrt(1 + (a / room)^2)
    has slope 1 at 0 and never reaches the room.
    """
    room = np.maximum(limit - np.abs(now), 1e-9)
    return np.asarray(added * room / np.hypot(room, added))


class Eyes:
    """The eye channels and rotations of a rig."""

    def __init__(self, rig: Rig) -> None:
        self._look = all(name in rig for name in _POSITIVE + _NEGATIVE)
        self._columns = columns(rig, *_POSITIVE, *_NEGATIVE, *_ROTATIONS, *_LIDS)

    def directions(self, values: Doubles) -> Doubles:
        """Return the mean yaw and pitch of both eyes, in units of look: (n, 2)."""
        taken = values[:, self._columns[:12]]
        each = taken[:, :4] - taken[:, 4:8] if self._look else taken[:, 8:] / FULL_LOOK  # (n, 4)
        return np.asarray(0.5 * (each[:, :2] + each[:, 2:]))

    def turn(self, values: Doubles, angles: Doubles) -> None:
        """Turn both eyes by yaw and pitch (n, 2), within the limit, and the lids; in place."""
        taken = values[:, self._columns]  # (n, 16)
        looks, rotations, lids = taken[:, :8], taken[:, 8:12], taken[:, 12:]
        if not self._look:
            ahead = rotations / FULL_LOOK
            looks = np.concatenate([np.maximum(ahead, 0.0), np.maximum(-ahead, 0.0)], axis=1)
        positive, negative = looks[:, :4], looks[:, 4:]
        before = positive - negative  # (n, 4), units of look
        both = angles * (1.0 / FULL_LOOK)
        added = within(before, np.concatenate([both, both], axis=1), EYE_LIMIT / FULL_LOOK)
        after = before + added
        new = np.empty_like(looks)
        new[:, :4] = np.minimum(positive, negative) + np.maximum(after, 0.0)
        new[:, 4:] = new[:, :4] - after
        rotations += added * FULL_LOOK
        lids += LID_FOLLOW * (new - looks)[:, 1::2]  # down left, down right, up left, up right
        np.maximum(lids, 0.0, out=lids)
        if self._look:
            looks[:] = new
        values[:, self._columns] = taken


class Lids:
    """The lid channels of a rig."""

    def __init__(self, rig: Rig) -> None:
        self._blink, self._wide, self._squint, self._down = (
            columns(rig, *(f"eye{what}{side}" for side in SIDES))
            for what in ("Blink", "Wide", "Squint", "LookDown")
        )

    def close(self, frames: Frames, closure: Doubles) -> Frames:
        """Return the frames with both lids closed by ``closure`` (n,), 0 open to 1 shut.

        Wide and squint fade; eyeBlink is the larger of what it was and what shuts the lid
        (eyeBlink + .4 eyeLookDown + .3 eyeSquint is 1 for a shut one).
        """
        if not np.count_nonzero(closure):
            return frames
        values, shut = with_spare(frames.values), closure[:, None]
        values[:, self._wide] *= 1.0 - shut
        values[:, self._squint] *= 1.0 - shut
        others = 0.4 * values[:, self._down] + 0.3 * values[:, self._squint]
        needed = shut * np.clip(1.0 - others, 0.0, 1.0)
        values[:, self._blink] = np.maximum(values[:, self._blink], needed)
        return without_spare(frames, values)


class GazeShifts:
    """Finds large, quick gaze shifts in the frames, whoever made them."""

    WINDOW = 0.1  # seconds; a 30 degree saccade lasts 87 ms

    def __init__(self, context: Context, degrees: float) -> None:
        self._eyes, self._threshold = Eyes(context.rig), radians(degrees) / FULL_LOOK
        self._fps = float(context.fps)
        self._window = max(1, round(self.WINDOW * self._fps))
        self._past = np.zeros((0, 2))
        self._last = 0.0

    def push(self, frames: Frames) -> list[float]:
        """Return when, in seconds, the eyes had turned by more than the threshold in 0.1 s."""
        gaze = self._eyes.directions(with_spare(frames.values))  # (n, 2)
        path = np.concatenate([self._past, gaze])
        self._past = path[-self._window :]
        turned = path[self._window :] - path[: -self._window]
        if not len(turned):
            return []
        moved = np.hypot(turned[:, 0], turned[:, 1])  # (rows with a past,)
        last, self._last = self._last, float(moved[-1])
        large = moved >= self._threshold
        if not large.any():
            return []
        before = np.concatenate([[last], moved[:-1]])
        rows = np.flatnonzero(large & (before < self._threshold))
        back = (moved[rows] - self._threshold) / (moved[rows] - before[rows])  # frames ago
        return [float(time) for time in (frames.end - len(moved) + rows - back) / self._fps]
