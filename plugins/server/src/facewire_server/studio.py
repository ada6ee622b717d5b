"""The studio page: the built files, read once, with a strict Content-Security-Policy."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self'; "
    "media-src 'self' blob: data:; connect-src 'self' blob: data: {sockets}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)
FALLBACK = (
    "<!doctype html><meta charset=utf-8><title>Facewire</title>"
    "<p>Facewire runs here. The studio page is not built into this installation; "
    "programs use the API: <a href=openapi.json>openapi.json</a>.</p>"
)
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".glb": "model/gltf-binary",
         ".wasm": "application/wasm", ".webmanifest": "application/manifest+json"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the page."""

    data: bytes
    type: str


class Studio:
    """The built page's files by path below ``/``, or the line that says there is none."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(str(files("facewire_server").joinpath("data/studio")))
        self.files = {path: page for path, page in _read(folder)}
        self.index = self.files.get("index.html") or Page(FALLBACK.encode(), "text/html")
        self.built = "index.html" in self.files

    @property
    def paths(self) -> frozenset[str]:
        """All paths at which parts of the page are served."""
        below = {f"{root}{name}" for name in self.files for root in ("/", "/studio/")}
        return frozenset({"/", "/studio", "/studio/", *below})

    def find(self, path: str) -> Page | None:
        """Return the file at a path; only what was there at the start is ever found."""
        if path in ("/", "/studio", "/studio/"):
            return self.index
        return self.files.get(path.removeprefix("/studio/").removeprefix("/"))


def _read(folder: Path) -> list[tuple[str, Page]]:
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
            name = path.relative_to(folder).as_posix()
            found.append((name, Page(path.read_bytes(), kind or "application/octet-stream")))
    return found


def policy(host: str) -> str:
    """Return the page's policy; sockets go to the same host alone.

    ``connect-src 'self'`` covers ws: of the same host only in newer browsers (CSP 3).
    """
    return POLICY.format(sockets=f"ws://{host} wss://{host}")
