"""When a frame is, as a packet says it: a rate, and frames since midnight at that rate."""

from __future__ import annotations

import time
from fractions import Fraction

from facewire.errors import InputError

DAY = 24 * 60 * 60
_SUB_FRAMES = 1 << 16
"""Sub frames are cut down to a multiple of 1/65536, so that float32 never rounds one up to 1."""
_MAX_DENOMINATOR = 1001


def wire_rate(fps: Fraction) -> Fraction:
    """Return ``fps`` as film and television write it: 29.97 is 30000/1001 (SMPTE ST 12-1).

    A day's frames and both numbers must fit the packet's 32 bits; InputError where they do not.
    """
    if not (Fraction(1, _MAX_DENOMINATOR) <= fps and fps * DAY < 2**31):
        raise InputError(f"livelink: fps is {float(fps):g}, expected 0.001 to 24855")
    ntsc = Fraction(round(fps) * 1000, 1001)
    # 23.98, the coarsest way to write one of them, is 0.004 off
    if fps.denominator != 1 and abs(fps - ntsc) < Fraction(5, 1000):
        return ntsc
    return fps.limit_denominator(_MAX_DENOMINATOR)


def time_of_day(epoch: float) -> Fraction:
    """Return seconds since local midnight at ``epoch`` (Unix seconds), to the microsecond."""
    local = time.localtime(epoch // 1)
    whole = (local.tm_hour * 60 + local.tm_min) * 60 + local.tm_sec
    return whole + Fraction(int(epoch % 1 * 1_000_000), 1_000_000)


def frame_time(frame: int, start: Fraction, rate: Fraction) -> tuple[int, float]:
    """Return the frame number since midnight and the sub frame (0 <= x < 1) of frame ``frame``.

    ``start`` is frame 0's time in seconds since midnight. After midnight it begins at 0 again.
    """
    at = (start * rate + frame) % (DAY * rate)
    number = at.numerator // at.denominator
    return number, int((at - number) * _SUB_FRAMES) / _SUB_FRAMES
