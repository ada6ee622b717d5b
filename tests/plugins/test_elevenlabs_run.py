"""From text to frames with the voice: in one call, with tags on their words, and from the shell."""

from __future__ import annotations

from pathlib import Path

import facewire
import numpy as np
import pytest
import soundfile
from elevenlabs_parts import CHAR, KEY, Fault, Service, serving
from facewire.cli import main
from facewire.emotion import LABELS
from facewire.errors import PluginError
from facewire_elevenlabs.tables import tables

TAGGED = "[joy] This is so very good. [sadness:80] But it has to end now."
PLAIN = "This is so very good. But it has to end now."
TAGGED_FOR_V3 = "[happily] This is so very good. [sadly] But it has to end now."


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("model", ["eleven_v3", "eleven_flash_v2_5"])
def test_text_to_frames_in_one_call_with_emotion_on_its_words(model: str) -> None:
    with serving() as service:
        # without the layers that draw emotion: those choose how they come to it
        Path("bare.yaml").write_text("extends: elevenlabs\nlayers: [clamp]\n")
        options = [f"voice.url={service.url}", f"voice.model={model}"]
        clip = facewire.animate(text=TAGGED, profile="bare.yaml", overrides=options)
    v3 = model == "eleven_v3"
    assert service.texts == [TAGGED_FOR_V3 if v3 else PLAIN]
    label = clip.emotion.weights.argmax(axis=1)
    fps = float(clip.frames.fps)
    heard = service.texts[0]
    for name, word in (("joy", "This"), ("sadness", "But")):
        at = heard.index(word) * CHAR
        begins = np.flatnonzero(label == LABELS.index(name))[0] / fps
        assert abs(begins - at) <= 0.020, f"{name} begins {1000 * (begins - at):.0f} ms off"
    words = [mark.text for mark in clip.marks if mark.kind == "word"]
    assert "good" in words
    assert clip.report.seconds == pytest.approx(len(service.texts[0]) * CHAR, abs=0.01)
    assert np.isfinite(clip.frames.values).all()


def test_the_shipped_profile_in_one_call() -> None:
    with serving() as service:
        url = f"voice.url={service.url}"
        clip = facewire.animate(text=TAGGED, profile="elevenlabs", overrides=[url])
    assert clip.report.seconds == pytest.approx(len(service.texts[0]) * CHAR, abs=0.01)
    assert len(clip.frames) == round(clip.report.seconds * 60)


SHOP = "I am going to the shop on Monday."


def assert_angry(service: Service) -> None:
    [asked] = service.asked
    assert asked.body["text"] == f"[angrily] {SHOP}" and tables().voices["anger"] in asked.path
    assert asked.body["voice_settings"]["style"] > 0.3


@pytest.mark.parametrize("where", ["option", "profile", "track"])
def test_the_emotion_of_the_whole_run_is_in_the_voice(where: str) -> None:
    Path("track.yaml").write_text("[{at: 0, emotion: anger}, {at: 1, emotion: joy}]")
    emotion = {"option": "anger", "track": "track.yaml"}.get(where)
    with serving() as service:
        options = [f"voice.url={service.url}", *(["emotion=anger"] if where == "profile" else [])]
        facewire.animate(text=SHOP, profile="elevenlabs", emotion=emotion, overrides=options)
    assert_angry(service)


def test_the_emotion_of_a_profile_is_in_what_is_said_with_it() -> None:
    say = ("voice", "say", SHOP, "--out", "a.wav", "--profile", "elevenlabs")
    with serving() as service:
        assert command(*say, "--set", f"voice.url={service.url}", "--set", "emotion=anger") == 0
    assert_angry(service)


def test_words_that_hardly_show_an_emotion_are_said_as_neutral() -> None:
    options = ["text_emotion=textmood"]
    with serving() as service:
        url = f"voice.url={service.url}"
        for text in ("I don't hate it.", "[anger:1] I am at home.", "[anger:L1] I am at home."):
            facewire.animate(text=text, profile="elevenlabs", overrides=[*options, url])
    assert service.texts == ["I don't hate it.", "I am at home.", "[angrily] I am at home."]
    voices = [one.path.split("/")[3] for one in service.asked]
    assert voices == [tables().voices[name] for name in ("neutral", "neutral", "anger")]


def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    with pytest.raises(PluginError, match="no key: set the environment variable"):
        facewire.animate(text="Hi.", profile="elevenlabs")


def command(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    return int(ended.value.code or 0)


def test_say_and_list(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as service:
        url = f"voice.url={service.url}"
        say = ("voice", "say", TAGGED, "--out", "a.wav", "--profile", "elevenlabs", "--set", url)
        assert command(*say) == 0
        assert "by elevenlabs, 11 words with times" in " ".join(capfd.readouterr().out.split())
        samples, rate = soundfile.read(tmp_path / "a.wav")
        assert rate == 24000 and len(samples) == round(len(service.texts[0]) * CHAR * rate)

        service.faults = lambda number, body: Fault(402)
        before = (tmp_path / "a.wav").read_bytes()
        assert command(*say) == 2
        assert "gives nothing more (402)" in capfd.readouterr().err
        assert (tmp_path / "a.wav").read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    assert command("voice", "list") == 0
    assert "ELEVENLABS_API_KEY" in capfd.readouterr().out
    assert command("voice", "list", "elevenlabs") == 2
    assert "no key: set the environment variable" in capfd.readouterr().err
