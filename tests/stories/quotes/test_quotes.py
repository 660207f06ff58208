"""Who said what: direct and indirect quotes go to their speakers, roles and sides."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.extract import extract
from broadsheet.model import Article, ArticleId, Page, Quote
from broadsheet.stories.quotes import Extraction, attributions, quotes


def read(text: str, title: str = "") -> tuple[Quote, ...]:
    return quotes(Article(id=ArticleId("a"), url="", title=title, text=text))


def direct(text: str, title: str = "") -> list[tuple[str, str]]:
    """Each direct quote's first word with its speaker."""
    return [(q.content.split()[0], q.speaker) for q in read(text, title) if q.direct]


# What the page that the project started from holds between marks, and whose it is, by hand: speakers and sides that are right.
GUPTA, CAMPBELL, QIN = ({"Sourabh Gupta"}, "analysts"), ({"Kurt Campbell"}, "US"), ({"Qin Gang"}, "China")
EURASIA = ({"Clayton Allen and Anna Ashton", "Eurasia analysts"}, "analysts")
PAGE = [
    ("a modicum of predictability", {"one analyst"}, "analysts"),
    ("show respect", *QIN),
    ("I hope that", *QIN),
    ("stern position", *QIN),
    ("show respect, stop", *QIN),
    ("the core of", {"Beijing"}, "China"),
    ("discussed the importance", {"Matthew Miller"}, "US"),
    ("clear", *QIN),
    ("a number of", *CAMPBELL),
    ("In the course", *CAMPBELL),
    ("Chinese counterparts have", *CAMPBELL),
    ("made several false", {"Chinese delegation"}, "China"),
    ("guardrails", *GUPTA),
    ("There may be", *GUPTA),
    ("Biden wants to", *GUPTA),
    ("Instability or", *GUPTA),
    ("If he can", *GUPTA),
    ("a managed decline", *EURASIA),
    ("to set the stage", *EURASIA),
    ("The decision, poorly", *EURASIA),
    ("With the US", *EURASIA),
]


@pytest.mark.data
def test_every_direct_quote_of_the_page_that_started_the_project_goes_to_its_speaker_and_side(data: Path) -> None:
    (article,) = extract([Page(id="1", url="", text=(data / "page/us-china-visit.txt").read_text("utf-8"))])
    assert isinstance(article, Article)
    found = [q for q in quotes(article) if q.direct]
    # Two more stand between marks: words of talks, which the page gives to those who held them, not to one who spoke.
    talks = [q for q in found if q.content.startswith("candid")]
    assert len(talks) == 2
    assert len(found) == len(PAGE) + len(talks)
    for (begins, speakers, side), quote in zip(PAGE, (q for q in found if q not in talks), strict=True):
        assert quote.content.startswith(begins)
        assert quote.speaker in speakers, quote
        assert quote.side == side, quote


def test_the_cue_may_stand_before_after_or_amid_the_words() -> None:
    text = (
        "Ana Brito, the mayor of Port Ellen, said: “We could not wait.”\n\n"
        "“It was a hard winter,” said Tom Keane, a spokesman for the harbour office.\n\n"
        "“The bridge,” Keane added, “will be closed until May.”"
    )
    assert direct(text) == [
        ("We", "Ana Brito"),
        ("It", "Tom Keane"),
        ("The", "Tom Keane"),
        ("will", "Tom Keane"),
    ]


def test_a_name_is_given_in_full_wherever_it_was_named_in_full() -> None:
    text = (
        "“We will meet in Beijing,” Blinken said on Friday.\n\n"
        "The visit was agreed on in May. Antony Blinken, the US secretary of state, last went there in 2022."
    )
    (quote,) = [q for q in read(text) if q.direct]
    assert (quote.speaker, quote.side) == ("Antony Blinken", "US")
    assert "secretary of state" in quote.role


def test_he_and_she_are_who_spoke_before() -> None:
    text = (
        "Laura Mendez, a nurse at the county hospital, met the governor, Paul Reyes, on Monday.\n\n"
        "“The wards are full,” Mendez said. “We are tired.”\n\n"
        "She said that nobody had answered her letters. “Not one,” she said.\n\n"
        "Reyes said that help was coming. “I have read every letter,” he said."
    )
    assert direct(text) == [
        ("The", "Laura Mendez"),
        ("We", "Laura Mendez"),
        ("Not", "Laura Mendez"),
        ("I", "Paul Reyes"),
    ]


def test_paragraphs_that_are_one_quote_go_on_with_the_speaker_before() -> None:
    text = (
        "“We came early,” said Ana Brito, a fisherman’s daughter.\n\n"
        "“We stayed late. Nobody spoke to us.\n\n"
        "“And in the morning we left.”"
    )
    assert [speaker for _, speaker in direct(text)] == ["Ana Brito"] * 3


def test_a_quote_that_begins_in_marks_left_open_is_one_quote_a_paragraph() -> None:
    text = "“The first thing we saw was smoke.\n\n“Then came the sirens,” said Officer Dan Wells."
    assert [w for w, _ in direct(text)] == ["The", "Then"]


@pytest.mark.parametrize(
    ("sentence", "side"),
    [
        ("“We will vote no,” said Sen. Mary Quill (R-Texas).", "Republicans"),
        ("“We will vote no,” said Mary Quill, a Democratic congresswoman from Ohio.", "Democrats"),
        ("“We will not yield,” said Wang Lei, a spokesman for the Chinese foreign ministry.", "China"),
        ("“We will not yield,” Kremlin spokesman Pyotr Orlov said.", "Russia"),
        ("“We will not yield,” said British Prime Minister Jane Ford.", "UK"),
        ("“We will not yield,” the German ambassador to China, Karl Vogt, said.", "Germany"),
        (
            "“Prices will rise,” said Lena Holt, a senior fellow at the Institute for Trade Studies in Washington.",
            "analysts",
        ),
        ("“Prices will rise,” said Lena Holt, an economist at Meridian Bank.", "analysts"),
        ("“The case goes on,” said Lena Holt, a spokeswoman for the European Commission.", "European Union"),
        ("“Sales were strong,” said Lena Holt, chief executive of Meridian Foods.", "Meridian Foods"),
    ],
)
def test_a_side_is_the_country_party_or_organisation_somebody_speaks_for(sentence: str, side: str) -> None:
    (quote,) = [q for q in read(sentence) if q.direct]
    assert quote.side == side
    assert quote.role


def test_a_spokesman_without_more_speaks_for_the_body_named_before_him() -> None:
    text = (
        "The two will meet on Sunday, the State Department said. They will speak of trade, according to spokesman "
        "Matthew Miller. “We look forward to it,” Miller said."
    )
    (quote,) = [q for q in read(text) if q.direct]
    assert (quote.speaker, quote.role, quote.side) == ("Matthew Miller", "spokesman", "US")


def test_titles_of_works_and_names_in_marks_are_nobodys_words() -> None:
    text = (
        "The film “The Long Winter” opened on Friday in forty countries. Its director, Ana Brito, also made “Harbour Lights”. "
        "“I wanted to show the cold,” Brito said."
    )
    assert direct(text) == [("I", "Ana Brito")]


def test_what_is_told_in_other_words_is_an_indirect_quote() -> None:
    text = (
        "The ministry of health said on Tuesday that three hospitals would close. "
        "The plan would save money, according to Dana Reed, the minister."
    )
    told = [q for q in read(text) if not q.direct]
    assert [(q.content, q.verb) for q in told] == [
        ("that three hospitals would close", "said"),
        ("The plan would save money", "according to"),
    ]
    assert told[1].speaker == "Dana Reed"


def test_a_fuller_name_comes_from_the_title_where_the_text_has_none() -> None:
    assert direct("“We are ready,” Whitfield said.", "Karen Whitfield takes office")[0][1] == "Karen Whitfield"


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "“", "”", "“”", "a", "Said said said.", "“Yes", "He said.", "\u2028“x”\r\n‘", "𝒳 “𝒴 𝒵” said Ana."],
)
def test_odd_texts_are_read_without_complaint(text: str) -> None:
    for quote in read(text):
        assert text[quote.start : quote.end] == quote.content


WORDS = [
    "“",
    "”",
    '"',
    "‘",
    "’",
    "said",
    "Ana Brito",
    "he",
    "that",
    ",",
    ".",
    "\n\n",
    "the minister",
    "according to",
    "told",
    "Reed",
    "🙂",
    "(",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_what_is_quoted_is_always_what_the_text_holds_there(words: list[str]) -> None:
    text = " ".join(words)
    article = Article(id=ArticleId("a"), url="", title="", text=text)
    found = attributions(article, Extraction(owned=0.0, report=0.0))
    for a in found:
        quote = a.quote
        assert text[quote.start : quote.end] == quote.content
        assert quote.content
        assert quote.speaker in text
        assert quote.verb in text
        assert 0.0 <= a.probability <= 1.0
        if a.source is not None:
            assert 0 <= a.source[0] < a.source[1] <= len(text)


def test_the_stage_travels_between_processes_and_says_the_same_twice() -> None:
    text = "“We could not wait,” said Ana Brito, the mayor.\n\nShe said the bridge would close."
    article = Article(id=ArticleId("a"), url="", title="", text=text)
    assert pickle.loads(pickle.dumps(quotes))(article) == quotes(article) == quotes(article)


def test_a_text_of_nothing_but_said_asks_about_no_more_cues_than_news_could_hold():
    text = "Ann Lee said Bob Roe said " * 300
    every = attributions(Article(id=ArticleId("x"), url="", title="", text=text), Extraction(report=0.0))
    assert 60 < len(every) <= len(text.split()) // 6 + 60
