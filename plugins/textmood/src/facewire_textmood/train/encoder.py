"""The network in torch: a small BERT with one linear head for each task.

The encoder is all-MiniLM-L6-v2's (Wang et al., MiniLM, 2020): 6 layers of width 384.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from facewire_textmood.wordpiece import CLS, NAME, OTHER, PAD, RELIGION, SELF, SEP, SPECIAL, UNKNOWN

WIDTH, INNER, ATTENTION_HEADS, LAYERS, PLACES = 384, 1536, 12, 6, 128
TASKS = {"original": 28, "ekman": 7, "vad": 3, "faces": 16}
"""The heads in training, in the order of their columns, and how wide each is.

``vad`` and ``faces`` only help the encoder along: the probes take their places.
"""
PROBES = {"vad": 3, "faces": 16}
"""The linear models that are fitted afterwards, on means at several depths."""

DEPTHS = tuple(range(LAYERS + 1))
"""The layers whose means the probes read; 0 is the words alone."""

# What a special token's row is at first: that of a token of the base model.
_BORN_OF = {
    PAD: "[PAD]", UNKNOWN: "[UNK]", CLS: "[CLS]", SEP: "[SEP]", SELF: "[SEP]", OTHER: "[SEP]",
    NAME: "name", RELIGION: "religion",
}  # fmt: skip


class WholeDropout(nn.Module):
    """Dropout of features for a whole line: one draw for all its tokens costs next to nothing."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return x (n, tokens, width) or (n, width) with some features zero in every row."""
        if not self.training or self.share == 0.0:
            return x
        shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        kept = (torch.rand(shape) >= self.share).to(x.dtype) / (1.0 - self.share)
        return x * kept


class Layer(nn.Module):
    """One transformer layer, normalised after each half as in BERT."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.widen = nn.Linear(WIDTH, INNER)
        self.narrow = nn.Linear(INNER, WIDTH)
        self.norm_out = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = WholeDropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (n, tokens, 384); ``mask`` (n, 1, 1, tokens) is 0, or far below 0 at padding."""
        n, tokens, _ = x.shape
        parts = self.query_key_value(x).view(n, tokens, 3, ATTENTION_HEADS, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, tokens, 32)
        # torch's fused attention is many times slower backwards on short lines
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1) + mask
        seen = scores.softmax(dim=-1).to(value.dtype) @ value
        x = self.norm(x + self.dropout(self.out(seen.transpose(1, 2).reshape(n, tokens, WIDTH))))
        inner = F.gelu(self.widen(x), approximate="tanh")
        return torch.as_tensor(self.norm_out(x + self.dropout(self.narrow(inner))))


class Network(nn.Module):
    """Encoder and heads: token numbers in, one row of all heads' columns out."""

    def __init__(self, vocabulary: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Embedding(PLACES, WIDTH)
        self.parts = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.heads = nn.Linear(WIDTH, sum(TASKS.values()))
        self.probes = nn.ModuleDict(
            {name: nn.Linear(len(DEPTHS) * WIDTH, width) for name, width in PROBES.items()}
        )
        self.dropout = WholeDropout(dropout)

    def forward(self, tokens: Tensor, sentence: Tensor) -> Tensor:
        """Return (n, 54) for tokens (n, t), 0 where padded, and the sentences' lengths (n,)."""
        last = self.pooled(tokens, sentence)[-1]
        return torch.as_tensor(self.heads(self.dropout(last)))

    def pooled(self, tokens: Tensor, sentence: Tensor) -> list[Tensor]:
        """Return what heads see: at each of ``DEPTHS``, a mean (n, 384).

        It is the mean over the sentence's own tokens; the context acts on them through attention.
        """
        place = torch.arange(tokens.shape[1])
        first = place[None] < sentence[:, None]  # (n, t): the sentence, not its context
        x = self.tokens(tokens) + self.places(place)[None] + self.parts((~first).long())
        x = self.dropout(self.norm(x))
        mask = torch.where(tokens > 0, 0.0, -1e4)[:, None, None]
        share = first[..., None] / sentence[:, None, None]  # (n, t, 1)
        means = []
        for depth in range(len(self.layers) + 1):
            if depth:
                x = self.layers[depth - 1](x, mask)
            if depth in DEPTHS:
                means.append((x.float() * share).sum(dim=1))
        return means


def trimmed(vocabulary: Sequence[str], used: dict[str, int], size: int) -> list[str]:
    """Return the pieces to keep: our special ones, single signs, what the data uses most.

    ``vocabulary`` is the base model's, which is in order of how common a piece is in English: it
    fills what the data leaves.
    """
    plain = [piece for piece in vocabulary if not piece.startswith("[")]
    signs = [piece for piece in plain if len(piece.removeprefix("##")) == 1 and piece.isascii()]
    by_use = sorted((p for p in plain if used.get(p, 0) > 1), key=lambda p: -used[p])
    kept = dict.fromkeys([*signs, *by_use, *plain])
    return [*SPECIAL, *list(kept)[: size - len(SPECIAL)]]


def from_base(folder: Path, vocabulary: Sequence[str], dropout: float = 0.1) -> Network:
    """Return the network with the base model's encoder, for a vocabulary cut from the base's."""
    state = load_file(folder / "model.safetensors")
    base = (folder / "vocab.txt").read_text("utf-8").splitlines()
    at = {piece: i for i, piece in enumerate(base)}
    rows = [at[_BORN_OF.get(piece, piece)] for piece in vocabulary]
    network = Network(len(vocabulary), dropout)
    ours = {
        "tokens.weight": state["embeddings.word_embeddings.weight"][rows],
        "places.weight": state["embeddings.position_embeddings.weight"][:PLACES],
        "parts.weight": state["embeddings.token_type_embeddings.weight"],
        "norm.weight": state["embeddings.LayerNorm.weight"],
        "norm.bias": state["embeddings.LayerNorm.bias"],
    }
    for i in range(LAYERS):
        for kind in ("weight", "bias"):
            theirs = {
                key.removeprefix(f"encoder.layer.{i}."): value
                for key, value in state.items()
                if key.startswith(f"encoder.layer.{i}.") and key.endswith(kind)
            }
            attention = [
                theirs[f"attention.self.{part}.{kind}"] for part in ("query", "key", "value")
            ]
            ours[f"layers.{i}.query_key_value.{kind}"] = torch.cat(attention)
            ours[f"layers.{i}.out.{kind}"] = theirs[f"attention.output.dense.{kind}"]
            ours[f"layers.{i}.norm.{kind}"] = theirs[f"attention.output.LayerNorm.{kind}"]
            ours[f"layers.{i}.widen.{kind}"] = theirs[f"intermediate.dense.{kind}"]
            ours[f"layers.{i}.narrow.{kind}"] = theirs[f"output.dense.{kind}"]
            ours[f"layers.{i}.norm_out.{kind}"] = theirs[f"output.LayerNorm.{kind}"]
    missing = network.load_state_dict(ours, strict=False).missing_keys
    assert all(name.startswith(("heads.", "probes.")) for name in missing), missing
    return network
