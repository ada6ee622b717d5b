"""The software renderer: which triangle is seen where, and the pictures it makes."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.rig import Rig
from facewire_preview.command import head as head_command
from facewire_preview.pose import matrix
from facewire_preview.raster import rasterize
from facewire_preview.render import Renderer
from facewire_preview.sheet import draw_sheet, shapes, sheet
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

RIG = Rig.named("arkit61")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def row(**values: float) -> np.ndarray:
    out = np.zeros(len(RIG), np.float32)
    for channel, value in values.items():
        out[RIG.index(channel)] = value
    return out


def slowly(screen: np.ndarray, triangles: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return per pixel which triangle is nearest, and how clear the case is; by loops."""
    owner, clear = np.full((side, side), -1), np.full((side, side), np.inf)
    nearest = np.full((side, side), np.inf)
    for number, corners in enumerate(screen[triangles].astype(float)):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-3:
            continue
        for y in range(side):
            for x in range(side):
                px, py = x + 0.5, y + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                edge = min(u, v, 1 - u - v) * np.sqrt(abs(area))
                clear[y, x] = min(clear[y, x], abs(edge))
                if edge >= 0:
                    z = u * az + v * bz + (1 - u - v) * cz
                    if abs(z - nearest[y, x]) < 0.05:
                        clear[y, x] = 0
                    if z < nearest[y, x]:
                        nearest[y, x], owner[y, x] = z, number
    return owner, clear


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6))
def test_rasterizer_agrees_with_loops(seed: int, count: int) -> None:
    side = 12
    rng = np.random.default_rng(seed)
    screen = rng.uniform(-4, side + 4, (3 * count, 3)).astype(np.float32)
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    pixels, found, weights = rasterize(screen, triangles, np.ones(count, bool), side, side)
    owner = np.full(side * side, -1)
    owner[pixels] = found
    expected, clear = slowly(screen, triangles, side)
    sure = (clear > 0.05).ravel()
    assert np.array_equal(owner[sure], expected.ravel()[sure])
    middle = np.einsum("nk,nkd->nd", weights, screen[triangles[found]])[:, :2]
    there = np.stack([pixels % side + 0.5, pixels // side + 0.5], 1)
    kept = sure[pixels]
    assert np.allclose(middle[kept], there[kept], atol=0.02)


@given(seed=st.integers(0, 2**32 - 1))
def test_neighbours_leave_no_crack(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, side = 7, 40
    grid = np.stack(np.meshgrid(np.linspace(-2, 42, n), np.linspace(-2, 42, n)), -1)
    grid[1:-1, 1:-1] += rng.uniform(-2.5, 2.5, (n - 2, n - 2, 2))
    screen = np.concatenate([grid.reshape(-1, 2), rng.uniform(1, 2, (n * n, 1))], 1)
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    quads = np.stack([i, i + 1, i + n + 1, i + n], 1)
    triangles = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]).astype(np.int32)
    both = np.ones(len(triangles), bool)
    pixels, _, _ = rasterize(screen.astype(np.float32), triangles, both, side, side)
    assert len(pixels) == side * side


def test_back_faces_are_not_drawn() -> None:
    screen = np.array([[1, 1, 1], [8, 1, 1], [1, 8, 1]], np.float32)
    one = np.zeros(1, bool)
    back, front = np.array([[0, 1, 2]], np.int32), np.array([[0, 2, 1]], np.int32)
    assert len(rasterize(screen, back, one, 10, 10)[0]) == 0
    assert len(rasterize(screen, front, one, 10, 10)[0]) > 15


def test_rotation_is_one() -> None:
    turned = matrix(0.3, -0.2, 0.5)
    assert np.allclose(turned @ turned.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(turned) == pytest.approx(1, abs=1e-6)


def test_picture_is_repeatable_and_has_a_face(renderer: Renderer) -> None:
    first = renderer.picture(row(jawOpen=0.4), RIG, 96)
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert np.array_equal(first, Renderer().picture(row(jawOpen=0.4), RIG, 96))
    corner, middle = first[0, 0].astype(int), first[48, 48].astype(int)
    assert middle[0] > middle[2] + 25, "skin is warm"
    assert abs(corner[0] - corner[2]) < 15, "the background is grey"


def test_face_at_rest_is_nearly_mirrored(renderer: Renderer) -> None:
    picture = renderer.picture(size=128).astype(int)
    skin = picture[..., 0] > picture[..., 2] + 12
    assert (skin != skin[:, ::-1]).mean() < 0.01


def test_mouth_and_eyes_change_where_they_are(renderer: Renderer) -> None:
    rest = renderer.picture(size=128).astype(int)
    jaw = np.abs(renderer.picture(row(jawOpen=0.5), RIG, 128) - rest).sum(2) > 30
    blink = np.abs(renderer.picture(row(eyeBlinkLeft=1.0), RIG, 128) - rest).sum(2) > 30
    assert jaw[64:].sum() > 300 and jaw[:50].sum() == 0
    assert blink[:80, 64:].sum() > 30 and blink[:, :60].sum() == 0


def test_turned_to_the_right_the_nose_is_left_in_the_picture(renderer: Renderer) -> None:
    def centre(**values: float) -> float:
        picture = renderer.picture(row(**values), RIG, 128).astype(int)
        lips = (picture[..., 0] - picture[..., 1]) > 55
        return float(np.nonzero(lips)[1].mean())

    assert centre(headYaw=0.4) < centre() - 6 < centre(headYaw=-0.4) - 12


@pytest.mark.parametrize("value", [1e30, -1e30, np.nan, np.inf])
def test_any_number_gives_a_picture(renderer: Renderer, value: float) -> None:
    wild = np.full(len(RIG), value, np.float32)
    assert renderer.picture(wild, RIG, 32).shape == (32, 32, 3)


def test_a_rig_without_most_channels_is_drawn(renderer: Renderer) -> None:
    mouth = Rig("mouth", ("jawOpen",))
    opened = renderer.picture(np.array([0.5], np.float32), mouth, 48)
    assert np.array_equal(opened, renderer.picture(row(jawOpen=0.5), RIG, 48))


def test_sheet_shows_every_shape(tmp_path) -> None:
    faces = shapes()
    assert [name.partition(" ")[0] for name, _ in faces] == list(Rig.named("arkit52").channels)
    picture = sheet(faces[:5], Rig.named("arkit52"), columns=3, size=48)
    assert picture.shape[1] == 3 * 48
    draw_sheet(tmp_path / "a.png", faces[:2], Rig.named("arkit52"), size=48)
    draw_sheet(tmp_path / "b.png", faces[:2], Rig.named("arkit52"), size=48)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_command_draws_all_52(tmp_path) -> None:
    out = tmp_path / "head.png"
    done = CliRunner().invoke(head_command, ["sheet", "--out", str(out), "--size", "48"])
    assert done.exit_code == 0, done.output
    with Image.open(out) as picture:
        assert picture.size == (8 * 48, 7 * (48 + 18))
