"""The corpus on disk: a manifest of lines, and an archive of rows for each item."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from facewire.articulation import CURVES
from facewire.atomic import AtomicFile, told
from facewire.errors import InputError
from facewire.yaml_loader import load_yaml
from numpy.typing import NDArray

from facewire_trajectory.corpus.emotions import CONDITIONS, EXPRESSION, Label
from facewire_trajectory.mel import BANDS

Kind = Literal["speech", "vocal", "other", "real", "anchor"]
Split = Literal["train", "dev", "held"]
WIDTHS = {
    "mel": BANDS, "cond": len(CONDITIONS), "artic": len(CURVES), "mask": len(CURVES),
    "expr": len(EXPRESSION), "sound": 0, "phones": 0,
}  # fmt: skip
"""Arrays of an item and their columns; 0: one number a row."""
TYPES = {"sound": np.uint8, "phones": np.int8, "mask": np.uint8}
"""Of arrays that are not float16."""
MANIFEST, COLUMNS = "manifest.jsonl", "columns.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the manifest.

    ``group`` is the speaker or synthesiser that a split keeps apart. ``labels``: from when, which
    emotion, which level. ``marks``: phones and sounds, [text, start, end] in seconds. ``offset``
    (real takes): seconds that the rows were moved earlier against the recording.
    """

    id: str
    kind: Kind
    source: str
    voice: str
    lang: str
    group: str
    split: Split
    text: str
    labels: list[Label]
    licence: str
    augmented: bool = False
    augmentation: str = ""
    seconds: float = 0.0
    rows: int = 0
    marks: list[tuple[str, float, float]] = field(default_factory=list)
    offset: float = 0.0
    dialogue: str = ""


Arrays = Mapping[str, NDArray[Any]]


class Writer:
    """Adds items to a corpus folder; what is there already is kept. Items appear whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with told(folder):
            (folder / "items").mkdir(parents=True, exist_ok=True)
            self._columns()
            kept = [entry for entry in _entries(folder) if (folder / path_of(entry.id)).exists()]
            self.done = {entry.id for entry in kept}
            # A line that was cut off, and items that are gone, are made again.
            self._whole(MANIFEST, "".join(map(_line, kept)).encode())
            self._manifest = open(folder / MANIFEST, "a", encoding="utf-8")  # noqa: SIM115

    def _columns(self) -> None:
        listed = {"artic": CURVES, "cond": CONDITIONS, "expr": EXPRESSION}
        lines = [f"{name}: [{', '.join(columns)}]\n" for name, columns in listed.items()]
        self._whole(COLUMNS, "".join(lines).encode())

    def _whole(self, name: str, data: bytes) -> None:
        file = AtomicFile(self.folder / name)
        file.write(data)
        file.commit()

    def add(self, entry: Entry, arrays: Arrays) -> None:
        """Write an item (its archive, then its line); ValueError where an array's form is wrong."""
        rows = len(arrays["mel"])
        stored = {}
        for name, width in WIDTHS.items():
            array = np.asarray(arrays[name])
            if array.shape != ((rows, width) if width else (rows,)) or entry.rows != rows:
                raise ValueError(f"{entry.id}: {name} has the shape {array.shape}, {rows} rows")
            stored[name] = array.astype(TYPES.get(name, np.float16))
        extra = {k: np.asarray(v, np.float32) for k, v in arrays.items() if k not in WIDTHS}
        with told(self.folder / path_of(entry.id)):
            file = AtomicFile(self.folder / path_of(entry.id))
            try:
                np.savez(file.handle, **{**stored, **extra})  # type: ignore[arg-type]  # numpy
                file.commit()
            except BaseException:
                file.discard()
                raise
            self._manifest.write(_line(entry))
            self._manifest.flush()
        self.done.add(entry.id)

    def close(self) -> None:
        """Close the manifest."""
        self._manifest.close()


def path_of(name: str) -> str:
    """Return where an item's archive is, relative to the corpus."""
    return f"items/{name}.npz"


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _entries(folder: Path) -> Iterator[Entry]:
    path = folder / MANIFEST
    if not path.exists():
        return
    known = {f.name for f in fields(Entry)}
    for line in path.read_text("utf-8").split("\n"):
        try:
            data = json.loads(line)
            yield Entry(**{k: v for k, v in data.items() if k in known})
        except (json.JSONDecodeError, TypeError):
            continue  # the last line of a run that was cut off


@dataclass(frozen=True)
class Item:
    """An item; its arrays are read when they are asked for."""

    entry: Entry
    path: Path

    @cached_property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays of the item, as stored."""
        with np.load(self.path) as archive:
            return {name: archive[name] for name in archive.files}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]


class Corpus:
    """A corpus folder. Iteration reads nothing but the manifest; items read themselves."""

    def __init__(self, folder: Path) -> None:
        if not (folder / MANIFEST).exists():
            raise InputError(
                f"{folder}: found no {MANIFEST}, expected a corpus; make one with "
                "python -m facewire_trajectory.corpus --out FOLDER"
            )
        self.folder = folder
        columns = load_yaml(folder / COLUMNS, COLUMNS)
        self.columns: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in columns.items()}
        self.entries = list(_entries(folder))

    def __len__(self) -> int:
        return len(self.entries)

    def items(
        self,
        split: Split | None = None,
        kind: Kind | None = None,
        source: str | None = None,
        augmented: bool | None = None,
    ) -> Iterator[Item]:
        """Yield the items that are asked for, in the manifest's order."""
        for entry in self.entries:
            if (
                split in (None, entry.split)
                and kind in (None, entry.kind)
                and source in (None, entry.source)
                and augmented in (None, entry.augmented)
            ):
                yield Item(entry, self.folder / path_of(entry.id))


def load(folder: str | Path) -> Corpus:
    """Open a corpus; InputError if there is none."""
    return Corpus(Path(folder))
