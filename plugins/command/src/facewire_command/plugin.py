"""What facewire-command offers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Component, Context

if TYPE_CHECKING:
    from facewire_command.openai import OpenAI
    from facewire_command.program import Program

_MAX_TIMEOUT = 3600.0
_RATES = (8000, 192000)


def _check(rate: int, timeout: float) -> None:
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(f"rate: found {rate}, expected {_RATES[0]} to {_RATES[1]}")
    if not 0 < timeout <= _MAX_TIMEOUT:
        raise ValueError(f"timeout: found {timeout:g}, expected 0 to {_MAX_TIMEOUT:g} seconds")


@dataclass(frozen=True, slots=True)
class CommandConfig:
    """The program that speaks."""

    command: tuple[str, ...]
    """The program and its arguments, with `{text}`, `{wav}`, `{lang}`, `{speaker}` where wanted."""
    rate: int = 22050
    """Samples a second of the voice; what the program writes is brought to it."""
    timeout: float = 120.0
    """Seconds after which the program is ended."""

    def __post_init__(self) -> None:
        if not self.command or not self.command[0].strip():
            raise ValueError("command: found none, expected a program and its arguments")
        _check(self.rate, self.timeout)


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """The server that speaks."""

    url: str
    """What `/audio/speech` is put behind, such as `http://127.0.0.1:8880/v1`."""
    model: str = "tts-1"
    """The server's name for its model."""
    voice: str = "alloy"
    """The server's name for its voice."""
    speed: float = 1.0
    """How fast it speaks, 0.25 to 4."""
    key_variable: str | None = None
    """The environment variable that holds the key; none is sent without it."""
    rate: int = 24000
    """Samples a second of the voice; what comes is brought to it."""
    timeout: float = 60.0
    """Seconds without a byte after which a request counts as broken."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", self.url):
            raise ValueError(f"url: found '{self.url[:80]}', expected https://host/v1 or alike")
        if not 0.25 <= self.speed <= 4:
            raise ValueError(f"speed: found {self.speed:g}, expected 0.25 to 4")
        if self.key_variable is not None and not re.fullmatch(
            r"[A-Z][A-Z0-9_]*", self.key_variable
        ):
            # What stands there may be the key itself, so it is not repeated.
            raise ValueError("key_variable: expected a variable's name, such as OPENAI_API_KEY")
        _check(self.rate, self.timeout)


def _make_program(config: CommandConfig, context: Context) -> Program:
    from facewire_command.program import Program

    return Program(config, context)


def _make_openai(config: OpenAIConfig, context: Context) -> OpenAI:
    from facewire_command.openai import OpenAI

    return OpenAI(config)


@hookimpl
def facewire_voices() -> Iterable[Component]:
    """Offer the voices ``command`` and ``command.openai``."""
    yield Component(
        name="command",
        make=_make_program,
        config=CommandConfig,
        summary="speak with any program that writes a WAV",
        example=CommandConfig((sys.executable, "-m", "facewire_command.tone")),
    )
    yield Component(
        name="command.openai",
        make=_make_openai,
        config=OpenAIConfig,
        summary="speak with any server that offers /v1/audio/speech",
        needs=("a speech server",),
    )
