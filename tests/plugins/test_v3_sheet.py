"""The contact sheet and the command ``facewire v3``."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from facewire.cli import main
from facewire.emotion import NAMES
from facewire.errors import InputError
from facewire_v3.cli import command
from facewire_v3.presets import preset, presets
from facewire_v3.sheet import ACROSS, CELL, TITLE, bars, contact_sheet, write_sheet
from PIL import Image


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_all_faces_are_drawn_three_levels_side_by_side():
    seen: list[str] = []

    def draw(made, size):
        seen.append(made.title)
        return Image.new("RGB", size, (len(seen), 0, 0))

    sheet = contact_sheet(presets(), draw)
    assert len(seen) == 47
    assert sheet.size == (ACROSS * CELL[0], 9 * (CELL[1] + TITLE))
    assert seen[2:5] == ["joy L1", "joy L3", "joy L5"]
    # joy begins the second row
    assert sheet.getpixel((5, CELL[1] + 2 * TITLE + 5)) == (3, 0, 0)


def test_bars_show_what_differs_between_sides():
    left, right = preset("contempt", 5), preset("joy", 5)
    assert bars(left, CELL).tobytes() != bars(right, CELL).tobytes()
    colours = {colour for _, colour in bars(left, CELL).getcolors(1 << 16)}
    assert {(160, 90, 40), (190, 50, 60)} <= colours
    assert len(bars(preset("neutral"), CELL).getcolors()) == 1


def test_the_sheet_is_written_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"before")

    def fail(made, size):
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"^sheet: cannot write .*No space left on device; choose"):
        write_sheet(path, presets(), fail)
    assert path.read_bytes() == b"before"
    write_sheet(path, presets())
    first = path.read_bytes()
    assert first.startswith(b"\x89PNG")
    write_sheet(path, presets())
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.png"]


def test_list_names_all_27():
    lines = run("list").splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(NAMES)
    assert "relief" in lines[18]
    assert "gratitude" in lines[18]


def test_show_prints_numbers_of_an_emotion():
    out = run("show", "gratitude")
    assert "valence 0.85, arousal 0.45, dominance 0.52" in out
    assert "joy 0.75" in out
    assert "browInnerUp          0.36" in out
    assert "head: yaw 0.0, pitch 6.0, roll 1.0 degrees" in out
    assert "course: onset 0.6 s, apex 2.5 s, offset 1.2 s" in out
    stronger = run("show", "gratitude:L5")
    assert "mouthSmileLeft       0.60" in stronger
    assert "the labels nearest to a VAD" in run("show", "0.2,0.68,0.56")


def test_the_command_is_found_and_mistakes_are_one_line(tmp_path, capsys):
    out = tmp_path / "faces.png"
    with pytest.raises(SystemExit) as done:
        main(["v3", "sheet", "--out", str(out)])
    assert done.value.code == 0
    assert out.is_file()
    capsys.readouterr()
    for arguments, line in (
        (["show", "joyy"], "facewire: emotion: emotion 'joyy' is unknown; did you mean 'joy'?\n"),
        (
            ["sheet", "--out", "a.jpg"],
            "facewire: sheet: found 'a.jpg', expected a name that ends in .png\n",
        ),
    ):
        with pytest.raises(SystemExit) as done:
            main(["v3", *arguments])
        assert done.value.code == 2
        assert capsys.readouterr().err == line
