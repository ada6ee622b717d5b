"""What is said of plugins that are missing, old, broken or in each other's way; texts whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from facewire import __version__
from facewire.errors import FacewireError
from facewire.profile import ComponentSpec
from facewire.registry import Registry
from facewire.types import Context

DISTS = Path(__file__).parents[1] / "data" / "dists"
NEEDS = "No module named 'a_library_that_is_not_installed'"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """Return a function that puts fake distributions onto the path and discovers plugins."""

    def install(*names: str) -> Registry:
        for name in names:
            monkeypatch.syspath_prepend(str(DISTS / name))
        registry = Registry()
        fakes = {f"facewire_fake_{name}" for name in names}
        registry.plugins = [
            plugin
            for plugin in registry.plugins
            if plugin.entry is None or plugin.entry.value in fakes
        ]
        return registry

    yield install
    for name in [name for name in sys.modules if name.startswith("facewire_fake_")]:
        del sys.modules[name]


def build(registry: Registry, name: str) -> object:
    return registry.build("layer", ComponentSpec(name, {}, "mine.yaml: layers[0]"), Context())


def refusal(registry: Registry, name: str) -> str:
    with pytest.raises(FacewireError) as error:
        build(registry, name)
    return str(error.value)


def status(registry: Registry, name: str) -> tuple[str, str]:
    registry.load_all()
    plugin = next(plugin for plugin in registry.plugins if plugin.name == name)
    return plugin.status, plugin.cause


def test_a_plugin_is_found_and_built(installed) -> None:
    registry = installed("good")
    assert not any(name.startswith("facewire_fake_") for name in sys.modules)
    built = build(registry, "wink")
    assert str(built) == "layer 'wink' (facewire-wink 1.2.0)"


def test_only_the_plugin_that_is_named_is_imported(installed) -> None:
    registry = installed("good", "broken", "crash")
    build(registry, "wink")
    assert "facewire_fake_broken" not in sys.modules and "facewire_fake_crash" not in sys.modules


def test_a_missing_plugin(installed) -> None:
    assert refusal(installed("good"), "wnik") == (
        "mine.yaml: layers[0]: no plugin 'wnik' is installed; did you mean 'wink'? "
        "(installed: wink)"
    )


def test_a_missing_component(installed) -> None:
    assert refusal(installed("good"), "wink.left") == (
        "mine.yaml: layers[0]: facewire-wink 1.2.0 has no layer 'wink.left'; did you mean 'wink'? "
        "(it offers: wink)"
    )


def test_a_plugin_of_another_api_is_not_imported(installed) -> None:
    registry = installed("next_api")
    cause = (
        f"it was made for plugin API 2 and this is facewire {__version__} with API 1; "
        "install a version of facewire-tomorrow for API 1"
    )
    assert status(registry, "tomorrow") == ("other API", cause)
    assert refusal(registry, "tomorrow") == (
        f"mine.yaml: layers[0]: plugin 'tomorrow' (facewire-tomorrow 2.0.0) cannot be used: {cause}"
    )


def test_a_plugin_that_needs_another_facewire(installed) -> None:
    assert refusal(installed("newer"), "newer") == (
        "mine.yaml: layers[0]: plugin 'newer' (facewire-newer 3.1) cannot be used: it needs "
        f"facewire <8,>=7 and {__version__} is installed; upgrade facewire or install "
        "another version of facewire-newer"
    )


def test_a_plugin_that_fails_to_import_is_an_error_only_when_it_is_named(installed) -> None:
    registry = installed("broken", "crash", "good")
    assert status(registry, "broken") == ("failed", f"ModuleNotFoundError: {NEEDS}")
    assert status(registry, "crash") == ("failed", "SystemExit: sneezed")
    build(registry, "wink")
    assert refusal(registry, "broken") == (
        "mine.yaml: layers[0]: plugin 'broken' (facewire-broken 0.4) cannot be used: "
        f"ModuleNotFoundError: {NEEDS}"
    )


def test_two_providers_of_one_name(installed) -> None:
    assert refusal(installed("good", "rival"), "wink") == (
        "mine.yaml: layers[0]: plugin 'wink' (acme-wink 9.0) cannot be used: acme-wink 9.0 and "
        "facewire-wink 1.2.0 both provide 'wink'; uninstall one of them"
    )


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("misnamed", "its layer 'blush' must be called 'misnamed' or 'misnamed.…'"),
        ("twice", "it offers the layer 'twice' twice"),
        ("bare", "its layer hook returned a str, not a Component"),
        (
            "typo",
            "PluginValidationError: unknown hook 'facewire_layer' in plugin "
            "<module 'facewire_fake_typo'>",
        ),
        (
            "signature",
            "PluginValidationError: Plugin 'signature' for hook 'facewire_layers' hookimpl "
            "definition: facewire_layers(session) Argument(s) {'session'} are declared in the "
            "hookimpl but can not be found in the hookspec",
        ),
    ],
)
def test_a_plugin_that_breaks_the_rules(installed, name: str, cause: str) -> None:
    found, said = status(installed(name), name)
    assert found == "failed"
    assert said.replace(f" from '{DISTS / name / f'facewire_fake_{name}.py'}'", "") == cause


def test_a_component_that_cannot_be_built(installed) -> None:
    registry = installed("unbuildable")
    assert refusal(registry, "unbuildable") == (
        "mine.yaml: layers[0]: layer 'unbuildable' (facewire-unbuildable 0.11) cannot be built: "
        "RuntimeError: no such device"
    )
    assert refusal(registry, "unbuildable.other") == (
        "mine.yaml: layers[0]: layer 'unbuildable.other' (facewire-unbuildable 0.11) gave object, "
        "expected Layer"
    )


def test_options_are_checked_where_they_stand(installed) -> None:
    with pytest.raises(FacewireError) as error:
        spec = ComponentSpec("wink", {"sied": "left"}, "mine.yaml: layers[0]")
        installed("good").build("layer", spec, Context())
    assert str(error.value).startswith("mine.yaml: layers[0].sied: unknown")


def test_threads_that_ask_at_once_import_a_plugin_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    for _ in range(5):
        registry = Registry()
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(registry.find, "layer", "idle.blink") for _ in range(16)]
        found = [one.result()[0] for one in asked]
        assert {part.name for part in found} == {"idle.blink"}
        assert all(plugin.status != "failed" for plugin in registry.plugins)
