"""``facewire neurosync``: checkpoints from one format into another."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("neurosync")
def command() -> None:
    """Check and convert NeuroSync checkpoints."""


@command.command("convert")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "int8"]),
    default="fp32",
    show_default=True,
    help="What the weights are stored in; int8 writes ONNX, the others safetensors.",
)
@click.option("--heads", default=0, help="Attention heads, if the checkpoint has unusual ones.")
@click.option(
    "--global-rope", is_flag=True, help="The checkpoint is from before 2025-03-29 and needs it."
)
def convert(source: Path, target: Path, precision: str, heads: int, global_rope: bool) -> None:
    """Check every name and shape of SOURCE, say what it is, and write it to TARGET."""
    from facewire_neurosync.conversion import convert as work

    for line in work(source, target, precision, heads, global_rope):
        click.echo(line)
