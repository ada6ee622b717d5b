"""``facewire livelink``: probe a receiver, or be one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import click
import numpy as np
from facewire.delivery import MARGIN, Delivery
from facewire.emotion import neutral
from facewire.errors import FacewireError, InputError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile, load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.types import Audio, Block, Frames, RunInfo, first_sample
from facewire.udp import resolve

from facewire_livelink.interfaces import interfaces
from facewire_livelink.plugin import LiveLinkConfig, LiveLinkSourceConfig
from facewire_livelink.receive import Arrivals, Listener
from facewire_livelink.sink import NOTE, LiveLink, checked_device
from facewire_livelink.source import LOOK, LiveLinkSource

NOTHING = "nothing came in"
"""What a session's error begins with whose input brought nothing."""
RIG, FPS, RATE = Rig.named("arkit61"), Fraction(60), 16000
UNREAL = (
    "Unreal needs: the plugins Live Link, Apple ARKit and Apple ARKit Face Support; in the Live",
    "Link panel the source ARKit at this port; UDP let through its machine's firewall; and the",
    "subject chosen where the character asks for it (a MetaHuman: LLink Face Subj).",
)


@click.group("livelink")
def livelink() -> None:
    """Probe a Live Link receiver, or listen to a phone."""


@livelink.command("probe")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where Unreal runs.")
@click.option("--port", default=11111, show_default=True, type=int)
@click.option("--subject", default="Facewire", show_default=True)
@click.option("--seconds", default=10, show_default=True, type=click.IntRange(1, 3600))
def probe(host: str, port: int, subject: str, seconds: int) -> None:
    """Send a test pattern: jaw, smile and brows in turn, a second each."""
    config = LiveLinkConfig(host=host, port=port, subject=subject)
    sink = LiveLink(config)
    checked_device(config)  # before anything is printed
    for line in addresses(host, port):
        click.echo(line)
    for line in UNREAL:
        click.echo(line)
    told: list[str] = []
    delivery = Delivery([Built(sink, "livelink", "sink")], (RIG, FPS), tell=told.append)
    try:
        delivery.start(RunInfo("probe", RIG, FPS, RATE, time.time()), -MARGIN)
        for block in pattern(seconds):
            delivery.push(block)
        delivery.finish()
    except BaseException:
        delivery.abort()
        raise
    pacer = delivery.outlets[0].pacer
    assert pacer is not None
    if not pacer.tally.sent:
        raise FacewireError(f"nothing could be sent: {' '.join(told)}")
    click.echo(f"sent {pacer.tally.sent} packets to {host}:{port} as '{subject}'")
    for line in told:
        click.echo(line)


def pattern(seconds: int) -> Iterator[Block]:
    """Yield a second of each channel group, over and over: 0 to 1 and back."""
    groups = (("jawOpen",), ("mouthSmileLeft", "mouthSmileRight"), ("browInnerUp",))
    wave = np.sin(np.pi * np.arange(60) / 60).astype(np.float32) ** 2
    for second in range(seconds):
        values = np.zeros((60, len(RIG)), np.float32)
        values[:, RIG.indices(*groups[second % len(groups)])] = wave[:, None]
        start = 60 * second
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + 60))
        sound = Audio(np.zeros(last - first, np.float32), RATE, first)
        yield Block(Frames(values, RIG, FPS, start), neutral(60, start, FPS), sound)


def addresses(host: str, port: int) -> list[str]:
    """Return lines on this machine's interfaces, its addresses, and the one packets leave from."""
    lines = []
    with suppress(OSError, AttributeError):  # a system may have no such list
        named = (f"{name} ({address})" if address else name for name, address in interfaces())
        lines.append("interfaces: " + ", ".join(named))
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_DGRAM)
        own = sorted({str(entry[4][0]) for entry in found})
        lines.append("this machine's name stands for: " + ", ".join(own))
    except OSError:
        lines.append("this machine's own name cannot be looked up")
    family, address = resolve("livelink", host, port, NOTE)
    with socket.socket(family, socket.SOCK_DGRAM) as route:
        try:
            route.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            route.connect(address)  # sends nothing: it only asks for the way
            lines.append(f"packets to {host}:{port} leave from {route.getsockname()[0]}")
        except OSError as error:
            raise InputError(f"livelink: no way to {host} ({error.strerror or error})") from error
    return lines


@livelink.command("listen")
@click.option("--host", default="0.0.0.0", show_default=True, help="The address to listen on.")
@click.option("--port", default=11111, show_default=True, type=int)
@click.option("--subject", help="Whose frames are recorded; by default the first's.")
@click.option("--seconds", type=float, help="How long; by default until Ctrl-C.")
@click.option("--out", type=click.Path(path_type=Path), help="Record a take: take.csv.")
@click.option(
    "--profile", metavar="NAME|FILE", help="Send the frames through its layers and sinks."
)
def listen(
    host: str,
    port: int,
    subject: str | None,
    seconds: float | None,
    out: Path | None,
    profile: str | None,
) -> None:
    """Print who sends, how fast, how evenly and what is lost; record it."""
    if seconds is not None and not 0 < seconds <= threading.TIMEOUT_MAX:
        raise InputError(f"--seconds is {seconds:g}, expected a number above 0")
    if out is None and profile is None:
        _watch(Listener(host, port), seconds)
        return
    source = LiveLinkSource(LiveLinkSourceConfig(host=host, port=port, subject=subject))
    chosen = load_profile(profile, []) if profile else Profile(name="listen", sinks=())
    sinks = _take(chosen, out) if out else chosen.sinks
    session = Session(replace(chosen, sinks=sinks), source, out.stem if out else "livelink")
    click.echo(f"listening on {host}:{source.port}; Ctrl-C ends it", err=True)
    timer = threading.Timer(seconds, session.end) if seconds is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        report = session.run()
    except InputError as error:
        if str(error).startswith(NOTHING):
            raise InputError(source.lacking()) from error
        raise
    finally:
        if timer:
            timer.cancel()
    for line in [*source.report(), *(f"result: {result}" for result in report.results)]:
        click.echo(line)


def _take(profile: Profile, out: Path) -> tuple[ComponentSpec, ...]:
    if out.suffix.lower() != ".csv":
        raise InputError(f"--out {out}: a take is a .csv file; for other formats use --profile")
    return (*profile.sinks, ComponentSpec("files.livelink_csv", {"path": str(out.absolute())}))


def _watch(listener: Listener, seconds: float | None) -> None:
    """Count until the time is over, or Ctrl-C."""
    click.echo(f"listening on port {listener.port}; Ctrl-C ends it", err=True)
    subjects: dict[str, Arrivals] = {}
    ends = None if seconds is None else time.perf_counter() + seconds
    try:
        for found in listener.packets():
            if found is not None:
                packet, now = found
                if packet.subject not in subjects:
                    click.echo(f"{packet.subject} sends (device {packet.device})")
                subjects.setdefault(packet.subject, Arrivals()).note(packet, now)
            if ends is not None and time.perf_counter() > ends:
                break
    except KeyboardInterrupt:
        pass
    for subject, arrivals in subjects.items():
        click.echo(arrivals.line(subject))
    if listener.broken:
        click.echo(f"{listener.broken} datagrams were no Live Link packets")
    if not subjects:
        click.echo(f"{NOTHING}: {LOOK}")
