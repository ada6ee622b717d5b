"""The sound device's clock: as fast as the device, steady, never backwards."""

from __future__ import annotations

import numpy as np
import pytest
from facewire_audio.deviceclock import DeviceClock
from facewire_audio.gate import Gate
from facewire_audio.simulated import SimulatedOutput, Traits, World


def running(traits: Traits, rate: int = 48000) -> tuple[World, DeviceClock]:
    world = World(5.0)
    clock, device = DeviceClock(world), SimulatedOutput(world, traits)

    def fill(count: int, now: float) -> np.ndarray:
        clock.tick(count / rate, now)
        return np.zeros(count, np.float32)

    device.start(rate, fill)
    return world, clock


@pytest.mark.parametrize("ppm", [0, 120, -300])
def test_it_runs_as_fast_as_the_device(ppm: float) -> None:
    world, clock = running(Traits(ppm=ppm, jitter=0.004))
    world.sleep_until(65.0)
    begun = clock.now()
    world.sleep_until(665.0)
    assert clock.now() - begun == pytest.approx(600 * (1 + 1e-6 * ppm), abs=0.003)
    assert clock.ppm == pytest.approx(ppm, abs=25)


def test_before_the_device_runs_it_is_the_worlds() -> None:
    world = World(7.0)
    clock = DeviceClock(world)
    clock.sleep_until(9.5)
    assert (world.now(), clock.now(), clock.silent()) == (9.5, 9.5, 0.0)


def test_it_never_runs_backwards_and_goes_on_over_a_stall() -> None:
    world, clock = running(Traits(ppm=80, jitter=0.005, stalls=((12.0, 1.5), (20.0, 0.1))))
    shown = []
    for at in np.arange(5, 40, 0.003):
        world.sleep_until(at)
        shown.append(clock.now())
    assert (np.diff(shown) >= 0).all()
    assert clock.stalls == 1  # 0.1 s is taken up slowly
    assert shown[-1] == pytest.approx(world.now(), abs=0.15)


def test_who_sleeps_until_a_time_reads_that_time() -> None:
    _, clock = running(Traits(ppm=200, jitter=0.004))
    for at in np.arange(5.1, 15, 0.01):
        clock.sleep_until(at)
        assert at <= clock.now() < at + 0.02


def test_the_gate_opens_holds_and_closes_lower() -> None:
    rate, tone = 16000, np.sin(np.arange(16000) * 0.4).astype(np.float32)
    loud, between, quiet = 0.02 * tone, 0.003 * tone, 0.0005 * tone  # -37, -53, -69 dBFS
    gate = Gate(rate, -50, -56, hold=0.2)
    out = gate.push(np.concatenate([between, loud, between, quiet]))
    parts = np.abs(out.reshape(4, rate))
    assert not parts[0].any()  # under the threshold it stays shut
    assert parts[1, 160:].max() > 0.019 and parts[2, -1000:].max() > 0.0029  # hysteresis
    assert parts[3, : rate // 10].any() and not parts[3, rate // 4 :].any()


def test_any_cut_of_the_sound_gates_the_same() -> None:
    sound = (np.random.default_rng(0).standard_normal(9000) * 0.01).astype(np.float32)
    sound[3000:6000] *= 0.01

    def gated(size: int) -> np.ndarray:
        gate = Gate(16000, -45, -51, 0.05)
        parts = [gate.push(sound[i : i + size]) for i in range(0, len(sound), size)]
        return np.concatenate([*parts, gate.flush()])

    whole = gated(9000)
    assert len(whole) == 9000
    for size in (1, 77, 480):
        assert np.array_equal(gated(size), whole)
