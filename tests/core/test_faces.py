"""Several faces in one run: whose sound, marks and emotion they get, and how they stay in step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from facewire.buffers import parted
from facewire.cli.check import command as check
from facewire.emotion import State, neutral
from facewire.errors import InputError, ProfileError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile, Speaker
from facewire.session import Session
from facewire.sources import GivenText
from facewire.stages import Source
from facewire.testing import FakeClock, ListSink, voiced
from facewire.turns import Script
from facewire.types import Audio, Block, Frames, Mark, Text, first_sample
from parts import RIG, Beep
from parts import Script as Items
from test_session import PARTS, REGISTRY, profile

JAW, BROW = RIG.index("jawOpen"), RIG.index("browInnerUp")
TWO = {"ada": Speaker(subject="Ada"), "bob": Speaker(subject="Bob")}
SCENE = (
    '{"speaker": "ada", "text": "one two", "emotion": "joy"}',
    '{"speaker": "bob", "text": "three", "pause": 0.3, "emotion": "fear"}',
    '{"speaker": "ada", "text": "four"}',
)


class Whole(ListSink):
    """Takes the sound of all."""

    faceless = True


class Run:
    """A run with a sink for each face and one for the sound."""

    def __init__(self, source: Source, *, live: bool = False, **keys: object) -> None:
        self.profile = profile(**{"speakers": TWO, **keys})
        subjects = dict.fromkeys(one.subject for one in self.profile.speakers.values())
        self.faces = {name: ListSink(live=live) for name in subjects if name}
        self.whole = Whole(live=live)
        sinks = [Built(s, "list", "sink", subject=name) for name, s in self.faces.items()]
        self.session = Session(
            self.profile,
            source,
            "scene",
            sinks=[*sinks, Built(self.whole, "whole", "sink")],
            clock=FakeClock(),
            registry=REGISTRY,
        )
        self.report = self.session.run()


def script(folder: Path, *lines: str) -> Script:
    path = folder / "scene.jsonl"
    path.write_text("\n".join(lines))
    return Script(path)


def text(sink: ListSink) -> list[str]:
    return [mark.text for mark in sink.marks]


def moving(sink: ListSink) -> list[bool]:
    """Return whether the jaw opens in each tenth of a second."""
    jaw = sink.values[:, JAW]
    return [bool((jaw[i : i + 6] > 0.01).any()) for i in range(0, len(jaw), 6)]


def test_each_face_moves_with_its_own_turns_alone(tmp_path: Path) -> None:
    run = Run(script(tmp_path, *SCENE))
    ada, bob = run.faces["Ada"], run.faces["Bob"]
    assert text(ada) == ["one", "two", "four"] and text(bob) == ["three"]
    assert text(run.whole) == ["one", "two", "three", "four"]
    assert run.report.frames == len(ada.values) == len(bob.values) == 78
    # one 0-.2, two .25-.45, three .8-1, four 1.05-1.25; the model sees two frames ahead
    assert moving(bob) == [6 < i < 10 for i in range(13)]
    assert moving(ada) == [i < 5 or i > 9 for i in range(13)]
    assert np.array_equal(ada.samples + bob.samples, run.whole.samples)
    assert np.abs(ada.samples[12800:16000]).max() == 0 < np.abs(bob.samples[12800:16000]).max()


def test_each_face_has_its_own_emotion(tmp_path: Path) -> None:
    run = Run(script(tmp_path, *SCENE))
    ada, bob = (np.concatenate([b.emotion.vad for b in s.blocks]) for s in run.faces.values())
    calm = State.named("neutral").vad
    assert np.allclose(ada[10], State.named("joy").vad) and np.allclose(bob[10], calm)
    assert np.allclose(ada[55], State.named("joy").vad)  # while Bob speaks
    assert np.allclose(bob[55], State.named("fear").vad)
    assert np.allclose(ada[70], calm) and np.allclose(bob[70], State.named("fear").vad)
    brow = run.faces["Bob"].values[:, BROW]
    assert np.allclose(brow, bob[:, 1])  # the model saw what the sink was told


def test_a_whole_runs_emotion_is_everybodys(tmp_path: Path) -> None:
    path = tmp_path / "scene.jsonl"
    path.write_text('{"speaker": "ada", "text": "one"}')
    run = Run(Script(path), emotion="anger:50")
    for sink in run.faces.values():
        assert np.allclose(sink.blocks[0].emotion.vad[0], State.named("anger", 0.5).vad)


def test_live_faces_come_in_step(tmp_path: Path) -> None:
    run = Run(script(tmp_path, *SCENE), live=True)
    indices = [[b.frames.start for b in sink.blocks] for sink in run.faces.values()]
    assert indices[0] == indices[1] and indices[0][:78] == list(range(78))
    assert not run.faces["Bob"].values[-1].any() and not run.faces["Ada"].values[-1].any()


def test_a_session_of_one_face_is_as_it_was(tmp_path: Path) -> None:
    """Who speaks alone has the face that a run without faces has, bit for bit."""
    lines = [line.replace("bob", "ada") for line in SCENE]
    alone = ListSink()
    source = script(tmp_path, *lines)
    sinks = [Built(alone, "list", "sink")]
    Session(profile(), source, "scene", sinks=sinks, registry=REGISTRY).run()
    run = Run(script(tmp_path, *lines))
    assert np.array_equal(run.faces["Ada"].values, alone.values)
    assert np.array_equal(run.whole.samples, alone.samples)
    assert not run.faces["Bob"].values[:, JAW].any()


def test_sounds_of_other_rates_stay_with_their_speakers(tmp_path: Path) -> None:
    """What a resampler holds back at a turn's end is still that speaker's."""
    for name, rate in (("a", 22050), ("b", 8000)):
        soundfile.write(tmp_path / f"{name}.wav", voiced(0.5, rate).samples, rate)
    lines = ('{"speaker": "ada", "audio": "a.wav"}', '{"speaker": "bob", "audio": "b.wav"}') * 2
    run = Run(script(tmp_path, *lines), rate=16000)
    ada, bob = (sink.samples for sink in run.faces.values())
    assert len(ada) == len(bob) == len(run.whole.samples) == 32000
    assert np.array_equal(ada + bob, run.whole.samples)
    for i, (loud, still) in enumerate(((ada, bob), (bob, ada)) * 2):
        span = slice(8000 * i, 8000 * (i + 1))
        assert not still[span].any() and np.abs(loud[span]).max() > 0.1


def test_a_narrator_is_heard_and_moves_no_face(tmp_path: Path) -> None:
    speakers = {**TWO, "narrator": Speaker()}
    lines = ('{"speaker": "narrator", "text": "once"}', '{"speaker": "ada", "text": "one"}')
    run = Run(script(tmp_path, *lines), speakers=speakers)
    assert text(run.whole) == ["once", "one"] and text(run.faces["Ada"]) == ["one"]
    assert not run.faces["Ada"].values[:13, JAW].any()
    assert np.abs(run.whole.samples[:3200]).max() > 0.2


def test_two_speakers_may_have_one_face(tmp_path: Path) -> None:
    PARTS["low"] = lambda config, context: Beep(8000)
    speakers = {**TWO, "ghost": Speaker((ComponentSpec("low"),), "Bob")}
    lines = ('{"speaker": "bob", "text": "one"}', '{"speaker": "ghost", "text": "two"}')
    run = Run(script(tmp_path, *lines), speakers=speakers)
    assert list(run.faces) == ["Ada", "Bob"] and text(run.faces["Bob"]) == ["one", "two"]


def test_a_transcript_is_cut_up_by_face(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", voiced(0.2, 16000).samples, 16000)
    lines = [
        f'{{"speaker": "{who}", "audio": "a.wav", "transcript": "{said}"}}'
        for who, said in (("ada", "Hi Bob."), ("bob", "Hello."), ("ada", "Bye."))
    ]
    run = Run(script(tmp_path, *lines))
    contexts = [face.assembly.context for face in run.session.faces.all]
    assert [one.transcript for one in contexts] == ["Hi Bob. Bye.", "Hello."]
    assert [one.name for one in contexts] == ["scene.Ada", "scene.Bob"]


REFUSED = {
    "text": (lambda: GivenText("one"), InputError, "it is not said who speaks, and the run has"),
    "turn": (lambda: Items(Text("one")), InputError, "it is not said who speaks, and the run has"),
    "sound": (lambda: Items(voiced(1.0, 16000)), InputError, "it is not said who speaks"),
    "frames": (
        lambda: Items(Frames(np.zeros((4, 61), np.float32), RIG, Fraction(60), 0)),
        ProfileError,
        "frames move one face, and the speakers have several; remove 'subject'",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_input_that_does_not_say_who_speaks_is_refused(what: str) -> None:
    make, kind, line = REFUSED[what]
    with pytest.raises(kind) as caught:
        Run(make())
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)


def test_a_program_that_takes_one_face_is_refused() -> None:
    sinks = [Built(ListSink(), "list", "sink")]
    with pytest.raises(ProfileError, match="this takes one; remove 'subject'"):
        Session(profile(speakers=TWO), GivenText("one"), sinks=sinks, registry=REGISTRY)


def sinks_of(folder: Path, *specs: ComponentSpec) -> list[Built]:
    source = script(folder, '{"speaker": "ada", "text": "one"}')
    chosen = Profile(name="two", speakers=TWO, sinks=specs)
    return Session(chosen, source, "take", folder)._outputs


def test_files_are_one_a_face_and_those_of_the_sound_one(tmp_path: Path) -> None:
    names = ("files.npz", "files.wav", "files.srt", "files.livelink_csv")
    made = sinks_of(tmp_path, *(ComponentSpec(name) for name in names))
    found = [(one.subject, one.stage.path.name) for one in made]
    assert found == [
        ("Ada", "take.Ada.npz"), ("Bob", "take.Bob.npz"), (None, "take.wav"), (None, "take.srt"),
        ("Ada", "take.Ada.csv"), ("Bob", "take.Bob.csv"),
    ]  # fmt: skip


def test_a_sink_may_say_whose_face_it_gets(tmp_path: Path) -> None:
    specs = [ComponentSpec(name, {"subject": "Bob"}) for name in ("osc.vmc", "files.wav")]
    made = sinks_of(tmp_path, *specs)
    assert [one.subject for one in made] == ["Bob", "Bob"]
    assert made[1].stage.path.name == "take.Bob.wav"  # his own sound


def test_a_live_sink_with_a_name_of_its_own_gets_each_faces(tmp_path: Path) -> None:
    """Also where a profile states the option's default, as metahuman-live does."""
    for options in ({}, {"subject": "Facewire"}):
        made = sinks_of(tmp_path, ComponentSpec("livelink", options))
        assert [one.subject for one in made] == ["Ada", "Bob"]
        assert [one.stage._config.subject for one in made] == ["Ada", "Bob"]
    with pytest.raises(ProfileError, match="'Cara' is no speaker's"):
        sinks_of(tmp_path, ComponentSpec("livelink", {"subject": "Cara"}))


def test_sinks_that_cannot_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        sinks_of(tmp_path, ComponentSpec("osc.vmc", {}, "p.yaml: sinks[0]"))
    line = str(caught.value)
    assert line.startswith("p.yaml: sinks[0]: sink 'osc.vmc' (facewire-osc ")
    assert line.endswith(
        "shows one face, and there are 2; say whose, and name one for each: subject: Ada"
    )
    with pytest.raises(ProfileError) as caught:
        sinks_of(tmp_path, ComponentSpec("osc.vmc", {"subject": "Bobb"}, "p.yaml: sinks[0]"))
    assert str(caught.value) == (
        "p.yaml: sinks[0].subject: 'Bobb' is no speaker's; did you mean 'Bob'? (known: Ada, Bob)"
    )
    with pytest.raises(InputError, match=r"another path in the profile \(with {name} in it\)"):
        sinks_of(tmp_path, ComponentSpec("files.npz", {"path": "{out}/x.npz"}))


def test_check_names_the_faces(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "speakers: {ada: {subject: Ada}, bob: {subject: Bob}}\n"
        "model: phonemes\nsinks: [livelink, files.wav]\n"
    )
    said = CliRunner().invoke(check, [str(path)])
    assert said.exit_code == 0, said.output
    words = [" ".join(line.split()) for line in said.output.splitlines()]
    assert "face Ada speaker ada" in words and "face Bob speaker bob" in words
    assert any(line.startswith("sink livelink of Bob facewire-livelink") for line in words)
    assert sum(line.startswith("sink files.wav ") for line in words) == 1


def test_the_closing_table_names_the_faces(tmp_path: Path) -> None:
    report = Run(script(tmp_path, *SCENE)).report
    assert dict(report.rows())["faces"] == "Ada, Bob"


@pytest.mark.parametrize("count", [0, 1, 7, 19, 20])
def test_a_block_is_parted_at_a_frame(count: int) -> None:
    rate, fps, start = 22050, Fraction(60), 1001
    begin, end = (first_sample(k, rate, fps) for k in (start, start + 20))
    sound = np.arange(end - begin, dtype=np.float32)
    marks = tuple(Mark("word", str(i), begin + 367 * i, begin + 367 * i + 9) for i in range(20))
    values = np.arange(20 * len(RIG), dtype=np.float32).reshape(20, -1)
    whole = Block(
        Frames(values, RIG, fps, start), neutral(20, start, fps), Audio(sound, rate, begin, marks)
    )
    one, other = parted(whole, count)
    assert (len(one.frames), other.frames.start) == (count, start + count)
    assert len(one.emotion) == count and other.emotion.start == start + count
    assert other.audio.start == first_sample(start + count, rate, fps)
    assert np.array_equal(np.concatenate([one.audio.samples, other.audio.samples]), sound)
    assert np.array_equal(np.concatenate([one.frames.values, other.frames.values]), values)
    assert one.audio.marks + other.audio.marks == marks
    assert all(mark.start < other.audio.start for mark in one.audio.marks)
