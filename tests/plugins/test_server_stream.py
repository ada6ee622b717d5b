"""Streams: sound and text in, frames out; turns, emotion, barge-in, both encodings."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import facewire
import msgspec
import numpy as np
import pytest
from facewire.articulation import lip_gap
from facewire.resample import mouth_columns
from facewire.rig import Rig
from facewire.types import first_sample, frames_within
from server_parts import Served, Talk, connected, light, play, serving, speech, talking, values_of

RIG = Rig.named("arkit61")
RATE = Fraction(60)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


async def send(talk: Talk, samples: np.ndarray, size: int = 800) -> None:
    for at in range(0, len(samples), size):
        await talk.hear(samples[at : at + size])


# -- sound ---------------------------------------------------------------------------------------


def test_sound_gives_what_the_pipeline_gives(served: Served) -> None:
    samples = speech(2.0)
    with facewire.open_pipeline("default", name="turn-0") as pipeline:
        blocks = [*pipeline.push(facewire.Audio(samples, 16000)), *pipeline.flush()]
    whole = np.concatenate([block.frames.values for block in blocks])

    async def scene() -> None:
        talk = await talking(served)
        ready = talk.got[0]
        assert ready["rig"] == {"name": "arkit61", "channels": list(RIG.channels)}
        assert (ready["fps"], ready["rate"]) == (60, 16000) and 0.2 < ready["latency"] < 1.5
        for at in np.array_split(samples, 17):
            await talk.hear(at)
        await talk.tell("end")
        end = await talk.until("end")
        assert (end["turn"], end["frames"], end["samples"]) == (0, 120, 32000)
        await talk.until("state", state="listening")
        assert np.abs(talk.values() - whole).max() < 1e-5
        states = [m["state"] for m in talk.of("state")]
        assert states == ["listening", "thinking", "speaking", "listening"]
        assert [m["seq"] for m in talk.got] == list(range(len(talk.got)))
        for message in talk.of("frames"):
            assert message["sample"] == message["start"] * 16000 // 60

    play(scene)


def test_turns_count_from_zero_and_an_empty_one_ends(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served)
        for turn, seconds in enumerate((0.5, 0.0, 0.7)):
            await send(talk, speech(seconds))
            await talk.tell("end")
            end = await talk.until("end", turn=turn)
            assert end["samples"] == int(seconds * 16000)
            assert end["frames"] == len(talk.values(turn)) == round(seconds * 60)

    play(scene)


def test_msgpack_and_integers_are_the_same(served: Served) -> None:
    samples = (speech(0.6) * 32767).astype("<i2")

    async def scene() -> None:
        talk = await connected(served, subprotocols=["facewire.v1.msgpack"])
        assert talk.socket.subprotocol == "facewire.v1.msgpack"
        put = msgspec.msgpack.encode
        start = {"type": "start", "input": "audio", "rate": 16000, "encoding": "s16"}
        await talk.socket.send(put(start))
        await talk.socket.send(put({"type": "audio", "pcm": samples.tobytes()}))
        await talk.socket.send(put({"type": "end"}))
        rows = []
        while (message := msgspec.msgpack.decode(await talk.socket.recv()))["type"] != "end":
            if message["type"] == "frames":
                rows.append(np.frombuffer(message["values"], "<f4").reshape(-1, 61))
        other = await talking(served)
        await other.hear(samples / np.float32(32768))
        await other.tell("end")
        await other.until("end")
        assert np.array_equal(np.concatenate(rows), other.values())

    play(scene)


def test_live_sound_comes_back_within_the_latency(tmp_path: Path) -> None:
    """Sound sent as a microphone brings it: its frames come when they are known, no later."""
    samples = speech(2.5)

    async def scene() -> None:
        talk = await talking(quick)
        latency = talk.got[0]["latency"]
        sent: list[float] = []
        delays: list[float] = []

        async def read() -> None:
            while (message := await talk.next())["type"] != "end":
                if message["type"] == "frames":
                    last = message["start"] + message["count"] - 1
                    at = first_sample(last, 16000, RATE) // 800
                    delays.append(time.monotonic() - sent[min(at, len(sent) - 1)])

        reading = asyncio.ensure_future(read())
        begin = time.monotonic()
        for i in range(0, len(samples), 800):
            await asyncio.sleep(max(0.0, begin + i / 16000 - time.monotonic()))
            sent.append(time.monotonic())
            await talk.hear(samples[i : i + 800])
        await talk.tell("end")
        await reading
        assert np.median(delays) < latency + 0.5  # a busy machine
        assert talk.of("frames")[0]["seq"] < 6

    with serving(profile=light(tmp_path)) as quick:
        play(scene)


# -- text ----------------------------------------------------------------------------------------


def test_text_in_pieces_is_spoken_and_animated(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served, "text")
        rate = talk.got[0]["rate"]
        for piece in ("[joy:80] My mot", "her may map it. ", "Bob", " was happy."):
            await talk.tell("text", text=piece)
        await talk.tell("end")
        end = await talk.until("end")
        sound, rows = talk.sound(), talk.values()
        assert len(sound) == end["samples"] and len(rows) == end["frames"]
        assert len(rows) == frames_within(len(sound), rate, RATE)
        assert np.abs(sound).max() > 0.1
        words = [m["text"] for b in talk.of("marks") for m in b["marks"] if m["kind"] == "word"]
        assert words == ["My", "mother", "may", "map", "it", "Bob", "was", "happy"]
        at = 0
        for message in talk.of("audio"):
            assert message["sample"] == at and message["rate"] == rate
            at += len(np.frombuffer(message["pcm"].encode(), "u1")) * 3 // 4 // 4
        vad = np.concatenate([np.array(m["vad"]) for m in talk.of("frames")])
        assert vad[:, 0].max() > 0.75
        _lips_close_on_m(talk, rows, rate)

    play(scene)


def _lips_close_on_m(talk: Talk, rows: np.ndarray, rate: int) -> None:
    gap = lip_gap(rows, RIG)
    phones = [m for b in talk.of("marks") for m in b["marks"] if m["kind"] == "phone"]
    closed = [
        gap[p["start"] * 60 // rate : p["end"] * 60 // rate + 1].min()
        for p in phones
        if p["text"] in ("m", "b", "p")
    ]
    assert len(closed) >= 4 and max(closed) < 0.03


def test_a_pause_in_the_text_goes_on_in_silence(served: Served) -> None:
    """Text that comes late does not stop the face: sound and frames go on at real time."""

    async def scene() -> None:
        talk = await talking(served, "text")
        await talk.tell("text", text="Well. ")
        began = time.monotonic()
        frames = 0
        while time.monotonic() - began < 3.0:
            message = await talk.next()
            frames += message.get("count", 0)
        assert 120 < frames < 290  # about 3 s, and not much more than is due
        await talk.tell("text", text="Here I am")
        await talk.tell("flush")
        await talk.until("marks", seconds=5)
        await talk.tell("end")
        end = await talk.until("end")
        assert len(talk.sound()) == end["samples"] and len(talk.values()) == end["frames"]
        words = [m["text"] for b in talk.of("marks") for m in b["marks"] if m["kind"] == "word"]
        assert "".join(words).replace(" ", "") == "WellHereIam"

    play(scene)


def test_speech_is_made_little_more_than_a_second_ahead(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served, "text")
        await talk.tell("text", text="This is a long sentence that goes on and on. " * 5)
        began = time.monotonic()
        while time.monotonic() - began < 2.0:
            await talk.next()
        rate = talk.got[0]["rate"]
        sent = len(talk.sound()) / rate
        assert 2.0 < sent < 2.0 + talk.got[0]["latency"] + 1.0 + 0.8

    play(scene)


# -- emotion -------------------------------------------------------------------------------------


def test_emotion_is_taken_over_and_given_back(served: Served) -> None:
    samples = speech(1.2)

    async def scene() -> None:
        talk = await talking(served, emotion="sadness")
        marks = []
        for emotion in (..., "joy:80", ..., None):
            if emotion is not ...:
                await talk.tell("emotion", emotion=emotion)
            await send(talk, samples)
            while sum(m["count"] for m in talk.of("frames")) < 72 * len(marks) + 15:
                await talk.next()
            marks.append(len(talk.of("frames")))
            await asyncio.sleep(0.5)
        await talk.tell("end")
        await talk.until("end")
        valence = np.concatenate([np.array(m["vad"]) for m in talk.of("frames")])[:, 0]
        assert valence[:20].mean() < 0.25
        assert valence.max() > 0.7
        assert valence[-10:].mean() < 0.25
        await talk.tell("emotion", emotion={"vad": [0.9, 0.7, 0.7]})
        await send(talk, samples)
        await talk.tell("end")
        await talk.until("end", turn=1)
        vad = np.concatenate([np.array(m["vad"]) for m in talk.of("frames", turn=1)])
        assert abs(vad[:, 0].mean() - 0.9) < 0.05  # it holds in the next turn too
        await talk.tell("emotion", emotion="joi")
        error = await talk.until("error")
        assert error["error"] == "emotion: emotion 'joi' is unknown; did you mean 'joy'?"

    play(scene)


# -- barge-in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False], ids=["position", "none"])
def test_an_interrupt_closes_the_mouth_at_the_frame_drawn_last(served: Served, told: bool) -> None:
    async def scene() -> None:
        talk = await talking(served, "text")
        await talk.tell("text", text="Mama papa, oh how far away are all of our cars. " * 3)
        while sum(m["count"] for m in talk.of("frames")) < 70:
            await talk.next()
        open_mouth = int(lip_gap(talk.values()[:60], RIG).argmax())
        rate = talk.got[0]["rate"]
        if told:
            sample = first_sample(open_mouth, rate, RATE)
            await talk.tell("position", turn=0, sample=sample, frame=open_mouth)
        began = time.monotonic()
        await talk.tell("interrupt")
        closing = await talk.until("frames", closing=True)
        assert time.monotonic() - began < 2
        assert (await talk.next()) == {**talk.got[-1], "type": "state", "state": "listening"}
        before = talk.values()
        last = open_mouth if told else len(before) - 1
        assert (closing["turn"], closing["start"]) == (0, last + 1)
        assert closing["sample"] == first_sample(last + 1, rate, RATE)
        rows = values_of(closing)
        mouth = mouth_columns(RIG)
        whole = np.concatenate([before[last : last + 1], rows])
        assert (
            np.abs(np.diff(whole[:, mouth], axis=0)).max() < 0.35 * before[last, mouth].max() + 0.01
        )
        shut = int(0.120 * 60)
        assert np.abs(rows[shut - 1 :, mouth]).max() == 0
        assert np.abs(rows[-1]).max() == 0 and len(rows) <= 18
        await _silent_until_the_next_turn(talk)

    play(scene)


async def _silent_until_the_next_turn(talk: Talk) -> None:
    """After an interrupt nothing comes of what was queued; then the next turn is turn 1."""
    count = len(talk.got)
    with pytest.raises(TimeoutError):
        await talk.next(0.7)
    assert len(talk.got) == count
    await talk.tell("text", text="Yes?")
    await talk.tell("end")
    end = await talk.until("end")
    assert end["turn"] == 1 and end["frames"] == len(talk.values(1)) > 0
    assert {m["turn"] for m in talk.got[count:] if "turn" in m} == {1}


def test_an_interrupt_before_anything_was_said(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served)
        await talk.tell("interrupt")
        closing = await talk.until("frames", closing=True)
        assert closing["start"] == 0 and np.abs(values_of(closing)).max() == 0
        await send(talk, speech(0.5))
        await talk.tell("interrupt")
        await talk.until("frames", closing=True)
        await send(talk, speech(0.5))
        await talk.tell("end")
        assert (await talk.until("end"))["turn"] == 1

    play(scene)


# -- wrong ---------------------------------------------------------------------------------------


def test_what_is_wrong_is_told_and_the_session_goes_on(served: Served) -> None:
    async def scene() -> None:
        talk = await talking(served)
        pcm = b64encode(b"abc").decode()
        for line, sent in (
            ("message: Input data was truncated", "{"),
            ("message: Invalid value 'dance'", json.dumps({"type": "dance"})),
            ("message: Object missing required field `pcm`", json.dumps({"type": "audio"})),
            ("a binary frame came, expected text frames", b"\x80"),
            (
                "audio: 3 bytes are no whole number of f32",
                json.dumps({"type": "audio", "pcm": pcm}),
            ),
            ("this session's input is audio", json.dumps({"type": "text", "text": "Hi"})),
            ("'start' comes once", json.dumps({"type": "start", "input": "text"})),
        ):
            await talk.socket.send(sent)
            error = await talk.until("error")
            assert error["error"].startswith(line)
        await talk.hear(np.array([np.nan, np.inf, 1e30, -1e30] * 2000, np.float32))
        await send(talk, speech(0.5))
        await talk.tell("end")
        await talk.until("end")
        assert np.isfinite(talk.values()).all() and len(talk.values()) == 60
        assert talk.of("error")[-1]["error"].startswith("the sound has samples that are not finite")

    play(scene)


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ({"input": "audio"}, "rate: found None, expected 8000 to 192000"),
        ({"input": "audio", "rate": 10}, "rate: found 10, expected 8000"),
        ({"input": "video"}, "message: Invalid enum value 'video'"),
        ({"input": "text", "profile": "/etc/passwd"}, "profile: there is no '/etc/passwd'"),
        ({"input": "text", "voice": "xx-nobody"}, "espeak: there is no voice 'xx-nobody'"),
        ({"input": "text", "sinks": []}, "message: Object contains unknown field `sinks`"),
        ({"input": "text", "emotion": "joi"}, "emotion: emotion 'joi' is unknown"),
        ({"input": "text", "strength": float("inf")}, "message: JSON is malformed"),
    ],
)
def test_a_wrong_start_is_told_and_the_socket_closes(
    served: Served, start: dict, line: str
) -> None:
    async def scene() -> None:
        talk = await connected(served)
        await talk.tell("start", **start)
        error = await talk.next()
        assert error["type"] == "error" and error["error"].startswith(line)
        await talk.socket.wait_closed()
        assert talk.socket.close_code == 1008

    play(scene)
