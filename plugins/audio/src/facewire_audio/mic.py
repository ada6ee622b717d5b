"""The source ``audio.mic``: a microphone."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence

import numpy as np
from facewire.errors import ProfileError
from facewire.stages import Source
from facewire.types import Audio, FloatArray

from facewire_audio.deviceclock import DeviceClock
from facewire_audio.devices import Input
from facewire_audio.gate import Gate
from facewire_audio.plugin import MicConfig

WAITING = 512  # blocks; what a run is behind by more is lost, and silence stands for it
LOST = 2.0  # seconds without sound after which the device counts as lost
STEP = 0.05  # seconds that are waited for a block at a time


class Microphone(Source):
    """Brings a microphone's sound as it is heard, until it is closed or the device is lost.

    ``clock`` runs as the device does: a session makes its live frames due on it, so that the face
    does not fall behind the voice over hours.
    """

    live = True
    clock: DeviceClock

    def __init__(self, config: MicConfig, device: Input) -> None:
        if config.gate is not None and (config.hysteresis < 0 or config.hold < 0):
            raise ProfileError("audio.mic: hysteresis and hold must not be negative")
        self._config, self._device = config, device
        self.rate = config.rate
        self.clock = DeviceClock(device.world)
        self._queue: queue.Queue[FloatArray | int] = queue.Queue(WAITING)
        self._closed = False
        self._dropped = 0  # samples that nobody took in time
        self._overflows = 0
        self._notes: list[str] = []

    def blocks(self) -> Iterator[Audio]:
        """Yield the sound, block by block."""
        config, start = self._config, 0
        rate = self.rate = self._device.start(config.rate, config.channel, self._take)
        gate = None
        if config.gate is not None:
            gate = Gate(rate, config.gate, config.gate - config.hysteresis, config.hold)
        try:
            for samples in self._pieces():
                out = gate.push(samples) if gate else samples
                if len(out):
                    yield Audio(out, rate, start)
                start += len(out)
            if gate and len(rest := gate.flush()):
                yield Audio(rest, rate, start)
        finally:
            self._device.stop()

    def _take(self, samples: FloatArray, now: float, overflow: bool) -> None:
        """Take a block on the device's thread; never wait."""
        if self.rate is None:  # the device is quicker than its opening returns
            return
        self.clock.tick(len(samples) / self.rate, now)
        self._overflows += overflow
        try:
            if self._dropped:  # so that what follows stays in its place
                self._queue.put_nowait(self._dropped)
                self._dropped = 0
            self._queue.put_nowait(samples)
        except queue.Full:
            self._dropped += len(samples)

    def _pieces(self) -> Iterator[FloatArray]:
        waited, world, lost = 0.0, self._device.world, 0
        while not self._closed and waited < LOST:
            try:
                piece = self._queue.get(timeout=STEP if self.clock.threaded else 0)
            except queue.Empty:
                world.sleep_until(world.now() + (0 if self.clock.threaded else STEP))
                waited += STEP
                continue
            waited = 0.0
            if isinstance(piece, int):
                lost += piece
                piece = np.zeros(piece, np.float32)
            yield piece
        if lost:
            self._notes.append(f"audio.mic: {lost} samples were lost, as the run was behind")
        if not self._closed:
            self._notes.append(f"audio.mic: {self._device.name} brings no sound any more")

    def close(self) -> None:
        """End after the block at hand."""
        self._closed = True

    def report(self) -> Sequence[str]:
        """Say what was lost, and how fast the device's clock runs."""
        lines = [*self._notes]
        if self._overflows:
            lines.append(f"audio.mic: the device lost sound {self._overflows} times (overflow)")
        return [*lines, f"audio.mic: {self.clock.ppm:+.0f} ppm against the system's clock"]
