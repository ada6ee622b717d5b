"""The YAML loader: what words mean, what is refused and in which words, and what it costs."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import pytest
import yaml
from facewire.errors import ProfileError
from facewire.yaml_loader import load_yaml, scalar, show
from hypothesis import given, settings
from hypothesis import strategies as st


def refusal(text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        load_yaml(text, "p.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix("p.yaml:")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("false", False),
        *[(word, word) for word in ("True", "FALSE", "yes", "no", "on", "off", "y", "n", "NO")],
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", "Null"),
        ("0", 0),
        ("-7", -7),
        ("+3", 3),
        ("010", "010"),
        ("0o17", "0o17"),
        ("0x1f", "0x1f"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("190:20:30.15", "190:20:30.15"),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-5.", -5.0),
        ("1.50", 1.5),
        ("00.5", "00.5"),
        (".", "."),
        ("e3", "e3"),
        (".inf", ".inf"),
        ("-.inf", "-.inf"),
        (".nan", ".nan"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("2026-01-31", "2026-01-31"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("=", "="),
        ("9223372036854775807", 2**63 - 1),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'${A}'", "${A}"),
        ("joy:80", "joy:80"),
        ("٣", "٣"),
    ],
)
def test_plain_words(word: str, value: object) -> None:
    found = load_yaml(f"key: {word}\n", "p.yaml")["key"]
    assert (found, type(found)) == (value, type(value))


REFUSALS = {
    "a: 1\nb: 2\na: 3": "3:1: key 'a' is written twice (first in line 1): keep one",
    "{a: 1, 'a': 2}": "1:8: key 'a' is written twice (first in line 1): keep one",
    "1: a\n1.0: b": "2:1: key '1.0' is written twice (first in line 1): keep one",
    '"a\\nb": 1\n"a\\nb": 2': r"2:1: key 'a\nb' is written twice (first in line 1): keep one",
    "a: &x 1": "1:4: anchor '&x' is not allowed: remove it",
    "a: &x [*x]": "1:4: anchor '&x' is not allowed: remove it",
    "a: *x": "1:4: alias '*x' is not allowed: write the value",
    "a: {<<: {b: 1}}": "1:5: merge key '<<' is not allowed: write the keys again",
    "a: !!python/object/apply:os.system [ls]": (
        "1:4: tag '!!python/object/apply:os.system' is not allowed: remove it"
    ),
    "a: !!int '3'": "1:4: tag '!!int' is not allowed: remove it",
    "a: !mine 1": "1:4: tag '!mine' is not allowed: remove it",
    "--- 1\n--- 2": "2:1: found a second document ('---'), expected one: remove it",
    "a:\n\tb: 1": "2:1: found a tab, expected spaces: indent with spaces",
    "a:\t1": "1:3: found a tab, expected spaces: indent with spaces",
    "? [1]\n: 2": "1:3: a key must be one word, not a list or mapping",
    "a: {{out}}": "1:5: a key must be one word, not a list or mapping",
    "path: {out}/a.csv": (
        "1:12: not YAML: expected <block end>, but found '<scalar>' while parsing a block mapping; "
        "put a value that begins with { in quotes"
    ),
    "a: b: c": "1:5: not YAML: mapping values are not allowed here",
    "a: [1, 2": (
        "1:9: not YAML: expected ',' or ']', but got '<stream end>' while parsing a flow sequence"
    ),
    "a: 'x": ("1:6: not YAML: found unexpected end of stream while scanning a quoted scalar"),
    "a: @x": (
        "1:4: not YAML: found character '@' that cannot start any token "
        "while scanning for the next token"
    ),
    'a: "\\ud800"': "1:4: the text holds NUL or half a surrogate pair: remove it",
    'a: "\\0"': "1:4: the text holds NUL or half a surrogate pair: remove it",
    'a: "\\U00110000"': "1:7: a character escape is wrong: there is no such character",
    "a: \x07": "1:4: found control character U+0007: remove it",
    "a: 1\nb: \x1b[2J": "2:4: found control character U+001B: remove it",
    "\ufeffa: 1": "1:1: found a byte order mark: save as UTF-8 without BOM",
    "a: 1e999": "1:4: the number is too large: put it in quotes if it is text",
    "a: 9223372036854775808": "1:4: the number is too large: put it in quotes if it is text",
    "a: " + "9" * 5000: "1:4: the number is too large: put it in quotes if it is text",
    "[" * 5000: "1:33: nested too deeply: at most 32 levels",
    "- " * 5000: "1:65: nested too deeply: at most 32 levels",
    "? " * 5000: "1:65: nested too deeply: at most 32 levels",
    "%YAML 2.0\n--- 1": (
        "1:1: not YAML: found incompatible YAML document (version 1.* is required)"
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSALS.items(), ids=lambda text: text[:20])
def test_refusals(text: str, message: str) -> None:
    assert refusal(text) == message


def test_too_large() -> None:
    assert refusal("# " + "x" * 1_000_000) == " too large: at most 1 MB"
    assert refusal("# " + "ä" * 500_000) == " too large: at most 1 MB"


def test_billion_laughs_ends_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]
    assert refusal("\n".join(lines)) == "1:5: anchor '&a0' is not allowed: remove it"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \xe4\n", "p.yaml:2:4: found byte 0xe4, expected UTF-8: save the file as UTF-8"),
        (b"\xff\xfea\0", "p.yaml:1:1: found UTF-16, expected UTF-8: save the file as UTF-8"),
        (b"\xef\xbb\xbfa: 1", "p.yaml:1:1: found a byte order mark: save as UTF-8 without BOM"),
        (b"#" * 1_000_001, "p.yaml: too large: at most 1 MB"),
        (b"a: \x00", "p.yaml:1:4: found control character U+0000: remove it"),
    ],
)
def test_files(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(data)
    with pytest.raises(ProfileError) as caught:
        load_yaml(path, "p.yaml")
    assert str(caught.value) == message


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"^p\.yaml: no such file$"):
        load_yaml(tmp_path / "p.yaml", "p.yaml")
    with pytest.raises(ProfileError, match=r"^p\.yaml: not a file$"):
        load_yaml(tmp_path, "p.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProfileError, match=r"^p\.yaml: not a file$"):
        load_yaml(tmp_path / "pipe", "p.yaml")


def test_a_file_and_its_text_say_the_same(tmp_path: Path) -> None:
    text = "# ä\r\na: [1, {b: no}]\r\nc: |\r\n  two\r\n  lines\r\n"
    (tmp_path / "p.yaml").write_bytes(text.encode())
    assert load_yaml(tmp_path / "p.yaml", "p") == load_yaml(text, "p")
    assert load_yaml(text, "p") == {"a": [1, {"b": "no"}], "c": "two\nlines\n"}


def test_nothing_is_none() -> None:
    assert load_yaml("", "p") is None
    assert load_yaml("# only a comment\n", "p") is None


def test_messages_stay_short() -> None:
    assert show("x" * 900) == "'" + "x" * 37 + "...'"
    assert len(refusal(f"a: !{'x' * 9000} 1")) < 100


def test_time_grows_with_size_only() -> None:
    def cost(lines: int) -> float:
        before = time.process_time()
        assert refusal("a:\n" * lines).startswith("2:1: key 'a' is written twice")
        return time.process_time() - before

    assert cost(40_000) < 8 * cost(10_000) + 1  # quadratic would be 16 times


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(exclude_categories=["C"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_json_is_read_as_json(tree: object) -> None:
    assert load_yaml(json.dumps({"key": tree}, ensure_ascii=False), "p") == {"key": tree}


@given(
    st.text(
        st.sampled_from(list("ab0:-[]{},#&*!|>'\"%@`?. \n\t\\~<=\ufeff\x85\u2028ä$")), max_size=40
    )
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        found = load_yaml(text, "p.yaml")
    except ProfileError as error:
        assert str(error).startswith("p.yaml:")
        assert "\n" not in str(error) and str(error).isprintable()
        return
    # What is accepted has the shape PyYAML sees; only plain words may mean something else.
    reference = yaml.load(text, yaml.BaseLoader)
    assert type(found) is type(reference) or not isinstance(reference, list | dict)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        load_yaml(path, "p.yaml")
    except ProfileError as error:
        assert str(error).isprintable()


@given(st.text("0123456789+-.eE_:", max_size=8))
def test_a_number_is_one_for_python_too(text: str) -> None:
    try:
        found = scalar(text)
    except ValueError:
        assert math.isinf(float(text))
        return
    if isinstance(found, int | float):
        assert float(text) == found
