"""Copies of the library: fresh, small, and gone when they are not needed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import espeakng_loader
import pytest
from facewire.errors import PluginError
from facewire.types import Utterance
from facewire_espeak import copies, library, voices
from facewire_espeak.library import Library
from facewire_espeak.plugin import EspeakConfig, facewire_checks, facewire_voices
from facewire_espeak.voice import Espeak

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def mapped() -> int:
    return sum(
        "facewire-espeak" in line for line in Path("/proc/self/maps").read_text().splitlines()
    )


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@linux
def test_memory_does_not_grow() -> None:
    voice = Espeak(EspeakConfig())
    for _ in range(20):
        list(voice.speak(Utterance("Glue the sheet to the dark blue background.")))
    before, libraries = resident(), mapped()
    for _ in range(150):
        list(voice.speak(Utterance("Glue the sheet to the dark blue background.")))
    assert resident() - before < 3 << 20  # a leaked copy a time would be 100 MB and more
    assert mapped() == libraries


@linux
def test_an_utterance_that_is_left_lets_go_of_its_copy() -> None:
    libraries = mapped()
    pieces = Espeak(EspeakConfig()).speak(Utterance("Four hours of steady work faced us."))
    next(pieces)
    assert mapped() > libraries
    pieces.close()  # type: ignore[attr-defined]
    assert mapped() == libraries


def test_no_file_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    voice = Espeak(EspeakConfig())
    assert list(voice.speak(Utterance("Hello.")))
    voice.pronounce("hello")
    if sys.platform != "win32":
        assert list(tmp_path.iterdir()) == []


def test_where_loaded_files_cannot_be_deleted_they_are_used_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on Windows: two files for two utterances at a time, and the same sound."""
    voice = Espeak(EspeakConfig())
    expected = [piece.samples.tobytes() for piece in voice.speak(Utterance("The same again."))]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(copies, "_DELETABLE", False)
    monkeypatch.setattr(copies, "_spare", [])
    for _ in range(3):
        with Library():
            found = [piece.samples.tobytes() for piece in voice.speak(Utterance("The same again."))]
        assert found == expected
    assert len(list(tmp_path.iterdir())) == 2
    copies._delete_spare_files()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_room_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(PluginError, match=r"a copy of its library in .*missing does not load"):
        Library()


def test_a_broken_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(broken))
    with pytest.raises(PluginError, match="does not load"):
        Library()


def test_missing_data_is_said(tmp_path: Path) -> None:
    """In a process of its own: espeak-ng itself writes a line to standard error as well."""
    program = (
        "import sys, espeakng_loader\n"
        "espeakng_loader.get_data_path = lambda: sys.argv[1]\n"
        "from facewire_espeak.library import Library\n"
        "Library()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "none")], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "PluginError: espeak: its data in " in ran.stderr.splitlines()[-1]


def test_closing_twice_does_nothing() -> None:
    copy = Library()
    copy.close()
    copy.close()


def test_doctor_names_version_and_voices() -> None:
    (check,) = facewire_checks()
    line = check.run()
    assert line.startswith("espeak-ng 1.")
    assert line.endswith(" voices")
    assert int(line.split()[-2]) > 100


def test_the_catalogue_has_one_voice_that_can_be_built() -> None:
    (component,) = facewire_voices()
    assert component.name == "espeak"
    voice = component.make(component.example, None)
    assert (voice.rate, voice.marks) == (22050, "phone")
    assert voice.report() == ("espeak-ng's English (America)",)


def test_the_entry_point_is_light() -> None:
    program = (
        "import sys, facewire_espeak.plugin\n"
        "print([m for m in sys.modules if m in ('espeakng_loader', 'facewire_espeak.library')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("en-us", "gmw/en-US"),
        ("EN_US", "gmw/en-US"),
        ("en", "gmw/en"),
        ("en-gb", "gmw/en"),
        ("fr", "roa/fr"),
        ("zh", "sit/cmn"),
        ("no", "gmq/nb"),
        ("ko", "ko"),
        ("de+F3", "gmw/de+f3"),
        ("en-us+Mr serious", "gmw/en-US+Mr serious"),
    ],
)
def test_names_choose_voices(name: str, identifier: str) -> None:
    assert voices.choose(name).identifier == identifier


@pytest.mark.parametrize(
    ("own", "language", "identifier"),
    [
        ("en-us", "en", "gmw/en-US"),
        ("en-us-nyc", "en", "gmw/en-US-nyc"),
        ("en-us", "en-GB", "gmw/en"),
        ("en-us+f3", "de", "gmw/de+f3"),
        ("en-us", "pt-BR", "roa/pt-BR"),
        ("en-us", "zh-Hant-TW", "sit/cmn"),
        ("de", "de-CH", "gmw/de"),
    ],
)
def test_languages_choose_voices(own: str, language: str, identifier: str) -> None:
    assert voices.choose_language(voices.choose(own), language).identifier == identifier


def test_all_voices_load() -> None:
    failed = []
    for voice in voices.installed():
        try:
            Library(voice.identifier).close()
        except PluginError:
            failed.append(voice.identifier)
    assert failed == []


def test_an_echo_is_read_from_its_variant() -> None:
    assert voices.choose("en-us").echo == (0, 0.0)
    assert voices.choose("en-us+f3").echo == (2646, 10 / 256)


@pytest.mark.parametrize(
    ("name", "word", "phones"),
    [
        ("en-us", "chicken", ["tʃ", "ˈɪ", "k", "ɪ", "n"]),
        ("en-us", "Planks", ["p", "l", "ˈæ", "ŋ", "k", "s"]),
        ("de", "Zähne", ["ts", "ˈɛː", "n", "ə"]),
        ("en-us", "", None),
        ("en-us", "...", None),
    ],
)
def test_words_are_pronounced(name: str, word: str, phones: list[str] | None) -> None:
    assert Espeak(EspeakConfig(name)).pronounce(word) == phones


def test_pronunciations_do_not_depend_on_each_other() -> None:
    words = ["read", "the", "U.S.", "record", "1998", "naïve", "don't", "привет", "nyt_24499_24555",
             "lead", "robot_29941_30195", "20_24201"]  # fmt: skip
    one = Espeak(EspeakConfig("de"))
    forward = {word: one.pronounce(word) for word in words}
    other = Espeak(EspeakConfig("de"))
    assert {word: other.pronounce(word) for word in reversed(words)} == forward
    assert {word: Espeak(EspeakConfig("de")).pronounce(word) for word in words} == forward
    found = one.pronounce("read")
    assert found is not None
    found.clear()
    assert one.pronounce("read") == forward["read"]


def test_pronouncing_and_speaking_agree() -> None:
    voice = Espeak(EspeakConfig())
    for word in ("chicken", "evening", "garbage", "Independent"):
        spoken = [
            mark.text
            for piece in voice.speak(Utterance(word))
            for mark in piece.marks
            if mark.kind == "phone"
        ]
        assert voice.pronounce(word) == spoken


def test_the_rate_is_that_of_the_library() -> None:
    assert library.RATE == Espeak.rate == 22050
