"""What facewire-elevenlabs offers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context

if TYPE_CHECKING:
    from facewire_elevenlabs.voice import ElevenLabs

KEY = "ELEVENLABS_API_KEY"
PUBLIC = "https://api.elevenlabs.io"
_MAX_TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class ElevenLabsConfig:
    """Who speaks, and with which model. The key is in the environment alone."""

    voice: str = ""
    """The id of one voice for everything; by default each base emotion has its own."""
    voices: Mapping[str, str] = field(default_factory=dict)
    """Other voices for base emotions, such as `{joy: ID}`."""
    model: str = ""
    """The service's model; by default `eleven_v3`, and `eleven_flash_v2_5` in a live run."""
    rate: Literal[16000, 22050, 24000, 44100] = 24000
    """Samples a second. The service gives 44100 to its larger accounts alone."""
    url: str = PUBLIC
    """Where the service is: another address for a proxy. The key is sent there."""
    timeout: float = 30.0
    """Seconds without a byte after which a request counts as broken."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", self.url):
            raise ValueError(f"url: found '{self.url[:80]}', expected https://host or http://host")
        if not 0 < self.timeout <= _MAX_TIMEOUT:
            raise ValueError(
                f"timeout: found {self.timeout:g}, expected more than 0, at most {_MAX_TIMEOUT:g}"
            )


def _make(config: ElevenLabsConfig, context: Context) -> ElevenLabs:
    from facewire_elevenlabs.voice import ElevenLabs

    return ElevenLabs(config, context)


def _check_account() -> str:
    import os

    if not os.environ.get(KEY):
        return f"{KEY} is not set; the voice cannot be used"
    from facewire_elevenlabs.api import Api, read_key

    return Api(PUBLIC, read_key(), ElevenLabsConfig().timeout).account()


@hookimpl
def facewire_voices() -> Iterable[Component]:
    """Offer the voice ``elevenlabs``."""
    yield Component(
        name="elevenlabs",
        make=_make,
        config=ElevenLabsConfig,
        summary="speak with ElevenLabs' service, streamed, with word times",
        needs=(KEY,),
    )


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check of the account behind the key."""
    yield Check("elevenlabs", _check_account)
