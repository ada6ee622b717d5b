# SPDX-License-Identifier: GPL-3.0-or-later
"""Fresh copies of espeak-ng's library.

espeak-ng keeps state in global variables, so that a sentence comes out differently the second
time, and two threads disturb each other. The system's loader gives every *file* its own variables:
a copy of the file that is loaded, used once and unloaded always starts from the same state.
"""

from __future__ import annotations

import _ctypes
import atexit
import ctypes
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import espeakng_loader
from facewire.errors import PluginError

# A file of a loaded library can be deleted at once, or (Windows) not as long as it is loaded.
_DELETABLE = sys.platform != "win32"
_spare: list[str] = []
_lock = threading.Lock()


class Copy:
    """A copy of the library, loaded. PluginError if it cannot be."""

    def __init__(self) -> None:
        path = ""
        try:
            path = _spare_file() or _new_file()
            self.library = ctypes.CDLL(path)
        except OSError as error:
            _give_back(path)
            raise PluginError(
                f"espeak: a copy of its library in {tempfile.gettempdir()} does not load ({error});"
                " set TMPDIR to a folder with room where programs may run"
            ) from error
        self._path = path
        if _DELETABLE:
            os.unlink(path)

    def unload(self) -> None:
        """Unload the library. Nothing of it may be called afterwards."""
        handle = self.library._handle
        if sys.platform == "win32":
            _ctypes.FreeLibrary(handle)
        else:
            _ctypes.dlclose(handle)
        if not _DELETABLE:
            with _lock:
                _spare.append(self._path)


def _spare_file() -> str | None:
    with _lock:
        return _spare.pop() if _spare else None


def _new_file() -> str:
    original = Path(espeakng_loader.get_library_path())
    handle, path = tempfile.mkstemp(prefix="facewire-espeak-", suffix=original.suffix)
    os.close(handle)
    try:
        shutil.copyfile(original, path)
    except OSError:
        os.unlink(path)
        raise
    return path


def _give_back(path: str) -> None:
    if path:
        os.unlink(path)


@atexit.register
def _delete_spare_files() -> None:
    for path in _spare:
        Path(path).unlink(missing_ok=True)
    _spare.clear()
