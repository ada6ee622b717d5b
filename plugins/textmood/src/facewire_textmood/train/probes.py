"""Linear models on what the finished encoder knows at several depths: our 16 labels, and VAD.

Fine-tuning on forum comments makes the last layers forget some of what the base model knows of
everyday speech; the lower ones keep it. Few examples are enough for a linear model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from facewire.types import FloatArray
from sklearn.linear_model import LogisticRegression, Ridge  # type: ignore[import-untyped]

from facewire_textmood.train.encoder import PROBES, TASKS, Network
from facewire_textmood.train.examples import Corpora, Example, batches
from facewire_textmood.wordpiece import WordPiece

CLEAR = 0.85  # share of one of our labels that a GoEmotions label must mean to be an example of it
EACH = 150  # lines of GoEmotions for each of our labels, where there are as many
COUNTS = 0.3  # a line of GoEmotions, beside one of our own
INVERSE_PENALTY = 0.02  # scikit-learn's C, on features of unit spread
NEVER = -30.0  # the log share of a label that has no example
PENALTY = (5e3, 2e4, 6e4)  # of ridge regression, on such features; raters agree least on dominance


@torch.inference_mode()
def features(network: Network, pieces: WordPiece, examples: Sequence[Example]) -> FloatArray:
    """Return what the probes see of each example: (n, depths * 384), in order."""
    network.eval()
    order = np.argsort([len(example.text) for example in examples], kind="stable")
    rows: list[FloatArray] = [np.zeros(0, np.float32)] * len(examples)
    for i in order:  # one by one, as they will be read
        [batch] = batches([examples[i]], pieces, TASKS, 1)
        tokens, sentence = torch.from_numpy(batch.tokens), torch.from_numpy(batch.sentence)
        rows[i] = torch.cat(network.pooled(tokens, sentence), dim=1)[0].numpy()
    return np.stack(rows)


def clear_lines(examples: Sequence[Example], random: np.random.Generator) -> list[Example]:
    """Return lines with one label that means one of our 16, at most ``EACH`` for each."""
    single = [e for e in examples if e.targets["original"].sum() == 1]
    kept: list[Example] = []
    for label in range(PROBES["faces"]):
        lines = [e for e in single if e.targets["faces"][label] >= CLEAR]
        kept += [lines[i] for i in random.permutation(len(lines))[:EACH]]
    return kept


def fit_probes(network: Network, pieces: WordPiece, corpora: Corpora) -> None:
    """Fit VAD on EmoBank; the 16 labels on our own lines and clear ones of GoEmotions."""
    alone = [Example(e.text, (), e.targets) for e in corpora.emobank]
    rows = features(network, pieces, alone)
    wanted = np.stack([e.targets["vad"] for e in alone])
    _fit(network, "vad", rows, Ridge(np.array(PENALTY)), wanted)
    lines = [*corpora.own, *clear_lines(corpora.goemotions, np.random.default_rng(0))]
    rows = features(network, pieces, lines)
    labels = np.array([int(line.targets["faces"].argmax()) for line in lines])
    counts = np.where(np.arange(len(lines)) < len(corpora.own), 1.0, COUNTS)
    fit = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
    _fit(network, "faces", rows, fit, labels, counts)


def _fit(
    network: Network,
    name: str,
    rows: FloatArray,
    model: LogisticRegression | Ridge,
    wanted: FloatArray,
    counts: FloatArray | None = None,
) -> None:
    """Fit on features of unit spread, and fold the standardising into the probe."""
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    fit = model.fit((rows - middle) / spread, wanted, counts)
    weight = fit.coef_ / spread  # (outputs, depths * 384)
    bias = fit.intercept_ - weight @ middle
    probe = network.probes[name]
    assert isinstance(probe, torch.nn.Linear)
    known = getattr(fit, "classes_", np.arange(len(weight)))  # labels that had an example
    with torch.no_grad():
        probe.weight.zero_()
        probe.bias.fill_(NEVER)
        probe.weight[known] = torch.from_numpy(np.asarray(weight, np.float32))
        probe.bias[known] = torch.from_numpy(np.asarray(bias, np.float32))
