"""A file that appears whole at its path, or not at all: what file sinks are made with."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from facewire.errors import FacewireError

_BUFFER = 1 << 20


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn an OSError (disk full, no permission) into one line that names the path."""
    try:
        yield
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FacewireError(
            f"{path}: cannot be written: {cause}; make room, or choose another path or --out"
        ) from error


class AtomicFile:
    """Binary output under a temporary name in the path's own folder, until ``commit``.

    The folder is made if need be. What lies at the path is untouched before ``commit`` and after
    ``discard``. OSError where the system refuses; FacewireError where the path is not a file's.
    """

    def __init__(self, path: Path) -> None:
        # os.replace would put a plain file where a device (/dev/null) or a pipe is.
        if path.exists() and not path.is_file():
            raise FacewireError(f"{path}: is no plain file, so nothing is written there")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        # Not the path's whole name: it may be as long as names can be.
        self._part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.part")
        self._file = open(self._part, "xb", buffering=_BUFFER)  # noqa: SIM115
        self._spools: list[IO[bytes]] = []

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)

    @property
    def handle(self) -> IO[bytes]:
        """The open file, for a writer that seeks."""
        return self._file

    def spool(self) -> IO[bytes]:
        """Return a nameless file in the same folder, for what must be written after the rest."""
        spool = tempfile.TemporaryFile(dir=self.path.parent, buffering=_BUFFER)  # noqa: SIM115
        self._spools.append(spool)
        return spool

    def commit(self) -> None:
        """Put the file at its path, over what was there."""
        self._file.close()
        os.replace(self._part, self.path)
        self._release()

    def discard(self) -> None:
        """Remove everything written. Never raises for what is already gone."""
        # On a full disk the close tries to flush once more, and fails once more.
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink()
        self._release()

    def _release(self) -> None:
        for spool in self._spools:
            with suppress(OSError):
                spool.close()
        self._spools.clear()
