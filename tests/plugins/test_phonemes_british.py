"""Speech without r before consonants: the dictionary is American, and many speakers are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.profile import load_profile
from facewire.session import Session
from facewire.sources import AudioFile
from facewire.types import Utterance
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak
from facewire_phonemes.lexicon import Dictionary, Lexicon, without_r

WAYS = {
    "R IH1 V ER0": "R IH1 V AH0",  # river
    "S AO1 R D Z": "S AO1 D Z",  # swords
    "HH IY1 R": "HH IY1",  # here
    "V EH1 R IY0": "V EH1 R IY0",  # very
    "M AE1 P": "M AE1 P",  # map
    "L AE1 S T": "L AA1 S T",  # last
    "F L AW1 ER0 IH0 NG": "F L AW1 AH0 R IH0 NG",  # flowering
    "B ER1 D": "B ER1 D",  # bird
    "R OW1 D": "R OW1 D",  # road
}


@pytest.mark.parametrize("way", WAYS)
def test_r_goes_where_no_vowel_follows(way: str) -> None:
    assert " ".join(without_r(tuple(way.split()))) == WAYS[way]


def test_only_ways_that_differ_are_added() -> None:
    lexicon = Lexicon(Dictionary(), lambda word: None)
    assert lexicon.british("map") == []
    assert ("R", "IH1", "V", "AH0") in lexicon.british("river")


@pytest.mark.parametrize(
    ("voice", "speed", "text"),
    [
        ("en-gb-scotland", 145, "Every one of them carried a boat by the river."),
        ("en-gb-scotland", 165, "That old man built my map by the river."),
        ("en-gb", 185, "Every one of them asked me about my map last summer."),
    ],
)
def test_a_british_voice_fits_its_transcript(
    tmp_path: Path, voice: str, speed: int, text: str
) -> None:
    """These were taken for wrong transcripts."""
    pieces = list(Espeak(EspeakConfig(voice=voice, rate=speed)).speak(Utterance(text)))
    sound = np.concatenate([piece.samples for piece in pieces])
    soundfile.write(tmp_path / "a.wav", sound, pieces[0].rate)
    (tmp_path / "p.yaml").write_text("model: phonemes\nsinks: []\n", "utf-8")
    profile = load_profile(tmp_path / "p.yaml")
    session = Session(profile, AudioFile(tmp_path / "a.wav"), out=tmp_path, transcript=text)
    notes = session.run().notes
    assert not any("does not match" in note or "not heard" in note for note in notes), notes
