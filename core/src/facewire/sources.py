"""The core's own sources: an audio file, text, text as it is written, frames from Python."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from facewire.clauses import Clause, ClauseStream
from facewire.errors import InputError
from facewire.feed import Feed
from facewire.stages import Source
from facewire.types import Audio, FloatArray, Text

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".w64"}
)
CHUNK_SECONDS = 0.5
HOLD = 0.01  # seconds in which a clause's end may turn out to be none: "3." of "3.14"
STALL = 0.6  # seconds without a letter after which what waits is spoken


def finite(samples: FloatArray, where: str, start: int, rate: int) -> None:
    """Raise InputError if a sample is NaN or infinite."""
    bad = ~np.isfinite(samples)
    if bad.any():
        at = start + int(bad.argmax())
        raise InputError(
            f"{where}: sample {at} ({at / rate:.3f} s) is not a finite number; "
            "export the sound again, or repair it in an audio editor"
        )


class AudioFile(Source):
    """Reads a sound file of any rate, width and number of channels, mixed down to mono."""

    def __init__(self, path: Path | BinaryIO, name: str | None = None) -> None:
        self._path = path
        self.path = path if isinstance(path, Path) else None
        self.name = name or (str(path) if isinstance(path, Path) else "standard input")
        self._notes: list[str] = []
        with self._open() as sound:
            self.rate = sound.samplerate
            self.samples = sound.frames
        if not self.samples:
            raise InputError(f"{self.name}: holds no sound (a header with nothing after it)")

    @property
    def seconds(self) -> float:
        """Length of the sound as its header states it."""
        return float(self.samples / (self.rate or 1))

    def _open(self) -> soundfile.SoundFile:
        path = self._path
        if isinstance(path, Path):
            check_readable(path)
        else:
            path.seek(0)
        try:
            return soundfile.SoundFile(path)
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            known = ", ".join(sorted(suffix[1:] for suffix in AUDIO_SUFFIXES))
            raise InputError(
                f"{self.name}: not a sound file this can read (expected {known}); "
                "convert it to WAV first"
            ) from error

    def blocks(self) -> Iterator[Audio]:
        """Yield the sound in half seconds."""
        with self._open() as sound:
            size, start = max(1, int(sound.samplerate * CHUNK_SECONDS)), 0
            while True:
                data = self._read(sound, size)
                if not len(data):
                    break
                mono = data[:, 0] if data.shape[1] == 1 else data.mean(axis=1, dtype=np.float32)
                finite(mono, self.name, start, sound.samplerate)
                yield Audio(np.ascontiguousarray(mono), sound.samplerate, start)
                start += len(mono)
        if start == 0:
            raise InputError(f"{self.name}: holds no sound that can be read")
        if start < self.samples or self._cut_short():
            self._notes.append(
                f"{self.name}: the file is cut off; read {start} samples, what is there"
            )

    def _read(self, sound: soundfile.SoundFile, size: int) -> FloatArray:
        try:
            data: FloatArray = sound.read(size, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            self._notes.append(f"{self.name}: damaged; read up to the damage")
            return np.zeros((0, 1), np.float32)
        return data

    def _cut_short(self) -> bool:
        """Whether a WAV's data chunk promises more bytes than the file has."""
        if not isinstance(self._path, Path) or self._path.suffix.lower() != ".wav":
            return False
        with self._path.open("rb") as file:
            head = file.read(1 << 16)
        at = head.find(b"data", 12)
        if head[:4] != b"RIFF" or at < 0:
            return False
        promised = int.from_bytes(head[at + 4 : at + 8], "little")
        return 0 < promised < 0xFFFFFFFF and at + 8 + promised > self._path.stat().st_size

    def report(self) -> list[str]:
        """Say if the file was cut off or damaged."""
        return self._notes


def check_readable(path: Path) -> None:
    """Raise InputError if the path is missing, a folder, empty or may not be read."""
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a file in it")
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty (0 bytes)")
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


class TextSource(Source):
    """Brings text, and no sound but what the voice makes of it."""

    brings = "text"
    known: Sequence[Text] = ()
    """All the texts, where they are known from the start: a voice may want to plan them."""


class GivenText(TextSource):
    """Text that is known from the start."""

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise InputError("the text is empty; write what shall be said")
        self._text = text

    def blocks(self) -> Iterator[Text]:
        """Yield the text."""
        yield Text(self._text)


class StreamedText(TextSource):
    """Text from a stream, as it is written: clause by clause (``facewire.clauses``), one long turn.

    Where the stream stalls, what waits is spoken: a clause that seems to be whole after 0.03 s,
    whole words after 0.6 s. A tag that is open waits for its end.

    It reads the descriptor itself: a thread that waits in ``sys.stdin`` holds a lock that the
    interpreter wants at its end.
    """

    live = True

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None:
            if sys.stdin is None:
                raise InputError("standard input is closed; pipe text into it")
            descriptor = sys.stdin.fileno()
        self._descriptor = descriptor
        self._feed: Feed | None = None
        self._closed = False

    def blocks(self) -> Iterator[Text]:
        """Yield the clauses."""
        clauses = ClauseStream()
        self._feed = Feed(self._pieces)
        while not self._closed:
            piece = self._feed.take(HOLD if clauses.ready else STALL)
            if piece is Feed.END or self._closed:
                break
            ended = clauses.words() if piece is None else clauses.push(piece)
            yield from map(Clause, ended)
        if not self._closed:
            yield from map(Clause, clauses.flush())

    def _pieces(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            while data := os.read(self._descriptor, 1 << 16):
                yield decoder.decode(data)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: not UTF-8 text ({error.reason})") from error

    def close(self) -> None:
        """End after the clause at hand."""
        self._closed = True
        if self._feed:
            self._feed.close()


class GivenAudio(Source):
    """Sound that is in memory: (n,) floats in -1..1, or signed integers of full scale."""

    def __init__(self, samples: NDArray[Any], rate: int) -> None:
        given = np.asarray(samples)
        if given.ndim != 1:
            raise InputError(f"audio of shape {given.shape} was given, expected mono: (n,)")
        if np.issubdtype(given.dtype, np.signedinteger):
            given = given / -float(np.iinfo(given.dtype).min)
        if not np.issubdtype(given.dtype, np.floating):
            raise InputError(f"audio of {given.dtype} was given, expected float from -1 to 1")
        if rate != int(rate) or rate < 1:
            raise InputError(f"rate: found {rate}, expected a whole number of samples a second")
        self._samples, self.rate = given.astype(np.float32), int(rate)

    def blocks(self) -> Iterator[Audio]:
        """Yield the sound in half seconds."""
        assert self.rate is not None
        finite(self._samples, "audio", 0, self.rate)
        size = max(1, int(self.rate * CHUNK_SECONDS))
        for start in range(0, len(self._samples), size):
            yield Audio(self._samples[start : start + size].copy(), self.rate, start)
