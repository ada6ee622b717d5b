"""Every installed component, with its example: cuts, reset, silence, one sample, odd input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.assemble import Assembly, assemble, shared
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.stages import FeatureExtractor, Layer, Sink, Source, Voice
from facewire.testing import (
    check_chunking,
    check_stage,
    cut_audio,
    drive_extractor,
    drive_layer,
    layer_blocks,
    voiced,
)
from facewire.types import (
    Audio,
    Block,
    Component,
    Context,
    Frames,
    Mark,
    ModelInfo,
    RunInfo,
    Utterance,
    first_sample,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts import FPS, RIG

REGISTRY: Registry = shared("facewire.registry", Registry)
OFFERED = [(kind, part) for kind, parts in REGISTRY.catalogue().items() for part in parts]
BOTH = pytest.mark.parametrize("causal", [False, True], ids=["whole", "causal"])


def of(kind: str) -> pytest.MarkDecorator:
    found = [part for offered, part in OFFERED if offered == kind]
    return pytest.mark.parametrize("part", found, ids=[part.name for part in found])


def assembly(out: Path = Path("out"), causal: bool = False) -> Assembly:
    made = assemble(Profile(name="conformance", sinks=()), "clip", out, causal, registry=REGISTRY)
    info = ModelInfo("test", RIG, FPS, "none")
    made.context = replace(made.context, model=info)
    return made


def make(part: Component, context: Context) -> object:
    if part.example is None:
        pytest.skip(f"{part.name} needs {', '.join(part.needs) or 'something it does not name'}")
    return part.make(part.example, context)


def test_every_installed_plugin_loads() -> None:
    failed = [f"{p.name}: {p.cause}" for p in REGISTRY.plugins if p.status != "loaded"]
    assert not failed


@pytest.mark.parametrize(("kind", "part"), OFFERED, ids=[f"{k}-{p.name}" for k, p in OFFERED])
def test_what_a_component_says_of_itself(kind: str, part: Component) -> None:
    assert part.summary and part.summary == part.summary.strip() and "\n" not in part.summary
    assert part.example is not None or part.needs, "without an example it must name its needs"
    if part.example is not None:
        assert isinstance(part.example, part.config)
    spec = ComponentSpec(part.name, {"no_such_option": 1}, "here")
    with pytest.raises(FacewireError, match="no_such_option"):
        REGISTRY.build(kind, spec, assembly().context)  # type: ignore[arg-type]


@of("features")
@BOTH
def test_extractor(part: Component, causal: bool) -> None:
    context = assembly(causal=causal).context
    check_stage(lambda: make(part, context))


@of("features")
@BOTH
@settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))
@given(sizes=st.lists(st.integers(1, 40000), min_size=1, max_size=5))
def test_extractor_with_random_cuts(part: Component, causal: bool, sizes: list[int]) -> None:
    context = assembly(causal=causal).context
    stage = make(part, context)
    assert isinstance(stage, FeatureExtractor)
    if not stage.exact_streaming:
        pytest.skip(f"{part.name} says that it does not stream exactly")
    sound = voiced(2.0, stage.rate)

    def run(cut: list[int]) -> np.ndarray:
        return drive_extractor(make(part, context), cut_audio(sound, cut))[0]

    check_chunking(run, sizes, len(sound))


@of("model")
@BOTH
def test_model(part: Component, causal: bool) -> None:
    context = assembly(causal=causal).context
    check_stage(lambda: make(part, context))


@of("layer")
@BOTH
def test_layer(part: Component, causal: bool) -> None:
    context = assembly(causal=causal).context
    check_stage(lambda: make(part, context))


@of("layer")
@BOTH
@settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))
@given(sizes=st.lists(st.integers(1, 64), min_size=1, max_size=5))
def test_layer_with_random_cuts(part: Component, causal: bool, sizes: list[int]) -> None:
    context = assembly(causal=causal).context
    values = np.random.default_rng(3).uniform(0, 0.5, (200, len(RIG))).astype(np.float32)

    def run(cut: list[int]) -> np.ndarray:
        layer = make(part, context)
        assert isinstance(layer, Layer)
        return drive_layer(layer, layer_blocks(layer, values, RIG, FPS, cut), RIG)

    check_chunking(run, [min(64, size) for size in sizes], 64)


@of("layer")
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(120)])
def test_layer_at_other_rates_and_on_a_bare_rig(part: Component, fps: Fraction) -> None:
    for rig in (Rig.named("arkit52"), Rig("mouth", ("jawOpen", "mouthClose"))):
        context = replace(assembly().context, rig=rig, fps=fps)
        layer = make(part, context)
        assert isinstance(layer, Layer)
        values = np.zeros((90, len(rig)), np.float32)
        out = drive_layer(layer, layer_blocks(layer, values, rig, fps, [30]), rig)
        assert out.shape == values.shape and np.isfinite(out).all()


@of("voice")
def test_voice(part: Component) -> None:
    voice = make(part, assembly().context)
    assert isinstance(voice, Voice)
    texts = ["Hello, this is a test.", "", "...", "ok"]
    for text in texts:
        runs = [list(voice.speak(Utterance(text))) for _ in range(2)]
        at = 0
        for piece in runs[0]:
            assert piece.start == at and piece.rate == voice.rate
            assert np.isfinite(piece.samples).all() and np.abs(piece.samples).max(initial=0) <= 1
            at = piece.end
        for piece in runs[0]:
            for mark in piece.marks:
                assert piece.start <= mark.start <= mark.end <= at
        assert [p.samples.tobytes() for p in runs[0]] == [p.samples.tobytes() for p in runs[1]]
        if text == texts[0]:
            kinds = {mark.kind for piece in runs[0] for mark in piece.marks}
            assert voice.marks == "none" or voice.marks in kinds


@of("source")
def test_source(part: Component) -> None:
    source = make(part, assembly().context)
    assert isinstance(source, Source)
    at = 0
    for item in source.blocks():
        if isinstance(item, Audio | Frames):
            assert item.start == at
            at = item.end
    assert at


@of("sink")
def test_sink_commits_and_discards(part: Component, tmp_path: Path) -> None:
    if part.example is None:
        pytest.skip(f"{part.name} needs {', '.join(part.needs)}")
    first = run_sink(part, tmp_path / "a")
    if first.live:
        return
    assert first.path and first.path.exists() and first.path.stat().st_size
    second = run_sink(part, tmp_path / "b")
    assert second.path and first.path.read_bytes() == second.path.read_bytes()
    before = first.path.read_bytes()
    run_sink(part, tmp_path / "a", rows=10, commit=False)
    assert first.path.read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [first.path.name]


def run_sink(part: Component, out: Path, rows: int = 100, commit: bool = True) -> Sink:
    sink = make(part, assembly(out).context)
    assert isinstance(sink, Sink)
    rig, rate = sink.rig or RIG, 16000
    sink.open(RunInfo("clip", rig, FPS, rate))
    for block in blocks(rows, rig, rate):
        sink.push(block)
    if commit:
        sink.close()
    else:
        sink.abort()
    return sink


def blocks(rows: int, rig: Rig, rate: int) -> Iterator[Block]:
    rng = np.random.default_rng(0)
    for start in range(0, rows, 50):
        first, last = (first_sample(k, rate, FPS) for k in (start, min(rows, start + 50)))
        n = min(rows, start + 50) - start
        values = rng.uniform(0, 1, (n, len(rig))).astype(np.float32)
        sound = rng.uniform(-0.5, 0.5, last - first).astype(np.float32)
        marks = (Mark("word", f"w{start}", first, last, (0, 2)), Mark("phone", "AH0", first, last))
        emotion = EmotionCurve().sample(start, n, FPS)
        yield Block(Frames(values, rig, FPS, start), emotion, Audio(sound, rate, first, marks))
