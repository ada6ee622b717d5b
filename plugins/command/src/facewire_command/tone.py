"""A program as ``command`` wants it: reads a text, writes a WAV with a tone for each word.

``echo "one two" | python -m facewire_command.tone > two.wav``
"""

from __future__ import annotations

import io
import math
import struct
import sys
import wave

RATE = 22050
_TONE, _GAP = RATE // 5, RATE // 20  # samples


def tones(text: str) -> bytes:
    """Return a WAV with 0.2 s of tone and 0.05 s of silence for each word."""
    wave_form = [int(8000 * math.sin(2 * math.pi * 220 * i / RATE)) for i in range(_TONE)]
    word = struct.pack(f"<{_TONE + _GAP}h", *wave_form, *([0] * _GAP))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(word * len(text.split()))
    return file.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(tones(sys.stdin.buffer.read().decode("utf-8")))
