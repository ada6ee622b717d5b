"""The sinks of facewire-preview: the page's contents, the film strip, the video, failures."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.articulation import lip_gap
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError, InputError, ProfileError, StageError
from facewire.rig import Rig
from facewire.types import Audio, Block, Context, Frames, Mark, RunInfo, first_sample
from facewire_preview import plugin
from facewire_preview.page import HtmlSink
from facewire_preview.plugin import HtmlConfig, StripConfig, VideoConfig
from facewire_preview.strip import StripSink, moments
from facewire_preview.take import Take
from facewire_preview.video import VideoSink
from PIL import Image

RIG, FPS, RATE = Rig.named("arkit61"), Fraction(60), 16000
SINKS = {part.name: part for part in plugin.facewire_sinks()}
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def talking(frames: int) -> np.ndarray:
    """A mouth that opens and shuts three times a second."""
    values = np.zeros((frames, len(RIG)), np.float32)
    swing = np.sin(np.arange(frames) * 2 * np.pi * 3 / 60)
    values[:, RIG.index("jawOpen")] = np.maximum(0, 0.5 * swing)
    values[:, RIG.index("headYaw")] = 0.1 * swing
    return values


def blocks(values: np.ndarray, start: int = 0, marks: bool = True) -> Iterator[Block]:
    rng = np.random.default_rng(0)
    for at in range(0, len(values), 50):
        part = values[at : at + 50]
        first, last = (first_sample(k, RATE, FPS) for k in (start + at, start + at + len(part)))
        sound = rng.uniform(-0.5, 0.5, last - first).astype(np.float32)
        said: tuple[Mark, ...] = ()
        if marks:
            said = (
                Mark("word", f"w{at}", first, (first + last) // 2),
                Mark("phone", "M", first, first + 800),
            )
        frames = Frames(part, RIG, FPS, start + at)
        emotion = EmotionCurve().sample(start + at, len(part), FPS)
        yield Block(frames, emotion, Audio(sound, RATE, first, said))


def run(sink, values: np.ndarray, name: str = "clip", start: int = 0) -> Path:
    sink.open(RunInfo(name, RIG, FPS, RATE))
    for block in blocks(values, start):
        sink.push(block)
    sink.close()
    return sink.path


def held(page: str, key: str) -> str:
    found = re.search(rf'<script type="text/plain" id="data-{key}">(.*?)</script>', page, re.DOTALL)
    assert found, key
    return found[1]


def unpacked(page: str, key: str, columns: int) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(base64.b64decode(held(page, key))), np.uint8)
    whole = np.ascontiguousarray(planes.reshape(4, -1).T).view("<f4")
    return whole.reshape(columns, -1).T


def test_page_holds_the_very_numbers_of_the_run(tmp_path: Path) -> None:
    values = talking(130)
    values += np.random.default_rng(1).normal(0, 0.01, values.shape).astype(np.float32)
    page = run(HtmlSink(tmp_path / "a.html"), values, start=7).read_text("utf-8")
    about = json.loads(held(page, "about"))
    assert (about["frames"], about["fps"], about["start"]) == (130, [60, 1], 7)
    assert about["channels"] == list(RIG.channels)
    assert np.array_equal(unpacked(page, "frames", len(RIG)), values)
    assert np.allclose(unpacked(page, "gap", 1)[:, 0], lip_gap(values, RIG), atol=1e-6)
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(held(page, "audio"))))
    sent = np.concatenate([block.audio.samples for block in blocks(values, 7)])
    assert rate == RATE and np.allclose(sound, sent, atol=2 / 32768)
    marks = [m for m in about["marks"] if m[0] == "word"]
    assert [m[1] for m in marks] == ["w0", "w50", "w100"]
    assert [m[2] for m in marks] == pytest.approx([0, 50 / 60, 100 / 60], abs=1e-4)
    emotion = np.frombuffer(zlib.decompress(base64.b64decode(held(page, "emotion"))), np.uint8)
    assert emotion.reshape(-1, 5)[0].tolist() == [0, 255, 128, 76, 128]


def test_page_of_ten_seconds_is_under_four_megabytes(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (600, len(RIG))).astype(np.float32)
    sink = HtmlSink(tmp_path / "a.html")
    sink.open(RunInfo("clip", RIG, FPS, 48000))
    for at in range(0, 600, 60):
        sound = np.random.default_rng(at).uniform(-0.5, 0.5, 48000).astype(np.float32)
        frames = Frames(values[at : at + 60], RIG, FPS, at)
        emotion = EmotionCurve().sample(at, 60, FPS)
        sink.push(Block(frames, emotion, Audio(sound, 48000, at * 800)))
    sink.close()
    assert sink.path.stat().st_size < 4_000_000  # noise, the worst there is; speech is half


def test_page_is_sealed_and_text_cannot_leave_its_place(tmp_path: Path) -> None:
    sink = HtmlSink(tmp_path / "a.html")
    name = "</script><script>alert(1)</script>{{PLAYER}}&\"'\ud800"
    sink.open(RunInfo(name, RIG, FPS, RATE))
    block = next(blocks(talking(20), marks=False))
    text = "</script><!--\u2028\n\x00{{DATA}}"
    audio = replace(block.audio, marks=(Mark("word", text, 0, 500),))
    sink.push(replace(block, audio=audio))
    sink.close()
    page = sink.path.read_text("utf-8")
    assert "alert(1)</script>" not in page
    assert page.count("<script") == page.count("</script>") == 8
    assert "&lt;/script&gt;" in page
    about = json.loads(held(page, "about"))
    assert about["name"] == name
    assert about["marks"][0][1] == "</script><!-- {{DATA}}"
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "default-src 'none'" in markup
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!blob|data)\w""", markup)


@pytest.mark.parametrize("name", list(SINKS))
def test_empty_run_and_repeat(name: str, tmp_path: Path) -> None:
    part = SINKS[name]
    if part.example is None:
        pytest.skip("ffmpeg is not installed")
    for frames in (0, 3):
        made = []
        for out in (tmp_path / "a", tmp_path / "b"):
            sink = part.make(part.example, Context(out=out))
            made.append(run(sink, talking(frames)).read_bytes())
        assert made[0] == made[1] and len(made[0]) > 100
    assert [p.suffix for p in (tmp_path / "a").iterdir()] == [part.suffixes[0]]


@pytest.mark.parametrize("name", list(SINKS))
def test_bad_blocks_and_abort(name: str, tmp_path: Path) -> None:
    part = SINKS[name]
    if part.example is None:
        pytest.skip("ffmpeg is not installed")
    sink = part.make(part.example, Context(out=tmp_path))
    sink.path.write_text("precious")
    good, later = list(blocks(talking(100)))
    wrong = talking(50)
    wrong[3, 5] = np.nan
    hurt = next(blocks(wrong))
    for block, message in ((later, "frame 50 came where 0"), (hurt, "frame 3: .* is nan")):
        sink.open(RunInfo("clip", RIG, FPS, RATE))
        if block is later:
            sink.push(replace(good, frames=Frames(good.frames.values[:0], RIG, FPS, 0)))
        with pytest.raises(StageError, match=message):
            sink.push(block)
        sink.abort()
    sink.open(RunInfo("clip", RIG, FPS, RATE))
    sink.push(good)
    sink.abort()
    assert sink.path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [sink.path]


def test_huge_but_finite_input(tmp_path: Path) -> None:
    values = np.full((20, len(RIG)), 1e30, np.float32)
    page = run(HtmlSink(tmp_path / "a.html"), values).read_text("utf-8")
    assert np.array_equal(unpacked(page, "frames", len(RIG)), values)
    run(StripSink(tmp_path / "a.png", None, 4, 64), values)


def take_of(values: np.ndarray, marks: bool = True) -> Take:
    take = Take(RunInfo("clip", RIG, FPS, RATE), "here")
    for block in blocks(values, marks=marks):
        take.add(block)
    return take


def test_strip_takes_apexes_and_closures() -> None:
    values = talking(150)
    found = moments(take_of(values), 20)
    jaw = values[:, RIG.index("jawOpen")]
    words = [m for m in found if m.text.startswith("w")]
    closed = [m for m in found if m.text.startswith("closed")]
    assert [m.text for m in words] == ["w0", "w50", "w100"]
    assert all(jaw[m.frame] > 0.45 for m in words)
    assert len(closed) >= 5 and all(jaw[m.frame] == 0 for m in closed)
    assert [m.frame for m in found] == sorted({m.frame for m in found})
    assert len(moments(take_of(values), 4)) == 4


def test_strip_without_words_takes_the_widest_openings() -> None:
    values = talking(150)
    found = [m for m in moments(take_of(values, marks=False), 20) if m.text == "open"]
    assert len(found) >= 7
    assert all(values[m.frame, RIG.index("jawOpen")] > 0.45 for m in found)


def test_strip_of_a_still_face_is_spread_over_the_take() -> None:
    found = moments(take_of(np.zeros((120, len(RIG)), np.float32), marks=False), 4)
    assert [m.frame for m in found] == [0, 39, 79, 119]


def test_strip_picture(tmp_path: Path) -> None:
    path = run(StripSink(tmp_path / "a.png", None, 5, 64), talking(150))
    with Image.open(path) as image:
        assert image.format == "PNG" and image.size == (5 * 64, 64 + 24)
        faces = np.asarray(image).astype(int)[:64]
    first, second = faces[:, :64], faces[:, 64:128]
    assert np.abs(first - second).max() > 60, "an open mouth beside a closed one"


@needs_ffmpeg
@pytest.mark.external
def test_video_has_picture_and_sound(tmp_path: Path) -> None:
    sink = SINKS["preview.video"].make(VideoConfig(size=97, fps=60), Context(out=tmp_path))
    assert sink.fps == 60
    path = run(sink, talking(90))
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    video, audio = sorted(told["streams"], key=lambda s: s["codec_type"], reverse=True)
    assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
    assert (video["width"], video["height"]) == (96, 96)
    assert (int(video["nb_frames"]), video["r_frame_rate"]) == (90, "60/1")
    assert (audio["codec_name"], audio["sample_rate"]) == ("aac", str(RATE))
    assert float(audio["duration"]) == pytest.approx(1.5, abs=0.1)
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True,
        check=True,
    ).stdout
    seen = np.frombuffer(raw, np.uint8).reshape(90, 96, 96).astype(int)
    assert np.abs(seen[5] - seen[15]).max() > 40, "the mouth moves"


@needs_ffmpeg
def test_video_that_ffmpeg_refuses_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = VideoSink(tmp_path / "a.mp4", None, 64, 30)
    whole = sink._command
    monkeypatch.setattr(sink, "_command", lambda *a: [*whole(*a)[:-1], str(tmp_path / "x" / "y")])
    with pytest.raises(FacewireError, match=r"a\.mp4: ffmpeg failed: .*[Nn]o such file") as caught:
        run(sink, talking(200))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    part = {p.name: p for p in plugin.facewire_sinks()}["preview.video"]
    assert part.example is None and part.needs == ("ffmpeg",)
    with pytest.raises(FacewireError, match="ffmpeg was not found; install it"):
        part.make(VideoConfig(), Context(out=tmp_path))
    (check,) = plugin.facewire_checks()
    with pytest.raises(FacewireError, match="ffmpeg was not found"):
        check.run()


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("preview.strip", StripConfig(faces=0), "faces is 0, expected 1 to 64"),
        ("preview.strip", StripConfig(size=5000), "size is 5000, expected 64 to 1024"),
        ("preview.video", VideoConfig(fps=0), "fps is 0, expected 1 to 60"),
        ("preview.html", HtmlConfig(path="{who}.html"), "the only braces"),
    ],
)
def test_options_out_of_range(name: str, config: object, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        SINKS[name].make(config, Context())


def test_a_head_of_ones_own_is_relative_to_the_profile(tmp_path: Path) -> None:
    own = Path(plugin.__file__).parent / "data/head.glb"
    shutil.copy(own, tmp_path / "mine.glb")
    context = Context(base=tmp_path, out=tmp_path / "out")
    sink = SINKS["preview.html"].make(HtmlConfig(head="mine.glb"), context)
    assert sink.report() == ["head: 52 of 52 ARKit shapes matched"]
    page = run(sink, talking(10)).read_text("utf-8")
    assert zlib.decompress(base64.b64decode(held(page, "head"))) == own.read_bytes()
    with pytest.raises(InputError, match="the head cannot be read"):
        SINKS["preview.html"].make(HtmlConfig(head="none.glb"), context)


def test_a_page_holds_the_beginning_of_a_long_run_and_says_so(tmp_path: Path) -> None:
    sink = HtmlSink(tmp_path / "long.html", minutes=1 / 60)
    values = np.zeros((64 * 3, len(RIG)), np.float32)
    page = run(sink, values, "long")
    assert '"frames":100' in page.read_text("utf-8").replace(" ", "")
    assert sink.report() == ["long.html holds the first 0.0166667 minutes of the run"]
