"""Many, slow, broken and hostile clients: they get a clear answer, and the others go on."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from facewire_server import acting, guard, outbox, stream
from server_parts import (
    OPEN,
    Served,
    Talk,
    as_file,
    connected,
    light,
    play,
    serving,
    speech,
    talking,
    until,
    values_of,
)
from websockets.exceptions import ConnectionClosed

SHORT = speech(0.5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    profile = light(tmp_path_factory.mktemp("profiles"))
    with serving(profile=profile, max_sessions=20) as running:
        yield running


@pytest.fixture(scope="module")
def expected(served: Served) -> np.ndarray:
    """Return the frames of a short sound, as a client gets them that is alone."""
    rows: list[np.ndarray] = []

    async def scene() -> None:
        rows.append(await one_turn(await talking(served)))

    play(scene)
    assert rows[0].shape == (30, 61)
    return rows[0]


async def one_turn(talk: Talk, turn: int = 0) -> np.ndarray:
    await talk.hear(SHORT)
    await talk.tell("end")
    await talk.until("end", turn=turn)
    return talk.values(turn)


def tasks(served: Served) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), served.loop).result(10)


def memory() -> int:
    """Return this process's resident bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# -- many ----------------------------------------------------------------------------------------


def test_200_sessions_at_once(served: Served, expected: np.ndarray) -> None:
    """Twenty are taken and work, the others are told so; nobody is left hanging."""

    async def scene() -> None:
        first = await talking(served)
        talks = await asyncio.gather(*(connected(served) for _ in range(199)))
        answers = await asyncio.gather(*(_first_answer(talk) for talk in talks))
        taken = [talk for talk, kind in zip(talks, answers, strict=True) if kind == "ready"]
        assert (answers.count("ready"), answers.count("error")) == (19, 180)
        full = next(talk for talk, kind in zip(talks, answers, strict=True) if kind == "error")
        assert full.got[0]["error"].startswith("20 streams are open and no more are taken")
        await full.socket.wait_closed()
        assert full.socket.close_code == 1013
        rows = await asyncio.gather(*(one_turn(talk) for talk in (first, *taken[:6])))
        assert all(np.array_equal(each, expected) for each in rows)

    play(scene)
    until(lambda: served.parts.seats.taken == 0)


async def _first_answer(talk: Talk) -> str:
    if served_error := await _start(talk):
        return served_error
    return str((await talk.next())["type"])


async def _start(talk: Talk) -> str | None:
    try:
        await talk.tell("start", input="audio", rate=16000)
    except Exception:  # it may be closed before
        return str((await talk.next())["type"])
    return None


def test_connect_and_drop_leaks_nothing(served: Served, expected: np.ndarray) -> None:
    """A few hundred clients that vanish at every point; the benchmark does ten thousand."""

    async def cycle(i: int) -> None:
        if i % 4 == 0:
            raw = socket.create_connection(("127.0.0.1", served.port))
            raw.sendall(b"GET /v1/stream HTTP/1.1\r\n")
            raw.close()
            return
        talk = await connected(served)
        with suppress(ConnectionClosed):  # all seats may still be taken
            await _begin(talk, i)
        talk.socket.transport.abort()
        OPEN.remove(talk.socket)

    async def scene(first: int, count: int) -> None:
        for i in range(first, first + count, 4):
            await asyncio.gather(*(cycle(k) for k in range(i, i + 4)))

    play(lambda: scene(0, 100))
    until(lambda: served.parts.seats.taken == 0, 30)
    before = tasks(served), threading.active_count(), memory()
    play(lambda: scene(100, 200))
    until(lambda: served.parts.seats.taken == 0, 30)
    until(lambda: tasks(served) <= before[0], 15)
    assert threading.active_count() <= before[1] + 2
    assert memory() - before[2] < 20 << 20

    async def after() -> None:
        assert np.array_equal(await one_turn(await talking(served)), expected)

    play(after)


async def _begin(talk: Talk, i: int) -> None:
    kind = "text" if i % 8 > 5 else "audio"
    if i % 4 > 1:
        await talk.tell("start", input=kind, rate=16000)
    if i % 4 == 3:
        pcm = b64encode(SHORT.tobytes()).decode()
        await talk.tell(kind, **({"text": "Hi. "} if kind == "text" else {"pcm": pcm}))


def test_killed_clients_do_not_disturb_the_others(served: Served, expected: np.ndarray) -> None:
    async def scene() -> None:
        talks = [await talking(served) for _ in range(6)]
        for talk in talks:
            await talk.hear(SHORT)
        for talk in talks[::2]:
            talk.socket.transport.abort()
        for talk in talks[1::2]:
            await talk.tell("end")
            await talk.until("end")
            assert np.array_equal(talk.values(), expected)

    play(scene)
    until(lambda: served.parts.seats.taken == 0)


def test_a_flood_holds_nobody_up(served: Served) -> None:
    """One client sends minutes at once, another half a second: that one is served first."""

    async def scene() -> None:
        greedy, modest = await talking(served), await talking(served)
        reading = asyncio.ensure_future(greedy.until("end", 80))
        second = speech(1.0)
        for _ in range(100):
            await greedy.hear(second)
        await greedy.tell("end")
        await asyncio.sleep(0.2)
        await one_turn(modest)
        assert not reading.done()
        end = await reading
        assert end["frames"] == len(greedy.values()) == 6_000  # it reads, so it loses nothing

    play(scene)


def test_clips_and_streams_share(served: Served, expected: np.ndarray) -> None:
    async def scene() -> None:
        body = as_file(speech(120.0))
        async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
            clip = asyncio.ensure_future(client.post("/audio_to_blendshapes", content=body))
            talk = await talking(served)
            await asyncio.sleep(0.2)
            assert np.array_equal(await one_turn(talk), expected)
            assert not clip.done()
            assert (await clip).json()["num_frames"] == 7_200

    play(scene)


# -- slow ----------------------------------------------------------------------------------------


def test_a_slow_reader_loses_its_oldest_frames_alone(
    served: Served, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST", 60)  # so that it need not be slow for long

    async def scene() -> None:
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.connect(("127.0.0.1", served.port))
        slow = await connected(served, sock=small, max_queue=1)
        await slow.tell("start", input="audio", rate=16000)
        other = await talking(served)
        for _ in range(40):
            await slow.hear(speech(1.0))
        await slow.tell("end")
        await asyncio.sleep(3.0)
        assert np.array_equal(await one_turn(other), expected)
        assert not other.of("dropped")
        await slow.until("end", 60)
        lost = sum(m["frames"] for m in slow.of("dropped"))
        frames = slow.of("frames")
        got = sum(m["count"] for m in frames)
        assert lost > 0 and got + lost == slow.got[-1]["frames"] == 2400
        starts = [m["start"] for m in frames]
        assert starts == sorted(starts) and starts[0] == 0
        assert frames[-1]["start"] + frames[-1]["count"] == 2400  # the newest are there

    play(scene)


def test_who_reads_nothing_at_all_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_ELSE", 50)
    box = outbox.Outbox()
    with pytest.raises(outbox.Overflow):
        for _ in range(60):
            box.put(stream.Error(error="x"))


def test_half_open_sockets_are_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FIRST", 0.3)

    async def scene() -> None:
        talk = await connected(served)
        error = await talk.next()
        assert error["error"] == "no 'start' within 0.3 s"
        await talk.socket.wait_closed()
        assert talk.socket.close_code == 1008

    play(scene)
    with serving(idle=0.4) as short:

        async def silent() -> None:
            talk = await talking(short)
            error = await talk.until("error")
            assert error["error"] == "nothing came for 0.4 s"
            await talk.socket.wait_closed()

        play(silent)


def test_a_body_that_stops_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.3)
    head = f"POST /v1/animate HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: 100\r\n"
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        raw.sendall(head.encode() + b"Content-Type: audio/wav\r\n\r\nRIFF")
        raw.settimeout(10)
        assert raw.recv(100).startswith(b"HTTP/1.1 408 ")


def test_who_goes_away_stops_the_work(served: Served) -> None:
    body = as_file(speech(590.0))
    with pytest.raises(httpx.ReadTimeout), served.client() as client:
        client.post("/audio_to_blendshapes", content=body, timeout=0.3)
    until(lambda: served.parts.clips.waiting == 0, 5)


def test_more_clips_than_there_is_room_for(tmp_path: Path) -> None:
    profile = light(tmp_path)
    with serving(profile=profile, max_jobs=1, workers=1) as served, served.client() as client:
        body, statuses = as_file(speech(60.0)), []

        def ask() -> None:
            answer = client.post("/audio_to_blendshapes", content=body)
            statuses.append((answer.status_code, answer.headers.get("retry-after")))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {(200, None), (503, "5")} == set(statuses)
        assert client.post("/audio_to_blendshapes", content=as_file(SHORT)).is_success


# -- broken --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["facewire.v1.json", "facewire.v1.msgpack"])
def test_noise_in_messages(served: Served, name: str) -> None:
    """Random bytes, deep nesting and wrong types: each is told, none ends the session."""
    noise = np.random.default_rng(0)

    async def scene() -> None:
        talk = await connected(served, subprotocols=[name])
        packed = name.endswith("msgpack")
        start = {"type": "start", "input": "audio", "rate": 16000}
        import msgspec

        await talk.socket.send(msgspec.msgpack.encode(start) if packed else json.dumps(start))
        bad: list[str | bytes] = [noise.bytes(size) for size in (0, 1, 7, 100, 5000)]
        bad += ["[" * 100_000, '{"type":"position","turn":1e99}', "\0", '"\\ud800"']
        bad += ['{"type":"emotion","emotion":{"vad":[1,2,3]}}', '{"type":"end","type":"end","x":']
        bad += [msgspec.msgpack.encode({"type": "emotion", "emotion": {"vad": [float("nan")] * 3}})]
        for each in bad:
            await talk.socket.send(each)
        told = 0
        while told < len(bad):
            data = await asyncio.wait_for(talk.socket.recv(), 20)
            message = (msgspec.msgpack if packed else msgspec.json).decode(data)
            told += message["type"] == "error"
        assert told == len(bad)

    play(scene)


def test_positions_that_lie(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served, "text")
        await talk.tell("text", text="Hello there, this is me. ")
        await talk.until("frames")
        for turn, frame, sample in ((0, 10**12, 10**15), (-5, -7, -1), (99, 3, 3), (0, -1, 0)):
            await talk.tell("position", turn=turn, frame=frame, sample=sample)
            await talk.tell("interrupt")
            closing = await talk.until("frames", closing=True)
            assert np.isfinite(values_of(closing)).all() and closing["start"] >= 0
        assert not talk.of("error")

    play(scene)


# -- the end -------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_with_sessions_open(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facewire", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("facewire serves http://127.0.0.1:")
        port = int(line.split(":")[2].split("/")[0])
        served = Served(None, port, None)  # type: ignore[arg-type]

        async def scene() -> None:
            await asyncio.sleep(1.0)
            talks = [await talking(served, kind) for kind in ("audio", "text", "text")]
            await talks[0].hear(SHORT)
            await talks[1].tell("text", text="Hello there, I am Ada. " * 20)
            await talks[1].until("frames")
            process.send_signal(signal.SIGINT)
            for talk in talks:
                with suppress(ConnectionClosed):
                    async for _ in talk.socket:  # who does not read does not see the end
                        pass
                assert talk.socket.close_code in (1012, 1006)

        play(scene, 40)
        begun = time.monotonic()
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 8
        assert process.stderr.read() == "stopped\n"


def test_room_for_sound_that_came_early_is_less_than_what_is_kept() -> None:
    assert acting.ROOM < outbox.MOST < outbox.KEPT
