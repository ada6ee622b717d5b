"""``python -m facewire_neurosync.train TAKES… --out FOLDER``: train, resume or fine-tune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from facewire.errors import FacewireError, InputError, PluginError

if TYPE_CHECKING:
    from facewire_neurosync.train.module import Trainable


@click.command()
@click.argument("takes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write.")
@click.option("--finetune", type=click.Path(path_type=Path), help="A checkpoint to begin from.")
@click.option("--outputs", type=click.Choice(["61", "68"]), default="61", show_default=True)
@click.option("--hidden", default=1024, show_default=True)
@click.option("--layers", default=8, show_default=True, help="Of the encoder, and of the decoder.")
@click.option("--heads", default=0, help="Attention heads; 0 takes 16 of at least 16 units.")
@click.option("--dropout", default=0.3, show_default=True)
@click.option("--epochs", default=50, show_default=True)
@click.option("--batch", default=128, show_default=True, help="Windows a step.")
@click.option("--rate", default=5e-5, show_default=True, help="Learning rate at the beginning.")
@click.option("--stride", default=1, show_default=True, help="Rows between windows.")
@click.option("--validation", default=0.1, show_default=True, help="Share of takes kept back.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=0, help="On a processor; 0 takes one a core.")
def main(
    takes: tuple[Path, ...],
    out: Path,
    finetune: Path | None,
    outputs: str,
    hidden: int,
    layers: int,
    heads: int,
    dropout: float,
    epochs: int,
    batch: int,
    rate: float,
    stride: int,
    validation: float,
    device: str,
    seed: int,
    threads: int,
) -> None:
    """Train on TAKES: folders with a .wav (or .mov) and a Live Link Face .csv each.

    Run the same command again and it goes on where it was stopped.
    """
    try:
        from facewire_neurosync.lanes import use_threads
        from facewire_neurosync.network import find_device
        from facewire_neurosync.train.loop import STATE, Plan, Trainer
    except ImportError:
        raise PluginError(
            "training needs PyTorch; pip install 'facewire-neurosync[train]'"
        ) from None
    from facewire_neurosync.train import takes as data

    _check(epochs, batch, stride, validation, hidden, layers, dropout)
    out.mkdir(parents=True, exist_ok=True)
    use_threads(threads)
    module = _module(finetune, hidden, layers, heads, int(outputs), dropout, seed)
    click.echo(f"network: {module.sizes}, {module.sizes.parameters / 1e6:.1f} million parameters")
    read = [data.read(sound, table, module.sizes.outputs) for sound, table in data.pairs(takes)]
    learned, kept = data.split(read, validation, seed)
    learned = [data.with_fast_copy(take) for take in learned]
    for name, part in (("learned", learned), ("kept back", kept)):
        click.echo(f"{name}: {', '.join(take.name for take in part) or 'none'}")
    trainer = Trainer(
        module, Plan(epochs, batch, rate, stride=stride, seed=seed), out, find_device(device)
    )
    if (out / STATE).exists():
        click.echo(f"goes on after epoch {trainer.resume()}")
    best = trainer.run(learned, kept, click.echo)
    click.echo(f"best loss {best:.4f}: {out / 'best.safetensors'}")


def _check(
    epochs: int, batch: int, stride: int, share: float, hidden: int, layers: int, dropout: float
) -> None:
    for name, value in (
        ("epochs", epochs),
        ("batch", batch),
        ("stride", stride),
        ("hidden", hidden),
    ):
        if value < 1:
            raise InputError(f"--{name}: found {value}, expected 1 or more")
    if not 1 <= layers <= 64:
        raise InputError(f"--layers: found {layers}, expected 1 to 64")
    for name, part in (("validation", share), ("dropout", dropout)):
        if not 0 <= part < 1:
            raise InputError(f"--{name}: found {part:g}, expected 0 or more, and less than 1")


def _module(
    finetune: Path | None,
    hidden: int,
    layers: int,
    heads: int,
    outputs: int,
    dropout: float,
    seed: int,
) -> Trainable:
    import torch

    from facewire_neurosync import checkpoint
    from facewire_neurosync.architecture import Architecture, count_heads
    from facewire_neurosync.train.module import Trainable

    torch.manual_seed(seed)
    if finetune is None:
        heads = heads or count_heads(hidden)
        if hidden % heads or hidden // heads % 2:
            raise InputError(f"--heads: {hidden} units cannot be cut into {heads} of even width")
        return Trainable(Architecture(hidden, 4 * hidden, layers, layers, heads, outputs), dropout)
    found = checkpoint.load(finetune, heads)
    if found.global_rope:
        raise InputError(f"{finetune}: checkpoints with a global rotation cannot be trained on")
    module = Trainable(found.architecture, dropout)
    module.take(found.tensors)
    return module


def run() -> None:
    """Run the command; what is the user's mistake is said in a line."""
    try:
        main(standalone_mode=True)
    except FacewireError as error:
        raise SystemExit(f"facewire-neurosync: {error}") from None


if __name__ == "__main__":
    run()
