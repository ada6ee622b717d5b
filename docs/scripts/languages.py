"""Speak one sentence in each language and judge the lips: ``python docs/scripts/languages.py``.

Prints the table of docs/articulation.md.
"""

from __future__ import annotations

from math import isnan
from pathlib import Path

import facewire
from facewire.articulation import ClosureReport, PhoneTime, lip_gap, measure
from facewire.articulation.phones import read_phone
from facewire.yaml_loader import load_yaml

SENTENCES = Path(__file__).with_name("languages.yaml")


def judge(lang: str, text: str) -> tuple[int, ClosureReport]:
    """Return how many p, b and m a sentence has, and how its lips are judged."""
    clip = facewire.animate(text=text, overrides=[f"lang={lang}"])
    rate = clip.audio.rate
    marks = [mark for mark in clip.marks if mark.kind == "phone"]
    phones = [PhoneTime(mark.text, mark.start / rate, mark.end / rate) for mark in marks]
    gap = lip_gap(clip.frames.values, clip.frames.rig)
    labials = sum(read_phone(phone.text).kind == "closure" for phone in phones)
    return labials, measure(gap, float(clip.frames.fps), phones)


def main() -> None:
    """Print the table."""
    print("| language | p, b, m | recall | precision | timing | release |")
    print("| --- | --- | --- | --- | --- | --- |")
    for lang, text in load_yaml(SENTENCES, SENTENCES.name).items():
        labials, found = judge(lang, text)
        shares = [found.recall, found.precision, found.release]
        recall, precision, release = ("" if isnan(x) else f"{100 * x:.0f} %" for x in shares)
        timing = f"{1000 * found.timing:.0f} ms"
        print(f"| {lang} | {labials} | {recall} | {precision} | {timing} | {release} |")


if __name__ == "__main__":
    main()
