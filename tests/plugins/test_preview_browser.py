"""The page of preview.html in Chromium, opened from disk and used as a person would."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.emotion import EmotionCurve
from facewire.rig import Rig
from facewire.types import Audio, Block, Frames, Mark, RunInfo
from facewire_preview.page import HtmlSink
from PIL import Image
from test_preview_heads import small_glb, vrm0, written

pytestmark = pytest.mark.external
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
RIG, FPS, RATE = Rig.named("arkit61"), Fraction(60), 24000
M, AA = 0.25, 0.75  # seconds: the middle of the lips' closure, and of the vowel
WIDTH, HEIGHT = 1180, 1000
TIME = "parseFloat(document.querySelector('#time').textContent)"


def made(path: Path, head: Path | None = None) -> tuple[Path, np.ndarray]:
    """Write the page of two seconds: /m/ for half a second, /aa/ for half a second, twice."""
    jaw = 0.5 * ((np.arange(120) // 30) % 2)
    values = np.zeros((120, len(RIG)), np.float32)
    values[:, RIG.index("jawOpen")] = jaw
    values[:, RIG.index("browInnerUp")] = np.linspace(0, 0.3, 120)
    sound = (0.3 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 220 / RATE)).astype(np.float32)
    marks = [Mark("word", "ma", 0, RATE), Mark("word", "ma", RATE, 2 * RATE)]
    for at, text in enumerate(("M", "AA1", "M", "AA0")):
        marks.append(Mark("phone", text, at * RATE // 2, (at + 1) * RATE // 2))
    sink = HtmlSink(path, head)
    sink.open(RunInfo("mama", RIG, FPS, RATE))
    for at in range(0, 120, 40):
        frames = Frames(values[at : at + 40], RIG, FPS, at)
        first, last = at * 400, (at + 40) * 400
        said = tuple(m for m in marks if first <= m.start < last)
        audio = Audio(sound[first:last], RATE, first, said)
        sink.push(Block(frames, EmotionCurve().sample(at, 40, FPS), audio))
    sink.close()
    return path, values


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


class Opened:
    """A page, with what it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light", script: str = "") -> None:
        size = {"width": WIDTH, "height": HEIGHT}
        self.page = browser.new_page(viewport=size, color_scheme=scheme)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.add_init_script(script)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]")
        assert self.page.get_attribute("body", "data-ready") == "true", self.text("told")

    def text(self, element: str) -> str:
        return str(self.page.text_content(f"#{element}"))

    def time(self) -> float:
        return float(self.text("time").split(" ")[0])

    def until(self, element: str, text: str) -> None:
        sync_api.expect(self.page.locator(f"#{element}")).to_have_text(text)

    def picture(self, element: str = "face") -> np.ndarray:
        # what was asked for is drawn at the screen's next refresh, and seen at the one after
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        with Image.open(io.BytesIO(self.page.locator(f"#{element}").screenshot())) as image:
            return np.asarray(image.convert("RGB")).astype(int)

    def seek(self, seconds: float) -> None:
        self.page.fill("#scrub", str(seconds))


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    page = Opened(browser, made(tmp_path / "mama.html")[0])
    yield page
    # the file itself, and the picture of its own data that blob: addresses name
    assert [url for url in page.asked[1:] if not url.startswith("blob:")] == []
    assert page.asked[0].startswith("file://")
    assert page.said == []
    page.page.close()


def test_mouth_differs_between_m_and_a(opened: Opened) -> None:
    opened.seek(M)
    shut = opened.picture()
    opened.seek(AA)
    wide = opened.picture()
    height, width = shut.shape[:2]
    changed = np.abs(wide - shut).sum(2) > 60
    mouth = changed[height // 2 :, int(0.42 * width) : int(0.58 * width)]
    assert mouth.mean() > 0.03
    assert changed[: height // 4].sum() == 0, "the hair does not move"
    opened.seek(M + 1)
    again = np.abs(opened.picture() - shut).sum(2) > 60
    assert again[height // 2 :, int(0.42 * width) : int(0.58 * width)].mean() < 0.01


def test_plays_with_the_sound_pauses_loops_and_ends(opened: Opened) -> None:
    opened.page.click("#play")
    opened.page.wait_for_function(f"() => {TIME} > 0.1")
    # the face's clock against the browser's own
    passed = opened.page.evaluate(
        """async () => {
          const at = () => parseFloat(document.querySelector('#time').textContent);
          const wait = (ms) => new Promise((done) => setTimeout(done, ms));
          const [a, t] = [at(), performance.now()];
          await wait(1200);
          return [at() - a, (performance.now() - t) / 1000];
        }"""
    )
    # what is read may be a drawn frame old, and a busy machine draws few
    assert passed[0] == pytest.approx(passed[1], abs=0.4)
    assert opened.text("play") == "Pause"
    opened.page.click("#play")
    opened.until("play", "Play")
    opened.picture()
    stopped = opened.time()
    opened.page.wait_for_timeout(300)
    assert opened.time() == stopped
    opened.seek(1.8)
    opened.page.click("#play")
    opened.page.wait_for_function("() => document.querySelector('#play').textContent === 'Play'")
    assert opened.time() == 2.0
    opened.page.click("#loop")
    opened.seek(1.8)
    opened.page.click("#play")
    opened.page.wait_for_function(f"() => {{ const t = {TIME}; return t > 0.2 && t < 1.7; }}")
    assert opened.text("play") == "Pause"


def test_half_speed_is_half_as_fast(opened: Opened) -> None:
    opened.page.select_option("#speed", "0.5")
    opened.page.click("#play")
    opened.page.wait_for_function(f"() => {TIME} > 0.05")
    before = opened.time()
    opened.page.wait_for_timeout(800)
    assert 0.1 < opened.time() - before < 0.7


def test_keys(opened: Opened) -> None:
    press = opened.page.keyboard.press

    press("ArrowRight")
    press("ArrowRight")
    opened.until("frame", "frame 2")
    press("Shift+ArrowRight")
    press("ArrowLeft")
    opened.until("frame", "frame 11")
    press("End")
    opened.until("time", "2.00 / 2.00 s")
    press("Home")
    opened.until("time", "0.00 / 2.00 s")
    press("l")
    assert opened.page.get_attribute("#loop", "aria-pressed") == "true"
    press(",")
    assert opened.page.input_value("#speed") == "0.75"
    press("Space")
    opened.until("play", "Pause")
    press("Space")
    opened.until("play", "Play")


def test_head_turns_and_comes_back(opened: Opened) -> None:
    front = opened.picture()
    box = opened.page.locator("#face").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.page.mouse.move(x, y)
    opened.page.mouse.down()
    opened.page.mouse.move(x + 90, y, steps=4)
    opened.page.mouse.up()
    turned = opened.picture()
    assert (np.abs(turned - front).sum(2) > 60).mean() > 0.05
    opened.page.keyboard.press("f")
    assert np.abs(opened.picture() - front).max() < 20


def test_timeline_is_clicked_and_shows_the_channels(opened: Opened) -> None:
    box = opened.page.locator("#timeline").bounding_box()
    opened.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 30)
    before = opened.picture("timeline")
    assert 1.2 < opened.time() < 1.6
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 20
    opened.page.click("summary")
    opened.page.get_by_label("jawOpen", exact=True).uncheck()
    assert (np.abs(opened.picture("timeline") - before).sum(2) > 60).sum() > 100
    assert opened.page.locator("#channels input").count() == len(RIG)


def test_download_is_the_runs_own_numbers(browser: Any, tmp_path: Path) -> None:
    path, values = made(tmp_path / "mama.html")
    page = Opened(browser, path).page
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "mama.frames.csv"
    rows = list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert rows[0] == ["frame", "seconds", *RIG.channels]
    table = np.array(rows[1:], np.float64)
    assert np.array_equal(table[:, 2:].astype(np.float32), values)
    assert np.allclose(table[:, 1], np.arange(120) / 60, atol=1e-6)
    page.close()


def test_light_and_dark(browser: Any, tmp_path: Path) -> None:
    path, _ = made(tmp_path / "a.html")
    shade = {}
    for scheme in ("light", "dark"):
        opened = Opened(browser, path, scheme)
        shade[scheme] = opened.picture()[5, 5].mean(), opened.picture("timeline")[5, 5].mean()
        assert opened.said == []
        opened.page.close()
    assert min(shade["light"]) > 150 > 80 > max(shade["dark"])


def test_without_webgl_the_rest_works(browser: Any, tmp_path: Path) -> None:
    none = """
      const whole = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        return kind.startsWith("webgl") ? null : whole.call(this, kind, ...more);
      };"""
    opened = Opened(browser, made(tmp_path / "a.html")[0], script=none)
    assert opened.text("told").startswith("WebGL is switched off")
    opened.page.keyboard.press("ArrowRight")
    opened.until("frame", "frame 1")
    opened.page.close()


@pytest.mark.parametrize("kind", ["glb", "vrm"])
def test_a_head_of_ones_own(browser: Any, tmp_path: Path, kind: str) -> None:
    parts = small_glb(["head.jaw_open"]) if kind == "glb" else vrm0(["one", "two"])
    own = written(tmp_path / f"mine.{kind}", parts)
    opened = Opened(browser, made(tmp_path / "b.html", own)[0])
    assert opened.text("told").startswith("Head: 1 of 52 ARKit shapes matched; missing: ")
    opened.seek(M)
    shut = opened.picture()
    opened.seek(AA)
    assert (np.abs(opened.picture() - shut).sum(2) > 60).sum() > 500
    assert opened.said == []
    opened.page.close()
