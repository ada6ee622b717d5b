"""The voice ``elevenlabs``: asks the service, again where that helps, and streams what it gives."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from facewire.stages import Voice
from facewire.types import Audio, Context, FloatArray, Utterance
from facewire.voicing import Interrupted, Price, Retry, VoiceEntry, VoiceError
from facewire.voicing.retry import pause

from facewire_elevenlabs.api import WHO, Api, read_key
from facewire_elevenlabs.manner import (
    Felt,
    harmless,
    label_of,
    model_of,
    most_frequent,
    parts,
    request,
    sent,
    since,
    speakable,
    voice_table,
)
from facewire_elevenlabs.plugin import ElevenLabsConfig
from facewire_elevenlabs.words import Aligner, Assembler

_SILENCE = 0.3  # seconds for text without a word, which the service does not take
_PREVIOUS = 1000  # characters of earlier text that the service is told


@dataclass(frozen=True, slots=True, eq=False)
class _Ask:
    """One request's worth of an utterance: its text, and where that begins in characters."""

    text: str
    chars: int
    voice: str
    felt: Felt
    lang: str
    previous: str


class ElevenLabs(Voice):
    """Speaks with ElevenLabs. ProfileError on an unknown model, PluginError without a key.

    In a live run sound goes on as it comes, and a stream that breaks off is taken up at the word
    it broke in. Otherwise a part of a text is given out when it is whole, and asked for anew.
    """

    marks: Literal["phone", "word", "none"] = "word"
    parallel = True

    def __init__(
        self,
        config: ElevenLabsConfig,
        context: Context,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        self.rate, self._sleep = config.rate, sleep
        self._model, self._takes = model_of(config.model, context.causal)
        self._only, self._table = config.voice, voice_table(config.voices)
        self._causal, self._seed = context.causal, context.seed
        # a speaker keeps one voice through a monologue, and through text that is being written
        self._keeps = context.turns == "monologue" or (context.turns == "one" and context.causal)
        self._kept: dict[str | None, str] = {}
        self._api = Api(config.url, read_key(), config.timeout)
        self._retried = 0

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        """Yield the sound with marks of words; a pause for text without a letter or digit.

        QuotaExhausted where the account gives nothing more, VoiceError where the service gives no
        sound after seven attempts, or refuses the request.
        """
        text = harmless(utterance.text)
        if text.strip() and not speakable(text):
            return iter([Audio(np.zeros(int(_SILENCE * self.rate), np.float32), self.rate)])
        return self._speak(self._asks(utterance, text))

    def _speak(self, asks: Iterator[_Ask]) -> Iterator[Audio]:
        at = 0
        for ask in asks:
            for piece in self._streamed(ask, at) if self._causal else self._whole(ask, at):
                at = piece.end
                yield piece

    def plan(self, utterances: Sequence[Utterance]) -> list[Price]:
        """Choose the voice that each speaker keeps; return what each utterance costs."""
        if self._keeps:
            for speaker in {utterance.speaker for utterance in utterances}:
                felt = [one.emotion for one in utterances if one.speaker == speaker]
                self._kept[speaker] = self._table[most_frequent(felt)]
        return [self._price(utterance) for utterance in utterances]

    def voices(self) -> list[VoiceEntry]:
        """Return the account's voices."""
        retry = Retry(WHO, self._sleep)
        while True:
            try:
                return self._api.voices()
            except Interrupted as failure:
                retry.wait(failure)

    def report(self) -> Sequence[str]:
        """Name the model, and how often it had to be asked again."""
        again = f", asked again {self._retried} times" if self._retried else ""
        return (f"elevenlabs: {self._model}{again}",)

    # -- one utterance ---------------------------------------------------------------------------

    def _asks(self, utterance: Utterance, text: str) -> Iterator[_Ask]:
        voice, previous = self._voice(utterance), " ".join(utterance.previous)
        felt = ((0, utterance.emotion), *utterance.changes)
        for start, end in parts(text, self._takes.most):
            if speakable(text[start:end]):
                before = f"{previous} {text[:start]}".strip()[-_PREVIOUS:]
                part, told = text[start:end], since(felt, start)
                yield _Ask(part, start, voice, told, utterance.lang, before)

    def _voice(self, utterance: Utterance) -> str:
        if self._only:
            return self._only
        if self._keeps:  # what comes is not known where nothing was planned
            return self._kept.get(utterance.speaker, self._table["neutral"])
        return self._table[label_of(utterance.emotion).base]

    def _price(self, utterance: Utterance) -> Price:
        asks = self._asks(utterance, harmless(utterance.text))
        characters = sum(len(sent(ask.text, ask.felt, self._takes)[0]) for ask in asks)
        return Price(characters, characters * self._takes.credits)

    # -- one request -----------------------------------------------------------------------------

    def _whole(self, ask: _Ask, at: int) -> list[Audio]:
        retry = Retry(WHO, self._sleep)
        while True:
            try:
                return list(self._attempt(ask, self._assembler(ask, at)))
            except Interrupted as failure:
                self._again(retry, failure)

    def _streamed(self, ask: _Ask, at: int) -> Iterator[Audio]:
        retry = Retry(WHO, self._sleep)
        while speakable(ask.text):
            assembler = self._assembler(ask, at)
            try:
                yield from self._attempt(ask, assembler)
                return
            except Interrupted as failure:
                self._again(retry, failure)
            at, said = at + assembler.given, assembler.said
            ask = replace(
                ask,
                text=ask.text[said:],
                chars=ask.chars + said,
                felt=since(ask.felt, said),
                previous=f"{ask.previous} {ask.text[:said]}".strip()[-_PREVIOUS:],
            )

    def _again(self, retry: Retry, failure: Interrupted) -> None:
        self._retried += 1
        retry.wait(failure)

    def _assembler(self, ask: _Ask, at: int) -> Assembler:
        text, places = sent(ask.text, ask.felt, self._takes)
        return Assembler(Aligner(text, places, ask.text), ask.text, self.rate, ask.chars, at)

    def _attempt(self, ask: _Ask, assembler: Assembler) -> Iterator[Audio]:
        text, _ = sent(ask.text, ask.felt, self._takes)
        body = request(text, self._model, ask.felt[0][1], ask.lang, ask.previous, self._seed)
        rest, empty = b"", True
        for found in self._api.speak(ask.voice, body, self.rate):
            samples, rest = _samples(found, rest)
            empty = empty and not len(samples)
            audio = assembler.push(samples, found.get("alignment"))
            if len(audio):
                yield audio
        if empty:
            raise VoiceError(f"elevenlabs: the service gave no sound for '{ask.text[:40]}'")
        last = assembler.finish()
        if len(last) or last.marks:
            yield last


def _samples(found: dict[str, Any], rest: bytes) -> tuple[FloatArray, bytes]:
    """Return the samples (n,) of an object of the stream, and the half of one that is left over."""
    try:
        data = rest + base64.b64decode(found.get("audio_base64") or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Interrupted("the service sent what is not base64") from None
    even = len(data) // 2 * 2
    pcm = np.frombuffer(data[:even], "<i2")
    return pcm.astype(np.float32) / np.float32(32768), data[even:]
