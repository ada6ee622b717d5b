"""``facewire new-plugin``: a plugin that installs, is found and passes its own test."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from facewire import __version__
from facewire.errors import InputError
from facewire.hookspecs import API


@click.command("new-plugin")
@click.argument("name")
@click.option("--in", "folder", type=click.Path(path_type=Path), default=Path("."), metavar="DIR")
def command(name: str, folder: Path) -> None:
    """Make a working plugin called NAME, with its test, in the folder facewire-NAME."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise InputError(f"'{name}' is no name for a plugin; use small letters, digits and _")
    target = folder / f"facewire-{name.replace('_', '-')}"
    if target.exists():
        raise InputError(f"{target}: exists already; choose another name, or remove it")
    made = folder / f".{target.name}.part"
    try:
        for path, text in sorted(contents(name).items()):
            file = made / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        made.rename(target)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise InputError(f"{target}: cannot be made: {error.strerror}") from error
    click.echo(f"made {target}; next:")
    click.echo(f"  pip install -e {target}\n  facewire plugins\n  python -m pytest {target}")


def contents(name: str) -> dict[str, str]:
    """Return a new plugin's files: path -> text."""
    major, minor = __version__.split(".")[:2]
    words = {
        "name": name,
        "module": name,
        "class": "".join(part.capitalize() for part in name.split("_")),
        "api": str(API),
        "major": f"{major}.{minor}",
        "next": str(int(major) + 1),
    }
    found: dict[str, str] = {}
    _read(files("facewire").joinpath("data/new_plugin"), "", found)
    filled = {}
    for path, text in found.items():
        path = path.removesuffix(".tmpl").replace("src/", f"src/facewire_{name}/")
        if path == "tests/test_plugin.py":
            path = f"tests/test_{name}.py"
        filled[path] = re.sub(r"@(\w+)@", lambda match: words[match[1]], text)
    return filled


def _read(folder: Traversable, path: str, found: dict[str, str]) -> None:
    for item in folder.iterdir():
        inner = f"{path}{item.name}"
        if item.is_dir():
            _read(item, f"{inner}/", found)
        else:
            found[inner] = item.read_text("utf-8")
