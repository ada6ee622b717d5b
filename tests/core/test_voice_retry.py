from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from facewire.voicing import Interrupted, QuotaExhausted, Retry, Unreachable, VoiceError
from facewire.voicing.retry import check_answer, reason, retry_after, shown


def test_waits_double_up_to_a_minute() -> None:
    slept: list[float] = []
    retry = Retry("ada", slept.append)
    for _ in range(6):
        retry.wait(Interrupted("it broke"))
    assert slept == retry.waits == [1, 2, 4, 8, 16, 32]
    with pytest.raises(Unreachable, match="ada: it broke, 7 times in a row; try again later"):
        retry.wait(Interrupted("it broke"))


def test_no_wait_is_longer_than_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facewire.voicing.retry.FIRST", 10.0)
    slept: list[float] = []
    retry = Retry("ada", slept.append)
    for _ in range(6):
        retry.wait(Interrupted("it broke"))
    assert slept == [10, 20, 40, 60, 60, 60]


def test_what_the_service_asks_for_counts() -> None:
    slept: list[float] = []
    retry = Retry("ada", slept.append)
    for after in (0.0, 90.0, 600.0):
        retry.wait(Interrupted("busy", after))
    assert slept == [0, 90, 600]
    with pytest.raises(Unreachable, match="busy, and asks to wait 601 s"):
        retry.wait(Interrupted("busy", 601.0))


def test_retry_after() -> None:
    assert retry_after(None) is None and retry_after("") is None
    assert retry_after(" 12 ") == 12
    assert retry_after("1.5") is None and retry_after("tomorrow") is None
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert retry_after(past) == 0
    soon = datetime.now(UTC) + timedelta(seconds=100)
    assert retry_after(format_datetime(soon, usegmt=True)) == pytest.approx(100, abs=3)


ANSWERS = [
    (401, {"detail": {"status": "invalid_api_key"}}, QuotaExhausted),
    (402, None, QuotaExhausted),
    (403, "<html>", QuotaExhausted),
    (400, {"detail": {"status": "quota_exceeded", "message": "none"}}, QuotaExhausted),
    (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, QuotaExhausted),
    (400, {"error": {"type": "billing_hard_limit_reached"}}, QuotaExhausted),
    (429, {"detail": {"status": "system_busy", "message": "your quota"}}, Interrupted),
    (408, None, Interrupted),
    (500, {"detail": "oh"}, Interrupted),
    (503, [1], Interrupted),
    (400, {"detail": {"status": "voice_not_found"}}, VoiceError),
    (404, None, VoiceError),
    (301, None, VoiceError),
    (422, {"detail": [{"type": "missing", "msg": "text"}]}, VoiceError),
]


@pytest.mark.parametrize(("status", "body", "kind"), ANSWERS)
def test_what_answers_mean(status: int, body: object, kind: type[Exception]) -> None:
    with pytest.raises(kind) as error:
        check_answer("ada", "ADA_KEY", status, json.dumps(body).encode(), None)
    assert type(error.value) is kind
    assert str(status) in str(error.value) and "\n" not in str(error.value)
    assert ("check ADA_KEY" in str(error.value)) == (kind is QuotaExhausted)
    check_answer("ada", "ADA_KEY", 200, b"")


def test_the_reason_and_how_it_is_shown() -> None:
    assert reason(b"\xff") == ("", "")
    assert reason(b'{"detail": {"status": "a", "code": "b", "message": "c"}}') == ("a b", "c")
    assert reason(b'{"message": "no"}') == ("", "no")
    assert shown("a\n  sk_1 b", "sk_1") == "a (the key) b"
    assert len(shown("x" * 1000)) == 160
