"""The training loop: all heads at once, a head silent where an example has no target for it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from facewire.types import FloatArray
from torch import Tensor

from facewire_textmood.train.encoder import TASKS, Network
from facewire_textmood.train.examples import Batch

SHARES = {"original": 1.0, "ekman": 0.5, "vad": 0.6, "faces": 0.6}
"""What each head's loss counts."""
SPREAD = (0.35, 0.26, 0.21)
"""EmoBank's standard deviations of valence, arousal, dominance: each counts alike in the loss."""
WARM_UP = 0.06  # of all steps
WEIGHT_DECAY = 0.01
HEADS_FASTER = 5.0  # the heads begin at random: a higher rate than the encoder's


def loss_of(columns: Tensor, targets: dict[str, FloatArray]) -> Tensor:
    """Return the loss of a batch: columns (n, 54) against targets with NaN where unknown."""
    total = columns.sum() * 0.0
    for name, guess in zip(TASKS, torch.split(columns, list(TASKS.values()), dim=1), strict=True):
        wanted = torch.from_numpy(targets[name])
        known = ~wanted[:, 0].isnan()
        if not bool(known.any()):
            continue
        guess, wanted = guess[known], wanted[known]
        if name == "vad":
            each = (guess - wanted / torch.tensor(SPREAD)).square().sum()
        elif name == "faces":
            each = -(wanted * guess.log_softmax(dim=1)).sum()
        else:
            each = F.binary_cross_entropy_with_logits(guess, wanted, reduction="sum")
        total = total + SHARES[name] * each / len(columns)
    return torch.as_tensor(total)


def _optimiser(network: Network, rate: float) -> torch.optim.AdamW:
    heads = list(network.heads.parameters())
    mine = {id(p) for p in heads}
    rest = [p for p in network.parameters() if id(p) not in mine]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "lr": rate, "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in rest if p.ndim == 1], "lr": rate, "weight_decay": 0.0},
        {"params": heads, "lr": rate * HEADS_FASTER, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=True)


def fit(
    network: Network,
    epochs: list[Callable[[], list[Batch]]],
    rate: float,
    tell: Callable[[str], None],
) -> None:
    """Train over epochs, each made when it begins; the rate falls linearly to zero."""
    optimiser = _optimiser(network, rate)
    first = epochs[0]()
    steps = len(first) * len(epochs)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda k: min((k + 1) / (WARM_UP * steps), max(0.0, (steps - k) / (steps * (1 - WARM_UP)))),
    )
    network.train()
    began, at, running = time.perf_counter(), 0, 0.0
    for number, make in enumerate(epochs):
        for batch in first if number == 0 else make():
            with torch.autocast("cpu", torch.bfloat16):
                columns = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.sentence))
            loss = loss_of(columns.float(), batch.targets)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            at, running = at + 1, running + loss.item()
            if at % 200 == 0:
                spent = time.perf_counter() - began
                tell(f"epoch {number + 1}, step {at} of {steps}, loss {running / 200:.3f}, "
                     f"{spent / 60:.1f} min")  # fmt: skip
                running = 0.0


@torch.inference_mode()
def columns_of(network: Network, parts: list[Batch]) -> list[FloatArray]:
    """Return the heads' columns of each batch, in full precision."""
    network.eval()
    return [
        network(torch.from_numpy(part.tokens), torch.from_numpy(part.sentence)).numpy()
        for part in parts
    ]


def gathered(
    network: Network, parts: list[Batch]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return the heads' columns and the targets of all batches, by head."""
    rows = np.concatenate(columns_of(network, parts))
    edges = np.cumsum(list(TASKS.values()))[:-1]
    guesses = dict(zip(TASKS, np.split(rows, edges, axis=1), strict=True))
    return guesses, {name: np.concatenate([p.targets[name] for p in parts]) for name in TASKS}
