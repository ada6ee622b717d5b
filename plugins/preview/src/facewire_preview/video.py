"""The sink ``preview.video``: the face with its sound as MP4, encoded by ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.errors import FacewireError
from facewire.types import FloatArray

from facewire_preview.base import TakeSink
from facewire_preview.render import Renderer
from facewire_preview.take import Take

_BATCH = 16


def ffmpeg() -> str:
    """Return where ffmpeg is; FacewireError if it is not installed."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise FacewireError(
            "preview.video: ffmpeg was not found; install it (apt install ffmpeg, "
            "brew install ffmpeg), or use preview.html or preview.strip"
        )
    return found


class VideoSink(TakeSink):
    """Write the video."""

    def __init__(self, path: Path, head: Path | None, size: int, fps: int) -> None:
        self._program = ffmpeg()
        super().__init__(path, head)
        self._size = size // 2 * 2  # H.264 halves its colours: sides are even
        self.fps = Fraction(fps)

    def made(self, take: Take) -> bytes:
        """Return the video."""
        with tempfile.TemporaryDirectory(prefix="facewire-") as folder:
            sound, out = Path(folder) / "sound.wav", Path(folder) / "video.mp4"
            if len(take.pcm):
                import soundfile

                soundfile.write(sound, take.pcm, take.rate, subtype="PCM_16")
            command = self._command(take, sound if len(take.pcm) else None, out)
            self._encode(command, take)
            return out.read_bytes()

    def _command(self, take: Take, sound: Path | None, out: Path) -> list[str]:
        side = f"{self._size}x{self._size}"
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", side, "-r", str(take.fps), "-i", "-"]
        audio = [] if sound is None else ["-i", str(sound), "-c:a", "aac", "-b:a", "128k"]
        first, rest = audio[:2], audio[2:]
        # bitexact: no date and no version of the encoder, so that a run repeated is the same
        exact = ["-fflags", "+bitexact", "-flags", "+bitexact", "-map_metadata", "-1"]
        video = ["-c:v", "libx264", "-preset", "medium", "-crf", "18", "-threads", "2"]
        form = ["-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", "-y", str(out)]
        quiet = [self._program, "-nostdin", "-v", "error"]
        return [*quiet, *raw, *first, *video, *rest, *exact, *form]

    def _encode(self, command: list[str], take: Take) -> None:
        # a file, not a pipe: what ffmpeg says can never block it
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)
            assert process.stdin is not None
            try:
                with process.stdin as pipe:
                    for picture in self._pictures(take):
                        pipe.write(picture)
                code = process.wait()
            except BrokenPipeError:
                code = process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if code:
                said.seek(0)
                lines = said.read().decode("utf-8", "replace").strip().splitlines() or ["no reason"]
                raise FacewireError(f"{self.path}: ffmpeg failed: {lines[-1].strip()}")

    def _pictures(self, take: Take) -> Iterator[bytes]:
        values = take.values
        if not len(values):
            values = np.zeros((1, len(take.rig)), np.float32)
        renderer = Renderer(self.head)

        def draw(row: FloatArray) -> bytes:
            return renderer.picture(row, take.rig, self._size).tobytes()

        # numpy lets go of the interpreter, so that two threads draw faster than one
        with ThreadPoolExecutor(2) as pool:
            for at in range(0, len(values), _BATCH):
                yield from pool.map(draw, values[at : at + _BATCH])
