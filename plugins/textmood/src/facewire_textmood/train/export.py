"""From the trained network to an ONNX file of 8-bit weights, for one sentence at a time.

One sentence at a time needs no padding and no mask, and what a sentence is read as never depends
on what is read beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from facewire.types import FloatArray
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from facewire_textmood.network import HEADS
from facewire_textmood.train.encoder import ATTENTION_HEADS, DEPTHS, LAYERS, PROBES, WIDTH, Network

OPSET, IR = 20, 9
STEPS = 127  # of an 8-bit number to each side of zero
# Processors without VNNI add pairs of 8-bit products in 16 bits: at 7 bits that cannot overflow.
PRODUCT_STEPS = 63


def quantised(weights: FloatArray, steps: int = STEPS) -> tuple[NDArray[np.int8], FloatArray]:
    """Return a matrix (n, m) as 8-bit numbers and each row's scale (n, 1)."""
    scale = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-9) / steps
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


class _Graph:
    """Nodes and weights as they are written down; a value is the name of what made it."""

    def __init__(self, state: dict[str, FloatArray]) -> None:
        self.state = state
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.small: dict[str, list[str]] = {}  # values that were made 8-bit already

    def keep(self, name: str, values: NDArray[np.generic]) -> str:
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(values.copy(order="C"), name)
        return name

    def ints(self, *values: int) -> str:
        name = "i_" + "_".join(map(str, values))
        return self.keep(name, np.array(values, np.int64))

    def do(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        name = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def linear(self, x: str, name: str) -> str:
        """Return x (t, m) times a weight (n, m), plus its bias: (t, n), in 8-bit products.

        x is made 8-bit as it comes; the runtime has fast code for exactly these nodes.
        """
        if x not in self.small:
            self.small[x] = [f"{x}_{part}" for part in ("small", "scale", "zero")]
            self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], self.small[x]))
        narrow, scale, zero = self.small[x]
        weights, scales = quantised(self.state[f"{name}.weight"], PRODUCT_STEPS)
        whole = self.do("MatMulInteger", narrow, self.keep(f"{name}.weight", weights.T), zero)
        back = self.do("Mul", scale, self.keep(f"{name}.scale", scales[:, 0]))
        real = self.do("Mul", self.do("Cast", whole, to=TensorProto.FLOAT), back)
        return self.do("Add", real, self.keep(f"{name}.bias", self.state[f"{name}.bias"]))

    def norm(self, x: str, name: str) -> str:
        scale, bias = (
            self.keep(f"{name}.{kind}", self.state[f"{name}.{kind}"]) for kind in ("weight", "bias")
        )
        return self.do("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def embedding(self, tokens: str, parts: str) -> str:
        """Return the sum of a token's, its place's and its part's rows, normalised: (t, 384)."""
        small, scale = quantised(self.state["tokens.weight"])
        rows = self.do("Gather", self.keep("tokens.weight", small), tokens)
        x = self.do("Cast", rows, to=TensorProto.FLOAT)
        x = self.do("Mul", x, self.do("Gather", self.keep("tokens.scale", scale), tokens))
        length = self.do("Shape", tokens)
        places = self.keep("places.weight", self.state["places.weight"])
        x = self.do("Add", x, self.do("Slice", places, self.ints(0), length, self.ints(0)))
        which = self.do("Gather", self.keep("parts.weight", self.state["parts.weight"]), parts)
        return self.norm(self.do("Add", x, which), "norm")

    def layer(self, x: str, name: str) -> str:
        """Return one transformer layer's output, as ``encoder.Layer`` computes it: (t, 384)."""
        each = WIDTH // ATTENTION_HEADS
        parts = self.linear(x, f"{name}.query_key_value")
        parts = self.do("Reshape", parts, self.ints(-1, 3, ATTENTION_HEADS, each))
        parts = self.do("Transpose", parts, perm=[1, 2, 0, 3])
        query, key, value = (self._part(parts, which) for which in range(3))  # (heads, t, 32)
        soft = self.keep("root", np.array(each**-0.5, np.float32))
        across = self.do("Transpose", key, perm=[0, 2, 1])
        scores = self.do("MatMul", self.do("Mul", query, soft), across)
        seen = self.do("MatMul", self.do("Softmax", scores, axis=-1), value)
        seen = self.do("Transpose", seen, perm=[1, 0, 2])
        seen = self.do("Reshape", seen, self.ints(-1, WIDTH))
        x = self.norm(self.do("Add", x, self.linear(seen, f"{name}.out")), f"{name}.norm")
        inner = self.do("Gelu", self.linear(x, f"{name}.widen"), approximate="tanh")
        return self.norm(
            self.do("Add", x, self.linear(inner, f"{name}.narrow")), f"{name}.norm_out"
        )

    def _part(self, parts: str, which: int) -> str:
        index = self.keep(f"part_{which}", np.array(which, np.int64))
        return self.do("Gather", parts, index, axis=0)

    def pooled(self, x: str, parts: str) -> str:
        """Return the mean over the tokens of the sentence itself: (1, 384)."""
        one = self.keep("one", np.array(1, np.int64))
        first = self.do("Cast", self.do("Sub", one, parts), to=TensorProto.FLOAT)  # (t,)
        share = self.do("Div", first, self.do("ReduceSum", first))
        return self.do("MatMul", self.do("Unsqueeze", share, self.ints(0)), x)

    def head(self, x: str, name: str, columns: int, out: str = "") -> str:
        """Return a head's first columns (1, columns), in full precision: heads are small."""
        matrix = self.keep(f"{name}.weight", self.state[f"{name}.weight"][:columns].T)
        bias = self.keep(f"{name}.bias", self.state[f"{name}.bias"][:columns])
        return self.do("Add", self.do("MatMul", x, matrix), bias, out=out)


def export(network: Network, path: Path) -> None:
    """Write the network. Inputs ``tokens`` and ``parts`` (t,) int64 (0: sentence, 1: context).

    Outputs are the heads' columns (1, n) under the heads' names.
    """
    state = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    graph = _Graph(state)
    x = graph.embedding("tokens", "parts")
    means = [graph.pooled(x, "parts")]
    for i in range(LAYERS):
        x = graph.layer(x, f"layers.{i}")
        if i + 1 in DEPTHS:
            means.append(graph.pooled(x, "parts"))
    every = graph.do("Concat", *means, axis=1)
    for name, width in PROBES.items():
        graph.head(every, f"probes.{name}", width, out=name)
    labels = {name: width for name, width in HEADS.items() if name not in PROBES}
    columns = graph.head(means[-1], "heads", sum(labels.values()))
    widths = graph.keep("widths", np.array(list(labels.values()), np.int64))
    graph.nodes.append(helper.make_node("Split", [columns, widths], list(labels), "heads", axis=1))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "textmood",
            [
                helper.make_tensor_value_info(n, TensorProto.INT64, ["t"])
                for n in ("tokens", "parts")
            ],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, w]) for n, w in HEADS.items()],
            list(graph.weights.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="facewire-textmood",
    )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
