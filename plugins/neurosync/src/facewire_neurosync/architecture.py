"""The published architecture: which tensors a checkpoint has, and what their shapes tell.

An encoder and a decoder of post-norm layers over windows of 128 rows; the decoder starts from the
encoder's output (NeuroSync spec, section 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

INPUTS = 256
OUTPUTS = (61, 68)
WINDOW = 128
MOST_HEADS = 16
LEAST_WIDTH = 16  # of a head


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a network: ``hidden`` and ``inner`` (feed-forward) units, layers, heads, outputs."""

    hidden: int
    inner: int
    encoders: int
    decoders: int
    heads: int
    outputs: int

    @property
    def width(self) -> int:
        """Units of one head."""
        return self.hidden // self.heads

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        sizes = [shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in self.shapes().values()]
        return sum(sizes)

    def __str__(self) -> str:
        layers = f"{self.encoders} + {self.decoders} layers"
        return f"hidden {self.hidden}, {layers}, {self.heads} heads, {self.outputs} outputs"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor by the name it has in a published checkpoint."""
        found: dict[str, tuple[int, ...]] = {}
        for name, rows, columns in self._linear():
            found |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
        for name in self._norms():
            found |= {f"{name}.weight": (self.hidden,), f"{name}.bias": (self.hidden,)}
        return found

    def layers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each layer's name and those of its attentions, encoder first."""
        for i in range(self.encoders):
            yield f"encoder.transformer_encoder.{i}", ("self_attn",)
        for i in range(self.decoders):
            yield f"decoder.transformer_decoder.{i}", ("self_attn", "multihead_attn")

    def _linear(self) -> Iterator[tuple[str, int, int]]:
        yield "encoder.embedding", self.hidden, INPUTS
        for layer, attentions in self.layers():
            for attention in attentions:
                for part in "qkv":
                    yield f"{layer}.{attention}.{part}_linear", self.hidden, self.hidden
                yield f"{layer}.{attention}.out_linear", self.hidden, self.hidden
            yield f"{layer}.ffn.linear1", self.inner, self.hidden
            yield f"{layer}.ffn.linear2", self.hidden, self.inner
        yield "decoder.fc_output", self.outputs, self.hidden

    def _norms(self) -> Iterator[str]:
        for layer, attentions in self.layers():
            for i in range(len(attentions) + 1):
                yield f"{layer}.norm{i + 1}"
        yield "encoder.layer_norm"
        yield "decoder.layer_norm"


def count_heads(hidden: int) -> int:
    """Return the heads of a checkpoint that does not say: shapes do not tell.

    The published network has 16 heads of 64; smaller ones keep 16 heads of at least 16 units.
    """
    heads = min(MOST_HEADS, hidden // LEAST_WIDTH) or 1
    while hidden % heads or hidden // heads % 2:
        heads -= 1
    return heads


def read(shapes: Mapping[str, tuple[int, ...]], heads: int = 0) -> Architecture:
    """Return the architecture that tensors of such names and shapes make.

    ``heads`` 0 takes ``count_heads``. ValueError says what is missing, unknown or misshapen.
    """
    hidden, inputs = _sides(shapes, "encoder.embedding.weight")
    inner, _ = _sides(shapes, "encoder.transformer_encoder.0.ffn.linear1.weight")
    outputs, _ = _sides(shapes, "decoder.fc_output.weight")
    if inputs != INPUTS:
        raise ValueError(f"it takes {inputs} features, expected {INPUTS}")
    if outputs not in OUTPUTS:
        raise ValueError(f"it has {outputs} outputs, expected 61 or 68")
    heads = heads or count_heads(hidden)
    if hidden % heads or hidden // heads % 2:
        raise ValueError(f"hidden size {hidden} cannot be cut into {heads} heads of even width")
    encoders, decoders = (
        1
        + max(
            (int(m[1]) for name in shapes if (m := re.match(rf"{part}\.(\d{{1,3}})\.", name))),
            default=-1,
        )
        for part in (r"encoder\.transformer_encoder", r"decoder\.transformer_decoder")
    )
    made = Architecture(hidden, inner, encoders, decoders, heads, outputs)
    _compare(shapes, made.shapes())
    return made


def _sides(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, int]:
    shape = shapes.get(name)
    if shape is None:
        raise ValueError(f"it has no '{name}'")
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"'{name}' is {list(shape)}, expected two sizes")
    return shape[0], shape[1]


def _compare(
    shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> None:
    for name, shape in expected.items():
        if name not in shapes:
            raise ValueError(f"it has no '{name}'")
        if shapes[name] != shape:
            raise ValueError(f"'{name}' is {list(shapes[name])}, expected {list(shape)}")
    for name in shapes:
        if name not in expected:
            raise ValueError(f"it has '{name}', which the published network lacks")
