"""The studio's built page is that of its sources, whole, and asks nobody for anything."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDIO = ROOT / "plugins/server/studio"
BUILT = ROOT / "plugins/server/src/facewire_server/data/studio"
NODE = STUDIO / "node_modules"
needs_node = pytest.mark.skipif(
    not (shutil.which("npx") and NODE.is_dir()),
    reason="needs node, and npm ci in plugins/server/studio",
)


def sources() -> dict[str, Path]:
    """What the page is built from, by the names that its hash has them under."""
    names = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js"]
    found = {name: STUDIO / name for name in names}
    for folder in ("src", "public"):
        for path in (STUDIO / folder).rglob("*"):
            if path.is_file():
                found[path.relative_to(STUDIO).as_posix()] = path
    for name in ("clock.js", "face.js", "timeline.js"):
        found[f"player/{name}"] = ROOT / "plugins/preview/player/src" / name
    found["faces/presets.yaml"] = ROOT / "plugins/v3/src/facewire_v3/data/presets.yaml"
    return found


def test_built_page_is_that_of_the_sources() -> None:
    digest = hashlib.sha256()
    for name, path in sorted(sources().items()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    index = (BUILT / "index.html").read_text("utf-8")
    said = re.search(r'<meta name="sources" content="([0-9a-f]{64})"', index)
    assert said is not None
    assert said[1] == digest.hexdigest(), "npm run build in plugins/server/studio"


def test_page_is_whole_and_relative() -> None:
    index = (BUILT / "index.html").read_text("utf-8")
    named = re.findall(r'(?:src|href)="([^"#]+)"', index)
    assert len(named) >= 3
    for name in named:
        assert (BUILT / name).is_file(), name
    files = {path.name for path in BUILT.iterdir()}
    assert files == {
        "index.html", "page.js", "page.css", "microphone.js", "icon.svg", "LICENSES.txt",
    }  # fmt: skip
    assert sum(path.stat().st_size for path in BUILT.iterdir()) < 1_500_000
    assert "url(" not in (BUILT / "page.css").read_text("utf-8")


def test_licences_of_what_is_bundled() -> None:
    told = (BUILT / "LICENSES.txt").read_text("utf-8")
    wanted = json.loads((STUDIO / "package.json").read_text("utf-8"))["dependencies"]
    for name, version in wanted.items():
        assert f"{name} {version} (" in told
    assert "MIT License" in told and "Permission to use, copy, modify" in told
    assert '"resolved"' not in (STUDIO / "package-lock.json").read_text("utf-8")


@needs_node
@pytest.mark.external
def test_types() -> None:
    done = subprocess.run(
        ["npx", "tsc", "--noEmit"], cwd=STUDIO, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout


@needs_node
@pytest.mark.external
def test_building_it_again_gives_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        ["npx", "vite", "build", "--outDir", str(tmp_path), "--emptyOutDir", "--logLevel", "warn"],
        cwd=STUDIO, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in BUILT.iterdir()}
    assert made == kept
