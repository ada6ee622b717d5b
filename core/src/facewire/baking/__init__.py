"""Bake scripts of many lines: plan, workers, records. ``facewire bake`` is its command."""

from facewire.baking.plan import Plan, plan_script
from facewire.baking.pool import Local, Runner
from facewire.baking.work import Job, Outcome, bake_line

__all__ = ["Job", "Local", "Outcome", "Plan", "Runner", "bake_line", "plan_script"]
