"""Live output over OSC and what VTuber apps speak."""

__version__ = "0.1.0"
