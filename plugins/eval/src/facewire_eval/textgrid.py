"""Phones from a Praat TextGrid, long or short form (Praat manual, "TextGrid file formats")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from facewire.articulation import PhoneTime
from facewire.errors import InputError

TIERS = ("phones", "phone", "phonemes", "mau")
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<![\w.\[])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w\]])')


def read_textgrid(path: Path) -> list[PhoneTime]:
    """Return the phones of a TextGrid, in seconds; InputError if it has no tier of phones.

    The tier is called phones, phone, phonemes or MAU, or ends so (``Ann - phones``).
    """
    raw = path.read_bytes()
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    tiers = dict(_tiers(path, text))
    name = next((n for n in tiers if n.lower().split(" - ")[-1].strip() in TIERS), None)
    if name is None:
        listed = ", ".join(tiers) or "no tier of intervals"
        raise InputError(f"{path}: found {listed}, expected a tier called 'phones'")
    return tiers[name]


def _tiers(path: Path, text: str) -> Iterator[tuple[str, list[PhoneTime]]]:
    tokens = [m[1] if m[1] is not None else float(m[2]) for m in _TOKEN.finditer(text)]
    at = 0
    try:
        while "IntervalTier" in tokens[at:]:
            at = tokens.index("IntervalTier", at)
            name, count = str(tokens[at + 1]), int(float(tokens[at + 4]))
            rows = tokens[at + 5 : at + 5 + 3 * count]
            if len(rows) < 3 * count:
                raise ValueError("it is cut off")
            yield (
                name,
                [
                    PhoneTime(
                        str(rows[i + 2]).replace('""', '"').strip(),
                        float(rows[i]),
                        float(rows[i + 1]),
                    )
                    for i in range(0, 3 * count, 3)
                ],
            )
            at += 5 + 3 * count
    except (ValueError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: is no TextGrid that can be read: {error}") from None
