"""``facewire serve``: start the server."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from contextlib import closing, suppress

import click
from facewire.errors import FacewireError

from facewire_server.settings import MEGABYTE, Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--profile", default="default", show_default=True, metavar="NAME|FILE")
@click.option("--token", envvar="FACEWIRE_TOKEN", help="What clients must show. [FACEWIRE_TOKEN]")
@click.option("--name", "names", multiple=True, help="A further name that it is called by.")
@click.option("--max-body", default=64, show_default=True, help="Megabytes of a request.")
@click.option("--max-seconds", default=600.0, show_default=True, help="Seconds of sound.")
@click.option("--max-sessions", default=64, show_default=True, help="Streams at once.")
@click.option("--rate", default=20.0, show_default=True, help="Requests a second of an address.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def serve(
    host: str,
    port: int,
    profile: str,
    token: str | None,
    names: tuple[str, ...],
    max_body: int,
    max_seconds: float,
    max_sessions: int,
    rate: float,
    show: bool,
) -> None:
    """Serve the studio page, NeuroSync's endpoint and streams, to this machine."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before a model loads its threads
    sys.setswitchinterval(0.0005)
    settings = Settings(
        host=host,
        port=port,
        profile=profile,
        token=token or None,
        names=tuple(name.lower() for name in names),
        max_body=max_body * MEGABYTE,
        max_seconds=max_seconds,
        max_sessions=max_sessions,
        rate=rate,
    )
    listener = bound(settings)
    # Ctrl-C ends the server's loop; whether it comes out of it as well depends on when it came.
    with closing(listener), suppress(KeyboardInterrupt):
        _run(settings, listener, show)
    click.echo("stopped", err=True)


def bound(settings: Settings) -> socket.socket:
    """Return a socket that is bound; FacewireError in one line if it cannot be."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise FacewireError(f"--host {settings.host}: {error.strerror or error}") from error
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise FacewireError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}; "
            "choose another --port"
        ) from error
    return listener


def _run(settings: Settings, listener: socket.socket, show: bool) -> None:
    from facewire_server.app import make_app
    from facewire_server.serving import server_of

    app = make_app(settings)
    host, port = listener.getsockname()[:2]
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    click.echo(f"facewire serves {where} (Ctrl-C ends it)", err=True)
    if show:
        page = where + (f"?token={settings.token}" if settings.token else "")
        threading.Timer(0.5, webbrowser.open, [page]).start()
    server_of(app).run(sockets=[listener])
