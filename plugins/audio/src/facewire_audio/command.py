"""``facewire clap``: how far sound and face are apart."""

from __future__ import annotations

import sys

import click
from facewire.errors import InputError, PluginError

from facewire_audio.clap import DRIFT, MEAN, Claps, simulated
from facewire_audio.clap import clap as measured
from facewire_audio.portaudio import PortAudioOutput

MOST_PPM = 1000.0
"""No crystal is off by as much; a clock that follows one need not follow more."""


@click.command("clap")
@click.option("--seconds", default=10, show_default=True, type=click.IntRange(3, 3600))
@click.option("--device", help="A part of the sound device's name, or its number.")
@click.option("--simulate", is_flag=True, help="Use a simulated sound device; takes no real time.")
@click.option(
    "--ppm", default=50.0, show_default=True, help="How much too fast the simulated device is."
)
def clap(seconds: int, device: str | None, simulate: bool, ppm: float) -> None:
    """Beep and open the jaw once a second, and measure how far the two are apart.

    The beep's time is the sound device's own word, its stated latency included; without a device
    a simulated one is taken, and said. Ends with 1 where the offset is too large.
    """
    if not abs(ppm) <= MOST_PPM:
        raise InputError(f"--ppm is {ppm:g}, expected -{MOST_PPM:g} to {MOST_PPM:g}")
    note = ""
    if not simulate:
        try:
            output = PortAudioOutput(device)
        except (InputError, PluginError) as error:
            if device is not None:
                raise
            simulate, note = True, f"{error}\n"
    if simulate:
        click.echo(f"{note}on a simulated device, {ppm:+g} ppm, for {seconds} s of its time:")
        claps = simulated(seconds, ppm)
    else:
        click.echo(f"on {output.name}, {seconds} s; {1000 * output.latency:.0f} ms to the ear:")
        claps = measured(output, seconds)
    for line in lines(claps):
        click.echo(line)
    if not claps.good:
        sys.exit(1)


def lines(claps: Claps) -> list[str]:
    """Return what was measured, in lines."""
    if not len(claps.offsets):
        return ["no clap got through: the device took no sound"]
    verdict = "good" if claps.good else "too far apart"
    return [
        f"claps: {len(claps.offsets)} measured, {claps.missed} missed",
        f"offset: {1000 * claps.mean:+.1f} ms, sound behind the face if positive "
        f"(at most {1000 * MEAN:.0f})",
        f"drift: {1000 * claps.drift:+.1f} ms from the first tenth to the last "
        f"(at most {1000 * DRIFT:.0f} in ten minutes)",
        f"the device runs {claps.ppm:+.0f} ppm against the system's clock",
        f"result: {verdict}",
    ]
