"""The network's two variants as ONNX graphs that a stream runs step by step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from facewire.articulation import CURVES
from facewire.errors import InputError
from facewire.types import FloatArray
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from facewire_trajectory.network.module import Head, Network
from facewire_trajectory.sizes import (
    BANDS,
    CONDITION,
    DILATIONS,
    FACE,
    FILE_AHEAD,
    FRONT,
    KERNEL,
    LIVE_AHEAD,
    PHONES,
    REFINED,
    SHUT,
    SOUND,
    Sizes,
)

OPSET, IR = 17, 9
MEMORY = ("memory.inner", "memory.outer", "memory.bias")
"""Names of the recurrent layer's weights, whose gates lie in ONNX's order."""


class _Graph:
    """Nodes and weights as they are added; every method returns the name of its output."""

    def __init__(self, network: Network) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._names = {id(value): name for name, value in network.named_parameters()}

    def hold(self, value: NDArray[Any], name: str = "") -> str:
        """Add a constant or a weight; return its name."""
        name = name or f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def learnt(self, tensor: Tensor) -> str:
        """Add a parameter as it lies in the network, under its name there."""
        return self.hold(_array(tensor), self._names[id(tensor)])

    def add(self, kind: str, *inputs: str, outputs: int = 1, **options: Any) -> Any:
        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **options))
        return names[0] if outputs == 1 else names

    def linear(self, x: str, layer: nn.Linear) -> str:
        """Return x (1, n, a) through a layer: (1, n, b)."""
        weight = self.add("Transpose", self.learnt(layer.weight), perm=[1, 0])
        name: str = self.add("Add", self.add("MatMul", x, weight), self.learnt(layer.bias))
        return name

    def silu(self, x: str) -> str:
        name: str = self.add("Mul", x, self.add("Sigmoid", x))
        return name

    def convolution(self, x: str, layer: nn.Module, dilation: int = 1) -> str:
        """Return x (1, a, n) through a convolution and its rectifier: (1, b, n - …)."""
        weights = (self.learnt(value) for value in layer.parameters())
        name: str = self.add("Relu", self.add("Conv", x, *weights, dilations=[dilation]))
        return name

    def slice(self, x: str, start: int, end: int, axis: int) -> str:
        """Return part of x along an axis; a negative end counts from its end."""
        parts = (self.hold(np.array([v], np.int64)) for v in (start, end, axis))
        name: str = self.add("Slice", x, *parts)
        return name

    def rename(self, x: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [x], [name]))


def _array(tensor: Tensor) -> FloatArray:
    found: FloatArray = tensor.detach().float().cpu().numpy()
    return found


def _gates(value: FloatArray) -> FloatArray:
    """Return PyTorch's reset, update, new as ONNX's update, reset, new: (1, …)."""
    reset, update, new = np.split(value, 3)
    return np.concatenate([update, reset, new])[None]


def _memory(graph: _Graph, mel: str, network: Network) -> str:
    """Add front end and recurrent layer; return its rows (1, n, hidden). Sets ``state_out``."""
    rows = graph.add("Transpose", mel, perm=[0, 2, 1])
    for layer in network.front:
        rows = graph.convolution(rows, layer)
    inner, outer, *bias = (_gates(_array(value)) for value in network.memory.parameters())
    every, last = graph.add(
        "GRU",
        graph.add("Transpose", rows, perm=[2, 0, 1]),  # (n, 1, front)
        graph.hold(inner, MEMORY[0]),
        graph.hold(outer, MEMORY[1]),
        graph.hold(np.concatenate(bias, axis=1), MEMORY[2]),
        "",
        "state",
        outputs=2,
        hidden_size=network.sizes.hidden,
        linear_before_reset=1,
    )
    graph.rename(last, "state_out")
    squeezed = graph.add("Squeeze", every, graph.hold(np.array([1], np.int64)))
    name: str = graph.add("Transpose", squeezed, perm=[1, 0, 2])
    return name


def _refined(graph: _Graph, memory: str, network: Network) -> str:
    """Add the refinement of the last 56 and the new rows. Sets ``past_out``."""
    around = graph.add("Concat", "past", memory, axis=1)
    graph.rename(graph.slice(around, -REFINED, 2**31, 1), "past_out")
    rows = graph.add("Relu", graph.linear(around, network.enter))
    rows = graph.add("Transpose", rows, perm=[0, 2, 1])
    for dilation, layer in zip(DILATIONS, network.refine, strict=True):
        reach = (KERNEL // 2) * dilation
        inner = graph.slice(rows, reach, -reach, 2)
        rows = graph.add("Add", inner, graph.convolution(rows, layer, dilation))
    name: str = graph.add("Transpose", rows, perm=[0, 2, 1])
    return name


def _head(graph: _Graph, units: str, embedding: str, head: Head) -> None:
    """Add a head. Sets ``curves``, ``before_out``, ``sound`` and ``phones`` (probabilities)."""
    film = graph.linear(embedding, head.film.turn)
    half = head.film.turn.out_features // 2
    scale = graph.add("Add", graph.slice(film, 0, half, 2), graph.hold(np.array([1.0], np.float32)))
    units = graph.add("Mul", units, scale)
    units = graph.add("Add", units, graph.slice(film, half, 2 * half, 2))
    out = graph.linear(graph.add("Relu", graph.linear(units, head.inner)), head.out)
    ends = np.cumsum([0, 1, len(CURVES) - 1, 1, len(SOUND), len(PHONES)]).tolist()
    parts = [graph.slice(out, a, z, 2) for a, z in pairwise(ends)]
    gap, rest, closure, sound, phones = parts
    closed = graph.add("Sigmoid", closure)
    away = graph.add("Sub", graph.hold(np.array([SHUT], np.float32)), gap)
    gap = graph.add("Add", gap, graph.add("Mul", closed, away))
    both = graph.add("Concat", "before", graph.add("Concat", gap, rest, axis=2), axis=1)
    graph.rename(graph.slice(both, -1, 2**31, 1), "before_out")
    total = graph.add("Add", graph.slice(both, 0, -1, 1), graph.slice(both, 1, 2**31, 1))
    graph.rename(graph.add("Mul", total, graph.hold(np.array([0.5], np.float32))), "curves")
    graph.rename(graph.add("Softmax", sound, axis=2), "sound")
    graph.rename(graph.add("Softmax", phones, axis=2), "phones")


def _emotion(graph: _Graph, network: Network) -> str:
    """Add the conditioning; return the embedding. Sets ``face``."""
    layers = network.emotion
    embedding = graph.silu(graph.linear("condition", layers.first))
    embedding = graph.silu(graph.linear(embedding, layers.second))
    graph.rename(
        graph.linear(graph.silu(graph.linear(embedding, layers.inner)), layers.face), "face"
    )
    return embedding


def build(network: Network, variant: str, step: int) -> onnx.ModelProto:
    """Return the graph of ``live`` or ``file``, which takes ``step`` rows at a time.

    Inputs: mel (1, step + 8, 64), condition (1, step, 19), and what is carried from step to step:
    state (1, 1, hidden), before (1, 1, 15), for ``file`` past (1, 56, hidden). Outputs: curves,
    sound, phones, face (1, step, …), and what is carried, with ``_out`` behind its name.
    """
    graph, sizes = _Graph(network), network.sizes
    embedding = _emotion(graph, network)
    units = _memory(graph, "mel", network)
    shapes: dict[str, Sequence[int]] = {
        "mel": (1, step + FRONT, BANDS),
        "condition": (1, step, CONDITION),
        "state": (1, 1, sizes.hidden),
        "before": (1, 1, len(CURVES)),
    }
    found: dict[str, Sequence[int]] = {
        "curves": (1, step, len(CURVES)),
        "sound": (1, step, len(SOUND)),
        "phones": (1, step, len(PHONES)),
        "face": (1, step, FACE),
        "state_out": (1, 1, sizes.hidden),
        "before_out": (1, 1, len(CURVES)),
    }
    if variant == "file":
        shapes["past"] = found["past_out"] = (1, REFINED, sizes.hidden)
        units = _refined(graph, units, network)
    _head(graph, units, embedding, network.file if variant == "file" else network.live)
    made = helper.make_graph(
        graph.nodes, f"trajectory {variant}", _values(shapes), _values(found), graph.weights
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    ahead = FILE_AHEAD if variant == "file" else LIVE_AHEAD
    helper.set_model_props(
        model, {"made_by": "facewire-trajectory", "variant": variant, "ahead": str(ahead)}
    )
    onnx.checker.check_model(model)
    return model


def _values(shapes: dict[str, Sequence[int]]) -> list[Any]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]


def save(network: Network, folder: Path, steps: dict[str, int]) -> None:
    """Write ``live.onnx`` and ``file.onnx`` into a folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for variant, step in steps.items():
        path = folder / f"{variant}.onnx"
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(build(network, variant, step).SerializeToString())
        part.replace(path)


def load(folder: Path) -> Network:
    """Return the network whose variants lie in a folder, to go on learning.

    InputError if a file is missing or is not one of ours.
    """
    found: dict[str, FloatArray] = {}
    for variant in ("live", "file"):
        path = folder / f"{variant}.onnx"
        try:
            held = onnx.load(path).graph.initializer
        except Exception as error:
            why = " ".join(str(error).split())[:120]
            raise InputError(f"{path}: expected weights of the trajectory model ({why})") from None
        found.update({each.name: numpy_helper.to_array(each) for each in held})
    try:
        network = Network(_sizes(found))
        _fill(network, found)
    except (KeyError, ValueError) as error:
        raise InputError(f"{folder}: found weights of another model ({error})") from None
    return network


def _sizes(found: dict[str, FloatArray]) -> Sizes:
    return Sizes(
        front=len(found["front.0.weight"]),
        hidden=found[MEMORY[1]].shape[2],
        refine=len(found["enter.weight"]),
        head=len(found["live.inner.weight"]),
        embedding=len(found["emotion.first.weight"]),
    )


def _fill(network: Network, found: dict[str, FloatArray]) -> None:
    """Set the network's parameters; the recurrent layer's gates go back to PyTorch's order."""
    biases = np.split(found[MEMORY[2]], 2, axis=1)
    memory = [_gates(value[0])[0] for value in (found[MEMORY[0]], found[MEMORY[1]], *biases)]
    given = {id(p): value for p, value in zip(network.memory.parameters(), memory, strict=True)}
    for name, parameter in network.named_parameters():
        value = given[id(parameter)] if id(parameter) in given else found[name]
        if value.shape != tuple(parameter.shape):
            raise ValueError(f"{name} has the shape {value.shape}")
        parameter.data = torch.from_numpy(value.copy())
