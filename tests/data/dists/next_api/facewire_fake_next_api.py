raise AssertionError("a plugin of another API was imported")
