"""What must be beaten: TF-IDF with logistic regression, and with ridge regression for VAD.

Both see words and pairs of words; thresholds are tuned on dev as the network's are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from facewire.types import FloatArray
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression, Ridge  # type: ignore[import-untyped]

from facewire_textmood.scores import chosen, f1, pearson, tuned
from facewire_textmood.train.examples import Corpora, Example


def _split(examples: Sequence[Example], name: str) -> tuple[list[str], FloatArray]:
    return [e.text for e in examples], np.stack([e.targets[name] for e in examples])


def _features() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, lowercase=True)


def label_scores(corpora: Corpora, name: str) -> FloatArray:
    """Return each label's F1 on dev (labels,), of one logistic regression a label."""
    texts, wanted = _split(corpora.goemotions, name)
    dev_texts, dev_wanted = _split(corpora.goemotions_dev, name)
    features = _features()
    rows, dev = features.fit_transform(texts), features.transform(dev_texts)
    columns = []
    for label in wanted.T:
        fit = LogisticRegression(C=4.0, solver="liblinear").fit(rows, label)
        columns.append(fit.predict_proba(dev)[:, 1])
    p = np.stack(columns, axis=1)
    return f1(chosen(p, tuned(p, dev_wanted)), dev_wanted)


def vad_scores(corpora: Corpora) -> FloatArray:
    """Return Pearson's r on dev (3,) of ridge regression."""
    texts, wanted = _split(corpora.emobank, "vad")
    dev_texts, dev_wanted = _split(corpora.emobank_dev, "vad")
    features = _features()
    rows, dev = features.fit_transform(texts), features.transform(dev_texts)
    return pearson(Ridge(alpha=2.0).fit(rows, wanted).predict(dev), dev_wanted)


def report(corpora: Corpora) -> list[str]:
    """Return lines with the baseline's figures on dev."""
    lines = [
        f"TF-IDF + logistic regression, goemotions dev, {count} labels: macro-F1 "
        f"{label_scores(corpora, name).mean():.4f}"
        for name, count in (("original", 28), ("ekman", 7))
    ]
    v, a, d = vad_scores(corpora)
    return [*lines, f"TF-IDF + ridge, emobank dev: r V {v:.4f}, A {a:.4f}, D {d:.4f}"]
