"""What an import is to do, decided before Unreal is touched: options, names, hashes, chunks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from facewire_unreal import __version__
from facewire_unreal.clip import SUFFIXES, Clip, ClipError
from facewire_unreal.face import TABLES, to_metahuman
from facewire_unreal.keys import moving
from facewire_unreal.retime import retime

NAMES = ("metahuman", "arkit")
RECORD, DECISIONS = ".bake.json", ("review", "decisions.json")
"""Records of ``facewire bake``, and what was decided on its review page: no takes."""


@dataclass(frozen=True, slots=True)
class Options:
    """How clips become assets.

    ``folder``: where assets go. ``skeleton``: its asset path; empty looks for a MetaHuman's.
    ``names``: metahuman or arkit. ``fps``: rows a second, 0 as in the file. ``drop_still``: leave
    out channels that never move. ``compression``: curve compression settings, empty for the
    project's own. ``notify``: the class of the words' notifies; empty writes none.
    """

    folder: str = "/Game/Facewire"
    skeleton: str = ""
    names: str = "metahuman"
    fps: int = 0
    drop_still: bool = True
    compression: str = "/Engine/Animation/DefaultAnimCurveCompressionSettings"
    notify: str = "/Script/Engine.AnimNotify_PlaySound"

    def __post_init__(self) -> None:
        if self.names not in NAMES:
            raise ClipError(f"names: found '{self.names}', expected {' or '.join(NAMES)}")
        if not 0 <= self.fps <= 1000:
            raise ClipError(f"fps: found {self.fps}, expected 0 to 1000")
        if not self.folder.startswith("/"):
            raise ClipError(f"folder: found '{self.folder}', expected one like /Game/Facewire")


def prepared(clip: Clip, options: Options) -> Clip:
    """Return the curves as they go into the asset: rate first, then names, then still channels."""
    if options.fps:
        clip = retime(clip, Fraction(options.fps))
    if options.names == "metahuman":
        clip = to_metahuman(clip)
    return moving(clip) if options.drop_still else clip


def content_hash(path: Path, options: Options) -> str:
    """Return what changes when the file, the options, the tables or this plugin change."""
    parts = (__version__, sorted(asdict(options).items()), sorted(TABLES["metahuman"].items()))
    return hashlib.sha256(repr(parts).encode() + path.read_bytes()).hexdigest()


def asset_name(path: Path) -> str:
    """Return a name that Unreal takes: letters, digits and _ of the file's name."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", path.stem).strip("_")
    return name or f"clip_{hashlib.sha256(path.stem.encode()).hexdigest()[:8]}"


def takes(folder: Path, into: str) -> dict[str, Path]:
    """Return asset path -> file of every take under a folder; ClipError if two share a name.

    Of a take that is there as JSON and as CSV the JSON is taken: it has the words.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder}: is no folder")
    found: dict[str, Path] = {}
    known: set[str] = set()
    for path in sorted(p for p in folder.rglob("*") if _is_take(p)):
        parts = [asset_name(Path(part)) for part in path.relative_to(folder).parent.parts]
        asset = "/".join([into.rstrip("/"), *parts, asset_name(path)])
        if asset.lower() in known:
            raise ClipError(f"{path}: its asset {asset} is another file's too; rename one")
        known.add(asset.lower())
        found[asset] = path
    return found


def _is_take(path: Path) -> bool:
    """Return whether a file may be a take: ``facewire bake`` writes JSON of its own beside them."""
    suffix, name = path.suffix.lower(), path.name.lower()
    if suffix == ".csv":
        return not path.with_suffix(".json").exists()
    kept = (path.parent.name, path.name) == DECISIONS
    return suffix in SUFFIXES and not name.endswith(RECORD) and not kept


def chunks(items: Sequence[tuple[str, Path]], size: int) -> Iterator[Sequence[tuple[str, Path]]]:
    """Yield ``items`` in order, ``size`` at a time."""
    if size < 1:
        raise ClipError(f"chunk: found {size}, expected 1 or more")
    for at in range(0, len(items), size):
        yield items[at : at + size]
