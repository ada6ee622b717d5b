"""Who may call the server, how much they may ask, and what the page may load."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from facewire.errors import FacewireError
from facewire_server.command import serve
from facewire_server.limits import Buckets
from facewire_server.settings import Settings, is_loopback
from server_parts import Served, as_file, connected, serving, speech
from websockets.exceptions import InvalidStatus

TOKEN = "correct horse"


def status_of_socket(served: Served, path: str = "", **headers: str) -> int:
    """Return the status that a WebSocket's opening is answered with; 101 is open."""

    async def opened() -> int:
        try:
            talk = await connected(served, path, additional_headers=headers)
        except InvalidStatus as error:
            return error.response.status_code
        await talk.socket.close()
        return 101

    return asyncio.run(opened())


def test_other_machines_need_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(FacewireError, match="that needs a token: set FACEWIRE_TOKEN"):
            Settings(host=host)
        assert Settings(host=host, token=TOKEN).token == TOKEN
    for token in ("ключ от двери", "with a blank ", "tab\tin between"):
        with pytest.raises(FacewireError, match="the token has characters that a header cannot"):
            Settings(token=token)
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.1.2.3")))


def test_the_command_says_so_in_one_line() -> None:
    done = CliRunner().invoke(serve, ["--host", "0.0.0.0"], env={"FACEWIRE_TOKEN": ""})
    assert isinstance(done.exception, FacewireError) and "\n" not in str(done.exception)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = CliRunner().invoke(serve, ["--port", str(taken.getsockname()[1])])
    assert "cannot be listened on: Address already in use; choose" in str(done.exception)


def test_a_token_is_asked_everywhere() -> None:
    with serving(token=TOKEN) as served, served.client() as client:
        for path in ("/", "/health", "/metrics", "/openapi.json", "/v1/profiles", "/studio/", "/x"):
            answer = client.get(path)
            assert answer.status_code == 401 and "Bearer" in answer.headers["www-authenticate"]
            wrong = client.get(path, headers={"authorization": "Bearer correct hors"})
            assert wrong.status_code == 401
        for path in ("/v1/animate", "/audio_to_blendshapes"):
            assert client.post(path, content=b"x").status_code == 401
        assert client.get("/health", params={"token": TOKEN}).status_code == 401  # not in addresses
        good = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/health", headers=good).status_code == 200
        assert status_of_socket(served) == 401
        assert status_of_socket(served, "?token=wrong-token") == 401
        assert status_of_socket(served, "?token=correct+horse") == 101
        assert status_of_socket(served, Authorization=f"Bearer {TOKEN}") == 101


def test_the_page_with_a_token_loads_its_parts_by_cookie(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>studio</title>")
    (tmp_path / "assets/main.js").write_text("1")
    with serving(tmp_path, token=TOKEN) as served, served.client() as client:
        html = {"accept": "text/html"}
        assert client.get("/", headers=html).status_code == 401
        assert client.get("/assets/main.js").status_code == 401
        page = client.get("/", headers=html, params={"token": TOKEN})
        assert page.status_code == 200 and "studio" in page.text
        assert "HttpOnly" in page.headers["set-cookie"] and TOKEN not in page.headers["set-cookie"]
        for path in ("/assets/main.js", "/studio/assets/main.js"):
            script = client.get(path)
            assert (script.status_code, script.text) == (200, "1")
            assert script.headers["content-type"].startswith("text/javascript")
        assert client.get("/v1/profiles").status_code == 401  # the cookie opens nothing else


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>studio</title>")
    with serving(tmp_path) as served, served.client() as client:
        page = client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy
        assert "worker-src 'self'" in policy and "unsafe" not in policy
        assert not re.search(r"https?:|\*", policy)
        assert page.headers["x-content-type-options"] == "nosniff"
        assert client.get("/studio/").text == page.text
        for path in ("/studio/../settings.py", "/..%2fapp.py", "/studio/none.js", "//etc/passwd"):
            assert client.get(path).status_code == 404
    empty = tmp_path / "empty"
    empty.mkdir()
    with serving(empty) as served, served.client() as client:
        page = client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200 and "studio page is not built" in page.text
        for path in ("/docs", "/redoc"):
            assert client.get(path).status_code == 404


def test_other_sites_are_kept_out() -> None:
    with serving() as served, served.client() as client:
        for name in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "a b", ""):
            answer = client.get("/health", headers={"host": f"{name}:{served.port}"})
            assert answer.status_code in (400, 421), name
        for name in ("evil.example@localhost", "localhost:1;script-src *", "[::1", "localhost/"):
            assert client.get("/", headers={"host": name}).status_code in (400, 421), name
        for name in ("LOCALHOST", "localhost", "127.0.0.1", "[::1]"):
            assert client.get("/health", headers={"host": f"{name}:{served.port}"}).is_success
        own = {"origin": served.url}
        assert client.get("/health", headers=own).is_success
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "http://localhost"):
            answer = client.post("/v1/animate", json={"text": "Hi"}, headers={"origin": origin})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
            assert client.options("/v1/animate", headers={"origin": origin}).status_code == 403
            assert status_of_socket(served, Origin=origin) == 403
        cross = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert client.get("/metrics", headers=cross).status_code == 403
        assert status_of_socket(served, Origin=served.url) == 101


def test_limits_are_told_in_one_line() -> None:
    options = {"max_body": 200_000, "max_seconds": 2.0, "max_text": 30}
    with serving(**options) as served, served.client() as client:
        big = client.post("/audio_to_blendshapes", content=b"x" * 200_001)
        assert big.status_code == 413 and "larger than 200000 bytes" in big.json()["error"]
        long = as_file(speech(2.1))
        for path in ("/audio_to_blendshapes", "/v1/animate"):
            answer = client.post(path, content=long, headers={"content-type": "audio/wav"})
            assert answer.status_code == 413
            assert answer.json()["error"].startswith("sound: 2.1 s, expected at most 2 s")
        packed = as_file(speech(60.0, 8000) * 0, 8000, "FLAC")  # small in bytes
        assert len(packed) < 20_000
        assert client.post("/audio_to_blendshapes", content=packed).status_code == 413
        text = client.post("/v1/animate", json={"text": "much too long a text to be said here"})
        assert text.status_code == 413
        said = {"transcript": "much too long for what was said in it"}
        heard = client.post("/v1/animate", files={"audio": as_file(speech(0.1))},
                            data={"options": json.dumps(said)})  # fmt: skip
        assert heard.json()["error"].startswith("transcript: 37 characters, expected at most 30")
        assert heard.status_code == 413
        digits = client.post("/v1/animate", json={"text": "123456789123456789123456789"})
        assert digits.status_code == 413
        assert digits.json()["error"].startswith("the text makes more than 2 s of speech")


def test_rate_of_requests() -> None:
    with serving(rate=1.0) as served, served.client() as client:
        statuses = [client.get("/v1/formats").status_code for _ in range(14)]
        assert statuses[:10] == [200] * 10 and 429 in statuses
        refused = client.get("/v1/formats")
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"].startswith("more than 1 requests a second")
        assert client.get("/health").status_code == 200
        assert status_of_socket(served) == 429


def test_buckets_fill_again_and_are_bounded() -> None:
    now = [0.0]
    buckets = Buckets(2.0, 4.0, lambda: now[0])
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0, 1]
    now[0] = 1.0
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    for i in range(20_000):
        buckets.take(str(i))
    assert len(buckets._left) == 10_000


def test_a_gigabyte_is_refused_before_it_is_read() -> None:
    sent = 0

    def flood() -> object:
        nonlocal sent
        for _ in range(1024):
            sent += 1 << 20
            yield b"\0" * (1 << 20)

    with serving(max_body=4 << 20) as served, served.client() as client:
        began = time.monotonic()
        try:
            answer = client.post("/audio_to_blendshapes", content=flood())
            assert answer.status_code == 413
        except httpx.TransportError:
            pass  # the connection was closed while more was sent
        assert sent < 64 << 20 and time.monotonic() - began < 10
        with socket.create_connection(("127.0.0.1", served.port)) as raw:
            lines = ["POST /audio_to_blendshapes HTTP/1.1", f"Host: 127.0.0.1:{served.port}"]
            raw.sendall("\r\n".join([*lines, f"Content-Length: {1 << 30}", "", ""]).encode())
            assert raw.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert client.get("/health").is_success
