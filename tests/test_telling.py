"""What a story's page tells: sides beside each other, who began, how coverage grew, what only one says."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from broadsheet.model import Article, Passage, Quote
from broadsheet.stories.quotes import quotes
from broadsheet.stories.quotes.transcripts import government, turns
from broadsheet.telling import coverage, facts_new, said_alone, sides, tellers, unread
from tests.builders import DAY, HOUR, NOON, an_article

TALKS = (
    "“We agreed to keep the lines of communication open,” US Secretary of State Antony Blinken said after the talks in Beijing. "
    "Blinken said that the two countries had to manage their rivalry."
)
READOUT = (
    "China’s foreign minister Qin Gang said relations were at their lowest point. “We hope that the United States will adopt an "
    "objective and rational view of China,” Qin said, according to the readout of his ministry."
)


def of(*articles: Article) -> dict[str, tuple[Quote, ...]]:
    return {a.id: quotes(a) for a in articles}


def test_two_sides_stand_beside_each_other_in_their_own_words_each_linked_to_its_place():
    one = an_article("Blinken in Beijing", TALKS, publisher="Gazette", published=NOON)
    two = an_article("China answers", READOUT, publisher="Herald", published=NOON + HOUR)
    found = sides([one, two], of(one, two))
    assert {side.name for side in found} == {"US", "China"}
    texts = {one.id: one.text, two.id: two.text}
    for side in found:
        for spoken in side.spoken:
            q = spoken.quote
            assert q.direct
            assert texts[q.article][q.start : q.end] == q.content
            assert q.speaker in {"Antony Blinken", "Qin Gang"}


def test_what_several_print_is_told_once_by_the_first_and_a_wire_copy_tells_nothing():
    one = an_article("Blinken in Beijing", TALKS, publisher="Gazette", published=NOON)
    two = an_article("Blinken meets Xi", TALKS + " More of ours.", publisher="Herald", published=NOON + HOUR)
    copy = an_article("A copy", READOUT, publisher="Echo", published=NOON + 2 * HOUR, copy_of=one.id)
    (us,) = sides([one, two, copy], of(one, two, copy))
    assert [s.publisher for s in us.spoken] == ["Gazette"]


def test_a_clause_of_a_law_is_no_side():
    law = an_article(
        "Adjusting imports",
        "The Secretary of Commerce found that imports threaten the industry of the country. The CFR says that tariffs apply.",
    )
    assert sides([law], of(law)) == ()


@pytest.mark.parametrize(
    ("url", "side"),
    [("https://www.whitehouse.gov/briefings/1", "US"), ("https://www.mfa.gov.cn/web/1.shtml", "China"), ("https://www.gov.uk/x", "UK"),
     ("https://gov.example.org/", ""), ("https://notgov/", ""), ("https://governo.it/", "Italy"), ("", ""), ("http://[", "")],
)  # fmt: skip
def test_a_government_is_known_by_the_end_of_its_address(url: str, side: str):
    assert government(url) == side


def test_answers_in_a_governments_transcript_are_its_words_and_questions_are_not():
    text = "Q  Did they meet?\n\nMS. JEAN-PIERRE:  They did. It was candid.\n\nREPORTER: And then?\n\nMS. JEAN-PIERRE:  We go on.\n\nNOTE: once"
    said = turns(an_article("Briefing", text, url="https://www.whitehouse.gov/b/1"))
    assert [(q.speaker, q.side, q.content) for q in said] == [
        ("Jean-Pierre", "US", "They did. It was candid."), ("Jean-Pierre", "US", "We go on."),
    ]  # fmt: skip
    assert all(text[q.start : q.end] == q.content for q in said)
    assert turns(an_article("Briefing", text, url="https://news.example/1")) == []


def test_washington_and_beijing_stand_beside_each_other_on_the_visit_of_2023_with_their_own_readouts(data: Path):
    folder = data / "streams" / "blinken-visit-2023"
    articles = []
    for line in (folder / "rss-core.jsonl").read_text("utf-8").splitlines():
        d = json.loads(line)
        if d["published"]:
            articles.append(
                an_article(
                    d["title"],
                    d["description"] or "",
                    url=d["link"],
                    publisher=d["feed"],
                    published=datetime.fromisoformat(d["published"]),
                )
            )
    for line in (folder / "mfa.jsonl").read_text("utf-8").splitlines():
        d = json.loads(line)
        text = "\n\n".join(p["text"] for p in d["paragraphs"])
        if "布林肯" in text:
            articles.append(
                an_article(
                    d["title"],
                    text,
                    url=d["url"],
                    publisher="外交部",
                    published=datetime.fromisoformat(f"{d['date']}T12:00+00:00"),
                )
            )
    briefing = (
        next((folder / "whitehouse").glob("2023-06-20-*")),
        next((folder / "whitehouse").glob("2023-06-19-press-gaggle*")),
    )
    for path in briefing:
        articles.append(
            an_article(
                path.stem,
                path.read_text("utf-8"),
                url=f"https://www.whitehouse.gov/{path.stem}",
                publisher="The White House",
                published=datetime.fromisoformat(f"{path.name[:10]}T20:00+00:00"),
            )
        )
    articles.sort(key=lambda a: a.time)
    found = {side.name: side for side in sides(articles, of(*articles))}
    assert list(found)[:2] == ["US", "China"] or list(found)[:2] == ["China", "US"]
    assert any("Blinken" in s.quote.speaker for s in found["US"].spoken) or any(
        s.publisher == "The White House" for s in found["US"].spoken
    )
    assert any(s.publisher == "外交部" for s in found["China"].spoken)
    texts = {a.id: a.text for a in articles}
    assert all(
        texts[s.quote.article][s.quote.start : s.quote.end] == s.quote.content
        for side in found.values()
        for s in side.spoken
    )


def test_the_first_with_words_of_its_own_began_the_story_and_a_copy_is_marked():
    wire = an_article("First", "Own words " * 20, url="https://www.reuters.com/1", publisher="Reuters", published=NOON)
    copy = an_article(
        "Again",
        "Own words " * 20,
        url="https://www.lemonde.fr/1",
        publisher="Le Monde",
        published=NOON + HOUR,
        copy_of=wire.id,
    )
    other = an_article(
        "Other", "Else " * 20, url="https://unheard-of.example/1", publisher="Unheard", published=NOON + 2 * HOUR
    )
    found = tellers([wire, copy, other])
    flat = {t.publisher: t for group in found.values() for t in group}
    assert [t.publisher for t in flat.values() if t.began] == ["Reuters"]
    assert not flat["Le Monde"].own
    assert flat["Le Monde"].country == "France"
    assert list(found)[-1] == ""  # of an unknown country last
    assert coverage([wire, copy, other]) == ((NOON, 1), (NOON + HOUR, 2), (NOON + 2 * HOUR, 3))


def test_what_only_one_publisher_says_is_known_by_its_words_not_by_its_wording():
    shared = "The earthquake near Van destroyed two hundred houses on Tuesday."
    alone = "A bakery on the lake kept its ovens burning through the night."
    one = an_article("Quake", f"{shared} {alone}", publisher="Gazette")
    two = an_article(
        "Quake in Van", "Two hundred houses were destroyed by the earthquake near Van on Tuesday.", publisher="Herald"
    )
    points = [
        Passage(article=one.id, text=t, start=one.text.index(t), end=one.text.index(t) + len(t))
        for t in (shared, alone)
    ]
    assert said_alone(points, [one, two]) == {points[1]}
    assert said_alone(points, [one]) == frozenset()  # nobody else reports at all


def test_whoever_prints_a_sentence_word_for_word_says_it_however_their_text_is_cut():
    said = "The mayor Ana Silva resigned over the bridge contract on Monday."
    one = an_article("Mayor", f"{said} The council meets again in May.", publisher="Gazette")
    two = an_article("Mayor gone", f"As was reported here first {said} More soon.", publisher="Herald")
    three = an_article("Weather", "Rain falls on the coast all week long.", publisher="Bulletin")
    points = [Passage(article=one.id, text=said, start=0, end=len(said))]
    assert said_alone(points, [one, three]) == set(points)
    assert said_alone(points, [one, two, three]) == frozenset()


def test_new_facts_are_counted_over_what_came_since_and_was_not_read():
    old = an_article("Quake", "The earthquake near Van destroyed two hundred houses on Tuesday.", first_seen=NOON - DAY)
    new = an_article(
        "Toll", "Rescuers in Van found 41 people alive under a school. The minister Ali Kaya resigned.", first_seen=NOON
    )
    came = unread([old, new], NOON - HOUR, {})
    assert came == {new.id}
    assert facts_new([old, new], came) == 2
    assert unread([old, new], NOON - HOUR, {new.id: NOON}) == frozenset()
    assert unread([old, new], None, {}) == frozenset()
