"""When a service is asked again, and what its refusals mean."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from facewire.voicing.contract import GivenUp, QuotaExhausted, Unreachable, VoiceError

RETRIES = 6
FIRST, LONGEST = 1.0, 60.0  # seconds: 1, 2, 4 … between attempts
PATIENCE = 600.0  # seconds that a service may ask to be left alone
_TOLD = 1.0  # seconds of a wait that somebody is told of
# In the names services give their errors (never in their sentences: "your subscription allows four
# requests at once" is no bill). OpenAI says insufficient_quota with 429, ElevenLabs quota_exceeded
# with 401.
_BILLING = ("quota", "billing", "payment", "credit", "subscription")
_SHOWN = 160


class Interrupted(Exception):
    """An attempt failed in a way that another may not; ``after``: seconds the service asks for."""

    def __init__(self, cause: str, after: float | None = None) -> None:
        super().__init__(cause)
        self.after = after


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits for what is spoken on a thread: gets a line about each wait, and may end it."""

    tell: Callable[[str], None] = lambda line: None
    stop: threading.Event | None = None

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more."""
        return self.stop is not None and self.stop.is_set()


WAITING: ContextVar[Waiting] = ContextVar("waiting")
"""Set on each thread that speaks, so that a voice need not hand it down to ``Retry``."""


def pause(seconds: float) -> None:
    """Wait; no longer than somebody waits for what this thread speaks."""
    waiting = WAITING.get(Waiting())
    if waiting.stop:
        waiting.stop.wait(seconds)
    else:
        time.sleep(seconds)


class Retry:
    """Waits between attempts: at most six times, doubling from 1 s, at most 60 s each.

    A service's Retry-After counts instead, up to ten minutes. Unreachable when it is enough.
    """

    def __init__(self, who: str, sleep: Callable[[float], None] = pause) -> None:
        self._who, self._sleep = who, sleep
        self.waits: list[float] = []

    def wait(self, failure: Interrupted) -> None:
        """Wait before the next attempt; Unreachable with the cause after the last.

        The wait is told to who waits for the sound; GivenUp once that one waits no longer.
        """
        waiting = WAITING.get(Waiting())
        if waiting.stopped:
            raise GivenUp(f"{self._who}: {failure}") from failure
        if len(self.waits) >= RETRIES:
            raise Unreachable(
                f"{self._who}: {failure}, {RETRIES + 1} times in a row; try again later"
            ) from failure
        seconds = min(LONGEST, FIRST * 2 ** len(self.waits))
        if failure.after is not None:
            seconds = failure.after
        if seconds > PATIENCE:
            raise Unreachable(
                f"{self._who}: {failure}, and asks to wait {seconds:.0f} s; try again then"
            ) from failure
        self.waits.append(seconds)
        if seconds >= _TOLD:
            waiting.tell(f"{self._who}: {failure}; asking again in {seconds:.0f} s")
        self._sleep(seconds)
        if waiting.stopped:
            raise GivenUp(f"{self._who}: {failure}") from failure


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3), or None."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def check_answer(
    who: str, key: str, status: int, body: bytes, after: str | None = None, secret: str = ""
) -> None:
    """Raise what a service's answer means, unless it is a success.

    401, 402, 403 and errors that are named after a bill: QuotaExhausted. 408, 429 and 5xx:
    Interrupted. The rest: VoiceError. ``key`` says where the key comes from; ``secret`` is taken
    out of what the service says.
    """
    if 200 <= status < 300:
        return
    name, said = reason(body)
    told = shown(f"{status} {name}: {said}" if said else f"{status} {name}".strip(), secret)
    if status in (401, 402, 403) or any(word in name.lower() for word in _BILLING):
        raise QuotaExhausted(f"{who}: the account gives nothing more ({told}); check {key}")
    if status in (408, 429) or status >= 500:
        raise Interrupted(f"the service answered {told}", retry_after(after))
    raise VoiceError(f"{who}: the service refused the request ({told})")


def reason(body: bytes) -> tuple[str, str]:
    """Return the name and the sentence of an error as services write it in JSON."""
    try:
        tree: Any = json.loads(body)
    except ValueError:
        return "", ""
    inner = tree.get("detail", tree.get("error", tree)) if isinstance(tree, dict) else tree
    if isinstance(inner, list) and inner:  # a validation error of FastAPI
        inner = inner[0]
    if not isinstance(inner, dict):
        return "", str(inner)
    names = [str(inner[key]) for key in ("status", "code", "type") if inner.get(key)]
    return " ".join(dict.fromkeys(names)), str(inner.get("message") or inner.get("msg") or "")


def shown(text: str, secret: str = "") -> str:
    """Return a service's words for an error: one short line, without the secret."""
    if secret:
        text = text.replace(secret, "(the key)")
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
