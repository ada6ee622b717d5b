from facewire.hookspecs import hookimpl


@hookimpl
def facewire_layers():
    return ["bare"]
