"""Words and phones as timeline markers: there and back, what a move means, in real Blenders."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import blenders
import pytest
from blender_addon_parts import CODE, addon, scripted

marking, clips = addon("marking"), addon("clip")
Mark = clips.Mark
EVERY = pytest.mark.parametrize("blender", blenders.every())
RATES = [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]


def demo_marks() -> list[Any]:
    found = json.loads((CODE / "data/demo.json").read_text("utf-8"))
    return [Mark(**mark) for mark in found["marks"]]


def spread(seed: int) -> list[Any]:
    """Return words of phones with pauses here and there, at odd times; some overlap."""
    draw, at, marks = random.Random(seed), 0.1, []
    for number in range(20):
        begin = at
        for _ in range(draw.randint(1, 5)):
            long = draw.uniform(0.015, 0.2)
            marks.append(
                Mark("phone", draw.choice("mabutes"), at, at + long * draw.choice([1, 1.2]))
            )
            at += long
        marks.append(Mark("word", f"word{number % 7}", begin, at))
        at += draw.choice([0.0, 0.0, 0.3])
    return [*marks, Mark("sound", "laugh", 1.0, 1.7)]


def markers_of(shown: list[Any]) -> list[tuple[str, int]]:
    return [(marking.label(each.mark), each.frame) for each in shown]


def in_order(marks: list[Any]) -> list[Any]:
    return sorted(marks, key=lambda mark: (mark.start, mark.kind, mark.text, mark.end))


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_marks_come_back_to_the_last_digit(fps: Fraction) -> None:
    for marks in (demo_marks(), *map(spread, range(20))):
        shown = marking.placed(marking.with_pauses(marks), 101, fps)
        back = marking.edited(marks, shown, markers_of(shown), 101, fps)
        assert in_order(back) == in_order(marks)


def test_the_two_kinds_are_told_apart_and_an_animators_own_markers_are_not_ours() -> None:
    assert marking.label(Mark("phone", "m", 0, 1)) == "/m/"
    assert marking.label(Mark("word", "hello", 0, 1)) == '"hello"'
    assert marking.read_label("/ˈaʊ/") == ("phone", "ˈaʊ")
    assert marking.read_label("<laugh>") == ("sound", "laugh")
    for own in ("Shot 12", "hello", "F_03", "//", "Camera.001", '"'):
        assert marking.read_label(own) is None
    long = marking.label(Mark("word", "ß" * 60, 0, 1))
    assert len(long.encode()) <= 63 and marking.read_label(long)[0] == "word"


def moved(by: int, which: int, fps: Fraction = Fraction(24)) -> tuple[list[Any], list[Any], Any]:
    """Move the marker of one of the demo's phones; return marks before, after, and that phone."""
    marks = demo_marks()
    shown = marking.placed(marking.with_pauses(marks), 1, fps)
    markers = markers_of(shown)
    phones = [k for k, each in enumerate(shown) if each.mark.kind == "phone"]
    name, frame = markers[phones[which]]
    markers[phones[which]] = (name, frame + by)
    return marks, marking.edited(marks, shown, markers, 1, fps), shown[phones[which]].mark


def test_a_moved_phone_takes_time_from_its_neighbour_and_nothing_else_changes() -> None:
    before, after, phone = moved(-2, 13)
    assert phone.text == "ɹ"
    new = [mark for mark in after if mark not in before]
    gone = [mark for mark in before if mark not in after]
    (shorter,) = [mark for mark in new if mark.text == "p"]
    (longer,) = [mark for mark in new if mark.text == "ɹ"]
    assert len(new) == len(gone) == 2
    assert longer.start == shorter.end and longer.end == phone.end
    assert longer.start == pytest.approx(max(phone.start - 2 / 24, shorter.start + 0.01))


def test_the_end_of_a_phone_before_a_pause_is_moved_by_the_pause() -> None:
    marks = demo_marks()
    shown = marking.placed(marking.with_pauses(marks), 1, Fraction(24))
    markers = markers_of(shown)
    first = markers.index(next(each for each in markers if each[0] == "/_/"))
    markers[first] = ("/_/", markers[first][1] + 3)
    after = marking.edited(marks, shown, markers, 1, Fraction(24))
    ((old, new),) = zip(
        [m for m in marks if m not in after], [m for m in after if m not in marks], strict=True
    )
    assert old.text == new.text == "ˈoʊ" and new.start == old.start
    assert new.end == pytest.approx(old.end + 3 / 24)


def test_a_moved_word_takes_its_phones_along() -> None:
    marks = demo_marks()
    shown = marking.placed([m for m in marks if m.kind == "word"], 1, Fraction(24))
    markers = markers_of(shown)
    at = [name for name, _ in markers].index('"talk"')
    markers[at] = (markers[at][0], markers[at][1] + 4)
    after = marking.edited(marks, shown, markers, 1, Fraction(24))
    by = 4 / 24
    talk = next(m for m in marks if m.text == "talk")
    for old in [m for m in marks if m.kind == "phone" and talk.start <= m.start < talk.end]:
        assert any(m.text == old.text and abs(m.start - old.start - by) < 1e-6 for m in after)
    word_i = next(m for m in after if m.text == "I")
    phone_i = next(m for m in after if m.text == "aɪ" and abs(m.start - word_i.start) < 1e-6)
    assert word_i.end == pytest.approx(talk.start + by) == phone_i.end
    assert [m for m in after if m.start > 3] == [m for m in in_order(marks) if m.start > 3]


def test_markers_that_were_deleted_or_added() -> None:
    marks = demo_marks()
    shown = marking.placed(marking.with_pauses(marks), 1, Fraction(24))
    markers = markers_of(shown)
    markers.remove(next(each for each in markers if each[0] == "/d/"))
    markers.append(("/m/", 100))
    after = marking.edited(marks, shown, markers, 1, Fraction(24))
    texts = [m.text for m in after if m.kind == "phone"]
    assert len(texts) == len([m for m in marks if m.kind == "phone"])
    assert any(m.text == "m" and m.start == pytest.approx(99 / 24) for m in after)


def test_stretches_are_apart_and_short() -> None:
    was = [Mark("phone", "a", k * 0.1, k * 0.1 + 0.1) for k in range(2000)]
    near = [was[0], *(Mark("phone", "m", m.start, m.end) for m in was[10:12]), *was[12:]]
    assert marking.changes(was, was, 0.5, 50) == []
    assert len(marking.changes(was, near + was[1:10], 0.5, 50)) == 1
    far = [Mark("phone", "m", m.start, m.end) if k in (10, 1500) else m for k, m in enumerate(was)]
    two = marking.changes(was, far, 0.5, 50)
    assert two == [pytest.approx((0.5, 1.6)), pytest.approx((149.5, 150.6))]
    every = marking.changes(was, [Mark("phone", "m", m.start, m.end) for m in was], 0.5, 50)
    assert all(end - begin <= 50 for begin, end in every)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(every))


ROUND = """
from facewire_blender import marking, markers
scene.render.fps = 24
scene.timeline_markers.new("Shot 12", frame=5)
scene.timeline_markers.new("<cut>", frame=7)
made = clip.read(args[0])
face = rigs.face()
report = bake.bake(bpy.context, made, [face], Options(start=101, markers="BOTH"))
take = takes.active(bpy.context)
order = lambda marks: sorted([m.kind, m.text, m.start, m.end] for m in marks)
names = [m.name for m in scene.timeline_markers]
same = order(markers.edited(bpy.context, take)) == order(take.marks) == order(made.marks)
tell({"same": same, "names": names, "first": min(m.frame for m in scene.timeline_markers
      if m.name == "/h/")})
bpy.ops.wm.save_as_mainfile(filepath=args[1])
bpy.ops.wm.open_mainfile(filepath=args[1])
context = bpy.context
scene, take = context.scene, takes.active(context)
moved = next(m for m in scene.timeline_markers if m.name == "/m/")
moved.frame -= 2
now = markers.edited(context, take)
(new,) = [m for m in now if m.kind == "phone" and m.text == "m" and m not in take.marks]
(old,) = [m for m in take.marks if m.kind == "phone" and m.text == "m" and m not in now]
bpy.ops.facewire.hide_markers()
tell({"by": new.start - old.start, "left": [m.name for m in scene.timeline_markers],
      "kept": order(markers.edited(context, take)) == order(now)})
scene.facewire_markers.kinds = "WORDS"
bpy.ops.facewire.show_markers()
tell({"words": [m.name for m in scene.timeline_markers],
      "kept": order(markers.edited(context, take)) == order(now)})
scene.facewire_markers.kinds = "PHONES"
scene.facewire_markers.near, scene.facewire_markers.seconds = True, 1.0
scene.frame_set(150)
bpy.ops.facewire.show_markers()
tell({"near": [m.frame for m in scene.timeline_markers if m.name not in ("Shot 12", "<cut>")],
      "kept": order(markers.edited(context, take)) == order(now)})
bpy.ops.facewire.reset_markers()
tell({"reset": order(markers.edited(context, takes.active(context))) == order(made.marks)})
"""


@EVERY
def test_markers_in_a_blender(blender: Any, tmp_path: Path) -> None:
    told = scripted(blender, ROUND, CODE / "data/demo.json", tmp_path / "file.blend")
    placed, moved_one, words, near, reset = told
    assert placed["same"] and placed["first"] == 101
    assert {'"Hello"', "/m/", "/_/", "Shot 12"} <= set(placed["names"])
    assert moved_one["by"] == pytest.approx(-2 / 24)
    assert moved_one["left"] == ["Shot 12", "<cut>"] and moved_one["kept"]
    assert words["kept"] and len(words["words"]) == 22 and '"talk"' in words["words"]
    assert near["kept"] and near["near"] and all(126 <= frame <= 174 for frame in near["near"])
    assert reset["reset"]


STRIP = """
from facewire_blender import markers
scene.render.fps = 24
made = clip.read(args[0])
face = rigs.face()
bake.bake(bpy.context, made, [face], Options(start=11, place="NLA"))
(strip,) = actions.strips(face.data.shape_keys)
strip.frame_start, strip.frame_end = strip.frame_start + 100, strip.frame_end + 100
bpy.ops.facewire.show_markers()
take = takes.active(bpy.context)
tell([min(m.frame for m in scene.timeline_markers),
      set(markers.edited(bpy.context, take)) == set(take.marks)])
"""


@EVERY
def test_markers_stand_where_a_moved_strip_is(blender: Any) -> None:
    (told,) = scripted(blender, STRIP, CODE / "data/demo.json")
    assert told == [111, True]


SEVERAL = """
from facewire_blender import markers
made = clip.made("t", 24, ["jawOpen"], [[.5]] * 9, [clip.Mark("phone", "a", 0.0, .2)])
face, control = rigs.driven()
for name in ("one", "two"):
    bake.bake(bpy.context, made, [face], Options(take=name, start=11))
tell(takes.active(bpy.context).name)
boned, armature = rigs.boned()
bake.bake(bpy.context, made, [boned], Options(take="three", start=11, place="NLA"))
(strip,) = actions.strips(armature)
strip.frame_start, strip.frame_end = strip.frame_start + 50, strip.frame_end + 50
bpy.ops.facewire.show_markers()
tell([takes.active(bpy.context).name, min(m.frame for m in scene.timeline_markers)])
bpy.context.view_layer.objects.active = face
tell(takes.active(bpy.context).name)
"""


@EVERY
def test_the_take_of_a_driven_face_is_found_among_several(blender: Any) -> None:
    assert scripted(blender, SEVERAL) == ["two", ["three", 61], "two"]


LONG = """
import time
from facewire_blender import markers
scene.render.fps = 24
phones = [clip.Mark("phone", "abmu"[k % 4], k * .08, k * .08 + .08) for k in range(8000)]
rows = [[0.0] for _ in range(15400)]
made = clip.made("long", 24, ["jawOpen"], [[.5 * (k % 7 == 0)] for k in range(15400)], phones)
bake.bake(bpy.context, made, [rigs.face()], Options(markers="PHONES"))
begun = time.perf_counter()
scene.frame_set(9000)
bpy.ops.facewire.show_markers()
frames = [m.frame for m in scene.timeline_markers]
take = takes.active(bpy.context)
same = set(markers.edited(bpy.context, take)) == set(take.marks)
tell({"count": len(frames), "low": min(frames), "high": max(frames), "same": same,
      "spent": time.perf_counter() - begun})
"""


@EVERY
def test_a_long_take_shows_what_is_near_the_playhead(blender: Any) -> None:
    (told,) = scripted(blender, LONG)
    assert told["count"] == 500 and told["low"] > 8400 and told["high"] < 9600
    assert told["same"] and told["spent"] < 5
