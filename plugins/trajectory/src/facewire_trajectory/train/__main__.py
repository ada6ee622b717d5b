"""``python -m facewire_trajectory.train CORPUS --out FOLDER``: train, or go on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from facewire.errors import FacewireError, InputError, PluginError

from facewire_trajectory.corpus import load


@click.command()
@click.argument("folder", metavar="CORPUS", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write.")
@click.option("--steps", default=6000, show_default=True, help="Steps in all.")
@click.option("--batch", default=16, show_default=True, help="Pieces a step.")
@click.option("--rows", default=256, show_default=True, help="Rows a piece.")
@click.option("--rate", default=2e-3, show_default=True, help="Learning rate at its highest.")
@click.option("--every", default=250, show_default=True, help="Steps between validations.")
@click.option("--real", default=(0.5, 0.2), type=(float, float), show_default=True,
              help="Shares of real takes at the start and at the end.")  # fmt: skip
@click.option("--without", multiple=True, help="Leave items out whose id holds this; repeatable. "
              "Real takes left out are validated with.")  # fmt: skip
@click.option("--begin", type=click.Path(path_type=Path), help="A folder of weights to begin from.")
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=0, help="On a processor; 0 takes one a core.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or mps.")
def main(
    folder: Path,
    out: Path,
    steps: int,
    batch: int,
    rows: int,
    rate: float,
    every: int,
    real: tuple[float, float],
    without: tuple[str, ...],
    begin: Path | None,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Train the network on a CORPUS folder; writes live.onnx, file.onnx, a card and curves.

    Run the same command again and it goes on where it was stopped.
    """
    _check(steps=(steps, 1), batch=(batch, 1), rows=(rows, 64), every=(every, 1))
    try:
        import torch
    except ImportError:
        raise PluginError(
            "training needs PyTorch: pip install 'facewire-trajectory[train]'"
        ) from None
    from facewire_trajectory.network.graph import load as load_network
    from facewire_trajectory.train.card import write_card
    from facewire_trajectory.train.loop import STATE, Plan, Trainer
    from facewire_trajectory.train.plots import draw
    from facewire_trajectory.train.pool import Pool, kept, read, unseen
    from facewire_trajectory.train.validate import judge

    if threads:
        torch.set_num_threads(threads)
    corpus = load(folder)
    pool = Pool(read(corpus, without))
    if not pool.count:
        raise InputError(f"{folder}: found no item to learn from; make the corpus again")
    out.mkdir(parents=True, exist_ok=True)
    plan = Plan(steps, batch, rows, rate, real, every=every, seed=seed)
    trainer = Trainer(plan, out, torch.device(device))
    parameters = sum(p.numel() for p in trainer.network.parameters())
    click.echo(f"{parameters / 1e6:.2f} million parameters; {pool.count} items, "
               f"{pool.rows / 216000:.1f} h")  # fmt: skip
    if (out / STATE).exists():
        click.echo(f"goes on after step {trainer.resume()}")
    elif begin is not None:
        trainer.begin_from(load_network(begin))
    dev = list(kept(corpus, without))
    best = trainer.run(pool, dev, click.echo)
    network = trainer.finish(dev)
    draw(trainer.history, out / "curves.png")
    takes = [held for held in dev if held.entry.kind == "real"]
    write_card(out, corpus, asdict(plan), judge(network, [*unseen(corpus), *takes]), without)
    click.echo(f"best score {best:.4f}; {out / 'live.onnx'}, {out / 'file.onnx'}")


def _check(**given: tuple[int, int]) -> None:
    """Raise InputError for an option, named with its value and the least it may be."""
    for name, (value, least) in given.items():
        if value < least:
            raise InputError(f"--{name}: found {value}, expected {least} or more")


def run() -> None:
    """Run the command; what is the user's mistake is said in a line."""
    try:
        main(standalone_mode=True)
    except FacewireError as error:
        raise SystemExit(f"facewire_trajectory.train: {error}") from None


if __name__ == "__main__":
    run()
