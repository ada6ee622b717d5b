"""A real HTTP server that speaks ElevenLabs' API, with the faults that a test asks for."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np

KEY = "sk_f00dfacef00dfacef00dfacef00dface"
CHAR = 0.05  # seconds that a character takes
CHUNK = 7  # characters in an object of the stream


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request: an answer, a cut after ``cut`` objects, or waiting."""

    status: int = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    pause: float = 0.0  # before each object
    wait: float = 0.0  # before the answer
    raw: bytes | None = None  # sent as the stream
    broken: int | None = None  # an error object in place of this one


@dataclass
class Asked:
    """A request as it came."""

    path: str
    key: str
    body: dict[str, Any]
    at: float


Faults = Callable[[int, dict[str, Any]], Fault | None]


@dataclass
class Service:
    """What the server was asked, and what shall go wrong: ``faults(number, body)`` from 0 on."""

    faults: Faults = lambda number, body: None
    asked: list[Asked] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)  # when each object went out
    with_tags: bool = True  # whether the alignment has the audio tags' characters
    aligned: bool = True
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def texts(self) -> list[str]:
        return [one.body["text"] for one in self.asked]


def detail(status: str, message: str = "no") -> dict[str, Any]:
    return {"detail": {"status": status, "message": message}}


def tone(samples: int, rate: int) -> bytes:
    wave = 0.3 * np.sin(2 * np.pi * 220 * np.arange(samples) / rate)
    return (wave * 32767).astype("<i2").tobytes()


def objects(text: str, rate: int, service: Service) -> Iterator[bytes]:
    """Yield a stream's objects; sound is cut where samples are not (an odd number of bytes)."""
    chars = text if service.with_tags else re.sub(r"\[[a-z ]+\] ", "", text)
    sound = tone(round(len(chars) * CHAR * rate), rate)
    for first in range(0, len(chars), CHUNK):
        part = range(first, min(len(chars), first + CHUNK))
        begin, end = (round(at * CHAR * rate) * 2 for at in (part.start, part.stop))
        end = len(sound) if part.stop == len(chars) else end + 1
        data = sound[begin + (1 if first else 0) : end]
        alignment = {
            "characters": [chars[i] for i in part],
            "character_start_times_seconds": [i * CHAR for i in part],
            "character_end_times_seconds": [(i + 1) * CHAR for i in part],
        }
        row = {"audio_base64": base64.b64encode(data).decode()}
        row |= {"alignment": alignment if service.aligned else None}
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


class Handler(BaseHTTPRequestHandler):
    """Answers for the service that the server holds."""

    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Service:
        return self.server.service  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.headers.get("xi-api-key") != KEY:
            self.answer(401, detail("invalid_api_key"))
        elif self.path == "/v1/user/subscription":
            self.answer(200, {"character_count": 120, "character_limit": 10000})
        else:
            labels = {"accent": "american", "gender": "female"}
            voice = {"voice_id": "EXAVITQu4vr4xnSDxMaL", "name": "Sarah", "labels": labels}
            self.answer(200, {"voices": [voice]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("xi-api-key", "")
        with self.service.lock:
            number = len(self.service.asked)
            self.service.asked.append(Asked(self.path, key, body, time.monotonic()))
            fault = self.service.faults(number, body) or Fault()
        if key != KEY:
            self.answer(401, detail("invalid_api_key", f"Invalid API key {key}"))
        elif fault.status != 200:
            self.answer(fault.status, fault.body, fault.headers)
        else:
            self.stream(body["text"], fault)

    def answer(self, status: int, body: Any, headers: Any = ()) -> None:
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, text: str, fault: Fault) -> None:
        query = parse_qs(urlparse(self.path).query)
        rate = int(query["output_format"][0].removeprefix("pcm_"))
        time.sleep(fault.wait)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        rows = [fault.raw] if fault.raw is not None else objects(text, rate, self.service)
        try:
            for number, row in enumerate(rows):
                time.sleep(fault.pause)
                if fault.cut == number:  # in the middle of an object
                    self.chunk(row[: len(row) // 2])
                    self.close_connection = True
                    return
                if fault.broken == number:
                    row = json.dumps(fault.body).encode() + b"\n"
                self.chunk(row)
                self.service.sent.append(time.monotonic())
            self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the client went away
            self.close_connection = True

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    service: Service


@contextmanager
def serving(faults: Faults | None = None) -> Iterator[Service]:
    """Run the service for a test."""
    service = Service(faults) if faults else Service()
    server = _Server(("127.0.0.1", 0), Handler)
    server.service = service
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def first(count: int, fault: Fault) -> Faults:
    """Return faults that the first requests meet."""
    return lambda number, body: fault if number < count else None
