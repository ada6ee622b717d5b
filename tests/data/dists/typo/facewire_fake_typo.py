from facewire.hookspecs import hookimpl


@hookimpl
def facewire_layer():
    return []
