"""The hooks of Facewire's plugin API, and its number.

A plugin is a module named by an entry point in the group ``facewire.v1``. It implements any of
these hooks with ``@hookimpl``; each is a catalogue, called once a session, and the stages that its
components build are called directly. Importing the module must be cheap: heavy imports belong
into a component's ``make``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from facewire.types import Check, Component

if TYPE_CHECKING:
    from facewire.session import Session

API = 1
GROUP = f"facewire.v{API}"
COMMANDS = f"{GROUP}.commands"

hookspec = pluggy.HookspecMarker("facewire")
hookimpl = pluggy.HookimplMarker("facewire")


@hookspec
def facewire_sources() -> Iterable[Component]:
    """Offer sources: components that build a ``Source`` (a file format, a microphone, a phone)."""
    return ()


@hookspec
def facewire_voices() -> Iterable[Component]:
    """Offer voices: components that build a ``Voice``."""
    return ()


@hookspec
def facewire_text_emotions() -> Iterable[Component]:
    """Offer readers of emotion in text: components that build a ``TextEmotion``."""
    return ()


@hookspec
def facewire_features() -> Iterable[Component]:
    """Offer feature extractors: components that build a ``FeatureExtractor``."""
    return ()


@hookspec
def facewire_models() -> Iterable[Component]:
    """Offer models: components that build a ``Model``."""
    return ()


@hookspec
def facewire_layers() -> Iterable[Component]:
    """Offer layers: components that build a ``Layer``."""
    return ()


@hookspec
def facewire_sinks() -> Iterable[Component]:
    """Offer sinks: components that build a ``Sink``."""
    return ()


@hookspec
def facewire_checks() -> Iterable[Check]:
    """Offer checks that ``facewire doctor`` runs."""
    return ()


@hookspec
def facewire_session_started(session: Session) -> None:
    """Be told that a session is about to take its first input."""


@hookspec
def facewire_session_stopped(session: Session, error: BaseException | None) -> None:
    """Be told that a session has ended, and with which error if any."""
