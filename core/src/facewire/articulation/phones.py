"""What each phone asks of the mouth: a table of shapes, and ARPAbet and IPA read into it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, get_args

from facewire.articulation.tables import load_yaml, numbers

CURVES = (
    "gap", "jaw", "width", "protrusion", "teeth", "upper", "lower", "press",
    "tongueOut", "tongueUp", "tongueTipUp", "tongueBack", "tongueWide", "tongueRaise",
    "tongueRollDown",
)  # fmt: skip
"""The articulatory values, in the columns' order."""

Kind = Literal["vowel", "open", "closure", "narrow", "other"]
KINDS = get_args(Kind)
MODIFIERS = "ːˑʰʱʲʷˠˤˀⁿˡ˞'`.ˈˌ͡‿~^-|!*0123456789"
VOWELS = ("vowel", "open")


@dataclass(frozen=True, slots=True)
class Shape:
    """One target of the mouth: ``targets`` are (curve's column, value); ``firm`` its weight."""

    name: str
    kind: Kind
    targets: tuple[tuple[int, float], ...]
    firm: float


@dataclass(frozen=True, slots=True)
class Symbol:
    """A phone's text, read: its shapes in order (none: silence) and its stress.

    ``stress`` is 1 primary, 2 secondary, 0 none, None not told. ``known`` is False if the text is
    in no table and the neutral shape stands in.
    """

    shapes: tuple[Shape, ...]
    stress: int | None
    known: bool = True
    nasal: bool = False

    @property
    def kind(self) -> Kind | Literal["silence"]:
        """The kind of the first shape, or silence."""
        return self.shapes[0].kind if self.shapes else "silence"


@dataclass(frozen=True, slots=True)
class Tables:
    """The phone tables: shapes by name, symbols to shapes, texts that mean silence."""

    shapes: dict[str, Shape]
    arpabet: dict[str, tuple[Shape, ...]]
    ipa: dict[str, tuple[Shape, ...]]
    silence: frozenset[str]


def _shape(name: str, row: dict[str, object]) -> Shape:
    kind = row.get("kind")
    if kind not in KINDS:
        raise ValueError(f"phones.yaml: shape {name}: kind {kind!r}, expected one of {KINDS}")
    known: Kind = kind  # type: ignore[assignment]  # one of KINDS
    values = numbers({k: v for k, v in row.items() if k != "kind"}, f"phones.yaml: shape {name}")
    firm = values.pop("firm", 1.0)
    wrong = set(values) - set(CURVES)
    if wrong or "gap" not in values or "jaw" not in values:
        raise ValueError(f"phones.yaml: shape {name}: gap, jaw or unknown curve {sorted(wrong)}")
    return Shape(name, known, tuple((CURVES.index(k), v) for k, v in values.items()), firm)


@cache
def tables() -> Tables:
    """Return the phone tables, read and checked once."""
    text = files("facewire").joinpath("data/articulation/phones.yaml").read_text("utf-8")
    data = load_yaml(text, "phones.yaml", ("shapes", "arpabet", "ipa", "ipa_digraphs", "silence"))
    shapes = {name: _shape(name, row) for name, row in data["shapes"].items()}

    def find(names: str) -> tuple[Shape, ...]:
        return tuple(shapes[name] for name in names.split())

    ipa = {letter: find(name) for name, row in data["ipa"].items() for letter in row.split()}
    ipa.update({digraph: find(names) for digraph, names in data["ipa_digraphs"].items()})
    arpabet = {phone: find(names) for phone, names in data["arpabet"].items()}
    return Tables(shapes, arpabet, ipa, frozenset(data["silence"]))


@lru_cache(maxsize=4096)
def read_phone(text: str) -> Symbol:
    """Return what a phone in ARPAbet (``AH0``, ``P``) or IPA (``ˈɑː``, ``tʃ``) asks of the mouth.

    Length marks and diacritics are taken off. An IPA sequence that is no symbol of its own is
    read letter by letter; a text with no letter of either alphabet is the neutral shape.
    """
    table = tables()
    bare = text.strip()
    if bare.strip("+<>").upper() in table.silence:
        return Symbol((), None)
    base, digit = (bare[:-1], int(bare[-1])) if bare[-1] in "012" else (bare, None)
    if base in table.arpabet:
        return Symbol(table.arpabet[base], digit, nasal=base in ("M", "EM"))
    stress = 1 if "ˈ" in text else 2 if "ˌ" in text else None
    letters = "".join(
        c for c in unicodedata.normalize("NFD", bare.replace("ɝ", "ɜ"))
        if not unicodedata.combining(c) and c not in MODIFIERS
    )  # fmt: skip
    shapes = _spell(letters, table.ipa)
    if not shapes:
        return Symbol((table.shapes["neutral"],), stress, known=False)
    return Symbol(shapes, stress, nasal="m" in letters)


def _spell(letters: str, ipa: dict[str, tuple[Shape, ...]]) -> tuple[Shape, ...]:
    """Return the shapes of IPA letters, digraphs first; a shape twice in a row counts once."""
    shapes: list[Shape] = []
    at = 0
    while at < len(letters):
        size = 2 if letters[at : at + 2] in ipa else 1
        for shape in ipa.get(letters[at : at + size], ()):
            if not shapes or shapes[-1] != shape:
                shapes.append(shape)
        at += size
    return tuple(shapes)
