"""The studio where things go otherwise: dropped files, a token asked for, much or nothing said."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from test_studio_page import (  # noqa: F401 - fixtures
    Server,
    Studio,
    browser,
    server,
    studio,
)

pytestmark = pytest.mark.external
TOKEN = "a token of some length"
DROP = """async ([name, data]) => {
  const bytes = await (await fetch(`data:audio/wav;base64,${data}`)).arrayBuffer();
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  const sent = (kind) => document.querySelector('#stage').dispatchEvent(
    new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: files}));
  sent('dragover');
  const shown = document.querySelector('#drop').classList.contains('over');
  sent('drop');
  return shown && !document.querySelector('#drop').classList.contains('over');
}"""
WORDS = """() => {
  const words = new DataTransfer();
  words.setData('text/plain', 'Hello');
  return ['dragover', 'drop'].map((kind) => document.querySelector('#text').dispatchEvent(
    new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: words})));
}"""


def test_a_file_is_dropped_anywhere(studio: Studio, server: Server) -> None:  # noqa: F811
    sound = server.animate("audio/wav", text="Mama.").content
    assert studio.page.evaluate(DROP, ["My voice.wav", b64encode(sound).decode()])
    studio.whole()
    assert studio.page.text_content("#source") == "My voice.wav"
    assert studio.length() > 0.2


def test_words_can_be_dragged_into_the_text(studio: Studio) -> None:  # noqa: F811
    assert studio.page.evaluate(WORDS) == [True, True], "the browser does it itself"


def test_a_token_is_asked_for_until_it_is_right(browser: Any) -> None:  # noqa: F811
    locked = Server(token=TOKEN)
    context = browser.new_context()
    try:
        first = context.new_page()
        first.goto(locked.base + "/studio/?token=a%20token%20of%20some%20length")
        first.wait_for_selector("body[data-ready='true']")
        page = context.new_page()  # a new tab has the page's files, and no token
        page.goto(locked.base + "/studio/")
        for wrong in ("", "wrong", "ключ от двери"):
            page.wait_for_selector("#token[open]")
            page.fill("#token-text", wrong)
            with page.expect_event("console"):  # a refusal is written there
                page.press("#token-text", "Enter")
        page.wait_for_selector("#token[open]")
        page.fill("#token-text", TOKEN)
        page.press("#token-text", "Enter")
        page.wait_for_selector("body[data-ready='true']")
        page.reload()
        page.wait_for_selector("body[data-ready='true']")
        assert not page.is_visible("#token")
    finally:
        context.close()
        locked.stop()


def test_nothing_to_say_changes_nothing(studio: Studio) -> None:  # noqa: F811
    page = studio.page
    studio.speak("Mama mama, papa has a map.")
    studio.whole()  # a clip that is made takes the message away
    page.fill("#text", "   ")
    page.click("#speak")
    assert studio.error() == "Write something to say first."
    page.click("#error-close")
    studio.whole()
    assert studio.length() > 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("Mama. " * 2000, "Text: more than 10000 characters"), ("[hapy] Mama.", "Text, character")],
)
def test_what_cannot_be_said_is_told(studio: Studio, text: str, line: str) -> None:  # noqa: F811
    studio.speak(text)
    studio.until("!document.querySelector('#error').hidden")
    assert studio.error().startswith(line)
    assert studio.state() == "idle"
    studio.speak("Mama.")
    studio.whole()


def test_a_voice_is_chosen_from_the_list(studio: Studio) -> None:  # noqa: F811
    """The last profile has no key to ask its voices with, and says so when it is to speak."""
    page = studio.page
    studio.speak("Mama mama.")
    studio.whole()
    assert page.locator("#voice option").count() > 100
    length = studio.length()
    with studio.anew():
        page.select_option("#voice", "de")
    assert studio.posted[-1]["voice"] == "de"
    assert studio.length() != length
    studio.speak("Guten Tag.")
    studio.whole()
    assert [m.get("voice") for m in studio.stream if m["type"] == "start"] == [None, "de"]
    page.select_option("#profile", "elevenlabs")
    page.wait_for_selector("#voice:disabled", state="attached")
    assert page.input_value("#voice") == ""
    studio.until("!document.querySelector('#error').hidden")
    assert "ELEVENLABS_API_KEY" in studio.error()
    assert len(studio.complaints) == 1 and "400" in studio.complaints.pop()


def test_a_profile_without_a_voice_is_told(browser: Any, server: Server) -> None:  # noqa: F811
    told = server.client.get("/v1/profiles").json()
    context = browser.new_context()
    silent = [{**profile, "voice": False} for profile in told]
    context.route("**/v1/profiles", lambda route: route.fulfill(json=silent))
    page = context.new_page()
    page.goto(server.base)
    page.wait_for_selector("body[data-ready='true']")
    assert page.is_disabled("#voice")
    page.click("#speak")
    assert str(page.text_content("#error-text")).startswith("This profile has no voice.")
    assert page.get_attribute("body", "data-state") == "idle"
    context.close()


@pytest.mark.parametrize("suffix", [".glb", ".mp4"])
def test_head_and_video_are_exported(
    studio: Studio,  # noqa: F811
    server: Server,  # noqa: F811
    suffix: str,
) -> None:
    if suffix not in [form["suffix"] for form in server.client.get("/v1/formats").json()]:
        pytest.skip(f"nothing installed writes {suffix}")
    studio.speak("Mama.")
    studio.whole()
    studio.page.click("#export summary")
    with studio.page.expect_download() as download:
        studio.page.click(f"#formats [data-suffix='{suffix}']")
    with open(download.value.path(), "rb") as file:
        begin = file.read(12)
    assert begin.startswith(b"glTF") if suffix == ".glb" else begin[4:8] == b"ftyp"
