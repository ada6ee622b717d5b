"""Emotion tracks in YAML: what they say, and the line that tells what is wrong with one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from facewire.emotion import EmotionCurve, load_track, state_of, track_keys
from facewire.errors import FacewireError, InputError

TRACK = """\
- {at: 0, emotion: joy}
- {at: 2.1, emotion: embarrassment, level: 4, transition: 1.2}
- at: 4
  emotion: "sad:60"
- {at: 5, emotion: 기쁨, level: 30%}
- {at: 6.25, vad: [0.4, 0.6, 0.5], transition: 0}
- {at: 9, emotion: neutral}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "track.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_track(tmp_path: Path) -> None:
    keys = load_track(written(tmp_path, TRACK))
    assert [key.time for key in keys] == [0, Fraction(21, 10), 4, 5, Fraction(25, 4), 9]
    assert [key.state and (key.state.name, key.state.strength) for key in keys] == [
        ("joy", 1.0),
        ("embarrassment", 1.2),
        ("sadness", 0.6),
        ("joy", 0.3),
        (None, 1.0),
        ("neutral", 1.0),
    ]
    assert [key.transition for key in keys] == [None, 1.2, None, None, 0.0, None]
    assert {key.source for key in keys} == {"track"}
    rows = EmotionCurve(keys).sample(0, 600, Fraction(60))
    assert (rows.weights[126:240].argmax(axis=1) == 11).all()
    assert tuple(rows.vad[380]) == pytest.approx((0.4, 0.6, 0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "{}: found nothing, expected a list such as [{at: 0, emotion: joy}]"),
        ("joy", "{}: found str 'joy', expected a list such as [{at: 0, emotion: joy}]"),
        ("- joy", "{}[0]: found str 'joy', expected {at: 0, emotion: joy} or alike"),
        ("- {emotion: joy}", "{}[0]: found no 'at', expected the time in seconds"),
        ("- {at: 1}", "{}[0]: found no 'emotion', expected either 'emotion' or 'vad'"),
        (
            "- {at: 1, emotion: joy, vad: [0, 0, 0]}",
            "{}[0]: found both 'emotion' and 'vad', expected either 'emotion' or 'vad'",
        ),
        (
            "- {at: 1, emotoin: joy}",
            "{}[0]: field 'emotoin' is unknown; did you mean 'emotion'? "
            "(known: at, emotion, vad, level, transition)",
        ),
        (
            "- {at: 1, emotion: joi}",
            "{}[0].emotion: emotion 'joi' is unknown; did you mean 'joy'?",
        ),
        ("- {at: 1, emotion: 7}", "{}[0].emotion: found int '7', expected a name such as joy"),
        ("- {at: -1, emotion: joy}", "{}[0].at: found -1, expected 0 or more seconds"),
        ("- {at: nan, emotion: joy}", "{}[0].at: found 'nan', expected a number of seconds"),
        ("- {at: true, emotion: joy}", "{}[0].at: found 'True', expected a number of seconds"),
        (
            "- {at: 2, emotion: joy}\n- {at: 1.5, emotion: joy}",
            "{}[1].at: found 1.5, expected more than the 2 of the entry before; "
            "put the entries in order of time",
        ),
        (
            "- {at: 2, emotion: joy, level: 6}",
            "{}[0].level: found int '6', expected 1 to 5, L1 to L5 or 80%",
        ),
        (
            "- {at: 2, emotion: joy, level: 300%}",
            "{}[0].level: found strength '300%', expected 0 to 200 percent or L1 to L5",
        ),
        (
            "- {at: 2, emotion: 'joy:5', level: 2}",
            "{}[0].level: 'joy:5' already says how much; remove 'level' or the strength",
        ),
        (
            "- {at: 2, vad: [0, 0, 0], level: 2}",
            "{}[0].level: 'vad' already says how much; remove 'level'",
        ),
        (
            "- {at: 2, vad: [0, 0, 1.5]}",
            "{}[0].vad: found list '[0, 0, 1.5]', expected [valence, arousal, dominance] in 0 to 1",
        ),
        (
            "- {at: 2, vad: 0.5}",
            "{}[0].vad: found float '0.5', expected [valence, arousal, dominance] in 0 to 1",
        ),
        (
            "- {at: 2, emotion: joy, transition: 61}",
            "{}[0].transition: found 61, expected 0 to 60 seconds",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        load_track(path)
    assert str(error.value) == message.replace("{}", str(path), 1)


@pytest.mark.parametrize("text", ["- {at: 1", "- &a {at: 1}\n- *a", "\t- x", "- {at: 1, at: 2}"])
def test_what_is_no_yaml_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(FacewireError) as error:
        load_track(written(tmp_path, text))
    assert len(str(error.value).splitlines()) == 1
    with pytest.raises(FacewireError, match=r"no such file"):
        load_track(tmp_path / "none.yaml")


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 10**4000, "1", None, [1]])
def test_absurd_times_from_elsewhere(at: object) -> None:
    with pytest.raises(InputError, match=r"^track\[0\]\.at: found"):
        track_keys([{"at": at, "emotion": "joy"}])


@pytest.mark.parametrize("vad", [[float("nan"), 0, 0], [True, 0, 0], ["0", 0, 0], [0, 0], {}, None])
def test_absurd_vad(vad: object) -> None:
    with pytest.raises(InputError, match=r"^turn 4\.vad: found .*, expected \[valence"):
        state_of({"vad": vad}, "turn 4")


def test_an_empty_list_is_an_empty_track() -> None:
    assert track_keys([]) == []
