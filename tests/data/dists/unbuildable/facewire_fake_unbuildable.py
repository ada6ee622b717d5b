from facewire.hookspecs import hookimpl
from facewire.types import Component


def make(config, context):
    raise RuntimeError("no such device")


@hookimpl
def facewire_layers():
    yield Component("unbuildable", make)
    yield Component("unbuildable.other", lambda config, context: object())
