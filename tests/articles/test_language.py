"""The language of a text, and silence where it can't be told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.language import LANGUAGES, language_code, language_of

SENTENCES = [
    ("en", "The minister said on Monday that talks would go on for another week."),
    ("de", "Der Minister sagte am Montag, die Gespräche würden noch eine Woche dauern."),
    ("fr", "Le ministre a déclaré lundi que les discussions dureraient encore une semaine."),
    ("es", "El ministro dijo el lunes que las conversaciones seguirán una semana más."),
    ("pt", "O ministro disse na segunda-feira que as conversações vão continuar por mais uma semana."),
    ("it", "Il ministro ha detto lunedì che i colloqui dureranno ancora una settimana."),
    ("nl", "De minister zei maandag dat de gesprekken nog een week zullen duren."),
    ("pl", "Minister powiedział w poniedziałek, że rozmowy potrwają jeszcze tydzień."),
    ("tr", "Bakan pazartesi günü görüşmelerin bir hafta daha süreceğini söyledi."),
    ("ru", "Министр заявил в понедельник, что переговоры продлятся ещё неделю."),
    ("uk", "Міністр заявив у понеділок, що переговори триватимуть ще тиждень."),
    ("ar", "قال الوزير يوم الاثنين إن المحادثات ستستمر أسبوعا آخر."),
    ("fa", "وزیر روز دوشنبه گفت که گفتگوها یک هفته دیگر ادامه خواهد داشت."),
    ("he", "השר אמר ביום שני כי השיחות יימשכו עוד שבוע."),
    ("hi", "मंत्री ने सोमवार को कहा कि बातचीत एक और सप्ताह तक चलेगी।"),
    ("zh", "部长星期一表示，会谈将再持续一周。"),
    ("ja", "大臣は月曜日、協議はあと一週間続くと述べた。"),
    ("ko", "장관은 월요일 회담이 일주일 더 계속될 것이라고 말했다."),
    ("id", "Menteri mengatakan pada hari Senin bahwa pembicaraan akan berlangsung seminggu lagi."),
    ("vi", "Bộ trưởng nói hôm thứ Hai rằng các cuộc đàm phán sẽ tiếp tục thêm một tuần."),
    ("th", "รัฐมนตรีกล่าวเมื่อวันจันทร์ว่าการเจรจาจะดำเนินต่อไปอีกหนึ่งสัปดาห์"),
    ("el", "Ο υπουργός δήλωσε τη Δευτέρα ότι οι συνομιλίες θα συνεχιστούν."),
]


@pytest.mark.parametrize(("code", "sentence"), SENTENCES)
def test_a_sentence_is_known_by_its_language(code: str, sentence: str) -> None:
    assert language_of(sentence) == code


@pytest.mark.parametrize(
    "text", ["", "   ", "123 456", "🎉🎉🎉", "https://example.org/the/story/of/the/day", "Xi", "asdf qwer"]
)
def test_what_says_too_little_has_no_language(text: str) -> None:
    assert language_of(text) == ""


def test_the_page_s_own_word_decides_where_the_text_can_t() -> None:
    assert language_of("Liverpool 2-1 Arsenal", "en-GB") == "en"
    assert language_of("OK", "fr") == "fr"


def test_the_page_s_own_word_never_outweighs_the_text() -> None:
    assert language_of(SENTENCES[1][1] * 3, "en-US") == "de"


def test_a_mark_for_a_language_is_read_or_dropped() -> None:
    marks = {"en-GB": "en", "zh_Hant_TW": "zh", "nb": "no", "EN": "en", "": "", "und": "", "x": "", "english": ""}
    assert {mark: language_code(mark) for mark in marks} == marks


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_a_known_language_or_none(text: str) -> None:
    assert language_of(text) in ("", *LANGUAGES, "no", "hy")
