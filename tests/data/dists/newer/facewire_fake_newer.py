raise AssertionError("a plugin that needs another facewire was imported")
