"""What a talking mouth does: measured on the lips, solved from phones, decoded to channels last."""

from facewire.articulation.closures import ClosureReport, PhoneTime, closures, measure
from facewire.articulation.decode import decode
from facewire.articulation.lips import lip_gap, lip_protrusion, lip_to_teeth, lip_width
from facewire.articulation.phones import CURVES, Symbol, read_phone
from facewire.articulation.solver import CAUSAL, PLANNED, Solver, Window
from facewire.articulation.sounds import SOUNDS, Sound
from facewire.articulation.targets import Spoken, Style

__all__ = [
    "CAUSAL",
    "CURVES",
    "PLANNED",
    "SOUNDS",
    "ClosureReport",
    "PhoneTime",
    "Solver",
    "Sound",
    "Spoken",
    "Style",
    "Symbol",
    "Window",
    "closures",
    "decode",
    "lip_gap",
    "lip_protrusion",
    "lip_to_teeth",
    "lip_width",
    "measure",
    "read_phone",
]
