"""The command ``facewire head``: what a head can do, as a list and as pictures."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def head() -> None:
    """Look at Facewire's head, or at one of your own."""


@head.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("head.png"), help="The PNG.")
@click.option("--head", "model", type=click.Path(path_type=Path), help="A GLB or VRM file.")
@click.option("--size", type=click.IntRange(32, 1024), default=192, help="Pixels to a face's side.")
def sheet(out: Path, model: Path | None, size: int) -> None:
    """Draw the 52 shapes, each at 1, with its name."""
    from facewire.rig import Rig

    from facewire_preview.sheet import draw_sheet, shapes

    draw_sheet(out, shapes(), Rig.named("arkit52"), model, size=size)
    click.echo(str(out))


@head.command()
@click.argument("model", type=click.Path(path_type=Path))
def check(model: Path) -> None:
    """Say which of ARKit's shapes a GLB or VRM file has, and what is missing."""
    from facewire_preview.head import load_head

    loaded = load_head(model)
    click.echo(f"{model}: {loaded.report()}")
    turned = ", ".join(loaded.turns) or "nothing"
    click.echo(f"turns: {turned}")
