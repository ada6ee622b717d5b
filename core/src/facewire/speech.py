"""From text to audio: tags come out, the voice speaks, emotion lands on its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from facewire.assemble import Assembly
from facewire.clauses import Clause, ends_sentence
from facewire.emotion import SOURCES, Key, State, Tagged, constant, parse_tags
from facewire.errors import InputError
from facewire.pipeline import Built, Pipeline, call, walk
from facewire.profile import component
from facewire.stages import Voice
from facewire.types import Audio, Mark, Text, Utterance
from facewire.voicing.contract import Planning, VoiceError

OTHER = "[OTHER]"  # begins an utterance of somebody else, for a reader of emotion
HISTORY = 8  # earlier utterances that a voice and a reader of emotion are told of


@dataclass(frozen=True, slots=True)
class Cue:
    """A change of emotion ``at`` a character of the text, or a sample of what was spoken."""

    at: int
    state: State
    source: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of a voice's audio with the cues that fall into it.

    ``turn``: the text that it begins or belongs to; None goes on with the one before.
    """

    audio: Audio
    cues: tuple[Cue, ...] = ()
    turn: Text | None = None


def at_start(keys: Iterable[Key]) -> dict[str, State]:
    """Return what each source wants at time 0; when a text is asked for, no other time is known."""
    return {key.source: key.state for key in keys if not key.time and key.state}


def feelings(
    text: str, cues: Sequence[Cue], wants: Mapping[str, State]
) -> tuple[State | None, list[tuple[int, State]]]:
    """Return the emotion that a text begins with, None for none, and those that begin inside it.

    ``wants``: what each source wanted before it. ``cues``, in order, are by character; one before
    the first word counts from the beginning. As on the face, the strongest source decides.
    """
    first = len(text) - len(text.lstrip())
    now = dict(wants)
    found = {0: _strongest(now)}
    for cue in cues:
        now[cue.source] = cue.state
        found[cue.at if cue.at > first else 0] = _strongest(now)
    changes = [
        (at, state)
        for (_, held), (at, state) in pairwise(found.items())
        if state and state != held and text[at:].strip()
    ]
    return found[0], changes


def _strongest(wants: Mapping[str, State]) -> State | None:
    return next((wants[source] for source in SOURCES if source in wants), None)


def _heard(said: Sequence[tuple[str | None, str]], speaker: str | None) -> list[str]:
    """Return the lines as a reader of emotion takes them for ``speaker``."""
    return [line if who == speaker else f"{OTHER} {line}" for who, line in said]


class Speech:
    """Speaks texts with the profile's voice, and reads emotion from tags and from the words.

    ``keys`` are the session's: of them the voice follows those that hold at time 0.
    """

    def __init__(
        self,
        assembly: Assembly,
        tell: Callable[[str], None] = print,
        keys: Iterable[Key] = (),
    ) -> None:
        self._tell = tell
        self._assembly, self._profile = assembly, assembly.profile
        self.voice = assembly.voice
        self.reader = assembly.text_emotion()
        self._history: list[tuple[str | None, str]] = []  # who said what
        self._open = False  # whether the last of them may be going on
        self._given = at_start(keys)
        # what each source wants, of all, or of each speaker with a face
        self._wants: dict[str | None, dict[str, State]] = {}
        self._faces = any(one.subject for one in self._profile.speakers.values())
        self.rate: int = self.voice.stage.rate

    def plan(self, texts: Sequence[Text]) -> None:
        """Tell voices that want to know it what they will say; InputError for a wrong tag."""
        begin = (self._history, self._open, dict(self._wants))
        said: dict[int, tuple[Built[Voice], list[Utterance]]] = {}
        for text in texts:
            built = self._assembly.voice_of(text.speaker)
            utterance, _ = self._utterance(text)
            if isinstance(built.stage, Planning) and utterance.text.strip():
                said.setdefault(id(built), (built, []))[1].append(utterance)
        self._history, self._open, self._wants = begin
        for built, utterances in said.values():
            call(built, built.stage.plan, utterances)  # type: ignore[attr-defined]

    def speak(self, text: Text) -> Iterator[Spoken]:
        """Yield a text as spoken, from sample 0; a cue lands on the word that its tag precedes."""
        utterance, cues = self._utterance(text)
        if not utterance.text.strip():
            return iter([Spoken(Audio(np.zeros(0, np.float32), self.rate), tuple(cues), text)])
        voice = self._assembly.voice_of(text.speaker)
        pieces = walk(voice, call(voice, voice.stage.speak, utterance))
        placed = self._placed(voice.stage, pieces, cues, len(utterance.text))
        return (replace(piece, turn=text) for piece in placed)

    def voice_of(self, text: Text) -> Voice:
        """Return the voice that speaks a text."""
        return self._assembly.voice_of(text.speaker).stage

    def _utterance(self, text: Text) -> tuple[Utterance, list[Cue]]:
        """Return what the voice is asked, and where in it the emotion changes."""
        plain, tags = self._parse(text.text)
        # A turn's own emotion ends what a tag in an earlier turn began.
        cues = [Cue(0, text.state, "tags")] if text.state else []
        cues += [Cue(tag.at, tag.state, "tags") for tag in tags]
        said = self._history[-1][1] if self._open else ""
        earlier = self._history[:-1] if self._open else self._history
        cues = sorted(
            cues + self._read(said, plain, _heard(earlier, text.speaker)), key=lambda cue: cue.at
        )
        who = text.speaker if self._faces else None
        wants = self._wants.get(who, self._given)
        self._wants[who] = wants | {cue.source: cue.state for cue in cues}
        state, changes = feelings(plain, cues, wants)
        fps = self._profile.fps
        utterance = Utterance(
            plain.rstrip() if isinstance(text, Clause) else plain,
            text.lang or self._profile.lang,
            text.speaker,
            constant(state, 1, 0, fps) if state else None,
            tuple(line for _, line in self._history),
            tuple((at, constant(new, 1, 0, fps)) for at, new in changes),
        )
        if plain.strip():
            self._history = [*earlier, (text.speaker, said + plain)][-HISTORY:]
            self._open = isinstance(text, Clause) and not ends_sentence(plain)
        return utterance, cues

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

    def _read(self, said: str, plain: str, earlier: list[str]) -> list[Cue]:
        """Read the emotion of a text; of a clause, with what was ``said`` of its sentence."""
        if self.reader is None or not plain.strip():
            return []
        readings = call(self.reader, self.reader.stage.read, said + plain, earlier)
        return [
            Cue(max(0, r.chars[0] - len(said)), State.of(r.vad, r.weights), "text")
            for r in readings
            if r.chars[1] > len(said)
        ]

    def _placed(
        self, voice: Voice, pieces: Iterator[Audio], cues: list[Cue], chars: int
    ) -> Iterator[Spoken]:
        end, failure = 0, None
        try:
            if cues and voice.marks == "none":
                pieces = iter([_whole(list(pieces), voice.rate)])
            for audio in pieces:
                end = audio.end
                words = [mark for mark in audio.marks if mark.kind == "word" and mark.chars]
                due, cues = place(cues, words)
                if cues and voice.marks == "none":
                    # No word has a time: a cue's share of the text is its share of the sound.
                    due, cues = [replace(cue, at=cue.at * end // max(1, chars)) for cue in cues], []
                yield Spoken(audio, tuple(due))
        except VoiceError as error:  # what follows is said with this text's tags all the same
            failure = error
        if cues:  # after the last word
            rest = tuple(replace(cue, at=end) for cue in cues)
            yield Spoken(Audio(np.zeros(0, np.float32), voice.rate, end), rest)
        if failure:
            raise failure


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


def trust_marks(assembly: Assembly, pipeline: Pipeline) -> None:
    """Let the pipeline's extractor take the voice's phones as they are, and wait for nothing.

    For text alone: sound without marks is not listened to then. Nothing changes where the voice
    does not mark phones, the profile names its extractor or voices of its speakers, or the
    extractor has no option ``mode: marks``. Before the first sound.
    """
    profile, extractor, model = assembly.profile, pipeline.extractor, pipeline.model
    own = profile.features or any(one.voice for one in profile.speakers.values())
    if own or not extractor or not model or assembly.voice.stage.marks != "phone":
        return
    spec = component({"use": extractor.name, "mode": "marks"}, f"features of {model}")
    part, _ = assembly.registry.find("features", extractor.name)
    if any(field.name == "mode" for field in fields(part.config)):
        context = replace(assembly.context, fps=model.stage.fps)
        pipeline.extractor = assembly.registry.build("features", spec, context)
