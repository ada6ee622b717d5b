"""What the voice does when the service fails: the server really does."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from elevenlabs_parts import CHAR, KEY, Fault, Service, detail, first, serving
from facewire.types import Audio, Context, Utterance
from facewire.voicing import QuotaExhausted, VoiceError
from facewire_elevenlabs.plugin import ElevenLabsConfig, _check_account
from facewire_elevenlabs.voice import ElevenLabs
from test_elevenlabs_voice import joined

TEXT = "Every word of this sentence is to be heard once."
WORDS = ["Every", "word", "of", "this", "sentence", "is", "to", "be", "heard", "once"]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class Speaker:
    """A voice that notes how long it would have slept."""

    def __init__(self, service: Service, causal: bool, **options: object) -> None:
        self.slept: list[float] = []
        config = ElevenLabsConfig(url=service.url, **options)  # type: ignore[arg-type]
        self.voice = ElevenLabs(config, Context(causal=causal), sleep=self.slept.append)

    def say(self, text: str = TEXT) -> Audio:
        return joined(list(self.voice.speak(Utterance(text))))


BOTH = pytest.mark.parametrize("causal", [False, True], ids=["whole", "live"])


def assert_whole(audio: Audio) -> None:
    """Check that each word was said once, one after another."""
    assert [mark.text for mark in audio.marks] == WORDS
    starts = [mark.start for mark in audio.marks]
    assert starts == sorted(starts)
    assert audio.marks[-1].end <= audio.end


@BOTH
def test_too_many_requests_then_sound(causal: bool) -> None:
    busy = Fault(429, detail("system_busy"), (("Retry-After", "7"),))
    with serving(first(2, busy)) as service:
        speaker = Speaker(service, causal)
        assert_whole(speaker.say())
    assert speaker.slept == [7, 7]
    assert speaker.voice.report()[0].endswith("asked again 2 times")


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for header, least, most in ((at, 27, 30), ("soon", 1, 1), ("-5", 1, 1)):
        with serving(first(1, Fault(503, None, (("Retry-After", header),)))) as service:
            speaker = Speaker(service, False)
            assert_whole(speaker.say())
        assert least <= speaker.slept[0] <= most


@BOTH
def test_errors_of_the_server_are_waited_out(causal: bool) -> None:
    with serving(first(6, Fault(500, "<html>oh no"))) as service:
        speaker = Speaker(service, causal)
        assert_whole(speaker.say())
    assert speaker.slept == [1, 2, 4, 8, 16, 32]


@BOTH
def test_six_retries_are_enough(causal: bool) -> None:
    with serving(first(99, Fault(502, detail("bad_gateway")))) as service:
        speaker = Speaker(service, causal)
        with pytest.raises(VoiceError, match=r"502 bad_gateway: no, 7 times in a row") as error:
            speaker.say()
    assert len(service.asked) == 7 and len(speaker.slept) == 6
    assert "\n" not in str(error.value) and not isinstance(error.value, QuotaExhausted)


def test_a_service_that_wants_to_be_left_alone_for_long() -> None:
    with serving(first(9, Fault(429, None, (("Retry-After", "3600"),)))) as service:
        speaker = Speaker(service, False)
        with pytest.raises(VoiceError, match="asks to wait 3600 s"):
            speaker.say()
    assert speaker.slept == []


def test_nobody_there() -> None:
    with serving() as service:
        pass
    speaker = Speaker(service, True)
    with pytest.raises(VoiceError, match="the connection failed"):
        speaker.say()
    assert speaker.slept == [1, 2, 4, 8, 16, 32]


def test_a_cut_stream_is_asked_for_anew_where_there_is_time() -> None:
    with serving(first(2, Fault(cut=3))) as service:
        speaker = Speaker(service, False)
        audio = speaker.say()
    assert_whole(audio)
    assert service.texts == [TEXT] * 3
    assert len(audio) == round(len(TEXT) * CHAR * 24000)


def test_a_cut_stream_is_taken_up_at_the_word_in_a_live_run() -> None:
    with serving(first(2, Fault(cut=2))) as service:
        speaker = Speaker(service, True)
        audio = speaker.say()
    assert_whole(audio)
    assert service.texts[0] == TEXT
    for before, after in zip(service.texts, service.texts[1:], strict=False):
        assert before.endswith(after) and after[0].isalpha() and len(after) < len(before)
    assert service.asked[1].body["previous_text"] == TEXT[: -len(service.texts[1])].strip()
    assert len(audio) == pytest.approx(len(TEXT) * CHAR * 24000, abs=2)
    assert [TEXT[slice(*mark.chars)] for mark in audio.marks] == WORDS


def test_a_stream_that_is_always_cut_ends_in_one_line() -> None:
    with serving(first(99, Fault(cut=0))) as service:
        with pytest.raises(VoiceError, match="7 times in a row"):
            Speaker(service, True).say()
        assert len(service.asked) == 7


@BOTH
def test_slow_bytes_are_waited_for_and_silence_is_not(causal: bool) -> None:
    with serving(first(1, Fault(pause=0.02))) as service:
        speaker = Speaker(service, causal, timeout=2.0)
        assert_whole(speaker.say())
        assert speaker.slept == []
    with serving(first(1, Fault(pause=0.5))) as service:
        speaker = Speaker(service, causal, timeout=0.15)
        assert_whole(speaker.say())
        assert speaker.slept == [1] and len(service.asked) == 2


@BOTH
@pytest.mark.parametrize(
    "raw", [b"<html>a proxy's page</html>\n", b"[1]\n", b'{"audio_base64": "?"}\n']
)
def test_what_is_no_stream(raw: bytes, causal: bool) -> None:
    with serving(first(1, Fault(raw=raw))) as service:
        assert_whole(Speaker(service, causal).say())
    with serving(first(9, Fault(raw=raw))) as service, pytest.raises(VoiceError, match="sent what"):
        Speaker(service, causal).say()


def test_a_stream_without_sound() -> None:
    raw = b'{"audio_base64": null, "alignment": null}\n'
    refused = pytest.raises(VoiceError, match="gave no sound for 'Every word")
    with serving(first(9, Fault(raw=raw))) as service, refused:
        Speaker(service, False).say()
    assert len(service.asked) == 1


def test_a_voices_id_is_one_part_of_the_path() -> None:
    with serving() as service:
        assert_whole(Speaker(service, False, voice="a b?c/../x").say())
    path, _, query = service.asked[0].path.partition("?")
    assert path == "/v1/text-to-speech/a%20b%3Fc%2F..%2Fx/stream/with-timestamps"
    assert query == "output_format=pcm_24000"


BILLS = [
    Fault(401, detail("quota_exceeded", "You have 3 credits left")),
    Fault(402, detail("payment_required")),
    Fault(403, None),
    Fault(400, detail("quota_exceeded")),
    Fault(429, {"error": {"type": "insufficient_quota", "message": "pay"}}),
    Fault(200, detail("quota_exceeded"), broken=2),
]


@BOTH
@pytest.mark.parametrize("fault", BILLS, ids=lambda f: f"{f.status}-{f.broken}")
def test_bills_are_never_retried(fault: Fault, causal: bool) -> None:
    with serving(first(9, fault)) as service:
        speaker = Speaker(service, causal)
        with pytest.raises(QuotaExhausted, match="the account gives nothing more") as error:
            speaker.say()
    assert len(service.asked) == 1 and speaker.slept == []
    assert "check ELEVENLABS_API_KEY" in str(error.value)


def test_a_limit_that_speaks_of_a_subscription_is_no_bill() -> None:
    said = detail("too_many_concurrent_requests", "your subscription allows 4 requests")
    with serving(first(1, Fault(429, said))) as service:
        speaker = Speaker(service, False)
        assert_whole(speaker.say())
    assert len(service.asked) == 2 and len(speaker.slept) == 1


def test_a_refused_request_is_not_retried_and_is_no_bill() -> None:
    said = {"detail": [{"type": "string_too_long", "msg": "at most 10"}]}
    refused = pytest.raises(VoiceError, match=r"refused .*422 string_too_long: at most 10")
    with serving(first(9, Fault(422, said))) as service, refused as error:
        Speaker(service, False).say()
    assert len(service.asked) == 1 and not isinstance(error.value, QuotaExhausted)


@BOTH
def test_the_key_is_in_no_error_and_no_log(
    causal: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "sk_wr0ngwr0ngwr0ngwr0ng"
    monkeypatch.setenv("ELEVENLABS_API_KEY", wrong)
    with serving() as service:
        speaker = Speaker(service, causal)
        with pytest.raises(QuotaExhausted) as error:  # the server repeats the key it was sent
            speaker.say()
        monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
        with_key = Speaker(service, causal)
        assert_whole(with_key.say())
    assert "Invalid API key (the key)" in str(error.value)
    chain: BaseException | None = error.value
    while chain:
        assert wrong not in f"{chain!r}{chain.args}"
        chain = chain.__cause__ or chain.__context__
    assert caplog.records  # httpx and httpcore did log
    assert wrong not in caplog.text and KEY not in caplog.text
    assert KEY not in repr(vars(with_key.voice)) and KEY not in repr(
        with_key.voice._api._client.headers
    )


def test_the_doctor_tells_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as service:
        monkeypatch.setattr("facewire_elevenlabs.plugin.PUBLIC", service.url)
        assert _check_account() == "120 of 10000 credits used"
        monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_other")
        with pytest.raises(QuotaExhausted):
            _check_account()
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    assert _check_account() == "ELEVENLABS_API_KEY is not set; the voice cannot be used"
