"""Profiles: what a right one becomes, and whole texts of what is said about hostile ones."""

from __future__ import annotations

import platform
from fractions import Fraction
from pathlib import Path

import facewire
import pytest
from facewire.errors import PluginError
from facewire.profile import (
    ComponentSpec,
    Profile,
    Speaker,
    load_profile,
    profile_keys,
    profile_names,
)
from refusals import KNOWN, RATE, Write, refusal

RIGS = "arkit52, arkit52_tongue, arkit61, neurosync68"


EVERYTHING = """
requires: [facewire>=0.0.1, "facewire[nothing]>=0; python_version < '3'"]
fps: 29.97
rate: 48000
rig: neurosync68
lang: no
seed: 7
voice: {use: espeak, voice: en-us}
text_emotion: textmood
pronounce: espeak
features: {use: phonemes, mode: decode}
model: [{use: neurosync, weights: models/n.safetensors}, trajectory]
layers:
  - {use: v3, strength: 1.0}
  - idle.blink
sinks:
  - {use: livelink, port: 11111, subject: Ada}
  - {use: files.npz, path: "{out}/{name}.npz"}
emotion: joy:80
turns: dialogue
tags: lenient
speakers:
  ada: {voice: {use: espeak, voice: de}, subject: Ada}
  ben: {}
"""


def test_everything_that_is_right(write: Write, tmp_path: Path) -> None:
    path = write(EVERYTHING)

    def spec(place: str, use: str, **options: object) -> ComponentSpec:
        return ComponentSpec(use, options, f"p.yaml: {place}", tmp_path)

    assert load_profile(path) == Profile(
        name="p",
        base=tmp_path,
        requires=("facewire>=0.0.1", "facewire[nothing]>=0; python_version < '3'"),
        fps=Fraction(30000, 1001),
        rate=48000,
        rig="neurosync68",
        lang="no",
        seed=7,
        voice=(spec("voice", "espeak", voice="en-us"),),
        text_emotion=spec("text_emotion", "textmood"),
        pronounce=spec("pronounce", "espeak"),
        features=spec("features", "phonemes", mode="decode"),
        model=(
            spec("model[0]", "neurosync", weights="models/n.safetensors"),
            spec("model[1]", "trajectory"),
        ),
        layers=(spec("layers[0]", "v3", strength=1.0), spec("layers[1]", "idle.blink")),
        sinks=(
            spec("sinks[0]", "livelink", port=11111, subject="Ada"),
            spec("sinks[1]", "files.npz", path="{out}/{name}.npz"),
        ),
        emotion="joy:80",
        turns="dialogue",
        tags="lenient",
        speakers={
            "ada": Speaker((spec("speakers.ada.voice", "espeak", voice="de"),), "Ada"),
            "ben": Speaker(),
        },
    )


def test_defaults(write: Write) -> None:
    profile = load_profile(write("sinks:\n# - files.npz\n"))
    assert (profile.fps, profile.rate, profile.rig, profile.lang) == (
        Fraction(60),
        None,
        "arkit61",
        "en",
    )
    assert (profile.model, profile.layers, profile.sinks) == ((), (), ())
    assert [spec.use for spec in profile.voice] == ["espeak"]
    assert (profile.turns, profile.tags, profile.seed) == ("monologue", "strict", 0)


SHIPPED = f"(known: {', '.join(profile_names())})"
HOSTILE = {
    "": "p.yaml: sinks: missing, expected a list of where the result goes ([] for nowhere)",
    "- a": "p.yaml: found a list, expected keys such as model: and sinks:",
    "hello": "p.yaml: found 'hello', expected keys such as model: and sinks:",
    "layer: []": f"p.yaml: layer: unknown key; did you mean 'layers'? ({KNOWN})",
    "name: x": f"p.yaml: name: unknown key ({KNOWN})",
    "1: x": f"p.yaml: 1: unknown key ({KNOWN})",
    "fps: true": f"p.yaml: fps: found true, expected {RATE}",
    "fps: 1/0": f"p.yaml: fps: found '1/0', expected {RATE}",
    "fps: 1e308": f"p.yaml: fps: found 1e+308, expected {RATE}",
    "fps: .nan": f"p.yaml: fps: found '.nan', expected {RATE}",
    "fps:": f"p.yaml: fps: found nothing, expected {RATE}",
    "fps: 0": "p.yaml: fps: found 0, expected 1 to 1000 frames a second",
    "rate: 1": "p.yaml: rate: found 1, expected 8000 to 192000 samples a second",
    "rate: 48k": "p.yaml: rate: found '48k', expected an integer",
    "rig: arkit6": f"p.yaml: rig: found 'arkit6', expected one of {RIGS}; did you mean 'arkit61'?",
    "rig: [a]": f"p.yaml: rig: found a list, expected one of {RIGS}",
    "lang: english!": "p.yaml: lang: found 'english!', expected a language such as en or pt-br",
    "lang: 010": "p.yaml: lang: found '010', expected a language such as en or pt-br",
    "lang: false": "p.yaml: lang: found false, expected text",
    "seed: 0x10": "p.yaml: seed: found '0x10', expected an integer",
    "turns: dialog": (
        "p.yaml: turns: found 'dialog', expected one of monologue, dialogue; "
        "did you mean 'dialogue'?"
    ),
    "tags: false": "p.yaml: tags: found false, expected one of strict, lenient",
    "emotion: [joy]": "p.yaml: emotion: found a list, expected text",
    "voice: 3": "p.yaml: voice: found 3, expected a component's name or {use: NAME, …}",
    "voice: {voice: de}": ("p.yaml: voice: 'use' is missing: write {use: NAME, …} (found: voice)"),
    "model: [a, {}]": "p.yaml: model[1]: 'use' is missing: write {use: NAME, …}",
    "model: [a, '']": "p.yaml: model[1]: found '', expected a component's name or {use: NAME, …}",
    "layers: clamp": "p.yaml: layers: found 'clamp', expected a list: put '- ' before it",
    "layers: {use: clamp}": "p.yaml: layers: found a mapping, expected a list: put '- ' before it",
    "layers: [[clamp]]": (
        "p.yaml: layers[0]: found a list, expected a component's name or {use: NAME, …}"
    ),
    "sinks: [{use: 3}]": "p.yaml: sinks[0].use: found 3, expected a component's name",
    "sinks: [{use: x, 1: 2}]": "p.yaml: sinks[0]: found key 1, expected a word",
    "text_emotion: [a]": (
        "p.yaml: text_emotion: found a list, expected a component's name or {use: NAME, …}"
    ),
    "speakers: [ada]": (
        "p.yaml: speakers: found a list, expected a mapping such as {ada: {voice: …, subject: Ada}}"
    ),
    "speakers: {ada: espeak}": (
        "p.yaml: speakers.ada: found 'espeak', expected a mapping of voice, subject"
    ),
    "speakers: {ada: {subjekt: x}}": (
        "p.yaml: speakers.ada.subjekt: unknown key; did you mean 'subject'? (known: voice, subject)"
    ),
    "speakers: {ada: {subject: 3}}": "p.yaml: speakers.ada.subject: found 3, expected text",
    "requires: facewire": "p.yaml: requires: found 'facewire', expected a list (each text)",
    "requires: ['a b']": (
        "p.yaml: requires[0]: found 'a b', expected a requirement such as facewire-livelink>=0.1"
    ),
    "requires: ['x @ file:///y']": (
        "p.yaml: requires[0]: found 'x @ file:///y', "
        "expected a requirement such as facewire-livelink>=0.1"
    ),
    "extends: nobody": f"p.yaml: extends: no such profile 'nobody' {SHIPPED}",
    "extends: defualt": (
        f"p.yaml: extends: no such profile 'defualt'; did you mean 'default'? {SHIPPED}"
    ),
    "extends: [a]": "p.yaml: extends: found a list, expected a profile's name or path",
    "extends: p.yaml": (
        "p.yaml: extends: profiles extend each other in a circle: p.yaml -> p.yaml; remove one"
    ),
    "emotion: ${FACEWIRE_NONE}": (
        "p.yaml: emotion: environment variable FACEWIRE_NONE is not set: "
        "set it, or write ${FACEWIRE_NONE:-default}"
    ),
    "sinks: [{use: x, a: {b: ['${1}']}}]": (
        "p.yaml: sinks[0].a.b[0]: found '${1}', expected ${NAME} or ${NAME:-default}"
    ),
    "emotion: a ${": "p.yaml: emotion: found '${', expected ${NAME} or ${NAME:-default}",
    "fps: 30\nfps: 60": "p.yaml:2:1: key 'fps' is written twice (first in line 1): keep one",
    "sinks: &s [a]\nlayers: *s": "p.yaml:1:8: anchor '&s' is not allowed: remove it",
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.items(), ids=lambda text: text[:24])
def test_hostile_profiles(write: Write, text: str, message: str) -> None:
    assert refusal(write(text)) == message


def test_requirements(write: Write) -> None:
    have = facewire.__version__
    text = refusal(write("requires: [facewire>=99]\nsinks: []"), kind=PluginError)
    assert text == (
        f"p.yaml: requires[0]: found facewire {have}, expected facewire>=99: "
        "run pip install 'facewire>=99'"
    )
    text = refusal(write("requires: [facewire, facewire-none>=1]\nsinks: []"), kind=PluginError)
    assert text == (
        "p.yaml: requires[1]: facewire-none>=1 is not installed: run pip install 'facewire-none>=1'"
    )


def test_where_profiles_are_found(write: Write, tmp_path: Path) -> None:
    user = {
        "Windows": tmp_path / "appdata",
        "Darwin": tmp_path / "home" / "Library" / "Application Support",
    }.get(platform.system(), tmp_path / "xdg")
    assert load_profile("default").base != tmp_path
    folder = (user / "facewire" / "profiles").relative_to(tmp_path)
    write("sinks: []\nseed: 1", f"{folder}/default.yaml")
    assert load_profile("default").seed == 1
    write("sinks: []\nseed: 2", "profiles/default.yml")
    assert load_profile("default").seed == 2
    assert load_profile("profiles/default.yml").base == tmp_path / "profiles"
    assert load_profile(tmp_path / "profiles" / "default.yml").seed == 2


def test_what_is_not_found(write: Write, tmp_path: Path) -> None:
    known = SHIPPED
    assert refusal("metahuman") == (
        f"no such profile 'metahuman'; did you mean 'metahuman-live'? {known}"
    )
    assert refusal("") == f"no such profile '' {known}"
    assert refusal("default.yaml") == (
        f"no such file 'default.yaml'; did you mean 'default'? {known}"
    )
    assert refusal("a\0b\n.yaml") == rf"no such file 'a\x00b\n.yaml' {known}"
    assert refusal("x" * 5000) == f"no such profile '{'x' * 37}...' {known}"
    (tmp_path / "folder.yaml").mkdir()
    assert refusal("folder.yaml") == "folder.yaml: not a file"


def test_extends(write: Write, tmp_path: Path) -> None:
    write(
        "seed: 1\nlang: de\nmodel: {use: a, weights: w}\nlayers: [x, y]\nsinks: [s]", "sub/a.yaml"
    )
    write("extends: a.yaml\nseed: 2\nlayers: [z]", "sub/b.yaml")
    write("extends: b.yaml\nmodel: {use: a, other: 1}", "profiles/c.yaml")
    write("extends: ../sub/b.yaml\nmodel: {use: a, other: 1}", "profiles/c.yaml")
    profile = load_profile("c")
    assert (profile.name, profile.seed, profile.lang) == ("c", 2, "de")
    assert profile.extends == "../sub/b.yaml"
    # A component is replaced whole, a list too; each knows the file it stands in.
    place = "c.yaml: model"
    assert profile.model == (ComponentSpec("a", {"other": 1}, place, tmp_path / "profiles"),)
    base = profile.layers[0].base
    assert [spec.where for spec in profile.layers] == ["b.yaml: layers[0]"]
    assert base is not None and base.resolve() == tmp_path / "sub"
    assert [spec.where for spec in profile.sinks] == ["a.yaml: sinks[0]"]


def test_circles_and_namesakes(write: Write) -> None:
    write("extends: b", "profiles/a.yaml")
    write("extends: c", "profiles/b.yaml")
    write("extends: a", "profiles/c.yaml")
    assert refusal("a") == (
        "c.yaml: extends: profiles extend each other in a circle: "
        "a.yaml -> b.yaml -> c.yaml -> a.yaml; remove one"
    )
    write("extends: default\nseed: 5", "profiles/default.yaml")
    profile = load_profile("default")  # one's own default may extend the shipped one
    assert profile.seed == 5 and profile.model[0].use == "trajectory"


def test_a_key_that_is_replaced_may_be_wrong_below(write: Write) -> None:
    write("rig: nonsense\nsinks: [{use: a, b: '${FACEWIRE_NONE}'}]", "a.yaml")
    write("extends: a.yaml\nrig: arkit52\nsinks: []", "b.yaml")
    assert load_profile("b.yaml").rig == "arkit52"


def test_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FW_SEED", "12")
    monkeypatch.setenv("FW_EMPTY", "")
    monkeypatch.delenv("FW_NONE", raising=False)
    path = write(
        "seed: ${FW_SEED}\nfps: ${FW_NONE:-30}\nlang: ${FW_EMPTY:-de}\n"
        "emotion: $${FW_SEED} ${FW_SEED}-${FW_EMPTY}-${FW_NONE:-}$FW_SEED\n"
        "sinks: [{use: '${FW_NONE:-files.npz}', path: '${FW_NONE:-{out}}/${FW_SEED}.npz'}]\n"
    )
    profile = load_profile(path)
    assert (profile.seed, profile.fps, profile.lang) == (12, Fraction(30), "de")
    assert profile.emotion == "${FW_SEED} 12--$FW_SEED"
    assert profile.sinks[0].use == "files.npz"
    assert profile.sinks[0].options == {"path": "{out}/12.npz"}
    monkeypatch.setenv("FW_SEED", "many")
    assert refusal(path) == "p.yaml: seed: found 'many', expected an integer"


def test_a_track_of_an_extended_profile(write: Write, tmp_path: Path) -> None:
    write("[]", "sub/track.json")
    write("emotion: track.json\nsinks: []", "sub/a.yaml")
    assert load_profile(write("extends: sub/a.yaml")).emotion == str(tmp_path / "sub/track.json")


def test_the_table_of_keys() -> None:
    rows = {key: (kind, default, meaning) for key, kind, default, meaning in profile_keys()}
    assert "known: " + ", ".join(rows) == KNOWN
    assert all(meaning.endswith(".") for _, _, meaning in rows.values())
    assert rows["rate"][:2] == ("integer", "none")
    assert rows["rig"][:2] == ("text", "arkit61")
    assert rows["turns"][:2] == ("one of monologue, dialogue", "monologue")
    assert rows["voice"][:2] == ("component, or a list of them", "espeak")
    assert rows["sinks"][:2] == ("list of components", "required")
    assert rows["speakers"][:2] == ("mapping of speakers", "{}")
