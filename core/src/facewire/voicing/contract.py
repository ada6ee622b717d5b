"""What a voice may offer besides speaking, and the errors that a batch tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from facewire.errors import FacewireError
from facewire.types import Utterance


class VoiceError(FacewireError):
    """The service or program behind a voice did not give the sound of one text."""


class Unreachable(VoiceError):
    """A service gave nothing however often it was asked: it is down, or the network is."""


class GivenUp(VoiceError):
    """Nobody waits for a text's sound any more: a service was not asked for it again."""


class QuotaExhausted(VoiceError):
    """The account behind a voice gives nothing more: a wrong key, no quota, an unpaid bill.

    Asking again does not help, so nothing is retried and a batch stops.
    """


@dataclass(frozen=True, slots=True)
class Price:
    """What one utterance costs: characters that are billed, and the service's credits if known."""

    characters: int
    credits: float | None = None


@runtime_checkable
class Planning(Protocol):
    """A voice that wants to know all that it will say, or knows what it costs."""

    def plan(self, utterances: Sequence[Utterance]) -> Sequence[Price]:
        """Be told what will be said, in the script's order; return the price of each."""


@dataclass(frozen=True, slots=True)
class VoiceEntry:
    """One of the voices that a component can speak with."""

    id: str
    name: str
    about: str = ""


@runtime_checkable
class Listing(Protocol):
    """A voice that can list what it may be told to speak with."""

    def voices(self) -> Sequence[VoiceEntry]:
        """Return the voices."""
