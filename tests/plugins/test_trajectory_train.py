from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.articulation import CURVES
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.testing import voiced
from facewire.types import Context, Frames
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.level import Level
from facewire_trajectory.mel import RATE, log_mel
from facewire_trajectory.model import DATA, Trajectory
from facewire_trajectory.runtime import REST, WARM, Stream, Weights
from facewire_trajectory.sizes import FILE_AHEAD
from trajectory_parts import FPS, driven

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from facewire_trajectory.corpus.store import Entry, Writer, load  # noqa: E402
from facewire_trajectory.network.graph import load as load_network  # noqa: E402
from facewire_trajectory.network.graph import save  # noqa: E402
from facewire_trajectory.network.module import Network  # noqa: E402
from facewire_trajectory.train.faces import anchors, pairs  # noqa: E402
from facewire_trajectory.train.jolt import jolted  # noqa: E402
from facewire_trajectory.train.loop import STEPS, Plan, Trainer  # noqa: E402
from facewire_trajectory.train.pool import Held, Pool, kept, read  # noqa: E402


def arrays(seconds: float, seed: int) -> dict[str, np.ndarray]:
    """Rows of a sound whose loudness opens the mouth."""
    mel = log_mel(voiced(seconds, RATE, seed).samples)
    loud = np.clip((mel.mean(axis=1) + 10) / 10, 0, 1)
    artic = np.zeros((len(mel), len(CURVES)))
    artic[:, :2] = 0.3 * loud[:, None]
    spoken = (loud > 0.1).astype(np.uint8)
    return {
        "mel": mel, "cond": np.tile(REST, (len(mel), 1)), "artic": artic,
        "mask": np.ones_like(artic), "expr": np.zeros((len(mel), 52)),
        "sound": spoken, "phones": np.where(spoken, 4, 0),
    }  # fmt: skip


def entry(name: str, kind: str, split: str, rows: int) -> Entry:
    marks = [("AA1", 0.2, 0.5), ("B", 0.5, 0.6)] if kind == "speech" else []
    return Entry(name, kind, "made", "v", "en", f"{kind}-{split}", split, "", [], "none",
                 seconds=rows / 60, rows=rows, marks=marks)  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    writer = Writer(folder)
    for i, (kind, split) in enumerate(
        [("speech", "train"), ("speech", "dev"), ("other", "train"), ("vocal", "dev")]
        + [("real", "train")] * 2
    ):
        made = arrays(3.0, i)
        writer.add(entry(f"{kind}-{i}", kind, split, len(made["mel"])), made)
    writer.close()
    return folder


def command(corpus: Path, out: Path, *options: str) -> str:
    from facewire_trajectory.train.__main__ import main

    given = [str(corpus), "--out", str(out), "--batch", "2", "--rows", "64", "--every", "2",
             "--threads", "1", *options]  # fmt: skip
    done = CliRunner().invoke(main, given, catch_exceptions=False)
    return done.output


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    state = load_network(folder).state_dict()
    return {name: value.numpy() for name, value in state.items()}


def test_training_writes_weights_a_card_and_curves_and_can_be_gone_on_with(
    corpus: Path, tmp_path: Path
) -> None:
    said = command(corpus, tmp_path / "whole", "--steps", "4", "--without", "real-5")
    assert "5 items" not in said and "step 4/4" in said and "gap real" in said
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert names == {
        "live.onnx", "file.onnx", "model_card.md", "curves.png", "state.pt", "best.pt",
    }  # fmt: skip
    card = (tmp_path / "whole" / "model_card.md").read_text("utf-8")
    assert "| made | speech | 1 |" in card and "## Limits" in card
    assert (tmp_path / "whole" / "curves.png").read_bytes().startswith(b"\x89PNG")
    model = Trajectory(ModelConfig(weights=tmp_path / "whole"), Context())
    assert driven(model, voiced(1.0, RATE)).shape == (60, 59)
    again = command(corpus, tmp_path / "whole", "--steps", "6", "--without", "real-5")
    assert "goes on after step 4" in again


def test_training_is_seeded(corpus: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        command(corpus, tmp_path / name, "--steps", "2", "--seed", "3", "--begin", str(DATA))
    one, other = weights_of(tmp_path / "one"), weights_of(tmp_path / "other")
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_state_that_is_broken_is_told(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"nothing")
    trainer = Trainer(Plan(), tmp_path, torch.device("cpu"))
    with pytest.raises(InputError, match="cannot be gone on with"):
        trainer.resume()
    with pytest.raises(InputError, match=r"expected a corpus"):
        command(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("variant", ["live", "file"])
def test_the_graph_computes_what_the_network_does(variant: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Network()
    save(network, tmp_path, STEPS)
    made = arrays(2.0, 1)
    rows = len(made["mel"])
    held = Held(entry("x", "speech", "dev", rows), made)
    mel = Level().push(held.rows("mel", -WARM, rows + FILE_AHEAD)[None].astype(np.float32))
    condition = np.random.default_rng(0).uniform(0, 1, (rows, 19)).astype(np.float32)
    with torch.no_grad():
        both = network(torch.from_numpy(mel), torch.from_numpy(condition[None]), WARM)
        faces = network.emotion(torch.from_numpy(condition))[1].numpy()
    expected = both[0 if variant == "live" else 1]
    stream = Stream(Weights(tmp_path / f"{variant}.onnx", variant))
    pieces = [stream.push(mel[0, WARM : WARM + rows], condition), stream.flush()]
    curves = np.concatenate([piece.curves for piece in pieces])
    # a network that learnt nothing forgets slowly how much silence it began with
    assert np.abs(curves - expected.curves[0].numpy()).max() < 0.02
    assert np.abs(curves - expected.curves[0].numpy())[60:].max() < 1e-4
    sound = torch.softmax(expected.sound, -1)[0].numpy()
    assert np.abs(np.concatenate([p.sound for p in pieces]) - sound)[60:].max() < 1e-4
    assert np.abs(np.concatenate([p.face for p in pieces]) - faces).max() < 1e-4


def test_weights_come_back_from_the_graphs(tmp_path: Path) -> None:
    network = Network()
    save(network, tmp_path, STEPS)
    found = weights_of(tmp_path)
    for name, value in network.state_dict().items():
        assert np.array_equal(found[name], value.numpy()), name
    (tmp_path / "live.onnx").unlink()
    with pytest.raises(InputError, match="expected weights of the trajectory model"):
        load_network(tmp_path)


def test_pieces_are_drawn_from_every_kind(corpus: Path) -> None:
    opened = load(corpus)
    pool = Pool(read(opened, ("real-4",)))
    assert pool.count == 3 and set(pool.groups) == {"speech", "other", "real"}
    assert {held.entry.kind for held in kept(opened, ("real-4",))} == {"speech", "vocal", "real"}
    batch = pool.draw(np.random.default_rng(0), 40, 32, 0.5)
    assert batch.mel.shape == (40, WARM + 32 + FILE_AHEAD, 64)
    assert 8 <= batch.real.sum() <= 32
    again = pool.draw(np.random.default_rng(0), 40, 32, 0.5)
    assert all(np.array_equal(a, b) for a, b in zip(batch, again, strict=True))


def test_rows_outside_an_item_are_silence(corpus: Path) -> None:
    item = next(iter(load(corpus).items("train", "speech")))
    held = Held(item.entry, {name: item[name] for name in ("mel", "sound", "mask")})
    rows = held.entry.rows
    around = held.rows("mel", -5, rows + 7)
    assert len(around) == rows + 12
    assert (around[:5] < -13.8).all() and (around[-7:] < -13.8).all()
    assert (held.rows("sound", rows + 1, rows + 4) == 0).all()
    assert (held.rows("mask", -9, -3) == 1).all()


def test_jolts_change_the_sound_and_not_its_shape() -> None:
    mel = np.stack([log_mel(voiced(2.0, RATE).samples)] * 6)
    changed = jolted(np.random.default_rng(0), mel)
    assert changed.shape == mel.shape and np.isfinite(changed).all()
    assert np.abs(changed - mel).mean() > 0.5
    for rows in changed:
        assert np.corrcoef(rows.mean(axis=1), mel[0].mean(axis=1))[0, 1] > 0.5


def test_faces_are_the_compilers() -> None:
    condition, faces = anchors()
    assert condition.shape == (47, 19) and faces.shape == (47, 52)
    drawn, made = pairs(np.random.default_rng(0), 200)
    assert np.allclose(drawn[:, :16].sum(axis=1), 1.0, atol=1e-5)
    assert 0.0 <= made.min() and made.max() <= 1.0 and made.std() > 0.02


def test_an_actors_takes_make_the_network_theirs(tmp_path: Path) -> None:
    pytest.importorskip("facewire_files")
    from facewire_trajectory.finetune import main

    folder = tmp_path / "takes"
    folder.mkdir()
    _take(folder / "a", 12.0, 1)
    out = tmp_path / "own"
    given = [str(folder), "--out", str(out), "--steps", "12", "--batch", "4", "--threads", "1"]
    done = CliRunner().invoke(main, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "before" in done.output and "file: gap, 2 to 8 Hz" in done.output
    assert (out / "finetune.txt").read_text("utf-8").strip() in done.output
    own = Trajectory(ModelConfig(weights=out), Context())
    shipped = Trajectory(ModelConfig(), Context())
    sound = voiced(2.0, RATE)
    assert not np.allclose(driven(own, sound), driven(shipped, sound), atol=1e-3)


def _take(path: Path, seconds: float, seed: int) -> None:
    """Write a sound and a Live Link Face take whose jaw follows its loudness."""
    import soundfile
    from facewire.types import Audio, Block, Emotion, RunInfo
    from facewire_files.livelink_csv import LiveLinkCsv

    sound = voiced(seconds, RATE, seed)
    soundfile.write(path.with_suffix(".wav"), sound.samples, RATE)
    rig = Rig.named("arkit61")
    rows = int(seconds * 60)
    values = np.zeros((rows, len(rig)), np.float32)
    level = np.abs(sound.samples).reshape(rows, -1).mean(axis=1)
    smooth = np.convolve(level, np.hanning(9) / 4, "same")
    values[:, rig.index("jawOpen")] = np.clip(2.0 * smooth, 0, 1)
    sink = LiveLinkCsv(path.with_suffix(".csv"))
    sink.open(RunInfo(path.name, rig, FPS, RATE))
    for at in range(0, rows, 60):
        part = values[at : at + 60]
        emotion = Emotion(np.zeros((len(part), 3), np.float32),
                          np.zeros((len(part), 16), np.float32), FPS, at)  # fmt: skip
        audio = Audio(sound.samples[at * 400 : (at + len(part)) * 400], RATE, at * 400)
        sink.push(Block(Frames(part, rig, FPS, at), emotion, audio))
    sink.close()
