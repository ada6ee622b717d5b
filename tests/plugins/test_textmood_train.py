"""Training on a corpus of a few lines, and the export against torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra [train]")
pytest.importorskip("sklearn", reason="training needs the extra [train]")
pytest.importorskip("safetensors", reason="training needs the extra [train]")

from facewire.emotion import LABELS  # noqa: E402
from facewire.errors import InputError  # noqa: E402
from facewire_textmood.corpora import EKMAN, ORIGINAL  # noqa: E402
from facewire_textmood.network import Network as Shipped  # noqa: E402
from facewire_textmood.network import sigmoid, softmax  # noqa: E402
from facewire_textmood.train import encoder as encoder_module  # noqa: E402
from facewire_textmood.train import export as export_module  # noqa: E402
from facewire_textmood.train.calibrate import blank_settings, write_settings  # noqa: E402
from facewire_textmood.train.encoder import TASKS, Network, trimmed  # noqa: E402
from facewire_textmood.train.examples import (  # noqa: E402
    Example,
    batches,
    load,
    read_own,
    varied,
)
from facewire_textmood.train.export import export, quantised  # noqa: E402
from facewire_textmood.train.fit import fit, gathered, loss_of  # noqa: E402
from facewire_textmood.train.probes import features, fit_probes  # noqa: E402
from facewire_textmood.wordpiece import OTHER, SELF, SPECIAL, WordPiece  # noqa: E402

WORDS = ("i", "am", "so", "glad", "sad", "angry", "you", "the", "bus", "is", "here", "now")
VOCABULARY = [*SPECIAL, *WORDS, ".", "!", "?"]
LINES = [
    ("i am so glad now !", "joy", "joy", 1.0),
    ("i am sad . so sad .", "sadness", "sadness", -1.0),
    ("you ! i am angry !", "anger", "anger", -1.2),
    ("the bus is here .", "neutral", "neutral", 0.0),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads that wait for each other on a busy machine take minutes for a second's work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name, labels, column in (("original", ORIGINAL, 1), ("ekman", EKMAN, 2)):
        folder = tmp_path / "goemotions" / name
        folder.mkdir(parents=True)
        (folder / "labels.txt").write_text("\n".join(labels))
        rows = "".join(f"{line[0]}\t{labels.index(line[column])}\tx\n" for line in LINES * 3)
        for split in ("train", "dev"):
            (folder / f"{split}.tsv").write_text(rows)
    rows = [
        f"doc_{i * 50}_{i * 50 + 40},{split},{3 + line[3]},3.2,3.0,{line[0]}"
        for i, (line, split) in enumerate(zip(LINES * 2, ["train"] * 6 + ["dev"] * 2, strict=True))
    ]
    (tmp_path / "emobank").mkdir()
    (tmp_path / "emobank/train_dev.csv").write_text("\n".join(["id,split,V,A,D,text", *rows]))
    (tmp_path / "own.tsv").write_text(
        "# ours\nneutral\tthe bus\npride\ti am so glad\nsulk\tnow .\t[OTHER] you\n"
    )
    return tmp_path


def test_corpora_become_examples(corpus: Path) -> None:
    found = load(corpus, corpus / "own.tsv")
    assert [len(part) for part in (found.goemotions, found.goemotions_dev)] == [12, 12]
    first = found.goemotions[0].targets
    assert first["original"][ORIGINAL.index("joy")] == first["ekman"][EKMAN.index("joy")] == 1
    assert first["faces"][LABELS.index("joy")] == 1
    assert [len(found.emobank), len(found.emobank_dev)] == [6, 2]
    assert found.emobank[0].context == ()
    assert found.emobank[1].context == ((SELF, LINES[0][0]),)
    assert found.emobank[0].targets["vad"] == pytest.approx([1.0, 0.2, 0.0])
    assert len(found.own_dev) == 1  # every eighth line
    assert found.own[1].context == ((OTHER, "you"),)
    assert found.own[0].targets["faces"][LABELS.index("pride")] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [("mirth\thi", "expected a label"), ("joy", "expected a label"), ("joy\ta\tb", r"\[SELF\]")],
)
def test_wrong_lines_of_our_own(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text(line)
    with pytest.raises(InputError, match=f"own.tsv:1: .*{message}"):
        read_own(tmp_path / "own.tsv")


def test_lines_are_varied_the_same_way_each_time() -> None:
    lines = [Example(f"first {i}. last {i}.") for i in range(400)]
    runs = [list(varied(lines, np.random.default_rng(1))) for _ in range(2)]
    assert [(e.text, e.context) for e in runs[0]] == [(e.text, e.context) for e in runs[1]]
    strange = [e for e in runs[0] if e.context and e.text.startswith("first")]
    cut = [e for e in runs[0] if e.text.startswith("last")]
    assert 70 < len(strange) < 130 and 25 < len(cut) < 75
    number = cut[0].text.removeprefix("last ")
    assert cut[0].context == ((SELF, f"first {number}"),)


def test_batches_hold_everything_once() -> None:
    pieces = WordPiece(VOCABULARY)
    lines = [Example(" ".join(["sad"] * (i % 7)), (), {"vad": np.full(3, i)}) for i in range(40)]
    found = batches(lines, pieces, TASKS, 8, np.random.default_rng(0))
    assert sorted(int(v) for b in found for v in b.targets["vad"][:, 0]) == list(range(40))
    for batch in found:
        assert np.isnan(batch.targets["faces"]).all()
        assert ((batch.tokens > 0).sum(axis=1) == batch.sentence).all()


def test_heads_without_a_target_do_not_count() -> None:
    columns = torch.randn(2, sum(TASKS.values()), requires_grad=True)
    targets = {name: np.full((2, n), np.nan, np.float32) for name, n in TASKS.items()}
    assert loss_of(columns, targets).item() == 0.0
    targets["vad"][0] = 0.5
    loss_of(columns, targets).backward()
    assert columns.grad is not None
    moved = np.flatnonzero(columns.grad.numpy().any(axis=0)).tolist()
    assert moved == [35, 36, 37]  # the three columns of VAD


def test_quantised_weights_are_within_half_a_step() -> None:
    weights = np.random.default_rng(0).standard_normal((8, 30)).astype(np.float32)
    small, scale = quantised(weights)
    assert small.dtype == np.int8
    assert (np.abs(small * scale - weights) <= scale / 2 + 1e-7).all()


def test_it_learns_and_the_export_says_the_same(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (encoder_module, export_module):
        monkeypatch.setattr(module, "LAYERS", 2)  # what six do in an hour, two do in a second
        monkeypatch.setattr(module, "DEPTHS", (0, 2))
    torch.manual_seed(0)
    found = load(corpus, corpus / "own.tsv")
    pieces, network = WordPiece(VOCABULARY), Network(len(VOCABULARY))
    random = np.random.default_rng(0)
    lines = [*found.goemotions, *found.emobank]
    fit(network, [lambda: batches(lines, pieces, TASKS, 6, random)] * 25, 4e-4, print)
    guess, wanted = gathered(network, batches(found.goemotions_dev, pieces, TASKS, 6))
    assert (guess["ekman"].argmax(axis=1) == wanted["ekman"].argmax(axis=1)).mean() > 0.9

    (tmp_path / "vocabulary.txt").write_text("\n".join(VOCABULARY))
    write_settings(tmp_path / "settings.json", blank_settings())
    fit_probes(network, pieces, found)
    export(network, tmp_path / "textmood.onnx")
    shipped = Shipped(tmp_path)
    for text, context in ((LINES[0][0], ()), (LINES[1][0], ((OTHER, "the bus is here"),))):
        columns = shipped.read(text, context)
        line = Example(text, context)
        [rows] = gathered(network, batches([line], pieces, TASKS, 1))[0]["original"]
        seen = torch.from_numpy(features(network, pieces, [line]))
        faces, vad = (network.probes[name](seen).detach().numpy()[0] for name in ("faces", "vad"))
        assert columns.original == pytest.approx(sigmoid(rows), abs=0.05)
        assert columns.faces == pytest.approx(softmax(faces), abs=0.05)
        assert columns.vad == pytest.approx(vad + 3.0, abs=0.1)
    assert LABELS[int(shipped.read("i am so glad").faces.argmax())] == "pride"  # as in own.tsv


def test_a_vocabulary_is_trimmed_to_what_is_used() -> None:
    base = ["[PAD]", "[UNK]", "the", "##e", "q", "lemon", "of", "rare"]
    kept = trimmed(base, {"lemon": 5, "rare": 1}, len(SPECIAL) + 4)
    assert kept == [*SPECIAL, "##e", "q", "lemon", "the"]
