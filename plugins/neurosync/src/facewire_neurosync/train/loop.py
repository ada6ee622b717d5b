"""The training loop: epochs over windows, validation by take, and a state to go on from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facewire.errors import InputError
from torch import Tensor

from facewire_neurosync import safetensors
from facewire_neurosync.architecture import WINDOW
from facewire_neurosync.tensors import Tensor as Stored
from facewire_neurosync.train.module import Trainable, groups, loss
from facewire_neurosync.train.takes import Take

STATE, BEST, LAST = "state.pt", "best.safetensors", "last.safetensors"
CLIP = 2.0  # the most a gradient's norm may be
APART = 32  # rows between validation windows


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. ``stride``: rows from one window to the next."""

    epochs: int = 50
    batch: int = 128
    rate: float = 5e-5
    decay: float = 1e-5
    stride: int = 1
    seed: int = 0


def windows(takes: Sequence[Take], stride: int) -> list[tuple[int, int]]:
    """Return (take, first row) of every window."""
    return [(i, at) for i, take in enumerate(takes) for at in range(0, take.windows, stride)]


def batch_of(
    takes: Sequence[Take], chosen: Sequence[tuple[int, int]], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return features (n, 128, 256) and targets (n, 128, outputs)."""
    both = []
    for part in ("features", "targets"):
        rows = [getattr(takes[i], part)[at : at + WINDOW] for i, at in chosen]
        both.append(torch.from_numpy(np.stack(rows)).to(device))
    return both[0], both[1]


class Trainer:
    """Trains a network in a folder; what is there already is gone on with."""

    def __init__(self, module: Trainable, plan: Plan, out: Path, device: torch.device) -> None:
        self._module, self._plan, self._out, self._device = module.to(device), plan, out, device
        self._optimiser = torch.optim.AdamW(groups(module, plan.decay), lr=plan.rate)
        self._epoch, self._best = 0, float("inf")

    def resume(self) -> int:
        """Take over the state in the folder; return how many epochs it has behind it."""
        path = self._out / STATE
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
            self._module.load_state_dict(state["module"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._epoch, self._best = state["epoch"], state["best"]
        except Exception as error:
            why = " ".join(str(error).split())[:160]
            raise InputError(
                f"{path}: cannot be gone on with ({why}); remove it to begin anew, or give the "
                "options it was begun with"
            ) from None
        return self._epoch

    def run(
        self, learned: Sequence[Take], kept: Sequence[Take], tell: Callable[[str], None]
    ) -> float:
        """Train to the last epoch; return the best loss (validation, or training without it)."""
        while self._epoch < self._plan.epochs:
            trained = self._learn(learned)
            value = self._validate(kept) if kept else trained
            self._epoch += 1
            tell(f"epoch {self._epoch}/{self._plan.epochs}: loss {trained:.4f}, kept {value:.4f}")
            if value < self._best:
                self._best = value
                self._write(BEST)
            self._write(LAST)
            self._save()
        return self._best

    def _shuffled(self, takes: Sequence[Take]) -> Iterator[list[tuple[int, int]]]:
        """Yield the epoch's batches; they depend on seed and epoch alone."""
        every = windows(takes, self._plan.stride)
        random = np.random.default_rng((self._plan.seed, self._epoch))
        order = random.permutation(len(every))
        for at in range(0, len(order), self._plan.batch):
            yield [every[i] for i in order[at : at + self._plan.batch]]

    def _learn(self, takes: Sequence[Take]) -> float:
        self._module.train()
        torch.manual_seed(self._plan.seed * 1000 + self._epoch)  # of the dropout
        batches = list(self._shuffled(takes))
        total, every = 0.0, self._plan.epochs * len(batches)
        for i, chosen in enumerate(batches):
            left = 1 - (self._epoch * len(batches) + i) / every
            for group in self._optimiser.param_groups:
                group["lr"] = self._plan.rate * left
            value = self._loss(takes, chosen)
            self._optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            torch.nn.utils.clip_grad_norm_(self._module.parameters(), CLIP)
            self._optimiser.step()
            total += float(value.detach()) * len(chosen)
        return total / max(1, sum(len(chosen) for chosen in batches))

    def _loss(self, takes: Sequence[Take], chosen: Sequence[tuple[int, int]]) -> Tensor:
        rows, wanted = batch_of(takes, chosen, self._device)
        # bf16 needs no scaling of gradients, which fp16 would
        with torch.autocast(self._device.type, torch.bfloat16, self._device.type == "cuda"):
            found = self._module(rows)
        return loss(found.float(), wanted)

    @torch.no_grad()
    def _validate(self, takes: Sequence[Take]) -> float:
        self._module.eval()
        every, total = windows(takes, APART), 0.0
        for at in range(0, len(every), self._plan.batch):
            chosen = every[at : at + self._plan.batch]
            total += float(self._loss(takes, chosen)) * len(chosen)
        return total / len(every)

    def _write(self, name: str) -> None:
        tensors = {
            key: Stored("F32", tensor.detach().float().cpu().numpy())
            for key, tensor in self._module.state_dict().items()
        }
        notes = {"heads": str(self._module.sizes.heads), "global_rope": "false", "format": "pt"}
        safetensors.save(self._out / name, tensors, notes)

    def _save(self) -> None:
        state = {
            "module": self._module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "epoch": self._epoch,
            "best": self._best,
        }
        temporary = self._out / f".{STATE}.{os.getpid()}.part"
        try:
            torch.save(state, temporary)
            os.replace(temporary, self._out / STATE)
        finally:
            temporary.unlink(missing_ok=True)
