"""The measuring script, on files it finds and on files that are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from facewire_textmood.corpora import EKMAN, ORIGINAL
from facewire_textmood.evaluate import main

Capture = pytest.CaptureFixture[str]

LINES = [
    ("Thank you so much!", "gratitude", "joy"),
    ("I love this song.", "love", "joy"),
    ("I'm so sad today.", "sadness", "sadness"),
    ("I hate you, shut up!", "anger", "anger"),
    ("The bus leaves at nine.", "neutral", "neutral"),
]


def tsv(path: Path, labels: tuple[str, ...], column: int, names: bool = True) -> Path:
    rows = [f"{line[0]}\t{labels.index(line[column])}\tid{i}" for i, line in enumerate(LINES)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    if names:
        path.with_name("labels.txt").write_text("\n".join(labels), "utf-8")
    return path


def emobank(path: Path) -> Path:
    rows = ["id,split,V,A,D,text", 'a,dev,4.2,3.6,3.4,"What a great, great day!"']
    rows += ["b,dev,1.8,3.4,2.6,She was murdered.", "c,dev,3.0,2.6,3.0,The table is brown."]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_both_label_sets_and_emobank(tmp_path: Path, capsys: Capture) -> None:
    for folder, labels, column in (("o", ORIGINAL, 1), ("e", EKMAN, 2)):
        (tmp_path / folder).mkdir()
        assert main(["--goemotions", str(tsv(tmp_path / folder / "x.tsv", labels, column))]) == 0
        out = capsys.readouterr().out.splitlines()
        assert re.fullmatch(
            rf"goemotions: x.tsv: 5 lines, {len(labels)} labels: macro-F1 0\.\d{{4}}", out[0]
        )
        scores = dict(re.findall(r"(\w+): F1 ([\d.]+)", "\n".join(out[1:])))
        assert list(scores) == list(labels)
        assert float(scores["neutral"]) > 0 and float(scores[LINES[2][column]]) > 0
    assert main(["--emobank", str(emobank(tmp_path / "e.csv"))]) == 0
    line = capsys.readouterr().out
    assert re.fullmatch(
        r"emobank: e.csv: 3 sentences: r V [01]\.\d+, A -?\d.\d+, D -?\d.\d+\n", line
    )


def test_the_order_of_labels_txt_counts(tmp_path: Path, capsys: Capture) -> None:
    shuffled = tuple(reversed(EKMAN))
    path = tsv(tmp_path / "x.tsv", shuffled, 2)
    main(["--goemotions", str(path)])
    turned = capsys.readouterr().out.splitlines()
    (tmp_path / "labels.txt").unlink()
    path = tsv(tmp_path / "x.tsv", EKMAN, 2, names=False)
    assert main(["--goemotions", str(path), "--labels", "ekman"]) == 0
    plain = capsys.readouterr().out.splitlines()
    assert plain[0] == turned[0] and sorted(plain) == sorted(turned)


def no_labels(path: Path) -> list[str]:
    return ["--goemotions", str(tsv(path / "x.tsv", EKMAN, 2, names=False))]


def odd_labels(path: Path) -> list[str]:
    (path / "labels.txt").write_text("joy\nanger\n")
    return ["--goemotions", str(tsv(path / "x.tsv", EKMAN, 2, names=False))]


def wrong_number(path: Path) -> list[str]:
    (path / "x.tsv").write_text("fine\t1\ta\nbad\t7\tb\n")
    return ["--goemotions", str(path / "x.tsv"), "--labels", "ekman"]


def no_file(path: Path) -> list[str]:
    return ["--goemotions", str(path / "none.tsv"), "--labels", "ekman"]


def wrong_columns(path: Path) -> list[str]:
    (path / "x.csv").write_text("id,V,A,text\n1,3,3,hello\n")
    return ["--emobank", str(path / "x.csv")]


def wrong_rating(path: Path) -> list[str]:
    (path / "x.csv").write_text("V,A,D,text\n3,3,3,hello\n3,high,3,bye\n")
    return ["--emobank", str(path / "x.csv")]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_labels, "x.tsv: no labels.txt beside it; say --labels ekman or original"),
        (odd_labels, "labels.txt: found 2 labels, expected GoEmotions' 28 or 7"),
        (
            wrong_number,
            "x.tsv:2: found 'bad\\\\t7\\\\tb', expected text, tab, label numbers 0 to 6",
        ),
        (no_file, r"none.tsv: cannot be read \(No such file or directory\); name a text file"),
        (wrong_columns, "x.csv: expected a CSV table with the columns V, A, D and text"),
        (wrong_rating, r"x.csv: row 3: found V, A, D \['3', 'high', '3'\], expected three numbers"),
    ],
)
def test_wrong_files(
    make: Callable[[Path], list[str]], message: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(make(tmp_path)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(message, line)


def test_nothing_to_do(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "name a file with --goemotions or --emobank" in capsys.readouterr().err


def test_a_sample_of_dev_reaches_what_is_documented(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    """A tenth of dev: the figures of all of it are in the model card."""
    for name, least in (("ekman", 0.50), ("original", 0.38)):
        folder = data / "text" / "goemotions" / name
        (tmp_path / "labels.txt").write_text((folder / "labels.txt").read_text())
        lines = (folder / "dev.tsv").read_text("utf-8").splitlines()[::10]
        (tmp_path / "dev.tsv").write_text("\n".join(lines), "utf-8")
        main(["--goemotions", str(tmp_path / "dev.tsv")])
        score = re.search(r"macro-F1 ([\d.]+)", capsys.readouterr().out)
        assert score and float(score[1]) > least
    head, *rows = (data / "text" / "emobank/train_dev.csv").read_text("utf-8").splitlines()
    dev = [row for row in rows if ",dev," in row][::3]
    (tmp_path / "dev.csv").write_text("\n".join([head, *dev]), "utf-8")
    main(["--emobank", str(tmp_path / "dev.csv")])
    found = [float(r) for r in re.findall(r"[VAD] (-?[\d.]+)", capsys.readouterr().out)]
    assert found[0] > 0.65 and found[1] > 0.35 and found[2] > 0.25


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facewire_textmood.evaluate", "--emobank"]
    done = subprocess.run(
        [*command, str(emobank(tmp_path / "e.csv"))], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("emobank: e.csv: 3 sentences: r V")
