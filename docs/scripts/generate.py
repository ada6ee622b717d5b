"""Fill in what the documentation takes from the code: ``python docs/scripts/generate.py``.

What stands between ``<!-- generated: NAME ARGUMENT -->`` and ``<!-- end -->`` in README.md,
CHANGELOG.md and docs/*.md is made here. ``tests/test_docs.py`` fails where a page differs.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
from facewire import hookspecs, stages, types
from facewire.cli import cli
from facewire.cli.new_plugin import contents
from facewire.emotion import names
from facewire.emotion.vocabulary import aliases, lookup
from facewire.errors import FacewireError
from facewire.profile import profile_keys
from facewire.registry import KINDS, Registry
from facewire.rig import rigs

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- generated: (\S+) ?([^\n]*?) ?-->\n)(.*?)(<!-- end -->)", re.DOTALL)
EXAMPLE = "squint"
HELP_WIDTH = 90


def pages() -> list[Path]:
    """Return the pages that may hold generated blocks."""
    own = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return [*own, *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """Return a page with every block made anew; KeyError for a block that nothing makes."""
    return BLOCK.sub(lambda m: f"{m[1]}{MAKERS[m[2]](m[3]).rstrip()}\n{m[5]}", text)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str, language: str) -> str:
    """Return a fenced block."""
    return f"```{language}\n{text.rstrip()}\n```\n"


# -- what is installed ---------------------------------------------------------------------------


def distributions() -> dict[str, Path]:
    """Return the tree's own distributions: name -> folder."""
    folders = [ROOT / "core", *sorted(p.parent for p in ROOT.glob("plugins/*/pyproject.toml"))]
    read = [(tomllib.loads((f / "pyproject.toml").read_text("utf-8")), f) for f in folders]
    return {project["project"]["name"]: folder for project, folder in read}


def installed(_: str) -> str:
    """Return the table of the tree's components."""
    registry, own = Registry(), distributions()
    registry.load_all()
    rows = []
    for plugin in registry.plugins:
        if plugin.distribution not in own or plugin.status != "loaded":
            continue
        readme = (own[plugin.distribution] / "README.md").relative_to(ROOT).as_posix()
        for kind in KINDS:
            for part in registry.offers(kind, plugin).values():
                where = f"[{plugin.distribution}]({readme})"
                rows.append([f"`{part.name}`", kind.replace("_", " "), part.summary, where])
    return table(["component", "kind", "what it does", "comes with"], rows)


def changelogs(_: str) -> str:
    """Return the table of the packages' changelogs."""
    rows = []
    for name, folder in distributions().items():
        path = (folder / "CHANGELOG.md").relative_to(ROOT).as_posix()
        rows.append([name, f"[{path}]({path})"])
    return table(["package", "changes"], rows)


def keys(_: str) -> str:
    """Return the table of a profile's top-level keys."""
    rows = [[f"`{key}`", kind, default, meaning] for key, kind, default, meaning in profile_keys()]
    return table(["key", "value", "default", "meaning"], rows)


def other_pages(_: str) -> str:
    """Return the table of the pages that the map does not name by itself."""
    written = BLOCK.sub("", (ROOT / "docs/index.md").read_text("utf-8"))
    rows = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        if page.name != "index.md" and f"({page.name})" not in written:
            title = page.read_text("utf-8").split("\n", 1)[0].lstrip("# ")
            rows.append([f"[{page.name}]({page.name})", title])
    return table(["page", "about"], rows)


def emotions(_: str) -> str:
    """Return the table of the names that an emotion may have."""
    rows = []
    for name in names():
        entry = lookup(name)
        others = ", ".join(word for word, own in aliases().items() if own == name)
        vad = ", ".join(f"{value:.2f}" for value in entry.vad)
        rows.append([f"`{name}`", vad, entry.family if entry.family != name else "", others])
    return table(["name", "valence, arousal, dominance", "drawn as", "also called"], rows)


def rig_table(_: str) -> str:
    """Return the table of the core's rigs."""
    rows = []
    for name, rig in rigs().items():
        rows.append([f"`{name}`", str(len(rig)), f"`{rig.channels[0]}` … `{rig.channels[-1]}`"])
    return table(["rig", "channels", "first and last"], rows)


def channels(rig: str) -> str:
    """Return a rig's channel names in order."""
    return code(_wrapped(list(rigs()[rig].channels)), "text")


def _wrapped(words: list[str], width: int = 96) -> str:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


# -- commands ------------------------------------------------------------------------------------


def helps(_: str) -> str:
    """Return the help of every command of the tree, each under a heading."""
    own, plugged = set(distributions()), plugged_commands()
    group = click.Context(cli, info_name="facewire", **cli.context_settings)
    group.terminal_width = group.max_content_width = HELP_WIDTH
    found = [_help(cli, group)]
    for name in cli.list_commands(group):
        if plugged.get(name, "facewire") not in own:
            continue
        command = cli.get_command(group, name)
        assert command is not None
        found.extend(_tree(command, click.Context(command, info_name=name, parent=group)))
    return "\n".join(found)


def plugged_commands() -> dict[str, str]:
    """Return the commands that plugins bring: name -> distribution."""
    entries = entry_points(group=hookspecs.COMMANDS)
    return {entry.name: entry.dist.name for entry in entries if entry.dist}


def _tree(command: click.Command, context: click.Context) -> Iterator[str]:
    context.terminal_width = context.max_content_width = HELP_WIDTH
    yield _help(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _tree(inner, click.Context(inner, info_name=name, parent=context))


def _help(command: click.Command, context: click.Context) -> str:
    # click keeps the help option of a command's first call, whose names may have been others.
    command._help_option = None
    return f"## {context.command_path}\n\n{code(command.get_help(context), 'text')}"


# -- the API -------------------------------------------------------------------------------------


def hooks(_: str) -> str:
    """Return every hook with its exact signature and what it is for."""
    found = []
    for node in _tree_of(hookspecs).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("facewire_"):
            found.append(f"- `{signature(node)}`  \n  {_doc(node)}\n")
    return "".join(found)


def signature(node: ast.FunctionDef, method: bool = False) -> str:
    """Return a function's name, parameters and result as they are written."""
    args = ast.unparse(node.args)
    if method:
        args = re.sub(r"^self(, )?", "", args)
    return f"{node.name}({args}) -> {ast.unparse(node.returns) if node.returns else 'None'}"


def stage_methods(_: str) -> str:
    """Return every stage with its attributes and methods."""
    classes = [n for n in _tree_of(stages).body if isinstance(n, ast.ClassDef)]
    wanted = [n for n in classes if n.name not in ("Clock", "Framer")]
    return "\n".join(_stage(node) for node in wanted)


def _stage(node: ast.ClassDef) -> str:
    lines = [f"### {node.name}\n", f"{_doc(node)}\n"]
    for i, item in enumerate(node.body):
        if isinstance(item, ast.AnnAssign):
            after = node.body[i + 1] if i + 1 < len(node.body) else None
            lines.append(f"- `{ast.unparse(item)}`{_told(after)}")
        elif isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            must = " (you write this one)" if item.decorator_list else ""
            lines.append(f"- `{signature(item, method=True)}`{must}: {_doc(item)}")
    return "\n".join(lines) + "\n"


def _told(after: ast.stmt | None) -> str:
    match after:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return f": {_plain(text)}"
    return ""


def data(_: str) -> str:
    """Return the data types with their fields and what they mean."""
    found = []
    for node in _tree_of(types).body:
        if isinstance(node, ast.ClassDef):
            fields = [ast.unparse(i) for i in node.body if isinstance(i, ast.AnnAssign)]
            found.append(f"**`{node.name}`** {_doc(node)}\n\n{_fields(fields)}")
    return "\n".join(found)


def _fields(fields: list[str]) -> str:
    return code("\n".join(fields), "text") if fields else ""


def _tree_of(module: object) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text("utf-8"))  # type: ignore[attr-defined]


def _doc(node: ast.FunctionDef | ast.ClassDef) -> str:
    return _plain(ast.get_docstring(node) or "")


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


# -- quoted files --------------------------------------------------------------------------------


def quoted(path: str) -> str:
    """Return a file of the tree, whole."""
    return code((ROOT / path).read_text("utf-8"), "python")


def new_plugin(path: str) -> str:
    """Return a file that ``facewire new-plugin squint`` makes, whole."""
    return code(contents(EXAMPLE)[path], Path(path).suffix.lstrip(".").replace("py", "python"))


def new_plugin_hook(path: str) -> str:
    """Return what of such a file stands from ``def make`` on."""
    text = contents(EXAMPLE)[path]
    return code(text[text.index("def make") :], "python")


def new_plugin_files(_: str) -> str:
    """Return the list of files that it makes."""
    paths = sorted(contents(EXAMPLE))
    return code("\n".join(f"facewire-{EXAMPLE}/{path}" for path in paths), "text")


MAKERS: dict[str, Callable[[str], str]] = {
    "installed": installed,
    "changelogs": changelogs,
    "profile-keys": keys,
    "other-pages": other_pages,
    "emotions": emotions,
    "rigs": rig_table,
    "channels": channels,
    "commands": helps,
    "hooks": hooks,
    "stages": stage_methods,
    "data": data,
    "file": quoted,
    "new-plugin": new_plugin,
    "new-plugin-hook": new_plugin_hook,
    "new-plugin-files": new_plugin_files,
}


def main() -> int:
    """Write every page whose blocks changed; a page that cannot be made is left as it is."""
    failed = 0
    for page in pages():
        text = page.read_text("utf-8")
        try:
            made = filled(text)
        except FacewireError as error:
            print(f"left {page.relative_to(ROOT)} as it is: {error}", file=sys.stderr)
            failed = 1
            continue
        if made != text:
            page.write_text(made, "utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
