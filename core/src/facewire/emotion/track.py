"""Emotion tracks: a YAML list of which emotion begins when.

.. code-block:: yaml

    - {at: 0, emotion: joy}
    - {at: 2.5, emotion: sadness, level: 4, transition: 1.2}
    - {at: 4, emotion: "joy:60"}
    - {at: 6.25, vad: [0.4, 0.6, 0.5]}
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from facewire.emotion.curve import MAX_TRANSITION, Key
from facewire.emotion.state import State, parse, parse_strength, seconds
from facewire.emotion.vocabulary import LEVELS, shown
from facewire.errors import InputError, nearest

FIELDS = ("at", "emotion", "vad", "level", "transition")


def wanted(emotion: str | None, where: str) -> list[Key]:
    """Return the keys of an emotion: a track's path, or ``joy:80`` for the whole; none for None.

    InputError in one line, beginning with ``where`` or the track's path.
    """
    if emotion is None:
        return []
    if Path(emotion).suffix.lower() in (".yaml", ".yml"):
        return load_track(emotion)
    return [Key(Fraction(0), parse(emotion, where), "option")]


def load_track(path: str | Path) -> list[Key]:
    """Read a track file; InputError in one line with the entry that is wrong."""
    from facewire.yaml_loader import load_yaml

    return track_keys(load_yaml(Path(path), str(path)), str(path))


def track_keys(data: Any, where: str = "track") -> list[Key]:
    """Check a track that was read from YAML or JSON, and return its keys in order.

    ``at`` is seconds from the session's beginning, growing from entry to entry. Either ``emotion``
    (a name or alias, or ``name:80``), with ``level`` 1..5 or ``"80%"`` if wanted, or ``vad``.
    ``transition`` is seconds, 0 to 60.
    """
    if not isinstance(data, list):
        raise InputError(
            f"{where}: found {_kind(data)}, expected a list such as [{{at: 0, emotion: joy}}]"
        )
    keys: list[Key] = []
    for i, row in enumerate(data):
        key = _key(row, f"{where}[{i}]")
        if keys and key.time <= keys[-1].time:
            raise InputError(
                f"{where}[{i}].at: found {float(key.time):g}, expected more than the "
                f"{float(keys[-1].time):g} of the entry before; put the entries in order of time"
            )
        keys.append(key)
    return keys


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {shown(str(value))}"


def _key(row: Any, where: str) -> Key:
    if not isinstance(row, dict):
        raise InputError(f"{where}: found {_kind(row)}, expected {{at: 0, emotion: joy}} or alike")
    for field in row:
        if field not in FIELDS:
            hint = nearest(str(field)[:40], FIELDS)
            raise InputError(
                f"{where}: field {shown(str(field))} is unknown{hint} (known: {', '.join(FIELDS)})"
            )
    if "at" not in row:
        raise InputError(f"{where}: found no 'at', expected the time in seconds")
    return Key(
        _time(row["at"], f"{where}.at"), state_of(row, where), "track", _transition(row, where)
    )


def _time(value: Any, where: str) -> Fraction:
    at = seconds(value, where)
    if at < 0:
        raise InputError(f"{where}: found {float(at):g}, expected 0 or more seconds")
    return at


def _transition(row: dict[str, Any], where: str) -> float | None:
    if row.get("transition") is None:
        return None
    value = seconds(row["transition"], f"{where}.transition")
    if not 0 <= value <= MAX_TRANSITION:
        raise InputError(
            f"{where}.transition: found {float(value):g}, expected 0 to {MAX_TRANSITION:g} seconds"
        )
    return float(value)


def state_of(row: Mapping[str, Any], where: str) -> State:
    """Return what ``emotion`` and ``level``, or ``vad``, of a track's entry or a turn stand for.

    InputError in one line, beginning with ``where``.
    """
    if ("emotion" in row) == ("vad" in row):
        found = "both 'emotion' and 'vad'" if "emotion" in row else "no 'emotion'"
        raise InputError(f"{where}: found {found}, expected either 'emotion' or 'vad'")
    if "vad" in row:
        if "level" in row:
            raise InputError(f"{where}.level: 'vad' already says how much; remove 'level'")
        return _of_vad(row["vad"], f"{where}.vad")
    emotion = row["emotion"]
    if not isinstance(emotion, str):
        raise InputError(f"{where}.emotion: found {_kind(emotion)}, expected a name such as joy")
    state = parse(emotion, f"{where}.emotion")
    if "level" not in row:
        return state
    if state.name is None or ":" in emotion:
        raise InputError(
            f"{where}.level: {shown(emotion)} already says how much; remove 'level' or the strength"
        )
    return State.named(state.name, _level(row["level"], f"{where}.level"), where)


def _of_vad(value: Any, where: str) -> State:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 3 or not all(_is_share(number) for number in numbers):
        raise InputError(
            f"{where}: found {_kind(value)}, expected [valence, arousal, dominance] in 0 to 1"
        )
    return State.of(numbers)


def _is_share(number: Any) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number <= 1


def _level(value: Any, where: str) -> float:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(LEVELS):
        return LEVELS[value - 1]
    if isinstance(value, str) and not value.strip().isdigit():  # a bare "4" may mean either
        return parse_strength(value, where)
    raise InputError(f"{where}: found {_kind(value)}, expected 1 to 5, L1 to L5 or 80%")
