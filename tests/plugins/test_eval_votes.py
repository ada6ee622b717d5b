"""Votes with known strengths: what the analysis finds, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.emotion import LABELS
from facewire.errors import InputError
from facewire_eval.command import command
from facewire_eval.votes import (
    UNSURE,
    NameVote,
    PairVote,
    analysis,
    bradley_terry,
    confusion,
    read_votes,
    strengths,
)

TRUE = {"good": 1.0, "fair": 0.0, "bad": -1.0}


def votes(count: int, seed: int = 0, ties: float = 0.0) -> list[PairVote]:
    """Return votes of people who follow the model."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        left, right = random.permutation(list(TRUE))[:2]
        wins = random.random() < 1 / (1 + np.exp(TRUE[right] - TRUE[left]))
        choice = "same" if random.random() < ties else "left" if wins else "right"
        found.append(PairVote(str(left), str(right), choice))
    return found


def test_known_strengths_are_found() -> None:
    found = strengths(votes(1500))
    assert list(found) == ["good", "fair", "bad"]
    for name, figure in found.items():
        assert figure.value == pytest.approx(TRUE[name], abs=0.15)
        assert figure.low < TRUE[name] < figure.high
        assert figure.high - figure.low < 0.6


def test_intervals_hold_the_truth() -> None:
    held = [
        f.low <= TRUE[name] <= f.high
        for seed in range(30)
        for name, f in strengths(votes(150, seed)).items()
    ]
    assert np.mean(held) > 0.85


def test_two_engines_have_the_closed_form() -> None:
    """Strength is the logarithm of the odds."""
    table = np.array([[0.0, 30.0], [10.0, 0.0]])
    one, other = bradley_terry(table, prior=0.0)
    assert one - other == pytest.approx(np.log(3))


def test_nobody_wins_with_ties_alone() -> None:
    found = strengths(votes(60, ties=1.0))
    assert all(abs(f.value) < 0.1 for f in found.values())


def test_an_engine_that_always_wins_stays_finite() -> None:
    found = strengths([PairVote("a", "b", "left")] * 20)
    assert 2 < found["a"].value - found["b"].value < 10


def test_sides_count_for_nothing() -> None:
    every = votes(300)
    turned = [
        PairVote(v.right, v.left, {"left": "right", "right": "left"}.get(v.choice, v.choice))
        for v in every
    ]
    for name, figure in strengths(every).items():
        assert strengths(turned)[name].value == pytest.approx(figure.value)


def test_confusion_of_emotions() -> None:
    every = [NameVote("e", "joy", "joy")] * 3 + [NameVote("e", "joy", "love")]
    every += [NameVote("e", "fear", UNSURE)]
    table = confusion(every)
    joy = LABELS.index("joy")
    assert table.shape == (16, 17) and table.sum() == 5
    assert table[joy, joy] == 3 and table[joy, LABELS.index("love")] == 1
    assert table[LABELS.index("fear"), -1] == 1
    named = next(t for t in analysis([], every).tables if t.key == "emotions_named")
    assert named.rows["e"][0].value == pytest.approx(0.6)


def exported(path: Path, session: str, pairs: list[PairVote], names: list[NameVote]) -> Path:
    told = {
        "format": "facewire-votes-1",
        "session": session,
        "pairs": [
            {"line": "l", "left": v.left, "right": v.right, "choice": v.choice, "seconds": 1}
            for v in pairs
        ],
        "names": [{"engine": n.engine, "shown": n.shown, "named": n.named} for n in names],
    }
    path.write_text(json.dumps(told))
    return path


def test_command_reads_files_and_counts_a_session_once(tmp_path: Path) -> None:
    first = exported(tmp_path / "a.json", "s1", votes(40), [])
    again = exported(tmp_path / "b.json", "s1", votes(41), [NameVote("good", "joy", "joy")])
    other = exported(tmp_path / "c.json", "s2", votes(30, seed=9), [])
    pairs, names = read_votes([first, again, other])
    assert len(pairs) == 71 and len(names) == 1
    paths = [str(path) for path in (first, again, other)]
    done = CliRunner().invoke(command, ["votes", *paths, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "Blind pairs, 71 votes" in done.output and "good" in done.output
    data = json.loads((tmp_path / "out/votes.json").read_text())
    assert next(iter(data["tables"]["strengths"]["rows"])) == "good"
    assert "<svg" in (tmp_path / "out/votes.html").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("{}", "expected votes of the judging page"),
        ('{"format": "facewire-votes-1", "session": 1, "names": []}', "lacks 'pairs'"),
        (
            '{"format": "facewire-votes-1", "session": 1, "names": [], "pairs": '
            '[{"left": "a", "right": "a", "choice": "left"}]}',
            "between two engines",
        ),
        (
            '{"format": "facewire-votes-1", "session": 1, "pairs": [], "names": '
            '[{"engine": "a", "shown": "joy", "named": "bliss"}]}',
            "was called 'bliss'",
        ),
    ],
)
def test_what_is_no_vote_is_told_in_a_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "votes.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        read_votes([path])
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
