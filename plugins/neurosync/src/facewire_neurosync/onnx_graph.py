"""Writes a checkpoint as an int8 ONNX graph, which ONNX Runtime runs without PyTorch.

The products of the layers are in int8: weights per output channel, symmetric, activations per
tensor as they come. Embedding, output, norms, rotations and softmax stay in fp32.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from facewire.types import FloatArray
from onnx import TensorProto, helper, numpy_helper

from facewire_neurosync.architecture import INPUTS, WINDOW, Architecture
from facewire_neurosync.checkpoint import Checkpoint
from facewire_neurosync.rotary import angles

OPSET, CONTRIBUTED = 17, "com.microsoft"
EPSILON = 1e-5
NOTE = "facewire-neurosync"
_SMALL = 1024  # bytes: what stays in the graph itself
_PAGE = 4096  # bytes: where a mapping may begin


class _Graph:
    """Nodes and constants as they are added; every method returns the name of its output."""

    def __init__(self, checkpoint: Checkpoint, global_rope: bool) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._tensors = checkpoint.tensors
        self._architecture = checkpoint.architecture
        self._global_rope = global_rope
        self._given: dict[str, str] = {}

    def single(self, name: str) -> FloatArray:
        return self._tensors[name].single()

    def constant(self, name: str, value: Any) -> str:
        if name not in self._given:
            array = np.ascontiguousarray(value)
            self.constants.append(numpy_helper.from_array(array, name))
            self._given[name] = name
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        own = kind in ("MatMul", "Add", "Relu", "Split", "LayerNormalization")
        domain = "" if own else CONTRIBUTED
        made = helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes)
        self.nodes.append(made)
        return name

    def plain(self, name: str, x: str) -> str:
        """Add a linear layer in fp32."""
        weight = self.constant(f"{name}.weight", self.single(f"{name}.weight").T)
        bias = self.constant(f"{name}.bias", self.single(f"{name}.bias"))
        return self.node("Add", [self.node("MatMul", [x, weight], f"{name}.product"), bias], name)

    def quantised(self, names: list[str], x: str) -> str:
        """Add linear layers that share their input, in int8, side by side."""
        weight = np.concatenate([self.single(f"{name}.weight") for name in names])  # (out, in)
        bias = np.concatenate([self.single(f"{name}.bias") for name in names])
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / np.float32(127)
        whole = np.rint(weight / scale[:, None]).astype(np.int8).T
        name = names[0]
        inputs = [
            x,
            self.constant(f"{name}.int8", whole),
            self.constant(f"{name}.scale", scale.astype(np.float32)),
            self.constant(f"{name}.zero", np.zeros(len(scale), np.int8)),
            self.constant(f"{name}.bias", bias),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, f"{name}.out")

    def split(self, x: str, count: int) -> list[str]:
        names = [f"{x}.{i}" for i in range(count)]
        sizes = self.constant(f"split.{count}", np.full(count, self._architecture.hidden, np.int64))
        made = helper.make_node("Split", [x, sizes], names, name=f"{x}.split", axis=-1)
        self.nodes.append(made)
        return names

    def turn(self, x: str, heads: int) -> str:
        """Add rotary positions to ``heads`` heads side by side."""
        width = self._architecture.hidden // heads
        angle = angles(width)  # (128, width / 2)
        inputs = [
            x,
            self.constant("first", np.zeros(1, np.int64)),
            self.constant(f"cos.{width}", np.cos(angle).astype(np.float32)),
            self.constant(f"sin.{width}", np.sin(angle).astype(np.float32)),
        ]
        return self.node("RotaryEmbedding", inputs, f"{x}.turned", interleaved=1, num_heads=heads)

    def position(self, x: str) -> str:
        """Add the global rotation, if the checkpoint is from before 2025-03-29."""
        return self.turn(x, 1) if self._global_rope else x

    def norm(self, name: str, x: str) -> str:
        inputs = [x, *self._affine(name)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=EPSILON)

    def residual(self, name: str, x: str, added: str) -> str:
        # ONNX Runtime's fused kernel for this takes eight times as long
        return self.norm(name, self.node("Add", [x, added], f"{name}.sum"))

    def _affine(self, name: str) -> list[str]:
        parts = (f"{name}.weight", f"{name}.bias")
        return [self.constant(part, self.single(part)) for part in parts]

    def attend(self, name: str, x: str, source: str | None) -> str:
        """Add attention of x on itself, or on ``source``."""
        heads = self._architecture.heads
        q, k, v, out = (f"{name}.{part}_linear" for part in ("q", "k", "v", "out"))
        if source is None:
            query, key, value = self.split(self.quantised([q, k, v], x), 3)
        else:
            query = self.quantised([q], x)
            key, value = self.split(self.quantised([k, v], source), 2)
        inputs = [self.turn(query, heads), self.turn(key, heads), value]
        mixed = self.node("MultiHeadAttention", inputs, f"{name}.mixed", num_heads=heads)
        return self.quantised([out], mixed)


def _network(graph: _Graph, architecture: Architecture) -> str:
    x = graph.position(graph.plain("encoder.embedding", "windows"))
    memory: str | None = None
    for layer, attentions in architecture.layers():
        if memory is None and layer.startswith("decoder"):
            memory = graph.norm("encoder.layer_norm", x)
            x = graph.position(memory)
        for i, attention in enumerate(attentions):
            source = memory if attention == "multihead_attn" else None
            added = graph.attend(f"{layer}.{attention}", x, source)
            x = graph.residual(f"{layer}.norm{i + 1}", x, added)
        inner = graph.quantised([f"{layer}.ffn.linear1"], x)
        inner = graph.node("Relu", [inner], f"{layer}.ffn.relu")
        added = graph.quantised([f"{layer}.ffn.linear2"], inner)
        x = graph.residual(f"{layer}.norm{len(attentions) + 1}", x, added)
    return graph.plain("decoder.fc_output", graph.norm("decoder.layer_norm", x))


def build(checkpoint: Checkpoint, global_rope: bool) -> onnx.ModelProto:
    """Return the graph: ``windows`` (n, 128, 256) in, ``frames`` (n, 128, outputs) out."""
    sizes = checkpoint.architecture
    graph = _Graph(checkpoint, global_rope)
    last = _network(graph, sizes)
    graph.nodes[-1].output[0] = "frames"
    assert last == "decoder.fc_output"
    given = helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", WINDOW, INPUTS])
    made = helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["n", WINDOW, sizes.outputs])
    body = helper.make_graph(graph.nodes, NOTE, [given], [made], graph.constants)
    domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIBUTED, 1)]
    model = helper.make_model(body, opset_imports=domains, producer_name=NOTE, ir_version=8)
    helper.set_model_props(model, notes(sizes, global_rope))
    return model


def notes(sizes: Architecture, global_rope: bool) -> dict[str, str]:
    """Return what a converted file says of itself."""
    told: Mapping[str, int] = {
        "hidden": sizes.hidden,
        "inner": sizes.inner,
        "encoders": sizes.encoders,
        "decoders": sizes.decoders,
        "heads": sizes.heads,
        "outputs": sizes.outputs,
    }
    flags = {"made_by": NOTE, "global_rope": "true" if global_rope else "false"}
    return {**{key: str(value) for key, value in told.items()}, **flags}


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write the graph, and beside it its weights, which are then mapped and not parsed.

    ``model.onnx`` comes with ``model.onnx.data``; each appears whole or not at all, the graph last.
    """
    weights = path.with_name(f"{path.name}.data")
    temporary = [part.with_name(f".{part.name}.{os.getpid()}.part") for part in (weights, path)]
    try:
        with temporary[0].open("wb") as file:
            for constant in model.graph.initializer:
                _move_out(constant, file, weights.name)
        temporary[1].write_bytes(model.SerializeToString())
        os.replace(temporary[0], weights)
        os.replace(temporary[1], path)
    finally:
        for part in temporary:
            part.unlink(missing_ok=True)


def _move_out(constant: TensorProto, file: BinaryIO, location: str) -> None:
    """Write a constant's bytes to ``file`` and leave their place in the graph."""
    content = constant.raw_data
    if len(content) < _SMALL:
        return
    file.write(b"\0" * (-file.tell() % _PAGE))
    place = {"location": location, "offset": str(file.tell()), "length": str(len(content))}
    file.write(content)
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    for key, value in place.items():
        constant.external_data.add(key=key, value=value)
