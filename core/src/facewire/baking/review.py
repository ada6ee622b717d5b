"""The review page, ``OUT/review.html``: a script's lines, worst first, to hear, see and decide."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from facewire.baking.decisions import Decision
from facewire.baking.digest import short
from facewire.baking.plan import Plan
from facewire.baking.record import read_record, write_whole
from facewire.baking.show import FOLDER, in_script, show_path
from facewire.baking.work import Job
from facewire.errors import InputError

PAGE = "review.html"


def review_jobs(plan: Plan) -> list[Job]:
    """Return the jobs of a bake with a review.

    Lines that are done, or locked as they are, run again without outputs where the page has no
    data of them yet. InputError if a line's files would be the page's.
    """
    page = Path(PAGE).stem
    if page in map(str.casefold, plan.names):
        raise InputError(f"a line is called '{page}', as the review page is; give it another 'out'")
    stale = {job.name for job in plan.stale}
    there = [job for job in (*plan.done, *plan.locked) if job.name not in stale]
    missing = [job for job in there if not show_path(job.out, job.name).is_file()]
    return [
        *(replace(job, review="beside") for job in plan.todo),
        *(replace(job, review="only") for job in missing),
    ]


def write_review(
    out: Path, title: str, jobs: Iterable[Job], decisions: Mapping[str, Decision]
) -> Path:
    """Write the page of the lines that have a record; return its path."""
    rows = [
        _row(job, record, decisions.get(job.name, Decision()))
        for job in jobs
        if (record := read_record(out, job.name))
    ]
    rows.sort(key=lambda row: (-row["suspicion"], row["name"]))
    template = files("facewire").joinpath("data/baking/review.html").read_text("utf-8")
    head, rest = template.split("{{TITLE}}")
    middle, tail = rest.split("{{ROWS}}")
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    path = out / PAGE
    write_whole(path, head + html.escape(title) + middle + in_script(text) + tail)
    return path


def version_of(record: Mapping[str, Any]) -> str:
    """Return what stands for a bake of a line: an approval holds for this one alone."""
    return short([record.get("digests"), record.get("scores"), record.get("error")])


def _row(job: Job, record: Mapping[str, Any], decided: Decision) -> dict[str, Any]:
    scores, version = record.get("scores") or {}, version_of(record)
    causes = list(scores.get("causes", []))
    if "error" in record:
        causes = [f"failed: {record['error']}"]
    old = decided.decision == "approve" and decided.version != version
    state = None if old or decided.decision == "reject" else decided.decision
    return {
        "name": job.name,
        "id": job.row["id"],
        "text": job.row.get("transcript") or job.row.get("text") or "",
        "speaker": job.row.get("speaker") or "",
        "file": job.row.get("audio") or "",
        "seconds": record.get("seconds", 0),
        "suspicion": 1.0 if "error" in record else scores.get("suspicion", 0.0),
        "causes": causes,
        "measures": scores.get("measures", {}),
        "notes": record.get("notes", []),
        "data": _url(f"{FOLDER}/{job.name}.js") if show_path(job.out, job.name).is_file() else "",
        "head": next((_url(p) for p in record.get("outputs", []) if p.endswith(".html")), ""),
        "version": version,
        "decision": "lock" if job.row.get("locked") else state,
        "note": decided.note,
    }


def _url(path: str) -> str:
    return quote(path)
