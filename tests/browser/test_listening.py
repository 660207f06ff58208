"""An article read aloud: by the device's own voice, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.newsroom import CEASEFIRE

pytestmark = pytest.mark.browser
# a browser without a screen has no voices: this one has those given, and keeps what it was asked to say
VOICES = """
window.said = [];
const given = %s;
class Utterance { constructor(text) { this.text = text } }
const speech = new EventTarget();
speech.getVoices = () => given;
speech.cancel = () => { window.cancelled = (window.cancelled || 0) + 1 };
speech.speak = words => { window.said.push([words.text, words.voice.name]); window.last = words };
Object.defineProperty(window, 'speechSynthesis', {value: speech});
window.SpeechSynthesisUtterance = Utterance;
"""
OWN = "{name: 'own', lang: 'en-GB', localService: true}"
AFAR = "{name: 'afar', lang: 'en-US', localService: false, default: true}"
FRENCH = "{name: 'voix', lang: 'fr-FR', localService: true}"


def an_article(chromium: Any, paper: str, voices: str) -> Any:
    page = chromium.new_context().new_page()
    page.add_init_script(VOICES % voices)
    page.goto(paper)
    page.get_by_role("button", name="Choose nothing").click()
    page.goto(f"{paper}/article/{CEASEFIRE.articles[0]}")
    return page


def test_an_article_is_read_aloud_part_by_part_and_stops_when_asked(chromium: Any, paper: str) -> None:
    page = an_article(chromium, paper, f"[{AFAR}, {FRENCH}, {OWN}]")
    button = page.locator("[data-listen]")
    button.click()
    assert button.inner_text() == "Stop"
    assert page.evaluate("said") == [["Ceasefire holds", "own"]]
    page.evaluate("last.onend()")
    assert [words for words, _ in page.evaluate("said")][1].startswith("The first sentence of Open Times.")
    assert page.locator(".body .spoken").count() == 1
    button.click()
    assert button.inner_text() == "Listen"
    assert page.locator(".spoken").count() == 0
    page.evaluate("last.onend()")  # what a stopped voice says last begins nothing
    assert len(page.evaluate("said")) == 2
    page.context.close()


@pytest.mark.parametrize("voices", ["[]", f"[{AFAR}]", f"[{FRENCH}]"])
def test_without_a_voice_of_the_device_in_its_language_nothing_is_offered(
    chromium: Any, paper: str, voices: str
) -> None:
    page = an_article(chromium, paper, voices)
    assert page.locator("[data-listen]").is_hidden()
    page.context.close()
