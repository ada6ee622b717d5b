"""The example of an agent, against a server that streams as language models' do."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.emotion import LABELS
from facewire.pipeline import Built
from facewire.profile import load_profile
from facewire.session import Session
from facewire.testing import ListSink

pytest.importorskip("httpx")
pytest.importorskip("facewire_espeak")

EXAMPLE = Path(__file__).parents[2] / "examples" / "agent.py"
KEY = "sk-agentagentagent"
PROFILE = """
extends: default
layers: [clamp]
sinks: [{use: files.npz, path: "{out}/{name}.npz"}]
"""


class Model(BaseHTTPRequestHandler):
    """Answers with tokens, ``pause`` apart; notes what it was asked."""

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, self.headers.get("Authorization"), body))
        if server.status != 200:
            self.send_error(server.status)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        text = server.answers[min(len(server.asked), len(server.answers)) - 1]
        try:
            for i in range(0, len(text), 4):
                delta = {"choices": [{"delta": {"content": text[i : i + 4]}}]}
                self.wfile.write(f": comment\ndata: {json.dumps(delta)}\n\n".encode())
                self.wfile.flush()
                time.sleep(server.pause)
            self.wfile.write(b'data: {"choices": []}\n\ndata: [DONE]\n\n')
        except OSError:
            server.left += 1


@contextmanager
def model(*answers: str, pause: float = 0.005, status: int = 200) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    server.answers, server.pause, server.status = answers, pause, status
    server.asked, server.left = [], 0
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Path("bare.yaml").write_text(PROFILE)


def example() -> Any:
    spec = importlib.util.spec_from_file_location("agent_example", EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_typed_is_answered_aloud() -> None:
    with model("[joy:80] Hello there, how are you? It costs 3.14 euros.") as server:
        found = subprocess.run(
            [sys.executable, str(EXAMPLE), "bare.yaml"],
            input="Hi!\n",
            env={**os.environ, "LLM_URL": server.url, "LLM_MODEL": "tiny", "LLM_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert found.returncode == 0, found.stderr
    (path, key, body), *more = server.asked
    assert not more and path == "/v1/chat/completions" and key == f"Bearer {KEY}"
    assert body["model"] == "tiny" and body["stream"] is True
    assert body["messages"][-1] == {"role": "user", "content": "Hi!"}
    with np.load("out/agent.npz") as made:
        said = [str(mark["text"]) for mark in made["marks"] if mark["kind"] == "word"]
        labels = {LABELS[i] for i in made["emotion_weights"].argmax(axis=1)}
    assert said[:2] == ["Hello", "there"] and "3.14" in " ".join(said)
    assert "joy" in labels and KEY not in found.stdout + found.stderr


def test_a_new_question_interrupts_the_answer() -> None:
    module, sink = example(), ListSink(live=True)
    long = "This is a very long story that nobody wants to hear. " * 30
    with model(long, "Sure, I stop.", pause=0.02) as server:
        agent = module.Agent(server.url, "tiny")
        session = Session(load_profile("bare.yaml"), agent, sinks=[Built(sink, "list", "sink")])

        def questions() -> Iterator[str]:
            yield "Tell me a story."
            time.sleep(2.5)
            yield "Stop it!"

        threading.Thread(
            target=module.talk, args=(agent, session, questions()), daemon=True
        ).start()
        report = session.run()
    words = [m.text for m in sorted(sink.marks, key=lambda m: m.start) if m.kind == "word"]
    assert words[0] == "This" and words[-3:] == ["Sure", "I", "stop"]
    assert report.seconds < 8 and words.count("story") < 5
    roles = [message["role"] for message in server.asked[1][2]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    heard = server.asked[1][2]["messages"][2]["content"]
    assert long.startswith(heard) and 0 < len(heard) < len(long)


def test_a_server_that_fails_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    module = example()
    with model("x", status=500) as server:
        agent = module.Agent(server.url, "tiny", KEY)
        agent.ask("Hi!").join(10)
    told = capsys.readouterr().err
    assert told.startswith("agent: the answer broke off: ") and "500" in told
    assert KEY not in told
