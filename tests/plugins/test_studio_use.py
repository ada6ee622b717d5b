"""The studio's controls: the pad, exports, keys, light and dark, a server that asks for a token."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_studio_page import (  # noqa: F401 - fixtures
    CHROMIUM,
    SAID,
    Server,
    Studio,
    browser,
    changed,
    server,
    spoken,
    studio,
)

soundfile = pytest.importorskip("soundfile")
pytestmark = pytest.mark.external
UNNAMED = """() => [...document.querySelectorAll(
  'button, input, select, textarea, summary, canvas, [tabindex], [role]')]
  .filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.title ||
    e.getAttribute('aria-labelledby') || e.role === 'alert' || e.role === 'status'))
  .map((e) => e.outerHTML.slice(0, 80))"""


def test_exports_are_the_same_numbers(
    studio: Studio,  # noqa: F811
    server: Server,  # noqa: F811
    spoken: dict[str, Any],  # noqa: F811
    browser: Any,  # noqa: F811
    tmp_path: Path,
) -> None:
    studio.speak()
    studio.whole()
    offered = [form["suffix"] for form in server.client.get("/v1/formats").json()]
    assert set(offered) >= {".csv", ".json", ".npz", ".html", ".wav"}
    assert studio.page.locator("#formats button").count() == len(offered)
    saved = {}
    for suffix in (".csv", ".json", ".npz", ".html", ".wav", *({".glb"} & set(offered))):
        studio.page.click("#export summary")
        with studio.page.expect_download() as download:
            studio.page.click(f"#formats [data-suffix='{suffix}']")
        assert download.value.suggested_filename == f"mama-mama-papa-has-a-map{suffix}"
        saved[suffix] = Path(shown(download.value.path(), tmp_path / f"take{suffix}"))
        assert not studio.page.locator("#formats").is_visible()
    frames = np.array(spoken["frames"])
    told = json.loads(saved[".json"].read_text("utf-8"))
    assert told["rig"] == spoken["rig"] and np.array_equal(told["frames"], frames)
    with np.load(saved[".npz"]) as table:
        assert np.allclose(table["values"], frames, atol=1e-6)
    rows = list(csv.DictReader(io.StringIO(saved[".csv"].read_text("utf-8"))))
    jaw = [float(row["JawOpen"]) for row in rows]
    assert np.allclose(jaw, frames[:, spoken["rig"]["channels"].index("jawOpen")], atol=1e-6)
    sound, rate = soundfile.read(saved[".wav"])
    assert len(sound) / rate == pytest.approx(spoken["seconds"], abs=0.02)
    page = browser.new_page()
    page.goto(saved[".html"].as_uri())
    page.wait_for_selector("body[data-ready='true']")
    assert f"{len(frames)} frames" in page.text_content("#about")
    page.close()


def shown(came: Path, wanted: Path) -> Path:
    """A download has no ending; a browser and numpy look at it."""
    wanted.write_bytes(Path(came).read_bytes())
    return wanted


def test_export_of_nothing_is_told(studio: Studio) -> None:  # noqa: F811
    studio.page.click("#export summary")
    studio.page.click("#formats [data-suffix='.csv']")
    assert studio.error().startswith("There is nothing to export yet")


def test_pad_by_mouse_and_keyboard(studio: Studio) -> None:  # noqa: F811
    page = studio.page
    rest = studio.picture()
    dot = page.locator("#pad .dot circle").nth(1).bounding_box()
    page.mouse.click(dot["x"] + 3, dot["y"] + 3)
    assert page.input_value("#emotion") == "joy"
    assert changed(studio.picture(), rest) > 0.01, "the head shows what the pad says"
    assert studio.keys() == ["joy from the beginning"]
    page.locator("#amount").press("ArrowLeft")
    assert studio.keys() == ["joy 95% from the beginning"]
    page.locator("#pad").press("ArrowLeft")
    assert page.input_value("#emotion") == ""
    assert "valence 0.83" in page.get_attribute("#pad", "aria-valuetext")
    page.locator("#pad").press("Shift+ArrowUp")
    assert "arousal 0.80" in page.get_attribute("#pad", "aria-valuetext")
    page.locator("#pad").press("Home")
    assert page.input_value("#emotion") == "neutral"
    assert page.locator("#emotion option").count() == 28


def test_what_holds_for_the_whole_is_sent(studio: Studio) -> None:  # noqa: F811
    page = studio.page
    page.fill("#strength", "1.5")
    page.fill("#transition", "1.2")
    page.select_option("#emotion", "gratitude")
    studio.speak("Thanks.")
    studio.whole()
    start = studio.stream[0]
    assert start["input"] == "text" and start["emotion"] == "gratitude"
    sent = studio.posted[-1]
    assert (sent["strength"], sent["transition"], sent["mead"]) == (1.5, 1.2, None)
    assert sent["emotion"] == "gratitude" and sent["profile"] == "default"
    page.click("#advanced summary")
    with studio.anew():
        page.check("#mead-on")
        page.fill("#mead-joy", "0.8")
    assert studio.posted[-1]["mead"]["joy"] == 0.8
    assert "emotion" not in studio.posted[-1]


def test_keys_of_the_keyboard(studio: Studio) -> None:  # noqa: F811
    studio.speak("Mama.")
    studio.whole()
    press = studio.page.keyboard.press
    studio.page.locator("#timeline").focus()
    press("Home")
    press("ArrowRight")
    press("ArrowRight")
    assert studio.time() == pytest.approx(2 / 60, abs=0.006)
    press("l")
    assert studio.page.get_attribute("#loop", "aria-pressed") == "true"
    press(" ")
    studio.until("document.querySelector('#play').ariaLabel === 'Pause'")
    press(" ")
    studio.until("document.querySelector('#play').ariaLabel === 'Play'")
    press("Tab")
    ring = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert studio.page.evaluate(ring) == "solid"
    studio.page.fill("#text", "")
    studio.page.locator("#text").press_sequentially("l k f")
    assert studio.page.input_value("#text") == "l k f"
    studio.page.locator("#text").press("Control+Enter")
    studio.until("body.take === 'live'")
    studio.until("body.take === 'whole'")  # at the loop's beginning
    assert studio.state() == "playing"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_laptop_in_light_and_dark(
    browser: Any,  # noqa: F811
    server: Server,  # noqa: F811
    scheme: str,
) -> None:
    size = {"width": 1366, "height": 768}
    opened = Studio(browser, server.base, "/studio/", viewport=size, color_scheme=scheme)
    page = opened.page
    shade = opened.picture("header")[3, 400].mean()
    assert (shade > 200) if scheme == "light" else (shade < 60)
    for view in ("#view-perform", "#view-presets"):
        page.click(view)
        assert page.evaluate("() => document.scrollingElement.scrollHeight") <= 768
        assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 1366
        assert page.evaluate(UNNAMED) == []
        assert page.locator("#stage").bounding_box()["height"] > 400
    page.click("#theme")
    shade = opened.picture("header")[3, 600].mean()
    assert (shade < 60) if scheme == "light" else (shade > 200)
    opened.close()


def test_server_that_asks_for_a_token(browser: Any) -> None:  # noqa: F811
    locked = Server(token="a token of some length")
    try:
        opened = Studio(browser, locked.base, "/studio/?token=a%20token%20of%20some%20length")
        assert "token" not in opened.page.url
        opened.speak("Mama.")
        opened.whole()
        opened.asked = [url.split("?")[0] for url in opened.asked]
        opened.close()
    finally:
        locked.stop()


def test_server_that_is_gone_is_told(browser: Any) -> None:  # noqa: F811
    leaving = Server()
    opened = Studio(browser, leaving.base)
    leaving.stop()
    opened.speak()
    opened.until("!document.querySelector('#error').hidden")
    assert "facewire serve" in opened.error()
    opened.page.close()
