"""Options of the phone extractor. Light: the entry point imports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExtractorConfig:
    """Say where phones come from.

    ``auto`` takes the best there is: a voice's phone marks, its word marks, the transcript, and
    decoding where there is none of these. ``marks`` decodes nothing: the voice must bring phone
    marks, and a live run then has no delay. ``decode`` ignores marks and transcript.
    """

    mode: Literal["auto", "marks", "decode"] = "auto"
