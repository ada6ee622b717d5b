"""Real speech whose words are known, from Debian's packages, aligned by facewire-phonemes."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from facewire.articulation import PhoneTime
from facewire.errors import FacewireError
from facewire.profile_values import ComponentSpec
from facewire.registry import Registry
from facewire.types import Audio, Context, FloatArray
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.extractor import PhoneExtractor

from facewire_trajectory.augment import augment
from facewire_trajectory.corpus.build import Scene, arrays_of, drawn_labels, entry_of
from facewire_trajectory.corpus.emotions import condition
from facewire_trajectory.corpus.plan import Job
from facewire_trajectory.corpus.store import Arrays, Entry, Kind, Split
from facewire_trajectory.corpus.texts import Line, Turn
from facewire_trajectory.mel import HOP, RATE, log_mel
from facewire_trajectory.revoice import respoken
from facewire_trajectory.sound import at_level
from facewire_trajectory.targets import solve

HEARD = 16000
"""Samples a second of the aligner."""
COPIES = 3
"""How often speech comes again as if by another speaker, recorded elsewhere."""
_ASTERISK = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_POCKET = Path("/usr/share/pocketsphinx/test/data")
_MUSIC = Path("/usr/share/asterisk/moh")
_ALSA = Path("/usr/share/sounds/alsa")
_PIECE = 8.0  # seconds of music in an item
_LONGEST = 40  # pieces of music


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, what is said in it ("" for music), and from where to where it counts, in seconds."""

    name: str
    path: Path
    text: str
    source: str
    licence: str
    split: Split = "train"
    start: float = 0.0
    seconds: float | None = None

    @property
    def kind(self) -> Kind:
        """Speech, or other sound."""
        return "speech" if self.text else "other"


def _asterisk() -> Iterator[Recording]:
    """Yield prompts of at least two words whose text is all speech; each tenth for looking."""
    number = 0
    for line in gzip.decompress(_TEXTS.read_bytes()).decode(errors="replace").splitlines():
        match = re.match(r"([\w/+-]+):\s*([^\[<(]*)$", line.strip())
        path = _ASTERISK / f"{match[1]}.g722" if match else None
        if match and path and path.exists() and len(match[2].split()) >= 2:
            number += 1
            split: Split = "dev" if number % 10 == 0 else "train"
            name = "asterisk-" + match[1].replace("/", "-")
            yield Recording(name, path, match[2].strip(), "asterisk", "CC BY-SA 3.0", split)


def _pocketsphinx() -> Iterator[Recording]:
    for folder, name in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (_POCKET / folder / name).read_text().splitlines():
            if match := re.match(r"(.*)\((\S+)\)", line):
                text = re.sub(r"</?s>", "", match[1]).strip()
                path = _POCKET / folder / f"{match[2]}.wav"
                short = f"pocketsphinx-{match[2][-8:]}"
                yield Recording(short, path, text, "pocketsphinx-testdata", "BSD-2-Clause", "dev")


def _alsa() -> Iterator[Recording]:
    for path in sorted(_ALSA.glob("*_*.wav")):
        text = path.stem.replace("_", " ").lower()
        yield Recording(f"alsa-{path.stem.lower()}", path, text, "alsa-utils", "GPL-2.0")


def _music() -> Iterator[Recording]:
    for path in sorted(_MUSIC.glob("*.g722")):
        whole = path.stat().st_size / 8000  # 64 kbit/s
        for k in range(min(int(whole / _PIECE), _LONGEST)):
            name = f"music-{path.stem[:24]}-{k:02d}"
            split: Split = "dev" if k % 10 == 9 else "train"
            yield Recording(
                name, path, "", "asterisk-moh", "CC BY-SA 3.0", split, k * _PIECE, _PIECE
            )


def recordings() -> tuple[list[Recording], list[str]]:
    """Return what is installed, and a line for each source that is not."""
    decodable = shutil.which("ffmpeg") is not None
    sources = (
        ("asterisk-core-sounds-en-g722", _TEXTS.exists() and _ASTERISK.exists(), True, _asterisk),
        ("pocketsphinx-testdata", _POCKET.exists(), False, _pocketsphinx),
        ("alsa-utils", _ALSA.exists(), False, _alsa),
        ("asterisk-moh-opsound-g722", _MUSIC.exists(), True, _music),
    )
    found: list[Recording] = []
    lines = []
    for package, there, coded, listed in sources:
        if not there:
            lines.append(f"{package} is not installed: its recordings are left out")
        elif coded and not decodable:
            lines.append(f"ffmpeg is not installed: {package} cannot be read and is left out")
        else:
            found += listed()
    return found, lines


def samples_of(recording: Recording) -> FloatArray:
    """Return mono samples (n,) at 24 kHz."""
    if recording.path.suffix != ".g722":
        samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
        mono = samples.mean(axis=1)
    else:
        cut = ["-ss", f"{recording.start}", "-t", f"{recording.seconds}"]
        command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(recording.path)]
        command += cut if recording.seconds else []
        command += ["-f", "s16le", "-ac", "1", "-ar", "16000", "-"]
        raw = subprocess.run(command, capture_output=True, check=False).stdout
        mono, rate = np.frombuffer(raw, np.int16).astype(np.float32) / 32768, 16000
    heard: FloatArray = soxr.resample(mono, rate, RATE).astype(np.float32)
    return heard


@cache
def _espeak() -> Any:
    return Registry().build("voice", ComponentSpec("espeak", {}, "corpus"), Context()).stage


_shared: dict[str, Any] = {}


def _share(key: str, make: Callable[[], Any]) -> Any:
    if key not in _shared:
        _shared[key] = make()
    return _shared[key]


def aligned(samples: FloatArray, text: str, name: str) -> list[PhoneTime]:
    """Return the phones of a recording at 24 kHz whose words are known."""
    pronounce = _espeak().pronounce
    context = Context(name=name, transcript=text, shared=_share, pronounce=pronounce)
    stage = PhoneExtractor(ExtractorConfig(), context)
    heard = soxr.resample(samples, RATE, HEARD).astype(np.float32)
    parts = [stage.push(Audio(heard, HEARD)), *stage.flush()]
    marks = [mark for part in parts for mark in part.marks if mark.kind == "phone"]
    return [PhoneTime(m.text, m.start / HEARD, m.end / HEARD) for m in marks]


def build(recording: Recording, seed: int = 0) -> Iterator[tuple[Entry, Arrays]]:
    """Yield a recording's item and copies by other speakers; nothing if it does not align."""
    random = Context(name=recording.name, seed=seed).random("item")
    samples = samples_of(recording)
    try:
        phones = aligned(samples, recording.text, recording.name) if recording.text else []
    except FacewireError:
        return
    if recording.text and not phones:
        return
    samples = at_level(samples, -24.0)
    yield _item(recording, recording.name, samples, phones, random)
    for copy in range(COPIES if recording.text else 1):
        size, pace = (float(np.exp(random.normal(0, s))) for s in (0.1, 0.1))
        other = respoken(samples, np.clip(size, 0.78, 1.28), np.clip(pace, 0.75, 1.35))
        pace = len(samples) / max(len(other), 1)
        moved = [PhoneTime(p.text, p.start / pace, p.end / pace) for p in phones]
        name = f"{recording.name}-a{copy}"
        yield _item(recording, name, other, moved, random, f"size {size:.2f} pace {pace:.2f}")


def _item(
    recording: Recording,
    name: str,
    samples: FloatArray,
    phones: list[PhoneTime],
    random: np.random.Generator,
    change: str = "",
) -> tuple[Entry, Arrays]:
    scene = Scene(phones=phones, count=len(samples))
    scene.labels = drawn_labels(scene.seconds, random)
    turn = Turn((Line(recording.text, scene.labels[0][1], scene.labels[0][2]),))
    lang = "en" if recording.text else ""
    job = Job(
        name, recording.kind, recording.source, "", lang, recording.source,
        recording.split, recording.licence, turn,
    )  # fmt: skip
    entry = entry_of(job, scene, -(-len(samples) // HOP))
    targets = solve(samples, phones)
    arrays = arrays_of(samples, targets, condition(scene.labels, entry.rows, 0.8))
    if change:
        heard, done = augment(samples, random)
        entry = replace(entry, augmented=True, augmentation=f"{change} {done}".strip())
        arrays["mel"] = log_mel(heard)
    return entry, arrays
