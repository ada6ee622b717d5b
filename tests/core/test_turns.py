from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.emotion import State
from facewire.errors import InputError
from facewire.profile import ComponentSpec, Speaker
from facewire.testing import ListSink, voiced
from facewire.turns import Script, load_turns
from parts import Beep
from test_session import PARTS, profile, session


def script(folder: Path, *lines: str) -> Path:
    path = folder / "scene.jsonl"
    path.write_text("\n".join(lines))
    return path


WRONG = {
    "{": "scene.jsonl:1: not JSON: Input data was truncated",
    "[1]": 'scene.jsonl:1: expected an object such as {"text": "Hi"}',
    '{"txt": "Hi"}': "scene.jsonl:1: txt: unknown key; did you mean 'text'?",
    "{}": "scene.jsonl:1: expected either 'text' or 'audio'",
    '{"text": "a", "audio": "b.wav"}': "scene.jsonl:1: expected either 'text' or 'audio'",
    '{"text": "a", "emotion": "joi"}': "scene.jsonl:1.emotion: ",
    '{"text": "a", "vad": [0, 2, 0]}': "scene.jsonl:1.vad: ",
    '{"text": "a", "pause": -1}': "scene.jsonl:1: pause: found -1, expected 0 to 600 seconds",
    '{"text": "a", "id": "x"}\n{"text": "b", "id": "x"}': "scene.jsonl:2: id 'x' is taken by",
    "\n\n": "scene.jsonl: has no turns",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_scripts(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as error:
        load_turns(script(tmp_path, text))
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(WRONG[text]), said


def test_turns_follow_each_other_with_their_emotion_and_pauses(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "b.wav", voiced(1.0, 8000).samples, 8000)
    path = script(
        tmp_path,
        '{"text": "one two", "emotion": "joy", "level": 5}',
        '{"audio": "b.wav", "vad": [0.2, 0.9, 0.3], "pause": 0.5}',
        '{"text": "[fear]three"}',
    )
    sink = ListSink()
    report = session(Script(path), sink).run()
    assert report.seconds == pytest.approx(0.5 + 0.5 + 1.0 + 0.25, abs=0.01)
    vad = np.concatenate([b.emotion.vad for b in sink.blocks])
    assert np.allclose(vad[10], State.named("joy", 1.4).vad)
    assert np.allclose(vad[45], State.named("joy", 1.4).vad)  # in the pause
    assert np.allclose(vad[70], [0.2, 0.9, 0.3])
    assert np.allclose(vad[-1], State.named("fear").vad)


def test_sound_alone_needs_no_voice(tmp_path: Path) -> None:
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", voiced(0.5, 22050).samples, 22050)
    path = script(tmp_path, '{"audio": "a.wav", "emotion": "joy"}', '{"audio": "b.wav"}')
    sink = ListSink()
    session(Script(path), sink, profile=profile(voice=())).run()
    vad = np.concatenate([b.emotion.vad for b in sink.blocks])
    assert len(sink.samples) == 22050
    assert np.allclose(vad[5], State.named("joy").vad)
    assert np.allclose(vad[40], State.named("neutral").vad)


def test_speakers_have_voices_of_their_own(tmp_path: Path) -> None:
    PARTS["low"] = lambda config, context: Beep(8000)
    speakers = {"ada": Speaker(), "ben": Speaker((ComponentSpec("low"),))}
    path = script(
        tmp_path, '{"text": "one", "speaker": "ada"}', '{"text": "two", "speaker": "ben"}'
    )
    sink = ListSink()
    session(Script(path), sink, profile=profile(speakers=speakers)).run()
    assert [mark.text for mark in sink.marks] == ["one", "two"]
    assert len(sink.samples) == pytest.approx(8000, abs=2)
    path = script(tmp_path, '{"text": "one", "speaker": "bem"}')
    with pytest.raises(InputError, match="'bem' is not in the profile; did you mean 'ben'"):
        session(Script(path), ListSink(), profile=profile(speakers=speakers)).run()
