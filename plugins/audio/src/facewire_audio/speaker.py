"""The sink ``audio``: plays the session's sound, and lends it the sound device's clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from facewire.stages import Sink
from facewire.types import Block, FloatArray, RunInfo

from facewire_audio.deviceclock import DeviceClock
from facewire_audio.devices import Output
from facewire_audio.track import Track

AHEAD = 0.12  # seconds between a frame's arrival here and its sound's hand-over to the device
LOST = 1.0  # seconds without a sign of life after which a device counts as lost


class Speaker(Sink):
    """Plays each frame's sound so that it is heard when the frame is due, plus ``offset``.

    Frames come earlier by the device's latency and a margin, and due times are the device's: sound
    and face cannot drift apart. A device that stops leaves ``push`` as OSError, and is started
    anew a second later.
    """

    live = faceless = True

    def __init__(self, device: Output, offset: float = 0.0) -> None:
        self._device, self._offset = device, offset
        self.clock: DeviceClock = DeviceClock(device.world)
        self.latency = offset - device.latency - AHEAD
        self._track: Track | None = None
        self._rate = self._asked = 0

    def open(self, info: RunInfo) -> None:
        """Start the device. InputError if it cannot play."""
        self._asked = info.rate
        self._rate = self._device.start(info.rate, self._fill)
        self._track = Track(info.rate, self._rate, AHEAD)
        self.result = f"{self._device.name}, {self._rate} Hz"

    def _fill(self, count: int, now: float) -> FloatArray:
        if self._track is None:  # the device is quicker than its opening returns
            return np.zeros(count, np.float32)
        return self._track.take(count, self.clock.tick(count / self._rate, now))

    def push(self, block: Block) -> None:
        """Keep a frame's sound until the device wants it."""
        if self._track is None:
            raise RuntimeError("audio: push before open")
        if self.clock.silent() > LOST:
            self._revive()
        self._track.put(block.audio, self.clock.now())

    def _revive(self) -> None:
        silent = self.clock.silent()
        self._device.stop()
        self._device.start(self._rate, self._fill)
        raise OSError(f"{self._device.name} gave no sign of life for {silent:.1f} s")

    def close(self) -> None:
        """Play to the end, and let the device go."""
        if self._track is not None:
            self._track.finish()
            end = min(self._track.end, self.clock.now() + 2 * AHEAD) + self._device.latency
            self.clock.sleep_until(end)
        self._device.stop()

    def abort(self) -> None:
        """Fall silent now."""
        self._device.stop()

    def report(self) -> Sequence[str]:
        """Say how the device ran, and what of the sound was not heard."""
        if self._track is None:
            return ()
        lines = [
            f"sound device: {1000 * self._device.latency:.0f} ms to the ear, "
            f"{self.clock.ppm:+.0f} ppm against the system's clock"
        ]
        if self._track.dry:
            lines.append(f"audio: {1000 * self._track.dry:.0f} ms of sound came too late")
        if self.clock.stalls:
            lines.append(f"audio: the device stood still {self.clock.stalls} times")
        return lines
