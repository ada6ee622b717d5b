"""What a run tells at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from facewire.pacer import Tally


@dataclass
class Report:
    """What ran and what came of it.

    ``stages`` are (kind, name, plugin and version); ``notes`` what the stages and the session have
    to say (paths taken, fallbacks, warnings); ``tallies`` the live sinks' counts; ``faces`` whose
    they are, where there are several; ``unsaid`` the clauses of live text that their voice failed;
    ``latency`` in seconds, 0 where the run was not causal; ``elapsed`` the wall clock's seconds.
    """

    name: str
    profile: str
    stages: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    frames: int = 0
    fps: float = 60.0
    elapsed: float = 0.0
    latency: float = 0.0
    paced: bool = False
    faces: tuple[str, ...] = ()
    tallies: list[tuple[str, Tally]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """How many times faster than real time the run was."""
        return self.seconds / self.elapsed if self.elapsed > 0 else 0.0

    def rows(self, verbose: bool = False) -> Iterator[tuple[str, str]]:
        """Yield the closing table's rows (what, value); ``verbose`` adds live sinks' lateness."""
        for kind, name, origin in self.stages:
            yield kind.replace("_", " "), f"{name}  ({origin})"
        if self.faces:
            yield "faces", ", ".join(self.faces)
        for note in self.notes:
            yield "note", note
        yield "sound", f"{self.seconds:.2f} s"
        yield "frames", f"{self.frames} at {self.fps:g} fps"
        for name, tally in self.tallies:
            errors = f", {tally.errors} errors ({tally.last_error})" if tally.errors else ""
            again = f", {tally.resent} sent again" if tally.resent else ""
            yield f"sent by {name}", f"{tally.sent}, dropped {tally.dropped}{again}{errors}"
            if verbose:
                half, most = (1000 * tally.lateness(share) for share in (0.5, 0.99))
                yield f"late by {name}", f"half within {half:.1f} ms, 99 % within {most:.1f} ms"
                set_to, found = 1000 * tally.offset, 1000 * tally.measured
                yield f"offset of {name}", f"set {set_to:+.1f} ms, measured {found:+.1f} ms"
        if self.paced:
            yield "pace", f"real time, latency {1000 * self.latency:.0f} ms"
        else:
            yield "speed", f"{self.speed:.1f} times real time"
        for result in self.results:
            yield "result", result
