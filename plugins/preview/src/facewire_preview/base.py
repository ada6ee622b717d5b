"""What the sinks of this package share: the whole take is kept, and made into a file at the end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

from facewire.atomic import AtomicFile, told
from facewire.errors import StageError
from facewire.stages import Sink
from facewire.types import Block, RunInfo

from facewire_preview.head import Head, load_head
from facewire_preview.take import Take


class TakeSink(Sink):
    """A sink that keeps the take and writes one file from it when the run ends.

    With ``minutes`` it keeps that much of the run's beginning, so that memory stays bounded.
    The head is read when the sink is built, so that a broken one is told before the run.
    """

    path: Path

    def __init__(self, path: Path, head: Path | None = None, minutes: float | None = None) -> None:
        self.path, self.minutes = path, minutes
        self._cut = False
        self.head: Head = load_head(head)
        self._own = head is None
        self._file: AtomicFile | None = None
        self._take: Take | None = None

    @abstractmethod
    def made(self, take: Take) -> bytes | Iterable[bytes]:
        """Return the file, whole or in pieces."""

    def open(self, info: RunInfo) -> None:
        """Begin under a temporary name beside the path: a folder that is read-only is told now."""
        self.abort()
        self._cut = False
        with told(self.path):
            self._file = AtomicFile(self.path)
        self._take = Take(info, str(self.path))

    def push(self, block: Block) -> None:
        """Keep a block."""
        if self._take is None:
            raise StageError(f"{self.path}: the sink is not open")
        frames = block.frames
        if self.minutes is not None and frames.start >= self.minutes * 60 * frames.fps:
            self._cut = True
        else:
            self._take.add(block)

    def close(self) -> None:
        """Make the file and put it at its path."""
        if self._take is None or self._file is None:
            raise StageError(f"{self.path}: the sink is not open")
        try:
            with told(self.path):
                made = self.made(self._take)
                for piece in [made] if isinstance(made, bytes) else made:
                    self._file.write(piece)
                self._file.commit()
        except BaseException:
            self.abort()
            raise
        self._file = self._take = None
        self.result = self.path

    def abort(self) -> None:
        """Discard what was kept."""
        if self._file is not None:
            self._file.discard()
        self._file = self._take = None

    def reset(self) -> None:
        """Forget all input; a file that is not finished is discarded."""
        self.abort()

    def report(self) -> list[str]:
        """Say what of a head of the user's own was found, and whether the run was longer."""
        notes = [] if self._own else [f"head: {self.head.report()}"]
        if self._cut:
            notes.append(f"{self.path.name} holds the first {self.minutes:g} minutes of the run")
        return notes
