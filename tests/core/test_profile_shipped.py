"""The profiles that are shipped: the same in both places, right by loader, schema and plugins."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest
from facewire.config import convert
from facewire.profile import ComponentSpec, Profile, load_profile
from facewire.registry import Registry
from facewire.schema import profile_schema
from facewire.types import Kind
from facewire.yaml_loader import load_yaml

SHIPPED = Path(str(files("facewire"))) / "profiles"
SOURCE = Path(__file__).parents[2] / "profiles"
NAMES = sorted(path.stem for path in SOURCE.glob("*.yaml"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where no profile lies, so that a name finds the shipped one."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))


def components(profile: Profile) -> list[tuple[Kind, ComponentSpec]]:
    groups: list[tuple[Kind, tuple[ComponentSpec, ...]]] = [
        ("voice", profile.voice),
        ("model", profile.model),
        ("layer", profile.layers),
        ("sink", profile.sinks),
    ]
    return [(kind, spec) for kind, specs in groups for spec in specs]


def test_the_copies_in_the_package_are_equal() -> None:
    found = {path.name: path.read_bytes() for path in SHIPPED.iterdir()}
    assert found == {path.name: path.read_bytes() for path in SOURCE.iterdir()}
    assert {"default.yaml", "metahuman-live.yaml"} <= set(found)


@pytest.mark.parametrize("name", NAMES)
def test_they_load_and_their_options_are_right(name: str, registry: Registry) -> None:
    profile = load_profile(name)
    assert profile.base == SHIPPED and profile.name == name
    for kind, spec in components(profile):
        component, _ = registry.find(kind, spec.use, spec.where)
        assert isinstance(convert(spec.options, component.config, spec.where), component.config)


@pytest.mark.parametrize("name", NAMES)
def test_they_obey_the_schema_of_what_is_installed(name: str, registry: Registry) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = profile_schema(registry.catalogue())
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = load_yaml(SHIPPED / f"{name}.yaml", name)
    jsonschema.Draft202012Validator(schema).validate(tree)
    assert schema["$defs"]["sink"]["oneOf"]


def test_what_default_runs() -> None:
    profile = load_profile("default")
    assert [spec.use for spec in profile.layers] == [
        "v3",
        "idle.gaze",
        "idle.head",
        "idle.blink",
        "clamp",
    ]
    names = [spec.use for spec in profile.sinks]
    assert names == ["files.livelink_csv", "files.npz", "files.wav", "preview.html"]
    assert all(str(spec.options["path"]).startswith("{out}/") for spec in profile.sinks)


def test_what_the_live_one_adds() -> None:
    default, live = load_profile("default"), load_profile("metahuman-live")
    assert (live.model, live.layers, live.voice) == (default.model, default.layers, default.voice)
    assert [spec.use for spec in live.sinks] == ["livelink"]


def test_what_their_comments_tell_to_type_works(tmp_path: Path, registry: Registry) -> None:
    profile = load_profile("default", ["fps=30", "sinks[1].path=take.npz"])
    assert profile.fps == 30 and profile.sinks[1].options["path"] == "take.npz"
    live = load_profile("metahuman-live", ["sinks[0].host=192.168.1.20"])
    assert live.sinks[0].options["host"] == "192.168.1.20"

    lines = (SHIPPED / "default.yaml").read_text("utf-8").split("# profiles/mine.yaml\n")[1]
    taught = lines.split("#\n")[0].replace("#   ", "")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(taught, "utf-8")
    mine = load_profile("mine")
    assert (mine.extends, mine.fps, mine.model) == ("default", Fraction(30), profile.model)
    for kind, spec in components(mine):
        convert(spec.options, registry.find(kind, spec.use)[0].config, spec.where)
