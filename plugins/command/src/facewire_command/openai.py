"""The voice ``command.openai``: OpenAI's "Create speech", as many servers offer it.

Request and answer: OpenAI API reference, "Create speech": POST /audio/speech with model, voice,
input, speed and response_format; the answer is the sound file.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Callable, Iterator, Sequence

import httpx
from facewire.errors import PluginError
from facewire.stages import Voice
from facewire.types import Audio, Utterance
from facewire.voicing import Interrupted, Retry
from facewire.voicing.retry import check_answer, pause, shown

from facewire_command.plugin import OpenAIConfig
from facewire_command.sound import decode

WHO = "command.openai"
_CONNECT = 10.0  # seconds
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class OpenAI(Voice):
    """Speaks with a server. PluginError if the variable that names the key is not set."""

    parallel = True

    def __init__(self, config: OpenAIConfig, sleep: Callable[[float], None] = pause) -> None:
        self.rate, self._config, self._sleep = config.rate, config, sleep
        self._key = _key(config.key_variable)
        self._client = httpx.Client(
            auth=_authorization(self._key),
            timeout=httpx.Timeout(config.timeout, connect=min(_CONNECT, config.timeout)),
        )
        weakref.finalize(self, self._client.close)
        self._retried = 0

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        """Yield the sound, once all of it is there; nothing for blank text.

        QuotaExhausted where the account gives nothing more, VoiceError where the server gives no
        sound after seven attempts, or refuses the request.
        """
        text = _HARMFUL.sub(" ", utterance.text)
        if text.strip():
            yield from decode(self._ask(text), f"{WHO}: what the server sent", self.rate)

    def report(self) -> Sequence[str]:
        """Name the model and voice, and how often the server had to be asked again."""
        again = f", asked again {self._retried} times" if self._retried else ""
        return (f"{WHO}: {self._config.model}, {self._config.voice}{again}",)

    def _ask(self, text: str) -> bytes:
        retry = Retry(WHO, self._sleep)
        while True:
            try:
                return self._attempt(text)
            except Interrupted as failure:
                self._retried += 1
                retry.wait(failure)

    def _attempt(self, text: str) -> bytes:
        config = self._config
        body = {"model": config.model, "voice": config.voice, "input": text}
        options = {"speed": config.speed, "response_format": "wav"}
        try:
            answer = self._client.post(
                f"{config.url.rstrip('/')}/audio/speech", json=body | options
            )
        except httpx.HTTPError as error:
            slow = isinstance(error, httpx.TimeoutException)
            cause = "no byte came in time" if slow else str(error) or type(error).__name__
            raise Interrupted(f"the connection failed ({shown(cause, self._key)})") from None
        key = config.key_variable or "whether the server wants a key (key_variable)"
        after = answer.headers.get("retry-after")
        check_answer(WHO, key, answer.status_code, answer.content, after, self._key)
        return answer.content


def _authorization(key: str) -> Callable[[httpx.Request], httpx.Request]:
    """Return what adds the key to a request as it goes out: no client or header list shows it."""

    def authorize(request: httpx.Request) -> httpx.Request:
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    return authorize


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise PluginError(f"{WHO}: no key: set the environment variable {variable}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise PluginError(f"{WHO}: {variable} holds characters that no key has; copy it anew")
    return key
