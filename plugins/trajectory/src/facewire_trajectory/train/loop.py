"""The training loop: steps over drawn pieces, a running mean of the weights, a state to go on."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facewire.errors import InputError

from facewire_trajectory.network.graph import save
from facewire_trajectory.network.module import Found, Network
from facewire_trajectory.sizes import FILE_AHEAD, Sizes
from facewire_trajectory.train.calibrate import calibrate
from facewire_trajectory.train.faces import teach
from facewire_trajectory.train.losses import loss, wanted
from facewire_trajectory.train.pool import Held, Pool
from facewire_trajectory.train.validate import judge, score

STATE, BEST = "state.pt", "best.pt"
STEPS = {"live": 1, "file": 32}
"""Rows that each variant takes at a time."""
MEAN = 0.998
CLIP = 1.0
TAUGHT = 0.01
"""What the square of a logit's distance from a teacher's counts."""
Both = tuple[Found, Found]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. ``real``: shares of real takes at the start and at the end."""

    steps: int = 6000
    batch: int = 16
    rows: int = 256
    rate: float = 2e-3
    real: tuple[float, float] = (0.5, 0.2)
    falling: float = 0.5
    """Share of the steps, the last, over which the learning rate falls."""
    every: int = 250
    """Steps between validations."""
    seed: int = 0


class Trainer:
    """Trains a network in a folder; what is there already is gone on with."""

    def __init__(
        self,
        plan: Plan,
        out: Path,
        device: torch.device,
        sizes: Sizes | None = None,
        teacher: Network | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self._out, self._device = plan, out, device
        self.network = Network(sizes).to(device)
        self.mean = copy.deepcopy(self.network)
        self._teacher = teacher
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=0.01, betas=(0.9, 0.98)
        )
        self.step, self.best, self._judged_on = 0, -1.0, 0
        self.history: list[dict[str, Any]] = []

    def resume(self) -> int:
        """Take over the state in the folder; return how many steps it has behind it."""
        path = self._out / STATE
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.mean.load_state_dict(state["mean"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step, self.best, self.history = state["step"], state["best"], state["history"]
            self._judged_on = state.get("judged_on", 0)
        except Exception as error:
            why = " ".join(str(error).split())[:160]
            raise InputError(
                f"{path}: cannot be gone on with ({why}); remove it to begin anew"
            ) from None
        return self.step

    def begin_from(self, other: Network) -> None:
        """Begin with another network's weights."""
        self.network.load_state_dict(other.state_dict())
        self.mean.load_state_dict(other.state_dict())

    def finish(self, dev: Sequence[Held]) -> Network:
        """Take the best network, calibrate it on ``dev``, write it, and return it."""
        self.mean.load_state_dict(torch.load(self._out / BEST, weights_only=True))
        calibrate(self.mean, dev)
        save(self.mean, self._out, STEPS)
        return self.mean

    def run(self, pool: Pool, dev: Sequence[Held], tell: Callable[[str], None]) -> float:
        """Train to the last step; return the best score on ``dev``."""
        teach(self.network.emotion, self.plan.seed)
        self.mean.emotion.load_state_dict(self.network.emotion.state_dict())
        rows = sum(held.entry.rows for held in dev)
        if rows != self._judged_on:  # the corpus has grown: what was best then says nothing now
            self.best, self._judged_on = -1.0, rows
        began, total, count = time.monotonic(), 0.0, 0
        while self.step < self.plan.steps:
            total, count = total + self._learn(pool), count + 1
            if self.step % self.plan.every == 0 or self.step == self.plan.steps:
                self._validate(dev, total / count, time.monotonic() - began, tell)
                total, count = 0.0, 0
        if self.best < 0.0:
            self._validate(dev, 0.0, 0.0, tell)
        return self.best

    def _learn(self, pool: Pool) -> float:
        plan, done = self.plan, self.step / self.plan.steps
        random = np.random.default_rng((plan.seed, 1, self.step))
        share = plan.real[0] + (plan.real[1] - plan.real[0]) * done
        batch = pool.draw(random, plan.batch, plan.rows, share)
        rate = plan.rate * min(1.0, (self.step + 1) / 200, max(1 - done, 0.01) / plan.falling)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        want = wanted(batch, self._device)
        mel = torch.from_numpy(batch.mel).to(self._device)
        found = self.network(mel, want.condition, mel.shape[1] - batch.sound.shape[1] - FILE_AHEAD)
        value = loss(found[0], want) + loss(found[1], want)
        if self._teacher is not None:
            value = value + self._drift(found, mel, want.condition)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self._optimiser.step()
        self._follow()
        self.step += 1
        return float(value.detach())

    def _drift(self, found: Both, mel: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return how far classes and closures are from the teacher's: takes say nothing of them."""
        assert self._teacher is not None
        with torch.no_grad():
            warm = mel.shape[1] - condition.shape[1] - FILE_AHEAD
            taught = self._teacher(mel, condition, warm)
        total = torch.zeros(())
        for one, other in zip(found, taught, strict=True):
            for part in ("closure", "sound", "phones"):
                away = getattr(one, part) - getattr(other, part)
                total = total + TAUGHT * (away * away).mean()
        return total

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(MEAN, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - keep)

    def _validate(
        self, dev: Sequence[Held], value: float, seconds: float, tell: Callable[[str], None]
    ) -> None:
        judged = judge(self.mean, dev)
        self.history.append({"step": self.step, "loss": value, **judged})
        now = score(judged)
        tell(f"step {self.step}/{self.plan.steps}, {seconds:.0f} s: loss {value:.4f}, {now:.4f}")
        for name, figures in judged.items():
            shown = ", ".join(f"{key} {figure:.3f}" for key, figure in figures.items())
            tell(f"  {name}: {shown}")
        if now > self.best or not dev:
            self.best = now
            save(self.mean, self._out, STEPS)
            self._write(BEST, self.mean.state_dict())
        self._save()

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "best": self.best,
            "judged_on": self._judged_on,
            "history": self.history,
        }
        self._write(STATE, state)

    def _write(self, name: str, what: Any) -> None:
        temporary = self._out / f".{name}.{os.getpid()}.part"
        try:
            torch.save(what, temporary)
            os.replace(temporary, self._out / name)
        finally:
            temporary.unlink(missing_ok=True)
