"""The sink ``preview.usd``: the head with the run as UsdSkel, for Omniverse, Houdini and others.

Format: OpenUSD, UsdSkel schemas: one mesh with blend shapes, and joints for head and eyes. Needs
the package usd-core.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from facewire.errors import PluginError
from facewire.rig import Rig

from facewire_preview.animation import quaternions, turned
from facewire_preview.base import TakeSink
from facewire_preview.head import Floats, Head
from facewire_preview.take import Take

PARTS = {"head": "root/head", "leftEye": "root/head/leftEye", "rightEye": "root/head/rightEye"}
MOVED = 1e-7  # metres; a point that a shape moves less is left out of it


def require() -> Any:
    """Return the module pxr; PluginError with what to install if it is missing."""
    try:
        import pxr
    except ImportError as error:
        raise PluginError(
            "preview.usd needs the package usd-core; install it: pip install facewire-preview[usd]"
        ) from error
    return pxr


class UsdSink(TakeSink):
    """Write .usda, .usdc or .usd: frame k at time code k, with the take's rate."""

    def __init__(self, path: Path, head: Path | None = None) -> None:
        require()
        super().__init__(path, head)

    def made(self, take: Take) -> bytes:
        """Return the file."""
        suffix = self.path.suffix if self.path.suffix in (".usda", ".usdc") else ".usdc"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"take{suffix}"
            _stage(self.head, take, path)
            return path.read_bytes()


def _stage(head: Head, take: Take, path: Path) -> None:
    from pxr import Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetFramesPerSecond(float(take.fps))
    stage.SetTimeCodesPerSecond(float(take.fps))
    stage.SetStartTimeCode(0)
    values = take.values
    stage.SetEndTimeCode(max(0, len(values) - 1))
    root = UsdSkel.Root.Define(stage, "/Face")
    stage.SetDefaultPrim(root.GetPrim())
    joints = ["root", *(PARTS[part] for part in head.turns if part in PARTS)]
    shapes = [channel for channel in head.morphs if channel in take.rig]
    bound = UsdSkel.BindingAPI.Apply(_mesh(stage, head).GetPrim())
    _shapes(stage, bound, head, shapes)
    _skin(bound, head, joints)
    skeleton, rest = _skeleton(stage, head, joints)
    bound.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    animation = UsdSkel.Animation.Define(stage, "/Face/Animation")
    source = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    source.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    animation.CreateTranslationsAttr(rest)
    _animate(animation, head, (shapes, joints), (take.rig, values))
    stage.GetRootLayer().Save()


def _shapes(stage: Any, bound: Any, head: Head, shapes: list[str]) -> None:
    from pxr import Sdf, UsdSkel, Vt

    for channel in shapes:
        shape = UsdSkel.BlendShape.Define(stage, f"/Face/Head/{channel}")
        at, moved = head.morphs[channel]
        seen = np.abs(moved).max(axis=1) > MOVED
        shape.CreateOffsetsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(moved[seen])))
        shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(np.ascontiguousarray(at[seen])))
    bound.CreateBlendShapesAttr(shapes)
    targets = [Sdf.Path(f"/Face/Head/{channel}") for channel in shapes]
    bound.CreateBlendShapeTargetsRel().SetTargets(targets)


def _skeleton(stage: Any, head: Head, joints: list[str]) -> tuple[Any, list[Any]]:
    """Return the skeleton, and where each joint rests below the one above it."""
    from pxr import Gf, UsdSkel

    skeleton = UsdSkel.Skeleton.Define(stage, "/Face/Skeleton")
    skeleton.CreateJointsAttr(joints)
    bind = [_bound(head, joint) for joint in joints]
    rest = _local(bind, joints)
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d().SetTranslate(Gf.Vec3d(*b)) for b in bind])
    skeleton.CreateRestTransformsAttr([Gf.Matrix4d().SetTranslate(Gf.Vec3d(*r)) for r in rest])
    return skeleton, [Gf.Vec3f(*place) for place in rest]


def _mesh(stage: Any, head: Head) -> Any:
    from pxr import UsdGeom, Vt

    mesh = UsdGeom.Mesh.Define(stage, "/Face/Head")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(head.positions)))
    mesh.CreateFaceVertexCountsAttr([3] * len(head.triangles))
    corners = np.ascontiguousarray(head.triangles.ravel())
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    colours = Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(head.colors))
    mesh.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex).Set(colours)
    return mesh


def _bound(head: Head, joint: str) -> list[float]:
    part = joint.rsplit("/", 1)[-1]
    return [float(x) for x in head.turns[part].pivot] if part in head.turns else [0.0, 0.0, 0.0]


def _local(bind: list[list[float]], joints: list[str]) -> list[list[float]]:
    """Return each joint's place from the joint above it."""
    rest = []
    for joint, place in zip(joints, bind, strict=True):
        above = joint.rpartition("/")[0]
        while above and above not in joints:
            above = above.rpartition("/")[0]
        base = bind[joints.index(above)] if above else [0.0, 0.0, 0.0]
        rest.append([a - b for a, b in zip(place, base, strict=True)])
    return rest


def _skin(binding: Any, head: Head, joints: list[str]) -> None:
    """Bind each vertex to two joints at most: an eye's to the eye, others to root and head."""
    from pxr import Vt

    count = len(head.positions)
    index, weight = np.zeros((count, 2), np.int32), np.zeros((count, 2), np.float32)
    weight[:, 0] = 1.0
    if "head" in head.turns:
        turned = head.turns["head"].weights
        index[:, 1] = joints.index(PARTS["head"])
        weight[:, 0], weight[:, 1] = 1.0 - turned, turned
    for eye in ("leftEye", "rightEye"):
        if eye in head.turns:
            at = head.turns[eye].weights > 0.5
            index[at, 1], weight[at] = joints.index(PARTS[eye]), (0.0, 1.0)
    indices = binding.CreateJointIndicesPrimvar(False, 2)
    indices.Set(Vt.IntArray.FromNumpy(np.ascontiguousarray(index.ravel())))
    weights = binding.CreateJointWeightsPrimvar(False, 2)
    weights.Set(Vt.FloatArray.FromNumpy(np.ascontiguousarray(weight.ravel())))


def _animate(
    animation: Any, head: Head, names: tuple[list[str], list[str]], frames: tuple[Rig, Floats]
) -> None:
    from pxr import Gf, Vt

    (shapes, joints), (rig, values) = names, frames
    animation.CreateBlendShapesAttr(shapes)
    animation.CreateJointsAttr(joints)
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)] * len(joints))
    weights = animation.CreateBlendShapeWeightsAttr()
    rotations = animation.CreateRotationsAttr()
    columns = [rig.index(channel) for channel in shapes]
    turns = np.stack([_turns(head, joint, rig, values) for joint in joints], axis=1)
    for row, given in enumerate(values):
        weights.Set(Vt.FloatArray.FromNumpy(np.ascontiguousarray(given[columns])), row)
        quats = [Gf.Quatf(float(w), float(x), float(y), float(z)) for x, y, z, w in turns[row]]
        rotations.Set(Vt.QuatfArray(quats), row)


def _turns(head: Head, joint: str, rig: Rig, values: Floats) -> Floats:
    """Return a joint's rotations (n, 4) as x, y, z, w."""
    part = joint.rsplit("/", 1)[-1]
    if part not in head.turns:
        return np.tile(np.array([0, 0, 0, 1], np.float32), (len(values), 1))
    return quaternions(turned(head, part, rig, values))
