"""The network: a front end, a recurrent layer, and heads for live and file that share them.

Convolutions have no padding: every row sees true neighbours, or rows of silence before and after
the sound, so that a stream computes what the whole computes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from facewire.articulation import CURVES
from torch import Tensor, nn

from facewire_trajectory.sizes import (
    BANDS,
    CONDITION,
    DILATIONS,
    FACE,
    FILE_AHEAD,
    FRONT,
    KERNEL,
    LIVE_AHEAD,
    OUTPUTS,
    PHONES,
    SHUT,
    SOUND,
    Sizes,
)


class Found(NamedTuple):
    """What a head says of each row: curves (b, n, 15), and logits of closure, sound and phone."""

    curves: Tensor
    closure: Tensor
    sound: Tensor
    phones: Tensor


class Film(nn.Module):
    """Scales and shifts units by an embedding (Perez et al., FiLM, 2018)."""

    def __init__(self, embedding: int, units: int) -> None:
        super().__init__()
        self.turn = nn.Linear(embedding, 2 * units)
        nn.init.normal_(self.turn.weight, std=1e-3)
        nn.init.zeros_(self.turn.bias)

    def forward(self, units: Tensor, embedding: Tensor) -> Tensor:
        """Return units (b, n, units) under embeddings (b, n, embedding)."""
        scale, shift = self.turn(embedding).chunk(2, dim=-1)
        turned: Tensor = units * (1.0 + scale) + shift
        return turned


class Head(nn.Module):
    """From units and the emotion's embedding to what is said of a row."""

    def __init__(self, units: int, sizes: Sizes) -> None:
        super().__init__()
        self.film = Film(sizes.embedding, units)
        self.inner, self.out = nn.Linear(units, sizes.head), nn.Linear(sizes.head, OUTPUTS)

    def forward(self, units: Tensor, embedding: Tensor) -> Found:
        """Return what is found in units (b, n, units)."""
        out: Tensor = self.out(F.relu(self.inner(self.film(units, embedding))))
        return split(out)


def split(out: Tensor) -> Found:
    """Return the columns of a head's output (b, n, 25) as what they mean.

    The gap is a mixture of open and closed lips: a mean of the two would be neither.
    """
    parts = torch.split(out, [len(CURVES), 1, len(SOUND), len(PHONES)], dim=-1)
    closed = torch.sigmoid(parts[1])
    gap = (1.0 - closed) * parts[0][..., :1] + closed * SHUT
    curves = steadied(torch.cat([gap, parts[0][..., 1:]], dim=-1))
    return Found(curves, parts[1][..., 0], parts[2], parts[3])


def steadied(rows: Tensor) -> Tensor:
    """Return each of rows (b, n, …) as its mean with the row before: nothing flutters at 30 Hz.

    Learnt with, so that nothing is late by it.
    """
    return 0.5 * (rows + torch.cat([rows[:, :1], rows[:, :-1]], dim=1))


class Emotion(nn.Module):
    """The conditioning: an embedding by an MLP, and the face that belongs to it."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.first = nn.Linear(CONDITION, sizes.embedding)
        self.second = nn.Linear(sizes.embedding, sizes.embedding)
        self.inner, self.face = nn.Linear(sizes.embedding, 128), nn.Linear(128, FACE)

    def forward(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return embedding (b, n, 64) and face (b, n, 52) of a conditioning (b, n, 19)."""
        embedding = F.silu(self.second(F.silu(self.first(condition))))
        return embedding, self.face(F.silu(self.inner(embedding)))


class Network(nn.Module):
    """Both variants in one: ``live`` reads the recurrent layer, ``file`` what is refined of it."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        super().__init__()
        self.sizes = sizes = sizes or Sizes()
        self.emotion = Emotion(sizes)
        self.front = nn.ModuleList(nn.Conv1d(a, sizes.front, KERNEL) for a in (BANDS, sizes.front))
        self.memory = nn.GRU(sizes.front, sizes.hidden, batch_first=True)
        self.enter = nn.Linear(sizes.hidden, sizes.refine)
        self.refine = nn.ModuleList(
            nn.Conv1d(sizes.refine, sizes.refine, KERNEL, dilation=d) for d in DILATIONS
        )
        self.live, self.file = Head(sizes.hidden, sizes), Head(sizes.refine, sizes)

    def recall(self, mel: Tensor) -> Tensor:
        """Return the recurrent layer (b, n - 8, hidden) on normalised mel (b, n, 64)."""
        rows = mel.transpose(1, 2)
        for layer in self.front:
            rows = F.relu(layer(rows))
        units, _ = self.memory(rows.transpose(1, 2))
        return torch.as_tensor(units)

    def refined(self, memory: Tensor) -> Tensor:
        """Return the refinement (b, n - 56, refine) of the recurrent layer (b, n, hidden)."""
        rows = F.relu(self.enter(memory)).transpose(1, 2)
        for layer in self.refine:
            found = F.relu(layer(rows))
            reach = (rows.shape[2] - found.shape[2]) // 2
            rows = rows[:, :, reach:-reach] + found
        return rows.transpose(1, 2)

    def forward(self, mel: Tensor, condition: Tensor, warm: int) -> tuple[Found, Found]:
        """Return live and file of the rows ``warm`` … n - FILE_AHEAD of mel (b, n, 64).

        ``condition`` (b, m, 19) is of these m rows. The rows before them only warm the memory up.
        """
        count = mel.shape[1] - warm - FILE_AHEAD
        memory = self.recall(mel)  # its row i is that of the input's row i + FRONT - LIVE_AHEAD
        first = warm - (FRONT - LIVE_AHEAD)
        embedding, _ = self.emotion(condition)
        live = self.live(memory[:, first : first + count], embedding)
        reach = FILE_AHEAD - LIVE_AHEAD
        around = memory[:, first - reach : first + count + reach]
        return live, self.file(self.refined(around), embedding)
