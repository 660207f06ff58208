"""What lists ask the store for, on both databases: the same facts as the whole nouns have, and no more than is shown."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import ArticleId, Event, FactChange, ReaderId, SourceId, StoryId, ThreadId, Version
from tests.builders import DAY, HOUR, NOON, a_reader, a_source, a_story, an_article


def test_articles_are_counted_for_the_sources_that_are_asked_for(db: Connection) -> None:
    busy, calm, silent = (a_source(f"https://{name}.example/feed") for name in ("busy", "calm", "silent"))
    for source in (busy, calm, silent):
        store.sources.add(db, source)
    made = [an_article(f"busy {n}", source=busy.id, published=NOON - n * HOUR) for n in range(3)]
    store.articles.save(db, [*made, an_article("calm", source=calm.id, published=NOON - DAY), an_article("of none")])
    assert store.articles.counted(db, [busy.id, silent.id, SourceId("never")]) == {busy.id: (3, NOON)}
    assert store.articles.counted(db, [calm.id]) == {calm.id: (1, NOON - DAY)}
    assert store.articles.counted(db, []) == {}


def test_a_list_of_sources_says_of_each_what_the_source_says(db: Connection) -> None:
    ill = replace(a_source("https://ill.example/feed"), problem="it answered 500", gone=True)
    mine = a_source("https://mine.example/feed", title="Mine", private=True)
    for source in (ill, mine):
        store.sources.add(db, source)
    listed = {row.id: row for row in store.sources.listed(db)}
    assert listed.keys() == {ill.id, mine.id}
    for source in store.sources.all(db):
        assert all(getattr(listed[source.id], name) == getattr(source, name) for name in listed[source.id]._fields)


def test_folders_are_those_of_the_reader_alone(db: Connection) -> None:
    one, other = a_source("https://one.example/feed"), a_source("https://other.example/feed")
    for source in (one, other):
        store.sources.add(db, source)
    for name, source, folder in (("Ada", one, "Papers"), ("Ada", other, ""), ("Bob", one, "Mornings")):
        store.readers.add(db, a_reader(name))
        store.sources.subscribe(db, ReaderId(name.casefold()), source.id, folder)
    assert store.sources.folders(db, ReaderId("ada")) == {one.id: "Papers", other.id: ""}
    assert store.sources.folders(db, ReaderId("bob")) == {one.id: "Mornings"}


def test_an_article_told_briefly_is_the_article_without_its_text(db: Connection) -> None:
    whole = [
        an_article(f"A{n}", source=SourceId("a"), published=NOON - n * HOUR, image="https://a.example/1.jpg", language="de")
        for n in range(3)
    ]  # fmt: skip
    store.articles.save(db, whole)
    brief = store.articles.brief(db, [whole[0].id, ArticleId("none")])
    assert brief.keys() == {whole[0].id}
    told = (
        "id",
        "url",
        "title",
        "publisher",
        "source",
        "published",
        "first_seen",
        "image",
        "language",
        "copy_of",
        "time",
    )
    assert all(getattr(brief[whole[0].id], name) == getattr(whole[0], name) for name in told)
    assert brief[whole[0].id].text == ""
    assert [a.id for a in store.articles.latest(db, 2, briefly=True)] == [a.id for a in whole[:2]]
    assert store.articles.latest(db, 1, briefly=True) == [brief[whole[0].id]]


def test_corrected_counts_the_articles_whose_facts_changed_since_they_were_read(db: Connection) -> None:
    ada = a_reader("Ada")
    store.readers.add(db, ada)
    number = (FactChange(kind="number", old="2", new="3"),)
    for n, (facts, read_before) in enumerate([(number, True), ((), True), (number, False)]):
        article = an_article(f"A{n}")
        store.articles.save(db, [article])
        version = Version(article=article.id, replaced=NOON, title="Old", text="Older", facts=facts)
        # two wordings of one article are one article that was corrected
        store.versions.save(db, [version, replace(version, replaced=NOON - HOUR)])
        store.versions.read(db, ada.id, article.id, NOON - DAY if read_before else NOON + HOUR)
    assert store.versions.corrected(db, ada.id) == 1
    assert store.versions.corrected(db, ReaderId("nobody")) == 0
    assert store.versions.corrected(db, ada.id, limit=0) == 0


def test_the_latest_of_a_thread_come_without_those_that_were_absorbed(db: Connection) -> None:
    made = [a_story(f"S{n}", thread=ThreadId("war"), last_seen=NOON - n * DAY) for n in range(4)]
    store.stories.save(db, made)
    store.stories.merge(db, made[1].id, made[0].id)
    assert store.threads.latest(db, ThreadId("war"), 2) == [made[0].id, made[2].id]
    assert store.threads.latest(db, ThreadId("none"), 2) == []


def test_stories_that_were_absorbed_are_read_as_those_that_took_them_in(db: Connection) -> None:
    one, two, three, four = (a_story(f"S{n}") for n in range(4))
    store.stories.save(db, [one, two, three, four])
    store.stories.merge(db, one.id, two.id)
    store.stories.merge(db, two.id, three.id)
    assert store.stories.many(db, [four.id, one.id, three.id, two.id]) == [four, three]
    assert store.stories.many(db, [one.id]) == [three]
    assert store.stories.many(db, [StoryId("none")]) == []


def test_events_recorded_at_once_get_their_ids_in_their_order(db: Connection) -> None:
    ada = a_reader("Ada")
    store.readers.add(db, ada)
    done = [Event(reader=ada.id, kind="shown", at=NOON, story=StoryId(f"s{n}"), position=n) for n in range(700)]
    ids = store.readers.record(db, done)
    assert ids == sorted(set(ids))
    assert {e.id: e.position for e in store.readers.events(db, ada.id)} == dict(zip(ids, range(700), strict=True))
