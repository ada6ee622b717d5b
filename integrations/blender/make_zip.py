"""Zip the add-on: ``python make_zip.py [FOLDER]`` writes ``facewire_blender-<version>.zip``.

One file for both ways to install: as an extension (4.2 and later) and as a legacy add-on. The same
source gives the same bytes. Only the standard library is needed.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SOURCE = Path(__file__).parent / "facewire_blender"
_LEFT_OUT = {"__pycache__"}


def version() -> str:
    """Return the manifest's version."""
    text = (SOURCE / "blender_manifest.toml").read_text("utf-8")
    found = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("blender_manifest.toml: has no version")
    return found[1]


def make(folder: Path) -> Path:
    """Write the zip into a folder, whole or not at all; return its path."""
    target = folder / f"facewire_blender-{version()}.zip"
    part = target.with_suffix(".part")
    files = sorted(path for path in SOURCE.rglob("*") if path.is_file())
    try:
        with ZipFile(part, "w", ZIP_DEFLATED) as archive:
            for path in files:
                name = path.relative_to(SOURCE)
                if not _LEFT_OUT & set(name.parts):
                    info = ZipInfo(f"{SOURCE.name}/{name.as_posix()}", (1980, 1, 1, 0, 0, 0))
                    info.create_system, info.external_attr = 3, 0o644 << 16
                    info.compress_type = ZIP_DEFLATED
                    archive.writestr(info, path.read_bytes())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


if __name__ == "__main__":
    print(make(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
