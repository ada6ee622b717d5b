"""The voice ``command``, with real programs."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import facewire
import numpy as np
import pytest
import soundfile
from facewire.errors import PluginError, ProfileError
from facewire.types import Audio, Context, Utterance
from facewire.voicing import VoiceError
from facewire_command.plugin import CommandConfig
from facewire_command.program import Program
from facewire_command.sound import decode, mended
from facewire_command.tone import RATE, tones

TONE = (sys.executable, "-m", "facewire_command.tone")


def program(*command: str, **options: object) -> Program:
    return Program(CommandConfig(command, **options), Context())  # type: ignore[arg-type]


def python(code: str, *args: str, **options: object) -> Program:
    return program(sys.executable, "-c", code, *args, **options)


def say(voice: Program, text: str, **more: object) -> Audio:
    pieces = list(voice.speak(Utterance(text, **more)))  # type: ignore[arg-type]
    at = 0
    for piece in pieces:
        assert piece.start == at and piece.rate == voice.rate
        at = piece.end
    return Audio(np.concatenate([piece.samples for piece in pieces]), voice.rate)


def test_text_goes_in_and_sound_comes_out() -> None:
    assert len(say(program(*TONE), "one two three")) == 3 * RATE // 4 - 1  # whole samples a word
    assert list(program(*TONE).speak(Utterance(" \n"))) == []


def test_the_sound_is_brought_to_the_voices_rate() -> None:
    audio = say(program(*TONE, rate=16000), "one two three four")
    assert len(audio) == pytest.approx(16000, abs=300)
    assert 0.2 < np.abs(audio.samples).max() < 0.3


SCRIPT = """
import sys, pathlib
from facewire_command.tone import tones
args = dict(a.split('=', 1) for a in sys.argv[1:])
print(args, repr(sys.stdin.read()), file=open(args['log'], 'w', encoding='utf-8'))
pathlib.Path(args['wav']).write_bytes(tones('x'))
"""


def test_what_a_program_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    voice = python(
        SCRIPT, f"log={log}", "wav={wav}", "t={text}", "l={lang}", "s={speaker}", "b={{x}}"
    )
    said = "-q 'quoted' $HOME; `ls`\nnext\x00 line \ud800 é"
    say(voice, said, lang="de", speaker="ada")
    seen, given = log.read_text("utf-8").rsplit("} ", 1)
    assert "'t': \"-q 'quoted' $HOME; `ls` next  line   é\"" in seen
    assert "'l': 'de', 's': 'ada', 'b': '{x}'" in seen and given.strip() == "''"
    without = python(SCRIPT, f"log={log}", "wav={wav}")
    say(without, said)
    assert log.read_text("utf-8").endswith('next  line   é\\n"\n')
    assert not [p for p in Path(os.environ.get("TMPDIR", "/tmp")).glob("facewire-command-*/*")]


FAILURES = {
    "import sys; sys.exit('first\\nno voice called x')": "failed (1): no voice called x",
    "pass": "wrote no sound to standard output",
    "print('hello')": "not a sound file",
    "import time; time.sleep(60)": "was ended after 0.5 s",
    "import sys; sys.stdout.buffer.write(b'RIFF0000WAVEfmt ')": "not a sound file",
    "import os; os.abort()": "failed (-6)",
}


@pytest.mark.parametrize("code", FAILURES)
def test_programs_that_fail(code: str) -> None:
    with pytest.raises(VoiceError) as error:
        say(python(code, timeout=0.5 if "sleep" in code else 60.0), "Hi.")
    assert FAILURES[code] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(VoiceError, match="was ended"):
        say(python(code, timeout=3.0), "Hi.")
    for _ in range(200):
        stat = Path(f"/proc/{pid.read_text()}/stat")
        if not stat.exists() or stat.read_text().split(") ")[1][0] == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("the child of the program lives on")


def test_wrong_options(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no program 'no-such-program' is found"):
        program("no-such-program")
    for argument in ("{wave}", "{", "x}", "{text!r}"):
        with pytest.raises(ProfileError, match=r"expected \{text\}, \{wav\}, \{lang\}"):
            program(sys.executable, argument)
    for wrong in ({"command": ()}, {"command": (" ",)}, {"rate": 1}, {"timeout": 0}):
        with pytest.raises(ValueError, match="found"):
            CommandConfig(**({"command": ("x",)} | wrong))  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line")
def test_a_path_is_relative_to_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "bin/say"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m facewire_command.tone\n")
    path.chmod(0o755)
    voice = Program(CommandConfig(("bin/say",)), Context(base=tmp_path))
    assert len(say(voice, "one"))


def test_streamed_and_other_wavs() -> None:
    wav = tones("one two")
    whole = np.concatenate([a.samples for a in decode(wav, "x", RATE)])
    assert mended(wav) == wav
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        streamed = wav[:4] + size + wav[8:40] + size + wav[44:]
        assert mended(streamed) == wav
    stereo = io.BytesIO()
    soundfile.write(stereo, np.stack([whole, -whole], 1), RATE, "FLOAT", format="WAV")
    assert np.abs(next(decode(stereo.getvalue(), "x", RATE)).samples).max() == 0
    loud = io.BytesIO()
    soundfile.write(loud, whole * 1e6, RATE, "FLOAT", format="WAV")
    assert np.abs(next(decode(loud.getvalue(), "x", RATE)).samples).max() == 1


def test_from_text_to_frames(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    words = ", ".join(f"'{word}'" for word in TONE)
    profile.write_text(f"extends: default\nvoice: {{use: command, command: [{words}]}}\n")
    clip = facewire.animate(text="[joy] One two. [sad] Three four.", profile=profile)
    assert clip.report.seconds == pytest.approx(1.0, abs=0.01)
    assert len(clip.frames) == 60
