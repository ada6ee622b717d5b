"""The voice ``command.openai`` against a real server with faults."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from facewire.errors import PluginError
from facewire.types import Utterance
from facewire.voicing import QuotaExhausted, VoiceError
from facewire_command.openai import OpenAI
from facewire_command.plugin import OpenAIConfig
from facewire_command.tone import RATE, tones

KEY = "sk-f00df00df00df00d"
Answer = tuple[int, bytes, dict[str, str]]
FINE: Answer = (200, b"", {})


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SPEECH_KEY", KEY)


@contextmanager
def serving(answer: Callable[[int], Answer] = lambda n: FINE) -> Iterator[tuple[str, list[Any]]]:
    """Run a server; a 200 without a body is the sound of the input, -1 a cut."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers.get("Authorization"), body))
            status, data, headers = answer(len(asked) - 1)
            data = data or (tones(body["input"]) if status in (200, -1) else b"")
            self.send_response(abs(status) if status != -1 else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if status == -1 else data)
            self.close_connection = status == -1

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def say(url: str, slept: list[float] | None = None, **options: Any) -> int:
    times = [] if slept is None else slept
    voice = OpenAI(OpenAIConfig(url, **({"rate": RATE} | options)), sleep=times.append)
    return sum(map(len, voice.speak(Utterance("one two \ud800"))))


def test_what_is_sent_and_what_comes() -> None:
    with serving() as (url, asked):
        assert say(url + "/", model="m", voice="v", speed=1.5, key_variable="SPEECH_KEY") > 0
        assert say(url) == 2 * (RATE // 5 + RATE // 20)
        assert list(OpenAI(OpenAIConfig(url)).speak(Utterance(" "))) == []
    body = {"model": "m", "voice": "v", "input": "one two  ", "speed": 1.5}
    assert asked[0] == ("/v1/audio/speech", f"Bearer {KEY}", body | {"response_format": "wav"})
    assert asked[1][1] is None and len(asked) == 2


FAULTS: dict[str, tuple[Answer, list[float]]] = {
    "429": ((429, b"", {"Retry-After": "3"}), [3, 3]),
    "500": ((500, b"oh", {}), [1, 2]),
    "cut": ((-1, b"", {}), [1, 2]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_waited_out(name: str) -> None:
    fault, waits = FAULTS[name]
    slept: list[float] = []
    with serving(lambda n: fault if n < 2 else FINE) as (url, _):
        assert say(url, slept) > 0
    assert slept == waits
    with serving(lambda n: fault) as (url, asked), pytest.raises(VoiceError, match="7 times"):
        say(url)
    assert len(asked) == 7


BILLS = [
    (401, {"error": {"code": "invalid_api_key", "message": f"Incorrect key: {KEY}"}}),
    (403, None),
    (429, {"error": {"type": "insufficient_quota"}}),
]


@pytest.mark.parametrize(("status", "said"), BILLS)
def test_bills_are_not_retried(status: int, said: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    data = json.dumps(said).encode()
    with serving(lambda n: (status, data, {})) as (url, asked):
        with pytest.raises(QuotaExhausted, match="check SPEECH_KEY") as error:
            say(url, key_variable="SPEECH_KEY")
        assert len(asked) == 1 and asked[0][1] == f"Bearer {KEY}"
    assert KEY not in str(error.value) and KEY not in caplog.text and caplog.records


def test_what_is_no_sound() -> None:
    with (
        serving(lambda n: (200, b"<html>", {})) as (url, asked),
        pytest.raises(VoiceError, match="what the server sent: not a sound file"),
    ):
        say(url)
    assert len(asked) == 1


def test_keys_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:1/v1"
    with pytest.raises(PluginError, match="set the environment variable NO_SUCH_KEY"):
        OpenAI(OpenAIConfig(url, key_variable="NO_SUCH_KEY"))
    monkeypatch.setenv("SPEECH_KEY", "sk\n1")
    with pytest.raises(PluginError, match="SPEECH_KEY holds characters that no key has"):
        OpenAI(OpenAIConfig(url, key_variable="SPEECH_KEY"))
    with pytest.raises(ValueError, match="expected a variable's name") as error:
        OpenAIConfig(url, key_variable="sk-1234")
    assert "1234" not in str(error.value)
    for wrong in ({"url": "x"}, {"speed": 9.0}, {"rate": 1}, {"timeout": 0.0}):
        with pytest.raises(ValueError, match="found"):
            OpenAIConfig(**({"url": url} | wrong))
