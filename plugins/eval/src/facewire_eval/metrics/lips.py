"""What lips must do at phones: closures, the lip on the teeth, rounding, the order of vowels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from facewire.articulation import PhoneTime, measure, read_phone
from facewire.articulation.closures import CLOSED, EARLY, PAUSE
from facewire.articulation.tables import load_yaml
from numpy.typing import NDArray

from facewire_eval.metrics.bootstrap import (
    BLOCK,
    NOTHING,
    Array,
    Figure,
    bootstrap,
    ratio,
    resampled,
    share,
)
from facewire_eval.metrics.filters import curve

CONTACT = 0.06
"""Height of the lower lip below the teeth's edge that counts as contact (jawOpen = 1)."""
APART = 0.5
"""Seconds of a shut mouth between recordings that are measured as one."""
CONTRAST = 0.15
"""Protrusion above the speaker's mean that a rounded sound has at least (mouthPucker = 1)."""


class Spoken(NamedTuple):
    """A recording's curve (n,), its frames a second, and the phones that are spoken in it."""

    curve: NDArray[np.floating]
    fps: float
    phones: Sequence[PhoneTime]


@dataclass(frozen=True, slots=True)
class Closures:
    """The core's five figures with intervals: one alone proves nothing.

    ``recall``: share of /p b m/ with a closure. ``precision``: share of closures outside pauses
    that are at p b m f v. ``rate``: closures for each /p b m/ (1 is right). ``timing``: median
    error of the closures' middles, seconds. ``release``: share of stressed open vowels whose gap
    reaches .12.
    """

    recall: Figure = NOTHING
    precision: Figure = NOTHING
    rate: Figure = NOTHING
    timing: Figure = NOTHING
    release: Figure = NOTHING


def joined(recordings: Sequence[Spoken]) -> Spoken:
    """Return several recordings of one rate as one, a shut mouth between them."""
    fps = recordings[0].fps
    rest = np.zeros(round(APART * fps))
    pieces, phones, rows = [rest], [], len(rest)
    for one in recordings:
        at = rows / fps
        phones += [PhoneTime(p.text, p.start + at, p.end + at) for p in one.phones]
        pieces += [curve(one.curve), rest]
        rows += len(one.curve) + len(rest)
    return Spoken(np.concatenate(pieces), fps, phones)


def cut(whole: Spoken) -> list[Spoken]:
    """Cut a recording into blocks of at least 1 s where nothing that is judged is cut.

    At the start of a phone that is none of p b m f v, with open lips, next to another phone.
    """
    gap, fps = curve(whole.curve), whole.fps
    phones = sorted(whole.phones, key=lambda p: p.start)
    edges = [0]
    for i, (before, phone) in enumerate(pairwise(phones), 1):
        row = round(phone.start * fps)
        if row - edges[-1] < BLOCK * fps or not 0 < row < len(gap) - 1:
            continue
        apart = phone.start - max(p.end for p in phones[max(0, i - 5) : i])
        near = [p for p in phones[i : i + 4] if p.start - EARLY <= row / fps] + [before]
        if apart < PAUSE / 2 and gap[row - 1 : row + 2].min() >= CLOSED and not _labial(near):
            edges.append(row)
    edges.append(len(gap))
    return [
        Spoken(gap[a:z], fps, _within(phones, a / fps, z / fps, last=z == len(gap)))
        for a, z in pairwise(edges)
    ]


def _within(phones: Sequence[PhoneTime], a: float, z: float, last: bool) -> list[PhoneTime]:
    half = 0.01  # rows are rounded; a phone that starts at the cut is of the block it begins
    return [
        PhoneTime(p.text, max(0.0, p.start - a), p.end - a)
        for p in phones
        if a - half <= p.start and (last or p.start < z - half)
    ]


def _labial(phones: Sequence[PhoneTime]) -> bool:
    return any(s.name in ("p", "f") for p in phones for s in read_phone(p.text).shapes)


def closure_figures(recordings: Sequence[Spoken]) -> Closures:
    """Return the figures of lip gaps against phones: one recording, or several as one.

    The values are those that ``facewire.articulation.measure`` gives; the intervals are over
    blocks of at least 1 s.
    """
    if not recordings:
        return Closures()
    whole = joined(recordings)
    report = measure(whole.curve, whole.fps, whole.phones)
    blocks = [piece for one in recordings for piece in cut(joined([one]))]
    sums = np.array([_counted(block) for block in blocks])
    timing = np.array([s for b in blocks if np.isfinite(s := measure(*b).timing)])
    return Closures(
        recall=_around(report.recall, ratio(sums[:, 1], sums[:, 0])),
        precision=_around(report.precision, ratio(sums[:, 3], sums[:, 2])),
        rate=_around(report.rate / report.phone_rate if report.phone_rate else np.nan,
                     ratio(sums[:, 2], sums[:, 0])),
        timing=_around(report.timing, resampled(timing, lambda t: float(np.median(t)))),
        release=_around(report.release, ratio(sums[:, 5], sums[:, 4])),
    )  # fmt: skip


def _around(value: float, interval: Figure) -> Figure:
    return Figure(float(value), interval.low, interval.high, interval.count)


def _counted(block: Spoken) -> tuple[float, ...]:
    """Return counts: /p b m/, those closed, closures, those right, open vowels, those open.

    The core tells shares; times what they are of, those are counts, which add up over blocks.
    """
    report = measure(*block)
    symbols = [read_phone(p.text) for p in block.phones]
    labial = sum(s.kind == "closure" for s in symbols)
    opens = sum(s.kind == "open" and s.stress == 1 for s in symbols)
    found = _times(report.rate, _seconds(block))
    return (
        labial, _times(report.recall, labial), found, _times(report.precision, found),
        opens, _times(report.release, opens),
    )  # fmt: skip


def _seconds(block: Spoken) -> float:
    """Return how many seconds of a block are speech: what the core's rates are told by."""
    labial = sum(read_phone(p.text).kind == "closure" for p in block.phones)
    marker = PhoneTime("P", 0.0, 1e-9)  # too short to change what is speech
    rate = measure(block.curve, block.fps, [*block.phones, marker]).phone_rate
    return (labial + 1) / rate if rate > 0 else 0.0


def _times(share: float, count: float) -> int:
    return round(share * count) if np.isfinite(share) else 0


# -- curves at single phones ----------------------------------------------------------------------


@cache
def vowels() -> dict[str, Any]:
    """Return the classes of shapes that are compared, from ``data/vowels.yaml``; checked."""
    text = files("facewire_eval").joinpath("data/vowels.yaml").read_text("utf-8")
    return load_yaml(text, "vowels.yaml", ("order", "rounded", "spread"))


def middle(spoken: Spoken, phone: PhoneTime) -> float:
    """Return the mean of a curve over the middle half of a phone."""
    quarter = (phone.end - phone.start) / 4
    first = int((phone.start + quarter) * spoken.fps)
    last = max(first + 1, int(np.ceil((phone.end - quarter) * spoken.fps)))
    rows = np.asarray(spoken.curve[max(first, 0) : last], np.float64)
    return float(rows.mean()) if len(rows) else float("nan")


def _at(spoken: Spoken, shapes: Sequence[str]) -> Array:
    """Return the curve at phones of one shape that is among ``shapes``: (phones,)."""
    found = [
        middle(spoken, p)
        for p in spoken.phones
        if len(s := read_phone(p.text).shapes) == 1 and s[0].name in shapes
    ]
    made = np.array(found, np.float64)
    return made[np.isfinite(made)]


def labiodental(recordings: Sequence[Spoken]) -> Figure:
    """Return the share of /f v/ at which the lower lip comes to the teeth.

    ``curve`` is ``lip_to_teeth``: under .06 in [start - 40 ms, end].
    """
    met = []
    for one in recordings:
        for phone in one.phones:
            if any(s.name == "f" for s in read_phone(phone.text).shapes):
                first = max(0, int((phone.start - EARLY) * one.fps))
                rows = one.curve[first : int(np.ceil(phone.end * one.fps)) + 1]
                met.append(bool(len(rows)) and float(rows.min()) < CONTACT)
    return share(met)


def rounding(recordings: Sequence[Spoken]) -> tuple[Figure, Figure]:
    """Return the contrast of rounding: its size, and how sure it is.

    ``curve`` is ``lip_protrusion``. The first is how far /u o w/ are above the speaker's mean in
    speech (.15 at least is asked for), the second the share of pairs of /u o w/ and /i e/ of a
    speaker in which the rounded one protrudes more (.9). Thresholds on protrusion itself fail on
    real faces.
    """
    sizes, pairs = [], []
    for one in recordings:
        said = np.array([middle(one, p) for p in one.phones if read_phone(p.text).shapes])
        rounded, flat = _at(one, vowels()["rounded"]), _at(one, vowels()["spread"])
        sizes.append(rounded - np.nanmean(said) if len(said) else rounded)
        pairs += [[float((r > flat).sum()), float(len(flat))] for r in rounded]
    size = np.concatenate(sizes) if sizes else np.zeros(0)
    table = np.array(pairs).reshape(-1, 2)
    return resampled(size, lambda s: float(s.mean())), ratio(table[:, 0], table[:, 1])


def vowel_order(recordings: Sequence[Spoken]) -> Figure:
    """Return the share of pairs of vowels that open in the order /a/ > /e o/ > /i u/.

    ``curve`` is the gap. Pairs are of one speaker and of different classes; ties count half.
    """
    rows = []
    for one in recordings:
        classes = [_at(one, shapes) for shapes in vowels()["order"]]
        for i, wide in enumerate(classes):
            narrow = np.concatenate([np.zeros(0), *classes[i + 1 :]])
            for value in wide:
                right = (value > narrow).sum() + 0.5 * (value == narrow).sum()
                rows.append([float(right), float(len(narrow))])
    table = np.array(rows).reshape(-1, 2)
    return bootstrap(table, lambda sums: np.asarray(sums[:, 0] / sums[:, 1]))
