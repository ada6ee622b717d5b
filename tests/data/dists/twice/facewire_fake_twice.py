"""A plugin that works: the layer ``twice``."""

from facewire.hookspecs import hookimpl
from facewire.stages import Layer
from facewire.types import Component


class Still(Layer):
    """Hands frames on."""


@hookimpl
def facewire_layers():
    for _ in range(2):
        yield Component("twice", lambda config, context: Still())
