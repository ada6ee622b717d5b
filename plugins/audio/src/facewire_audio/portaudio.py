"""Real sound devices, through PortAudio."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

import numpy as np
from facewire.clock import MonotonicClock
from facewire.errors import InputError, PluginError
from facewire.stages import Clock
from facewire.types import FloatArray

from facewire_audio.devices import Fill, Take

Way = Literal["input", "output"]
BLOCK = 0.01  # seconds that are asked for at a time


def sounddevice() -> ModuleType:
    """Import PortAudio's binding; PluginError with what to install where there is none."""
    try:
        import sounddevice as binding
    except OSError as error:
        raise PluginError(
            "audio: PortAudio is not installed; install it (Debian and Ubuntu: libportaudio2)"
        ) from error
    module: ModuleType = binding
    return module


def usable(way: Way) -> list[dict[str, Any]]:
    """Return what PortAudio knows of each device that records, or that plays."""
    devices = sounddevice().query_devices()
    return [dict(device) for device in devices if device[f"max_{way}_channels"] > 0]


def named(devices: list[dict[str, Any]]) -> str:
    """Return devices as a person chooses them: by number, or by a part of the name."""
    return "; ".join(f"{device['index']} {device['name']}" for device in devices)


def choose(device: str | None, way: Way) -> tuple[int, dict[str, Any]]:
    """Return a device's number and what PortAudio knows of it; InputError if there is none."""
    known = usable(way)
    doing = "records" if way == "input" else "plays"
    if not known:
        raise InputError(f"audio: found no sound device that {doing}; connect one")
    if device is None:
        default = sounddevice().default.device[0 if way == "input" else 1]
        found = [d for d in known if d["index"] == default] or known[:1]
    elif device.isdecimal():
        found = [d for d in known if d["index"] == int(device)]
    else:
        found = [d for d in known if device.casefold() in d["name"].casefold()]
    if not found:
        raise InputError(
            f"audio: no device that {doing} is called '{device}' (found: {named(known)})"
        )
    return int(found[0]["index"]), found[0]


class _Device:
    def __init__(self, device: str | None, way: Way) -> None:
        self.world: Clock = MonotonicClock()
        self._index, self._about = choose(device, way)
        self.name = str(self._about["name"])
        self.latency = float(self._about[f"default_low_{way}_latency"])
        self._stream: Any = None

    def _open(self, make: Any, rates: list[int], **options: Any) -> int:
        """Open a stream at the first rate that the device takes."""
        error: Exception | None = None
        for rate in dict.fromkeys(rates):
            try:
                size = max(1, int(BLOCK * rate))
                self._stream = make(
                    device=self._index, samplerate=rate, blocksize=size, dtype="float32", **options
                )
                self._stream.start()
                return rate
            except sounddevice().PortAudioError as failure:
                error = failure
        raise InputError(f"audio: {self.name} cannot be opened: {' '.join(str(error).split())}")

    @property
    def _own_rate(self) -> int:
        return int(self._about["default_samplerate"])

    def stop(self) -> None:
        """Stop now."""
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
        self._stream = None


class PortAudioOutput(_Device):
    """A device that plays."""

    def __init__(self, device: str | None = None) -> None:
        super().__init__(device, "output")

    def start(self, rate: int, fill: Fill) -> int:
        """Begin to play, the same on the first two channels."""
        channels = min(2, int(self._about["max_output_channels"]))

        def work(out: FloatArray, count: int, time: Any, status: Any) -> None:
            out[:] = fill(count, self.world.now())[:, None]

        make = sounddevice().OutputStream
        return self._open(make, [rate, self._own_rate], channels=channels, callback=work)


class PortAudioInput(_Device):
    """A device that records."""

    def __init__(self, device: str | None = None) -> None:
        super().__init__(device, "input")

    def start(self, rate: int | None, channel: int, take: Take) -> int:
        """Begin to record one channel."""
        most = int(self._about["max_input_channels"])
        if not 1 <= channel <= most:
            raise InputError(f"audio.mic: channel is {channel}, {self.name} has {most}")

        def work(heard: FloatArray, count: int, time: Any, status: Any) -> None:
            take(np.array(heard[:, channel - 1]), self.world.now(), bool(status.input_overflow))

        make = sounddevice().InputStream
        return self._open(make, [rate or self._own_rate], channels=channel, callback=work)


def check_devices() -> str:
    """Return a line on what plays and what records, the system's own first and then the others.

    Having neither is no fault of a machine.
    """
    found = []
    ways: tuple[tuple[Way, str], ...] = (("output", "plays"), ("input", "records"))
    for way, doing in ways:
        try:
            index, about = choose(None, way)
        except InputError:
            continue
        except PluginError as error:
            return str(error)
        latency = 1000 * about[f"default_low_{way}_latency"]
        others = named([device for device in usable(way) if device["index"] != index])
        more = f" (others: {others})" if others else ""
        found.append(f"{index} {about['name']} {doing}, {latency:.0f} ms{more}")
    return "; ".join(found) or "no sound device; live frames follow the system's clock"
