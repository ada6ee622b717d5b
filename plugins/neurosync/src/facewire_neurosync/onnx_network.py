"""Runs a converted int8 network with ONNX Runtime; PyTorch is not needed."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from facewire.errors import PluginError
from facewire.types import FloatArray

from facewire_neurosync.architecture import Architecture
from facewire_neurosync.tensors import broken

NOTE = "facewire-neurosync"


class QuantisedNetwork:
    """An int8 network: windows (n, 128, 256) in, outputs (n, 128, outputs) out."""

    def __init__(self, path: Path, threads: int, global_rope: bool) -> None:
        self._session = _open(path, threads)
        notes = self._session.get_modelmeta().custom_metadata_map
        again = "make it with 'facewire neurosync convert --precision int8'"
        if notes.get("made_by") != NOTE:
            raise broken(path, f"was not made by Facewire; {again}")
        names = ("hidden", "inner", "encoders", "decoders", "heads", "outputs")
        try:
            self.architecture = Architecture(*(int(notes[name]) for name in names))
        except (KeyError, ValueError):
            raise broken(path, f"is damaged (its notes are incomplete); {again}") from None
        if global_rope and notes.get("global_rope") != "true":
            what = "was converted without --global-rope and the profile has 'global_rope: true'"
            raise broken(path, f"{what}; convert it again")

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Return the outputs (n, 128, outputs)."""
        given = {"windows": np.ascontiguousarray(windows)}
        found: FloatArray = self._session.run(None, given)[0]
        return found


def _open(path: Path, threads: int) -> Any:
    try:
        onnxruntime = import_module("onnxruntime")  # it has no types
    except ImportError:
        what = f"{path.name} needs ONNX Runtime"
        raise PluginError(f"neurosync: {what}; pip install 'facewire-neurosync[onnx]'") from None
    if not path.is_file():
        raise broken(path, "no such checkpoint; put one there, or name its place in 'weights:'")
    if not path.with_name(f"{path.name}.data").is_file():
        raise broken(path, f"its weights, {path.name}.data, are not beside it; copy both files")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(8, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it keeps 60 MB and saves no time
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # further fusions make it slower (see onnx_graph)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes, which say little
        why = " ".join(str(error).split())[:120]
        raise broken(path, f"is damaged ({why}); convert the checkpoint again") from None
