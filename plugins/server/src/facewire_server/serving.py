"""The HTTP server around the application."""

from __future__ import annotations

import socket
from asyncio import BaseTransport, WriteTransport

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MESSAGE = 4 << 20  # bytes of a WebSocket message
PATIENCE = 5  # seconds that requests in hand may take when the server ends
BUFFER = 32 << 10  # bytes on the way to a stream's client, in the system and here each


class Sockets(WebSocketsSansIOProtocol):
    """WebSockets with little on the way: what a slow reader has not read can still be dropped.

    The system would hold megabytes, which are minutes of frames.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        """Make the buffers small."""
        system = transport.get_extra_info("socket")
        if system is not None:
            system.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        if isinstance(transport, WriteTransport):
            transport.set_write_buffer_limits(BUFFER)
        super().connection_made(transport)


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Return the server, not started yet."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses may hold a token
        proxy_headers=False,  # whoever connects is who counts
        server_header=False,
        ws=Sockets,
        ws_max_size=MESSAGE,
        ws_ping_interval=20,
        ws_ping_timeout=60,
        ws_per_message_deflate=False,  # floats hardly shrink, and it would cost what frames cost
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config)
