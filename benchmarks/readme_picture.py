"""Draw the README's picture from a real run: ``python benchmarks/readme_picture.py [OUT] [TEXT]``.

Speaks TEXT with the default profile and draws the face at even times (eyes, lids, brows and lips
from the channels), the waveform with words and phones, the lips' gap and a few channels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import facewire
import matplotlib
import numpy as np
from facewire.api import Clip
from facewire.articulation import lip_gap, lip_protrusion, lip_width, read_phone
from facewire.types import FloatArray, Mark
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Polygon

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUT = Path(__file__).resolve().parents[1] / "docs/images/talking.png"
TEXT = "Hello! I can talk now. My lips must meet, by and by."
CARD, INK, DIM, LINE = "#151a23", "#e8ecf3", "#97a3b6", "#2b3444"
HEAD, LIP, INSIDE = "#2a3345", "#e0727d", "#43131c"
GAP, SOUND = "#ff8f6b", "#5fa8ff"
FACES = 9
WIDTH, LEFT, RIGHT = 12.0, 0.125, 0.98  # inches, and shares of them
TALL, LOW = 1.05, -1.2  # what a face takes above and below its middle, in its own units
CHANNELS = (  # channel, colour, full scale, what is written beside it
    ("jawOpen", "#ffc857", 0.4, "jawOpen"),
    ("mouthPucker", "#7bd389", 0.4, "mouthPucker"),
    ("mouthStretchLeft", "#c792ea", 0.4, "mouthStretch"),
    ("eyeBlinkLeft", "#5fd3e8", 1.0, "eyeBlink"),
    ("headPitch", "#f48fb1", 0.08, "headPitch (rad)"),
)


def column(clip: Clip, channel: str) -> FloatArray:
    return clip.frames.values[:, clip.frames.rig.index(channel)]


def seconds(clip: Clip) -> FloatArray:
    return (np.arange(len(clip.frames)) / float(clip.frames.fps)).astype(np.float32)


def spans(clip: Clip, kind: str) -> list[tuple[Mark, float, float]]:
    rate = clip.audio.rate
    return [(m, m.start / rate, m.end / rate) for m in clip.marks if m.kind == kind]


def closures(clip: Clip) -> list[tuple[Mark, float, float]]:
    return [s for s in spans(clip, "phone") if read_phone(s[0].text).kind == "closure"]


# -- the face ------------------------------------------------------------------------------------


class Pen:
    """Draws in a face's own units (its head has the radius 1) around a time on an axis."""

    def __init__(self, axes: Axes, at: float, scale: float) -> None:
        self.axes, self.at, self.scale = axes, at, scale

    def oval(self, x: float, y: float, wide: float, tall: float, colour: str) -> None:
        middle, width = (self.at + self.scale * x, y), 2 * self.scale * wide
        self.axes.add_patch(Ellipse(middle, width, 2 * tall, fc=colour, ec="none"))

    def area(self, x: FloatArray, y: FloatArray, colour: str) -> None:
        edge = np.c_[self.at + self.scale * x, y]
        self.axes.add_patch(Polygon(edge, closed=True, fc=colour, ec="none"))

    def line(self, x: FloatArray, y: FloatArray, colour: str, width: float) -> None:
        given = {"color": colour, "lw": width, "solid_capstyle": "round"}
        self.axes.plot(self.at + self.scale * x, y, **given)  # type: ignore[arg-type]


def face(pen: Pen, clip: Clip, row: int) -> None:
    """Draw one frame: eyes, lids, brows and lips as the channels say."""
    values, rig = clip.frames.values[row : row + 1], clip.frames.rig
    one = {name: float(values[0, rig.index(name)]) for name in rig.channels}
    turn, nod = -0.8 * one["headYaw"], -0.8 * one["headPitch"]
    pen.oval(0, 0, 0.95, 1.0, HEAD)
    for side, name in ((-1, "Right"), (1, "Left")):
        _eye(pen, 0.36 * side + turn, 0.24 + nod, one, name)
    width = 0.36 * (1 + 2 * float(lip_width(values, rig)[0]))
    width *= 1 - 0.4 * max(0.0, float(lip_protrusion(values, rig)[0]))
    _mouth(pen, turn, -0.4 + nod, width, max(0.0, float(lip_gap(values, rig)[0])))


def _eye(pen: Pen, x: float, y: float, one: dict[str, float], side: str) -> None:
    lid = 0.15 * (1 - min(1.0, one[f"eyeBlink{side}"])) + 0.015
    pen.oval(x, y, 0.2, lid, INK)
    if lid > 0.05:
        yaw, pitch = (one[f"{side.lower()}Eye{axis}"] for axis in ("Yaw", "Pitch"))
        pen.oval(x - 0.25 * yaw, y - 0.25 * pitch, 0.1, min(0.1, 0.95 * lid), CARD)
    brow = y + 0.3 + 0.5 * one["browInnerUp"] + np.array([0.0, 0.05, 0.0])
    pen.line(x + np.array([-0.2, 0.0, 0.2]), brow, DIM, 2.2)


def _mouth(pen: Pen, x: float, y: float, half: float, gap: float) -> None:
    """Draw lips as arcs of ``half`` width around what is open between them."""
    along = np.linspace(-1, 1, 41)
    bow = np.sqrt(1 - along**2)
    for thick, colour in ((0.085, LIP), (0.0, INSIDE)):
        upper, lower = bow * (0.3 * gap + thick), -bow * (0.9 * gap + thick)
        reach = (half + 0.4 * thick) * along
        both = np.concatenate([upper, lower[::-1]])
        pen.area(x + np.concatenate([reach, reach[::-1]]), y + both, colour)
    pen.line(x + half * np.array([-1.0, 1.0]), np.array([y, y]), INSIDE, 1.2)


def draw_faces(axes: Axes, clip: Clip, length: float) -> None:
    """Draw the face at even times, each where its time is."""
    tall = axes.get_position().height * axes.figure.get_figheight()  # type: ignore[union-attr]
    scale = tall / (TALL - LOW) / (WIDTH * (RIGHT - LEFT)) * length  # seconds that 1 unit takes
    for i in range(FACES):
        at = (i + 0.5) * length / FACES
        axes.plot([at, at], [LOW, -1.05], color=DIM, lw=1.2)
        face(Pen(axes, at, scale), clip, round(at * float(clip.frames.fps)))
    axes.set_ylim(LOW, TALL)
    axes.axis("off")


# -- the curves ----------------------------------------------------------------------------------


def draw_sound(axes: Axes, clip: Clip) -> None:
    """Draw the waveform, the words above it and the phones below."""
    rate, samples = clip.audio.rate, clip.audio.samples
    hop = rate // 400
    count = len(samples) // hop
    peaks = np.abs(samples[: count * hop].reshape(count, hop)).max(axis=1)
    peaks /= peaks.max()
    axes.fill_between(np.arange(count) * hop / rate, -peaks, peaks, color=SOUND, lw=0)
    for mark, start, end in spans(clip, "word"):
        axes.text((start + end) / 2, 1.55, mark.text, color=INK, ha="center", va="center", size=12)
        axes.plot([start, end], [1.2, 1.2], color=LINE, lw=2)
    for mark, start, end in spans(clip, "phone"):
        axes.text((start + end) / 2, -1.45, mark.text, color=DIM, ha="center", va="center", size=9)
    axes.set_ylim(-1.8, 1.9)
    axes.axis("off")


def draw_gap(axes: Axes, clip: Clip) -> None:
    """Draw the lips' gap, and where p, b and m ask for none."""
    gap = lip_gap(clip.frames.values, clip.frames.rig)
    top = 1.3 * float(gap.max())
    for mark, start, end in closures(clip):
        axes.axvspan(start, end, color=GAP, alpha=0.18, lw=0)
        axes.text((start + end) / 2, 0.92 * top, mark.text, color=GAP, ha="center", size=11)
    axes.fill_between(seconds(clip), 0, gap, color=GAP, alpha=0.25, lw=0)
    axes.plot(seconds(clip), gap, color=GAP, lw=2)
    axes.axhline(0, color=LINE, lw=1)
    axes.set_ylim(-0.07, 1.12 * top)
    _beside(axes, 0.5, "lip gap", GAP, 12)
    _beside(axes, 0.34, "(jawOpen alone = 1)", DIM, 9)
    axes.axis("off")


def _beside(axes: Axes, y: float, text: str, colour: str, size: int, data: bool = False) -> None:
    where = axes.get_yaxis_transform() if data else axes.transAxes
    axes.text(-0.012, y, text, color=colour, size=size, ha="right", transform=where)


def draw_channels(axes: Axes, clip: Clip) -> None:
    """Draw a few channels one below the other, each at its own scale."""
    for i, (channel, colour, scale, name) in enumerate(CHANNELS):
        base = -i * 1.15
        curve = column(clip, channel) / scale
        axes.axhline(base, color=LINE, lw=1)
        axes.fill_between(seconds(clip), base, base + curve, color=colour, alpha=0.2, lw=0)
        axes.plot(seconds(clip), base + curve, color=colour, lw=1.8)
        _beside(axes, base + 0.3, name, colour, 11, data=True)
    axes.set_ylim(-len(CHANNELS) * 1.15 + 0.55, 1.15)
    axes.axis("off")


def draw(clip: Clip) -> Figure:
    """Return the picture."""
    length = float(len(clip.frames) / clip.frames.fps)
    figure = plt.figure(figsize=(WIDTH, 7.6), facecolor=CARD)
    heights = [1.28, 1.3, 1.25, 3.0]
    grid = figure.add_gridspec(
        4, 1, height_ratios=heights, left=LEFT, right=RIGHT, top=0.97, bottom=0.05, hspace=0.1
    )
    rows = [figure.add_subplot(grid[i]) for i in range(4)]
    for axes in rows:
        axes.set_xlim(0, length)
    draw_faces(rows[0], clip, length)
    draw_sound(rows[1], clip)
    draw_gap(rows[2], clip)
    draw_channels(rows[3], clip)
    for tick in np.arange(0, length, 0.5):
        below = -len(CHANNELS) * 1.15 + 0.4
        rows[3].text(tick, below, f"{tick:g} s", color=DIM, size=10, ha="center")
    return figure


def main() -> None:
    given = sys.argv[1:]
    out = Path(given[0]) if given else OUT
    clip = facewire.animate(text=given[1] if len(given) > 1 else TEXT)
    out.parent.mkdir(parents=True, exist_ok=True)
    draw(clip).savefig(out, dpi=110, metadata={"Software": None})
    print(f"{out}: {len(clip.frames)} frames, {len(closures(clip))} closures asked for")


if __name__ == "__main__":
    main()
