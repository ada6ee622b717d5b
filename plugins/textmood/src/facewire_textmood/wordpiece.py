"""From text to token numbers: normalising, words, and their pieces.

The pieces are those of BERT's uncased vocabulary (Devlin et al., BERT, 2018; Wu et al., Google's
Neural Machine Translation System, 2016, section 4.1: the longest piece first). An emoji is read as
its name in the Unicode standard, so that one never seen in training still means something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

PAD, UNKNOWN, CLS, SEP = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SELF, OTHER = "[SELF]", "[OTHER]"
NAME, RELIGION = "[NAME]", "[RELIGION]"
SPECIAL = (PAD, UNKNOWN, CLS, SEP, SELF, OTHER, NAME, RELIGION)
"""The first entries of a vocabulary. The last two stand in GoEmotions for what was masked there."""

SENTENCE_TOKENS = 48
CONTEXT_TOKENS = 20  # of each earlier utterance its end is kept
MAX_WORD = 40  # a longer run of letters is no word of any vocabulary
MAX_CHARS = 1000  # of a sentence: it fills SENTENCE_TOKENS many times over

_QUOTES = str.maketrans("’‘‛ʼ“”„«»–—…", '\'\'\'\'"""""--.')
_MASKED = re.compile(r"\[(name|religion)\]", re.IGNORECASE)
# a masked name, a word, or one sign
_TOKEN = re.compile(r"\[(?:NAME|RELIGION)\]|[^\W_]+|[^\w\s]|_")
_JOINERS = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")
_REPEATED_SIGN = re.compile(r"([^\w\s])\1{2,}")


def normalised(text: str) -> str:
    """Return text in lower case without accents, with plain quotes and emoji as words."""
    text = _JOINERS.sub("", text[:MAX_CHARS]).translate(_QUOTES)
    text = _REPEATED_SIGN.sub(r"\1\1", text)  # "!!!!!!" says no more than "!!"
    text = unicodedata.normalize("NFD", text.lower())
    return "".join(map(_char, text))


@lru_cache(maxsize=4096)
def _char(char: str) -> str:
    category = unicodedata.category(char)
    if char < "\x7f":
        return char if char >= " " else " "
    if category == "So":  # emoji and other pictures
        return f" {unicodedata.name(char, '').lower().replace('-', ' ')} "
    if category in ("Mn", "Cf", "Cc", "Co", "Cn", "Cs"):
        return ""
    if unicodedata.east_asian_width(char) in "WF":  # scripts without spaces: each sign a word
        return f" {char} "
    return char


def words(text: str) -> list[str]:
    """Return the words and signs of a text, normalised."""
    plain = normalised(text)
    return _TOKEN.findall(_MASKED.sub(lambda found: found[0].upper(), plain))


class WordPiece:
    """Cuts words into the pieces of a vocabulary, and lays out what the model is asked."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Take the vocabulary; ValueError if it does not begin with ``SPECIAL`` or repeats."""
        if tuple(vocabulary[: len(SPECIAL)]) != SPECIAL:
            raise ValueError(f"vocabulary: expected {', '.join(SPECIAL)} first")
        self.ids = {piece: i for i, piece in enumerate(vocabulary)}
        if len(self.ids) != len(vocabulary):
            raise ValueError("vocabulary: a piece is in it twice")
        self._known: dict[str, tuple[int, ...]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the token numbers of a text, without any frame around them."""
        return [token for word in words(text) for token in self._pieces(word)]

    def _pieces(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            known = self._cut(word)
            if len(self._known) < 50_000:  # a stream of hours must not fill the memory
                self._known[word] = known
        return known

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > MAX_WORD:
            return (self.ids[UNKNOWN],)
        out, at = [], 0
        while at < len(word):
            end = len(word)
            mark = "##" if at else ""
            while end > at and mark + word[at:end] not in self.ids:
                end -= 1
            if end == at:
                return (self.ids[UNKNOWN],)
            out.append(self.ids[mark + word[at:end]])
            at = end
        return tuple(out)

    def layout(
        self, sentence: list[int], context: Iterable[tuple[str, list[int]]] = ()
    ) -> tuple[list[int], int]:
        """Return ``[CLS] sentence [SEP] [OTHER] … [SELF] … [SEP]`` and how long its first part is.

        ``context`` are who spoke (SELF or OTHER) and what, oldest first. The sentence comes first,
        so that its places do not depend on the context.
        """
        sep = self.ids[SEP]
        first = [self.ids[CLS], *sentence[:SENTENCE_TOKENS], sep]
        second: list[int] = []
        for who, tokens in context:
            second += [self.ids[who], *tokens[-CONTEXT_TOKENS:]]
        return [*first, *second, sep] if second else first, len(first)
