"""Which channels belong to speech, to emotion, and to both."""

from __future__ import annotations

from typing import Any

from facewire.errors import InputError

from facewire_v3.tables import CHANNELS, load, table

GROUPS = ("lipsync", "shared", "expression")


def load_groups(data: Any = None, where: str = "groups.yaml") -> dict[str, tuple[str, ...]]:
    """Return group -> channels; every channel of ARKit is in exactly one of ``GROUPS``.

    ``pause`` is a part of lipsync. InputError if the file says otherwise.
    """
    found = table(load("groups.yaml") if data is None else data, (*GROUPS, "pause"), where)
    groups = {name: tuple(str(channel) for channel in found[name]) for name in found}
    owned = [channel for name in GROUPS for channel in groups[name]]
    for channel in CHANNELS:
        if owned.count(channel) != 1:
            raise InputError(
                f"{where}: channel {channel} is in {owned.count(channel)} groups, expected one of "
                f"{', '.join(GROUPS)}"
            )
    if len(owned) != len(CHANNELS) or not set(groups["pause"]) <= set(groups["lipsync"]):
        raise InputError(f"{where}: found channels that ARKit lacks, or pause beyond lipsync")
    return groups


_GROUPS = load_groups()
LIPSYNC: tuple[str, ...] = _GROUPS["lipsync"]
"""The 14 channels that speech owns while there is speech."""
SHARED: tuple[str, ...] = _GROUPS["shared"]
"""The 16 channels that emotion adds to through the speech gate."""
EXPRESSION: tuple[str, ...] = _GROUPS["expression"]
"""The 22 channels that emotion owns."""
PAUSE: tuple[str, ...] = _GROUPS["pause"]
"""The channels of LIPSYNC that emotion may shape in pauses."""
