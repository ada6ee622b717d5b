"""Measure the alignment of transcripts in other languages than English, and print the table.

    python benchmarks/languages.py [LANGUAGE ...] [--sentences 40]

Recordings, each kind skipped with a line where it is not installed:

- festival's voices (Debian's festvox-*, festival-*), which say when each phone is;
- espeak-ng for what festival has not: another voice than the recital's, other pace and pitch, both
  wandering by a fifth, with noise 25 dB below. The same rules of duration, so the easiest;
- people: Debian's asterisk-core-sounds-*-g722. In English their phones are pocketsphinx'
  alignment, in other languages nothing says when they are: a recital by another voice is the
  judge of p, b and m.

A phone p, b or m is found if there is one of the same letter with an edge within 50 ms. Boundaries
are compared where the phones' letters correspond, in their order. ``taken`` is the share of the
words of its own transcript that are found in a recording, ``of another`` of another recording's.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from alignment import RATE, asterisk, extract, load
from facewire.assemble import assemble
from facewire.profile import ComponentSpec, Profile
from facewire.types import Context, FloatArray, Mark
from facewire.yaml_loader import load_yaml
from facewire_phonemes.carried import carried
from facewire_phonemes.laid import RecitedAligner
from facewire_phonemes.match import match
from facewire_phonemes.recital import Recital
from facewire_phonemes.recited import place
from facewire_phonemes.transcript import Spool

TABLE = load_yaml(Path(__file__).with_name("languages.yaml"), "languages.yaml")
NEAR = 0.05  # s
SILENCES = {"#", "pau", "_", "h#", "sil", "ssil"}
SOUNDS = {
    "es": "es_MX_f_Allison", "fr": "fr_CA_f_June", "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
}  # fmt: skip
MANNERS = (("f3", 140, 60), ("m5", 210, 40), ("f5", 175, 70), ("m2", 150, 30))
LETTERS = {one: latin for latin, every in TABLE["letters"].items() for one in every}


class Phone(NamedTuple):
    """A phone's letter, and its start and end in seconds."""

    letter: str
    start: float
    end: float


class Case(NamedTuple):
    """A recording at 16 kHz, what it says, and its phones where they are known."""

    lang: str
    kind: str
    text: str
    samples: FloatArray
    phones: list[Phone] | None


@dataclass
class Row:
    """What was found in one language in one kind of recording."""

    found: int = 0
    wanted: int = 0
    errors: list[float] = field(default_factory=list)
    taken: list[tuple[float, ...]] = field(default_factory=list)


def letter(name: str) -> str:
    """Return the first letter of a phone's name, that of the nearest Latin one for IPA's."""
    first = name.lstrip("ˈˌ")[:1].lower()
    return LETTERS.get(first, first)


@cache
def context(lang: str, options: str = "") -> Context:
    """Return the context of a run with espeak as the voice; ``options`` are voice, rate, pitch."""
    keys = ("voice", "rate", "pitch")
    given = dict(zip(keys, (options.split() if options else []), strict=False))
    chosen: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in given.items()}
    profile = Profile(name="languages", sinks=(), lang=lang)
    profile = replace(profile, pronounce=ComponentSpec("espeak", chosen))
    return assemble(profile, "languages", Path()).context


def recited(lang: str, text: str, options: str = "") -> Recital:
    pieces = context(lang, options).recite(text)
    assert pieces is not None
    return Recital(pieces)


def phones_of(marks: list[Mark], rate: int = RATE) -> list[Phone]:
    return [Phone(letter(m.text), m.start / rate, m.end / rate) for m in marks]


# -- recordings ----------------------------------------------------------------------------------


def festival(lang: str) -> Iterator[Case]:
    """Yield the language's sentences as festival's voices say them."""
    about = TABLE["festival"].get(lang)
    for voice in about["voices"] if about else ():
        if not any(Path("/usr/share/festival/voices").glob(f"*/{voice}")):
            print(f"skipped: festival's {voice} is not installed")
            continue
        for text in TABLE["sentences"][lang]:
            samples, phones = synthesised(voice, about["encoding"], text)
            yield Case(lang, "festival", text, samples, phones)


def synthesised(voice: str, encoding: str, text: str) -> tuple[FloatArray, list[Phone]]:
    with tempfile.TemporaryDirectory() as folder:
        script, wave, segments = (Path(folder) / name for name in ("t.scm", "t.wav", "t.seg"))
        lines = (
            f'(voice_{voice})\n(set! turn (utt.synth (Utterance Text "{text}")))\n'
            f'(utt.save.segs turn "{segments}")\n(utt.save.wave turn "{wave}" \'riff)\n'
        )
        script.write_bytes(lines.encode(encoding, "replace"))
        subprocess.run(["festival", "--batch", str(script)], check=True, capture_output=True)
        samples, rate = soundfile.read(wave, dtype="float32")
        told = [line.split() for line in segments.read_text(encoding).splitlines()]
    ends = [(line[2], float(line[0])) for line in told if len(line) == 3 and line[0] != "#"]
    phones = [
        Phone(letter(name), start, end)
        for (_, start), (name, end) in itertools.pairwise([("", 0.0), *ends])
        if name not in SILENCES
    ]
    return soxr.resample(samples, rate, RATE).astype(np.float32), phones


def espeak(lang: str) -> Iterator[Case]:
    """Yield the language's sentences as other voices of espeak say them, wandering, with noise."""
    rng = np.random.default_rng(1)
    for text, (variant, rate, pitch) in itertools.product(TABLE["sentences"][lang], MANNERS):
        recital = recited(lang, text, f"{lang}+{variant} {rate} {pitch}")
        dry = recital.sound.read(0, recital.sound.length)
        # The tape runs faster and slower, by a fifth, every 1.3 s.
        seconds = np.arange(len(dry)) / RATE
        speed = 1.0 + 0.2 * np.sin(2 * np.pi * (seconds / 1.3 + rng.random()))
        when = np.cumsum(1.0 / speed)
        samples = np.interp(np.arange(int(when[-1])), when, dry)
        level = 10 ** (-25 / 20) * np.sqrt(np.mean(samples**2))
        samples += level * rng.standard_normal(len(samples))
        phones = [
            Phone(p.letter, *(float(when[min(int(t * RATE), len(when) - 1)]) / RATE for t in p[1:]))
            for p in phones_of(recital.phones)
        ]
        yield Case(lang, "espeak", text, samples.astype(np.float32), phones)


def people(lang: str, count: int) -> Iterator[Case]:
    """Yield what people say in asterisk's recordings of five words and more."""
    if lang == "en":
        for recording in asterisk(count):
            samples = load(recording.path)
            marks, _ = extract(samples, transcript=recording.text, name=recording.name)
            yield Case(lang, "people", recording.text, samples, phones_of(marks))
    texts = Path(f"/usr/share/doc/asterisk-core-sounds-{lang}/core-sounds-{lang}.txt.gz")
    folder = Path("/usr/share/asterisk/sounds") / SOUNDS.get(lang, "-")
    lines = gzip.decompress(texts.read_bytes()).decode() if lang in SOUNDS else ""
    found = []
    for line in lines.splitlines():
        told = re.match(r"([\w/+-]+):\s*([^\[<(]*)$", line.strip())
        path = folder / f"{told[1]}.g722" if told else folder
        if told and path.is_file() and len(told[2].split()) >= 5:
            found.append((told[2], path))
    random.Random(1).shuffle(found)
    for text, path in found[:count]:
        yield Case(lang, "people", text, load(path), None)


# -- judging -------------------------------------------------------------------------------------


def spool(samples: FloatArray) -> Spool:
    sound = Spool()
    sound.push(samples)
    return sound


def laid(samples: FloatArray, recital: Recital) -> list[Phone]:
    placed = place(spool(samples), recital)
    words = carried(recital, placed) if placed else []
    return phones_of([mark for word in words for mark in word.phones])


def taken(samples: FloatArray, recital: Recital, text: str) -> float:
    """Return the share of a transcript's words that are trusted to be in a recording."""
    aligner = extract(np.zeros(1, np.float32))[1]._aligner
    placed = place(spool(samples), recital)
    words = RecitedAligner(aligner, recital, text)._trusted(placed) if placed else []
    return len(words) / max(len(recital.words), 1)


def judge(row: Row, case: Case, other: str) -> None:
    """Add a recording's figures; ``other`` is a transcript of something else."""
    recital = recited(case.lang, case.text)
    found = laid(case.samples, recital)
    truth = case.phones
    if truth is None:  # a second opinion
        truth = laid(case.samples, recited(case.lang, case.text, f"{case.lang}+f3 140 60"))
    wrong = recited(case.lang, other)
    shares = (taken(case.samples, r, t) for r, t in ((recital, case.text), (wrong, other)))
    row.taken.append((*shares, len(case.samples) / RATE))
    for phone in truth:
        if phone.letter in "pbm" and phone.letter:
            near = [p for p in found if p.letter == phone.letter]
            row.wanted += 1
            row.found += any(
                min(abs(p.start - phone.start), abs(p.end - phone.end)) <= NEAR for p in near
            )
    partner = match([p.letter for p in found], [p.letter for p in truth])
    for mine, j in zip(found, partner, strict=True):
        if j >= 0 and truth[j].letter == mine.letter:
            row.errors += [abs(mine.start - truth[j].start), abs(mine.end - truth[j].end)]


def show(lang: str, kind: str, row: Row) -> None:
    ms = np.array(row.errors) * 1000
    share, other, weight = np.array(row.taken).T
    print(
        f"| {lang} | {kind} | {len(row.taken)} | {row.found} of {row.wanted} "
        f"({row.found / max(row.wanted, 1):.0%}) | {np.median(ms):.0f} ms | "
        f"{np.percentile(ms, 90):.0f} ms | {np.average(share, weights=weight):.0%} | "
        f"{np.average(other, weights=weight):.0%} |",
        flush=True,
    )


def cases(lang: str, count: int) -> Iterator[Case]:
    installed = any(Path("/usr/share/asterisk/sounds").glob(f"{SOUNDS.get(lang, '-')}/*.g722"))
    if lang == "en" or installed:
        yield from people(lang, count)
    elif lang in SOUNDS:
        print(f"skipped: asterisk-core-sounds-{lang}-g722 is not installed")
    if lang == "en":
        return
    if lang in TABLE["festival"] and shutil.which("festival"):
        yield from festival(lang)
    elif lang in TABLE["festival"]:
        print(f"skipped: festival is not installed ({lang})")
    if lang not in TABLE["festival"]:
        yield from espeak(lang)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("languages", nargs="*")
    parser.add_argument("--sentences", type=int, default=40)
    options = parser.parse_args()
    print("| language | spoken by | recordings | p, b, m found | median | 90 % | taken |"
          " of another |")  # fmt: skip
    print("| --- " * 8 + "|")
    for lang in options.languages or ["en", *TABLE["sentences"]]:
        every = list(cases(lang, options.sentences))
        for kind in dict.fromkeys(case.kind for case in every):
            here = [case for case in every if case.kind == kind]
            texts = list(dict.fromkeys(case.text for case in here))
            row = Row()
            for case in here:
                other = texts[(texts.index(case.text) + 1) % len(texts)]
                judge(row, case, other)
            show(lang, kind, row)


if __name__ == "__main__":
    main()
