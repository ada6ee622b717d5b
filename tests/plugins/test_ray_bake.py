"""``facewire bake --ray``: a real local Ray gives what processes of this machine give."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from facewire.baking.plan import plan_script
from facewire.baking.script import load_script
from facewire.baking.work import Job, Outcome
from facewire.cli.bake import chosen_runner, command
from facewire.errors import FacewireError, PluginError

PROFILE = 'model: phonemes\nsinks: [{use: files.npz, path: "{out}/{name}.npz"}]\n'


@pytest.fixture
def script(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PROFILE, "utf-8")
    rows = [{"id": f"line{i}", "text": f"This is number {i}."} for i in range(4)]
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def bake(*args: str) -> str:
    args = ("s.jsonl", "--profile", "p.yaml", *args)
    done = CliRunner().invoke(command, list(args), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def ray_bake(address: str) -> None:
    args = ["s.jsonl", "--profile", "p.yaml", "--out", "far", "--ray", address]
    CliRunner().invoke(command, args, catch_exceptions=False, standalone_mode=False)


def outputs(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_local_ray_gives_the_same_bytes(script) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install facewire-ray")
    assert "4 lines baked" in bake("--out", "far", "--ray", "local", "--workers", "2")
    bake("--out", "near", "--workers", "1")
    assert len(outputs("far")) == 9 and outputs("far") == outputs("near")
    assert "0 lines baked" in bake("--out", "far", "--ray", "local")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_task_that_dies_fails_its_line_alone_and_stop_begins_no_other(script) -> None:
    runner = pytest.importorskip("facewire_ray.runner", reason="needs pip install facewire-ray")

    def dies(job: Job) -> Outcome:  # in here, so that it travels to a worker as it is
        if job.name == "line1":
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(job.name, None, float(os.environ["OPENBLAS_NUM_THREADS"]))

    jobs = plan_script(load_script(script)[0], script, Path("out"), "p.yaml").todo
    cluster = runner.Cluster("local", 1, dies)
    found = {}
    for job, outcome in cluster.results(jobs):
        found[job.name] = outcome
        if job.name == "line2":
            cluster.stop()
    assert set(found) == {"line0", "line1", "line2"}
    assert found["line0"].error is None and found["line0"].seconds == 1
    assert found["line1"].error.startswith("the worker that had this line ended: ")
    assert found["line1"].error.isprintable()


def test_no_cluster_is_told_in_one_line(script, monkeypatch) -> None:
    runner = pytest.importorskip("facewire_ray.runner", reason="needs pip install facewire-ray")

    def refuse(**options: object) -> None:
        raise ConnectionError("Could not find\nany running Ray instance.")

    monkeypatch.setattr(runner.ray, "init", refuse)  # a real one tries for half a minute
    with pytest.raises(FacewireError, match=r"^--ray auto: no Ray cluster answers there \(Could"):
        list(runner.Cluster("auto").results([Job("a", {}, Path(), "p", (), Path(), (), False, {})]))


def test_an_address_where_nothing_listens_is_told_at_once(script) -> None:
    pytest.importorskip("facewire_ray.runner", reason="needs pip install facewire-ray")
    with socket.socket() as taken:  # bound and not listening: nobody else can have the port
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        for address in (place, f"ray://{place}"):
            begun = time.monotonic()
            told = rf"^--ray {address}: no Ray cluster answers there \(.*refused.*\); start one"
            with pytest.raises(FacewireError, match=told):
                ray_bake(address)
            assert time.monotonic() - begun < 10


@pytest.mark.parametrize("address", ["10.0.0.5", "ray://head", "head:x", "ray://[::1", ":6379"])
def test_an_address_without_a_port_is_told_with_what_is_expected(script, address) -> None:
    pytest.importorskip("facewire_ray.runner", reason="needs pip install facewire-ray")
    with pytest.raises(FacewireError, match=r"expected host:port on a node .* ray://host:10001"):
        ray_bake(address)


def test_without_the_plugin_the_command_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "facewire_ray.runner", None)
    with pytest.raises(PluginError, match=r"^--ray needs facewire-ray; pip install facewire-ray$"):
        chosen_runner("local", None)
