"""What the command line prints stands there as it was given: it may be a user's text."""

from __future__ import annotations

import pytest
from facewire.cli.show import Progress, closing_table, listing, say
from facewire.report import Report

ODD = r"write \[ for a [bold]bracket[/bold], \\[x], :smile: and [/]"


def test_text_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(ODD, None, quiet=False) as progress:
        progress.note(ODD)
    say(ODD)
    assert capsys.readouterr() == (f"{ODD}\n", f"{ODD}\n")


def test_neither_is_it_in_tables(capsys: pytest.CaptureFixture[str]) -> None:
    say(listing(["id", "[b]about"], [["one", ODD]]))
    say(closing_table(Report(ODD, "default", notes=[ODD], results=[ODD])))
    told = capsys.readouterr().out
    assert told.count(ODD) == 4 and "[b]about" in told
