"""The VTube Studio sink against a real WebSocket server that speaks the app's messages."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.errors import InputError, StageError
from facewire.rig import Rig
from facewire.types import Audio, Block, Context, Emotion, FloatArray, Frames, RunInfo
from facewire_osc import checks, plugin, vts, vtubestudio
from facewire_osc.config import VTubeStudioConfig
from facewire_osc.vtubestudio import VTubeStudio
from test_osc_app import App, error

RIG = Rig.named("arkit61")
INFO = RunInfo("clip", RIG, Fraction(60), 16000)


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    app.start()
    yield app
    app.stop()


@pytest.fixture
def sink(app: App, tmp_path: Path) -> Iterator[VTubeStudio]:
    config = VTubeStudioConfig(port=app.port, token=str(tmp_path / "kept" / "token"))
    sink = VTubeStudio(config)
    yield sink
    sink.abort()


def block(row: FloatArray | None = None, **channels: float) -> Block:
    values = np.zeros((1, 61), np.float32) if row is None else row[np.newaxis]
    for channel, value in channels.items():
        values[0, RIG.index(channel)] = value
    emotion = Emotion(np.zeros((1, 3), np.float32), np.zeros((1, 16), np.float32), Fraction(60), 0)
    frames = Frames(values, RIG, Fraction(60), 0)
    return Block(frames, emotion, Audio(np.zeros(0, np.float32), 16000))


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def failure(sink: VTubeStudio) -> str:
    """Push until it fails (a lost connection is noticed by one of the next frames)."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            sink.push(block())
        except OSError as error:
            return str(error)
        time.sleep(0.01)
    raise AssertionError("it did not fail")


def push_again(sink: VTubeStudio, app: App, value: float) -> None:
    """Push as a session does, again and again, until a frame with this value arrives."""

    def arrived() -> bool:
        try:
            sink.push(block(jawOpen=value))
        except OSError:
            time.sleep(0.05)
        return any(values.get("JawOpen") == value for values in list(app.injected))

    until(arrived)


def test_first_time_it_asks_and_keeps_the_token(
    app: App, sink: VTubeStudio, tmp_path: Path
) -> None:
    sink.open(INFO)
    sink.push(block(jawOpen=0.5, mouthClose=0.25, headYaw=0.5, mouthSmileLeft=1))
    until(lambda: app.injected)
    values = app.injected[0]
    assert (values["JawOpen"], values["MouthOpen"], values["MouthSmile"]) == (0.5, 0.25, 0.75)
    assert values["FaceAngleX"] == pytest.approx(28.64789, abs=1e-4)
    assert (values["EyeOpenLeft"], values["BrowLeftY"]) == (1, 0.5)
    assert len(values) == len(sink.names) == 17 + 50
    assert len(app.created) == 50 and "TongueOut" not in app.created
    kept = tmp_path / "kept" / "token"
    assert (app.asked, kept.read_text("utf-8")) == (1, "token-1\n")
    assert kept.stat().st_mode & 0o077 == 0
    assert [path.name for path in kept.parent.iterdir()] == ["token"]
    assert sink.result == f"127.0.0.1:{app.port}"


def test_next_time_it_does_not_ask(app: App, sink: VTubeStudio) -> None:
    for _ in range(2):
        sink.open(INFO)
        sink.close()
    assert app.asked == 1


def test_a_token_that_was_taken_back_is_asked_for_anew(
    app: App, sink: VTubeStudio, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "token").write_text("of-long-ago")
    sink.open(INFO)
    push_again(sink, app, 0.5)
    assert app.asked == 1 and (tmp_path / "kept" / "token").read_text() == "token-1\n"


def test_who_says_no_is_asked_once(app: App, sink: VTubeStudio, tmp_path: Path) -> None:
    app.allow = False
    sink.open(INFO)
    texts = set()
    for _ in range(5):
        with pytest.raises(OSError) as caught:
            sink.push(block())
        texts.add(str(caught.value))
        time.sleep(0.05)
    (text,) = texts
    assert text == (
        f"no connection to VTube Studio at ws://127.0.0.1:{app.port}:"
        " permission was refused in the app; start again to be asked again"
    )
    assert app.asked == 1 and not (tmp_path / "kept").exists()


def test_while_the_user_decides_it_says_so(
    app: App, sink: VTubeStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.allow = None
    monkeypatch.setattr(vtubestudio, "_READY", 0.3)
    sink.open(INFO)  # it does not wait for the user
    with pytest.raises(OSError, match="VTube Studio asks whether Facewire may send; allow it"):
        sink.push(block())
    app.allow = True
    push_again(sink, app, 0.25)
    assert app.asked == 1


def test_a_run_may_end_while_the_user_decides(
    app: App, sink: VTubeStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.allow = None
    monkeypatch.setattr(vtubestudio, "_READY", 0.3)
    sink.open(INFO)
    link = sink._link
    sink.close()
    assert link is not None
    link.join(2)
    assert not link.is_alive()
    app.allow = False


def test_a_lost_connection_comes_back(app: App, sink: VTubeStudio) -> None:
    sink.open(INFO)
    push_again(sink, app, 0.5)
    app.stop()
    assert failure(sink).startswith("no connection to VTube Studio at ws://127.0.0.1:")
    until(lambda: "nothing listens there; start it and allow plugin API access" in failure(sink))
    app.start()
    push_again(sink, app, 0.75)
    assert app.asked == 1


def test_nobody_there_at_first(app: App, sink: VTubeStudio) -> None:
    app.stop()
    sink.open(INFO)  # no error: it may be started later
    assert "nothing listens there" in failure(sink)
    app.start()
    push_again(sink, app, 0.5)


def test_plugins_switched_off(app: App, sink: VTubeStudio) -> None:
    app.on = False
    sink.open(INFO)
    assert failure(sink).endswith("plugins are switched off in the app; allow plugin API access")
    app.on = True
    push_again(sink, app, 0.5)


def test_parameters_of_others_are_used(app: App, sink: VTubeStudio) -> None:
    app.others = {"JawOpen", "MouthFunnel"}
    sink.open(INFO)
    push_again(sink, app, 0.5)
    assert len(app.created) == 48


def test_an_error_of_the_app_is_told(
    app: App, sink: VTubeStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = error(454, "Parameter FaceAngleX is\ncontrolled by another plugin.")
    monkeypatch.setattr(app, "_inject", lambda data: taken)
    sink.open(INFO)
    text = failure(sink)
    assert text.endswith(
        "the app says: Parameter FaceAngleX is controlled by another plugin. (error 454)"
    )


def test_the_last_frame_arrives(app: App, sink: VTubeStudio) -> None:
    sink.open(INFO)
    sink.push(block(jawOpen=0.9))
    until(lambda: app.injected)  # connected, which may take longer than opening waits
    for value in (0.5, 0.125):
        sink.push(block(jawOpen=value))
    sink.close()
    assert app.injected[-1]["JawOpen"] == 0.125
    sink.abort()


def test_only_its_own_parameters(app: App, tmp_path: Path) -> None:
    config = VTubeStudioConfig(port=app.port, token=str(tmp_path / "token"), arkit=False)
    sink = VTubeStudio(config)
    sink.open(INFO)
    sink.push(block())
    sink.close()
    assert len(app.injected[-1]) == 17 and app.created == []


def test_extremes_are_within_the_limits(app: App, sink: VTubeStudio) -> None:
    sink.open(INFO)
    for value in (1e30, -3e38, np.nan, np.inf):
        sink.push(block(np.full(61, value, np.float32)))
        until(lambda: app.injected)
        sent = [number for row in app.injected for number in row.values()]
        assert np.isfinite(sent).all() and np.abs(sent).max() <= 1_000_000
        app.injected.clear()
    sink.push(block(jawOpen=0.5))  # and nothing failed


def test_what_is_no_vtube_studio(
    sink: VTubeStudio, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []
    monkeypatch.setattr(app, "say", lambda answer: answers[-1])
    for text, told in (("[1]", "the answer is no JSON object"), ("nonsense", "is no JSON")):
        answers.append(text)
        sink.open(INFO)
        assert f"{told}: is this VTube Studio?" in failure(sink)


def test_a_frame_holds_nothing_up(app: App, sink: VTubeStudio) -> None:
    sink.open(INFO)
    what = block(np.random.default_rng(0).uniform(0, 1, 61).astype(np.float32))
    begin = time.perf_counter()
    for _ in range(100):
        sink.push(what)
    assert (time.perf_counter() - begin) / 100 < 1 / 600


def test_a_run_arrives_and_ends_in_neutral(app: App, tmp_path: Path) -> None:
    """Start without the app: the run goes on, tells of it once, and finds it when it is there."""
    rows = np.zeros((90, 61), np.float32)
    rows[:, RIG.index("jawOpen")] = 0.5
    np.savez(tmp_path / "clip.npz", values=rows, channels=np.array(RIG.channels), fps=60.0, start=0)
    token, port = tmp_path / "token", app.port
    (tmp_path / "live.yaml").write_text(
        "fps: 60\nrig: arkit61\n"
        f"sinks: [{{use: osc.vtubestudio, port: {port}, token: '{token}'}}]\n"
    )
    app.stop()
    name = "facewire.exe" if sys.platform == "win32" else "facewire"
    with subprocess.Popen(
        [Path(sysconfig.get_path("scripts"), name), "run", "clip.npz", "--profile", "live.yaml"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stderr is not None
        first = run.stderr.readline()
        app.start()
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert "nothing listens there" in first and "trying again every second" in first
    assert "nothing listens there" not in err and f"127.0.0.1:{port}" in out
    assert app.injected[0]["JawOpen"] == 0.5 and app.injected[-1]["JawOpen"] == 0


@pytest.mark.parametrize("port", [0, 70000])
def test_bad_targets(port: int) -> None:
    with pytest.raises(InputError) as caught:
        VTubeStudio(VTubeStudioConfig(port=port)).open(INFO)
    assert str(caught.value) == f"osc.vtubestudio: port is {port}, expected 1 to 65535"
    with pytest.raises(
        InputError, match=r"osc.vtubestudio: host 'no-such.invalid' cannot be found"
    ):
        VTubeStudio(VTubeStudioConfig(host="no-such.invalid")).open(INFO)


def test_the_component_builds_the_sink() -> None:
    [component] = [c for c in plugin.facewire_sinks() if c.name == "osc.vtubestudio"]
    sink = component.make(component.config(), Context())
    assert (sink.live, sink.rig, component.needs) == (True, RIG, ("VTube Studio",))


def test_where_the_token_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vtubestudio, "config_folder", lambda: tmp_path)
    assert vtubestudio._token_file(VTubeStudioConfig()) == tmp_path / "vtubestudio.token"
    for content in (b"", b"x" * 65, "né".encode(), b"\xff"):
        (tmp_path / "token").write_bytes(content)
        assert vts.read_token(tmp_path / "token") is None
    assert vts.read_token(tmp_path) is None and vts.read_token(None) is None


def test_doctor(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, check = plugin.facewire_checks()
    where = f"127.0.0.1:{app.port}"
    monkeypatch.setattr(checks, "VTubeStudioConfig", lambda: VTubeStudioConfig(port=app.port))
    assert check.run() == f"version 1.28.0 answers at {where}, its plugin API is on"
    app.on = False
    assert check.run().endswith("its plugin API is off: allow plugin API access in its settings")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(checks, "VTubeStudioConfig", lambda: VTubeStudioConfig(port=port))
    assert check.run().startswith(f"nothing answers at 127.0.0.1:{port}: VTube Studio does not run")


def test_doctor_finds_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, check = plugin.facewire_checks()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def refuse() -> None:
            connection, _ = other.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        monkeypatch.setattr(checks, "VTubeStudioConfig", lambda: VTubeStudioConfig(port=port))
        with pytest.raises(StageError, match=f"127.0.0.1:{port} is not VTube Studio"):
            check.run()
        thread.join()
