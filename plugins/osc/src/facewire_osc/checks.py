"""What ``facewire doctor`` does for this plugin."""

from __future__ import annotations

import errno
import socket

from facewire.errors import StageError
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from facewire_osc.config import (
    IFacialMocapConfig,
    SteamLinkConfig,
    VmcConfig,
    VrchatConfig,
    VTubeStudioConfig,
)
from facewire_osc.vts import Client, VtsError
from facewire_osc.wire import bundles, message

_PATIENCE = 2.0  # seconds; loopback needs microseconds
_RECEIVERS = (
    ("VMC", VmcConfig().port),
    ("VRChat", VrchatConfig().port),
    ("Steam Link", SteamLinkConfig().port),
    ("iFacialMocap", IFacialMocapConfig().port),
)


def check_loopback() -> str:
    """Send a bundle to this machine and read it back. StageError where it does not arrive."""
    (sent,) = bundles([message("/VMC/Ext/Blend/Val", "JawOpen", 0.5)])
    try:
        received = _through_loopback(sent)
    except OSError as error:
        raise StageError(
            f"osc: a packet to 127.0.0.1 did not arrive ({error});"
            " look for a firewall that blocks UDP"
        ) from error
    content = [m for m in OscBundle(received) if isinstance(m, OscMessage)]
    if [(m.address, m.params) for m in content] != [("/VMC/Ext/Blend/Val", ["JawOpen", 0.5])]:
        raise StageError("osc: a packet came back from 127.0.0.1 changed")
    return f"a bundle of {len(sent)} bytes went over loopback and came back whole"


def _through_loopback(datagram: bytes) -> bytes:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE)
        sender.sendto(datagram, receiver.getsockname())
        return receiver.recv(len(datagram) + 1)


def check_receivers() -> str:
    """Say for which protocols a program of this machine listens on the usual port."""
    found = [(f"{name} ({port})", _taken(port)) for name, port in _RECEIVERS]
    there, absent = ([name for name, taken in found if taken is yes] for yes in (True, False))
    return (
        f"on this machine listen: {', '.join(there) or 'none'}; nothing: {', '.join(absent) or '-'}"
    )


def _taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def check_vtubestudio() -> str:
    """Ask VTube Studio on this machine who it is; that it does not run is no failure."""
    config = VTubeStudioConfig()
    where = f"{config.host}:{config.port}"
    try:
        with connect(
            f"ws://{where}", proxy=None, open_timeout=_PATIENCE, close_timeout=1
        ) as connection:
            state = Client(connection, lambda: False).ask("APIStateRequest")
    except (ConnectionRefusedError, TimeoutError):
        return f"nothing answers at {where}: VTube Studio does not run, or its plugin API is off"
    except (OSError, WebSocketException, VtsError) as error:
        raise StageError(f"osc.vtubestudio: {where} is not VTube Studio ({error})") from error
    allowed = "on" if state.get("active") else "off: allow plugin API access in its settings"
    return (
        f"version {state.get('vTubeStudioVersion')} answers at {where}, its plugin API is {allowed}"
    )
