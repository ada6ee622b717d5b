"""``python -m facewire_trajectory.finetune TAKES --out FOLDER``: an actor's own weights.

TAKES holds pairs of sound (WAV, FLAC) and Live Link Face CSV of one stem. Only the channels that
moved in the takes are learnt; everything else stays as the shipped network has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from facewire.articulation import CURVES
from facewire.errors import FacewireError, InputError, PluginError
from facewire.resample import AudioResampler
from facewire.sources import AudioFile
from facewire.types import Audio, Frames

from facewire_trajectory.corpus.faces import Take, articulatory, lag
from facewire_trajectory.corpus.store import Entry
from facewire_trajectory.mel import RATE, log_mel
from facewire_trajectory.model import DATA
from facewire_trajectory.runtime import REST

if TYPE_CHECKING:
    from facewire_trajectory.network.module import Network
    from facewire_trajectory.train.pool import Held

SOUNDS = (".wav", ".flac")
KEPT = 0.15
"""Share of each take, its end, that is kept for the table."""
SURE = 0.25
"""The correlation from which on a take's offset is believed."""
ROWS = 192


def read_takes(folder: Path) -> list[Take]:
    """Return the takes of a folder; InputError if there are none, or a file is broken."""
    pairs = [
        (sound, sound.with_suffix(".csv"))
        for sound in sorted(folder.glob("*"))
        if sound.suffix.lower() in SOUNDS and sound.with_suffix(".csv").exists()
    ]
    if not pairs:
        raise InputError(
            f"{folder}: found no takes, expected sound and Live Link Face CSV of one name, such as "
            "a.wav and a.csv"
        )
    return [_take(sound, table) for sound, table in pairs]


def _take(sound: Path, table: Path) -> Take:
    try:
        from facewire_files.livelink_take import LiveLinkTake
    except ImportError:
        raise PluginError("takes are read by facewire-files: pip install facewire-files") from None
    source = AudioFile(sound)
    resampler = AudioResampler(source.rate or RATE, RATE, Fraction(60))
    heard = [resampler.push(item).samples for item in source.blocks() if isinstance(item, Audio)]
    samples = np.concatenate([*heard, resampler.flush().samples])
    frames = [
        item for item in LiveLinkTake(table, Fraction(60)).blocks() if isinstance(item, Frames)
    ]
    values, captured = articulatory(
        np.concatenate([item.values for item in frames]), frames[0].rig.channels
    )
    return Take(sound.stem, samples, values, float(frames[0].fps), captured)


def prepare(network: Network, takes: Sequence[Take]) -> list[Held]:
    """Return takes as items, each moved by its own offset; what was not captured is the network's.

    The offset is where the captured gap agrees best with what the network hears.
    """
    from facewire_trajectory.train.pool import Held
    from facewire_trajectory.train.validate import run

    made = []
    for take in takes:
        mel = log_mel(take.samples)
        rows = min(len(mel), int(len(take.values) / take.fps * 60))
        entry = Entry(f"real-{take.name}", "real", "takes", "", "", "takes", "train", "", [],
                      "your own", seconds=rows / 60, rows=rows)  # fmt: skip
        arrays = {
            "mel": mel[:rows], "cond": np.tile(REST, (rows, 1)),
            "sound": np.ones(rows, np.uint8), "phones": np.zeros(rows, np.int8),
            "artic": np.zeros((rows, len(CURVES))), "mask": np.ones((rows, len(CURVES)), np.uint8),
        }  # fmt: skip
        heard = run(network, Held(entry, arrays))["file"][0]
        late, sure = lag(take.at(np.arange(rows) / 60.0)[:, 0], heard[:, 0].astype(np.float64))
        late = late if sure > SURE else 0.0
        captured = take.at(np.arange(rows) / 60.0 + late)
        arrays["artic"] = np.where(take.captured, captured, heard)
        made.append(Held(entry, arrays))
    return made


def cut(items: Sequence[Held]) -> tuple[list[Held], list[Held]]:
    """Return the parts of takes to learn from, and their ends, which are kept for the table."""
    from facewire_trajectory.train.pool import Held

    learned: list[Held] = []
    kept: list[Held] = []
    for held in items:
        at = int(held.entry.rows * (1.0 - KEPT))
        for part, rows in ((learned, slice(0, at)), (kept, slice(at, None))):
            arrays = {name: array[rows] for name, array in held.arrays.items()}
            part.append(Held(replace(held.entry, rows=len(arrays["mel"])), arrays))
    return learned, kept


def table(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]]) -> str:
    """Return figures of both variants before and after, as lines of text."""
    names = {"gap real": "gap, 2 to 8 Hz", "jaw real": "jaw, 2 to 8 Hz", "live real": "liveliness"}
    lines = [f"{'':24}{'before':>8}{'after':>8}"]
    for variant, figures in after.items():
        for key, name in names.items():
            if key in figures:
                both = f"{before[variant].get(key, float('nan')):8.3f}{figures[key]:8.3f}"
                lines.append(f"{variant + ': ' + name:24}{both}")
    return "\n".join(lines)


@click.command()
@click.argument("takes", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write.")
@click.option("--weights", type=click.Path(path_type=Path), help="A folder to begin from.")
@click.option("--steps", default=400, show_default=True)
@click.option("--rate", default=4e-4, show_default=True, help="Learning rate at its highest.")
@click.option("--batch", default=12, show_default=True, help="Pieces a step.")
@click.option("--corpus", type=click.Path(path_type=Path), help="A corpus to mix in, if there is "
              "one; half of what is learnt is of it.")  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=0, help="On a processor; 0 takes one a core.")
def main(
    takes: Path,
    out: Path,
    weights: Path | None,
    steps: int,
    rate: float,
    batch: int,
    corpus: Path | None,
    seed: int,
    threads: int,
) -> None:
    """Fit the shipped network to TAKES, and print what it was worth before and after.

    Use the result with ``model: {use: trajectory, weights: FOLDER}``.
    """
    try:
        import torch
    except ImportError:
        raise PluginError(
            "fine-tuning needs PyTorch: pip install 'facewire-trajectory[train]'"
        ) from None
    from facewire_trajectory.corpus import load as load_corpus
    from facewire_trajectory.network.graph import load
    from facewire_trajectory.train.loop import Plan, Trainer
    from facewire_trajectory.train.pool import Pool, read
    from facewire_trajectory.train.validate import judge

    if threads:
        torch.set_num_threads(threads)
    network = load(weights or DATA)
    learned, kept = cut(prepare(network, read_takes(takes)))
    before = judge(network, kept)
    others = list(read(load_corpus(corpus), ("real",))) if corpus else []
    share = 0.5 if others else 1.0
    plan = Plan(steps, batch, ROWS, rate, (share, share), falling=0.6, every=steps, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(plan, out, torch.device("cpu"), network.sizes, teacher=network)
    trainer.begin_from(network)
    trainer.run(Pool([*learned, *others]), kept, lambda line: None)
    text = table(before, judge(trainer.mean, kept))
    (out / "finetune.txt").write_text(text + "\n", "utf-8")
    click.echo(text)
    click.echo(f"weights: {out / 'live.onnx'}, {out / 'file.onnx'}")


def run() -> None:
    """Run the command; what is the user's mistake is said in a line."""
    try:
        main(standalone_mode=True)
    except FacewireError as error:
        raise SystemExit(f"facewire_trajectory.finetune: {error}") from None


if __name__ == "__main__":
    run()
