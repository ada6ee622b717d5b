"""The judge: phones aligned to a transcript, apart from what any engine hears.

The recording is padded and a faint noise laid over it, other than the aligner's own: an engine
that aligns with the same tool is then not compared with itself.
"""

from __future__ import annotations

import numpy as np
import soxr
from facewire.articulation import PhoneTime
from facewire.assemble import shared
from facewire.types import Audio, Context

from facewire_eval.items import Sound

RATE = 16000
PADDING = 5500
"""Samples before the recording: no multiple of the aligner's frames."""
NOISE = 3e-4


def align(sound: Sound, text: str) -> list[PhoneTime]:
    """Return the phones of a transcript (ARPAbet) in seconds; InputError if not English."""
    from facewire_phonemes.config import ExtractorConfig
    from facewire_phonemes.extractor import PhoneExtractor

    samples = soxr.resample(sound.samples, sound.rate, RATE)
    context = Context(name="judge", seed=7, transcript=text, lang=sound.lang or "en", shared=shared)
    noise = context.random("eval.judge").normal(0, NOISE, len(samples) + PADDING + 3500)
    noise[PADDING : PADDING + len(samples)] += samples
    stage = PhoneExtractor(ExtractorConfig(), context)
    parts = [stage.push(Audio(noise.astype(np.float32), RATE)), *stage.flush()]
    marks = [mark for part in parts for mark in part.marks if mark.kind == "phone"]
    return [
        PhoneTime(m.text, max(0.0, (m.start - PADDING) / RATE), (m.end - PADDING) / RATE)
        for m in marks
    ]
