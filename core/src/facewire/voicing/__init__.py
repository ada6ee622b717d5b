"""Voices beyond one utterance: what they cost, when they are asked again, and whole scripts.

A voice plugin raises ``VoiceError`` and ``QuotaExhausted``, waits with ``Retry``, and may offer
``plan`` and ``voices`` (``Planning``, ``Listing``) besides what ``facewire.stages.Voice`` asks for.
"""

from facewire.voicing.contract import (
    Listing,
    Planning,
    Price,
    QuotaExhausted,
    Unreachable,
    VoiceEntry,
    VoiceError,
)
from facewire.voicing.retry import Interrupted, Retry

__all__ = [
    "Interrupted",
    "Listing",
    "Planning",
    "Price",
    "QuotaExhausted",
    "Retry",
    "Unreachable",
    "VoiceEntry",
    "VoiceError",
]
