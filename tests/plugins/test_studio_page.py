"""The studio in Chromium, used as a person would use it, against a server that really runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("facewire_server")
sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.external

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
WIDTH, HEIGHT = 1000, 600  # small, since the processor draws the head
PATIENCE = 60_000  # milliseconds; the machine may be busy
SAID = "Mama mama. Papa has a map."


class Server:
    """``facewire serve`` on a free port, in a process of its own."""

    def __init__(self, token: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "facewire", "serve", "--port", str(port), "--rate", "500"]
        environment = {k: v for k, v in os.environ.items() if k != "FACEWIRE_TOKEN"}
        if token:
            environment["FACEWIRE_TOKEN"] = token
        # a file, since a pipe that nobody reads would fill
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        self.client = httpx.Client(base_url=self.base, timeout=60)
        for _ in range(120):
            try:
                self.client.get("/health")
                return
            except httpx.HTTPError:
                time.sleep(0.25)
        raise RuntimeError("the server did not start")

    def animate(self, accept: str = "application/json", **options: Any) -> httpx.Response:
        answer = self.client.post("/v1/animate", json=options, headers={"Accept": accept})
        assert answer.status_code == 200, answer.text
        return answer

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    started = Server()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def spoken(server: Server) -> dict[str, Any]:
    """What the server makes of what is said."""
    made: dict[str, Any] = server.animate(text=SAID).json()
    return made


@pytest.fixture(scope="module")
def browser(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    heard = tmp_path_factory.mktemp("microphone") / "voice.wav"
    heard.write_bytes(server.animate("audio/wav", text="Mama mama mama mama mama.").content)
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={heard}"]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


class Studio:
    """The page, with what it asked for, sent, and complained of."""

    def __init__(self, browser: Any, base: str, path: str = "/", **options: Any) -> None:
        size = {"width": WIDTH, "height": HEIGHT}
        self.page = browser.new_page(**{"viewport": size, "color_scheme": "light"} | options)
        self.base = base
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.stream: list[dict[str, Any]] = []  # messages both ways, in order
        self.posted: list[dict[str, Any]] = []  # options of what was animated
        self.page.on("request", self._request)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("websocket", self._socket)
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(base + path)
        self.page.wait_for_selector("body[data-ready]")
        assert self.page.get_attribute("body", "data-ready") == "true", self.error()

    def _request(self, request: Any) -> None:
        self.asked.append(request.url)
        body = request.post_data_buffer if request.method == "POST" else None
        if body:
            part = body.partition(b'name="options"\r\n\r\n')[2].partition(b"\r\n")[0]
            self.posted.append(json.loads(part))

    def _socket(self, opened: Any) -> None:
        self.asked.append(opened.url)
        opened.on("framesent", lambda data: self.stream.append({"up": True} | json.loads(data)))
        opened.on("framereceived", lambda data: self.stream.append(json.loads(data)))

    def close(self) -> None:
        """Nothing went elsewhere, and nothing went wrong that nobody was told."""
        here = (self.base + "/", self.base.replace("http", "ws") + "/", "blob:", "data:")
        assert [url for url in self.asked if not url.startswith(here)] == []
        assert self.complaints == []
        self.page.close()

    def error(self) -> str:
        shown = self.page.locator("#error").is_visible()
        return str(self.page.text_content("#error-text")) if shown else ""

    def until(self, condition: str) -> None:
        script = f"() => {{ const body = document.body.dataset; return {condition}; }}"
        self.page.wait_for_function(script)

    def state(self) -> str:
        return str(self.page.get_attribute("body", "data-state"))

    def whole(self) -> None:
        """Wait until what was asked for last has been animated, and nothing plays."""
        self.until("body.take === 'whole' && body.state === 'idle'")
        assert self.error() == ""

    @contextmanager
    def anew(self) -> Iterator[None]:
        """What is done changes the performance: wait until it has been animated again."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/v1/animate")):
            yield
        self.whole()

    def drawn(self) -> None:
        # what was asked for is drawn at the screen's next refresh, and seen at the one after
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def time(self) -> float:
        self.drawn()
        return float(str(self.page.text_content("#time")).split(" ")[0])

    def length(self) -> float:
        self.drawn()
        return float(str(self.page.text_content("#time")).split(" ")[2])

    def speak(self, text: str = SAID) -> None:
        self.page.fill("#text", text)
        self.page.click("#speak")

    def seek(self, frame: int) -> None:
        press = self.page.locator("#timeline").press
        press("Home")
        for key, times in (("Shift+ArrowRight", frame // 10), ("ArrowRight", frame % 10)):
            for _ in range(times):
                press(key)

    def picture(self, element: str = "#face") -> np.ndarray:
        self.drawn()
        with Image.open(io.BytesIO(self.page.locator(element).screenshot())) as image:
            return np.asarray(image.convert("RGB")).astype(int)

    def mouth(self) -> np.ndarray:
        """The part of the picture that the mouth is in."""
        picture = self.picture()
        height, width = picture.shape[:2]
        middle, reach = width // 2, height // 6
        return picture[int(0.66 * height) : int(0.92 * height), middle - reach : middle + reach]

    def keys(self) -> list[str]:
        self.drawn()
        labels = self.page.locator(".key").evaluate_all("e => e.map(k => k.ariaLabel)")
        return [str(label) for label in labels]


def changed(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one - other).sum(2) > 60).mean())


@pytest.fixture
def studio(browser: Any, server: Server) -> Iterator[Studio]:
    opened = Studio(browser, server.base)
    yield opened
    opened.close()


def frame_of(spoken: dict[str, Any], phone: str) -> int:
    """The frame in the middle of the first phone of this kind."""
    marks: list[dict[str, Any]] = spoken["marks"]
    found = next(m for m in marks if m["kind"] == "phone" and phone in m["text"])
    return int(30 * (found["start"] + found["end"]))


def test_speaks_and_the_mouth_moves(studio: Studio, spoken: dict[str, Any]) -> None:
    studio.speak()
    studio.until("body.state === 'speaking'")
    studio.whole()
    assert studio.time() == pytest.approx(studio.length())
    assert studio.length() == pytest.approx(spoken["seconds"], abs=0.02)
    m, a = frame_of(spoken, "m"), frame_of(spoken, "ɑː")
    studio.seek(m)
    assert studio.time() == pytest.approx(m / 60, abs=0.006)
    shut = studio.mouth()
    studio.seek(a)
    assert changed(studio.mouth(), shut) > 0.08
    studio.seek(m)
    assert changed(studio.mouth(), shut) < 0.01
    assert studio.page.text_content("#word") == "Mama"


def test_is_heard_before_it_is_whole(studio: Studio) -> None:
    studio.speak("Once upon a time there was a king who had three daughters. " * 5)
    studio.until("parseFloat(document.querySelector('#time').textContent) > 0.3")
    assert studio.state() == "speaking"
    came = [message["type"] for message in studio.stream if not message.get("up")]
    assert "end" not in came, "the server has not said that all is made"
    # the face's clock against the browser's own; a busy machine draws few frames
    passed = studio.page.evaluate(
        """async () => {
          const at = () => parseFloat(document.querySelector('#time').textContent);
          const [a, t] = [at(), performance.now()];
          await new Promise((done) => setTimeout(done, 1500));
          return [at() - a, (performance.now() - t) / 1000];
        }"""
    )
    assert passed[0] == pytest.approx(passed[1], abs=0.5)


def test_interrupt_shuts_the_mouth(studio: Studio) -> None:
    studio.speak("Well, once upon a time there was a king who had three daughters, and so on.")
    studio.until("parseFloat(document.querySelector('#time').textContent) > 0.8")
    studio.page.keyboard.press("Escape")
    studio.until("body.take === 'cut'")
    assert studio.state() == "listening"
    closing = [m for m in studio.stream if m.get("closing")]
    sent = [m for m in studio.stream if m["type"] == "position"][-1]
    assert len(closing) == 1 and closing[0]["start"] == sent["frame"] + 1
    end = f"document.querySelector('#time').textContent === '{studio.length():.2f} / "
    studio.until(f"{end}{studio.length():.2f} s'")
    assert studio.length() < 3
    assert studio.state() == "listening"


def test_key_is_added_dragged_and_deleted(studio: Studio) -> None:
    studio.speak()
    studio.whole()
    studio.seek(40)
    before = studio.picture()
    studio.seek(80)
    studio.page.keyboard.press("k")
    with studio.anew():
        studio.page.select_option("#emotion", "surprise")
    assert studio.keys() == ["neutral from the beginning", "surprise at 1.33 seconds"]
    assert studio.posted[-1]["track"][1] == {"at": 1.333, "emotion": "surprise"}
    box = studio.page.locator(".key").nth(1).bounding_box()
    x, y = box["x"] + 8, box["y"] + 8
    studio.page.mouse.move(x, y)
    studio.page.mouse.down()
    lane = studio.page.locator("#timeline").bounding_box()
    second = (lane["width"] - 116 - 5) / studio.length()
    studio.page.mouse.move(x - second, y + 3, steps=5)
    with studio.anew():
        studio.page.mouse.up()
    at = studio.posted[-1]["track"][1]["at"]
    assert at == pytest.approx(1 / 3, abs=0.03)
    studio.seek(40)
    assert changed(studio.picture(), before) > 0.01, "the brows have risen by now"
    with studio.anew():
        studio.page.locator(".key").nth(1).press("ArrowRight")
    assert studio.posted[-1]["track"][1]["at"] == pytest.approx(at + 0.05)
    with studio.anew():
        studio.page.locator(".key").nth(1).press("Delete")
    assert studio.keys() == ["neutral from the beginning"]
    assert "track" not in studio.posted[-1]
    studio.seek(40)
    assert changed(studio.picture(), before) < 0.005


def test_records_from_the_microphone(studio: Studio) -> None:
    still = studio.mouth()
    studio.page.click("#record")
    studio.until("body.state === 'recording'")
    moved = 0.0
    for _ in range(40):
        moved = max(moved, changed(studio.mouth(), still))
        if moved > 0.05:
            break
    assert moved > 0.05, "the head follows while it is recorded"
    studio.page.click("#record")
    studio.whole()
    assert studio.page.text_content("#source") == "recording.wav"
    assert studio.length() > 0.5
    assert {m["type"] for m in studio.stream if m.get("up")} >= {"start", "audio"}
    assert studio.asked[-1].endswith("/v1/animate")


def test_a_recording_is_chosen_and_a_broken_one_is_told(
    studio: Studio, server: Server, tmp_path: Path
) -> None:
    take = tmp_path / "Take one.wav"
    take.write_bytes(server.animate("audio/wav", text="Hello.").content)
    studio.page.set_input_files("#file", take)
    studio.whole()
    assert studio.page.text_content("#source") == "Take one.wav"
    assert studio.length() > 0.3
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound at all")
    studio.page.set_input_files("#file", broken)
    studio.until("!document.querySelector('#error').hidden")
    assert len(studio.error()) > 10 and "\n" not in studio.error()
    studio.page.click("#error-close")
    assert studio.error() == ""
    # the browser writes what a server answers with 4xx into its console
    assert len(studio.complaints) == 1 and "415" in studio.complaints.pop()
