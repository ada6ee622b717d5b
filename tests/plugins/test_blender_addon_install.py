"""The add-on as an animator gets it: the zip, Blender's validator, operators, undo, messages."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import blenders
import pytest
from blender_addon_parts import CODE, INTEGRATION, addon, scripted
from facewire import animate

EVERY = pytest.mark.parametrize("blender", blenders.every())


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The zip that ``make_zip.py`` writes."""
    folder = tmp_path_factory.mktemp("zip")
    script = [sys.executable, str(INTEGRATION / "make_zip.py"), str(folder)]
    made = subprocess.run(script, capture_output=True, text=True, check=True)
    return Path(made.stdout.strip())


def test_the_zip_is_the_source_and_the_same_every_time(package: Path, tmp_path: Path) -> None:
    make = runpy.run_path(str(INTEGRATION / "make_zip.py"))["make"]
    assert make(tmp_path).read_bytes() == package.read_bytes()
    with ZipFile(package) as archive:
        names = archive.namelist()
    assert "facewire_blender/blender_manifest.toml" in names
    assert "facewire_blender/__init__.py" in names and "facewire_blender/LICENSE" in names
    assert all(name.startswith("facewire_blender/") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_manifest_and_bl_info_agree() -> None:
    manifest = (CODE / "blender_manifest.toml").read_text("utf-8")
    info = addon("errors") and sys.modules["facewire_addon"].bl_info
    version = re.search(r'^version = "(.+)"', manifest, re.MULTILINE)
    assert version and version[1] == ".".join(map(str, info["version"]))
    assert f'name = "{info["name"]}"' in manifest
    assert "GNU GENERAL PUBLIC LICENSE" in (CODE / "LICENSE").read_text("utf-8")[:200]


def test_nothing_but_blenders_own_python_is_imported() -> None:
    theirs = {"bpy", "bpy_extras", "mathutils", "numpy", "gpu", "blf"}
    for path in sorted(CODE.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 10))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                named = {(node.module or "").split(".")[0]}
            else:
                continue
            assert named <= sys.stdlib_module_names | theirs, (path.name, named)


@pytest.mark.external
def test_blenders_own_validator_has_nothing_to_say(package: Path) -> None:
    blender = blenders.newest()
    if blender.program:
        pytest.skip("the validator comes with Blender 4.2 and later, as in PyPI's bpy")
    script = "import addon_utils; tell(addon_utils.paths())"
    (paths,) = blender.run(script).told
    found = [Path(path) / "bl_pkg/cli/blender_ext.py" for path in paths]
    cli = next(path for path in found if path.exists())
    done = subprocess.run(
        [blender.path, str(cli), "validate", str(package)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success" in done.stdout and "WARN" not in done.stdout.upper()


INSTALL = """
sys.path[:] = [p for p in sys.path if "integrations" not in p]
def there():
    return [a for a in bpy.context.preferences.addons.keys() if "facewire" in a], hasattr(
        bpy.types.Scene, "facewire")
if bpy.app.version >= (4, 2):
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    bpy.ops.extensions.package_install_files(
        filepath=args[0], repo="user_default", enable_on_install=True)
    tell(there())
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.facewire_blender")
    tell(there())
bpy.ops.preferences.addon_install(filepath=args[0])
bpy.ops.preferences.addon_enable(module="facewire_blender")
tell(there())
bpy.ops.preferences.addon_disable(module="facewire_blender")
bpy.ops.preferences.addon_enable(module="facewire_blender")
tell(there())
"""


@EVERY
def test_one_zip_installs_as_extension_and_as_legacy_addon(blender, package: Path) -> None:
    told = blender.run("import sys\n" + INSTALL, package).told
    *extension, legacy, again = told
    if blender.version >= (4, 2):
        assert extension == [[["bl_ext.user_default.facewire_blender"], True], [[], False]]
    assert legacy == again == [["facewire_blender"], True]


OPERATORS = """
def message(work):
    try:
        return str(work())
    except RuntimeError as error:
        return str(error)
face = rigs.face()
tell(message(lambda: bpy.ops.facewire.bake()))
tell(message(lambda: bpy.ops.facewire.import_clip(filepath="/nowhere/x.csv")))
scene.render.fps = 24
tell(message(lambda: bpy.ops.facewire.import_clip(filepath=args[0])))
report = bpy.data.texts["Facewire report"].as_string().splitlines()
tell([report[0], scene.facewire.path == args[0], scene.facewire.take,
      len(actions.curves(bake.holder("bob", face.data.shape_keys), face.data.shape_keys))])
scene.facewire.keys = "SIMPLIFIED"
scene.facewire.regions = {"lips"}
scene.facewire.take = "lips only"
tell(message(lambda: bpy.ops.facewire.bake()))
tell([sorted(takes.names()), sorted({c.group.name for c in actions.all_curves(
    takes.find("lips only")[0])})])
tell(message(lambda: bpy.ops.facewire.matches("INVOKE_DEFAULT")))
tell(bpy.data.texts["Facewire report"].as_string())
boned, armature = rigs.boned()
boned.modifiers.new("Armature", "ARMATURE").object = armature
for obj in bpy.context.selected_objects:
    obj.select_set(obj == boned)
tell(message(lambda: bpy.ops.facewire.find_bones()))
said = scene.facewire
tell([said.head_bone, said.left_eye_bone, said.right_eye_bone, said.head.name])
"""


@EVERY
def test_operators_bake_and_report_in_blenders_way(blender, tmp_path: Path) -> None:
    clip = animate(text="Bob may buy the map.", overrides=["rig=arkit61", "seed=1"])
    clip.save(tmp_path / "bob.json")
    clip.save(tmp_path / "bob.wav")
    told = scripted(blender, OPERATORS, tmp_path / "bob.json")
    assert "Error: choose a clip first" in told[0]
    assert "/nowhere/x.csv: there is no such file" in told[1]
    assert "FINISHED" in told[2]
    assert told[3][0].startswith("take bob: frames 1 to ") and told[3][1:] == [True, "bob", 52]
    assert "FINISHED" in told[4] and told[5] == [["bob", "lips only"], ["Lips"]]
    assert "FINISHED" in told[6] and "FINISHED" in told[8]
    table = told.pop(7).splitlines()
    lost = [line for line in table if line.endswith(": nothing moves with it")]
    assert lost[0].startswith("headYaw") and len(table) == len(lost) + 59
    assert told[8] == ["head", "eye.L", "eye.R", "Rig"]


DROPPED = """
from facewire_blender import operators
class Dropped:  # as Blender calls it with a file: without a window it would skip invoke
    filepath = "take.csv"
    def execute(self, context):
        return {"FINISHED"}
tell(sorted(operators.FACEWIRE_OT_import_clip.invoke(Dropped(), bpy.context, None)))
made = bpy.ops.facewire.import_clip.get_rna_type().properties["filepath"]
tell(made.is_skip_save)  # else the menu would bake the last one again
"""


@EVERY
def test_a_file_that_is_dropped_is_baked_at_once(blender) -> None:
    assert scripted(blender, DROPPED) == [["FINISHED"], True]


UNDO = """
face = rigs.face()
bpy.ops.ed.undo_push(message="before")
bpy.ops.facewire.import_clip(filepath=args[0])
bpy.ops.ed.undo_push(message="baked")
tell(sorted(a.name for a in bpy.data.actions))
bpy.ops.ed.undo()
face = bpy.data.objects["Face"]
tell([sorted(a.name for a in bpy.data.actions), bool(face.data.shape_keys.animation_data
      and face.data.shape_keys.animation_data.action), bpy.context.scene.frame_end])
bpy.ops.ed.redo()
tell(sorted(a.name for a in bpy.data.actions))
"""


@EVERY
def test_a_bake_can_be_undone(blender, tmp_path: Path) -> None:
    text = '{"fps": 24, "channels": ["jawOpen"], "values": [[0.5], [0.25]]}'
    (tmp_path / "t.json").write_text(text, "utf-8")
    baked, undone, redone = scripted(blender, UNDO, tmp_path / "t.json")
    assert baked == redone == ["t"]
    assert undone == [[], False, 250]


PANELS = """
class Layout:
    # takes what a layout takes, and fails where a property or operator is not there
    def __init__(self): self.__dict__["seen"] = []
    def prop(self, data, name, **how):
        assert name in data.bl_rna.properties, (data, name)
        self.seen.append(name)
    def prop_search(self, data, name, where, other, **how):
        self.prop(data, name)
        assert other in where.bl_rna.properties, (where, other)
    def operator(self, name, **how):
        getattr(bpy.ops.facewire, name.split(".")[1]).get_rna_type()
        self.seen.append(name)
        return Layout()
    def __getattr__(self, name):
        if name in ("row", "column", "box", "split", "column_flow", "grid_flow"):
            return lambda **how: self
        return lambda *args, **how: None
class Drawn: pass
def draw(context):
    names = []
    for panel in bpy.types.Panel.__subclasses__():
        if panel.__name__.startswith("FACEWIRE_PT") and panel.bl_space_type == "VIEW_3D":
            assert panel.bl_category == "Facewire" and panel.bl_region_type == "UI", panel
            drawn = Drawn()
            drawn.layout = Layout()
            if not hasattr(panel, "poll") or panel.poll(context):
                panel.draw(drawn, context)
            names.append([panel.__name__, drawn.layout.seen])
    return names
tell(draw(bpy.context))
boned, armature = rigs.boned()
said = scene.facewire
said.head, said.keys, said.start_at = armature, "SIMPLIFIED", "FRAME"
bake.bake(bpy.context, clip.made("t", 24, ["jawOpen"], [[.5]] * 9), [boned], Options())
tell(draw(bpy.context))
"""


@EVERY
def test_panels_draw_what_is_there(blender) -> None:
    empty, rigged = (dict(each) for each in scripted(blender, PANELS))
    assert set(empty) == set(rigged)
    assert (
        "facewire.bake" in empty["FACEWIRE_PT_main"] and "tolerance" in rigged["FACEWIRE_PT_main"]
    )
    assert "head_bone" in rigged["FACEWIRE_PT_turns"] and "start" in rigged["FACEWIRE_PT_place"]
    assert "facewire.add_tweaks" in rigged["FACEWIRE_PT_edit"]
