"""Another language: sentences spoken by espeak, which tells when each phone is spoken."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from facewire.articulation import PhoneTime
from facewire.articulation.tables import load_yaml
from facewire.assemble import assemble
from facewire.errors import FacewireError
from facewire.profile import component, load_profile
from facewire.types import Utterance

from facewire_eval.items import Line, Sound


@cache
def sentences() -> dict[str, list[str]]:
    """Return language code -> sentences, from ``data/languages.yaml``."""
    text = files("facewire_eval").joinpath("data/languages.yaml").read_text("utf-8")
    table = load_yaml(text, "languages.yaml", ("sentences",))
    return dict(table["sentences"])


def spoken(lang: str) -> list[Line] | None:
    """Return the sentences of a language, spoken; None where espeak is not installed."""
    try:
        voice = component({"use": "espeak", "voice": lang}, "eval")
        profile = replace(load_profile("default"), voice=(voice,), lang=lang)
        stage = assemble(profile, f"{lang}", Path("out")).voice.stage
    except FacewireError:
        return None
    lines = []
    for i, text in enumerate(sentences()[lang], 1):
        pieces = list(stage.speak(Utterance(text, lang)))
        rate = pieces[0].rate
        marks = [m for piece in pieces for m in piece.marks if m.kind == "phone"]
        phones = tuple(PhoneTime(m.text, m.start / rate, m.end / rate) for m in marks)
        samples = np.concatenate([piece.samples for piece in pieces])
        lines.append(Line(Sound(f"{lang}/{i}", samples, rate, lang), text, phones))
    return lines
