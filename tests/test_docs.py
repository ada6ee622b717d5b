"""The documentation says what is so: tables, signatures, commands, links, and code that runs."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from types import ModuleType

import facewire
import pytest
from facewire import hookspecs, stages
from facewire.cli.new_plugin import contents

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PAGES += [ROOT / "core/README.md", *sorted(ROOT.glob("plugins/*/README.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
PROGRAM = Path(sys.executable).with_name("facewire")
PLUGINS, PYTHON, FILES = (ROOT / f"docs/{page}.md" for page in ("plugins", "python", "files"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text("utf-8")
    return [code for found, code in FENCE.findall(text) if found == language]


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = loaded(ROOT / "docs/scripts/generate.py")


@pytest.mark.parametrize("page", GENERATE.pages(), ids=named)
def test_what_is_made_from_the_code_is_up_to_date(page: Path) -> None:
    text = page.read_text("utf-8")
    assert GENERATE.filled(text) == text, "run: python docs/scripts/generate.py"


def test_every_hook_is_there_with_its_signature() -> None:
    page = PLUGINS.read_text("utf-8")
    wanted = [
        f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
        for node in ast.parse(inspect.getsource(hookspecs)).body
        if isinstance(node, ast.FunctionDef) and node.returns is not None
    ]
    assert len(wanted) == 10
    assert [hook for hook in wanted if f"`{hook}`" not in page] == []


def test_every_stage_method_is_there() -> None:
    page = PLUGINS.read_text("utf-8")
    classes = [kind for _, kind in inspect.getmembers(stages, inspect.isclass)]
    kinds = [kind for kind in classes if issubclass(kind, stages.Stage)]
    methods = {name for k in kinds for name in vars(k) if inspect.isfunction(getattr(k, name))}
    assert {"push", "flush", "condition", "speak"} <= methods
    assert {name for name in methods if f"`{name}(" not in page and name[0] != "_"} == set()
    assert {k.__name__ for k in kinds if f"### {k.__name__}\n" not in page} == set()


def test_the_tutorial_quotes_blink_whole() -> None:
    source = (ROOT / "plugins/idle/src/facewire_idle/blink.py").read_text("utf-8")
    assert f"```python\n{source}```" in PLUGINS.read_text("utf-8")


def test_the_readme_quotes_a_plugin_of_less_than_40_lines() -> None:
    quoted = blocks(ROOT / "README.md", "python")
    assert sum(code.count("\n") for code in quoted) < 40
    made = contents("squint")
    assert quoted[0] == made["src/facewire_squint/layer.py"]
    assert made["src/facewire_squint/plugin.py"].endswith(quoted[1])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    wrong = []
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" in link:
            continue
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_on_the_map() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_pictures_are_there() -> None:
    png = (ROOT / "docs/images/talking.png").read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) < 400_000


# -- commands ------------------------------------------------------------------------------------


def readme_commands() -> Iterator[list[str]]:
    """Yield the README's commands as arguments of the program ``facewire``."""
    for code in blocks(ROOT / "README.md", "sh"):
        for line in code.splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["python", "dev.py"] and words[2] in ("run", "facewire"):
                yield words[2:] if words[2] == "run" else words[3:]


COMMANDS = list(readme_commands())


def test_the_readme_begins_with_the_two_commands() -> None:
    first = blocks(ROOT / "README.md", "sh")[0].splitlines()
    assert first == ['python dev.py run "Hello! I can talk now."', "python dev.py test"]
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_the_readmes_commands_run(args: list[str], tmp_path: Path) -> None:
    if args[0] == "serve":
        serves(args, tmp_path)
        return
    done = subprocess.run(
        [str(PROGRAM), *args], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    if args == COMMANDS[0]:
        listed = re.findall(r"^\| `(out/.+?)` ", (ROOT / "README.md").read_text("utf-8"), re.M)
        found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
        assert sorted(listed) == found


def serves(args: list[str], folder: Path) -> None:
    """Start a server on a free port, ask it for its page, and end it as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [str(PROGRAM), *args, "--port", str(port)]
    environment = os.environ | {"BROWSER": "true"}  # a program that does nothing
    process = subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                page = urllib.request.Request(
                    f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"}
                )
                with urllib.request.urlopen(page, timeout=10) as answer:
                    assert b"Facewire" in answer.read()
                    break
            except urllib.error.URLError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode in (0, 130, -signal.SIGINT)


# -- code ----------------------------------------------------------------------------------------


def run_blocks(page: Path, folder: Path) -> int:
    """Run a page's Python blocks in order, in one namespace, in a folder; return how many."""
    module = ModuleType(f"facewire_docs_{page.stem}")
    sys.modules[module.__name__] = module
    number = 0
    try:
        with chdir(folder):
            for number, code in enumerate(blocks(page, "python"), 1):
                name = f"{named(page)}, block {number}"
                exec(compile(code, name, "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return number


@pytest.mark.usefixtures("capsys")
def test_python_page_runs(tmp_path: Path) -> None:
    assert run_blocks(PYTHON, tmp_path)


def test_plugins_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in contents("squint").items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "src")
    assert run_blocks(PLUGINS, tmp_path)


def test_files_page_runs(tmp_path: Path) -> None:
    facewire.animate(text="Hi.").save(tmp_path / "clip.npz")
    assert run_blocks(FILES, tmp_path)


def test_the_pages_script_and_profiles_run(tmp_path: Path) -> None:
    """Check every profile on the pages, and play the script of files.md."""
    env = {**os.environ, "HOME": str(tmp_path)}
    checked = 0
    for page in (ROOT / "docs").glob("*.md"):
        for text in blocks(page, "yaml"):
            if "extends:" in text and "squint" not in text:
                (tmp_path / "mine.yaml").write_text(text, "utf-8")
                args = [str(PROGRAM), "check", "mine.yaml"]
                done = subprocess.run(args, cwd=tmp_path, capture_output=True, text=True, env=env)
                assert done.returncode == 0, f"{named(page)}: {done.stderr}"
                checked += 1
    assert checked >= 4
    [script] = blocks(FILES, "json")
    facewire.animate(text="What is good about it?").save(tmp_path / "answer.wav")
    (tmp_path / "scene.jsonl").write_text(script.replace("takes/answer", "answer"), "utf-8")
    args = [str(PROGRAM), "run", "scene.jsonl"]
    done = subprocess.run(args, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/scene.npz").exists()
