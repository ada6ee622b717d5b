"""``--set``: what it changes, and whole texts of what is said when it cannot."""

from __future__ import annotations

from fractions import Fraction

import pytest
from facewire.errors import ProfileError
from facewire.profile import load_profile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import KNOWN, RATE, Write, refusal


def test_overrides(write: Write) -> None:
    path = write(
        "layers: [idle.blink, {use: v3, strength: 1.0}]\nsinks: [a, {use: b, port: 1}]\n"
        "model: {use: m, deep: {x: 1}}\n"
    )
    profile = load_profile(
        path,
        [
            "fps=30000/1001",
            "layers[0].rate=12",
            "layers[1].strength = 0.5",
            "sinks[1].port=9000",
            "sinks[1].name='12'",
            "sinks[1].path={out}/x=y.csv",
            "model.deep.y=no",
            "voice=elevenlabs",
            "text_emotion=null",
            "speakers.ada.subject=Ada",
            "speakers.ada.voice.use=espeak",
            "emotion=",
        ],
    )
    assert profile.fps == Fraction(30000, 1001)
    assert profile.layers[0].options == {"rate": 12}
    assert profile.layers[1].options == {"strength": 0.5}
    assert profile.sinks[1].options == {"port": 9000, "name": "12", "path": "{out}/x=y.csv"}
    assert profile.model[0].options == {"deep": {"x": 1, "y": "no"}}
    assert (profile.voice[0].use, profile.voice[0].where) == ("elevenlabs", "--set: voice")
    assert profile.speakers["ada"].subject == "Ada"
    assert profile.speakers["ada"].voice[0].use == "espeak"
    assert profile.emotion is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fps", "--set 'fps': expected KEY=VALUE such as fps=30 or sinks[0].port=9000"),
        ("=3", "--set '=3': expected KEY=VALUE such as fps=30 or sinks[0].port=9000"),
        ("a b=3", "--set 'a b=3': expected KEY=VALUE such as fps=30 or sinks[0].port=9000"),
        (
            "sinks[x]=3",
            "--set 'sinks[x]=3': expected KEY=VALUE such as fps=30 or sinks[0].port=9000",
        ),
        ("layer[0].x=1", f"--set layer[0].x: unknown key; did you mean 'layers'? ({KNOWN})"),
        (
            "fps=fast",
            f"--set: fps: found 'fast', expected {RATE}",
        ),
        ("seed='1'", "--set: seed: found '1', expected an integer"),
        ("seed=1e999", "--set seed: the number is too large: put it in quotes if it is text"),
        (
            "seed='1",
            "--set seed:1:3: not YAML: found unexpected end of stream while scanning a "
            "quoted scalar",
        ),
        ("sinks[2].x=1", "--set sinks[2].x: sinks has no [2] (it has 2, counted from 0)"),
        ("layers[0].x=1", "--set layers[0].x: layers is nothing, not a list: leave out [0]"),
        ("sinks.x=1", "--set sinks.x: sinks is a list: write sinks[0] for its first"),
        ("model[0].x=1", "--set model[0].x: model is 'm', not a list: leave out [0]"),
        ("sinks[1].port.x=1", "--set sinks[1].port.x: sinks[1].port is 1 and has no keys"),
        ("sinks[0]=3", "p.yaml: sinks[0]: found 3, expected a component's name or {use: NAME, …}"),
        ("voice.voice=de", "--set: voice: 'use' is missing: write {use: NAME, …} (found: voice)"),
        ("layers=clamp", "--set: layers: found 'clamp', expected a list: put '- ' before it"),
    ],
)
def test_wrong_overrides(write: Write, text: str, message: str) -> None:
    path = write("sinks: [a, {use: b, port: 1}]\nmodel: m\n")
    assert refusal(path, [text]) == message


@given(st.text(max_size=30))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_override_is_taken_or_refused_in_one_line(write: Write, text: str) -> None:
    path = write("sinks: [a]\n")
    for override in (text, f"sinks[0].x={text}", f"{text}=1"):
        try:
            load_profile(path, [override])
        except ProfileError as error:
            assert "\n" not in str(error)
