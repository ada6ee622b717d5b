"""The corpus the model learns from: made by one command, read item by item."""

from facewire_trajectory.corpus.store import Corpus, Entry, Item, load

__all__ = ["Corpus", "Entry", "Item", "load"]
