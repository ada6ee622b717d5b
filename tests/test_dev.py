"""dev.py: what it installs when, and what it says where it cannot."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def tree(folder: Path) -> ModuleType:
    """Make a small tree with a dev.py of its own; return that as a module."""
    for name in ("core", "plugins/one"):
        package = folder / name / "src" / Path(name).name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('"""A package."""\n\n__version__ = "0.1.0"\n')
        (folder / name / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
            f'[project]\nname = "{Path(name).name}"\ndynamic = ["version", "description"]\n'
        )
    (folder / "requirements").mkdir()
    (folder / "requirements/build.txt").write_text("flit_core\n")
    (folder / "requirements/run.txt").write_text("-r build.txt\n-e ./core\n-e ./plugins/one\n")
    (folder / "requirements/test.txt").write_text("-r run.txt\n")
    (folder / "dev.py").write_bytes((ROOT / "dev.py").read_bytes())
    spec = importlib.util.spec_from_file_location("dev", folder / "dev.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pretend_installed(dev: ModuleType) -> None:
    """Leave .venv as an installation that went well does."""
    python = dev.program(dev.VENV)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    done = {name: dev.fingerprint(name) for name in ("run", "test")}
    dev.STAMP.write_text(dev.json.dumps(done))


@pytest.mark.parametrize(
    "changed",
    ["requirements/build.txt", "requirements/run.txt", "core/pyproject.toml",
     "plugins/one/pyproject.toml", "plugins/one/src/one/__init__.py"],
)  # fmt: skip
def test_a_change_is_noticed(tmp_path: Path, changed: str) -> None:
    dev = tree(tmp_path)
    pretend_installed(dev)
    assert dev.ready("run") and dev.ready("test")
    with (tmp_path / changed).open("a") as file:
        file.write("# more\n")
    assert not dev.ready("run") and not dev.ready("test")


def test_tests_need_more_than_runs(tmp_path: Path) -> None:
    dev = tree(tmp_path)
    pretend_installed(dev)
    with (tmp_path / "requirements/test.txt").open("a") as file:
        file.write("pytest\n")
    assert dev.ready("run") and not dev.ready("test")


def test_an_interruption_is_noticed(tmp_path: Path) -> None:
    dev = tree(tmp_path)
    pretend_installed(dev)
    dev.UNFINISHED.touch()
    assert not dev.ready("run") and not dev.usable()
    dev.empty_venv()
    assert list(dev.VENV.iterdir()) == [dev.UNFINISHED]


def test_a_python_that_is_gone_is_noticed(tmp_path: Path) -> None:
    dev = tree(tmp_path)
    pretend_installed(dev)
    dev.program(dev.VENV).unlink()
    assert not dev.ready("run") and not dev.usable()


def test_a_broken_stamp_is_none(tmp_path: Path) -> None:
    dev = tree(tmp_path)
    pretend_installed(dev)
    for text in ("", "[]", '{"run": 1}', "\0"):
        dev.STAMP.write_text(text)
        assert not dev.ready("run")


def test_without_ensurepip_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = tree(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(dev.DevError, match=r"apt install python3-venv$"):
        dev.install("run")
    assert not dev.ready("run")


def test_help_and_mistakes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    dev = tree(tmp_path)
    assert dev.main([]) == dev.main(["--help"]) == 0
    assert dev.main(["tset"]) == dev.main(["build", "more"]) == 2
    assert "python dev.py run INPUT" in capsys.readouterr().out


@pytest.mark.slow
def test_offline_is_one_clear_line(tmp_path: Path) -> None:
    """Make a real environment with no index to install from; the second try starts in it."""
    dev = tree(tmp_path)
    environment = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": os.devnull,
    }
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, tmp_path / "dev.py", "run", "x"],
            capture_output=True, text=True, env=environment, cwd=tmp_path,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1] == (
            "dev.py: packages could not be fetched: is there a connection to the package index?"
        )
        assert dev.usable() and not dev.ready("run")


def test_ci_installs_before_it_tests() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert re.search(
        r"set -euo pipefail.*apt-get install.*dev\.py test.*dev\.py build", script, re.DOTALL
    )
    assert os.access(ROOT / ".ci/run", os.X_OK)
