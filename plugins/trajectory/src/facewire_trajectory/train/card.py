"""The model card: what the weights were learnt from, their licences and figures, their limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facewire_trajectory.corpus import Corpus

LIMITS = """\
- Synthetic voices teach synthetic articulation: most of the speech is spoken by synthesisers and
  its targets are solved from phone times, not captured.
- Captured faces are few, of one speaker and one language; only mouth channels moved in them.
- From sound alone a closure is a guess: /p b m/ in noise, in a whisper or far from the microphone
  are missed, and some /w f v l n/ close the lips. With phone times none of this holds (`file`).
- Tongue curves were never measured against captures.
- Singing, creaky voice and children were not learnt.
"""


def write_card(
    out: Path,
    corpus: Corpus,
    plan: Mapping[str, Any],
    judged: Mapping[str, Mapping[str, float]],
    without: Sequence[str],
) -> None:
    """Write ``model_card.md`` into a folder."""
    lines = [
        "# Model card: trajectory",
        "",
        "A front end of two convolutions, a recurrent layer, and two heads: `live` reads the",
        "recurrent layer 58 ms behind the sound, `file` refines it with what comes in the second",
        "after. Input: log-mel at 60 rows a second, brought to one level; 16 emotion weights and",
        "valence, arousal, dominance. Output: articulatory curves, the class of sound, a face.",
        "",
        "## Data",
        "",
        "| source | kind | items | minutes | licence |",
        "|---|---|---|---|---|",
        *_sources(corpus, without),
        "",
        "## Training",
        "",
        ", ".join(f"{name} {value}" for name, value in plan.items()),
        "",
        "## Figures on voices never seen",
        "",
        "Means over items of one whole synthesiser and of voices that were held out, sound alone.",
        "`gap`, `jaw`: correlation over 2 to 8 Hz. `live`: spread against the target's. `real`:",
        "captured takes that were left out. Closures as `facewire.articulation.measure` has them.",
        "",
        *_figures(judged),
        "",
        "## Limits",
        "",
        LIMITS,
    ]
    part = out / ".model_card.md.part"
    part.write_text("\n".join(lines), "utf-8")
    part.replace(out / "model_card.md")


def _sources(corpus: Corpus, without: Sequence[str]) -> list[str]:
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for entry in corpus.entries:
        if entry.split == "train" and not any(name in entry.id for name in without):
            found[entry.source, entry.kind, entry.licence].append(entry.seconds)
    return [
        f"| {source} | {kind} | {len(seconds)} | {sum(seconds) / 60:.1f} | {licence} |"
        for (source, kind, licence), seconds in sorted(found.items())
    ]


def _figures(judged: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = list(dict.fromkeys(name for figures in judged.values() for name in figures))
    if not names:
        return ["None were measured."]
    rows = ["| figure | live | file |", "|---|---|---|"]
    for name in names:
        both = (judged[v].get(name, float("nan")) for v in ("live", "file"))
        rows.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in both) + " |")
    return rows
