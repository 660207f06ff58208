"""Names: each once, in its fullest form, of the right type."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.entities import Recogniser, Recognition, entities
from broadsheet.model import Article, Entity
from tests.builders import an_article

VISIT = an_article(
    "Blinken to visit China",
    "US Secretary of State Antony Blinken will visit Beijing on Sunday, the State Department said.\n\n"
    "Blinken will meet China’s Foreign Minister Qin Gang. Qin told Blinken that the Chinese side wanted talks. "
    "The World Health Organization was not mentioned. In June 2023, 45 per cent of readers had heard of it.",
)
both = pytest.mark.parametrize("recogniser", ["spacy", "capitals"])


def named(article: Article, recogniser: Recogniser = "spacy") -> dict[str, Entity]:
    (read,) = entities([article], Recognition(recogniser=recogniser))
    return {entity.text: entity for entity in read.entities}


@both
def test_people_places_and_organisations_have_their_types(recogniser: Recogniser) -> None:
    found = named(VISIT, recogniser)
    types = {name: found[name].type for name in ("Antony Blinken", "Qin Gang", "Beijing", "China", "State Department")}
    assert types == {
        "Antony Blinken": "person",
        "Qin Gang": "person",
        "Beijing": "place",
        "China": "place",
        "State Department": "organisation",
    }


@both
def test_a_surname_is_counted_with_the_full_name(recogniser: Recogniser) -> None:
    found = named(VISIT, recogniser)
    assert "Blinken" not in found
    assert "Qin" not in found
    assert found["Antony Blinken"].count >= 3


@both
def test_a_country_s_many_names_are_one(recogniser: Recogniser) -> None:
    text = (
        "The US and the United States are one. Washington spoke for America. The U.S. agreed with the UK and Britain."
    )
    found = named(an_article("Names of countries", text), recogniser)
    assert found["United States"].count == 4
    assert found["United Kingdom"].count == 2


@both
def test_dates_and_numbers_are_no_names(recogniser: Recogniser) -> None:
    found = named(VISIT, recogniser)
    assert not {"Sunday", "June", "June 2023", "45"} & set(found)


def test_part_of_a_longer_name_is_not_that_place() -> None:
    found = named(
        an_article("Rates held", "The Bank of China said on Monday that the Bank of China would open branches.")
    )
    assert "China" not in found


def test_a_person_who_is_called_like_a_place_is_a_person() -> None:
    text = "Jordan Henderson scored. Defence Secretary Lloyd Austin watched. Austin said that Henderson was good."
    found = named(an_article("A goal", text))
    assert found["Lloyd Austin"].type == "person"
    assert "Jordan" not in found


def test_a_title_that_is_part_of_the_name_stays() -> None:
    found = named(
        an_article("A call", "Pope Francis called for peace on Sunday. Francis spoke to President Emmanuel Macron.")
    )
    assert found["Pope Francis"].count == 2
    assert "Emmanuel Macron" in found


def test_names_late_in_a_long_text_are_found_too() -> None:
    article = an_article(
        "A long report", "Talks went on for days without result. " * 120 + "Then Gina Raimondo spoke to Wang Wentao."
    )
    assert {"Gina Raimondo", "Wang Wentao"} <= set(named(article))


def test_languages_other_than_english_are_read_by_their_capitals() -> None:
    article = an_article(
        "Sánchez visita Buenos Aires",
        "El presidente del Gobierno, Pedro Sánchez, llegó a Argentina para ver a Javier Milei. Sánchez habló con Milei.",
        language="es",
    )
    found = named(article)
    assert found["Pedro Sánchez"].type == "person"
    assert found["Argentina"].type == "place"
    assert found["Buenos Aires"].type == "place"
    assert found["Javier Milei"].count == 2


@both
def test_the_most_named_comes_first_and_the_order_of_articles_stays(recogniser: Recogniser) -> None:
    other = an_article("Pasta", "Nobody is named here.")
    first, second, third = entities([other, VISIT, other], Recognition(recogniser=recogniser))
    assert first.entities == third.entities
    counts = [entity.count for entity in second.entities]
    assert counts == sorted(counts, reverse=True)
    assert [a.title for a in (first, second, third)] == ["Pasta", VISIT.title, "Pasta"]


@pytest.mark.parametrize(
    "text", ["", "🎉🎉", "قال الوزير يوم الاثنين", "布林肯抵达北京", "A" * 50_000, "\n\n\n", "a b " * 30_000]
)
def test_nothing_to_name_is_no_problem(text: str) -> None:
    assert all(entity.text for entity in named(an_article(text[:50], text)).values())


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=400)
    | st.lists(
        st.sampled_from(
            ["US", "Joe", "Biden", "of", "the", "said", "Inc.", "Mr.", "Beijing’s", "—", "\n", "“", "Chinese"]
        )
    ).map(" ".join)
)
def test_every_name_stands_in_any_text_once(text: str) -> None:
    (read,) = entities([an_article("Title", text)], Recognition(recogniser="capitals"))
    names = [entity.text.casefold() for entity in read.entities]
    assert len(names) == len(set(names))
    assert all(entity.count >= 1 for entity in read.entities)


@pytest.mark.data
def test_the_page_that_started_it_names_its_people_and_places(data: Path) -> None:
    page = (data / "page" / "us-china-visit.txt").read_text("utf-8")
    found = named(
        an_article("Antony Blinken’s visit confirmed", page[page.index("US Secretary of State Antony Blinken will") :])
    )
    people = {"Antony Blinken", "Qin Gang", "Xi Jinping", "Joe Biden", "Tsai Ing-wen"}
    assert {name for name in people if name in found and found[name].type == "person"} == people
    assert {name for name in ("China", "United States", "Beijing", "Taiwan") if found[name].type == "place"} == {
        "China", "United States", "Beijing", "Taiwan",
    }  # fmt: skip


def test_a_name_is_whole_though_a_part_of_it_is_an_office_or_a_place():
    text = "The Israel Defense Forces and the Democratic Republic of the Congo were named."
    (article,) = entities([an_article("Two long names", text)])
    assert {e.text for e in article.entities} == {"Israel Defense Forces", "DR Congo"}
