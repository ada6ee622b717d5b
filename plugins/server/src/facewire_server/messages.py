"""What goes over a stream: the messages, and their two encodings.

Binary fields are base64 in JSON and bytes in MessagePack; sound and frames are little-endian
float32.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray

from facewire_server.options import Look, Vad

JSON, MSGPACK = "facewire.v1.json", "facewire.v1.msgpack"

# -- from the client -----------------------------------------------------------------------------


class Start(Look, tag="start", kw_only=True, forbid_unknown_fields=True):
    """Begins a session."""

    input: Literal["audio", "text"]
    rate: int | None = None
    encoding: Literal["f32", "s16"] = "f32"


class AudioIn(msgspec.Struct, tag="audio"):
    """Sound of the turn at hand."""

    pcm: bytes


class TextIn(msgspec.Struct, tag="text"):
    """A piece of the turn's text."""

    text: str


class EndIn(msgspec.Struct, tag="end"):
    """Ends the turn at hand."""


class Flush(msgspec.Struct, tag="flush"):
    """Asks for what can be handed out now."""


class EmotionIn(msgspec.Struct, tag="emotion"):
    """Takes the emotion over, or gives it back."""

    emotion: str | Vad | None


class Interrupt(msgspec.Struct, tag="interrupt"):
    """Drops what is queued."""


class Position(msgspec.Struct, tag="position"):
    """What the client has played: sample ``sample`` of turn ``turn``, frame ``frame`` drawn."""

    turn: int
    sample: int = 0
    frame: int | None = None


Incoming = Start | AudioIn | TextIn | EndIn | Flush | EmotionIn | Interrupt | Position

# -- from the server -----------------------------------------------------------------------------


class Outgoing(msgspec.Struct, tag_field="type", omit_defaults=True, kw_only=True):
    """What all have: ``seq`` counts the messages of a connection.

    ``turn`` and ``sample`` say where in the sound a message belongs; one that does not know (-1)
    belongs where the message before it does.
    """

    seq: int = -1
    turn: int = -1
    sample: int = -1


class Ready(Outgoing, tag="ready"):
    """The session has begun."""

    session: str
    rig: dict[str, Any]
    fps: int | float
    rate: int
    latency: float


class FramesOut(Outgoing, tag="frames"):
    """Rows of channel values (count, channels); row i is frame start + i of the turn."""

    start: int
    count: int
    values: bytes
    vad: list[list[float]]
    closing: bool = False


class AudioOut(Outgoing, tag="audio"):
    """What the voice says."""

    rate: int
    pcm: bytes


class MarksOut(Outgoing, tag="marks"):
    """Words and phones, in samples of the turn."""

    marks: list[dict[str, Any]]


class State(Outgoing, tag="state"):
    """What the character does."""

    state: Literal["listening", "thinking", "speaking"]


class EndOut(Outgoing, tag="end"):
    """A turn has ended."""

    frames: int
    samples: int


class Dropped(Outgoing, tag="dropped"):
    """Frames that this client read too slowly for."""

    frames: int


class Error(Outgoing, tag="error"):
    """One line."""

    error: str


# -- encodings -----------------------------------------------------------------------------------

_JSON_IN: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming)
_PACK_IN: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(Incoming)


class Codec:
    """One of the two encodings, by the subprotocol's name."""

    def __init__(self, name: str) -> None:
        self.name, self._packed = name, name == MSGPACK

    def read(self, text: str | None, data: bytes | None) -> Incoming:
        """Return a message; InputError if it is none, or came as the wrong kind of frame."""
        try:
            if self._packed:
                if data is None:
                    raise InputError(f"a text frame came, expected binary ones ({MSGPACK})")
                return _PACK_IN.decode(data)
            if text is None:
                raise InputError(f"a binary frame came, expected text frames ({JSON})")
            return _JSON_IN.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise InputError(f"message: {error}") from None

    def write(self, message: Outgoing) -> str | bytes:
        """Return what is sent: text or bytes."""
        if self._packed:
            return msgspec.msgpack.encode(message)
        return msgspec.json.encode(message).decode()


def packed(values: FloatArray) -> bytes:
    """Return values as little-endian float32, row by row."""
    return np.ascontiguousarray(values, "<f4").tobytes()


def unpacked(pcm: bytes, encoding: Literal["f32", "s16"]) -> FloatArray:
    """Return samples (n,); InputError if the bytes are no whole number of them."""
    kind = np.dtype("<f4" if encoding == "f32" else "<i2")
    if len(pcm) % kind.itemsize:
        raise InputError(f"audio: {len(pcm)} bytes are no whole number of {encoding} samples")
    samples = np.frombuffer(pcm, kind).astype(np.float32)
    return samples if encoding == "f32" else samples / np.float32(32768)
