"""Make the corpus: ``python -m facewire_trajectory.corpus --out DIR [--tiny] [--turns N]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from facewire.errors import FacewireError

from facewire_trajectory.corpus import real, recordings
from facewire_trajectory.corpus.build import build
from facewire_trajectory.corpus.plan import TINY, TURNS, missing, plan
from facewire_trajectory.corpus.store import Arrays, Entry, Writer, load

Made = Iterable[tuple[Entry, Arrays]]
Job = tuple[str, Callable[[], Made]]


def jobs_of(options: argparse.Namespace) -> Iterator[Job]:
    """Yield the id of each item to be made, and what makes it (and its augmented forms)."""
    turns = options.turns or (TINY if options.tiny else TURNS)
    if options.faces:
        yield from real.jobs(options.faces, options.faces_lang, options.seed)
    found = [] if options.tiny else recordings.recordings()[0]
    heard = [(each.name, partial(recordings.build, each, options.seed)) for each in found]
    spoken = plan(turns, options.tiny, options.seed)
    said = [(job.id, partial(build, job, options.seed)) for job in spoken]
    yield from spread(heard, said)


def spread(some: Sequence[Job], many: Sequence[Job]) -> list[Job]:
    """Return two lists as one in which the first is spread evenly over the second's first half."""
    every = max(1, len(many) // (2 * max(len(some), 1)))
    out: list[Job] = []
    rest = iter(some)
    for number, job in enumerate(many):
        out.append(job)
        if number % every == 0:
            out.extend(islice(rest, 1))
    return [*out, *rest]


class Bar:
    """A line on standard error that says how far it is, where that is a terminal."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._began, self._said = total, 0, time.monotonic(), 0.0

    def step(self) -> None:
        """Count one item."""
        self._done += 1
        now = time.monotonic()
        every = 0.2 if sys.stderr.isatty() else 60.0
        if now - self._said < every and self._done < self._total:
            return
        self._said = now
        left = (now - self._began) / self._done * (self._total - self._done)
        filled = 30 * self._done // max(self._total, 1)
        line = (
            f"[{'#' * filled}{'.' * (30 - filled)}] {self._done}/{self._total} {left:5.0f} s left"
        )
        end = "" if sys.stderr.isatty() and self._done < self._total else "\n"
        print(f"\r{line}" if sys.stderr.isatty() else line, end=end, file=sys.stderr, flush=True)


def make(options: argparse.Namespace) -> None:
    """Make what is missing in the folder."""
    writer = Writer(options.out)
    wanted = list(jobs_of(options))
    # An augmented item comes after its own clean one: what was cut off between is made again.
    todo = [(name, maker) for name, maker in wanted if name not in writer.done]
    print(f"{len(wanted) - len(todo)} of {len(wanted)} items are there", file=sys.stderr)
    bar = Bar(len(todo))
    for name, maker in todo:
        for entry, arrays in in_order(name, maker()):
            if entry.id not in writer.done:
                writer.add(entry, arrays)
        bar.step()
    writer.close()


def in_order(name: str, made: Made) -> Iterator[tuple[Entry, Arrays]]:
    """Yield items, the one called ``name`` last: its line says that all of them are there."""
    last = []
    for entry, arrays in made:
        if entry.id == name:
            last.append((entry, arrays))
        else:
            yield entry, arrays
    yield from last


def missing_lines(options: argparse.Namespace) -> list[str]:
    """Return a line for everything that is not there and what that leaves out."""
    lines = [] if options.tiny else [*missing(), *recordings.recordings()[1]]
    if not options.faces and not options.tiny:
        lines.append("no --faces is given: captured takes are left out")
    return lines


def summary(folder: Path) -> str:
    """Return a table of what a corpus holds: items and hours by kind and source."""
    items: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    hours: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    turns = 0
    for entry in load(folder).entries:
        key = (entry.kind, entry.source, entry.split)
        items[key] += 1
        hours[key] += entry.seconds / 3600
        turns += entry.kind == "speech" and not entry.augmented
    lines = [f"{'kind':8}{'source':22}{'split':7}{'items':>7}{'hours':>8}"]
    for (kind, source, split), count in sorted(items.items()):
        spent = hours[kind, source, split]
        lines.append(f"{kind:8}{source:22}{split:7}{count:7}{spent:8.2f}")
    lines.append(f"{turns} turns, {sum(items.values())} items, {sum(hours.values()):.2f} hours")
    return "\n".join(lines)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m facewire_trajectory.corpus",
        description="Make the corpus, or go on making it.",
    )
    parser.add_argument("--out", type=Path, default=Path("corpus"), help="folder (default: corpus)")
    parser.add_argument("--tiny", action="store_true", help="a small one, of espeak alone")
    parser.add_argument("--turns", type=int, help=f"spoken turns (default: {TURNS})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faces", type=Path, help="folder of captured takes (NAME.flac, NAME.npz)")
    parser.add_argument("--faces-lang", default="cmn", help="their language (default: cmn)")
    options = parser.parse_args()
    try:
        for line in missing_lines(options):
            print(line, file=sys.stderr)
        make(options)
        print(summary(options.out))
    except FacewireError as error:
        print(f"corpus: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
