"""What facewire-osc offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from facewire.hookspecs import hookimpl
from facewire.retargeted import nested, retargeted
from facewire.stages import Sink
from facewire.types import Check, Component, Context

from facewire_osc.config import (
    FaceCapConfig,
    IFacialMocapConfig,
    PlainConfig,
    SteamLinkConfig,
    VmcConfig,
    VrchatConfig,
    VTubeStudioConfig,
)

_SINKS = (
    # name, config, module and class, what it does
    ("osc", PlainConfig, "plain.Plain", "send channels as OSC messages, /face/<channel>"),
    ("osc.vrchat", VrchatConfig, "vrchat.Vrchat", "send Unified Expressions to a VRChat avatar"),
    ("osc.steamlink", SteamLinkConfig, "steamlink.SteamLink", "send a face as Steam Link does"),
    ("osc.facecap", FaceCapConfig, "facecap.FaceCap", "send frames as the Face Cap app does"),
    (
        "osc.ifacialmocap",
        IFacialMocapConfig,
        "ifacialmocap.IFacialMocap",
        "send frames as the iFacialMocap app does (UDP text)",
    ),
)


def _later(where: str) -> Callable[[Any, Context], Sink]:
    """Return a factory that imports the sink's module when it is called."""
    module, name = where.split(".")

    def make(config: Any, context: Context) -> Sink:
        sink: Sink = getattr(import_module(f"facewire_osc.{module}"), name)(config)
        return retargeted(sink, getattr(config, "retarget", None), context)

    return make


def _vmc(config: VmcConfig, context: Context) -> Sink:
    from facewire_osc.vmc import Vmc

    return Vmc(config, nested(config.retarget, context) if config.retarget else None)


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer the sinks."""
    vmc = "send to VTuber apps that take the VMC protocol"
    yield Component("osc.vmc", _vmc, VmcConfig, vmc, example=VmcConfig())
    for name, config, where, summary in _SINKS:
        yield Component(name, _later(where), config, summary, example=config())
    yield Component(
        name="osc.vtubestudio",
        make=_later("vtubestudio.VTubeStudio"),
        config=VTubeStudioConfig,
        summary="send parameters to VTube Studio (WebSocket)",
        needs=("VTube Studio",),
    )


def _check(name: str) -> Callable[[], str]:
    def run() -> str:
        line: str = getattr(import_module("facewire_osc.checks"), name)()
        return line

    return run


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer checks: OSC over loopback, who listens on this machine, and VTube Studio's answer."""
    yield Check("osc", _check("check_loopback"))
    yield Check("osc.receivers", _check("check_receivers"))
    yield Check("osc.vtubestudio", _check("check_vtubestudio"))
