"""Training and fine-tuning on takes of one's own: ``python -m facewire_neurosync.train``."""
