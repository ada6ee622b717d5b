"""The source ``files.npz``: frames from a numpy archive, a few rows in memory at a time.

Of the members ``values`` (n, channels), ``channels`` and ``fps`` are needed; ``fps_fraction`` is
used if there; others are not looked at. What the archive says of itself is checked before anything
is unpacked, and nothing is unpickled.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Frames
from numpy.typing import NDArray

from facewire_files.take import MAX_CHANNELS, MAX_NAME, Take, length, rate_of, readable, rig_of

_ROWS = 1024
_SMALL = 4 * MAX_CHANNELS * MAX_NAME + 4096  # bytes: the most that channel names can need


class NpzTake(Take):
    """Read frames, from index 0 whatever ``start`` the archive names."""

    def blocks(self) -> Iterator[Frames]:
        """Yield the frames; InputError if the archive is not as it should be."""
        with readable(self.path), _intact(self.path), ZipFile(self.path) as archive:
            rig = rig_of(self.path, _names(self.path, _small(archive, self.path, "channels")))
            fps = _fps(archive, self.path)
            with _open(archive, self.path, "values") as member:
                yield from self._frames(member, archive.getinfo("values.npy").file_size, rig, fps)

    def _frames(self, member: IO[bytes], size: int, rig: Rig, fps: Fraction) -> Iterator[Frames]:
        shape, dtype = _header(member, self.path, "values")
        if len(shape) != 2 or shape[1] != len(rig) or dtype.kind != "f":
            raise InputError(
                f"{self.path}: values are {dtype} {shape}, expected floats (n, {len(rig)}), "
                "a column for each channel"
            )
        rows = length(self.path, shape[0], fps)
        width = dtype.itemsize * len(rig)
        if size - member.tell() != rows * width:
            raise InputError(f"{self.path}: 'values' has not the size that its {rows} rows need")
        for start in range(0, rows, _ROWS):
            count = min(_ROWS, rows - start)
            raw = _exactly(member, count * width, self.path)
            values = np.frombuffer(raw, dtype).reshape(count, len(rig))
            yield from self.cut(self.checked(values, rig, start), rig, fps, start)
            if self._closed:
                return


@contextmanager
def _intact(path: Path) -> Iterator[None]:
    try:
        yield
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: encrypted; NotImplementedError: a compression that zipfile lacks.
        raise InputError(f"{path}: is not a readable npz archive: {str(error).lower()}") from error


def _open(archive: ZipFile, path: Path, name: str) -> IO[bytes]:
    try:
        return archive.open(f"{name}.npy")
    except KeyError:
        held = ", ".join(member.filename[:40] for member in archive.infolist()[:8])
        raise InputError(f"{path}: has no '{name}' (it has {held})") from None


def _header(member: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and dtype of an array; InputError if it is pickled or laid out by columns."""
    try:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(member)
    except ValueError as error:
        line = str(error).split("\n")[0][:120].lower()
        raise InputError(f"{path}: '{name}' is not a numpy array: {line}") from error
    if any(length < 0 for length in shape):
        raise InputError(f"{path}: '{name}' is not a numpy array: its shape is {shape}")
    if dtype.hasobject:
        raise InputError(f"{path}: '{name}' is pickled; save it as plain numbers or text")
    if by_columns and len(shape) > 1:
        raise InputError(f"{path}: '{name}' is in Fortran order; save np.ascontiguousarray of it")
    return shape, dtype


def _small(archive: ZipFile, path: Path, name: str) -> NDArray[Any]:
    """Return an array that has no right to be large."""
    with _open(archive, path, name) as member:
        shape, dtype = _header(member, path, name)
        size = math.prod(shape) * dtype.itemsize
        if size > _SMALL:
            raise InputError(f"{path}: '{name}' has {size} bytes, expected {_SMALL} at most")
        return np.frombuffer(_exactly(member, size, path), dtype).reshape(shape)


def _names(path: Path, names: NDArray[Any]) -> list[str]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise InputError(f"{path}: channels are {names.dtype} {names.shape}, expected text (n,)")
    try:
        return [str(name) for name in names.astype(str)]
    except (ValueError, SystemError):  # numpy's answer to code points that do not exist
        raise InputError(f"{path}: channels are no text that can be read") from None


def _fps(archive: ZipFile, path: Path) -> Fraction:
    fps = _small(archive, path, "fps")
    if fps.size != 1 or fps.dtype.kind not in "fiu":
        raise InputError(f"{path}: fps is {fps.dtype} {fps.shape}, expected one number")
    fraction = None
    if "fps_fraction.npy" in archive.namelist():
        exact = _small(archive, path, "fps_fraction")
        if exact.shape != (2,) or exact.dtype.kind not in "iu":
            raise InputError(f"{path}: fps_fraction is no pair of integers")
        fraction = exact.tolist()
    return rate_of(path, fps.item(), fraction)


def _exactly(member: IO[bytes], size: int, path: Path) -> bytes:
    # Zip members may hand over less than asked for.
    pieces, missing = [], size
    while missing:
        piece = member.read(missing)
        if not piece:
            raise InputError(f"{path}: the archive is cut: {missing} bytes are missing")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
