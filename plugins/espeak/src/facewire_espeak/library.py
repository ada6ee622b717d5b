# SPDX-License-Identifier: GPL-3.0-or-later
"""espeak-ng through ctypes: as much of its interface (``speak_lib.h``, 1.52) as the voice needs."""

from __future__ import annotations

import ctypes
import re
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import espeakng_loader
import numpy as np
from facewire.errors import PluginError, StageError
from numpy.typing import NDArray

from facewire_espeak.copies import Copy

RATE = 22050
"""Samples a second of all of espeak-ng's own voices."""

_SYNCHRONOUS = 2  # as AUDIO_OUTPUT_RETRIEVAL, but in the calling thread
_BUFFER = 500  # milliseconds of sound between two calls back
_PHONEME_EVENTS, _AS_IPA, _DO_NOT_EXIT = 1, 2, 1 << 15
_UTF8, _END_PAUSE = 1, 1 << 12  # neither SSML (1 << 4) nor [[phonemes]] (1 << 8) in the text
_BY_CHARACTER = 1
_PARAMETERS = {"rate": 1, "pitch": 3}
_WORD, _END, _PHONEME = 1, 5, 7
_IPA_WITH_SEPARATOR = 2 | ord("_") << 8


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_ubyte * 8),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Event(NamedTuple):
    """What espeak-ng books: ``at`` is a sample.

    ``char`` is where a word begins in the text. ``text`` is a phone in IPA, ``""`` for a pause.
    """

    kind: Literal["word", "phone", "end"]
    at: int
    char: int
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A voice of espeak-ng's: its file, its name and its languages with ranks (less is better)."""

    identifier: str
    name: str
    languages: tuple[tuple[str, int], ...]


# Loading sets the locale's character types (to C.UTF-8), which is the whole process's.
_loading = threading.Lock()


class Library:
    """A fresh copy of espeak-ng, for one thread at a time. PluginError if it cannot be loaded."""

    def __init__(self, voice: str = "", **parameters: int) -> None:
        copy = Copy()
        self._espeak: Any = copy.library
        self._declare()
        with _loading:
            rate = self._espeak.espeak_Initialize(
                _SYNCHRONOUS, _BUFFER, _data().encode(), _PHONEME_EVENTS | _AS_IPA | _DO_NOT_EXIT
            )
            self._closing = weakref.finalize(self, _close, copy, rate == RATE)
            if rate != RATE:
                self.close()
                raise PluginError(
                    f"espeak: its data in '{_data()}' cannot be read; install espeakng-loader anew,"
                    " in a folder whose path has fewer than 160 characters"
                )
            if voice and self._espeak.espeak_SetVoiceByName(voice.encode()):
                self.close()
                raise PluginError(f"espeak: the voice '{voice}' is listed but does not load")
        for name, value in parameters.items():
            self._espeak.espeak_SetParameter(_PARAMETERS[name], value, 0)

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Unload the copy. Closing twice does nothing."""
        self._closing()

    @property
    def version(self) -> str:
        """espeak-ng's version."""
        version: bytes = self._espeak.espeak_Info(None)
        return version.decode()

    def voices(self) -> Iterator[Listed]:
        """Yield every voice that is installed."""
        listed = self._espeak.espeak_ListVoices(None)
        while listed and listed[0]:
            voice = listed[0].contents
            languages = tuple(_languages(voice.languages))
            yield Listed(voice.identifier.decode(), voice.name.decode(), languages)
            listed = ctypes.cast(
                ctypes.addressof(listed.contents) + ctypes.sizeof(ctypes.c_void_p), type(listed)
            )

    def speak(self, text: str) -> tuple[NDArray[np.int16], list[Event]]:
        """Speak; return samples (n,) and what happens in them, in the order of time."""
        sound: list[NDArray[np.int16]] = [np.zeros(0, np.int16)]
        events: list[Event] = []

        def take(samples: Any, count: int, booked: Any) -> int:
            if count:
                # Not as_array: ctypes would keep a type for each length for ever.
                sound.append(np.frombuffer(ctypes.string_at(samples, 2 * count), np.int16))
            events.extend(_events(booked))
            return 0

        callback = _CALLBACK(take)
        self._espeak.espeak_SetSynthCallback(callback)
        coded = text.encode()
        error = self._espeak.espeak_Synth(
            coded, len(coded) + 1, 0, _BY_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None
        )
        if error:
            raise StageError(f"espeak: espeak-ng could not speak '{text[:40]}' (error {error})")
        return np.concatenate(sound), events

    def phones(self, text: str) -> list[str]:
        """Return the phones of a text in IPA, without speaking it."""
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value is not None:
            phones = self._espeak.espeak_TextToPhonemes(
                ctypes.byref(rest), _UTF8, _IPA_WITH_SEPARATOR
            )
            clauses.append(phones.decode(errors="ignore"))
        return [phone for phone in re.split(r"[_\s]+", " ".join(clauses)) if phone]

    def _declare(self) -> None:
        espeak, text = self._espeak, ctypes.c_char_p
        espeak.espeak_Info.restype = text
        espeak.espeak_TextToPhonemes.restype = text
        espeak.espeak_TextToPhonemes.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
        espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        espeak.espeak_Synth.argtypes = [
            text, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip


def _data() -> str:
    return str(espeakng_loader.get_data_path())


def _close(copy: Copy, initialized: bool) -> None:
    if initialized:
        copy.library.espeak_Terminate()
    copy.unload()


def _languages(address: int) -> Iterator[tuple[str, int]]:
    """Read a list of (byte: rank, text: language, zero byte), ended by a zero byte."""
    while rank := ctypes.string_at(address, 1)[0]:
        language = ctypes.string_at(address + 1)
        yield language.decode().lower(), rank
        address += len(language) + 2


def _events(booked: Any) -> Iterator[Event]:
    kinds: dict[int, Literal["word", "phone", "end"]]
    kinds = {_WORD: "word", _PHONEME: "phone", _END: "end"}
    index = 0
    while booked[index].type:
        event = booked[index]
        if event.type in kinds:
            # Positions count characters from 1. A name of eight bytes has no zero at its end, and
            # a longer one was cut by espeak-ng, perhaps inside a character.
            name = bytes(event.name).split(b"\0")[0] if event.type == _PHONEME else b""
            text = name.decode(errors="ignore")
            yield Event(kinds[event.type], event.sample, event.text_position - 1, text)
        index += 1
