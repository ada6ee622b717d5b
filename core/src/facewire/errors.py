"""The few kinds of error a user of Facewire meets.

Each text says where, what was found, what was expected and what to do, in lower case and in one
line. The command line prints it without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FacewireError(Exception):
    """Root of all errors that Facewire raises on purpose.

    ``exit_code`` is what the command line ends with: 2 for the user's mistakes, 1 for ours.
    """

    exit_code = 2


class ProfileError(FacewireError):
    """A profile, or an option given to it, is wrong."""


class PluginError(FacewireError):
    """A plugin is missing, conflicting, incompatible or broken."""


class InputError(FacewireError):
    """An input (audio, text, frames, a track) cannot be used."""


class StageError(FacewireError):
    """A stage failed while it ran: a defect of the plugin named in the text, not of the input."""

    exit_code = 1


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice nearest to a mistyped word, else ``""``."""
    names = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean '{names[found[0]]}'?" if found else ""
