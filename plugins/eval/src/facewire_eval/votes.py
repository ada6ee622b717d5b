"""What people voted: strengths of engines from blind pairs, and which emotions they named.

Bradley & Terry, Rank analysis of incomplete block designs, 1952; fitted by Hunter's algorithm
(MM algorithms for generalized Bradley-Terry models, 2004). A "same" counts half for each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from facewire.emotion import LABELS
from facewire.errors import InputError
from facewire.types import Context

from facewire_eval.metrics.bootstrap import Array, Figure, ratio
from facewire_eval.table import Column, Report, Table

FORMAT = "facewire-votes-1"
PRIOR = 0.5
"""Wins of each engine over each other that are added: one that nobody chose stays finite."""
DRAWS = 500
ROUNDS = 200
UNSURE = "cannot tell"


@dataclass(frozen=True, slots=True)
class PairVote:
    """One blind pair: who was left and right, and which was chosen: left, right or same."""

    left: str
    right: str
    choice: str


@dataclass(frozen=True, slots=True)
class NameVote:
    """One clip of an emotion: the engine, what was shown, and what it was called."""

    engine: str
    shown: str
    named: str


def read_votes(paths: Sequence[Path]) -> tuple[list[PairVote], list[NameVote]]:
    """Return the votes of files; InputError in one line if one is not what the page exports.

    A session that was exported twice counts once, as it was last (by the order of the files).
    """
    sessions: dict[str, tuple[list[PairVote], list[NameVote]]] = {}
    for path in paths:
        data = _read(path)
        try:
            pairs = [PairVote(v["left"], v["right"], v["choice"]) for v in data["pairs"]]
            names = [NameVote(v["engine"], v["shown"], v["named"]) for v in data["names"]]
            sessions[str(data["session"])] = (pairs, names)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{path}: a vote lacks {error}; export it again from the page"
            ) from None
        _check(path, pairs, names)
    return (
        [vote for pairs, _ in sessions.values() for vote in pairs],
        [vote for _, names in sessions.values() for vote in names],
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"{path}: expected votes of the judging page ('format': '{FORMAT}')")
    return data


def _check(path: Path, pairs: Sequence[PairVote], names: Sequence[NameVote]) -> None:
    for vote in pairs:
        if vote.choice not in ("left", "right", "same") or vote.left == vote.right:
            raise InputError(
                f"{path}: found the choice '{vote.choice}' between '{vote.left}' and "
                f"'{vote.right}', expected left, right or same between two engines"
            )
    for name in names:
        if name.shown not in LABELS or name.named not in (*LABELS, UNSURE):
            raise InputError(
                f"{path}: '{name.shown}' was called '{name.named}', expected emotions of "
                "facewire v3 list"
            )


def wins(votes: Sequence[PairVote], engines: Sequence[str]) -> Array:
    """Return how often the engine in a row was chosen over the one in a column; same is half."""
    at = {name: i for i, name in enumerate(engines)}
    table = np.zeros((len(engines), len(engines)))
    for vote in votes:
        left, right = at[vote.left], at[vote.right]
        share = {"left": 1.0, "right": 0.0, "same": 0.5}[vote.choice]
        table[left, right] += share
        table[right, left] += 1 - share
    return table


def bradley_terry(table: Array, prior: float = PRIOR) -> Array:
    """Return strengths (engines,) in natural log units, mean 0, of wins (…, engines, engines).

    An engine that is stronger by s is chosen with probability 1 / (1 + exp(-s)).
    """
    count = table.shape[-1]
    own = table + prior * (1 - np.eye(count))
    played = own + np.swapaxes(own, -1, -2)
    won = own.sum(axis=-1)
    worth = np.ones(won.shape)
    for _ in range(ROUNDS):
        worth = won / (played / (worth[..., :, None] + worth[..., None, :])).sum(axis=-1)
        worth = worth / np.exp(np.log(worth).mean(axis=-1, keepdims=True))
    return np.asarray(np.log(worth))


def strengths(votes: Sequence[PairVote]) -> dict[str, Figure]:
    """Return each engine's strength with its interval (votes drawn anew), strongest first."""
    engines = sorted({name for vote in votes for name in (vote.left, vote.right)})
    if not votes:
        return {}
    each = np.stack([wins([vote], engines) for vote in votes])  # (votes, engines, engines)
    random = Context(name="eval").random(f"votes {len(votes)}")
    rows = random.integers(0, len(votes), (DRAWS, len(votes)))
    drawn = bradley_terry(np.stack([each[row].sum(axis=0) for row in rows]))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    values = bradley_terry(each.sum(axis=0))
    order = np.argsort(-values)
    return {
        engines[i]: Figure(
            float(values[i]), float(low[i]), float(high[i]),
            sum(engines[i] in (v.left, v.right) for v in votes),
        )
        for i in order
    }  # fmt: skip


def confusion(votes: Sequence[NameVote]) -> Array:
    """Return how often each emotion (row) was called each, or not told (last): (16, 17)."""
    names = [*LABELS, UNSURE]
    table = np.zeros((len(LABELS), len(names)))
    for vote in votes:
        table[LABELS.index(vote.shown), names.index(vote.named)] += 1
    return table


def analysis(pairs: Sequence[PairVote], names: Sequence[NameVote]) -> Report:
    """Return strengths, the page's own bias, and who recognised which emotion."""
    report = Report(about={"pairs": len(pairs), "names": len(names)})
    if pairs:
        report.tables += [_strengths(pairs), _sides(pairs)]
    if names:
        report.tables += [_recognised(names)]
        for engine in sorted({vote.engine for vote in names}):
            report.tables.append(_confused(engine, [v for v in names if v.engine == engine]))
    return report


def _strengths(pairs: Sequence[PairVote]) -> Table:
    table = Table(
        "strengths",
        f"Blind pairs, {len(pairs)} votes",
        "Bradley-Terry strengths; the second column is the share of wins over an average engine.",
        [Column("strength", "log odds, mean 0", "high"),
         Column("chosen", "against an average engine", "high", "%"), Column("pairs")],
    )  # fmt: skip
    for name, found in strengths(pairs).items():
        share = Figure(*(1 / (1 + np.exp(-x)) for x in (found.value, found.low, found.high)))
        table.add(name, [found, share, Figure(found.count)])
    return table


def _sides(pairs: Sequence[PairVote]) -> Table:
    left = np.array([{"left": 1.0, "right": 0.0, "same": 0.5}[v.choice] for v in pairs])
    same = np.array([float(v.choice == "same") for v in pairs])
    ones = np.ones(len(pairs))
    table = Table("sides", "The page itself", "Left should be near a half.",
                  [Column("left chosen", "", "", "%"), Column("same", "", "", "%")])  # fmt: skip
    table.add("all", [ratio(left, ones), ratio(same, ones)])
    return table


def _recognised(names: Sequence[NameVote]) -> Table:
    table = Table(
        "emotions_named",
        f"Emotions named, {len(names)} votes",
        f"Share of clips called by their own name; chance is {1 / len(LABELS):.3f}.",
        [Column("all", "all emotions", "high", "%"), *(Column(n, n, "high", "%") for n in LABELS)],
    )
    for engine in sorted({vote.engine for vote in names}):
        counts = confusion([v for v in names if v.engine == engine])
        right = np.diag(counts)
        row = [ratio(np.repeat([1.0, 0.0], [int(right.sum()), int(counts.sum() - right.sum())]),
                     np.ones(int(counts.sum())))]  # fmt: skip
        row += [Figure(float(r / n) if n else float("nan"), count=int(n))
                for r, n in zip(right, counts.sum(axis=1), strict=True)]  # fmt: skip
        table.add(engine, row)
    return table


def _confused(engine: str, votes: Sequence[NameVote]) -> Table:
    counts = confusion(votes)
    table = Table(f"confusion_{engine}", f"What emotions of {engine} were called",
                  "Rows are what was shown, columns what it was called: counts.",
                  [Column(name) for name in (*LABELS, UNSURE)])  # fmt: skip
    for label, row in zip(LABELS, counts, strict=True):
        if row.any():
            table.add(label, [Figure(float(n)) for n in row])
    return table
