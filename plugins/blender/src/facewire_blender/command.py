"""``facewire blender``: bake a take in a Blender of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click
from facewire.config import read

from facewire_blender.bake import KEYS, Job, bake


@click.group("blender")
def blender() -> None:
    """Bake takes onto shape keys, in a Blender that runs beside."""


@blender.command("bake")
@click.argument("clip", metavar="CLIP")
@click.option("--mesh", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="The face: .glb, .gltf, .fbx or .blend.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The .blend file to write.")
@click.option("--glb", type=click.Path(path_type=Path), help="Also export glTF, binary.")
@click.option("--fbx", type=click.Path(path_type=Path), help="Also export FBX.")
@click.option("--fps", help="Frames a second of the scene, such as 24 or 29.97; else the file's.")
@click.option("--object", "objects", multiple=True, metavar="NAME",
              help="The meshes it is for; else all that have matching shape keys.")  # fmt: skip
@click.option(
    "--head", metavar="NAME[:BONE]", help="The object, or a bone of it, that is the head."
)
@click.option("--left-eye", metavar="NAME[:BONE]", help="The character's own left eye.")
@click.option("--right-eye", metavar="NAME[:BONE]", help="The character's own right eye.")
@click.option("--keys", type=click.Choice(sorted(KEYS)), default="every", show_default=True)
@click.option("--profile", metavar="NAME|FILE", help="Animates CLIP where it is sound or text.")
@click.option("--blender", "program", metavar="PATH", help="The Blender program.")
@click.option("--python", metavar="PATH", help="A Python with bpy, instead of a Blender.")
@click.option("--addon", type=click.Path(path_type=Path), help="The add-on's folder.")
def bake_command(
    clip: str,
    mesh: Path,
    out: Path | None,
    glb: Path | None,
    fbx: Path | None,
    fps: str | None,
    objects: tuple[str, ...],
    head: str | None,
    left_eye: str | None,
    right_eye: str | None,
    keys: str,
    profile: str | None,
    program: str | None,
    python: str | None,
    addon: Path | None,
) -> None:
    """Bake CLIP onto a mesh's shape keys.

    CLIP is a take (.csv, .json, .npz, .facewire), or sound or text to animate.
    """
    rate: Fraction | None = read(fps, Fraction, "--fps") if fps else None
    job = Job(
        clip=clip,
        mesh=mesh,
        outputs={kind: path for kind, path in (("blend", out), ("glb", glb), ("fbx", fbx)) if path},
        fps=rate,
        objects=objects,
        turns={
            part: name
            for part, name in (("head", head), ("left_eye", left_eye), ("right_eye", right_eye))
            if name
        },
        keys=keys,
        profile=profile,
    )
    for line in bake(job, program, python, addon):
        click.echo(line)
