"""Measure NeuroSync at full size: ``python benchmarks/neurosync.py [--seconds 60] [--memory]``.

A network of the published size with random weights is made once (in a temporary folder, or in
``--folder``) and run end to end, from sound to frames, in each precision; beside it, in the same
process and turn by turn, a plain fp32 loop of one window at a time with an autocorrelation a frame
at a time, which is what the published pipeline does. Printed: the ratios, the arithmetic floor
(operations over this machine's measured matrix products), the error against fp32 over the output's
standard deviation, the time to load and to the first frame. ``--memory`` runs ten minutes of sound
in a process each and prints the peak. ``--live`` speaks in real time to a session of each
precision, alone and beside two busy processes, and prints steps, drops and lateness. ``--device
cuda`` measures a GPU instead.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

FPS, RATE = Fraction(60), 22050
BUSY = "while True: pass"
MACS = 235.2e6  # products a row of the full-size network (NeuroSync spec, section 9)
ATTENTION = 1.6e9  # operations a window
BOUNDS = {"fp32": (1.35, 1.0), "bf16": (2.7, 0.01), "int8": (3.5, 0.03)}  # ratio, error
MEMORY = {"fp32": 1350, "bf16": 1350, "int8": 500}  # MB
NAMES = {"fp32": "full.safetensors", "bf16": "bf16.safetensors", "int8": "int8.onnx"}


def prepare(folder: Path) -> None:
    from facewire_neurosync import safetensors
    from facewire_neurosync.architecture import Architecture
    from facewire_neurosync.conversion import convert
    from facewire_neurosync.tensors import Tensor

    path = folder / NAMES["fp32"]
    if not path.exists():
        sizes, rng, tensors = Architecture(1024, 4096, 8, 8, 16, 68), np.random.default_rng(0), {}
        shapes = sizes.shapes()
        for name, shape in shapes.items():
            bound = shapes[name.replace("bias", "weight")][-1] ** -0.5
            drawn = rng.uniform(-bound, bound, shape).astype(np.float32)
            tensors[name] = Tensor("F32", drawn)
            if "norm" in name:
                tensors[name] = Tensor("F32", np.full(shape, name.endswith("weight"), np.float32))
        safetensors.save(path, tensors, {})
    for precision in ("bf16", "int8"):
        if not (folder / NAMES[precision]).exists():
            print(*convert(path, folder / NAMES[precision], precision, 0, False), sep="\n")


def sound(seconds: float) -> np.ndarray:
    from facewire.testing import voiced

    return voiced(seconds, RATE).samples


# -- the plain loop -------------------------------------------------------------------------------


class Plain:
    """The published pipeline's way: windows one by one, no reuse, autocorrelation in a loop."""

    def __init__(self, path: Path) -> None:
        import torch
        from facewire_neurosync import checkpoint

        loaded = checkpoint.load(path)
        self.torch, self.sizes = torch, loaded.architecture
        self.w = {k: torch.from_numpy(t.single().copy()) for k, t in loaded.tensors.items()}

    def linear(self, name: str, x: Any) -> Any:
        return self.torch.nn.functional.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def norm(self, name: str, x: Any) -> Any:
        w = self.w
        functional = self.torch.nn.functional
        return functional.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"])

    def rope(self, x: Any) -> Any:
        torch, width = self.torch, x.shape[-1]
        rate = torch.exp(torch.arange(0, width, 2) * (-np.log(10000.0) / width))
        angle = torch.arange(x.shape[-2])[:, None] * rate
        even, odd = x[..., ::2], x[..., 1::2]
        turned = (
            even * angle.cos() - odd * angle.sin(),
            even * angle.sin() + odd * angle.cos(),
        )
        return torch.stack(turned, dim=-1).flatten(-2)

    def attend(self, name: str, x: Any, source: Any) -> Any:
        def heads(part: str, value: Any) -> Any:
            made = self.linear(f"{name}.{part}_linear", value)
            return made.view(1, -1, self.sizes.heads, self.sizes.width).transpose(1, 2)

        q, k, v = heads("q", x), heads("k", source), heads("v", source)
        attention = self.torch.nn.functional.scaled_dot_product_attention
        mixed = attention(self.rope(q), self.rope(k), v).transpose(1, 2).reshape(x.shape)
        return self.linear(f"{name}.out_linear", mixed)

    def window(self, rows: np.ndarray) -> np.ndarray:
        x = self.linear("encoder.embedding", self.torch.from_numpy(rows)[None])
        memory = None
        for layer, attentions in self.sizes.layers():
            if memory is None and layer.startswith("decoder"):
                x = memory = self.norm("encoder.layer_norm", x)
            for i, attention in enumerate(attentions):
                source = memory if attention == "multihead_attn" else x
                added = self.attend(f"{layer}.{attention}", x, source)
                x = self.norm(f"{layer}.norm{i + 1}", x + added)
            inner = self.linear(f"{layer}.ffn.linear1", x).relu()
            added = self.linear(f"{layer}.ffn.linear2", inner)
            x = self.norm(f"{layer}.norm{len(attentions) + 1}", x + added)
        out = self.linear("decoder.fc_output", self.norm("decoder.layer_norm", x))
        return out[0].numpy()

    def features(self, samples: np.ndarray) -> np.ndarray:
        from facewire_neurosync.features import Clip, pairs
        from facewire_neurosync.spool import Spool

        kept = Spool()
        kept.append(samples)
        cepstrum = Clip(kept).cepstrum()
        padded, lags = np.pad(samples / np.abs(samples).max(), 735, "reflect"), []
        for at in range(0, len(padded) - 1469, 735):
            frame = (padded[at : at + 1470] - padded[at : at + 1470].mean()) * np.hanning(1470)
            full = np.correlate(frame, frame, "full")[1469 : 1469 + 188]
            lags.append(full[1:] / (full[0] or 1))
        return np.concatenate([cepstrum, pairs(np.array(lags))], axis=1).astype(np.float32)

    def run(self, samples: np.ndarray) -> np.ndarray:
        import soxr

        rows, out = self.features(soxr.resample(samples, RATE, 88200, "HQ")), []
        with self.torch.no_grad():
            for start in range(0, len(rows), 96):
                part = rows[start : start + 128]
                fill = np.repeat(part[-1:], 128 - len(part), axis=0)
                new = list(self.window(np.concatenate([part, fill]))[: len(part)])
                overlap = min(32, len(out), len(new))
                for i in range(overlap):
                    a = i / overlap
                    out[-overlap + i] = (1 - a) * out[-overlap + i] + a * new[i]
                out.extend(new[overlap:])
        return np.array(out) / 100


# -- ours -----------------------------------------------------------------------------------------


def run(model: Any, samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the frames and the seconds to the first."""
    from facewire.pipeline import Built, Pipeline
    from facewire.types import Audio
    from facewire_neurosync.extractor import ClipExtractor

    extractor = Built(ClipExtractor(), "neurosync", "features")
    built = Built(model, "neurosync", "model")
    begun, first, rows = time.perf_counter(), 0.0, []
    with Pipeline(built, extractor, [], model.rig, FPS) as pipeline:
        for at in range(0, len(samples), RATE):
            pipeline.push(Audio(samples[at : at + RATE], RATE, at))
        for block in pipeline.flush():
            first = first or time.perf_counter() - begun
            rows.append(block.frames.values)
    return np.concatenate(rows), first


def model_of(folder: Path, precision: str, device: str, threads: int) -> tuple[Any, float]:
    from facewire.types import Context
    from facewire_neurosync.plugin import ModelConfig, facewire_models

    if precision != "int8":
        import torch  # noqa: F401 (imports are no part of loading)
    else:
        import onnxruntime  # noqa: F401
    import facewire_neurosync.model
    import facewire_neurosync.networks  # noqa: F401

    (component,) = facewire_models()
    name = NAMES.get(precision, NAMES["fp32"])
    config = ModelConfig(
        folder / name, precision=precision, device=device, threads=threads, ease=0, zero=()
    )  # type: ignore[arg-type]
    with (folder / name).open("rb") as file:  # into the file cache
        while file.read(1 << 24):
            pass
    begun = time.perf_counter()
    return component.make(config, Context()), time.perf_counter() - begun


def best(work: Callable[[], Any], times: int) -> float:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return min(spent)


def peak(dtype: str, threads: int) -> float:
    """Return operations a second of this machine's matrix products, at the network's sizes."""
    import torch

    torch.set_num_threads(threads)
    kind = getattr(torch, dtype)
    x, w = torch.ones(512, 1024, dtype=kind), torch.ones(4096, 1024, dtype=kind)
    return 2 * 512 * 1024 * 4096 / best(lambda: torch.nn.functional.linear(x, w), 30)


def compare(args: argparse.Namespace, folder: Path) -> int:
    import torch

    threads, samples, failed = args.threads or torch.get_num_threads(), sound(args.seconds), False
    models = {p: model_of(folder, p, "cpu", threads) for p in args.precisions}
    torch.set_num_threads(threads)
    plain = Plain(folder / NAMES["fp32"])
    plain.window(np.zeros((128, 256), np.float32))
    spent: dict[str, list[float]] = {"plain": [], **{p: [] for p in models}}
    out, first = {}, {}
    for _ in range(args.repeat):
        begun = time.perf_counter()
        expected = plain.run(samples)
        spent["plain"].append(time.perf_counter() - begun)
        for precision, (model, _) in models.items():
            begun = time.perf_counter()
            out[precision], late = run(model, samples)
            spent[precision].append(time.perf_counter() - begun)
            first[precision] = min(late, first.get(precision, late))
    base, windows = min(spent["plain"]), -(-len(expected) // 96)
    work = windows * (2 * MACS * 128 + ATTENTION)
    print(f"{args.seconds:g} s of sound, {windows} windows, {threads} threads")
    print(f"plain loop: {base:.2f} s, {base / args.seconds:.3f} of real time")
    for precision, (_, load) in models.items():
        took, error = min(spent[precision]), out[precision] - expected
        share = float(np.sqrt((error**2).mean()) / expected.std())
        ratio, (least, most) = base / took, BOUNDS[precision]
        missed = ratio < least or share > most
        failed |= missed
        kind = {"fp32": "float32", "bf16": "bfloat16"}.get(precision)
        floor = f", floor {work / peak(kind, threads):.2f} s" if kind else ""
        print(
            f"{precision}: {took:.2f} s, {ratio:.2f} x (asked {least}){floor}, rms error "
            f"{100 * share:.4f} % (asked {100 * most:g}), load {load:.3f} s, first frame after "
            f"{first[precision]:.2f} s{'  MISSED' if missed else ''}"
        )
    return int(failed and args.check)


def one(args: argparse.Namespace, folder: Path) -> int:
    """Run one precision over the seconds; print a line of JSON."""
    model, load = model_of(folder, args.one, args.device, args.threads)
    samples = sound(args.seconds)
    run(model, samples[: 3 * RATE])
    begun = time.perf_counter()
    _, first = run(model, samples)
    took = time.perf_counter() - begun
    top = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": took, "load": load, "first": first, "real_time": took / args.seconds}
    print(json.dumps({**told, "peak_mb": top}))
    return 0


def memory(args: argparse.Namespace, folder: Path) -> int:
    failed = False
    for precision in args.precisions:
        told = alone(folder, precision, 600, args)
        missed = told["peak_mb"] > MEMORY[precision]
        failed |= missed
        asked = f"{told['peak_mb']:.0f} MB (asked {MEMORY[precision]}){'  MISSED' * missed}"
        print(f"{precision}: ten minutes in {told['seconds']:.1f} s, peak {asked}")
    return int(failed and args.check)


def alone(folder: Path, precision: str, seconds: float, args: argparse.Namespace) -> Any:
    command = [sys.executable, __file__, "--one", precision, "--seconds", str(seconds)]
    command += ["--folder", str(folder), "--device", args.device, "--threads", str(args.threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def live(args: argparse.Namespace, folder: Path) -> int:
    """Run a session on sound that comes in real time: idle, then beside two busy processes."""
    for precision in args.precisions:
        for busy in (0, 2):
            others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
            try:
                print(f"{precision}, {busy} busy processes: {spoken(folder, precision, args)}")
            finally:
                for other in others:
                    other.kill()
                    other.wait()
    return 0


def spoken(folder: Path, precision: str, args: argparse.Namespace) -> str:
    from facewire.pipeline import Built
    from facewire.profile import load_profile
    from facewire.session import Session
    from facewire.stages import Source
    from facewire.testing import ListSink, cut_audio, voiced

    class Microphone(Source):
        live, brings, rate = True, "audio", 48000

        def blocks(self) -> Any:
            begun = time.perf_counter()
            for piece in cut_audio(voiced(args.seconds, 48000), [960]):
                time.sleep(max(0.0, begun + piece.end / 48000 - time.perf_counter()))
                yield piece

    path = folder / "live.yaml"
    path.write_text(
        "rig: neurosync68\nlayers: []\nsinks: []\n"
        f"model: {{use: neurosync, weights: '{folder / NAMES[precision]}', "
        f"precision: {precision}, threads: {args.threads}}}\n"
    )
    sink = ListSink(live=True)
    made = Session(load_profile(str(path), ()), Microphone(), sinks=[Built(sink, "list", "sink")])
    stage: Any = made.pipeline.model.stage if made.pipeline.model else None
    spent, network = [], stage._network

    def timed(windows: np.ndarray) -> np.ndarray:
        begun = time.perf_counter()
        out: np.ndarray = network(windows)
        spent.append(time.perf_counter() - begun)
        return out

    stage._network = timed
    report = made.run()
    (_, tally), pace = report.tallies[0], stage._pace
    sent = np.concatenate([np.arange(b.frames.start, b.frames.end) for b in sink.blocks])
    order = "in order" if (np.diff(sent) >= 0).all() else "OUT OF ORDER"
    return (
        f"latency {1000 * report.latency:.0f} ms, windows of {1000 * np.median(spent):.0f} ms "
        f"({sum(spent) / args.seconds:.2f} of real time), {pace.wider} of {pace.windows} stepped "
        f"wider than asked, at most {pace.widest} rows, {tally.sent} frames sent, "
        f"{tally.dropped} dropped, {tally.resent} resent, 99 % within "
        f"{1000 * tally.lateness(0.99):.1f} ms, {order}"
    )


def accelerator(args: argparse.Namespace, folder: Path) -> int:
    for precision in ("fp32", "bf16", "fp16"):
        told = alone(folder, precision, args.seconds, args)
        print(
            f"{precision} on {args.device}: {told['seconds']:.2f} s for {args.seconds:g} s, "
            f"{told['real_time']:.4f} of real time, first frame after {told['first']:.2f} s"
        )
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precisions", nargs="+", default=list(BOUNDS))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--check", action="store_true", help="fail where a bound is missed")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.folder or Path(made)
        prepare(folder)
        if args.one:
            return one(args, folder)
        if args.live:
            return live(args, folder)
        if args.device != "cpu":
            return accelerator(args, folder)
        return memory(args, folder) if args.memory else compare(args, folder)


if __name__ == "__main__":
    sys.exit(main())
