"""Import a folder without the editor's window.

``UnrealEditor-Cmd P.uproject -run=pythonscript -script="PATH/headless.py --takes DIR --fps 30"``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # Unreal runs this file by its path

from facewire_unreal.plan import NAMES, Options


def arguments(argv: Sequence[str]) -> tuple[Path, Options, int]:
    """Return the folder of takes, the options, and the takes in a chunk."""
    default = Options()
    parser = argparse.ArgumentParser("headless.py", description=__doc__)
    parser.add_argument("--takes", type=Path, required=True)
    parser.add_argument("--folder", default=default.folder)
    parser.add_argument("--skeleton", default=default.skeleton)
    parser.add_argument("--names", choices=NAMES, default=default.names)
    parser.add_argument("--fps", type=int, default=default.fps)
    parser.add_argument("--keep-still", action="store_true")
    parser.add_argument("--compression", default=default.compression)
    parser.add_argument("--notify", default=default.notify)
    parser.add_argument("--chunk", type=int, default=50)
    given = vars(parser.parse_args(argv))
    takes, chunk, still = given.pop("takes"), given.pop("chunk"), given.pop("keep_still")
    return takes, Options(**given, drop_still=not still), chunk


if __name__ == "__main__":
    from facewire_unreal.folder import import_folder

    import_folder(*arguments(sys.argv[1:]))
