"""What facewire-neurosync offers: the extractor and the model, and three layers of its player."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from facewire.hookspecs import hookimpl
from facewire.stages import FeatureExtractor, Layer, Model
from facewire.types import Component, Context

_LOOKS = tuple(f"eyeLook{way}" for way in ("Down", "In", "Out", "Up"))
ZEROED = (
    *(f"{name}{side}" for side in ("Left", "Right") for name in ("eyeBlink", *_LOOKS)),
    "tongueOut",
    *(
        f"{part}{axis}"
        for part in ("head", "leftEye", "rightEye")
        for axis in ("Yaw", "Pitch", "Roll")
    ),
)


@dataclass(frozen=True, slots=True)
class ExtractorConfig:
    """Options of the features. They matter in a causal run only."""

    calibration: Path | None = None
    """A recording of the speaker, half a minute or so: the first guess of level and spectrum."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Options of the transformer."""

    weights: Path
    """The checkpoint: .pth, .safetensors, or .onnx as ``facewire neurosync convert`` writes it."""
    precision: Literal["fp32", "bf16", "fp16", "int8"] = "fp32"
    """What the products are computed in; int8 needs a converted .onnx, fp16 a GPU."""
    device: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    """Where the network runs."""
    threads: int = 0
    """Threads on the CPU; 0 takes one a core, 8 at most."""
    batch: int = 0
    """Windows computed at once, offline, 1 to 64; 0 takes what suits the device."""
    heads: int = 0
    """Attention heads, which tensors do not tell; 0 takes what the file says, or 16 of 16 up."""
    global_rope: bool = False
    """True for checkpoints from before 2025-03-29; they load without it and move wrongly."""
    sides: Literal["trained", "livelink"] = "trained"
    """Which side columns 15, 16, 21 and 22 are: as in CSV takes, or as in Live Link packets."""
    divide: float = 100.0
    """What the outputs are divided by."""
    ease: int = 6
    """Frames that ease in from neutral at the beginning; 0 for none."""
    zero: tuple[str, ...] = ZEROED
    """Channels set to 0: those that carry noise in the published checkpoints."""
    calibration: Path | None = None
    """Causal runs: a recording of the speaker, the first guess of level and spectrum."""
    hop: int = 15
    """Causal runs: rows from one window to the next."""
    lookahead: int = 6
    """Causal runs: rows that a window sees after the last one it gives; they are cross-faded."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("threads", 0, 256),
            ("batch", 0, 64),
            ("heads", 0, 256),
            ("ease", 0, 600),
            ("hop", 1, 96),
            ("lookahead", 0, 31),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: found {value}, expected {low} to {high}")
        if not 1e-3 <= self.divide <= 1e6:
            raise ValueError(f"divide: found {self.divide:g}, expected 0.001 to 1000000")


@dataclass(frozen=True, slots=True)
class ScalesConfig:
    """How much of some channels is kept, as the NeuroSync player does before it sends."""

    brows: float = 0.6
    """Of the five brow channels, 0 to 2."""
    eye_wide: float = 0.4
    """Of eyeWideLeft and eyeWideRight, 0 to 2."""

    def __post_init__(self) -> None:
        for name in ("brows", "eye_wide"):
            value = getattr(self, name)
            if not 0 <= value <= 2:
                raise ValueError(f"{name}: found {value:g}, expected 0 to 2")


@dataclass(frozen=True, slots=True)
class BlinksConfig:
    """Blinks from a capture that is played in a loop."""

    capture: Path
    """A take of the Live Link Face app (CSV)."""
    fade: int = 16
    """Capture rows over which the loop's end is cross-faded into its beginning."""


@dataclass(frozen=True, slots=True)
class IdleBlendConfig:
    """Blends from an idle capture into speech and back at the end of the input."""

    capture: Path | None = None
    """A take of the Live Link Face app (CSV), played in a loop; none is a neutral face."""
    face: float = 0.5
    """Seconds that brows, eyes and cheeks take; 0.3 in clips under 1 s, 0.2 under 0.5 s."""
    mouth: float = 0.1
    """Seconds that jaw and lips take."""
    fade: int = 16
    """Capture rows over which the loop's end is cross-faded into its beginning."""

    def __post_init__(self) -> None:
        for name in ("face", "mouth"):
            value = getattr(self, name)
            if not 0 <= value <= 2:
                raise ValueError(f"{name}: found {value:g}, expected 0 to 2 seconds")


def _extractor(config: ExtractorConfig, context: Context) -> FeatureExtractor:
    from facewire_neurosync.extractor import ClipExtractor

    if not context.causal:
        return ClipExtractor()
    from facewire_neurosync.live_extractor import LiveExtractor

    return LiveExtractor(config, context)


def _model(config: ModelConfig, context: Context) -> Model:
    from facewire_neurosync.model import make

    return make(config, context)


def _scales(config: ScalesConfig, context: Context) -> Layer:
    from facewire_neurosync.manners import Scales

    return Scales(config, context)


def _blinks(config: BlinksConfig, context: Context) -> Layer:
    from facewire_neurosync.manners import CaptureBlinks

    return CaptureBlinks(config, context)


def _idle_blend(config: IdleBlendConfig, context: Context) -> Layer:
    from facewire_neurosync.idle_blend import IdleBlend

    return IdleBlend(config, context)


@hookimpl
def facewire_features() -> Iterable[Component]:
    """Offer the extractor."""
    summary = "NeuroSync's 256 values a frame: cepstrum, derivatives, autocorrelation"
    return (Component("neurosync", _extractor, ExtractorConfig, summary, ExtractorConfig()),)


@hookimpl
def facewire_models() -> Iterable[Component]:
    """Offer the model; its example is a tiny network of random weights."""
    summary = "the NeuroSync transformer with a checkpoint of your own"
    tiny = Path(__file__).with_name("data") / "tiny.safetensors"
    example = ModelConfig(tiny) if find_spec("torch") else None
    needs = ("torch (pip install 'facewire-neurosync[torch]')",)
    return (Component("neurosync", _model, ModelConfig, summary, example, needs),)


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer what the NeuroSync player does to frames."""
    capture = Path(__file__).with_name("data") / "blinks.csv"
    scales = "less of brows and widened eyes, as the NeuroSync player sends them"
    blinks = "blinks from a capture that is played in a loop"
    blend = "blends from an idle capture into speech, and back at the end"
    return (
        Component("neurosync.scales", _scales, ScalesConfig, scales, ScalesConfig()),
        Component("neurosync.blinks", _blinks, BlinksConfig, blinks, BlinksConfig(capture)),
        Component(
            "neurosync.idle_blend", _idle_blend, IdleBlendConfig, blend, IdleBlendConfig(capture)
        ),
    )
