"""Thirty seconds of ``benchmarks/soak_live.py``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[2] / "benchmarks/soak_live.py"


@pytest.mark.slow
def test_thirty_seconds_into_three_sinks_while_everything_goes_wrong(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("soak_live", SOAK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak_live"] = module  # the busy process finds its function by this name
    sys.path.insert(0, str(SOAK.parent))
    try:
        spec.loader.exec_module(module)
        outcome = module.soak(30, tmp_path)
    finally:
        sys.path.remove(str(SOAK.parent))
        del sys.modules["soak_live"]
    assert outcome.backwards == 0 and outcome.whole, outcome
    assert outcome.lost > 0 and outcome.blocked > 60, outcome
    assert outcome.drift < 1 / 60 and outcome.growth < module.GROWTH, outcome
    assert min(outcome.received.values()) > 0.5 * outcome.frames, outcome
