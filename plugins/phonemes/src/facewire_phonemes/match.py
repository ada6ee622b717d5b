"""Matching what was heard to what is written: a global alignment of two strings of phones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WRONG = 1.0  # another phone
_LEFT_OUT = 0.7  # a phone on one side only; two of them cost more than another phone
_SKIP = 0.01  # a phone of text before the first that is heard: nearly free, nearest wins
ENOUGH = 0.6
"""Share of equal phones among ``_AROUND`` from which on the text is trusted. Another text's phones
reach 0.3 to 0.4, the right one's 0.8 and more."""
_AROUND = 21
_NOT_MISHEARD = 6  # phones in a row that are more than a misheard word


def match(heard: Sequence[str], text: Sequence[str]) -> NDArray[np.intp]:
    """Return for each heard phone the text phone it stands for, -1 for none.

    Text before the first and behind the last may be left over: Needleman and Wunsch, J. Mol.
    Biol. 1970, with free ends on the text's side.
    """
    if not heard or not text:
        return np.full(len(heard), -1, np.intp)
    code = {phone: i for i, phone in enumerate(dict.fromkeys([*heard, *text]))}
    a, b = (np.array([code[p] for p in side]) for side in (heard, text))
    moves, end = _moves(a, b)
    return _walk(moves, end, len(a))


def _moves(a: NDArray[np.intp], b: NDArray[np.intp]) -> tuple[NDArray[np.int8], int]:
    """Return each cell's move (0 diagonal, 1 heard alone, 2 text alone), and the best end."""
    along = _LEFT_OUT * np.arange(len(b) + 1)
    cost = _SKIP * np.arange(len(b) + 1)
    moves = np.full((len(a) + 1, len(b) + 1), 2, np.int8)
    for i, phone in enumerate(a, 1):
        new = np.empty_like(cost)
        new[0] = cost[0] + _LEFT_OUT
        diagonal = cost[:-1] + np.where(b == phone, 0.0, _WRONG)
        alone = cost[1:] + _LEFT_OUT
        new[1:] = np.minimum(diagonal, alone)
        # Text alone adds up along the row: the least of (cost before - what the way there costs).
        run = np.minimum.accumulate(new - along) + along
        moves[i, 1:] = np.where(run[1:] < new[1:] - 1e-9, 2, np.where(diagonal <= alone, 0, 1))
        moves[i, 0] = 1
        cost = run
    return moves, int(cost.argmin())


def _walk(moves: NDArray[np.int8], end: int, count: int) -> NDArray[np.intp]:
    partner = np.full(count, -1, np.intp)
    i, j = count, end
    while i > 0:
        move = moves[i, j]
        if move == 0:
            i, j = i - 1, j - 1
            partner[i] = j
        elif move == 1:
            i -= 1
        else:
            j -= 1
    return partner


class Said(NamedTuple):
    """A word that was said: the text's (``written``) or one that is only heard, and its place."""

    written: bool
    place: int


def merge(heard: Sequence[Sequence[str]], text: Sequence[Sequence[str]]) -> list[Said]:
    """Merge heard words and the text's (each the word's phones) into what was said, in order.

    The text is trusted where most phones around are the text's. There its words are taken, those
    between two of them included unless they are too many to have been misheard; elsewhere the
    heard words stand.
    """
    a_word, b_word = _owners(heard), _owners(text)
    partner = _trusted([p for w in heard for p in w], [p for w in text for p in w])
    met = np.bincount(b_word[partner[partner >= 0]], minlength=len(text))
    said = met * 2 >= np.array([len(word) for word in text])
    alone = np.bincount(a_word[partner < 0], minlength=len(heard))
    extra = alone * 2 > np.array([len(word) for word in heard])
    items: list[Said] = []
    for i, j in enumerate(partner):
        if extra[a_word[i]]:
            item = Said(False, int(a_word[i]))
        elif j >= 0 and said[b_word[j]]:
            item = Said(True, int(b_word[j]))
        else:
            continue
        if item not in items[-8:]:
            items.append(item)
    return _filled(_cleaned(items, heard), text)


def _trusted(heard: Sequence[str], text: Sequence[str]) -> NDArray[np.intp]:
    partner = match(heard, text)
    if not len(partner):
        return partner
    equal = np.array([j >= 0 and heard[i] == text[j] for i, j in enumerate(partner)], bool)
    around = np.ones(min(_AROUND, len(heard)))
    share = np.convolve(equal, around, "same") / np.convolve(np.ones(len(heard)), around, "same")
    trusted = share[: len(heard)] >= ENOUGH
    # The average blurs the edges: what goes on being equal there is the text's.
    for i in range(1, len(heard)):
        trusted[i] |= trusted[i - 1] and equal[i]
    for i in range(len(heard) - 2, -1, -1):
        trusted[i] |= trusted[i + 1] and equal[i]
    return np.where(trusted, partner, -1)


def _cleaned(items: list[Said], heard: Sequence[Sequence[str]]) -> list[Said]:
    """Drop heard words that are too few between the text's to be more than a mishearing."""
    out: list[Said] = []
    for written, group in groupby(items, key=lambda item: item.written):
        run = list(group)
        if written or len(run) == len(items) or _size(heard, run) >= _NOT_MISHEARD:
            out += run
    return out


def _filled(items: list[Said], text: Sequence[Sequence[str]]) -> list[Said]:
    """Put the few words of the text between two that were said back in."""
    out: list[Said] = []
    for item in items:
        if out and item.written and out[-1].written:
            between = [Said(True, i) for i in range(out[-1].place + 1, item.place)]
            out += between if _size(text, between) < _NOT_MISHEARD else []
        out.append(item)
    return out


def _size(words: Sequence[Sequence[str]], run: Sequence[Said]) -> int:
    return sum(len(words[item.place]) for item in run)


def _owners(words: Sequence[Sequence[str]]) -> NDArray[np.intp]:
    return np.repeat(np.arange(len(words)), [len(word) for word in words])
