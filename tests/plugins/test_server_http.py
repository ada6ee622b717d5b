"""The server's HTTP answers: NeuroSync's endpoint, clips in every format, and the lists."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import facewire
import httpx
import numpy as np
import pytest
import soundfile
from facewire.assemble import Assembly
from facewire.pipeline import Pipeline
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.speech import trust_marks
from server_parts import Served, as_file, serving, speech

RIG = Rig.named("neurosync68")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as made:
        yield made


def blendshapes(client: httpx.Client, body: bytes, kind: str = "application/octet-stream") -> dict:
    answer = client.post("/audio_to_blendshapes", content=body, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    return answer.json()


# -- NeuroSync -----------------------------------------------------------------------------------


def test_a_client_of_neurosync_works_unchanged(served: Served) -> None:
    """What its player does: POST the bytes of a file, read `blendshapes`; it knows nothing else."""
    body = as_file(speech(1.0))
    request = Request(
        f"{served.url}/audio_to_blendshapes", body, {"Content-Type": "application/octet-stream"}
    )
    with urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    rows = np.array(told["blendshapes"])
    assert rows.shape == (60, 68) and told["num_frames"] == 60 and told["frame_rate"] == 60
    assert rows[:, RIG.index("jawOpen")].max() > 0.05
    assert np.allclose(rows[:, 61:].sum(axis=1), 100, atol=0.01)
    assert np.allclose(rows[:, RIG.index("emotionNeutral")], 100, atol=0.01)


def test_columns_are_the_engines_by_index(client: httpx.Client, tmp_path: Path) -> None:
    wav = tmp_path / "clip.wav"
    wav.write_bytes(as_file(speech(0.8), form="WAV"))
    clip = facewire.animate(wav, profile=load_profile("default", ["rig=neurosync68"]))
    rows = np.array(blendshapes(client, wav.read_bytes())["blendshapes"])
    assert np.abs(rows[:, :61] - clip.frames.values[:, :61]).max() < 1e-6


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_sound_is_told_by_its_content(client: httpx.Client, form: str) -> None:
    told = blendshapes(client, as_file(speech(1.0), form=form), "audio/wav")
    assert 60 <= told["num_frames"] <= 66  # MP3 is padded


def test_raw_samples_where_the_content_type_says_so(client: httpx.Client) -> None:
    ints = (speech(0.5) * 32767).astype("<i2")
    whole = blendshapes(client, as_file(ints, 16000))["blendshapes"]
    for kind, data in (
        ("audio/pcm;rate=16000", ints.tobytes()),
        ("audio/L16; rate=16000; channels=1", ints.astype(">i2").tobytes()),
        ("audio/pcm;rate=16000;bits=32", (ints / 32768).astype("<f4").tobytes()),
        ("audio/pcm;rate=16000;channels=2", np.repeat(ints, 2).tobytes()),
    ):
        rows = blendshapes(client, data, kind)["blendshapes"]
        assert np.abs(np.array(rows) - np.array(whole)).max() < 1e-5, kind


@pytest.mark.parametrize(
    "kind", ["application/octet-stream", "", "audio/wav", "application/x-www-form-urlencoded"]
)
def test_raw_samples_are_never_guessed(client: httpx.Client, kind: str) -> None:
    body = (speech(0.5) * 32767).astype("<i2").tobytes()
    answer = client.post("/audio_to_blendshapes", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.json()["error"].startswith("sound: not a format this reads (expected WAV, MP3")


@pytest.mark.parametrize(
    ("kind", "status", "line"),
    [
        ("audio/pcm", 400, "raw samples: rate is ''"),
        ("audio/pcm;rate=5", 400, "raw samples: rate is '5', expected 8000 to 192000"),
        ("audio/pcm;rate=16000;bits=24", 400, "raw samples: bits is 24"),
        ("audio/pcm;rate=16000;channels=0", 400, "raw samples: channels is '0'"),
        ("audio/pcm;rate=16000;channels=7", 415, "raw samples: 101 bytes are no whole number"),
    ],
)
def test_raw_samples_that_are_described_wrongly(
    client: httpx.Client, kind: str, status: int, line: str
) -> None:
    answer = client.post(
        "/audio_to_blendshapes", content=b"a" * 101, headers={"content-type": kind}
    )
    assert answer.status_code == status
    assert answer.json()["error"].startswith(line)


def test_bodies_without_enough_sound(client: httpx.Client) -> None:
    answer = client.post("/audio_to_blendshapes", content=b"")
    assert (answer.status_code, answer.json()) == (400, {"error": "No audio data provided"})
    for count in (0, 1, 7349):
        told = blendshapes(client, as_file(speech(1.0, 88200)[:count], 88200))
        assert told == {"blendshapes": [], "num_frames": 0, "frame_rate": 60}
    assert blendshapes(client, as_file(speech(1.0, 88200)[:7350], 88200))["num_frames"] > 0
    cut = as_file(speech(1.0))[:20000]
    assert blendshapes(client, cut)["num_frames"] == 38  # what is there


def test_health_and_root(client: httpx.Client) -> None:
    told = client.get("/health").json()
    assert set(told) == {"status", "device", "model_loaded", "cuda_available"}
    assert (told["status"], told["device"], told["model_loaded"]) == ("operational", "cpu", True)
    told = client.get("/").json()
    assert set(told) == {"name", "description", "version", "endpoints", "documentation"}
    assert client.get("/audio_to_blendshapes").status_code == 405
    assert client.get("/v1/nothing").json()["error"].startswith("there is no /v1/nothing")


# -- clips ---------------------------------------------------------------------------------------


def test_a_text_as_json(client: httpx.Client) -> None:
    asked = {"text": "[joy:80] Hello, I am Ada.", "sound": True}
    told = client.post("/v1/animate", json=asked).json()
    clip = facewire.animate(text=asked["text"])
    assert np.abs(np.array(told["frames"]) - clip.frames.values).max() < 1e-6
    assert told["rig"] == {"name": "arkit61", "channels": list(clip.frames.rig.channels)}
    assert (told["fps"], told["rate"]) == (60, clip.audio.rate)
    words = [mark["text"] for mark in told["marks"] if mark["kind"] == "word"]
    assert words == ["Hello", "I am", "Ada"]
    assert all(0 <= m["start"] <= m["end"] <= told["seconds"] for m in told["marks"])
    sound, rate = soundfile.read(io.BytesIO(b64decode(told["audio"])))
    assert rate == told["rate"] and len(sound) == round(told["seconds"] * rate)
    assert {"kind": "model", "name": "trajectory"}.items() <= told["report"]["stages"][3].items()


def test_the_same_sound_however_it_is_sent(client: httpx.Client) -> None:
    wav = as_file(speech(0.6))
    options = {"emotion": "joy:80", "strength": 1.5, "fps": 30, "seed": 7}
    form = client.post(
        "/v1/animate",
        files={"audio": ("../../etc/passwd", wav, "audio/wav")},
        data={"options": json.dumps(options)},
    ).json()
    body = client.post(
        "/v1/animate", content=wav, params=options, headers={"content-type": "audio/wav"}
    ).json()
    assert form["frames"] == body["frames"] and form["fps"] == 30
    assert len(form["frames"]) == 18
    plain = client.post("/v1/animate", files={"audio": ("a.wav", wav)}).json()
    assert len(plain["frames"]) == 36
    smile = Rig.named("arkit61").index("mouthSmileLeft")
    assert (
        np.array(form["frames"])[:, smile].max() > np.array(plain["frames"])[:, smile].max() + 0.1
    )


def test_answers_by_accept_are_the_sinks_files(client: httpx.Client, tmp_path: Path) -> None:
    text = {"text": "My mother may map it."}
    clip = facewire.animate(text=text["text"])
    for suffix, kind in (
        (".csv", "text/csv"),
        (".npz", "application/x-npz"),
        (".wav", "audio/wav"),
    ):
        answer = client.post("/v1/animate", json=text, headers={"accept": f"{kind}, */*;q=0.1"})
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="clip{suffix}"'
        saved = clip.save(tmp_path / f"clip{suffix}").read_bytes()
        if suffix == ".npz":
            one, other = (np.load(io.BytesIO(data)) for data in (answer.content, saved))
            assert np.array_equal(one["values"], other["values"])
        else:
            assert len(answer.content) == len(saved)
    page = client.post("/v1/animate", json=text, headers={"accept": "text/html"})
    assert page.text.startswith("<!doctype html>") and "hello" not in page.text[:2000].lower()


def test_what_cannot_be_made_is_406(client: httpx.Client) -> None:
    answer = client.post("/v1/animate", json={"text": "Hi"}, headers={"accept": "image/x-none"})
    assert answer.status_code == 406
    listed = [form["type"] for form in client.get("/v1/formats").json()]
    assert answer.json()["error"].endswith(f"there is {', '.join(listed)}")
    assert {"application/json", "application/x-npz", "text/csv", "text/html"} <= set(listed)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "found no text and no audio"),
        ({"text": "  "}, "found no text and no audio"),
        ({"text": "Hi", "profile": "defult"}, "profile: there is no 'defult'; did you mean 'defau"),
        ({"text": "Hi", "profile": "../default"}, "profile: there is no '../default'"),
        ({"text": "Hi", "profile": "default.yaml"}, "profile: there is no 'default.yaml'"),
        (
            {"text": "Hi", "emotion": "/etc/passwd.yaml"},
            "emotion: emotion '/etc/passwd.yaml' is un",
        ),
        (
            {"text": "Hi", "emotion": "joi"},
            "emotion: emotion 'joi' is unknown; did you mean 'joy'?",
        ),
        ({"text": "Hi", "strength": 9}, "strength: found 9, expected 0 to 2"),
        ({"text": "Hi", "fps": 0}, "fps: found 0, expected 1 to 240"),
        ({"text": "Hi", "seed": -1}, "seed: found -1, expected 0 to"),
        ({"text": "Hi", "voice": "../../x"}, "voice: found '../../x', expected an id"),
        ({"text": "Hi", "lang": "x y"}, "lang: found 'x y', expected one such as en"),
        ({"text": "Hi", "mead": {"joy": 2}}, "mead.joy: found 2, expected 0 to 1"),
        ({"text": "Hi", "sinks": ["files.wav"]}, "options: Object contains unknown field `sinks`"),
        ({"text": "Hi", "track": [{"at": 1}]}, "track[0]: found no 'emotion'"),
        ({"text": "[jo] Hi"}, "text, character"),
    ],
)
def test_options_that_are_wrong(client: httpx.Client, options: dict, line: str) -> None:
    answer = client.post("/v1/animate", json=options)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.startswith(line) and "\n" not in error


def test_emotion_by_track_sliders_and_numbers(client: httpx.Client) -> None:
    text = "One two three four five six seven."
    track = [{"at": 0, "emotion": "joy"}, {"at": 1.0, "emotion": "sadness"}]
    valence = {}
    for name, options in {
        "track": {"track": track},
        "mead": {"mead": {"joy": 0.5, "anger": 0.5}},
        "numbers": {"emotion": {"vad": [0.9, 0.7, 0.7]}},
        "name": {"emotion": "joy:50"},
    }.items():
        told = client.post("/v1/animate", json={"text": text, **options}).json()
        valence[name] = np.array(told["vad"])[:, 0]
    assert valence["track"][:30].mean() > 0.7 and valence["track"][-10:].mean() < 0.35
    assert abs(valence["mead"].mean() - (0.87 + 0.17) / 2) < 0.05
    assert abs(valence["numbers"].mean() - 0.9) < 0.03
    assert abs(valence["name"].mean() - 0.685) < 0.03


# -- lists ---------------------------------------------------------------------------------------


def test_lists(client: httpx.Client) -> None:
    profiles = {row["name"]: row for row in client.get("/v1/profiles").json()}
    assert next(iter(profiles)) == "default"
    assert profiles["default"]["model"] == "trajectory" and profiles["default"]["voice"] is True
    assert profiles["default"]["summary"].startswith("The profile that runs when none is named")
    plugins = {row["name"]: row for row in client.get("/v1/plugins").json()}
    assert plugins["server"]["status"] == "loaded"
    vocabulary = client.get("/v1/vocabulary").json()
    assert len(vocabulary["names"]) == 27 and len(vocabulary["labels"]) == 16
    assert vocabulary["names"][1]["name"] == "joy" and "happy" in vocabulary["names"][1]["aliases"]
    presets = client.get("/v1/presets").json()
    assert len(presets["presets"]) == 47 and len(presets["rig"]) == 52
    assert client.get("/v1/head.glb").content[:4] == b"glTF"
    assert isinstance(client.get("/v1/voices", params={"profile": "default"}).json(), list)
    assert client.get("/v1/voices", params={"profile": "none"}).status_code == 400


def test_metrics(client: httpx.Client) -> None:
    client.get("/health")
    text = client.get("/metrics").text
    assert 'facewire_requests_total{path="/health",status="200"}' in text
    assert "facewire_sessions 0.0" in text


def test_the_sound_of_a_text_is_not_listened_to(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def trusted(assembly: Assembly, pipeline: Pipeline) -> None:
        trust_marks(assembly, pipeline)
        assert pipeline.extractor is not None
        found.append(type(pipeline.extractor.stage).__name__)

    monkeypatch.setattr("facewire.session.trust_marks", trusted)
    assert client.post("/v1/animate", json={"text": "Hello."}).status_code == 200
    assert found == ["MelExtractor"]
