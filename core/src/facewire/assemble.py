"""From a profile to stages: which component serves each place, and what it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError, InputError, PluginError, ProfileError, nearest
from facewire.pipeline import Built, Pipeline
from facewire.profile import ComponentSpec, Profile, Speaker, component
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.stages import FeatureExtractor, Layer, Model, Sink, Stage, TextEmotion, Voice
from facewire.types import Audio, Context, Kind, ModelInfo, Utterance
from facewire.voicing.contract import Planning

_shared: dict[str, Any] = {}
_lock = threading.RLock()


def shared(key: str, make: Callable[[], Any]) -> Any:
    """Return the object of that key, made on first use: one for all sessions of the process."""
    with _lock:
        if key not in _shared:
            _shared[key] = make()
        return _shared[key]


@dataclass
class Assembly:
    """The stages of one session. ``fallbacks`` says which alternative was taken and why."""

    profile: Profile
    registry: Registry
    context: Context
    fallbacks: list[str] = field(default_factory=list)
    _voice: Built[Voice] | None = None
    _pronouncer: Built[Voice] | None = None
    _mute: bool = False
    _voices: dict[str, Built[Voice]] = field(default_factory=dict)

    def beside(self, name: str, transcript: str | None) -> Assembly:
        """Return the assembly of another face of the same session: its own name and words."""
        other = Assembly(self.profile, self.registry, self.context, self.fallbacks)
        other.context = replace(self.context, name=name, transcript=transcript, build=other.nested)
        return other

    # -- parts -----------------------------------------------------------------------------------

    @property
    def voice(self) -> Built[Voice]:
        """The profile's voice, built on first use."""
        if self._voice is None:
            if not self.profile.voice:
                raise ProfileError(
                    "text needs a voice and the profile has none; add one as 'voice:'"
                )
            self._voice = self.first("voice", self.profile.voice)
        return self._voice

    def voice_of(self, speaker: str | None) -> Built[Voice]:
        """Return the voice of one of the profile's speakers; the profile's where it has none."""
        if not speaker or not self.profile.speakers:
            return self.voice
        specs = self.speaker(speaker).voice
        if speaker not in self._voices:
            self._voices[speaker] = self.first("voice", specs) if specs else self.voice
        return self._voices[speaker]

    def speaker(self, name: str) -> Speaker:
        """Return one of the profile's speakers; InputError if it has none of that name."""
        speakers = self.profile.speakers
        if name not in speakers:
            known = ", ".join(speakers)
            raise InputError(
                f"speaker '{name}' is not in the profile{nearest(name, speakers)} (known: {known})"
            )
        return speakers[name]

    def text_emotion(self) -> Built[TextEmotion] | None:
        """Build the profile's reader of emotion in text, if it names one."""
        spec = self.profile.text_emotion
        return self.registry.build("text_emotion", spec, self.context) if spec else None

    def pipeline(
        self,
        curve: EmotionCurve | None = None,
        rate: int | None = None,
        frames: bool = False,
    ) -> Pipeline:
        """Build model, extractor and layers, and put them in a row; for ``frames`` no model."""
        profile, rig = self.profile, Rig.named(self.profile.rig)
        model = self.first("model", profile.model) if profile.model and not frames else None
        extractor = self._extractor(model) if model else None
        fps = model.stage.fps if model else profile.fps
        info = None
        if model:
            stage = model.stage
            info = ModelInfo(model.name, stage.rig, stage.fps, stage.emotion)
        curve = curve or EmotionCurve()
        inner = replace(self.context, model=info, rig=rig, fps=fps, curve=curve)
        layers = [self._layer(spec, inner) for spec in profile.layers]
        pipeline = Pipeline(model, extractor, layers, rig, profile.fps, curve, rate or profile.rate)
        if self.context.causal:
            _refuse_endless(pipeline)
        return pipeline

    def _layer(self, spec: ComponentSpec, context: Context) -> Built[Layer]:
        built: Built[Layer] = self.registry.build("layer", spec, context)
        made = built.stage.rig
        if made and made.channels != context.rig.channels:
            raise ProfileError(
                f"{spec.where}: {built} makes frames of the rig '{made.name}', and the layers "
                f"after it want '{context.rig.name}'; name it in the sink that wants them: "
                "{use: …, retarget: …}"
            )
        return built

    def sinks(self) -> list[Built[Sink]]:
        """Build the profile's sinks."""
        return [self.registry.build("sink", spec, self.context) for spec in self.profile.sinks]

    def _extractor(self, model: Built[Model]) -> Built[FeatureExtractor]:
        spec = self.profile.features or component(model.stage.features, f"features of {model}")
        context = replace(self.context, fps=model.stage.fps)
        built: Built[FeatureExtractor] = self.registry.build("features", spec, context)
        extractor, stage = built.stage, model.stage
        if extractor.fps != stage.fps or stage.dim not in (None, extractor.dim):
            raise ProfileError(
                f"{spec.where}: {built} gives {extractor.dim} columns at {extractor.fps} fps, "
                f"{model} expects {stage.dim or 'any'} at {stage.fps}; "
                "remove 'features:', or name a model that takes them"
            )
        return built

    def first(self, kind: Kind, specs: Sequence[ComponentSpec]) -> Built[Any]:
        """Build the first alternative that can be; a wrong option in the profile is an error."""
        causes: list[str] = []
        for spec in specs:
            try:
                built = self.registry.build(kind, spec, self.context)
            except (PluginError, InputError) as error:
                if len(specs) == 1:
                    raise
                causes.append(f"{spec.use}: {error}")
                continue
            line = f"{kind}: {built.name} instead of {'; '.join(causes)}"
            if causes and line not in self.fallbacks:
                self.fallbacks.append(line)
            return built
        raise PluginError(f"no {kind} of the profile can be built: {'; '.join(causes)}")

    def pronounce(self, word: str) -> list[str] | None:
        """Return a word's phones from the profile's voice (or ``pronounce:``), or None."""
        voice = self._pronouncing()
        return voice.pronounce(word) if voice else None

    def recite(self, text: str) -> Iterator[Audio] | None:
        """Return the text as the voice of ``pronounce`` says it; None if that marks no phones.

        Nor if it is one whose words are paid for: nobody asked it to speak.
        """
        voice = self._pronouncing()
        if voice is None or voice.marks != "phone" or isinstance(voice, Planning):
            return None
        return voice.speak(Utterance(text, self.context.lang))

    def _pronouncing(self) -> Voice | None:
        if self._pronouncer is None and not self._mute:
            spec = self.profile.pronounce
            try:
                self._pronouncer = (
                    self.registry.build("voice", spec, self.context) if spec else self.voice
                )
            except FacewireError as error:
                self._mute = True
                self.fallbacks.append(f"pronunciations: none from a voice ({error})")
        return self._pronouncer.stage if self._pronouncer else None

    def nested(self, kind: Kind, spec: Any) -> Stage:
        """Build a component that another one's config names."""
        built = self.registry.build(kind, component(spec, f"nested {kind}"), self.context)
        stage: Stage = built.stage
        return stage


def _refuse_endless(pipeline: Pipeline) -> None:
    """Refuse stages that give nothing before the whole input is in, in a run that has no end."""
    for built in (pipeline.extractor, pipeline.model):
        if built and built.stage.lookahead is None:
            raise ProfileError(
                f"{built} needs the whole input before its first frame, and this run is live; "
                "choose another model, or give it a file without --live"
            )


def assemble(
    profile: Profile,
    name: str,
    out: Path,
    causal: bool = False,
    transcript: str | None = None,
    registry: Registry | None = None,
    several: bool = False,
) -> Assembly:
    """Prepare the stages of one session; ``several`` turns may come. Nothing is built yet."""
    registry = registry or shared("facewire.registry", Registry)
    context = Context(
        name=name,
        seed=profile.seed,
        causal=causal,
        fps=profile.fps,
        rig=Rig.named(profile.rig),
        transcript=transcript,
        lang=profile.lang,
        base=profile.base,
        out=out,
        turns=profile.turns if several else "one",
        shared=shared,
    )
    assembly = Assembly(profile, registry, context)
    assembly.context = replace(
        context, pronounce=assembly.pronounce, recite=assembly.recite, build=assembly.nested
    )
    return assembly
