"""Options to a config dataclass: what is taken, and whole texts of what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from facewire.config import EnvText, convert, frame_rate
from facewire.errors import ProfileError
from hypothesis import given
from hypothesis import strategies as st

WHERE = "default.yaml: sinks[0]"


@dataclass(frozen=True, slots=True)
class Curve:
    gain: float = 1.0
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    host: str
    port: int = 11111
    strength: float = 1.0
    loop: bool = False
    path: Path | None = None
    fps: Fraction | None = None
    timecode: Literal["clock", "run"] = "clock"
    mode: Literal["auto"] | int = "auto"
    flip: tuple[str, ...] = ()
    curve: Curve = field(default_factory=Curve)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    layers: Sequence[Curve] = ()
    labels: list[str] = field(default_factory=list)
    either: float | tuple[float, float] = 0.0
    nested: Any = None
    _hidden: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port is {self.port}, expected 1 to 65535")


def made(**options: Any) -> Config:
    config: Config = convert({"host": "h", **options}, Config, WHERE)
    return config


def test_everything_that_is_right() -> None:
    config = made(
        port=9000,
        strength=2,
        loop=True,
        path="a/b.wav",
        fps=29.97,
        timecode="run",
        mode=3,
        flip=["headYaw"],
        curve={"gain": 0.5, "points": [[0, 1], [1, 0.5]]},
        curves={"jaw": {"gain": 2.0}},
        layers=[{}],
        labels=["a"],
        either=[0, 1],
        nested={"use": "x", "deep": [1]},
    )
    assert config == Config(
        host="h",
        port=9000,
        strength=2.0,
        loop=True,
        path=Path("a/b.wav"),
        fps=Fraction(30000, 1001),
        timecode="run",
        mode=3,
        flip=("headYaw",),
        curve=Curve(0.5, ((0.0, 1.0), (1.0, 0.5))),
        curves={"jaw": Curve(2.0)},
        layers=(Curve(),),
        labels=["a"],
        either=(0.0, 1.0),
        nested={"use": "x", "deep": [1]},
    )
    assert type(config.strength) is float
    assert made(path=None).path is None


RATE = "a frame rate such as 30, 29.97 or 30000/1001"
KNOWN = (
    "known: host, port, strength, loop, path, fps, timecode, mode, flip, curve, curves, layers, "
    "labels, either, nested"
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prot": 1}, f".prot: unknown key; did you mean 'port'? ({KNOWN})"),
        ({"_hidden": 1}, f"._hidden: unknown key ({KNOWN})"),
        ({1: 2}, f".1: unknown key ({KNOWN})"),
        ({"a\nb": 2}, rf".'a\nb': unknown key ({KNOWN})"),
        ({"port": "abc"}, ".port: found 'abc', expected an integer"),
        ({"port": "9000"}, ".port: found '9000', expected an integer"),
        ({"port": True}, ".port: found true, expected an integer"),
        ({"port": 1.5}, ".port: found 1.5, expected an integer"),
        ({"port": None}, ".port: found nothing, expected an integer"),
        ({"port": [1]}, ".port: found a list, expected an integer"),
        ({"port": 0}, ": port is 0, expected 1 to 65535"),
        ({"strength": True}, ".strength: found true, expected a number"),
        ({"strength": ".nan"}, ".strength: found '.nan', expected a number"),
        ({"strength": math.nan}, ".strength: found nan, expected a finite number"),
        ({"strength": -math.inf}, ".strength: found -inf, expected a finite number"),
        ({"loop": 1}, ".loop: found 1, expected true or false"),
        ({"loop": "no"}, ".loop: found 'no', expected true or false"),
        ({"host": 127}, ".host: found 127, expected text"),
        ({"host": {"a": 1}}, ".host: found a mapping, expected text"),
        ({"path": 1}, ".path: found 1, expected a path"),
        ({"path": ""}, ".path: found '', expected a path"),
        ({"fps": "fast"}, f".fps: found 'fast', expected {RATE}"),
        ({"fps": 0.5}, ".fps: found 0.5, expected 1 to 1000 frames a second"),
        (
            {"timecode": "clocks"},
            ".timecode: found 'clocks', expected one of clock, run; did you mean 'clock'?",
        ),
        ({"timecode": None}, ".timecode: found nothing, expected one of clock, run"),
        (
            {"mode": "aut"},
            ".mode: found 'aut', expected one of auto or an integer; did you mean 'auto'?",
        ),
        ({"flip": "headYaw"}, ".flip: found 'headYaw', expected a list (each text)"),
        ({"flip": ["a", 2]}, ".flip[1]: found 2, expected text"),
        ({"curve": 1}, ".curve: found 1, expected a mapping of gain, points"),
        (
            {"curve": {"gian": 1}},
            ".curve.gian: unknown key; did you mean 'gain'? (known: gain, points)",
        ),
        (
            {"curve": {"points": [[0, 1], [1]]}},
            ".curve.points[1]: found 1 values, expected a list of 2 (a number, a number)",
        ),
        ({"curve": {"points": [[0, "x"]]}}, ".curve.points[0][1]: found 'x', expected a number"),
        ({"curves": {"jaw": {"gain": "x"}}}, ".curves.jaw.gain: found 'x', expected a number"),
        ({"curves": {1: {}}}, ".curves, key 1: found 1, expected text"),
        ({"curves": []}, ".curves: found a list, expected a mapping"),
        ({"layers": [{"gain": None}]}, ".layers[0].gain: found nothing, expected a number"),
        (
            {"either": "x"},
            ".either: found 'x', expected a number or a list of 2 (a number, a number)",
        ),
        (
            {"either": [1, 2, 3]},
            ".either: found 3 values, expected a list of 2 (a number, a number)",
        ),
    ],
)
def test_refusals(options: dict[Any, Any], message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        made(**options) if all(isinstance(key, str) for key in options) else convert(
            {"host": "h", **options}, Config, WHERE
        )
    assert str(caught.value) == WHERE + message


def test_what_is_missing() -> None:
    with pytest.raises(ProfileError) as caught:
        convert({}, Config, WHERE)
    assert str(caught.value) == f"{WHERE}.host: missing, expected text"


def test_no_options_at_all() -> None:
    from facewire.types import NoConfig

    assert convert({}, NoConfig, WHERE) == NoConfig()
    with pytest.raises(ProfileError) as caught:
        convert({"x": 1}, NoConfig, WHERE)
    assert str(caught.value) == f"{WHERE}.x: unknown key (it has none)"


def test_text_from_the_environment_takes_the_type_of_its_field() -> None:
    config = made(
        host=EnvText("127"),
        port=EnvText("9000"),
        strength=EnvText("1e-1"),
        loop=EnvText("true"),
        path=EnvText("12"),
        fps=EnvText("29.97"),
        curve={"gain": EnvText("3")},
    )
    assert (config.host, type(config.host)) == ("127", str)
    assert (config.port, config.strength, config.loop) == (9000, 0.1, True)
    assert (config.path, config.fps, config.curve) == (
        Path("12"),
        Fraction(30000, 1001),
        Curve(3.0),
    )
    with pytest.raises(ProfileError) as caught:
        made(port=EnvText("many"))
    assert str(caught.value) == f"{WHERE}.port: found 'many', expected an integer"


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        (60, Fraction(60)),
        (60.0, Fraction(60)),
        (12.5, Fraction(25, 2)),
        ("24", Fraction(24)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (23.976024, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (47.952, Fraction(48000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (239.76, Fraction(240000, 1001)),
        (29.9, Fraction(299, 10)),
        (1000, Fraction(1000)),
    ],
)
def test_frame_rates(written: float | str, rate: Fraction) -> None:
    assert frame_rate(written) == rate


@pytest.mark.parametrize(
    "written",
    [True, -30, "1/0", "1/00", "30/", "a", "", "1e999999999", "9" * 5000, "30fps", "1/2/3", "٣٠"],
)
def test_what_is_no_frame_rate(written: Any) -> None:
    with pytest.raises(ValueError, match=f"^expected {RATE}$"):
        frame_rate(written)


@pytest.mark.parametrize("written", [0, 0.5, "1/2", 1000.5, 1_000_000])
def test_frame_rates_out_of_range(written: Any) -> None:
    with pytest.raises(ProfileError) as caught:
        made(fps=written)
    assert str(caught.value).endswith(", expected 1 to 1000 frames a second")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(Config.__dataclass_fields__)), VALUES))
def test_any_options_are_taken_or_refused_in_one_line(options: dict[str, Any]) -> None:
    try:
        config = convert(options, Config, WHERE)
    except ProfileError as error:
        assert str(error).startswith(WHERE) and str(error).isprintable()
        return
    assert math.isfinite(config.strength) and type(config.port) is int
