from __future__ import annotations

import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from facewire.clock import MonotonicClock
from facewire.delivery import Delivery, Hush
from facewire.errors import StageError
from facewire.pacer import Pacer, rows
from facewire.stages import Sink
from facewire.testing import FakeClock, ListSink
from facewire.types import Audio, Block, Emotion, Frames, RunInfo, first_sample
from parts import RIG, built

FPS = Fraction(60)
INFO = RunInfo("clip", RIG, FPS, 16000)


def block(start: int, jaw: list[float], fps: Fraction = FPS) -> Block:
    n = len(jaw)
    values = np.zeros((n, len(RIG)), np.float32)
    values[:, RIG.index("jawOpen")] = jaw
    values[:, RIG.index("headYaw")] = 0.2
    first, last = first_sample(start, 16000, fps), first_sample(start + n, 16000, fps)
    sound = np.arange(first, last).astype(np.float32)
    emotion = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), fps, start)
    return Block(Frames(values, RIG, fps, start), emotion, Audio(sound, 16000, first))


def indices(sink: ListSink) -> list[int]:
    return [b.frames.start for b in sink.blocks]


def test_rows_divide_a_block_and_its_sound() -> None:
    whole = block(3, [0.1, 0.2, 0.3])
    parts = list(rows(whole))
    assert [p.frames.start for p in parts] == [3, 4, 5]
    assert np.array_equal(np.concatenate([p.audio.samples for p in parts]), whole.audio.samples)


def test_thirty_seconds_on_a_fake_clock_go_out_in_order_and_on_time() -> None:
    clock, times = FakeClock(100.0), []

    class Watch(ListSink):
        def push(self, row: Block) -> None:
            super().push(row)
            times.append(clock.now())

    sink, file = Watch(live=True), ListSink()
    delivery = Delivery(
        [built(sink, "watch", "sink"), built(file, "file", "sink")], (RIG, FPS), clock
    )
    delivery.start(INFO)
    begun = time.perf_counter()
    for start in range(0, 1800, 60):
        delivery.push(block(start, [0.5] * 60))
    delivery.finish()
    assert time.perf_counter() - begun < 5
    assert len(file.values) == 1800
    assert indices(sink)[:1800] == list(range(1800))
    due = 100.0 + np.arange(1800) / 60
    assert np.abs(np.array(times[:1800]) - due).max() < 1e-6
    assert (sink.ended, file.ended) == ("closed", "closed")


def test_a_stopped_face_eases_to_neutral_and_three_neutral_frames_follow() -> None:
    sink = ListSink(live=True)
    delivery = Delivery([built(sink, "list", "sink")], (RIG, FPS), FakeClock())
    delivery.start(INFO)
    delivery.push(block(0, [0.6] * 30))
    delivery.finish()
    values = sink.values[30:]
    jaw, yaw = values[:, RIG.index("jawOpen")], values[:, RIG.index("headYaw")]
    assert len(values) == 15 and not values[-4:].any()
    assert jaw[5] == 0 and 0 < yaw[5] < 0.2  # 0.1 s and 0.2 s
    assert (np.diff(jaw) <= 0).all() and np.abs(np.diff([0.6, *jaw])).max() < 0.2


def test_several_frames_due_send_the_closed_one_and_count_the_rest() -> None:
    clock, sink = FakeClock(), ListSink(live=True)
    pacer = Pacer(built(sink, "list", "sink"), clock, FPS, 0.0, print)
    pacer.begin(0.0, threaded=False)
    for row in rows(block(0, [0.5, 0.5, 0.0, 0.5, 0.5])):
        pacer.put(row)
    clock.sleep_until(3.4 / 60)
    pacer.step()
    assert [b.frames.start for b in sink.blocks] == [3]
    assert sink.blocks[0].frames.values[0, RIG.index("jawOpen")] == 0
    assert len(sink.samples) == first_sample(4, 16000, FPS)  # no sound is lost with the frames
    assert pacer.tally.dropped == 3
    clock.sleep_until(4 / 60)
    pacer.step()
    assert indices(sink) == [3, 4]


def test_a_starved_ring_sends_the_last_frame_again_and_never_goes_back() -> None:
    clock, sink = FakeClock(), ListSink(live=True)
    pacer = Pacer(built(sink, "list", "sink"), clock, FPS, 0.0, print)
    pacer.begin(0.0, threaded=False)
    late = list(rows(block(0, [0.1, 0.2, 0.3, 0.4])))
    pacer.put(late[0])
    for _ in range(3):
        clock.sleep_until(pacer.next_due() or 0)
        pacer.step()
    for row in late[1:]:
        pacer.put(row)
    clock.sleep_until(3 / 60)
    pacer.step()
    assert indices(sink) == [0, 1, 2, 3]
    assert (pacer.tally.resent, pacer.tally.dropped) == (2, 2)


def test_a_sink_that_fails_is_tried_again_every_second_and_told_once() -> None:
    clock, told = FakeClock(), []

    class Flaky(ListSink):
        def push(self, row: Block) -> None:
            if 0.5 < clock.now() < 2.6:
                raise OSError("network is unreachable")
            super().push(row)

    sink = Flaky(live=True)
    delivery = Delivery([built(sink, "flaky", "sink")], (RIG, FPS), clock, tell=told.append)
    delivery.start(INFO)
    delivery.push(block(0, [0.1] * 240))
    delivery.finish()
    tally = delivery.outlets[0].pacer.tally
    assert tally.errors == 3  # at 0.5, 1.5 and 2.5 s
    assert told == [
        "sink 'flaky' (facewire-test 1.0): network is unreachable; trying again every second"
    ]
    assert indices(sink)[-1] == 254


def test_a_sink_that_blocks_stalls_nobody_else() -> None:
    gate = threading.Event()

    class Stuck(ListSink):
        def push(self, row: Block) -> None:
            gate.wait(5)
            super().push(row)

    stuck, free = Stuck(live=True), ListSink(live=True)
    sinks = [built(stuck, "stuck", "sink"), built(free, "free", "sink")]
    delivery = Delivery(sinks, (RIG, FPS), MonotonicClock())
    delivery.start(INFO)
    begun = time.perf_counter()
    delivery.push(block(0, [0.1] * 60))
    delivery.push(block(60, [0.1] * 60))
    assert time.perf_counter() - begun < 2.2
    gate.set()
    delivery.finish()
    assert indices(free) == sorted(set(indices(free)))
    assert len(free.blocks) > 100  # a busy machine may be late for some
    assert indices(stuck) == sorted(indices(stuck))
    assert delivery.outlets[0].pacer.tally.dropped > 20


def test_a_file_that_fails_does_not_take_the_others_with_it() -> None:
    class Full(ListSink):
        def push(self, row: Block) -> None:
            raise OSError("no space left on device")

    full, fine = Full(), ListSink()
    delivery = Delivery([built(full, "full", "sink"), built(fine, "fine", "sink")], (RIG, FPS))
    delivery.start(INFO)
    delivery.push(block(0, [0.1] * 60))
    assert str(delivery.failure) == "sink 'full' (facewire-test 1.0): no space left on device"
    with pytest.raises(StageError, match="no space left"):
        delivery.finish()
    assert (full.ended, fine.ended) == ("aborted", "closed")
    assert len(fine.values) == 60


def test_an_interrupted_mouth_closes_within_a_tenth_of_a_second_without_a_jump() -> None:
    hush = Hush(until=60, fps=FPS)
    out = [hush(row) for row in rows(block(0, [0.6] * 90))]
    jaw = np.array([row.frames.values[0, RIG.index("jawOpen")] for row in out])
    yaw = np.array([row.frames.values[0, RIG.index("headYaw")] for row in out])
    assert jaw[6] == 0 and not jaw[6:60].any() and jaw[70] == np.float32(0.6)
    assert np.abs(np.diff(jaw)).max() < 0.2
    assert (yaw == np.float32(0.2)).all()
    assert not any(row.audio.samples.any() for row in out[:60]) and out[60].audio.samples.any()


def test_sinks_may_want_another_rate_and_rig() -> None:
    small, slow = ListSink(rig=RIG.named("arkit52")), ListSink(fps=Fraction(24))
    sinks: list[Sink] = [small, slow]
    delivery = Delivery([built(s, "s", "sink") for s in sinks], (RIG, FPS))
    delivery.start(INFO)
    delivery.push(block(0, [0.5] * 60))
    delivery.push(block(60, [0.5] * 60))
    delivery.finish()
    assert small.values.shape == (120, 52)
    assert slow.values.shape == (48, 61)
    assert slow.info is not None and slow.info.fps == 24
    assert len(slow.samples) == len(small.samples) == 32000


def test_a_lag_delays_the_face_and_does_not_freeze_it() -> None:
    clock, sink = FakeClock(), ListSink(live=True)
    pacer = Pacer(built(sink, "list", "sink"), clock, FPS, 0.0, print)
    pacer.begin(0.0, threaded=False)
    coming = list(rows(block(0, list(np.linspace(0.1, 1, 120)))))
    for frame in range(140):  # from the tenth on, everything comes five frames late
        late = frame if frame < 10 else frame - 5
        if late < 120 and (frame < 10 or late >= 10):
            pacer.put(coming[late])
        clock.sleep_until((frame + 0.5) / 60)
        pacer.step()
    jaw = sink.values[:, RIG.index("jawOpen")]
    assert indices(sink) == list(range(len(indices(sink))))
    assert len(np.unique(jaw)) > 110
    assert len(sink.samples) == first_sample(120, 16000, FPS)


@pytest.mark.parametrize("fps", [5, 10, 15, 24])
def test_no_sound_is_lost_on_the_way_to_a_slow_sink(fps: int) -> None:
    slow, file = ListSink(live=True, fps=Fraction(fps)), ListSink(fps=Fraction(fps))
    sinks = [built(s, "slow", "sink") for s in (slow, file)]
    delivery = Delivery(sinks, (RIG, FPS), FakeClock())
    delivery.start(INFO)
    for start in range(0, 240, 60):
        delivery.push(block(start, [0.4] * 60))
    delivery.finish()
    assert len(file.samples) == len(slow.samples) == 64000


def test_a_sink_that_wants_its_frames_early_gets_them_all() -> None:
    early, clock = ListSink(live=True), FakeClock(10.0)
    early.latency = -0.3
    delivery = Delivery([built(early, "early", "sink")], (RIG, FPS), clock)
    delivery.start(INFO)
    for start in range(0, 180, 60):
        delivery.push(block(start, [0.4] * 60))
    delivery.finish()
    assert indices(early)[:180] == list(range(180))
    assert delivery.outlets[0].pacer.tally.dropped == 0


def test_a_sink_that_never_returns_does_not_hold_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facewire.pacer.PATIENCE", 0.2)
    gate, told = threading.Event(), []

    class Stuck(ListSink):
        def push(self, row: Block) -> None:
            gate.wait(20)

    stuck, file = Stuck(live=True), ListSink()
    sinks = [built(stuck, "stuck", "sink"), built(file, "file", "sink")]
    delivery = Delivery(sinks, (RIG, FPS), MonotonicClock(), tell=told.append)
    delivery.start(INFO)
    delivery.push(block(0, [0.1] * 12))
    begun = time.perf_counter()
    delivery.finish()
    assert time.perf_counter() - begun < 3
    gate.set()
    assert told == ["sink 'stuck' (facewire-test 1.0) does not answer; it is left behind"]
    assert (stuck.ended, file.ended) == ("", "closed")
