"""A real ``facewire serve`` for tests of the Blender add-on."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

TOKEN = "a-token-of-the-tests"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the server as a process while the block runs; give its address."""
    profile = folder / "light.yaml"
    lines = "extends: default", "model: phonemes", "features: {use: phonemes, mode: marks}"
    profile.write_text("\n".join(lines))
    command = [sys.executable, "-m", "facewire", "serve", "--port", "0", "--token", TOKEN]
    with subprocess.Popen(
        [*command, "--profile", str(profile)], stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        line = run.stderr.readline()
        assert line.startswith("facewire serves http"), line
        address = line.split()[2].rstrip("/")
        drain = threading.Thread(target=run.stderr.read)
        drain.start()
        try:
            _until_it_answers(address)
            yield address
        finally:
            run.terminate()
            drain.join()


def _until_it_answers(address: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{address}/health", trust_env=False)
            return
        except httpx.TransportError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
