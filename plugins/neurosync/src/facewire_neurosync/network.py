"""The network in PyTorch: one pass over a batch of windows.

Post-norm layers, rotary positions on queries and keys, no mask; the decoder starts from the
encoder's output (NeuroSync spec, section 1). Weights stay where the file is mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from facewire.errors import PluginError
from facewire.types import FloatArray
from torch import Tensor

from facewire_neurosync import tensors
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.checkpoint import Checkpoint
from facewire_neurosync.lanes import lanes
from facewire_neurosync.rotary import angles

Linear = Callable[..., Tensor]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def rotation(width: int, device: torch.device) -> Tensor:
    """Return the turns (128, width / 2) complex64 of neighbouring pairs of units by position."""
    angle = torch.from_numpy(angles(width))
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Rotate x (..., positions, width), which is fp32 and contiguous, in place."""
    view = torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))
    view.mul_(turns[: x.shape[-2]])
    return x


def find_device(name: str) -> torch.device:
    """Return the device of that name (``auto``: the best there is); PluginError if it is absent."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if torch.backends.mps.is_available():
            name = "mps"
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, True):
        raise PluginError(f"neurosync: device '{name}' is not on this machine; use device: auto")
    return torch.device(name)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return softmax(q k') v of tensors (n, heads, rows, width); q is scaled already.

    q and k are fp32; the product with v is in v's precision, and so is what is returned. On a
    processor PyTorch's own takes nearly twice as long as its two products one by one.
    """
    if q.device.type != "cpu":  # its scores and its softmax are in fp32, too
        return F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, scale=1.0)
    shape = q.shape
    q, k, v = (part.reshape(-1, *shape[2:]) for part in (q, k, v))
    share = torch.softmax(torch.bmm(q, k.transpose(1, 2)), dim=-1)
    return torch.bmm(share.to(v.dtype), v).view(shape)


def _onednn() -> Linear | None:
    """Return oneDNN's linear layer, a tenth faster than PyTorch's own in fp32; None without it."""
    try:
        linear: Linear = torch.ops.mkldnn._linear_pointwise
        one = torch.ones(1, 1)
        linear(one, one, one[0], "relu", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return None
    return linear


class Network:
    """Runs a checkpoint. ``precision`` fp32; bf16 or fp16 compute the products in that.

    Residuals, norms, rotations and the softmax stay in fp32 whatever the precision. On a processor
    a batch is shared out to lanes, each a thread that computes alone: threads that share every
    product wait for each other after each, and all of them for one whose core is busy.
    """

    def __init__(
        self, checkpoint: Checkpoint, precision: str, device: torch.device, global_rope: bool
    ) -> None:
        self.architecture: Architecture = checkpoint.architecture
        self._device, self._dtype = device, DTYPES[precision]
        self._weights = _load(checkpoint.tensors, self._dtype, device)
        self._turns = rotation(self.architecture.width, device)
        self._scaled = self._turns * self.architecture.width**-0.5  # what turns q scales it, too
        self._global = rotation(self.architecture.hidden, device) if global_rope else None
        self._onednn = _onednn() if device.type == "cpu" else None
        self._count = torch.get_num_threads() if device.type == "cpu" else 1

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Return the outputs (n, 128, outputs) of windows of features (n, 128, 256)."""
        if self._count == 1 or len(windows) < self._count:
            return self._run(windows)
        return np.concatenate(
            [*lanes(self._count).map(self._run, np.array_split(windows, self._count))]
        )

    def _run(self, windows: FloatArray) -> FloatArray:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(windows)).to(self._device)
            out: FloatArray = self._forward(x).float().cpu().numpy()
        return out

    def _forward(self, x: Tensor) -> Tensor:
        count, rows, _ = x.shape
        x = self._linear("encoder.embedding", x.reshape(count * rows, -1)).float()
        x, memory = self._position(x, count), None
        for layer, attentions in self.architecture.layers():
            if memory is None and layer.startswith("decoder"):
                memory = self._norm("encoder.layer_norm", x)
                x = self._position(memory.clone(), count)
            for i, attention in enumerate(attentions):
                source = memory if attention == "multihead_attn" else x
                assert source is not None
                x = self._attend(f"{layer}.{attention}", x, source, count)
                x = self._norm(f"{layer}.norm{i + 1}", x)
            inner = self._linear(f"{layer}.ffn.linear1", x, "relu")
            x = self._norm(
                f"{layer}.norm{len(attentions) + 1}",
                self._linear(f"{layer}.ffn.linear2", inner, onto=x),
            )
        x = self._norm("decoder.layer_norm", x)
        return self._linear("decoder.fc_output", x).view(count, rows, -1)

    def _position(self, x: Tensor, count: int) -> Tensor:
        """Apply the global rotation of checkpoints from before 2025-03-29."""
        if self._global is None:
            return x
        return turned(x.view(count, -1, x.shape[-1]), self._global).view_as(x)

    def _attend(self, name: str, x: Tensor, source: Tensor, count: int) -> Tensor:
        """Return x plus the attention of x (n * rows, hidden) on ``source``."""
        low, low_source = x.to(self._dtype), source.to(self._dtype)
        q = self._heads(f"{name}.q_linear", low, count, torch.float32)
        k = self._heads(f"{name}.k_linear", low_source, count, torch.float32)
        v = self._heads(f"{name}.v_linear", low_source, count, self._dtype)
        mixed = attention(turned(q, self._scaled), turned(k, self._turns), v)
        mixed = mixed.transpose(1, 2).reshape(x.shape)
        return self._linear(f"{name}.out_linear", mixed, onto=x)

    def _heads(self, name: str, x: Tensor, count: int, dtype: torch.dtype) -> Tensor:
        """Return a linear layer of x as (n, heads, rows, width), contiguous."""
        made = self._linear(name, x).view(
            count, -1, self.architecture.heads, self.architecture.width
        )
        return made.transpose(1, 2).to(dtype, memory_format=torch.contiguous_format)

    def _linear(
        self, name: str, x: Tensor, then: str = "none", onto: Tensor | None = None
    ) -> Tensor:
        """Return x W' + b, through a ReLU if ``then`` says so, added to ``onto`` in fp32."""
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        x = x.to(self._dtype)
        if self._onednn:
            out = self._onednn(x, weight, bias, then, [], "")
        else:
            out = F.linear(x, weight, bias)
            out = out.relu_() if then == "relu" else out
        return out if onto is None else out.float().add_(onto)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], weight, bias)


def _load(
    stored: Mapping[str, tensors.Tensor], dtype: torch.dtype, device: torch.device
) -> dict[str, Tensor]:
    """Return the tensors: norms in fp32, all else in ``dtype``; not copied where it is that."""
    found = {}
    for name, tensor in stored.items():
        if tensor.kind == "BF16":
            made = torch.from_numpy(tensor.data.view(np.int16)).view(torch.bfloat16)
        else:
            made = torch.from_numpy(tensor.data)
        wanted = torch.float32 if "norm" in name else dtype
        found[name] = made.to(wanted).to(device)
    return found
