"""A WAV that somebody else wrote, as audio at the voice's rate."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from facewire.errors import InputError
from facewire.resample import AudioResampler
from facewire.sources import AudioFile
from facewire.types import Audio
from facewire.voicing import VoiceError

_FRAMES = Fraction(60)  # only decides how the last few samples are rounded


def decode(data: bytes, who: str, rate: int) -> Iterator[Audio]:
    """Yield mono audio at ``rate`` from a sound file's bytes; VoiceError if there is no sound.

    What lies beyond -1..1 is clipped.
    """
    try:
        file = AudioFile(io.BytesIO(mended(data)), who)
        pieces = list(file.blocks())
    except InputError as error:
        raise VoiceError(str(error)) from error
    assert file.rate is not None
    if file.rate != rate:
        resampler = AudioResampler(file.rate, rate, _FRAMES)
        pieces = [*map(resampler.push, pieces), resampler.flush()]
    for piece in pieces:
        if len(piece):
            yield replace(piece, samples=np.clip(piece.samples, -1, 1))


def mended(data: bytes) -> bytes:
    """Return a WAV with true sizes: one that was streamed does not know its own beforehand.

    Such a header says 0 or more bytes than follow (RIFF WAVE, Microsoft/IBM 1991).
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        rest = len(data) - at - 8
        if data[at : at + 4] == b"data":
            if 0 < size <= rest:
                return data
            true = rest.to_bytes(4, "little")
            whole = (len(data) - 8).to_bytes(4, "little")
            return data[:4] + whole + data[8 : at + 4] + true + data[at + 8 :]
        at += 8 + size + size % 2
    return data
