"""Which network a profile's options make, and what a machine cannot do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facewire.errors import PluginError, ProfileError

from facewire_neurosync import checkpoint
from facewire_neurosync.plugin import ModelConfig
from facewire_neurosync.processor import instructions

if TYPE_CHECKING:
    from facewire_neurosync.model import Runs

Shared = Callable[[str, Callable[[], Any]], Any]
# windows at once; more are no faster in int8, and in fp32 need room that its weights take
BATCH = {"fp32": 4, "bf16": 8, "int8": 1}
GPU_BATCH = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A network, how many windows it likes at once, and lines about how it runs.

    ``clock`` counts what a window costs when nobody else is busy: the calling thread's share of
    the processor, in seconds; for a GPU the time that passes.
    """

    network: Runs
    batch: int
    notes: tuple[str, ...]
    clock: Callable[[], float] = time.thread_time


def open_network(config: ModelConfig, path: Path, shared: Shared) -> Opened:
    """Return the network of the options; one is in memory for all sessions that ask the same.

    InputError for a bad checkpoint, PluginError for a package or device that is missing.
    """
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    asked = (config.precision, config.device, config.threads, config.heads, config.global_rope)
    key = f"neurosync {path.resolve()} {stamp} {asked}"
    opened: Opened = shared(key, lambda: _open(config, path))
    return opened


def _open(config: ModelConfig, path: Path) -> Opened:
    if path.suffix.lower() == ".onnx":
        return _open_onnx(config, path)
    if config.precision == "int8":
        if "int8" in instructions():
            raise ProfileError(
                f"precision: int8 reads a converted checkpoint, found {path.name}; "
                f"run 'facewire neurosync convert {path.name} {path.stem}.onnx --precision int8'"
            )
        lacks = "this processor has no instructions for int8 products: fp32 instead"
        return _open_torch(config, path, "fp32", (lacks,))
    return _open_torch(config, path, config.precision, ())


def _open_onnx(config: ModelConfig, path: Path) -> Opened:
    from facewire_neurosync.onnx_network import QuantisedNetwork

    if config.precision not in ("int8", "fp32"):
        raise ProfileError(
            f"precision: {config.precision} needs a .pth or .safetensors, "
            f"found {path.name}, which is int8"
        )
    network = QuantisedNetwork(path, config.threads, config.global_rope)
    notes = [f"neurosync: {path.name}, {network.architecture}, int8 on cpu"]
    if "int8" not in instructions():
        notes.append(
            "neurosync: this processor has no instructions for int8 products; it runs without "
            "them, slower and less exactly: the fp32 checkpoint is the better choice"
        )
    return Opened(network, BATCH["int8"], tuple(notes))


def _open_torch(config: ModelConfig, path: Path, precision: str, notes: tuple[str, ...]) -> Opened:
    loaded = checkpoint.load(path, config.heads)
    # threads that spin while they wait take the cores from each other, and from everybody else
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from facewire_neurosync.lanes import use_threads
        from facewire_neurosync.network import Network, find_device
    except ImportError:
        raise PluginError(
            f"neurosync: {path.name} needs PyTorch; pip install 'facewire-neurosync[torch]', or "
            "use an int8 .onnx, which runs without it"
        ) from None
    device = find_device(config.device)
    if device.type == "cpu":
        use_threads(config.threads)
        if precision == "fp16":
            raise ProfileError("precision: fp16 is for GPUs; on a processor use bf16 or int8")
        if precision == "bf16" and "bf16" not in instructions():
            precision = "fp32"
            notes += ("this processor has no instructions for bf16 products: fp32 instead",)
    network = Network(loaded, precision, device, config.global_rope or loaded.global_rope)
    line = f"{path.name}, {loaded.architecture}, {precision} on {device.type}"
    told = tuple(f"neurosync: {note}" for note in (line, *notes))
    if device.type == "cpu":
        return Opened(network, BATCH[precision], told)
    return Opened(network, GPU_BATCH, told, time.perf_counter)
