"""Training: ``python -m facewire_trajectory.train``. Needs ``facewire-trajectory[train]``."""
