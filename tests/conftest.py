"""What all tests share: where the test data lies, and how Hypothesis searches."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# a busy machine is no failure, and continuous integration repeats itself
settings.register_profile("facewire", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("facewire")

ROOT = Path(__file__).resolve().parents[1]
collect_ignore = ["data"]  # what tests read, among it distributions with tests of their own


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of large test data; skip the test where there is none."""
    folder = Path(os.environ.get("FACEWIRE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no test data: set FACEWIRE_DATA to its folder")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--regen``: write the golden files instead of comparing with them."""
    parser.addoption("--regen", action="store_true", help="write the golden files anew")
