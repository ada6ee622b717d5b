"""The network as a module that learns, with the published names of its tensors, and its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facewire_neurosync.architecture import INPUTS, Architecture
from facewire_neurosync.network import rotation
from facewire_neurosync.tensors import Tensor as Stored

SPREAD = 0.02  # of the first weights


class Attention(nn.Module):
    """Attention with rotary positions."""

    def __init__(self, sizes: Architecture) -> None:
        super().__init__()
        self.heads = (sizes.heads, sizes.width)
        for part in ("q", "k", "v", "out"):
            self.add_module(f"{part}_linear", nn.Linear(sizes.hidden, sizes.hidden))

    def forward(self, x: Tensor, source: Tensor, turns: Tensor) -> Tensor:
        """Return the attention (n, rows, hidden) of x on ``source``."""
        q, k, v = (
            self._apply_linear(name, value).view(*value.shape[:-1], *self.heads)
            for name, value in zip("qkv", (x, source, source), strict=True)
        )
        q, k = (_turned(part, turns) for part in (q, k))
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
        return self._apply_linear("out", mixed)

    def _apply_linear(self, name: str, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(f"{name}_linear")(x)
        return out


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turns[: x.shape[1], None]).flatten(-2).to(x.dtype)


class Layer(nn.Module):
    """A post-norm layer: attention on itself, on the encoder if it is a decoder's, feed-forward."""

    def __init__(self, sizes: Architecture, decoder: bool, dropout: float) -> None:
        super().__init__()
        self.self_attn = Attention(sizes)
        self.multihead_attn = Attention(sizes) if decoder else None
        self.ffn = nn.ModuleDict(
            {
                "linear1": nn.Linear(sizes.hidden, sizes.inner),
                "linear2": nn.Linear(sizes.inner, sizes.hidden),
            }
        )
        for i in range(3 if decoder else 2):
            self.add_module(f"norm{i + 1}", nn.LayerNorm(sizes.hidden))
        self._dropout = dropout

    def forward(self, x: Tensor, memory: Tensor | None, turns: Tensor) -> Tensor:
        """Return the next hidden rows (n, rows, hidden)."""
        norms = [self.get_submodule(f"norm{i + 1}") for i in range(2 if memory is None else 3)]
        x = norms[0](x + self._drop(self.self_attn(x, x, turns)))
        if self.multihead_attn is not None:
            x = norms[1](x + self._drop(self.multihead_attn(x, memory, turns)))
        inner = self._drop(self.ffn["linear1"](x).relu())
        out: Tensor = norms[-1](x + self._drop(self.ffn["linear2"](inner)))
        return out

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self._dropout, self.training)


class Trainable(nn.Module):
    """The whole network; ``state_dict`` has the names of a published checkpoint."""

    def __init__(self, sizes: Architecture, dropout: float) -> None:
        super().__init__()
        self.sizes = sizes
        first, last = nn.Linear(INPUTS, sizes.hidden), nn.Linear(sizes.hidden, sizes.outputs)
        encoders = [Layer(sizes, False, dropout) for _ in range(sizes.encoders)]
        decoders = [Layer(sizes, True, dropout) for _ in range(sizes.decoders)]
        self.encoder = nn.ModuleDict({"embedding": first, "layer_norm": nn.LayerNorm(sizes.hidden)})
        self.encoder["transformer_encoder"] = nn.ModuleList(encoders)
        self.decoder = nn.ModuleDict({"fc_output": last, "layer_norm": nn.LayerNorm(sizes.hidden)})
        self.decoder["transformer_decoder"] = nn.ModuleList(decoders)
        self.register_buffer("turns", rotation(sizes.width, torch.device("cpu")), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=SPREAD)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, rows, outputs) of features (n, rows, 256)."""
        turns = self.get_buffer("turns")
        x = self.encoder["embedding"](x)
        for layer in self.encoder["transformer_encoder"].children():
            x = layer(x, None, turns)
        x = memory = self.encoder["layer_norm"](x)
        for layer in self.decoder["transformer_decoder"].children():
            x = layer(x, memory, turns)
        out: Tensor = self.decoder["fc_output"](self.decoder["layer_norm"](x))
        return out

    def take(self, tensors: Mapping[str, Stored]) -> None:
        """Begin from a checkpoint's weights."""
        self.load_state_dict({k: torch.from_numpy(t.single().copy()) for k, t in tensors.items()})


def loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return how far frames (n, rows, outputs) are from those wanted.

    Smooth L1, L1 of the differences from frame to frame, and 1 less the mean cosine between those
    (NeuroSync spec, section 7).
    """
    moved, should = found.diff(dim=1), wanted.diff(dim=1)
    cosine = F.cosine_similarity(moved, should, dim=-1).mean()
    return F.smooth_l1_loss(found, wanted) + F.l1_loss(moved, should) + 1 - cosine


def groups(module: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return the optimiser's groups: no decay on biases and norms."""
    plain: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        (plain if name.endswith("bias") or "norm" in name else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]
