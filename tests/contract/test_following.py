"""A reader's list of feeds, on both databases: whoever adds to it, however long it is, and when it is cut off half-way."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, event

from broadsheet import following, store
from broadsheet.errors import NotFound
from broadsheet.model import Reader, ReaderId
from broadsheet.sources import opml
from tests.builders import NOON

ADA = ReaderId("ada")


@pytest.fixture
def ada(engine: Engine) -> ReaderId:
    with engine.begin() as db:
        store.readers.add(db, Reader(id=ADA, name="Ada", created=NOON))
    return ADA


def feeds(many: int) -> list[opml.Subscription]:
    return [opml.Subscription(url=f"https://s{n}.example/feed.xml", title=f"S{n}") for n in range(many)]


def test_the_list_that_goes_in_comes_out(engine: Engine, ada: ReaderId) -> None:
    wanted = [
        opml.Subscription(url="https://a.example/rss", title="A", folder=("News", "World / East")),
        opml.Subscription(url="https://b.example/rss", title="B", homepage="https://b.example/"),
    ]
    assert following.follow_all(engine, wanted, NOON, reader=ada) == (2, 0)
    with engine.connect() as db:
        kept = {one.url: one for one in following.followed(db, ada)}
        reader = store.readers.get(db, ada)
    assert kept["https://a.example/rss"].folder == ("News", "World/East")
    assert kept["https://b.example/rss"] == wanted[1]
    assert reader is not None
    assert len(reader.subscriptions) == 2
    assert following.follow_all(engine, wanted, NOON, reader=ada) == (0, 2)


def test_a_long_list_costs_each_feed_the_same(engine: Engine, ada: ReaderId) -> None:
    asked: list[int] = []

    @event.listens_for(engine, "before_cursor_execute")
    def count(conn, cursor, statement, parameters, context, executemany):  # type: ignore[no-untyped-def]
        asked[-1] += 1

    for many in (following.AT_ONCE, 3 * following.AT_ONCE):
        asked.append(0)
        following.follow_all(engine, feeds(many), NOON, reader=ada)
    assert asked[1] <= 3.2 * asked[0]  # a profile that is written for each feed makes it nine times as much work


def test_a_list_that_was_cut_off_goes_on_where_it_was(engine: Engine, ada: ReaderId) -> None:
    wanted = feeds(2 * following.AT_ONCE + 7)
    broken = [*wanted[: following.AT_ONCE + 3], opml.Subscription(url=None)]  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r".") as cut:
        following.follow_all(engine, broken, NOON, reader=ada)
    assert cut.value is not None
    with engine.connect() as db:
        assert len(following.followed(db, ada)) == following.AT_ONCE
        reader = store.readers.get(db, ada)
        assert reader is not None
        assert len(reader.subscriptions) == following.AT_ONCE
    assert following.follow_all(engine, wanted, NOON, reader=ada) == (following.AT_ONCE + 7, following.AT_ONCE)


def test_what_is_given_up_is_gone_from_list_and_profile(engine: Engine, ada: ReaderId) -> None:
    with engine.begin() as db:
        (source, is_new), _ = following.follow(db, feeds(2), NOON, reader=ada)
        assert is_new
        following.unfollow(db, ada, source.id)
        assert [one.url for one in following.followed(db, ada)] == ["https://s1.example/feed.xml"]
        reader = store.readers.get(db, ada)
        assert reader is not None
        assert source.id not in reader.subscriptions


def test_a_reader_that_is_not_there_subscribes_to_nothing(engine: Engine) -> None:
    with pytest.raises(NotFound):
        following.follow_all(engine, feeds(2), NOON, reader=ReaderId("nobody"))
    with engine.connect() as db:
        assert store.sources.by_url(db, "https://s0.example/feed.xml") is None
