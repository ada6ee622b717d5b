"""The entry point: small, so that Ctrl-C while everything is imported is quiet too."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from facewire.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
