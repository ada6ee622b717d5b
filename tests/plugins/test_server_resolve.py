"""A stretch of mouth solved anew: the same curves as the whole clip's, and moved as marks move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from facewire.articulation import closures
from facewire.resample import mouth_columns
from facewire.rig import Rig
from facewire.types import Context, Features, Mark
from facewire_phonemes.plugin import ModelConfig
from facewire_server import resolve
from facewire_server.resolve import Stretch, resolved, stretch_of
from server_parts import Served, light, serving

SPOKEN = ["AH0", "M", "AA1", "P", "IY0", "B", "UW1", "S", "T"]
RIG = Rig.named("arkit52_tongue")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    profile = light(tmp_path_factory.mktemp("profiles"))
    with serving(profile=profile, token="a-long-token") as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client(headers={"Authorization": "Bearer a-long-token"}) as made:
        yield made


def phones(count: int = 60, each: float = 0.09, first: float = 0.3) -> list[dict[str, Any]]:
    return [
        {
            "kind": "phone",
            "text": SPOKEN[i % len(SPOKEN)],
            "start": first + i * each,
            "duration": each,
        }
        for i in range(count)
    ]


def asked(**changed: Any) -> dict[str, Any]:
    return {"fps": 60, "begin": 2.0, "end": 3.5, "marks": phones(), **changed}


def solved(client: httpx.Client, **changed: Any) -> dict[str, Any]:
    answer = client.post("/v1/resolve", json=asked(**changed))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    count = len(told["frames"])
    assert len(told["gap"]) == count
    assert np.array(told["frames"]).shape == (count, len(told["channels"]))
    return told


def test_it_answers_the_mouth_of_the_stretch(client: httpx.Client) -> None:
    told = solved(client)
    assert (told["fps"], told["start"], len(told["frames"])) == (60, 120, 90)
    assert told["channels"] == [RIG.channels[i] for i in mouth_columns(RIG)]
    assert told["notes"] == [] and "before" not in told
    jaw = np.array(told["frames"])[:, told["channels"].index("jawOpen")]
    assert jaw.max() > 0.15 > 0.06 > jaw.min()
    assert len(closures(np.array(told["gap"]), 60)) >= 3  # M, P, B


def test_it_is_what_the_model_makes_of_the_whole_clip() -> None:
    """Independently: the phoneme model on the whole clip, all phones and a level loudness."""
    from facewire.emotion import neutral
    from facewire_phonemes.model import PhoneModel

    marks = tuple(
        Mark(
            "phone", m["text"], round(m["start"] * 6000), round((m["start"] + m["duration"]) * 6000)
        )
        for m in phones()
    )
    model = PhoneModel(ModelConfig(), Context())
    heard = Features(np.full((420, 1), 0.7, np.float32), model.fps, 0, 6000, marks)
    made = [model.push(heard, neutral(420, 0, model.fps)), *model.flush()]
    whole = np.clip(np.concatenate([frames.values for frames in made]), 0, 1)
    told = table(asked())
    rows = whole[120:210, mouth_columns(model.rig)]
    assert np.abs(np.array(told["frames"]) - rows).max() < 1e-4


def table(given: dict[str, Any]) -> dict[str, Any]:
    from facewire.profile import load_profile

    return resolved(stretch_of(given), load_profile("default", []))


@pytest.mark.parametrize("fps", [24, 25, 30, 60, 29.97, 24000 / 1001, 7.3, 240])
def test_stretches_fit_together(fps: float) -> None:
    """Asked for in parts, a clip is the same as asked for at once, at any frame rate."""
    whole = table(asked(fps=fps, begin=0, end=6))
    rows, at = [], 0
    for k in range(4):
        part = table(asked(fps=fps, begin=1.5 * k, end=1.5 * k + 1.5))
        assert part["start"] == at
        at += len(part["frames"])
        rows += part["frames"]
    off = np.abs(np.array(rows) - np.array(whole["frames"]))
    # at other rates the model's frames fall otherwise between those asked for
    most = 1e-6 if fps in (24, 25, 30, 60) else 0.2
    assert off.max() <= most and off.mean() <= most / 40


@pytest.mark.parametrize("fps", [24, 25, 30])
def test_every_closure_is_there_at_film_rates(fps: int) -> None:
    told = table(asked(fps=fps, begin=0, end=6))
    gap = np.array(told["gap"])
    for mark in phones():
        if mark["text"] in ("M", "P", "B"):
            near = [
                gap[k]
                for k in range(len(gap))
                if mark["start"] - 0.04 <= k / fps <= mark["start"] + mark["duration"] + 0.5 / fps
            ]
            assert min(near) < 0.03, mark


def test_a_moved_mark_moves_its_stretch_alone(client: httpx.Client) -> None:
    """The second P comes 60 ms later; what was made before the move is told beside."""
    moved = phones()
    i = next(i for i, m in enumerate(moved) if m["text"] == "P" and m["start"] > 2.4)
    moved[i] = {**moved[i], "start": moved[i]["start"] + 0.06, "duration": 0.09}
    moved[i + 1] = {**moved[i + 1], "start": moved[i + 1]["start"] + 0.06, "duration": 0.03}
    told = solved(client, begin=1.0, end=5.0, marks=moved, was=phones())
    difference = np.abs(np.array(told["frames"]) - np.array(told["before"])).max(axis=1)
    at = round((moved[i]["start"] - 1.0) * 60)
    assert difference[at - 12 : at + 12].max() > 0.05
    assert difference[: at - 45].max() < 1e-3 and difference[at + 60 :].max() < 1e-3
    assert solved(client, begin=1.0, end=5.0)["frames"] == told["before"]


def test_style_and_strength(client: httpx.Client) -> None:
    def jaw(**changed: Any) -> float:
        told = solved(client, **changed)
        column = told["channels"].index("jawOpen")
        return float(np.array(told["frames"])[:, column].mean())

    assert jaw(strength=0.5) < 0.75 * jaw() < jaw()
    assert jaw(strength=1.5) > 1.2 * jaw()


def test_the_profiles_own_style_counts(tmp_path: Path) -> None:
    from facewire.profile import load_profile

    stretch = stretch_of(asked())
    path = tmp_path / "mumble.yaml"
    path.write_text("extends: default\nmodel: {use: phonemes, jaw: 0.3}\n")
    mumbled = load_profile(path)
    column = resolved(stretch, mumbled)["channels"].index("jawOpen")
    rows = [
        np.array(resolved(stretch, profile)["frames"])[:, column].mean()
        for profile in (mumbled, load_profile("default", []))
    ]
    assert rows[0] < 0.5 * rows[1]


def test_other_rigs_words_and_unknown_phones(client: httpx.Client) -> None:
    told = solved(client, rig="arkit52")
    assert told["channels"][-1] == "tongueOut" and len(told["channels"]) < len(RIG)
    word = {"kind": "word", "text": "map", "start": 2.0, "duration": 0.5}
    assert solved(client, marks=[*phones(), word])["frames"] == solved(client)["frames"]
    odd = {"kind": "phone", "text": "9?", "start": 2.1, "duration": 0.1}
    assert "'9?' x1" in solved(client, marks=[odd])["notes"][0]
    laugh = {"kind": "sound", "text": "laugh", "start": 2.2, "duration": 1.0}
    assert max(solved(client, marks=[laugh])["gap"]) > 0.25


def test_silence_is_a_resting_mouth(client: httpx.Client) -> None:
    told = solved(client, marks=[])
    assert np.abs(told["frames"]).max() < 1e-3
    told = client.post("/v1/resolve", json=asked(begin=2.001, end=2.002)).json()
    assert told["frames"] == [] and told["gap"] == [] and told["start"] == 121


@pytest.mark.parametrize(
    ("changed", "status", "line"),
    [
        ({"fps": 0}, 400, "fps: found 0, expected 1 to 240"),
        ({"begin": -1}, 400, "begin: found -1, expected 0 to 86400"),
        ({"end": 2.0}, 400, "end: found 2, expected more than begin 2"),
        ({"end": 62.5}, 413, "the stretch is longer than 60 s; ask for it in parts"),
        ({"strength": 2.5}, 400, "strength: found 2.5, expected 0 to 2"),
        ({"rig": "face"}, 400, "rig 'face' is unknown"),
        ({"profile": "defult"}, 400, "profile: there is no 'defult'"),
        ({"colour": 1}, 400, "resolve: Object contains unknown field `colour`"),
        ({"marks": [{"kind": "phone"}]}, 400, "resolve: Object missing required field `text`"),
        (
            {"marks": [{"kind": "phone", "text": "M", "start": 1e30, "duration": 1}]},
            400,
            "marks[0].start: found 1e+30, expected -86400 to 86400",
        ),
        (
            {"was": [{"kind": "phone", "text": "M", "start": 1, "duration": -1}]},
            400,
            "was[0].duration: found -1, expected 0 to 60",
        ),
        (
            {"marks": [{"kind": "phone", "text": "M" * 65, "start": 1, "duration": 1}]},
            400,
            "marks[0].text: 65 characters, expected at most 64",
        ),
        ({"marks": phones(5001)}, 413, "marks: found 5001, expected at most 5000"),
        ({"marks": phones(2000, 0)}, 200, ""),
    ],
)
def test_what_is_wrong_is_said(
    client: httpx.Client, changed: dict[str, Any], status: int, line: str
) -> None:
    answer = client.post("/v1/resolve", json=asked(**changed))
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["error"].startswith(line)


def test_a_crowd_of_marks_is_refused(client: httpx.Client) -> None:
    """Marks that all overlap would take a minute."""
    crowd = [{"kind": "phone", "text": "AA1", "start": 0.0, "duration": 60.0}] * 5000
    answer = client.post("/v1/resolve", json=asked(begin=0, end=60, marks=crowd))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("marks: more than four at a time overlap")


def test_it_is_guarded_as_all_routes_are(served: Served, client: httpx.Client) -> None:
    with served.client() as stranger:
        assert stranger.post("/v1/resolve", json=asked()).status_code == 401
    answer = client.post("/v1/resolve", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400 and answer.json()["error"].startswith("body: not JSON")
    assert client.post("/v1/resolve", content=b"M AA1").status_code == 415
    assert client.get("/v1/resolve").status_code == 405
    evil = client.post("/v1/resolve", json=asked(), headers={"Origin": "http://evil.example"})
    assert evil.status_code == 403


def test_limits_are_those_that_the_description_states() -> None:
    from facewire_server.openapi import described

    schemas = described()["components"]["schemas"]
    assert set(schemas["Stretch"]["properties"]) == set(Stretch.__struct_fields__)
    assert schemas["Times"]["maxItems"] == resolve.MOST
