"""``facewire check``: what a profile would run, its latency, and what is missing."""

from __future__ import annotations

from pathlib import Path

import click

from facewire.assemble import Assembly, assemble
from facewire.cli.show import listing, say
from facewire.delivery import MARGIN
from facewire.errors import FacewireError
from facewire.faces import build_sinks, open_faces
from facewire.pipeline import Built, Pipeline
from facewire.profile import load_profile
from facewire.rig import Rig, dropped
from facewire.speech import trust_marks
from facewire.stages import Sink

RATES = click.IntRange(8000, 768000)


@click.command("check")
@click.argument("profile")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the profile.")
@click.option("--live", is_flag=True, help="Check it for a microphone or streamed text.")
@click.option("--rate", type=RATES, default=48000, show_default=True, help="Of the input, in Hz.")
def command(profile: str, overrides: tuple[str, ...], live: bool, rate: int) -> None:
    """Say what a profile would run, its latency, and what is missing."""
    assembly = assemble(load_profile(profile, overrides), "check", Path("out"), causal=live)
    problems: list[str] = []
    rows: list[list[str]] = []
    if assembly.profile.voice:
        try:
            rows.append(_row(assembly.voice))
        except FacewireError as error:
            problems.append(f"text cannot be spoken: {error}")
    faces = open_faces(assembly)
    pipeline = faces.first.pipeline
    sinks = build_sinks(assembly, faces)
    parts = [pipeline.extractor, pipeline.model, *pipeline.layers, *sinks]
    rows += [_row(part) for part in parts if part]
    rows += [["face", one, _who(assembly, one)] for one in faces.subjects]
    say(listing(["kind", "component", "plugin"], rows))
    say("")
    say(listing(["latency", "ms"], _latency(pipeline, rate, live)))
    spoken = _spoken(assembly, rate) if live and assembly.profile.voice and not problems else []
    for line in [*spoken, *assembly.fallbacks, *_drops(assembly, pipeline, sinks), *problems]:
        say(f"note: {line}")


def _row(built: Built[object]) -> list[str]:  # type: ignore[type-var]
    return [built.kind, built.label, built.origin]


def _who(assembly: Assembly, subject: str) -> str:
    """Return the speakers whose face it is."""
    speakers = assembly.profile.speakers.items()
    return "speaker " + ", ".join(name for name, one in speakers if one.subject == subject)


def _latency(pipeline: Pipeline, rate: int, live: bool) -> list[list[str]]:
    rows, total = [], MARGIN
    for part, seconds in [*pipeline.latency(rate), ("ring", MARGIN)]:
        shown = "the whole input" if seconds is None else f"{1000 * seconds:.1f}"
        rows.append([part, shown])
        total += (seconds or 0.0) if part != "ring" else 0.0
    note = (
        f"{1000 * total:.1f}" if live else f"0 (not live; {1000 * total:.1f} with --live at least)"
    )
    return [*rows, ["sum", note]]


def _spoken(assembly: Assembly, rate: int) -> list[str]:
    """Say what streamed text waits for, where its voice marks the phones itself."""
    pipeline = assembly.pipeline()
    before = pipeline.extractor
    trust_marks(assembly, pipeline)
    if pipeline.extractor is before:
        return []
    total = MARGIN + sum(seconds or 0.0 for _, seconds in pipeline.latency(rate))
    return [f"text is not listened to, as the voice marks its phones: {1000 * total:.1f} ms in all"]


def _drops(assembly: Assembly, pipeline: Pipeline, sinks: list[Built[Sink]]) -> list[str]:
    """Say which channels of the model the rig drops, and which of the rig's each sink drops."""
    rig = pipeline.rig
    lines = []
    if pipeline.model and (lost := dropped(pipeline.model.stage.rig, rig)):
        lines.append(f"rig '{rig.name}' has no {_some(lost)}, which {pipeline.model} makes")
    for sink in sinks:
        wanted: Rig = sink.stage.rig or rig
        if lost := dropped(rig, wanted):
            lines.append(f"{sink} does not take {_some(lost)}")
    return lines


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
