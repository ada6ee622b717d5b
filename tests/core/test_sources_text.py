"""Text as it is written: what a pipe brings becomes clauses, and a stall does not swallow words."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from facewire.clauses import Clause
from facewire.errors import InputError
from facewire.sources import STALL, StreamedText


class Pipe:
    """A pipe that is read as standard input is; ``clauses`` with the seconds they came at."""

    def __init__(self) -> None:
        end, self._write = os.pipe()
        self.source = StreamedText(end)
        self.clauses: list[tuple[str, float]] = []
        self.error: Exception | None = None
        self.begin = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for text in self.source.blocks():
                assert isinstance(text, Clause)
                self.clauses.append((text.text, time.monotonic() - self.begin))
        except InputError as error:
            self.error = error

    def write(self, data: str | bytes, after: float = 0.0) -> None:
        time.sleep(after)
        os.write(self._write, data.encode() if isinstance(data, str) else data)

    def texts(self) -> list[str]:
        return [text for text, _ in self.clauses]

    def end(self) -> list[str]:
        os.close(self._write)
        self._thread.join(5)
        assert not self._thread.is_alive()
        return self.texts()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    yield Pipe()


def test_tokens_become_clauses(pipe: Pipe) -> None:
    for token in [
        "\ufeffHel",
        "lo",
        " there",
        ",",
        " my",
        " friend",
        ".",
        " [hap",
        "py:80]",
        " Hi",
    ]:
        pipe.write(token, after=0.002)
    assert pipe.end() == ["Hello there, ", "my friend. ", "[happy:80] Hi"]


def test_characters_cut_in_the_middle(pipe: Pipe) -> None:
    for byte in "Größe, 你好。 😀 ja".encode():
        pipe.write(bytes([byte]))
    assert "".join(pipe.end()).split() == ["Größe,", "你好。", "😀", "ja"]


def test_a_clause_is_out_before_the_next_word_is_written(pipe: Pipe) -> None:
    pipe.write("Hello there.")
    time.sleep(0.25)
    assert pipe.texts() == ["Hello there."]
    pipe.write(" It costs 3.")
    pipe.write("14 euros", after=0.2)
    assert pipe.end() == ["Hello there.", "It costs 3.14 euros"]


def test_a_stream_that_stalls_is_spoken_by_words_and_a_tag_is_waited_for(pipe: Pipe) -> None:
    pipe.write("I thi")
    time.sleep(STALL + 0.3)
    assert pipe.texts() == ["I "]
    time.sleep(STALL)
    assert pipe.texts() == ["I ", "thi"]
    pipe.write("nk [jo")
    time.sleep(2 * STALL + 0.3)
    assert pipe.texts() == ["I ", "thi", "nk "]
    pipe.write("y] so")
    assert pipe.end() == ["I ", "thi", "nk ", "[joy] so"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"Hello \xc3"])
def test_what_is_not_utf8_is_said(pipe: Pipe, data: bytes) -> None:
    pipe.write(data)
    pipe.end()
    assert str(pipe.error).startswith("standard input: not UTF-8 text (")


@pytest.mark.parametrize("data", ["", " \n\n ", "\ufeff"])
def test_nothing_is_nothing(pipe: Pipe, data: str) -> None:
    if data:
        pipe.write(data)
    assert pipe.end() == []


def test_closing_ends_it_though_nobody_writes(pipe: Pipe) -> None:
    pipe.write("Hello there, my")
    time.sleep(0.1)
    pipe.source.close()
    pipe._thread.join(2)
    assert not pipe._thread.is_alive() and pipe.texts() == ["Hello there, "]
    pipe.end()
