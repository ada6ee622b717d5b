"""What a bake would do with each line of a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facewire.assemble import assemble, shared
from facewire.baking.digest import PARTS, input_digest, plugins_digest, profile_digest
from facewire.baking.record import read_record, there
from facewire.baking.work import Job, baking_profile
from facewire.config import EnvText
from facewire.errors import InputError, ProfileError
from facewire.profile import Profile, load_profile
from facewire.registry import Registry
from facewire.turns import Line
from facewire.voicing.script import file_name


@dataclass
class Plan:
    """The lines of a script by what is to be done with them.

    ``new``, ``changed`` (with the parts that changed) and ``failed`` (before) are baked; ``done``
    are there; ``locked`` are never baked again, ``stale`` those of them that changed; ``silent``
    say nothing. ``names``: all lines' names, in the script's order.
    """

    new: list[Job] = field(default_factory=list)
    changed: list[tuple[Job, tuple[str, ...]]] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    done: list[Job] = field(default_factory=list)
    locked: list[Job] = field(default_factory=list)
    stale: list[Job] = field(default_factory=list)
    silent: int = 0
    left_out: list[str] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)
    names: list[str] = field(default_factory=list)

    @property
    def todo(self) -> list[Job]:
        """The jobs to run, in the script's order."""
        jobs = [*self.new, *(job for job, _ in self.changed), *self.failed]
        place = {name: i for i, name in enumerate(self.names)}
        return sorted(jobs, key=lambda job: place[job.name])

    @property
    def jobs(self) -> list[Job]:
        """The jobs of all lines that say something, in the script's order."""
        others = [*self.todo, *self.done, *self.locked]
        place = {name: i for i, name in enumerate(self.names)}
        return sorted(others, key=lambda job: place[job.name])

    def lines(self, most: int = 8) -> list[str]:
        """Return the plan as a person reads it."""
        total = len(self.names) + self.silent
        parts = [f"{total} line{'s' * (total != 1)}: {len(self.done)} done, {len(self.new)} new"]
        parts += [f"{len(self.changed)} changed"] if self.changed else []
        parts += [f"{len(self.failed)} failed before"] if self.failed else []
        parts += [f"{len(self.locked)} locked"] if self.locked else []
        parts += [f"{self.silent} without words"] if self.silent else []
        text = [", ".join(parts)]
        for causes in sorted({causes for _, causes in self.changed}):
            names = [job.name for job, found in self.changed if found == causes]
            text.append(f"changed ({' and '.join(causes)}): {_some(names, most)}")
        if self.stale:
            names = [job.name for job in self.stale]
            text.append(f"locked, though they changed: {_some(names, most)}")
        return [*text, *self.left_out]


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A profile of a script, looked at once."""

    profile: Profile
    live: tuple[int, ...]
    digest: str
    plugins: str


def plan_script(
    lines: Sequence[Line],
    script: Path,
    out: Path,
    profile: str,
    overrides: Sequence[str] = (),
    text_emotion: bool = False,
    locked: Callable[[str], bool] = lambda name: False,
    again: Callable[[str], bool] = lambda name: False,
) -> Plan:
    """Say what there is to do in ``out``; InputError for lines that would share a file.

    ``locked`` and ``again`` are what a review decided for a line's name.
    """
    found, plan = _Profiles(overrides, text_emotion, out), Plan()
    taken: dict[str, str] = {}
    for line in lines:
        turn = line.turn
        if turn.audio is None and not (turn.text or "").strip():
            plan.silent += 1
            continue
        name = file_name(turn.out or turn.id)
        other = taken.setdefault(name.casefold(), turn.id)
        if other != turn.id:
            raise InputError(f"lines '{other}' and '{turn.id}' would share the name {name}")
        chosen = found.get(_beside(turn.profile, script) or profile)
        digests = {
            "input": input_digest(line, name, script.parent),
            "profile": chosen.digest,
            "plugins": chosen.plugins,
        }
        job = Job(
            name, _row(line), script.parent.absolute(), _beside(turn.profile, script) or profile,
            tuple(overrides), out, chosen.live, text_emotion, digests,
        )  # fmt: skip
        plan.names.append(name)
        _place(plan, job, turn.locked or locked(name), again(name))
    plan.left_out, plan.folders = found.left_out, {out, *found.folders}
    return plan


def _place(plan: Plan, job: Job, locked: bool, again: bool) -> None:
    record = read_record(job.out, job.name)
    present = there(job.out, record)
    before = record.get("digests")
    before = before if isinstance(before, dict) else {}
    causes = tuple(part for part in PARTS if before.get(part) != job.digests[part])
    if locked and present:
        plan.locked.append(job)
        plan.stale += [job] if causes else []
    elif not record:
        plan.new.append(job)
    elif "error" in record:
        plan.failed.append(job)
    elif not present:
        plan.changed.append((job, ("outputs are gone",)))
    elif again:
        plan.changed.append((job, ("review",)))
    elif causes:
        plan.changed.append((job, causes))
    else:
        plan.done.append(job)


def _row(line: Line) -> dict[str, Any]:
    """Return a turn's fields as its script had them."""
    turn = line.turn
    names = ("id", "speaker", "text", "audio", "transcript", "lang", "emotion", "vad", "level")
    values = {name: getattr(turn, name) for name in names}
    return {key: _bare(value) for key, value in values.items() if value is not None}


def _bare(value: Any) -> Any:
    return str(value) if isinstance(value, EnvText) else value


def _beside(profile: str | None, script: Path) -> str | None:
    """Return a line's profile; a path is relative to the script."""
    if profile and profile.endswith((".yaml", ".yml")):
        return str(script.parent / profile)
    return profile


class _Profiles:
    """The profiles that lines name, each looked at once."""

    def __init__(self, overrides: Sequence[str], text_emotion: bool, out: Path) -> None:
        self._overrides, self._text, self._out = tuple(overrides), text_emotion, out
        self._known: dict[str, _Chosen] = {}
        self.left_out: list[str] = []
        self.folders: set[Path] = set()
        self._registry: Registry = shared("facewire.registry", Registry)

    def get(self, name: str) -> _Chosen:
        """Return a profile by name or path; ProfileError if it cannot be baked."""
        if name not in self._known:
            self._known[name] = self._look(name)
        return self._known[name]

    def _look(self, name: str) -> _Chosen:
        profile, registry = load_profile(name, self._overrides), self._registry
        paths = [self._paths(profile, f"plan-{i}") for i in range(2)]
        live = tuple(i for i, (moving, _) in enumerate(paths[0]) if moving)
        kept = [path for moving, path in paths[0] if not moving]
        if not kept:
            raise ProfileError(f"profile '{profile.name}' has no sink that writes a file")
        for i, ((moving, one), (_, other)) in enumerate(zip(*paths, strict=True)):
            if not moving and one == other:
                raise ProfileError(
                    f"profile '{profile.name}': sinks[{i}] writes every line to {one}; "
                    "put {name} into its path"
                )
        self.folders |= {path.parent for path in kept if path}
        if live:
            names = ", ".join(profile.sinks[i].use for i in live)
            self.left_out.append(f"profile '{profile.name}': live sinks are left out: {names}")
        baked = baking_profile(profile, live, self._text, None)
        return _Chosen(profile, live, profile_digest(baked), plugins_digest(baked, registry))

    def _paths(self, profile: Profile, name: str) -> list[tuple[bool, Path | None]]:
        sinks = assemble(profile, name, self._out, registry=self._registry).sinks()
        return [(built.stage.live, built.stage.path) for built in sinks]
