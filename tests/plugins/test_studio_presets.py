"""The studio's preset editor: sliders move the head, and what is saved is what v3 reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.rig import Rig
from test_studio_page import (  # noqa: F401 - fixtures
    Studio,
    browser,
    changed,
    server,
    studio,
)

file = pytest.importorskip("facewire_v3.preset_file")
pytestmark = pytest.mark.external
RIG = Rig.named("arkit52")


def chosen(studio: Studio, title: str) -> Any:  # noqa: F811
    page = studio.page
    if page.get_attribute("#view-presets", "aria-selected") != "true":
        page.click("#view-presets")
    page.click(f"#preset-list [data-preset='{title}']")
    return page


def slid(page: Any, channel: str, value: float) -> None:
    page.get_by_label(channel, exact=True).fill(str(value))


def value(page: Any, channel: str) -> float:
    return float(page.get_by_label(channel, exact=True).input_value())


def saved(page: Any, path: Path) -> Path:
    with page.expect_download() as download:
        page.click("#preset-save")
    assert download.value.suggested_filename == "presets.yaml"
    path.write_bytes(Path(download.value.path()).read_bytes())
    return path


def by_title(path: Path | None = None) -> dict[str, Any]:
    return {preset.title: preset for preset in file.load_presets(path)}


def test_all_47_are_there_with_52_sliders(studio: Studio) -> None:  # noqa: F811
    page = chosen(studio, "joy L5")
    titles = page.locator("#preset-list li").evaluate_all("e => e.map(li => li.dataset.preset)")
    shipped = by_title()
    assert sorted(titles) == sorted(shipped) and len(titles) == 47
    assert page.locator("#sliders input").count() == 52 + 3
    for title in ("joy L5", "fear L3", "contempt L1", "joyful surprise", "embarrassment L5"):
        chosen(studio, title)
        found = [value(page, channel) for channel in RIG.channels]
        assert np.allclose(found, shipped[title].face, atol=0.006), title


def test_sliders_move_the_head_and_pairs_are_linked(studio: Studio) -> None:  # noqa: F811
    page = chosen(studio, "sadness L3")
    before = studio.picture()
    chosen(studio, "joy L3")
    assert changed(studio.picture(), before) > 0.01
    before = studio.picture()
    slid(page, "jawOpen", 0.9)
    assert changed(studio.mouth(), before[_mouth(before)]) > 0.05
    slid(page, "mouthSmileLeft", 0.2)
    assert value(page, "mouthSmileRight") == 0.2
    page.uncheck("#linked")
    slid(page, "mouthSmileLeft", 0.9)
    assert value(page, "mouthSmileRight") == 0.2
    assert page.text_content("#edited") == "not saved yet"
    page.click("#preset-reset")
    assert (value(page, "mouthSmileLeft"), value(page, "jawOpen")) == (0.7, 0.07)
    assert changed(studio.picture(), before) < 0.002


def _mouth(picture: np.ndarray) -> tuple[slice, slice]:
    height, width = picture.shape[:2]
    middle, reach = width // 2, height // 6
    return slice(int(0.66 * height), int(0.92 * height)), slice(middle - reach, middle + reach)


def test_saved_file_is_what_v3_reads(studio: Studio, tmp_path: Path) -> None:  # noqa: F811
    page = chosen(studio, "pride L5")
    page.uncheck("#linked")
    slid(page, "mouthSmileLeft", 0.31)
    slid(page, "tongueOut", 0.25)
    slid(page, "eyeLookUpLeft", 0.2)
    slid(page, "head Nod, degrees", -12.5)
    chosen(studio, "joyful surprise")
    slid(page, "jawOpen", 0.41)
    path = saved(page, tmp_path / "presets.yaml")
    made, shipped = by_title(path), by_title()
    pride, before = made["pride L5"], shipped["pride L5"].face.copy()
    before[RIG.indices("mouthSmileLeft", "tongueOut")] = 0.31, 0.25
    before[RIG.indices("eyeLookUpLeft", "eyeLookUpRight")] = 0.2  # both eyes look at one place
    before[RIG.indices("eyeLookDownLeft", "eyeLookDownRight")] = 0
    assert np.allclose(pride.face, before, atol=1e-5)
    assert np.degrees(pride.head[1]) == pytest.approx(-12.5)
    assert made["joyful surprise"].face[RIG.index("jawOpen")] == pytest.approx(0.41)
    for title, preset in made.items():
        assert preset.course == shipped[title].course and preset.units == shipped[title].units
        if title not in ("pride L5", "joyful surprise"):
            assert np.allclose(preset.face, shipped[title].face, atol=1e-6), title
            assert np.allclose(preset.head, shipped[title].head, atol=1e-6), title
    assert "# The 47 authored faces" in path.read_text("utf-8"), "the authors' notes stay"


def test_file_is_opened_again_and_a_broken_one_is_told(
    studio: Studio,  # noqa: F811
    tmp_path: Path,
) -> None:
    page = chosen(studio, "love L1")
    slid(page, "cheekPuff", 0.66)
    path = saved(page, tmp_path / "mine.yaml")
    page.click("#preset-reset")
    assert value(page, "cheekPuff") == 0
    page.set_input_files("#preset-file", path)
    studio.until("document.querySelector('[aria-label=cheekPuff]').value === '0.66'")
    path.write_text("emotions: [", "utf-8")
    page.set_input_files("#preset-file", path)
    studio.until("!document.querySelector('#error').hidden")
    assert studio.error().startswith("This is no file of presets") and "\n" not in studio.error()
    assert value(page, "cheekPuff") == 0.66


def test_list_by_keyboard(studio: Studio) -> None:  # noqa: F811
    page = chosen(studio, "neutral")
    assert page.get_by_label("jawOpen", exact=True).is_disabled()
    page.locator("#preset-list").press("ArrowDown")
    page.locator("#preset-list").press("ArrowDown")
    assert page.text_content("#preset-name") == "joy L3"
    page.get_by_label("jawOpen", exact=True).press("ArrowRight")
    assert value(page, "jawOpen") == pytest.approx(0.08)
    page.locator("#view-presets").press("ArrowLeft")
    assert page.locator("#text").is_visible()
