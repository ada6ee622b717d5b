"""Whether phones that a recogniser heard fit the sound: the network heard it too.

In nine English recordings the gap of the heard phones goes up and down with the network's (r .60 to
.85 over the syllables); English phones heard in four takes of Mandarin do so less (.41 to .42).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
LEVEL = 21
"""Rows around a row whose mean is taken away, a third of a second: syllables are left."""
STEP = 30
"""Rows between two looks, on the grid of absolute rows."""
LASTING = 3600.0
"""Rows after which what was heard counts a third: a minute."""
PRIOR, PRIOR_ROWS = 0.65, 180.0
"""The correlation taken for granted at first, and how many rows that is worth."""
APART, ALIKE = 0.46, 0.56
"""Correlations up to which phones are not believed, and from which they are."""


class Agreement:
    """Follows two curves of the gap, and says how far the phones' is to be believed.

    The trust rises with the correlation of what both curves do from syllable to syllable, over the
    last minute or so; the bounds lie between what the recordings above have.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._before = np.zeros((LEVEL - 1, 3))
        self._left = np.zeros((0, 3))  # rows since the last look
        self._sums = np.zeros((2, 2))
        self._rows = 0.0
        self._total, self._count = np.zeros((2, 2)), 0
        self._trust = 1.0

    @property
    def strange(self) -> bool:
        """Whether all phones so far, of ten seconds at least, do not fit the sound."""
        return self._count >= 10 * 60 and _r(self._total) < (APART + ALIKE) / 2.0

    def push(self, network: Doubles, phones: Doubles, told: Doubles) -> Doubles:
        """Return the trust (n,), 0 to 1, in n further rows at 60 a second.

        ``network`` and ``phones`` are gaps of the lips (n,), jawOpen = 1; rows count where ``told``
        (n,), 0 to 1, says that phones are near. It never raises.
        """
        if not len(network):
            return np.zeros(0)
        given = np.concatenate([self._before, np.stack([network, phones, told > 0.5], axis=1)])
        self._before = given[len(given) - LEVEL + 1 :]
        around = np.lib.stride_tricks.sliding_window_view(given[:, :2], LEVEL, axis=0)
        now = given[LEVEL // 2 : LEVEL // 2 + len(around)]
        swing = now[:, :2] - around.mean(axis=2)
        rows = np.concatenate([self._left, np.column_stack([swing, now[:, 2]])])
        trust, at = [np.full(STEP, self._trust)], 0
        while len(rows) - at >= STEP:
            self._look(rows[at : at + STEP])
            trust.append(np.full(STEP, self._trust))
            at += STEP
        begun, self._left = len(self._left), rows[at:]
        return np.concatenate(trust)[begun : begun + len(network)]

    def _look(self, rows: Doubles) -> None:
        part = rows[rows[:, 2] > 0.0, :2]
        if not len(part):
            return
        fades = float(np.exp(-len(part) / LASTING))
        products = part.T @ part
        self._sums = self._sums * fades + products
        self._rows = self._rows * fades + len(part)
        self._total, self._count = self._total + products, self._count + len(part)
        found = (self._rows * _r(self._sums) + PRIOR_ROWS * PRIOR) / (self._rows + PRIOR_ROWS)
        self._trust = float(np.clip((found - APART) / (ALIKE - APART), 0.0, 1.0))


def _r(products: Doubles) -> float:
    return float(products[0, 1] / np.sqrt(products[0, 0] * products[1, 1] + 1e-12))
