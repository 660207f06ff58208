"""What is new to who has read some of a story, and that it is never made up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.passages import passages
from broadsheet.model import Article
from broadsheet.stories.novelty import Novelty, count_new, news, whats_new
from broadsheet.stories.told import names, numbers, tell
from tests.builders import an_article

QUAKE = an_article(
    "Quake kills 2,000 in Turkey",
    "An earthquake killed 2,000 people in Turkey on Monday, officials said. Rescue teams are searching for survivors "
    "in the ruins of Antakya. Hundreds of buildings collapsed in the city.",
)


def said(read: list[Article], *unread: Article) -> list[str]:
    return [n.passage.text for n in whats_new(read, unread, passages)]


def test_a_toll_that_rose_is_a_correction_that_names_both_numbers():
    later = an_article("Toll rises", "An earthquake killed 3,000 people in Turkey on Monday, officials said.")
    (found,) = whats_new([QUAKE], [later], passages)
    assert found.why == "correction: 3,000, was 2,000"
    assert found.passage.text == later.text


def test_what_rephrases_the_read_is_not_new():
    later = an_article(
        "Survivors sought", "Officials said that on Monday an earthquake killed 2,000 people in Turkey. In Antakya rescue "
        "teams were searching the ruins for survivors."
    )  # fmt: skip
    assert said([QUAKE], later) == []


def test_the_same_article_says_nothing_new_even_with_other_quotation_marks():
    first = an_article("A", "“We will rebuild every house,” said Mayor Ali Kaya of Antakya on Tuesday.")
    again = an_article("A", '"We will rebuild every house," said Mayor Ali Kaya of Antakya on Tuesday.')
    assert said([first], again) == []


def test_a_new_name_and_a_new_quote_are_new_and_say_which():
    later = an_article(
        "Emergency",
        "An earthquake killed 2,000 people in Turkey on Monday, officials said. President Recep Tayyip Erdogan declared "
        "a state of emergency in the south. “We have lost everything that our parents built”, one of the survivors said.",
    )
    why = {n.passage.text[:9]: n.why for n in whats_new([QUAKE], [later], passages)}
    assert why == {"President": "name: Recep Tayyip Erdogan", "“We have ": "quote"}


def test_a_fact_that_two_articles_tell_is_given_once_from_the_earliest():
    fact = "President Recep Tayyip Erdogan declared a state of emergency in ten provinces of the south."
    first, second = an_article("One", f"{fact} It rained."), an_article("Two", f"Snow fell on the tents. {fact}")
    found = [n for n in whats_new([QUAKE], [first, second], passages) if n.passage.text == fact]
    assert [n.passage.article for n in found] == [first.id]


def test_of_two_that_tell_a_fact_the_fuller_is_given():
    short = an_article("One", "Erdogan declared a state of emergency.")
    full = an_article("Two", "Erdogan declared a state of emergency in ten provinces until the elections in May.")
    assert said([QUAKE], short, full) == [full.text]


def test_credits_captions_and_prompts_are_never_new():
    later = an_article(
        "More",
        "Reporting by Can Sezer; editing by Ann Lee\nImage caption A rescuer digs in Antakya\n"
        "Sign up for our morning newsletter.\nCopyright 2023 The Example Press. All rights reserved.\n(AP Photo/Jane Doe)",
    )
    assert said([QUAKE], later) == []


def test_with_nothing_read_all_is_new_and_what_opens_an_article_comes_first():
    found = said([], QUAKE)
    assert sorted(found) == sorted(p.text for p in passages(QUAKE))
    assert found[0].startswith("An earthquake killed 2,000")


def test_with_nothing_unread_nothing_is_new():
    assert said([QUAKE]) == []


def test_an_article_without_text_says_nothing():
    assert said([QUAKE], an_article("Only a headline", "")) == []


def test_a_number_that_changed_is_seen_in_unspaced_text():
    read = an_article("地震", "土耳其周一发生地震，造成2000人死亡。救援队正在搜寻幸存者。")
    later = an_article("地震", "土耳其周一发生地震，造成3000人死亡。救援队正在搜寻幸存者。")
    assert said([read], later) == ["土耳其周一发生地震，造成3000人死亡。"]


def test_no_more_are_given_than_asked_for_and_they_are_the_first():
    later = an_article(
        "More", "Ada Lane flew to Oslo. Bo Marsh sued the Kaya Fund for $5 million. Cy Dunn won in Rome."
    )
    every = whats_new([QUAKE], [later], passages)
    assert whats_new([QUAKE], [later], passages, Novelty(most=2)) == every[:2]
    assert len(every) == 3


def test_the_count_on_a_card_is_how_many_the_page_shows():
    later = an_article(
        "More", "Ada Lane flew to Oslo. Rescue teams are searching for survivors in the ruins of Antakya."
    )
    read, unread = [tell(QUAKE, passages)], [tell(later, passages)]
    assert count_new(read, unread) == len(news(read, unread)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("3,000", "3000"), ("3 million", "3,000,000"), ("$2.5bn", "2.5 billion"), ("45%", "45 percent"), ("seven", "7")],
)
def test_a_number_is_the_same_however_it_is_written(one: str, other: str):
    assert [n.keys for n in numbers(one)] == [n.keys for n in numbers(other)] != []


def test_names_are_whole_and_do_not_begin_with_the_word_that_opens_a_sentence():
    text = "In New Jersey, Senator Edward M. Kennedy met U.S. officials. Yesterday the Justice Department’s chief left."
    assert [n.text for n in names(text)] == ["New Jersey", "Edward M. Kennedy", "U.S.", "Justice Department"]


def test_digits_of_an_address_or_within_a_name_are_no_numbers():
    assert numbers("See https://example.org/item?id=36494776 and example.org/europe-66031341 on COVID-19.") == []


def test_a_feeds_one_sentence_is_news_though_its_headline_says_the_same():
    fact = "Mexico’s ruling party won the governorship of its largest state for the first time."
    assert said([QUAKE], an_article(fact, fact)) == [fact]


SENTENCES = st.sampled_from(
    [
        "Officials said that 20 people died in Antakya.",
        "“We will rebuild,” said Ann Lee of the Kaya Fund.",
        "It rained.",
        "Prices rose 5% in Rome on Friday",
        "他们说死了20人。",
        "!!!",
        "HOST:",
        "The storm moved north and the ferries stayed in port.",
    ]
)
TEXTS = st.lists(SENTENCES, max_size=8).map(" ".join) | st.text(max_size=120)
ARTICLES = st.lists(st.builds(an_article, st.text(max_size=20), TEXTS), max_size=4)


@settings(deadline=None, max_examples=50)
@given(ARTICLES, ARTICLES)
def test_every_sentence_is_verbatim_where_it_says(read: list[Article], unread: list[Article]):
    texts = {(a.id, a.text) for a in unread}
    found = whats_new(read, unread, passages)
    for n in found:
        assert any(i == n.passage.article and t[n.passage.start : n.passage.end] == n.passage.text for i, t in texts)
        assert n.why
    assert [n.worth for n in found] == sorted((n.worth for n in found), reverse=True)


@settings(deadline=None, max_examples=50)
@given(ARTICLES)
def test_what_was_read_is_never_new(articles: list[Article]):
    assert whats_new(articles, articles, passages) == ()


@settings(deadline=None, max_examples=50)
@given(ARTICLES, ARTICLES)
def test_the_order_and_copies_of_what_was_read_do_not_matter(read: list[Article], unread: list[Article]):
    assert [n.passage for n in whats_new(read, unread, passages)] == [
        n.passage for n in whats_new([*read[::-1], *read], unread, passages)
    ]


@settings(deadline=None, max_examples=50)
@given(ARTICLES)
def test_no_sentence_is_given_twice(unread: list[Article]):
    found = [n.passage.text for n in whats_new([], unread, passages)]
    assert len(found) == len(set(found))
