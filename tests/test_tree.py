"""What holds for the whole tree: sizes, versions, licences, and imports that stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
PLUGINS = PACKAGES[1:]
FOLDERS = ("core", "plugins", "integrations", "profiles", "tests", "benchmarks", "docs")
UNSEEN = {"__pycache__", "node_modules"}
MAX_FILE, MAX_FUNCTION = 400, 60  # lines
GPL = {"facewire-espeak"}
# written apart, so that this file does not hold them
ELSEWHERE = re.compile(
    "|".join(["/" + "work/", "/" + "root/", "/home" + r"/\w", r"\\Users" + r"\\"])
)
REGISTRIES = re.compile(
    "|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.\w+"])
)
HEAVY = {
    "bpy", "espeakng_loader", "fastapi", "httpx", "librosa", "matplotlib", "numba", "onnxruntime",
    "pocketsphinx", "pxr", "pygltflib", "pythonosc", "ray", "scipy", "sklearn", "sounddevice",
    "soundfile", "soxr", "torch", "transformers", "uvicorn",
}  # fmt: skip


def files(pattern: str) -> Iterator[Path]:
    """Yield the tree's own files."""
    yield from sorted(path for path in ROOT.glob(pattern) if path.is_file())
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob(pattern)):
            if path.is_file() and not UNSEEN & set(path.relative_to(ROOT).parts):
                yield path


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


def project(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text("utf-8"))


def module_of(package: Path) -> str:
    return str(project(package)["tool"]["flit"]["module"]["name"])


def test_files_are_short() -> None:
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in files("*.py")}
    assert len(lines) > 20
    assert {name: count for name, count in lines.items() if count > MAX_FILE} == {}


def test_functions_are_short() -> None:
    long = {}
    for path in files("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION:
                    long[f"{named(path)}:{node.lineno} {node.name}"] = length
    assert long == {}


def test_no_path_of_a_machine_and_no_registry() -> None:
    found = []
    for path in [*files("*"), *(ROOT / "requirements").iterdir(), ROOT / ".ci/run"]:
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if ELSEWHERE.search(line) or REGISTRIES.search(line):
                found.append(f"{named(path)}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_version_is_the_changelogs_first(package: Path) -> None:
    init = package / "src" / module_of(package) / "__init__.py"
    version = re.search(r'^__version__ = "(.+)"$', init.read_text("utf-8"), re.MULTILINE)
    changelog = (package / "CHANGELOG.md").read_text("utf-8")
    entry = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert version is not None and entry is not None
    assert version[1] == entry[1]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_package_says_what_it_is(package: Path) -> None:
    described = project(package)["project"]
    gpl = described["name"] in GPL
    assert described["license"] == ("GPL-3.0-or-later" if gpl else "Apache-2.0")
    assert described["requires-python"] == ">=3.11"
    assert described["description"].endswith(".")
    assert (package / described["readme"]).read_text("utf-8").strip()
    assert (package / "src" / module_of(package) / "py.typed").exists()


def test_licence_texts() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
    for package in PACKAGES:
        for name in project(package)["project"].get("license-files", []):
            assert list(package.glob(name)), f"{named(package)}: {name}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_three_names_of_a_plugin_are_one(plugin: Path) -> None:
    described = project(plugin)["project"]
    assert described["name"] == f"facewire-{plugin.name}"
    assert module_of(plugin) == f"facewire_{plugin.name.replace('-', '_')}"
    for entry, module in described["entry-points"]["facewire.v1"].items():
        assert (entry, module) == (plugin.name, f"{module_of(plugin)}.plugin")


def test_requirements_install_every_package() -> None:
    """Ray is a quarter of a gigabyte, and few want it: it comes with the tests alone."""
    files = {
        name: (ROOT / f"requirements/{name}.txt").read_text("utf-8") for name in ("run", "test")
    }
    listed = [line for text in files.values() for line in text.splitlines() if line[:3] == "-e "]
    assert sorted(listed) == sorted(f"-e ./{named(package)}" for package in PACKAGES)
    assert "plugins/ray" not in files["run"] and files["test"].count("-e ") == 1


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_plugin_module_imports_nothing_heavy(plugin: Path) -> None:
    """Import it in a Python of its own, and look what came along."""
    code = f"import sys, {module_of(plugin)}.plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    came = {name.partition(".")[0] for name in done.stdout.split()}
    assert module_of(plugin) in came
    assert came & HEAVY == set()


def test_core_imports_nothing_heavy() -> None:
    code = "import sys, facewire.types, facewire.hookspecs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} & HEAVY == set()


def test_packaged_profiles_are_the_trees() -> None:
    packaged = ROOT / "core/src/facewire/profiles"
    kept = {path.name: path.read_text("utf-8") for path in (ROOT / "profiles").glob("*.yaml")}
    assert "default.yaml" in kept
    assert {path.name: path.read_text("utf-8") for path in packaged.glob("*.yaml")} == kept
