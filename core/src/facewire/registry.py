"""The plugins that are installed: discovery, checks, conflicts, and building components.

Discovery reads metadata only. A plugin is imported when a profile names it (or when all are asked
for), and what goes wrong then is remembered and told when it matters.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, cast

import pluggy
from packaging.requirements import InvalidRequirement, Requirement

from facewire import __version__, hookspecs
from facewire.config import convert
from facewire.errors import FacewireError, PluginError, ProfileError, nearest
from facewire.hookspecs import API
from facewire.pipeline import Built
from facewire.profile import ComponentSpec
from facewire.stages import (
    FeatureExtractor,
    Layer,
    Model,
    Sink,
    Source,
    Stage,
    TextEmotion,
    Voice,
)
from facewire.types import Check, Component, Context, Kind

KINDS: dict[Kind, tuple[str, type[Stage]]] = {
    "source": ("facewire_sources", Source),
    "voice": ("facewire_voices", Voice),
    "text_emotion": ("facewire_text_emotions", TextEmotion),
    "features": ("facewire_features", FeatureExtractor),
    "model": ("facewire_models", Model),
    "layer": ("facewire_layers", Layer),
    "sink": ("facewire_sinks", Sink),
}
BUILTIN = "facewire"


@dataclass
class Plugin:
    """An installed plugin: its entry point ``name``, distribution, version, status and cause.

    ``status`` is "found" (not imported yet), "loaded", "failed", "refused" or "other API".
    """

    name: str
    distribution: str
    version: str
    status: str = "found"
    cause: str = ""
    error: BaseException | None = None
    entry: EntryPoint | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """Distribution and version, as errors name them."""
        return f"{self.distribution} {self.version}"


def _found() -> Iterator[Plugin]:
    seen: set[tuple[str, str]] = set()
    for dist in distributions():
        for entry in dist.entry_points:
            api = re.fullmatch(r"facewire\.v(\d+)", entry.group)
            if not api:
                continue
            name = dist.metadata["Name"]
            if (name, entry.name) in seen:  # a path listed twice shows a plugin twice
                continue
            seen.add((name, entry.name))
            plugin = Plugin(entry.name, name, dist.version, entry=entry)
            if int(api[1]) != API:
                plugin.status = "other API"
                plugin.cause = (
                    f"it was made for plugin API {api[1]} and this is facewire {__version__} with "
                    f"API {API}; install a version of {name} for API {API}"
                )
            elif cause := _unmet(dist):
                plugin.status, plugin.cause = "refused", cause
            yield plugin


def _unmet(dist: Distribution) -> str:
    """Return why the distribution's requirement on facewire is not met, or ``""``."""
    for text in dist.requires or ():
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue
        if wanted.name == "facewire" and not wanted.specifier.contains(__version__, True):
            return (
                f"it needs facewire {wanted.specifier} and {__version__} is installed; "
                f"upgrade facewire or install another version of {dist.metadata['Name']}"
            )
    return ""


class Registry:
    """The catalogue of installed components; builds them from a profile's words."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = [Plugin(BUILTIN, "facewire", __version__, "loaded")]
        self.plugins += sorted(_found(), key=lambda plugin: (plugin.name, plugin.distribution))
        self._refuse_conflicts()
        self._manager = pluggy.PluginManager("facewire")
        self._manager.add_hookspecs(hookspecs)
        from facewire import builtin

        self._manager.register(builtin, BUILTIN)
        self._catalogue: dict[tuple[Kind, str], dict[str, Component]] = {}
        self._loading = threading.RLock()  # a server's threads share one registry

    def _refuse_conflicts(self) -> None:
        for plugin in self.plugins:
            same = [other for other in self.plugins if other.name == plugin.name]
            same = [other for other in same if other.status != "other API"]
            if len(same) > 1 and plugin in same:
                names = " and ".join(other.origin for other in same)
                plugin.status = "refused"
                plugin.cause = f"{names} both provide '{plugin.name}'; uninstall one of them"

    # -- loading ---------------------------------------------------------------------------------

    def load(self, name: str) -> Plugin:
        """Import one plugin; PluginError with the cause if it is missing, refused or broken."""
        found = [plugin for plugin in self.plugins if plugin.name == name]
        usable = [plugin for plugin in found if plugin.status != "other API"]
        if not found:
            names = [plugin.name for plugin in self.plugins if plugin.name != BUILTIN]
            raise PluginError(
                f"no plugin '{name}' is installed{nearest(name, names)} "
                f"(installed: {', '.join(names) or 'none'})"
            )
        plugin = (usable or found)[0]
        self._import(plugin)
        if plugin.status != "loaded":
            text = f"plugin '{name}' ({plugin.origin}) cannot be used: {plugin.cause}"
            raise PluginError(text) from plugin.error
        return plugin

    def load_all(self) -> None:
        """Import every plugin that can be; failures are remembered, not raised."""
        for plugin in self.plugins:
            self._import(plugin)

    def _import(self, plugin: Plugin) -> None:
        """Import a plugin, once whichever thread asks first."""
        with self._loading:
            if plugin.status == "found":
                self._load(plugin)

    def _load(self, plugin: Plugin) -> None:
        assert plugin.entry is not None
        try:
            module = plugin.entry.load()
            self._manager.register(module, plugin.name)
            self._manager.check_pending()
            plugin.status = "loaded"
            for kind in KINDS:
                self.offers(kind, plugin)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if self._manager.has_plugin(plugin.name):
                self._manager.unregister(name=plugin.name)
            plugin.status, plugin.error = "failed", error
            what = str(error) if isinstance(error, FacewireError) else _describe(error)
            plugin.cause = what

    # -- catalogue -------------------------------------------------------------------------------

    def offers(self, kind: Kind, plugin: Plugin) -> dict[str, Component]:
        """Return the components of a kind that a loaded plugin offers, by name."""
        key = (kind, plugin.name)
        if key not in self._catalogue:
            listed = self._call(KINDS[kind][0], plugin)
            self._catalogue[key] = _named(plugin, kind, cast("Iterable[Component]", listed))
        return self._catalogue[key]

    def _call(self, hook: str, plugin: Plugin) -> Iterable[Any]:
        module = self._manager.get_plugin(plugin.name)
        others = [other for other in self._manager.get_plugins() if other is not module]
        results = self._manager.subset_hook_caller(hook, others)()
        return [item for result in results for item in result]

    def catalogue(self) -> dict[Kind, list[Component]]:
        """Return all components of all plugins that load, by kind."""
        self.load_all()
        loaded = [plugin for plugin in self.plugins if plugin.status == "loaded"]
        return {
            kind: [part for plugin in loaded for part in self.offers(kind, plugin).values()]
            for kind in KINDS
        }

    def checks(self) -> list[Check]:
        """Return the checks of all plugins that load; one that offers none rightly fails itself."""
        self.load_all()
        found: list[Check] = []
        for plugin in self.plugins:
            try:
                if plugin.status == "loaded":
                    found += self._call("facewire_checks", plugin)
            except Exception as error:
                plugin.status, plugin.cause = "failed", f"its checks: {_describe(error)}"
        return found

    def tell(self, hook: str, **what: Any) -> None:
        """Call a notification hook of the plugins imported so far."""
        getattr(self._manager.hook, hook)(**what)

    def find(self, kind: Kind, name: str, where: str = "") -> tuple[Component, Plugin]:
        """Return a component and its plugin; an error with the nearest name if there is none."""
        builtin = self.plugins[0]
        if name in self.offers(kind, builtin):
            return self.offers(kind, builtin)[name], builtin
        prefix = f"{where}: " if where else ""
        try:
            plugin = self.load(name.split(".")[0])
        except PluginError as error:
            raise PluginError(f"{prefix}{error}") from error.__cause__
        parts = self.offers(kind, plugin)
        if name not in parts:
            choice = f"it offers: {', '.join(parts)}" if parts else "it offers none"
            raise ProfileError(
                f"{prefix}{plugin.origin} has no {kind} '{name}'{nearest(name, parts)} ({choice})"
            )
        return parts[name], plugin

    def by_suffix(self, kind: Kind, suffix: str) -> Component | None:
        """Return the first component of a kind that reads or writes such files (``".csv"``)."""
        wanted = suffix.lower()
        for part in self.catalogue()[kind]:
            if wanted in (known.lower() for known in part.suffixes):
                return part
        return None

    # -- building --------------------------------------------------------------------------------

    def build(self, kind: Kind, spec: ComponentSpec, context: Context) -> Built[Any]:
        """Build a component: its config is checked, then it is made; errors name the plugin."""
        component, plugin = self.find(kind, spec.use, spec.where)
        config = convert(spec.options, component.config, spec.where)
        built_from = f"{kind} '{component.name}' ({plugin.origin})"
        if spec.base is not None:
            context = replace(context, base=spec.base)
        try:
            stage = component.make(config, context)
        except FacewireError:
            raise
        except Exception as error:
            text = f"{spec.where}: {built_from} cannot be built: {_describe(error)}"
            raise PluginError(text) from error
        if not isinstance(stage, KINDS[kind][1]):
            gave, wanted = type(stage).__name__, KINDS[kind][1].__name__
            raise PluginError(f"{spec.where}: {built_from} gave {gave}, expected {wanted}")
        return Built(stage, component.name, kind, plugin.origin)


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _named(plugin: Plugin, kind: Kind, components: Iterable[Component]) -> dict[str, Component]:
    parts: dict[str, Component] = {}
    for part in components:
        if not isinstance(part, Component):
            raise PluginError(f"its {kind} hook returned a {type(part).__name__}, not a Component")
        own = plugin.name == BUILTIN or part.name.split(".")[0] == plugin.name
        if not own:
            raise PluginError(
                f"its {kind} '{part.name}' must be called '{plugin.name}' or '{plugin.name}.…'"
            )
        if part.name in parts:
            raise PluginError(f"it offers the {kind} '{part.name}' twice")
        parts[part.name] = part
    return parts
