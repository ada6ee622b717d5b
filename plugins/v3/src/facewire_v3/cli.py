"""``facewire v3``: the lexicon, one emotion's numbers, a contact sheet of the authored faces."""

from __future__ import annotations

from math import degrees
from pathlib import Path

import click
import numpy as np
from facewire.emotion import NAMES, State, aliases, lookup, parse
from facewire.types import FloatArray


@click.group("v3")
def command() -> None:
    """Look at the expression system: its emotions, its numbers and its faces."""


@command.command("list")
def names() -> None:
    """List the emotions by name: valence, arousal, dominance, family and aliases."""
    click.echo(f"{'name':15} {'valence':>7} {'arousal':>7} {'dominance':>9}  {'face of':14} also")
    for name in NAMES:
        entry = lookup(name)
        v, a, d = entry.vad
        family = "" if entry.family == name else entry.family
        also = ", ".join(alias for alias, meant in aliases().items() if meant == name)
        click.echo(f"{name:15} {v:7.2f} {a:7.2f} {d:9.2f}  {family:14} {also}".rstrip())


@command.command()
@click.argument("emotion")
def show(emotion: str) -> None:
    """Show an emotion's numbers: EMOTION is joy, joy:80, joy:L5 or 0.8,0.6,0.5."""
    from facewire_v3.compiler import Compiler
    from facewire_v3.overlay import overlay

    state = parse(emotion)
    vad = np.array([state.vad], np.float32)
    weights = np.array([_face_weights(state)], np.float32)
    full = Compiler().full(weights, vad)[0]
    _show_state(state, vad)
    _show_channels("face", full[:52])
    _show_pose(state, full[52:])
    _show_channels("overlay adds", overlay(vad, np.array([state.weights], np.float32))[0])


def _face_weights(state: State) -> tuple[float, ...]:
    """Return the weights that draw a state: those of a name's family, or of the labels nearby."""
    return lookup(lookup(state.name).family).weights if state.name else state.weights


def _show_state(state: State, vad: FloatArray) -> None:
    from facewire_v3.mead import CLASSES, mead_weights
    from facewire_v3.overlay import overlay_strength

    named = f" at {100 * state.strength:.0f} %" if state.name else "the labels nearest to a VAD"
    click.echo(f"{state.name or ''}{named}")
    axes = zip(("valence", "arousal", "dominance"), state.vad, strict=True)
    click.echo(f"  {', '.join(f'{axis} {value:.2f}' for axis, value in axes)}")
    shares = zip(CLASSES, mead_weights(vad)[0], strict=True)
    click.echo(f"  MEAD {', '.join(f'{name} {share:.2f}' for name, share in shares)}")
    click.echo(f"  overlay strength {overlay_strength(vad)[0]:.2f}")


def _show_channels(title: str, values: FloatArray) -> None:
    from facewire_v3.tables import CHANNELS

    click.echo(f"{title}:")
    rows = [(name, value) for name, value in zip(CHANNELS, values, strict=True) if value >= 0.005]
    for name, value in rows:
        click.echo(f"  {name:20} {value:.2f}  {'#' * round(40 * float(value))}")
    if not rows:
        click.echo("  nothing")


def _show_pose(state: State, head: FloatArray) -> None:
    from facewire_v3.presets import preset

    yaw, pitch, roll = (degrees(float(angle)) for angle in head)
    click.echo(f"head: yaw {yaw:.1f}, pitch {pitch:.1f}, roll {roll:.1f} degrees")
    if state.name:
        course = preset(state.name).course
        parts = (course.onset, course.apex, course.offset)
        grows, stays, fades = (f"{seconds:g} s" for seconds in parts)
        click.echo(f"course: onset {grows}, apex {stays}, offset {fades}")


@command.command()
@click.option("--out", type=click.Path(path_type=Path), default="sheet.png", show_default=True)
@click.option("--bars", "as_bars", is_flag=True, help="Draw bars, though a head is installed.")
def sheet(out: Path, as_bars: bool) -> None:
    """Draw all authored faces side by side: on a head if facewire-preview is installed."""
    from facewire_v3.presets import presets
    from facewire_v3.sheet import bars, painter, write_sheet

    write_sheet(out, presets(), bars if as_bars else painter())
    click.echo(f"wrote {out}")
