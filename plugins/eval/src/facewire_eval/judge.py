"""The page where people judge: blind pairs of engines, and emotions to be named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from facewire.assemble import assemble
from facewire.emotion import LABELS, EmotionCurve, State
from facewire.errors import InputError, PluginError
from facewire.profile import Profile
from facewire.types import (
    MAX_BLOCK_ROWS,
    Audio,
    Block,
    Context,
    Frames,
    RunInfo,
    Utterance,
    first_sample,
)

from facewire_eval.engines import Engine
from facewire_eval.items import SOUNDS, Motion, Sound, read_sound
from facewire_eval.page import fill
from facewire_eval.votes import FORMAT, UNSURE

Clip = dict[str, str]
Tick = Callable[[str, float], None]
_BLOCK = re.compile(r'<script type="text/plain" id="data-(\w+)">(.*?)</script>\n?', re.DOTALL)
_PLACE = "<!--clip-->"
STRENGTH = 1.2
"""Of an emotion that is to be named: a little above level 3."""


def read_lines(path: Path, profile: Profile) -> list[Sound]:
    """Return the lines of a file as sounds: sound files by name, texts spoken by the voice.

    Every engine gets the same sound. InputError if there are none.
    """
    try:
        given = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as lines of text: {error}") from None
    if not given:
        raise InputError(
            f"{path}: is empty; expected a line of text, or a sound file, on each line"
        )
    return [_line(text, i, path, profile) for i, text in enumerate(given, 1)]


def _line(text: str, number: int, path: Path, profile: Profile) -> Sound:
    if Path(text).suffix.lower() in SOUNDS:
        return read_sound(path.parent / text, profile.lang)
    stage = assemble(profile, f"line-{number}", Path("out")).voice.stage
    pieces = list(stage.speak(Utterance(text, profile.lang)))
    marks = tuple(mark for piece in pieces for mark in piece.marks)
    samples = np.concatenate([piece.samples for piece in pieces])
    return Sound(f"line-{number}", samples, pieces[0].rate, profile.lang, marks)


def shell_and_clip(sound: Sound, motion: Motion) -> tuple[str, Clip]:
    """Return facewire-preview's page without data, and the data of a clip by name.

    Marks and emotions are left out of it: a judge must not read them.
    """
    try:
        from facewire_preview.page import HtmlSink
        from facewire_preview.take import Take
    except ImportError:
        raise PluginError(
            "the judging page shows facewire-preview's head, which is not installed; "
            "pip install facewire-preview"
        ) from None
    take = Take(RunInfo("clip", motion.rig, motion.fps, sound.rate), "clip")
    for block in _blocks(sound, motion):
        take.add(block)
    page = b"".join(HtmlSink(Path("clip.html")).made(take)).decode("utf-8")
    clip = dict(_BLOCK.findall(page))
    shell, _ = _BLOCK.subn("", page)
    return shell.replace("<script>", f"{_PLACE}<script>", 1), clip


def _blocks(sound: Sound, motion: Motion) -> list[Block]:
    made, fps = [], motion.fps
    for start in range(0, len(motion.values), MAX_BLOCK_ROWS):
        rows = motion.values[start : start + MAX_BLOCK_ROWS]
        first, last = (first_sample(k, sound.rate, fps) for k in (start, start + len(rows)))
        frames = Frames(rows, motion.rig, fps, start)
        heard = Audio(sound.samples[first:last], sound.rate, first)
        made.append(Block(frames, EmotionCurve().sample(start, len(rows), fps), heard))
    return made


class Book:
    """The clips of a page: the player and the head are kept once."""

    def __init__(self) -> None:
        self.shell, self.head = "", ""
        self.clips: dict[str, Clip] = {}

    def add(self, sound: Sound, motion: Motion) -> str:
        """Add a clip; return its name on the page."""
        self.shell, clip = shell_and_clip(sound, motion)
        self.head = clip.pop("head")
        name = f"clip-{len(self.clips) + 1}"
        self.clips[name] = clip
        return name


def judging_page(
    engines: Sequence[Engine],
    lines: Sequence[Sound],
    seed: int = 0,
    tick: Tick = lambda what, seconds: None,
) -> str:
    """Return the page: every two engines on every line, every emotion of every engine.

    Order and sides are drawn from the seed, and are in the votes. InputError with fewer than two
    engines.
    """
    if len(engines) < 2:
        raise InputError("judge: found one engine, expected two or more; give --profiles A B")
    random, book = Context(name="judge", seed=seed).random("eval.judge"), Book()
    pairs = _pairs(engines, lines, book, random, tick)
    names = _names(engines, lines[0], book, random, tick)
    told: dict[str, Any] = {
        "format": FORMAT,
        "seed": seed,
        "labels": list(LABELS),
        "unsure": UNSURE,
        "place": _PLACE,
        "pairs": [pairs[i] for i in random.permutation(len(pairs))],
        "names": [names[i] for i in random.permutation(len(names))],
    }
    from facewire_preview.page import in_script, packed

    return fill(
        "judge.html",
        {
            "SHELL": packed(book.shell.encode()),
            "HEAD": book.head,
            "CLIPS": in_script(json.dumps(book.clips, separators=(",", ":"))),
            "TOLD": in_script(json.dumps(told, ensure_ascii=False, separators=(",", ":"))),
        },
    )


def _pairs(
    engines: Sequence[Engine],
    lines: Sequence[Sound],
    book: Book,
    random: np.random.Generator,
    tick: Tick,
) -> list[dict[str, Any]]:
    pairs = []
    for line in lines:
        clips = {}
        for engine in engines:
            motion = engine.animate(line)
            tick(f"{engine.name}: {line.name}", line.seconds)
            if motion is not None:
                clips[engine.name] = book.add(line, motion)
        for two in combinations(clips, 2):
            left, right = two if random.random() < 0.5 else two[::-1]
            pairs.append({"line": line.name, "left": left, "right": right,
                          "clips": [clips[left], clips[right]]})  # fmt: skip
    return pairs


def _names(
    engines: Sequence[Engine],
    line: Sound,
    book: Book,
    random: np.random.Generator,
    tick: Tick,
) -> list[dict[str, Any]]:
    names = []
    for engine in engines:
        if not _shows_emotion(engine):
            continue
        for label in LABELS:
            motion = engine.animate(line, None, State.named(label, STRENGTH))
            tick(f"{engine.name}: {label}", line.seconds)
            if motion is not None:
                names.append(
                    {"engine": engine.name, "shown": label, "clip": book.add(line, motion)}
                )
    return names


def _shows_emotion(engine: Engine) -> bool:
    """Return whether a profile's face differs between two emotions, on half a second."""
    sound = Sound("probe", np.zeros(12000, np.float32), 24000)
    both = [engine.animate(sound, None, State.named(label)) for label in ("joy", "sadness")]
    one, other = (motion.values if motion else None for motion in both)
    return one is not None and other is not None and bool(np.abs(one - other).max() > 1e-3)
