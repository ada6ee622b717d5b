"""The judging page: its plan, and two people's worth of clicks in Chromium."""

from __future__ import annotations

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.emotion import State
from facewire.errors import InputError
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.testing import voiced
from facewire_eval.command import command
from facewire_eval.engines import Engine, ProfileEngine
from facewire_eval.items import Motion, Sound
from facewire_eval.judge import judging_page, read_lines
from facewire_eval.votes import read_votes

RIG = Rig.named("arkit61")
CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
MUMBLER = """
extends: default
model: {use: phonemes, jaw: 0.4, lip: 0.5}
layers: [clamp]
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the page by the command: two profiles, two lines."""
    folder = tmp_path_factory.mktemp("judge")
    (folder / "mumbler.yaml").write_text(MUMBLER)
    (folder / "lines.txt").write_text("Bob, my map!\n\nMama\n")
    options = ["--profiles", "default", str(folder / "mumbler.yaml")]
    options += ["--lines", str(folder / "lines.txt"), "--out", str(folder)]
    done = CliRunner().invoke(command, ["judge", *options])
    assert done.exit_code == 0, done.output
    return folder / "judge.html"


def plan(page: Path) -> dict[str, list[dict[str, object]]]:
    found = re.search(r'id="plan">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_every_pair_and_every_emotion_is_asked_for(page: Path) -> None:
    told = plan(page)
    assert sorted(p["line"] for p in told["pairs"]) == ["line-1", "line-2"]  # type: ignore[type-var]
    assert all({p["left"], p["right"]} == {"default", "mumbler"} for p in told["pairs"])
    assert len(told["names"]) == 16  # the mumbler has no layer that takes emotion
    assert {n["engine"] for n in told["names"]} == {"default"}
    assert sorted(str(n["shown"]) for n in told["names"]) != [n["shown"] for n in told["names"]]


def test_page_asks_for_nothing_and_holds_the_head_once(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "http://" not in text.split('id="shell"')[0] and text.count('id="head"') == 1
    assert page.stat().st_size < 12e6


def test_one_engine_is_no_pair() -> None:
    engine = ProfileEngine(load_profile("default"))
    with pytest.raises(InputError, match="two or more"):
        judging_page([engine], [])


def test_empty_lines_are_told(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n\n")
    with pytest.raises(InputError, match="is empty"):
        read_lines(tmp_path / "lines.txt", load_profile("default"))


class Drawn(Engine):
    """A jaw that swings, wide or little, and a smile where there is an emotion."""

    def __init__(self, name: str, wide: float) -> None:
        self.name, self.wide = name, wide

    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion:
        count = sound.rows(Fraction(60))
        values = np.zeros((count, len(RIG)), np.float32)
        values[:, RIG.index("jawOpen")] = self.wide * np.abs(np.sin(np.arange(count) / 8))
        if emotion and self.wide > 0.4:
            values[:, RIG.index("mouthSmileLeft")] = emotion.vad[0]
        return Motion(values, RIG, Fraction(60))


@pytest.mark.external
def test_a_person_judges_and_saves_votes(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    page = tmp_path / "judge.html"
    sounds = [Sound(name, voiced(1.0, 16000).samples, 16000) for name in ("one", "two")]
    page.write_text(judging_page([Drawn("wide", 0.5), Drawn("little", 0.2)], sounds))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1100, "height": 900})
        said: list[str] = []
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("console", lambda message: said.append(message.text))
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page.as_uri())
        tab.wait_for_selector("body[data-ready]")
        chosen = []
        for number in range(3):
            tab.wait_for_selector(f"body[data-item='{number}']")
            assert tab.locator("#choices button:enabled").count() == 0
            frames = tab.locator("iframe")
            for k in range(frames.count()):
                inside = frames.nth(k).content_frame
                inside.locator("body[data-ready='true']").wait_for(timeout=60000)
                assert not inside.locator("#timeline").is_visible()
                assert not inside.locator("header").is_visible()
                inside.locator("#play").click()
            buttons = tab.locator("#choices button:enabled")
            assert buttons.count() == (3 if number < 2 else 17)
            if number == 0:
                tab.screenshot(path=str(tmp_path / "judge.png"))
            chosen.append(buttons.first.text_content())
            buttons.first.click()
        with tab.expect_download() as download:
            tab.click("#save")
        saved = tmp_path / "votes.json"
        download.value.save_as(saved)
        browser.close()
    assert said == []
    assert [url for url in asked[1:] if not url.startswith(("blob:", "about:"))] == []
    pairs, names = read_votes([saved])
    told = plan(page)
    assert [(v.left, v.right) for v in pairs] == [(p["left"], p["right"]) for p in told["pairs"]]
    assert [v.choice for v in pairs] == ["left", "left"]
    assert [(n.shown, n.named) for n in names] == [(told["names"][0]["shown"], chosen[2])]
