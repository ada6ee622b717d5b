"""Takes to learn from: sound and a Live Link Face capture, as features and targets.

As NeuroSync Trainer Lite prepares them (NeuroSync spec, section 7): targets times 100, lengths
matched by trimming both ends, and a copy at twice the speed joined on with a cross-fade. Unlike
there, whole takes are kept for validation: windows of one take overlap, so that a random choice of
windows would test on what was learned.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.errors import InputError, PluginError
from facewire.resample import AudioResampler
from facewire.rig import Rig
from facewire.sources import AudioFile
from facewire.types import Audio, FloatArray

from facewire_neurosync import capture
from facewire_neurosync.architecture import WINDOW
from facewire_neurosync.features import features
from facewire_neurosync.mel import RATE

SOUNDS = (".wav", ".flac")
FILMS = (".mov", ".mp4")
SCALE = 100.0  # of targets
JOIN = 30  # rows of the cross-fade between a take and its fast copy


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """Features (n, 256) and targets (n, outputs) of the same rows."""

    name: str
    features: FloatArray
    targets: FloatArray

    def __len__(self) -> int:
        return len(self.features)

    @property
    def windows(self) -> int:
        """How many windows of 128 rows begin in it."""
        return max(0, len(self) - WINDOW + 1)


def pairs(folders: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return (sound or film, capture) of each take in folders and the folders within them.

    A folder with one sound is a take; its capture ends in ``_cal.csv`` (calibrated) or ``.csv``.
    In a folder with several sounds each goes with the captures whose names begin with its stem.
    """
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder of takes")
        for place in sorted({folder, *(path for path in folder.rglob("*") if path.is_dir())}):
            found += _pairs_in(place)
    if not found:
        where = ", ".join(str(folder) for folder in folders)
        raise InputError(f"{where}: no takes; expected folders with a .wav or .mov and a .csv")
    return found


def _pairs_in(place: Path) -> list[tuple[Path, Path]]:
    files = sorted(path for path in place.iterdir() if path.is_file())
    tables = [path for path in files if path.suffix.lower() == ".csv"]
    sounds = [path for path in files if path.suffix.lower() in SOUNDS]
    sounds = sounds or [path for path in files if path.suffix.lower() in FILMS]
    made = []
    for sound in sounds:
        own = [path for path in tables if len(sounds) == 1 or path.stem.startswith(sound.stem)]
        own.sort(key=lambda path: (not path.stem.endswith("_cal"), len(path.name)))
        if own:
            made.append((sound, own[0]))
    return made


def samples_of(path: Path) -> FloatArray:
    """Return a file's sound at 88.2 kHz, mono; films go through ffmpeg."""
    if path.suffix.lower() in FILMS:
        return _from_film(path)
    source = AudioFile(path)
    resampler = AudioResampler(source.rate or RATE, RATE, Fraction(60))
    pieces = [resampler.push(item).samples for item in source.blocks() if isinstance(item, Audio)]
    return np.concatenate([*pieces, resampler.flush().samples])


def _from_film(path: Path) -> FloatArray:
    if not shutil.which("ffmpeg"):
        raise PluginError(f"{path}: a film needs ffmpeg; install it, or export the sound as .wav")
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-vn", "-ac", "1"]
        done = subprocess.run(
            [*command, "-c:a", "pcm_f32le", str(sound)], capture_output=True, text=True
        )
        if done.returncode or not sound.exists():
            why = " ".join(done.stderr.split())[:160]
            raise InputError(f"{path}: ffmpeg found no sound in it ({why})")
        return samples_of(sound)


def read(sound: Path, table: Path, outputs: int) -> Take:
    """Return a take; InputError if it is too short or lacks a column."""
    names = Rig.named("neurosync68").channels[:outputs]
    taken = capture.read(table)
    missing = [name for name in names if name not in taken.channels]
    if missing:
        told = ", ".join(missing[:3])
        raise InputError(f"{table}: has no column for {told}; expected {outputs} channels")
    targets = taken.onto(Rig("targets", names)) * np.float32(SCALE)
    rows = features(samples_of(sound))
    rows, targets = trimmed(rows, targets)
    if len(rows) < WINDOW:
        raise InputError(f"{sound}: the take has {len(rows)} rows, expected {WINDOW} or more")
    return Take(table.parent.name + "/" + sound.stem, rows, targets)


def trimmed(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both cut to the length of the shorter, as much at the beginning as at the end."""
    size = min(len(one), len(other))
    starts = [(len(rows) - size) // 2 for rows in (one, other)]
    return one[starts[0] : starts[0] + size], other[starts[1] : starts[1] + size]


def with_fast_copy(take: Take) -> Take:
    """Return the take with a copy at twice the speed behind it."""
    joined = (_joined(rows, rows[::2]) for rows in (take.features, take.targets))
    return Take(take.name, *joined)


def _joined(one: FloatArray, other: FloatArray) -> FloatArray:
    size = min(JOIN, len(other))
    part = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    middle = one[-size:] * (1 - part) + other[:size] * part
    return np.concatenate([one[:-size], middle, other[size:]])


def split(takes: Sequence[Take], share: float, seed: int) -> tuple[list[Take], list[Take]]:
    """Return takes to learn from and takes to validate with: about ``share`` of the rows.

    A single take is cut near its end, with a window's length left out between the two.
    """
    if share <= 0:
        return list(takes), []
    if len(takes) == 1:
        (take,) = takes
        cut = int(len(take) * (1 - share))
        first = Take(take.name, take.features[:cut], take.targets[:cut])
        last = slice(cut + WINDOW, None)
        rest = Take(f"{take.name}, its end", take.features[last], take.targets[last])
        if not first.windows or not rest.windows:
            raise InputError(f"{take.name}: too short to keep a part for validation; add takes")
        return [first], [rest]
    order = np.random.default_rng(seed).permutation(len(takes))
    total, kept, count = sum(len(take) for take in takes), [], 0
    for i in order[:-1]:
        if count and count + len(takes[i]) / 2 > share * total:
            continue
        kept.append(int(i))
        count += len(takes[i])
    learned = [take for i, take in enumerate(takes) if i not in kept]
    return learned, [takes[i] for i in sorted(kept)]
