"""A plugin that works: the layer ``wink``."""

from facewire.hookspecs import hookimpl
from facewire.stages import Layer
from facewire.types import Component


class Still(Layer):
    """Hands frames on."""


@hookimpl
def facewire_layers():
    yield Component("wink", lambda config, context: Still(), summary="wink")
