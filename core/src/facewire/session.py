"""One run: source, pipeline (one for each face), sinks, clock and pacers.

One producer (the thread that calls ``run``) takes the input, runs the pipeline and writes the file
sinks; each live sink has a pacer with a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from facewire.assemble import Assembly, assemble
from facewire.delivery import MARGIN, Delivery
from facewire.emotion import Key, State, wanted
from facewire.errors import InputError
from facewire.faces import Faces, Take, build_sinks, check_paths, open_faces, refuse_others
from facewire.feed import Feed
from facewire.intake import Intake
from facewire.pipeline import DEFAULT_RATE, Built, Pipeline, walk
from facewire.profile import Profile
from facewire.registry import Registry
from facewire.report import Report
from facewire.sources import TextSource
from facewire.speech import Speech, Spoken, trust_marks
from facewire.stages import Clock, Sink, Source
from facewire.turns import Script
from facewire.types import Audio, Frames, RunInfo, Text, frames_within
from facewire.voicing.ahead import AHEAD, Saying, earlier, lead_in
from facewire.voicing.contract import QuotaExhausted, VoiceError
from facewire.voicing.retry import shown
from facewire.voicing.talk import Talk


def _label(sink: Built[Sink]) -> str:
    where = sink.stage.result
    return f"{sink.label} to {where}" if where else sink.label


INPUT = "input"
SLACKS = {"audio": 0.1, "text": 0.006, "frames": 0.1}
"""Seconds that what a live source brings may be late before silence is fed in its place."""
MARGINS = {"audio": MARGIN, "text": 0.03, "frames": MARGIN}
"""Seconds between a live frame's making and its due time; a text's sound comes in large pieces."""
PATIENCE = 2.0  # seconds that threads are waited for at the end


class Session:
    """One run of a profile on one source.

    ``run`` does it and returns the report. From other threads: ``end`` finishes early and keeps
    the outputs, ``abort`` discards them, ``interrupt`` drops what is queued and closes the mouth,
    ``set_emotion`` takes over the emotion; ``leaving`` says that all is done but its threads' end,
    for which it waits two seconds at most. ``progress(seconds)`` is called as sound goes in;
    ``tell(line)`` gets what a person should know while it runs. ``emotion`` is ``joy:80`` or a
    track's path; ``keys`` are more of the same kind; ``sinks`` are added to the profile's.
    """

    def __init__(
        self,
        profile: Profile,
        source: Source | Built[Source],
        name: str = "clip",
        out: Path = Path("out"),
        *,
        live: bool = False,
        transcript: str | None = None,
        emotion: str | None = None,
        keys: Iterable[Key] = (),
        sinks: Iterable[Built[Sink]] = (),
        clock: Clock | None = None,
        registry: Registry | None = None,
        progress: Callable[[float], None] = lambda seconds: None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._origin = source if isinstance(source, Built) else Built(source, INPUT, "source")
        self.source, self.profile = self._origin.stage, profile
        source = self.source
        causal = live or source.live
        words = transcript if transcript is not None else source.transcript
        self.assembly: Assembly = assemble(
            profile, name, out, causal, words, registry, source.several
        )
        given = [*wanted(profile.emotion, "emotion:"), *wanted(emotion, "--emotion")]
        self._keys = [*given, *keys]
        self._speech: Speech | None = None
        if source.brings == "text":
            self._speech = Speech(self.assembly, tell, self._keys)
            if isinstance(source, TextSource | Script):
                self._speech.plan(source.known)
        rate = profile.rate or source.rate or (self._speech.rate if self._speech else None)
        self.faces: Faces = open_faces(self.assembly, self._keys, rate, source)
        self.pipeline: Pipeline = self.faces.first.pipeline
        self.curve = self.faces.first.curve
        if isinstance(source, TextSource):
            trust_marks(self.assembly, self.pipeline)
        self._slack = SLACKS[source.brings]
        self.latency = self._latency(rate or DEFAULT_RATE) if causal else 0.0
        self._outputs = [*build_sinks(self.assembly, self.faces), *sinks]
        refuse_others(self._outputs, self.faces)
        check_paths(source.path, self._outputs)
        self.delivery = Delivery(
            self._outputs,
            (self.pipeline.rig, self.pipeline.fps),
            clock or source.clock,
            self.latency,
            tell,
        )
        self._intake = Intake(rate, self.pipeline.inner_fps, tell)
        self._progress, self._tell = progress, tell
        self._ended = False
        self._talk = Talk(self._voiced, self._lead, tell)
        self._feed: Feed | None = None
        self._said, self._unsaid = False, list[VoiceError]()
        self.leaving = False

    def _latency(self, rate: int) -> float:
        waiting = 1.5 * self._slack if self.source.live else 0.0
        parts = sum(seconds or 0.0 for _, seconds in self.pipeline.latency(rate))
        return MARGINS[self.source.brings] + waiting + parts

    @property
    def paths(self) -> list[Path]:
        """The files that the sinks write, made whole."""
        sinks = [built.stage for built in self._outputs]
        return [sink.path.resolve() for sink in sinks if sink.path is not None]

    # -- what other threads may call -------------------------------------------------------------

    def set_emotion(self, state: State | None) -> None:
        """Take over the emotion from the first row not yet conditioned; None gives it back."""
        self.faces.feel(state)

    def interrupt(self) -> None:
        """Drop what is queued to be said, mute it and close the mouth in 0.1 s; the run goes on."""
        self._talk.drop()
        if self._feed:
            self._feed.drop()
        rate = self._intake.rate or DEFAULT_RATE
        queued = frames_within(self._intake.position, rate, self.pipeline.fps)
        self.delivery.hush(queued)

    def end(self) -> None:
        """End the input: what was heard is finished, what is not said yet is left; outputs stay."""
        self._ended = True
        if self.source.brings == "text":
            self._talk.drop()
        self._close_input()

    def _close_input(self) -> None:
        try:
            self.source.close()
        except Exception as error:
            self._tell(f"{self._origin} could not be closed: {error}")
        self._talk.close()
        if self._feed:
            self._feed.close()

    def abort(self) -> None:
        """Stop now and discard the outputs."""
        self.delivery.quit()
        self.end()

    # -- the run ---------------------------------------------------------------------------------

    def run(self) -> Report:
        """Run to the end of the source and return the report; on an error no output is left half.

        FacewireError for bad input or a failing stage; KeyboardInterrupt when it was aborted. Live
        text goes on without a clause that its voice fails; QuotaExhausted ends it with the outputs
        whole, if anything was said.
        """
        problem, begun = None, time.perf_counter()
        self._notify("facewire_session_started", session=self)
        try:
            for item in self._input():
                self._deliver(self._push(item))
                if self.delivery.aborted or self.delivery.failure:
                    break
            self._deliver(self._rest())
            self._check_end()
            self.delivery.finish()
            if self.delivery.aborted:
                raise KeyboardInterrupt
        except BaseException as error:
            problem = error
            self.delivery.abort()
            raise
        finally:
            self._leave()
            self._notify("facewire_session_stopped", session=self, error=problem)
        return self._report(time.perf_counter() - begun)

    def _leave(self) -> None:
        """Give up what is left and wait for its threads: native code must not outlive the run."""
        self.leaving = True
        self._talk.drop()
        self._close_input()
        until = time.monotonic() + PATIENCE
        if self._feed:
            self._feed.join(until)
        self._talk.join(until)

    def _notify(self, hook: str, **what: object) -> None:
        try:
            self.assembly.registry.tell(hook, **what)
        except Exception as error:
            self._tell(f"a plugin's {hook} failed: {type(error).__name__}: {error}")

    def _check_end(self) -> None:
        if self.delivery.aborted:
            raise KeyboardInterrupt
        if self._unsaid and not self._said:
            raise self._unsaid[-1]
        if not self.delivery.frames:
            raise InputError("nothing came in: no sound, no words that can be spoken, no frames")

    def _deliver(self, takes: Iterable[Take]) -> None:
        for block, faces in takes:
            if self.delivery.aborted:
                return
            self._start(block.audio.rate)
            self.delivery.push(block, faces)

    def _start(self, rate: int, ago: float = 0.0) -> None:
        if self.delivery.started:
            return
        if not self._feed:
            ago = -MARGIN  # the producer needs a moment to get ahead of the clock
        profile, context = self.profile, self.assembly.context
        info = RunInfo(
            context.name,
            self.pipeline.rig,
            self.pipeline.fps,
            rate,
            time.time() - ago,
            profile.lang,
        )
        self.delivery.start(info, ago)
        if self.source.live and self.source.brings == "audio" and self.delivery.paced:
            delay = 1000 * self.delivery.delay
            self._tell(
                f"the face is {delay:.0f} ms behind the microphone: delay its sound by that where "
                "they meet (in OBS: Advanced Audio Properties, Sync Offset)"
            )

    # -- input -----------------------------------------------------------------------------------

    def _input(self) -> Iterator[Spoken | Frames | int]:
        """Yield what the source brings; where a live one is late, how many samples of silence."""
        if not self.source.live:
            for item in self._talk.ahead(self._items()):
                if self._ended:
                    return
                yield from self._saying(item) if isinstance(item, Saying) else (item,)
            return
        if self._speech:
            self._start(self._intake.rate or self._speech.rate)
        # One waits in the feed and one to get in: these are the two that are said ahead.
        self._feed = Feed(lambda: self._talk.live(self._items), AHEAD - 1)
        if self._ended:
            self._feed.close()
        while (taken := self._feed.take(self._slack / 2)) is not Feed.END:
            if isinstance(taken, Saying):
                yield from self._saying(taken)
            elif taken is None:
                yield from self._silence()
            else:
                self._start_at(taken)
                yield taken

    def _saying(self, saying: Saying) -> Iterator[Spoken | int]:
        """Yield the pieces of what is said until they end or are given up."""
        wait, left_out = (self._slack / 2 if self.source.live else 0.5), 0
        while saying.said == self._talk.generation:
            try:
                piece = saying.take(wait)
            except VoiceError as error:
                self._fail(saying.text, error)
                break
            if piece is Feed.END:
                break
            if isinstance(piece, Spoken):
                self._said = self._said or len(piece.audio) > 0
                self._start_at(piece)
                if self.source.live and piece.audio.start == 0 and self._lead() < 0:
                    left_out = lead_in(piece.audio)
                yield earlier(piece, left_out)
            elif self.source.live:
                yield from self._silence()
        saying.drop()
        self._talk.ended(saying)

    def _fail(self, text: str, error: VoiceError) -> None:
        """Go on without a clause of live text; where no other can follow, end as ``end`` does."""
        if not self.source.live:
            raise error
        self._unsaid.append(error)
        if isinstance(error, QuotaExhausted):
            self.delivery.failure = error
            self.end()
        else:
            self.delivery.tell(f"'{shown(text)}' is not said: {error}")

    def _start_at(self, item: Spoken | Frames) -> None:
        """Start the clock at the first sample of a live source."""
        if not self.source.live:
            return
        if isinstance(item, Spoken):
            self._start(self._intake.rate or item.audio.rate, len(item.audio) / item.audio.rate)
        else:
            self._start(DEFAULT_RATE, float(len(item) / item.fps))

    def _silence(self) -> Iterator[int]:
        """Yield how many samples the input is behind the clock, beyond the slack, if it is."""
        rate = self._intake.rate
        if rate and self.source.brings != "frames" and self._lead() < -self._slack:
            yield int((self.delivery.elapsed() - self._slack) * rate) - self._intake.position

    def _lead(self) -> float:
        """Return how many seconds the input is ahead of the clock."""
        return self._intake.position / (self._intake.rate or 1) - self.delivery.elapsed()

    def _items(self) -> Iterator[Audio | Text | Frames]:
        return walk(self._origin, self.source.blocks())

    def _voiced(self) -> Speech:
        self._speech = self._speech or Speech(self.assembly, self._tell, self._keys)
        return self._speech

    def _push(self, item: Spoken | Frames | int) -> Iterator[Take]:
        if isinstance(item, Frames):
            yield from self.faces.push_frames(item)
            return
        if isinstance(item, int):
            yield from self.faces.push(self._intake.pause(item))
            return
        if item.turn and self.faces.several:
            yield from self._turn(item.turn, item.audio)
        if face := self.faces.speaking:
            for cue in item.cues:
                face.curve.set(self._intake.time(cue.at, item.audio), cue.state, cue.source)
        for audio in self._intake.take(item.audio):
            yield from self.faces.push(audio)
        self._progress(self._intake.position / (self._intake.rate or DEFAULT_RATE))

    def _turn(self, turn: Text, audio: Audio) -> Iterator[Take]:
        """Give the face before what is held of its sound, and turn to the one that speaks now."""
        if audio.start == 0:
            for held in self._intake.finish():
                yield from self.faces.push(held)
        self.faces.turn_to(turn.speaker)

    def _rest(self) -> Iterator[Take]:
        for audio in self._intake.finish():
            yield from self.faces.push(audio)
        yield from self.faces.flush()

    # -- the report ------------------------------------------------------------------------------

    def _report(self, elapsed: float) -> Report:
        pipeline, delivery = self.pipeline, self.delivery
        said = self._speech
        voice: list[Built[Any]] = [p for p in (said.voice, said.reader) if p] if said else []
        source = [] if self._origin.name == INPUT else [self._origin]
        parts = [*source, *voice, pipeline.extractor, pipeline.model, *pipeline.layers]
        sinks = [outlet.built for outlet in delivery.outlets]
        built = [part for part in parts if part] + sinks
        rate = self._intake.rate or DEFAULT_RATE
        notes = [*self.assembly.fallbacks, *self.source.report()]
        notes += [line for part in [*source, *voice] for line in part.stage.report()]
        notes += [line for face in self.faces.all for line in face.notes()]
        notes += [line for sink in sinks for line in sink.stage.report()]
        return Report(
            self.assembly.context.name,
            self.profile.name,
            [(part.kind, part.label, part.origin) for part in built],
            notes,
            self._intake.position / rate if self._intake.position else delivery.seconds,
            delivery.frames,
            float(pipeline.fps),
            elapsed,
            self.latency,
            delivery.paced,
            self.faces.subjects,
            [(_label(o.built), o.pacer.tally) for o in delivery.outlets if o.pacer],
            [str(o.built.stage.result) for o in delivery.outlets if o.built.stage.result],
            [str(error) for error in self._unsaid],
        )
