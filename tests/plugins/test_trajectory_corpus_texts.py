"""The texts: templates fill, emotions and sounds are balanced, the same seed says the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from facewire.articulation import read_phone
from facewire.emotion import LABELS
from facewire_trajectory.corpus.plan import plan, table
from facewire_trajectory.corpus.texts import Expander, book, fill, languages, sounds
from facewire_trajectory.corpus.voices import Manner, espeak


def expander(lang: str = "en", seed: int = 0) -> Expander:
    return Expander(lang, np.random.default_rng(seed))


@pytest.mark.parametrize("lang", languages())
def test_every_line_fills_and_all_its_phones_are_known(lang: str) -> None:
    random = np.random.default_rng(1)
    for lines in book(lang)["lines"].values():
        for line in lines:
            assert "{" not in fill(line, book(lang)["slots"], random)
    voice = table()["espeak"]["voices"][lang]["names"][0]
    text = " ".join(expander(lang).single().lines[0].text for _ in range(3))
    phones = espeak(text, voice, Manner()).phones
    assert len(phones) > 30
    assert [p.text for p in phones if not read_phone(p.text).known] == []


def test_english_has_lines_for_every_emotion() -> None:
    assert set(book("en")["lines"]) == {"any", *LABELS}


def test_emotions_come_in_turn_and_levels_all_occur() -> None:
    made = expander()
    lines = [made.single().lines[0] for _ in range(320)]
    assert set(Counter(line.emotion for line in lines).values()) == {20}
    assert {line.level for line in lines} == {1, 2, 3, 4, 5}


def test_the_choice_among_draws_spreads_the_sounds() -> None:
    balanced, plain = expander(), Expander("en", np.random.default_rng(0), heard=lambda text: [])
    kinds = []
    for made in (balanced, plain):
        text = [made.single().lines[0].text for _ in range(150)]
        kinds.append(len({pair for line in text for pair in sounds(line)}))
    assert kinds[0] > kinds[1]


def test_the_same_seed_says_the_same() -> None:
    assert [expander().single() for _ in range(3)] == [expander().single() for _ in range(3)]
    assert list(expander().dialogue()) == list(expander().dialogue())
    dialogue = list(expander().dialogue())
    assert len(dialogue) >= 2
    assert len({turn.dialogue for turn in dialogue}) == 1
    assert len({line.emotion for line in expander().monologue().lines}) >= 2


def test_the_plan_keeps_whole_groups_apart() -> None:
    jobs = plan(600)
    assert [job.id for job in jobs] == [job.id for job in plan(600)]
    assert len({job.id for job in jobs}) == len(jobs)
    splits: dict[str, set[str]] = {}
    for job in jobs:
        splits.setdefault(job.group, set()).add(job.split)
    assert all(len(found) == 1 for found in splits.values()), splits
    held = {job.lang for job in jobs if job.split == "held" and job.group == "espeak-it"}
    assert held == {"it"}
    assert not any(job.lang == "it" and job.split != "held" for job in jobs)
    assert abs(sum(job.turn is not None for job in jobs) - 600) <= 10
    assert sum(job.source == "sustained" for job in jobs) == 30
