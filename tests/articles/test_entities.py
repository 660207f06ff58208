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


def test_two_names_that_run_together_are_taken_apart() -> None:
    text = (
        "The director of Amnesty International Man-kei Tam spoke. A statement followed. "
        "Major League Baseball’s World Series was won in Ohio. The games went on."
    )
    found = named(an_article("A statement", text))
    assert "Amnesty International" in found
    assert not any("Amnesty International " in name for name in found)
    assert not any("’s " in name for name in found)


def test_a_list_of_counties_is_a_list_of_places() -> None:
    text = "Help is there for the counties of Barton, Ellsworth, Harvey, Lincoln, Russell, and Rush, in the State of Kansas."
    found = named(an_article("Help for Kansas", text))
    assert {name for name in found if found[name].type == "place"} >= {
        "Barton", "Ellsworth", "Harvey", "Lincoln", "Russell", "Rush", "Kansas",
    }  # fmt: skip


def test_what_a_text_calls_a_town_is_a_place_and_a_storm_is_nobody() -> None:
    text = (
        "Typhoon Haiyan struck the town of Pandeglang on Monday. Two people in Pandeglang were hurt, police said. "
        "Typhoon Haiyan was the strongest storm in years."
    )
    found = named(an_article("A storm", text))
    assert found["Pandeglang"].type == "place"
    assert "Typhoon Haiyan" not in found or found["Typhoon Haiyan"].type == "other"


def test_the_first_presidents_are_people_and_latin_america_is_not_the_united_states() -> None:
    text = "That was the chair of President Washington, President Jefferson and President Kennedy. All of Latin America, from where he came, knew Latin American history."
    found = named(an_article("A chair", text))
    assert {name for name in found if found[name].type == "person"} >= {"Washington", "Jefferson", "Kennedy"}
    assert "United States" not in found


def test_a_team_and_its_short_name_are_one_and_so_are_an_organisation_and_its_letters() -> None:
    text = (
        "The Chicago Cubs won. Nobody expected the Cubs to win. The National Association for the Advancement of "
        "Colored People was glad. The N.A.A.C.P. said that it was glad."
    )
    found = named(an_article("A win", text))
    assert "Cubs" not in found
    assert "Chicago Cubs" in found
    assert sum("N.A.A.C.P" in name or "Advancement" in name for name in found) == 1


def test_an_office_is_no_organisation_and_a_place_at_the_head_of_a_report_has_its_usual_name() -> None:
    text = "WASHINGTON — Antony Blinken and National Security Advisor Jake Sullivan met on Monday. In Africa, nobody noticed."
    found = named(an_article("A meeting", text))
    assert "Jake Sullivan" in found
    assert not any("Advisor" in name or name.isupper() for name in found)
    assert found["Africa"].type == "place"
