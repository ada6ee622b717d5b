"""What is chosen on the dev splits, with the exported network: thresholds, and how sure it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from facewire.types import FloatArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from facewire_textmood.confidence import (
    ABSTAIN,
    SIGNS,
    clues,
    confidence,
    leading_sign,
    risk,
    without_neutral,
)
from facewire_textmood.corpora import EKMAN, ORIGINAL
from facewire_textmood.mapping import table
from facewire_textmood.network import SETTINGS, Columns, Network
from facewire_textmood.scores import chosen, f1, pearson, tuned
from facewire_textmood.train.examples import Corpora, Example

MAX_ERRORS = 0.016  # of what is not abstained on: wrong sign of valence, on dev (2 % is allowed)
RATED = 0.3  # EmoBank's valence must be that far from 3 to have a sign
OWN_COUNTS = 10.0  # each of our own lines, of which there are few: speech is not a forum's comments
INVERSE_PENALTY = 0.1  # scikit-learn's C, on clues of unit spread
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What the network says of one dev split, and what is right.

    ``sign`` (n,): what would be read. ``signs`` (n, 3): whether the sentence holds something
    unpleasant, something that is neither, something pleasant.
    """

    columns: list[Columns]
    faces: FloatArray
    clues: FloatArray
    sign: FloatArray
    signs: FloatArray

    @property
    def wrong(self) -> FloatArray:
        """Whether the sign that would be read is the opposite of the sentence's: (n,) 0 or 1."""
        one, other = self.signs[:, 0], self.signs[:, 2]
        wrong = ((self.sign > 0) & (one > other)) | ((self.sign < 0) & (other > one))
        return np.asarray(wrong, np.float32)


Dev = dict[str, Part]


def write_settings(path: Path, settings: dict[str, FloatArray]) -> None:
    """Write thresholds and weights as JSON, to four places."""
    rows = {
        name: np.round(np.asarray(values, float), 4).tolist() for name, values in settings.items()
    }
    path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def blank_settings() -> dict[str, FloatArray]:
    """Return settings to load an uncalibrated network with."""
    return {name: np.full(length, 0.5, np.float32) for name, length in SETTINGS.items()}


def read_dev(network: Network, corpora: Corpora) -> Dev:
    """Read the dev splits, sentence by sentence; of our own lines some have context."""
    return {
        "goemotions": _part(network, corpora.goemotions_dev, _signs_of_labels),
        "emobank": _part(network, corpora.emobank_dev, _signs_of_ratings),
        "own": _part(network, corpora.own_dev, _signs_of_faces),
    }


def _part(
    network: Network,
    examples: Sequence[Example],
    signs: Callable[[Sequence[Example]], FloatArray],
) -> Part:
    columns = [network.read(example.text, example.context) for example in examples]
    faces = np.stack([c.faces for c in columns])
    return Part(columns, faces, clues(columns), leading_sign(faces), signs(examples))


def _targets(examples: Sequence[Example], name: str) -> FloatArray:
    return np.stack([example.targets[name] for example in examples])


def _signs_of_labels(examples: Sequence[Example]) -> FloatArray:
    felt = _targets(examples, "original")
    felt[:, ORIGINAL.index("neutral")] = 0.0
    has = [(felt * (table().signs == sign)).any(axis=1) for sign in (-1, 0, 1)]
    return np.stack(has, axis=1).astype(np.float32)


def _signs_of_ratings(examples: Sequence[Example]) -> FloatArray:
    away = _targets(examples, "vad")[:, 0]
    has = [away <= -RATED, np.zeros(len(away), bool), away >= RATED]
    return np.stack(has, axis=1).astype(np.float32)


def _signs_of_faces(examples: Sequence[Example]) -> FloatArray:
    felt = without_neutral(_targets(examples, "faces"))
    has = [(felt * (SIGNS == sign)).any(axis=1) for sign in (-1, 0, 1)]
    return np.stack(has, axis=1).astype(np.float32)


def fitted_risk(dev: Dev) -> tuple[FloatArray, float, list[str]]:
    """Return the weights of the clues, the largest risk allowed, and lines on what errors are left.

    The allowed risk is chosen on risks of lines that the fit had not seen.
    """
    some, own, rated = (dev[name] for name in ("goemotions", "own", "emobank"))
    rows = np.concatenate([some.clues, own.clues])
    wrong = np.concatenate([some.wrong, own.wrong])
    counts = np.concatenate([np.ones(len(some.wrong)), np.full(len(own.wrong), OWN_COUNTS)])
    unseen = np.zeros(len(rows), np.float32)
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    for k in range(FOLDS):
        unseen[fold == k] = risk(
            rows[fold == k], _risk_weights(*(x[fold != k] for x in (rows, wrong, counts)))
        )
    weights = _risk_weights(rows, wrong, counts)
    risks = {
        "goemotions": unseen[: len(some.wrong)],
        "own": unseen[len(some.wrong) :],
        "emobank": risk(rated.clues, weights),
    }
    allowed = 0.5
    while _left(dev, risks, allowed, ("goemotions", "emobank"))[0] > MAX_ERRORS:
        allowed *= 0.98
    lines = []
    for name in dev:
        errors, share = _left(dev, risks, allowed, (name,))
        lines.append(
            f"{name} dev: {errors:.2%} of the wrong sign among the {share:.0%} that are read"
        )
    return weights, allowed, lines


def _risk_weights(rows: FloatArray, wrong: FloatArray, counts: FloatArray) -> FloatArray:
    """Fit on clues of unit spread, but for the first, which is 1; fold the standardising in."""
    middle, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    middle[0], spread[0] = 0.0, 1.0
    fit = LogisticRegression(C=INVERSE_PENALTY, fit_intercept=False, max_iter=3000)
    weights = fit.fit((rows - middle) / spread, wrong, counts).coef_[0] / spread
    weights[0] -= weights @ middle
    return np.asarray(weights, np.float32)


def _left(
    dev: Dev, risks: dict[str, FloatArray], allowed: float, names: tuple[str, ...]
) -> tuple[float, float]:
    """Return the share of wrong signs among the sentences that are read, and the latter's."""
    sure = [confidence(dev[name].faces, risks[name], allowed) >= ABSTAIN for name in names]
    read = np.concatenate(sure)
    wrong = np.concatenate([dev[name].wrong for name in names])
    return float(wrong[read].sum() / max(1, read.sum())), float(read.mean())


def calibrated(dev: Dev, corpora: Corpora) -> tuple[dict[str, FloatArray], list[str]]:
    """Return the settings, and lines with the figures on dev."""
    settings: dict[str, FloatArray] = {}
    lines = []
    for name, labels in (("original", ORIGINAL), ("ekman", EKMAN)):
        wanted = _targets(corpora.goemotions_dev, name)
        p = np.stack([getattr(c, name) for c in dev["goemotions"].columns])
        settings[name] = tuned(p, wanted)
        each = f1(chosen(p, settings[name]), wanted)
        lines.append(f"goemotions dev, {len(labels)} labels: macro-F1 {each.mean():.4f}")
        lines += [f"  {label}: {value:.3f}" for label, value in zip(labels, each, strict=True)]
    guess = np.stack([c.vad for c in dev["emobank"].columns])
    v, a, d = pearson(guess, _targets(corpora.emobank_dev, "vad"))
    lines.append(f"emobank dev: r V {v:.4f}, A {a:.4f}, D {d:.4f}")
    settings["risk"], allowed, errors = fitted_risk(dev)
    settings["allowed"] = np.array([allowed], np.float32)
    return settings, lines + errors
