"""Synthesisers that say what they say when: espeak through its plugin, flite and festival."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from facewire.articulation import PhoneTime
from facewire.errors import InputError
from facewire.profile_values import ComponentSpec
from facewire.registry import Registry
from facewire.types import Context, FloatArray, Utterance

from facewire_trajectory.corpus.stress import stressed
from facewire_trajectory.mel import RATE

LIMIT = 120  # seconds that a program may take for a turn
_ESPEAK_WORDS = 175  # a minute, at pace 1
_FLITE_PHONE = re.compile(r"(\S+?):(\d+\.\d+)")
_FESTIVAL = {
    "kal": "voice_kal_diphone", "slt-hts": "voice_cmu_us_slt_arctic_hts"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manner:
    """How a turn is spoken.

    ``pace`` 1 is the voice's usual speed; ``pitch`` scales its height; ``size`` scales its formants
    and pitch (a shorter vocal tract is above 1), without changing the speed.
    """

    pace: float = 1.0
    pitch: float = 1.0
    size: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Samples (n,) at 24 kHz and the phones in them, in seconds."""

    samples: FloatArray
    phones: list[PhoneTime]


def resized(samples: FloatArray, rate: int, phones: list[PhoneTime], size: float) -> Speech:
    """Play samples ``size`` times faster, at 24 kHz, with their phones."""
    wanted: FloatArray = soxr.resample(samples, rate * size, RATE, quality="HQ")
    return Speech(
        wanted.astype(np.float32),
        [PhoneTime(p.text, p.start / size, p.end / size) for p in phones],
    )


@cache
def _registry() -> Registry:
    return Registry()


def espeak(text: str, voice: str, manner: Manner) -> Speech:
    """Speak with the plugin ``espeak``, whose marks are corrected; PluginError if there is none."""
    options = {
        "voice": voice,
        "rate": int(np.clip(_ESPEAK_WORDS * manner.pace / manner.size, 80, 450)),
        "pitch": int(np.clip(50 + 60 * np.log2(manner.pitch), 0, 99)),
    }
    spec = ComponentSpec("espeak", options, "corpus")
    stage = _registry().build("voice", spec, Context()).stage
    pieces = list(stage.speak(Utterance(text, voice.partition("+")[0])))
    if not pieces:
        return Speech(np.zeros(0, np.float32), [])
    rate = pieces[0].rate
    marks = [mark for piece in pieces for mark in piece.marks if mark.kind == "phone"]
    phones = [PhoneTime(mark.text, mark.start / rate, mark.end / rate) for mark in marks]
    return resized(np.concatenate([p.samples for p in pieces]), rate, phones, manner.size)


def joined(named: list[tuple[str, float]]) -> list[PhoneTime]:
    """Return phones (ARPAbet) of names and their ends, which touch; pauses are left out."""
    phones, at = [], 0.0
    for name, end in named:
        if name != "pau" and end > at:
            phones.append(PhoneTime(name.upper(), at, end))
        at = max(at, end)
    return phones


def flite(text: str, voice: str, manner: Manner) -> Speech:
    """Speak with the program ``flite``; InputError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "turn.wav"
        stretch = manner.size / manner.pace
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.3f}"]
        if manner.pitch != 1.0:
            command += ["--setf", f"f0_shift={manner.pitch:.3f}"]
        said = _run([*command, "-psdur", "-t", text, "-o", str(path)])
        samples, rate = soundfile.read(path, dtype="float32")
    named = [(name, float(end)) for name, end in _FLITE_PHONE.findall(said)]
    return resized(samples, rate, stressed(text, joined(named)), manner.size)


def festival(text: str, voice: str, manner: Manner) -> Speech:
    """Speak with the program ``festival``; InputError if it fails."""
    words = text.replace("\\", " ").replace('"', " ")
    with tempfile.TemporaryDirectory() as folder:
        script, wave, segments = (Path(folder) / name for name in ("t.scm", "t.wav", "t.seg"))
        script.write_text(
            f"({_FESTIVAL[voice]})\n"
            f"(Parameter.set 'Duration_Stretch {manner.size / manner.pace:.3f})\n"
            f'(set! turn (utt.synth (Utterance Text "{words}")))\n'
            f'(utt.save.segs turn "{segments}")\n'
            f'(utt.save.wave turn "{wave}" \'riff)\n'
        )
        _run(["festival", "--batch", str(script)])
        samples, rate = soundfile.read(wave, dtype="float32")
        lines = [line.split() for line in segments.read_text().splitlines()]
    named = [(line[2], float(line[0])) for line in lines if len(line) == 3 and line[0] != "#"]
    return resized(samples, rate, stressed(text, joined(named)), manner.size)


def _run(command: list[str]) -> str:
    """Return what a program prints; InputError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        cause = " ".join(done.stderr.split())[-120:] or f"status {done.returncode}"
        raise InputError(f"{command[0]}: failed: {cause}")
    return done.stdout


@cache
def flite_voices() -> tuple[str, ...]:
    """Return the voices that the installed flite has; none if it is not installed."""
    if not shutil.which("flite"):
        return ()
    listed = _run(["flite", "-lv"]).partition(":")[2].split()
    return tuple(dict.fromkeys(listed))


@cache
def festival_voices() -> tuple[str, ...]:
    """Return which of kal and slt-hts the installed festival has; none if it is not installed."""
    if not shutil.which("festival"):
        return ()
    with tempfile.NamedTemporaryFile("w", suffix=".scm") as script:
        script.write("(print (voice.list))\n")
        script.flush()
        listed = _run(["festival", "--batch", script.name])
    return tuple(key for key, voice in _FESTIVAL.items() if voice.removeprefix("voice_") in listed)


SPEAK = {"espeak": espeak, "flite": flite, "festival": festival}
"""How each synthesiser speaks: text, voice, manner."""
