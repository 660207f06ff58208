"""What a page asks of the store: how often, and of which moment. Numbers of statements, not milliseconds: they are the same
on every machine, and they are what a page far from its database waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from markupsafe import Markup, escape
from sqlalchemy import Engine, event
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.model import Event, ThreadId
from broadsheet.reading import Newsstand
from broadsheet.web import translations
from broadsheet.web.views import columns, drawn, said_of
from broadsheet.wording import phrase
from tests.builders import DAY, HOUR, NOON, a_source
from tests.web.newsroom import CEASEFIRE, Browser, a_newsroom, told

WAR = ThreadId("war")


@contextmanager
def counting(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run meanwhile; beginning a transaction is none."""
    run: list[str] = []

    def note(db: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            run.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", note)


def more_of_everything(app: Starlette, many: int) -> None:
    """So many stories more, of one thread, and as many sources."""
    made = [
        told(f"Story {n}", "Open Times", "Daily Bee", *(f"Paper {i}" for i in range(n % 7)), thread=WAR)
        for n in range(many)
    ]
    with app.state.newsstand.engine.begin() as db:
        for n in range(many):
            source = a_source(f"https://more{n}.example/feed", title=f"More {n}", next_fetch=NOON)
            store.sources.add(db, source)
        store.articles.save(db, [a for _, articles in made for a in articles])
        store.articles.place(db, [(a.id, s.id, None) for s, articles in made for a in articles])
        store.stories.save(db, [replace(CEASEFIRE, thread=WAR), *(story for story, _ in made)])
    app.state.newsstand.refresh(at_once=True)


# the most that a page may ask when nothing of it was asked before; it stays so with ten times the stories
MOST = {"/": 8, f"/story/{CEASEFIRE.id}": 9, "/latest": 2, "/latest?mine=1": 2, "/sources": 6}


@pytest.mark.parametrize("path", MOST)
def test_a_page_asks_the_store_so_often_and_no_oftener_where_there_is_more_to_show(path: str, tmp_path: Path) -> None:
    asked = []
    for many in (4, 40):
        folder = tmp_path / str(many)
        folder.mkdir()
        app = a_newsroom(folder)
        ada = Browser(app).begin()
        more_of_everything(app, many)
        # she opened a story that has gone on since, so that its new facts are asked for
        stand: Newsstand = app.state.newsstand
        (reader,) = stand.readers()
        stand.act(reader.id, Event(reader=reader.id, kind="opened", at=NOON - DAY, story=CEASEFIRE.id))
        with counting(stand.engine) as run:
            assert ada.get(path, sec_purpose="prefetch").status == 200  # nothing is recorded
        asked.append(run)
    assert len(asked[1]) <= MOST[path], "\n".join(asked[1])
    assert len(asked[1]) <= len(asked[0]) + 1, "\n".join(asked[1])  # the thread of a story has its own
    assert len(set(asked[1])) == len(asked[1]), "the same was asked twice"


@pytest.mark.parametrize("path", ["/", f"/story/{CEASEFIRE.id}", "/latest", "/following", "/saved", "/search?q=ceasefire", "/sources", "/you",
                                  "/tune", "/bubble", f"/why/{CEASEFIRE.id}"])  # fmt: skip
def test_a_page_never_waits_for_a_second_connection(path: str, app: Starlette, ada: Browser) -> None:
    """Pages that each hold one and wait for another would wait for each other as soon as all are held."""
    stand: Newsstand = app.state.newsstand
    ada.act(kind="follow", follow={"kind": "search", "value": "ceasefire -topic:sport"})
    save = told("A ceasefire of texts alone", "Open Times")
    with stand.engine.begin() as db:
        store.articles.save(db, save[1])
        store.stories.save(db, [save[0]])
    stand.refresh(at_once=True)
    held = [0, 0]

    def taken(*_: object) -> None:
        held[0] += 1
        held[1] = max(held)

    def given_back(*_: object) -> None:
        held[0] -= 1

    event.listen(stand.engine.pool, "checkout", taken)
    event.listen(stand.engine.pool, "checkin", given_back)
    try:
        assert ada.get(path, sec_purpose="prefetch").status == 200
    finally:
        event.remove(stand.engine.pool, "checkout", taken)
        event.remove(stand.engine.pool, "checkin", given_back)
    assert held == [0, 1]


def test_what_was_done_stands_on_the_very_next_page_of_every_kind(ada: Browser) -> None:
    def is_saved(page: str) -> bool:
        return f'value="{{&#34;story&#34;:&#34;{CEASEFIRE.id}&#34;' in page and 'value="unsaved"' in page

    for path in ("/", f"/story/{CEASEFIRE.id}", "/saved"):
        done = ada.act(kind="saved", story=CEASEFIRE.id).json()["event"]
        assert is_saved(ada.get(path).text), path
        ada.act(kind="undo", target=done)
        assert not is_saved(ada.get(path).text), path


def test_a_button_of_a_story_does_what_it_says_without_a_script(app: Starlette, ada: Browser) -> None:
    (reader,) = app.state.newsstand.readers()
    for kind, is_so in (("saved", True), ("unsaved", False)):
        form = {"event": said_of(CEASEFIRE.id, "", ""), "kind": kind, "next": "/"}
        assert ada.post("/act", form).status == 303
        assert (CEASEFIRE.id in app.state.newsstand.reader(reader.id).saved) is is_so
    assert ada.post("/act", {"event": said_of(CEASEFIRE.id, "", ""), "kind": "import"}).status == 422


def test_a_mute_is_chosen_by_the_button_that_says_how_long(app: Starlette, ada: Browser) -> None:
    form = {"event": '{"kind":"mute","mute":{"kind":"person","value":"Antony Blinken"}}', "until": "week", "next": "/"}
    assert ada.post("/act", form).status == 303
    (reader,) = app.state.newsstand.readers()
    (mute,) = app.state.newsstand.reader(reader.id).mutes
    assert (mute.value, mute.until) == ("Antony Blinken", NOON + timedelta(days=7))


def test_a_page_is_of_one_moment_and_leaves_nothing_old_behind(app: Starlette) -> None:
    stand: Newsstand = app.state.newsstand
    ada = stand.add_reader("Ada")
    grown = replace(CEASEFIRE, headline="Ceasefire broken", last_seen=CEASEFIRE.last_seen + HOUR)
    with stand.page():
        before = stand.edition()
        assert stand.reader(ada.id) == ada
        with stand.engine.begin() as db:  # meanwhile, elsewhere
            store.stories.save(db, [grown])
        stand.act(ada.id, Event(reader=ada.id, kind="saved", at=NOON, story=CEASEFIRE.id))
        stand.refresh(at_once=True)  # what another request does
        assert stand.edition() is before
        assert stand.reader(ada.id) == ada
        (card,) = stand.cards([CEASEFIRE.id])
        assert card.headline == CEASEFIRE.headline
    assert stand.edition() is not before
    assert stand.reader(ada.id).saved == (CEASEFIRE.id,)
    assert [c.headline for c in stand.cards([CEASEFIRE.id])] == ["Ceasefire broken"]
    with stand.page():
        assert stand.story(ada.id, CEASEFIRE.id).card.headline == "Ceasefire broken"


def test_a_closed_story_has_the_reasons_that_all_of_a_reader_would_give_it(app: Starlette) -> None:
    stand: Newsstand = app.state.newsstand
    old, articles = told("Long ago", "Open Times", topics=CEASEFIRE.topics, entities=CEASEFIRE.entities,
                         first_seen=NOON - 90 * DAY, last_seen=NOON - 90 * DAY)  # fmt: skip
    other, written = told("Another matter", "Daily Bee")
    with stand.engine.begin() as db:
        store.articles.save(db, [*articles, *written])
        store.stories.save(db, [old, other])
    ada = stand.add_reader("Ada")
    for story in (CEASEFIRE, other, CEASEFIRE):
        stand.act(ada.id, Event(reader=ada.id, kind="more", at=NOON, story=story.id))
    touching = {r.fact: r.points for r in stand.why(ada.id, old.id).reasons}
    assert any("Antony Blinken" in fact or "conflict" in fact for fact in touching), touching
    # what was learned of others changes nothing
    for n in range(5):
        stand.act(ada.id, Event(reader=ada.id, kind="set_weight", at=NOON, weight=(("entity", f"Nobody {n}"), 2.0)))
    assert {r.fact: r.points for r in stand.why(ada.id, old.id).reasons} == touching


@given(st.one_of(st.text(), st.text(alphabet="<>&\"'a"), st.integers(), st.text().map(Markup), st.none(), st.floats()))
def test_what_a_template_shows_is_what_escape_gives(value: object) -> None:
    assert translations.shown(value) == str(escape(value))


@given(st.text())
def test_a_template_escapes_what_it_is_given_wherever_it_stands(words: str) -> None:
    page = "{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{% set held %}{{ x }}{% endset %}{{ x }}|{{ m(x) }}|{{ held }}|{{ said }}"
    speaking = translations.Speaking(translations.language("en"), loader=DictLoader({"page": page}), autoescape=True)
    made = speaking.get_template("page").render(x=words, said=phrase("{x}", x=words))
    safe = str(escape(words))
    assert made == f"{safe}|<b>{safe}</b>|{safe}|{safe}"


@given(st.lists(st.integers(min_value=0, max_value=500), min_size=1, max_size=40).map(tuple))
def test_a_small_plot_has_a_column_for_each_day_with_articles(counts: tuple[int, ...]) -> None:
    path = drawn(counts)
    wanted = [f"{x + w / 2:.1f} 24v-{h:.1f}" for n, (x, _, w, h) in zip(counts, columns(counts, 0.1), strict=True) if n]
    assert path.split("M")[1:] == wanted
