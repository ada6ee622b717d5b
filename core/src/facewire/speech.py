"""From text to audio: tags come out, the voice speaks, emotion lands on its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from facewire.assemble import Assembly
from facewire.emotion import State, Tagged, constant, parse_tags
from facewire.errors import InputError
from facewire.pipeline import call, walk
from facewire.stages import Voice
from facewire.types import Audio, Mark, Text, Utterance

HISTORY = 8  # earlier utterances that a voice and a reader of emotion are told of


@dataclass(frozen=True, slots=True)
class Cue:
    """A change of emotion ``at`` a character of the text, or a sample of what was spoken."""

    at: int
    state: State
    source: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of a voice's audio with the cues that fall into it."""

    audio: Audio
    cues: tuple[Cue, ...] = ()


class Speech:
    """Speaks texts with the profile's voice, and reads emotion from tags and from the words."""

    def __init__(self, assembly: Assembly, tell: Callable[[str], None] = print) -> None:
        self._tell = tell
        self._assembly, self._profile = assembly, assembly.profile
        self.voice = assembly.voice
        self._reader = assembly.text_emotion()
        self._history: list[str] = []
        self._state: State | None = None
        self.rate: int = self.voice.stage.rate

    def speak(self, text: Text) -> Iterator[Spoken]:
        """Yield a text as spoken, from sample 0; a cue lands on the word that its tag precedes."""
        plain, tags = self._parse(text.text)
        # A turn's own emotion ends what a tag in an earlier turn began.
        cues = [Cue(0, text.state, "tags")] if text.state else []
        cues += [Cue(tag.at, tag.state, "tags") for tag in tags]
        cues = sorted(cues + self._read(plain), key=lambda cue: cue.at)
        if not plain.strip():
            return iter([Spoken(Audio(np.zeros(0, np.float32), self.rate), tuple(cues))])
        if cues and not plain[: cues[0].at].strip():
            self._state = cues[0].state
        utterance = Utterance(
            plain,
            text.lang or self._profile.lang,
            text.speaker,
            constant(self._state, 1, 0, self._profile.fps) if self._state else None,
            tuple(self._history),
        )
        self._history = [*self._history, plain][-HISTORY:]
        if cues:
            self._state = cues[-1].state
        voice = self._assembly.voice_of(text.speaker)
        pieces = walk(voice, call(voice, voice.stage.speak, utterance))
        return self._placed(voice.stage, pieces, cues, len(plain))

    def _parse(self, text: str) -> Tagged:
        """Take the tags out; in live text a wrong one is told, and spoken as it stands."""
        lenient = self._profile.tags == "lenient"
        try:
            return parse_tags(text, lenient)
        except InputError as error:
            if not self._assembly.context.causal:
                raise
            self._tell(str(error))
            return parse_tags(text, lenient=True)

    def _read(self, plain: str) -> list[Cue]:
        if self._reader is None:
            return []
        readings = call(self._reader, self._reader.stage.read, plain, self._history)
        return [Cue(r.chars[0], State.of(r.vad, r.weights), "text") for r in readings]

    def _placed(
        self, voice: Voice, pieces: Iterator[Audio], cues: list[Cue], chars: int
    ) -> Iterator[Spoken]:
        if cues and voice.marks == "none":
            pieces = iter([_whole(list(pieces), voice.rate)])
        end = 0
        for audio in pieces:
            end = audio.end
            words = [mark for mark in audio.marks if mark.kind == "word" and mark.chars]
            due, cues = place(cues, words)
            if cues and voice.marks == "none":
                # No word has a time: a cue's share of the text is its share of the sound.
                due, cues = [replace(cue, at=cue.at * end // max(1, chars)) for cue in cues], []
            yield Spoken(audio, tuple(due))
        if cues:  # after the last word
            rest = tuple(replace(cue, at=end) for cue in cues)
            yield Spoken(Audio(np.zeros(0, np.float32), voice.rate, end), rest)


def place(cues: list[Cue], words: list[Mark]) -> tuple[list[Cue], list[Cue]]:
    """Return the cues that precede one of the words, now at its first sample, and the others."""
    due: list[Cue] = []
    for word in words:
        while cues and word.chars and word.chars[1] > cues[0].at:
            due.append(replace(cues[0], at=word.start))
            cues = cues[1:]
    return due, cues


def _whole(pieces: list[Audio], rate: int) -> Audio:
    sound = [piece.samples for piece in pieces] or [np.zeros(0, np.float32)]
    marks = tuple(mark for piece in pieces for mark in piece.marks)
    return Audio(np.concatenate(sound), rate, 0, marks)
