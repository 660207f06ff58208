"""An operator's rulings, on SQLite and PostgreSQL alike: kept, obeyed by whoever groups, taken back, never half done."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, event, select

from broadsheet import jobs, store
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.model import Article, ArticleId, Event, Regrouping, Ruling, StoryId, bytes_of
from broadsheet.stories.cluster import Grouping
from broadsheet.stories.correction import Correction
from broadsheet.stories.pairs import digest
from broadsheet.stories.regrouping import begun_by
from tests.builders import DAY, HOUR, NOON, a_reader, an_article

SETTINGS = Settings(as_of=NOON.isoformat(), timezone="UTC")
NEVER, ALWAYS = Grouping(join=2.0), Grouping(join=-1.0, headline_words=0)
A, B = ArticleId("a"), ArticleId("b")


def reports(many: int) -> list[Article]:
    said = "The harbour of Lisbon was closed after the ferry Aurora ran aground near the lighthouse."
    return [
        an_article(f"Ferry aground at Lisbon {n}", said, published=NOON - DAY + n * HOUR, publisher=f"Paper {n}")
        for n in range(many)
    ]


def group(db: Engine, rules: Grouping, articles: list[Article] | None = None) -> None:
    with db.begin() as c:
        store.articles.save_new(c, articles or [])
    asyncio.run(jobs.group(db, SETTINGS, NOON, rules=rules))


def where(db: Engine) -> dict[ArticleId, StoryId]:
    with db.connect() as c:
        assert store.doctor.check(c, NOON) == []
        assert store.regroupings.waiting(c) is None
        found = {a.id: story for a, story in store.articles.live(c, NOON - 90 * DAY)}
        told = {id_: s.id for s in store.stories.live(c, NOON - 90 * DAY) for id_ in s.articles}
    assert told == found  # what a story says of itself is what the articles say
    return found


def say(db: Engine, one: Article, other: Article, same: bool) -> Ruling:
    if same:
        return jobs.rule_together(db, SETTINGS, one.id, other.id, "Ada")
    return jobs.rule_apart(db, SETTINGS, one.id, other.id, "Ada")


def test_a_ruling_is_kept_with_who_said_it_and_when_and_waits_until_both_have_a_story(db: Connection) -> None:
    first = store.regroupings.add(db, Regrouping(one=A, other=B, same=True), "Ada", NOON)
    second = store.regroupings.add(db, Regrouping(one=B, other=A, same=False), "Bo", NOON + HOUR)
    assert (first.number, first.who, first.at, first.applied) == (1, "Ada", NOON, False)
    assert store.regroupings.all(db) == [first, second]
    assert store.regroupings.standing(db) == [second]  # the last word on two articles
    assert store.regroupings.waiting(db) is None
    for id_ in (A, B):
        store.articles.save_new(db, [replace(an_article(id_), id=id_)])
    assert store.regroupings.waiting(db) is None
    store.articles.place(db, [(A, StoryId("x"), None), (B, StoryId("y"), None)])
    assert store.regroupings.waiting(db) == first
    assert store.regroupings.done(db, first, [B])
    assert not store.regroupings.done(db, first, [])
    assert store.regroupings.get(db, 1) == replace(first, applied=True, moved=(B,))
    assert store.regroupings.waiting(db) == second


def test_what_was_never_done_need_not_be_taken_back_and_what_was_done_waits_for_it(db: Connection) -> None:
    for id_ in (A, B):
        store.articles.save_new(db, [replace(an_article(id_), id=id_)])
        store.articles.place(db, [(id_, StoryId(id_), None)])
    waits = store.regroupings.add(db, Regrouping(one=A, other=B, same=True), "Ada", NOON)
    assert store.regroupings.undo(db, waits.number, NOON) == replace(waits, undone=NOON, applied=True)
    assert store.regroupings.undo(db, waits.number, NOON) is None
    assert store.regroupings.undo(db, 99, NOON) is None
    done = store.regroupings.add(db, Regrouping(one=A, other=B, same=True), "Ada", NOON)
    store.regroupings.done(db, done, [B])
    assert store.regroupings.undo(db, done.number, NOON) == replace(done, undone=NOON, moved=(B,))
    assert not store.regroupings.done(db, done, [B])  # it was undone in the meantime
    assert store.regroupings.standing(db) == []


def test_two_stories_put_together_are_one_under_the_older_id_and_two_again_when_it_is_undone(engine: Engine) -> None:
    first, second, third = reports(3)
    group(engine, NEVER, [first, second, third])
    before = where(engine)
    ruling = say(engine, third, first, same=True)
    group(engine, NEVER)
    assert where(engine) == {**before, third.id: before[first.id]}
    with engine.connect() as c:
        story = store.stories.get(c, before[third.id])
        assert story is not None
        assert (story.id, story.articles) == (before[first.id], (first.id, third.id))
        assert story.thread is not None
        assert store.regroupings.get(c, ruling.number) == replace(ruling, applied=True, moved=(third.id,))
        version = store.stories.version(c)
    group(engine, NEVER)
    with engine.connect() as c:
        assert store.stories.version(c) == version  # done once
    jobs.take_back(engine, SETTINGS, ruling.number)
    group(engine, NEVER)
    assert where(engine) == before


def test_an_article_put_out_of_its_story_stays_out_until_that_is_undone(engine: Engine) -> None:
    first, second, third, late = reports(4)
    group(engine, ALWAYS, [first, second, third])
    story = begun_by(first.id)
    assert set(where(engine).values()) == {story}
    ruling = jobs.rule_apart(engine, SETTINGS, second.id, None, "Ada")
    group(engine, ALWAYS)
    assert where(engine) == {first.id: story, second.id: begun_by(second.id), third.id: story}
    group(engine, ALWAYS, [late])  # belongs to both by what it says, and joins them no more
    found = where(engine)
    assert found[first.id] != found[second.id]
    jobs.take_back(engine, SETTINGS, ruling.number)
    group(engine, ALWAYS)
    assert len(set(where(engine).values())) == 1
    with engine.connect() as c:
        assert store.stories.resolve(c, begun_by(second.id)) == where(engine)[first.id]


def test_when_the_article_that_began_a_story_is_put_out_it_takes_the_id_along_and_nothing_is_lost(
    engine: Engine,
) -> None:
    first, second, third = reports(3)
    group(engine, ALWAYS, [first, second, third])
    ruling = jobs.rule_apart(engine, SETTINGS, first.id, begun_by(first.id), "Ada")
    group(engine, ALWAYS)
    rest = begun_by(second.id)
    assert where(engine) == {first.id: begun_by(first.id), second.id: rest, third.id: rest}
    jobs.take_back(engine, SETTINGS, ruling.number)
    group(engine, ALWAYS)
    assert set(where(engine).values()) == {rest}
    with engine.connect() as c:
        assert store.stories.resolve(c, begun_by(first.id)) == rest  # its page is found


def test_a_ruling_takes_copies_along_and_they_come_back_with_it(engine: Engine) -> None:
    first, second, third = reports(3)
    long = " ".join(f"word{n}" for n in range(80))
    wire = replace(second, text=long, fingerprint=b"\x01\x00\x00\x00" * 64)
    copy = replace(third, text=long, fingerprint=b"\x01\x00\x00\x00" * 64)
    group(engine, ALWAYS, [first, wire, copy])
    jobs.rule_apart(engine, SETTINGS, wire.id, None, "Ada")
    group(engine, ALWAYS)
    found = where(engine)
    assert found[wire.id] == found[copy.id] != found[first.id]
    with engine.connect() as c:
        assert store.articles.get(c, copy.id).copy_of == wire.id  # type: ignore[union-attr]


def test_what_was_put_apart_is_not_put_together_before_that_is_undone(engine: Engine) -> None:
    first, second, third = reports(3)
    group(engine, ALWAYS, [first, second, third])
    apart = say(engine, second, first, same=False)
    group(engine, ALWAYS)
    with pytest.raises(InputError, match=f"regroup undo {apart.number}"):
        say(engine, third, second, same=True)  # the third is in the first one's story
    say(engine, first, second, same=True)  # the last word on the same two articles
    group(engine, ALWAYS)
    assert len(set(where(engine).values())) == 1
    assert [told.state for told in jobs.rulings(engine)] == ["does not hold", "holds"]


def test_words_that_cannot_be_meant_are_refused_in_a_sentence(engine: Engine) -> None:
    first, second = reports(2)
    group(engine, NEVER, [first, second])
    for wrong in (
        lambda: jobs.rule_together(engine, SETTINGS, first.id, first.id, "Ada"),
        lambda: jobs.rule_apart(engine, SETTINGS, first.id, None, "Ada"),  # alone in its story
        lambda: jobs.rule_apart(engine, SETTINGS, begun_by(first.id), None, "Ada"),  # a story, not an article
        lambda: jobs.why(engine, SETTINGS, begun_by(first.id), begun_by(first.id)),
    ):
        with pytest.raises(InputError):
            wrong()
    for unknown in (
        lambda: jobs.rule_together(engine, SETTINGS, "nobody", first.id, "Ada"),
        lambda: jobs.take_back(engine, SETTINGS, 7),
    ):
        with pytest.raises(NotFound):
            unknown()
    with engine.connect() as c:
        assert store.regroupings.all(c) == []


def test_articles_and_stories_are_named_by_id_by_their_pages_here_or_by_their_own_address(engine: Engine) -> None:
    first, second = reports(2)
    group(engine, NEVER, [replace(first, id=jobs.article_id(first.url)), second])
    own = jobs.article_id(first.url)
    for name in (own, begun_by(own), f"http://127.0.0.1:8000/story/{begun_by(own)}?x=1", f"/article/{own}", first.url):
        found = jobs.why(engine, SETTINGS, name, second.id)
        assert (found.one.id, found.other.id, found.one_story) == (own, second.id, False)
        assert 0 < found.told.probability < 1
        assert found.a_day == 2


def test_why_two_are_together_says_who_ruled_on_them(engine: Engine) -> None:
    first, second, third = reports(3)
    group(engine, ALWAYS, [first, second, third])
    ruling = say(engine, second, first, same=False)
    group(engine, ALWAYS)
    assert [r.number for r in jobs.why(engine, SETTINGS, third.id, second.id).rulings] == [ruling.number]
    assert jobs.why(engine, SETTINGS, third.id, first.id).rulings == ()
    assert jobs.why(engine, SETTINGS, third.id, first.id).one_story


def test_the_words_that_stand_are_labelled_pairs_of_operators_and_readers(engine: Engine) -> None:
    first, second, third, fourth = reports(4)
    group(engine, NEVER, [first, second, third, fourth])
    ada, bo = a_reader("Ada"), a_reader("Bo")

    def event(reader: Any, kind: Any, *pair: Article, target: Any = None) -> Event:
        word = Regrouping(one=pair[0].id, other=pair[1].id, same=kind == "merge") if pair else None
        return Event(reader=reader.id, kind=kind, at=NOON, regrouping=word, target=target)

    with engine.begin() as c:
        store.readers.add(c, ada)
        store.readers.add(c, bo)
        ids = store.readers.record(
            c,
            [
                event(ada, "merge", first, second),  # an operator says otherwise
                event(ada, "merge", second, third),
                event(ada, "split", third, second),  # the last word of this reader
                event(bo, "merge", third, fourth),  # undone below
                event(bo, "merge", first, fourth),
            ],
        )
        store.readers.record(c, [event(bo, "undo", target=ids[3])])
    say(engine, first, second, same=False)
    jobs.take_back(engine, SETTINGS, say(engine, first, third, same=True).number)
    with engine.connect() as c:
        found = [(p.one.id, p.other.id, p.same, p.said) for p in jobs.labelled_pairs(c)]
        alone = jobs.left_alone(c, NOON - 90 * DAY, [])
    assert found == [
        (first.id, second.id, False, True),
        (third.id, second.id, False, True),
        (first.id, fourth.id, True, True),
    ]
    assert alone == []  # no story of two, and no vectors


def test_pairs_that_nobody_spoke_of_are_found_beside_those_somebody_did(engine: Engine) -> None:
    vectors = np.eye(4, 8) + 0.1
    made = [replace(a, vector=bytes_of(vectors[n % 4]), vector_model="made") for n, a in enumerate(reports(8))]
    group(engine, NEVER, made)
    for n in range(4):
        say(engine, made[n], made[n + 4], same=True)
    group(engine, NEVER)
    with engine.begin() as c:
        said = jobs.labelled_pairs(c)
        assert [(p.one.id, p.other.id, p.same) for p in said] == [(made[n].id, made[n + 4].id, True) for n in range(4)]
        assert jobs.left_alone(c, NOON - 90 * DAY, said) == []
        alone = jobs.left_alone(c, NOON - 90 * DAY, said[:2])
    assert {(p.one.id, p.other.id) for p in alone if p.same} == {(made[n].id, made[n + 4].id) for n in (2, 3)}
    assert {(p.one.id, p.other.id) for p in alone if not p.same} <= {(made[3].id, made[2].id), (made[2].id, made[3].id)}
    assert not any(p.said for p in alone)


def test_the_grouper_judges_by_what_was_learned_and_as_shipped_without_it(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "stories.json"
    file.write_text(json.dumps(Correction(shift=-50.0, forest=digest()).as_json()))
    first, second, third, fourth = reports(4)
    with engine.begin() as c:
        store.articles.save_new(c, [first, second])
    asyncio.run(jobs.group(engine, replace(SETTINGS, stories_model=str(file)), NOON))
    assert len(set(where(engine).values())) == 2
    told = [jobs.why(engine, replace(SETTINGS, stories_model=model), first.id, second.id) for model in (str(file), "")]
    assert told[0].told.probability < 1e-9 < told[1].told.probability
    with engine.begin() as c:
        store.articles.save_new(c, [third, fourth])
    asyncio.run(jobs.group(engine, SETTINGS, NOON))
    assert len(set(where(engine).values())) < 4


class Killed(Exception):
    pass


def killing(engine: Engine, at: int) -> Callable[[], None]:
    """The run dies before its statement of that number; gives what ends the killing."""
    count = 0

    def die(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Killed

    event.listen(engine, "before_cursor_execute", die)
    return lambda: event.remove(engine, "before_cursor_execute", die)


def state(engine: Engine) -> Any:
    found = where(engine)
    with engine.connect() as c:
        stories = sorted((replace(s) for s in store.stories.live(c, NOON - 90 * DAY)), key=lambda s: s.id)
        gone = sorted((r.id, r.survivor) for r in c.execute(select(store.schema.stories.c["id", "survivor"])))
        return found, stories, gone, store.regroupings.all(c)


def test_a_run_that_dies_at_any_statement_and_is_run_again_ends_as_one_that_did_not(tmp_path: Path) -> None:
    articles = reports(4)
    begun = store.open(f"sqlite:///{tmp_path / 'begun'}")
    group(begun, ALWAYS, articles[:3])
    group(begun, NEVER, articles[3:])
    undone = jobs.rule_apart(begun, SETTINGS, articles[0].id, None, "Ada")
    group(begun, ALWAYS)
    jobs.take_back(begun, SETTINGS, undone.number)
    jobs.rule_apart(begun, SETTINGS, articles[1].id, articles[2].id, "Ada")
    jobs.rule_together(begun, SETTINGS, articles[3].id, articles[1].id, "Ada")
    begun.dispose()

    def told(at: int) -> tuple[Any, bool]:
        shutil.copy(tmp_path / "begun", tmp_path / f"at{at}")
        engine = store.open(f"sqlite:///{tmp_path / f'at{at}'}")
        end = killing(engine, at)
        try:
            group(engine, ALWAYS)
            died = False
        except Killed:
            died = True
        end()
        group(engine, ALWAYS)
        found = state(engine)
        engine.dispose()
        return found, died

    whole, _ = told(0)
    assert whole[0][articles[3].id] == whole[0][articles[1].id] != whole[0][articles[2].id]
    at, died = 1, True
    while died:
        found, died = told(at)
        assert found == whole, f"killed before statement {at}"
        at += 7  # of about a hundred; those passed over lie in the same few transactions
    assert at > 60
