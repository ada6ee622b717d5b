"""``facewire bake --review`` and ``--decisions``: the page, what is kept, and the browser."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from click.testing import CliRunner
from facewire.baking.decisions import Decision, kept_decisions, load_decisions
from facewire.cli.bake import command
from facewire.errors import InputError

PROFILE = 'model: phonemes\nsinks: [{use: files.npz, path: "{out}/{name}.npz"}]\n'
CHROMIUM = shutil.which("chromium")
EVIL = "</script><b>Bad & bold.</b>"


@pytest.fixture
def scene(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")
    write({"id": "a", "text": "Maybe a map."}, {"id": "b", "text": "[joy:70] Bye, Bob!"},
          {"id": "gone", "audio": "gone.wav", "transcript": EVIL})  # fmt: skip
    return tmp_path


def write(*turns: dict) -> None:
    Path("s.jsonl").write_text("".join(json.dumps(turn) + "\n" for turn in turns), "utf-8")


def bake(*args: str, code: int = 0) -> str:
    done = CliRunner().invoke(command, ["s.jsonl", "--profile", "p.yaml", "--workers", "1", *args])
    assert done.exit_code == code, done.output
    return done.output


def shown(name: str) -> dict[str, Any]:
    text = Path(f"out/review/{name}.js").read_text("utf-8")
    assert text.startswith("line({") and text.endswith("})\n")
    found: dict[str, Any] = json.loads(text[5:-2])
    return found


def rows() -> list[dict[str, Any]]:
    page = Path("out/review.html").read_text("utf-8")
    (text,) = re.findall(r'id="rows">(.*?)</script>', page, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def decide(**lines: dict) -> None:
    text = json.dumps({"facewire": "review", "lines": lines})
    Path("review.json").write_text(text, "utf-8")


def test_the_page_lists_lines_worst_first_with_what_they_need(scene) -> None:
    bake("--review", code=1)  # one line has no sound
    found = rows()
    assert [row["name"] for row in found] == ["gone", "a", "b"]
    assert found[0]["suspicion"] == 1 and "no such file" in found[0]["causes"][0]
    assert found[0]["text"] == EVIL and found[0]["data"] == ""
    assert found[1]["data"] == "review/a.js" and found[1]["suspicion"] < 0.3
    data = shown("a")
    assert [word[0] for word in data["words"]] == ["Maybe", "a", "map"]
    assert len(data["gap"]) == len(data["jaw"]) == math.ceil(data["seconds"] * 60)
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data["sound"].split(",")[1])))
    assert len(sound) / rate == pytest.approx(data["seconds"], abs=1e-3)
    assert max(data["peaks"]) == pytest.approx(abs(sound).max() * 127, abs=2)


def test_lines_that_are_done_get_data_without_being_baked(scene) -> None:
    bake(code=1)
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    bake("--review", code=1)
    first = Path("out/review/a.js").read_bytes()
    assert {name: Path("out", name).read_bytes() for name in before} == before
    shutil.rmtree("out")
    bake("--review", code=1)
    assert Path("out/review/a.js").read_bytes() == first
    write({"id": "a", "text": "Maybe two maps."})
    bake()  # the data would tell of what was there before
    assert not Path("out/review/a.js").exists()


def test_a_lock_lasts_and_a_rejected_line_is_baked_again_once(scene) -> None:
    write({"id": "a", "text": "Maybe a map."}, {"id": "b", "text": "Bye, Bob!"})
    bake()
    decide(a={"decision": "lock", "note": "by hand"}, b={"decision": "reject"}, z={})
    said = bake("--decisions", "review.json")
    assert "changed (review): b" in said and "1 locked" in said
    assert "review.json: s.jsonl has no line 'z'" in said
    write({"id": "a", "text": "Another map."}, {"id": "b", "text": "Bye, Bob!"})
    said = bake("--review")
    assert "locked, though they changed: a" in said and "1 done" in said
    by_name = {row["name"]: row for row in rows()}
    assert by_name["a"]["decision"] == "lock" and by_name["a"]["note"] == "by hand"
    assert by_name["a"]["data"] == ""  # it would show another line than the locked one
    assert by_name["b"]["decision"] is None
    decide(a={"decision": None, "note": ""})
    assert "changed (input): a" in bake("--decisions", "review.json")
    assert set(kept_decisions(Path("out"))) == {"b"}


def test_an_approval_is_for_one_bake(scene) -> None:
    write({"id": "a", "text": "Maybe a map."})
    bake("--review")
    decide(a={"decision": "approve", "version": rows()[0]["version"]})
    bake("--review", "--decisions", "review.json")
    assert rows()[0]["decision"] == "approve"
    write({"id": "a", "text": "Maybe two maps."})
    bake("--review")
    assert rows()[0]["decision"] is None


def test_no_line_may_be_called_as_the_page(scene) -> None:
    write({"id": "Review", "text": "Hello."})
    words = ["s.jsonl", "--profile", "p.yaml", "--review"]
    done = CliRunner().invoke(command, words)
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith("a line is called 'review', as the review page is")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no review.json as the review page makes it"),
        ('{"facewire": "run", "lines": {}}', "Invalid enum value 'run'"),
        ('{"facewire": "review", "lines": {"a": {"decision": "burn"}}}', "Invalid enum value"),
        ("", "is empty"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path, text: str, told: str) -> None:
    path = tmp_path / "review.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=told) as caught:
        load_decisions(path)
    assert "\n" not in str(caught.value)


@pytest.mark.external
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_in_a_browser_a_line_is_heard_seen_and_decided(scene, page) -> None:
    bake("--review", code=1)
    page.goto(Path("out/review.html").absolute().as_uri())
    names = page.eval_on_selector_all("article", "all => all.map(one => one.dataset.name)")
    assert names == ["gone", "a", "b"]
    assert page.text_content("article[data-name=gone] .said").strip() == EVIL
    page.click("article[data-name=a] .top")
    page.wait_for_selector("article[data-name=a] canvas")
    page.wait_for_function("document.querySelector('audio').duration > 0.4")
    ink = "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    ink += " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n }"
    page.wait_for_function(f"({ink})(document.querySelector('canvas')) > 2000")
    page.keyboard.press("a")
    page.keyboard.press("j")
    page.wait_for_selector("article[data-name=b] canvas")
    page.fill("article[data-name=b] input", "too sad")
    page.click("article[data-name=b] button[data-do=reject]")
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as("review.json")
    found = load_decisions(Path("review.json"))
    assert {name: (one.decision, one.note) for name, one in found.items()} == {
        "a": ("approve", ""),
        "b": ("reject", "too sad"),
    }
    assert found["a"] == Decision("approve", "", rows()[1]["version"])
    page.select_option("#filter", "approve")
    assert page.locator("article").count() == 1
    assert "changed (review): b" in bake("--decisions", "review.json", code=1)


@pytest.mark.external
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_in_a_browser_the_heads_clock_is_the_sounds(scene, page) -> None:
    Path("p.yaml").write_text("model: phonemes\nsinks: [preview.html]\n", "utf-8")
    write({"id": "a", "text": "Maybe a map, or a bigger map, or another one by the lamp."})
    bake("--review")
    page.goto(Path("out/review.html").absolute().as_uri())
    page.click("article[data-name=a] .top")
    wait(lambda: page.evaluate("document.querySelector('audio')?.duration > 2"))
    head = next(frame for frame in page.frames if frame.url.endswith("/a.html"))
    head.wait_for_selector("body[data-ready=true]")
    page.evaluate("document.querySelector('audio').currentTime = 1.25")
    head.wait_for_selector("#frame:text-is('frame 75')", state="attached")
    assert head.evaluate("document.getElementById('play').getBoundingClientRect().right < 0")
    page.keyboard.press("Space")
    wait(lambda: page.evaluate("document.querySelector('audio').currentTime > 1.6"))
    apart = [behind(page, head) for _ in range(5)]
    assert max(map(abs, apart)) < 0.4, apart  # drawn without a graphics card: .1 s a picture
    page.evaluate("document.querySelector('audio').pause()")
    at = page.evaluate("document.querySelector('audio').currentTime")
    wait(lambda: head.evaluate("Number(document.body.dataset.led)") == at)


def wait(true: Callable[[], bool]) -> None:
    """Wait until something is true: the page's policy forbids to ask it to wait for a string."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def behind(page: Any, head: Any) -> float:
    """Return by how many seconds the head is behind a sound that plays."""
    before = page.evaluate("document.querySelector('audio').currentTime")
    shown = head.evaluate("Number(document.getElementById('frame').textContent.slice(6)) / 60")
    after = page.evaluate("document.querySelector('audio').currentTime")
    return float(min(before - shown, after - shown, key=abs))


@pytest.fixture
def page() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox"]
        )
        opened = browser.new_page(viewport={"width": 1100, "height": 900})
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        yield opened
        browser.close()
    assert [line for line in said if "GL Driver Message" not in line] == []
