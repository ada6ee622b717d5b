"""What the extractor did, in lines for the closing table."""

from __future__ import annotations

from collections.abc import Sequence

from facewire_phonemes.recognizer import RATE
from facewire_phonemes.transcript import Piece

_MOST = 8


class Log:
    """Counts samples by the way their phones were found."""

    def __init__(self) -> None:
        self._samples = dict.fromkeys(("phones", "words", "transcript", "decoded", "silent"), 0)
        self._doubtful = 0
        self._notes: list[str] = []

    @property
    def heard(self) -> bool:
        """Whether phones were decoded from sound alone."""
        return self._samples["decoded"] > 0

    @property
    def aligned(self) -> bool:
        """Whether a transcript was found in the sound."""
        return self._samples["transcript"] > 0

    @property
    def told(self) -> bool:
        """Whether a voice told phones or words."""
        return self._samples["phones"] + self._samples["words"] > 0

    def phones(self, samples: int) -> None:
        """Count a voice's phones that were passed on."""
        self._samples["phones"] += samples

    def words(self, samples: int) -> None:
        """Count a voice's words that were aligned."""
        self._samples["words"] += samples

    def decoded(self, samples: int, found: bool) -> None:
        """Count a span that was listened to, and whether phones were found in it."""
        self._samples["decoded" if found else "silent"] += samples

    def piece(self, piece: Piece, start: int) -> None:
        """Count a piece of a transcript's recording."""
        way = "transcript" if piece.aligned else "decoded"
        self._samples[way if piece.marks else "silent"] += piece.end - start
        self._doubtful += 0 if piece.aligned else piece.end - start

    def script(self, skipped: Sequence[str], missed: Sequence[str]) -> None:
        """Note what of the transcript was left out."""
        if self._doubtful:
            self._notes.append(
                f"warning: the transcript does not match {_seconds(self._doubtful)} of the "
                "recording; phones were decoded there without it"
            )
        if skipped:
            self._notes.append(f"skipped in the transcript, not speech: {listed(skipped)}")
        if missed:
            self._notes.append(f"in the transcript but not heard: {listed(missed)}")

    def lines(self, lang: str) -> list[str]:
        """Return the lines: first the ways and their seconds."""
        names = {
            "phones": "the voice's phones",
            "words": "the voice's words aligned",
            "transcript": "transcript aligned",
            "decoded": "decoded from sound",
            "silent": "without speech",
        }
        parts = [f"{names[way]} {_seconds(count)}" for way, count in self._samples.items() if count]
        return [f"phones ({lang}): {', '.join(parts) or 'no sound'}", *self._notes]


def _seconds(samples: int) -> str:
    return f"{samples / RATE:.1f} s"


def listed(words: Sequence[str]) -> str:
    """Return the first few words in quotes, and how many more there are."""
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return ", ".join(f"'{word}'" for word in words[:_MOST]) + more
