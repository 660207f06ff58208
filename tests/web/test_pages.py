"""What a reader sees and does, without a script."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from starlette.applications import Starlette

from broadsheet import store
from broadsheet.model import FactChange, Story, Version, identify
from broadsheet.reading import Newsstand
from broadsheet.sources import opml
from broadsheet.web import actions, views
from tests.builders import HOUR, NOON
from tests.web.newsroom import CEASEFIRE, EVIL, ODD, OPEN, PRIVATE, STORIES, Browser, a_newsroom, plain, told

BLINKEN = {"kind": "person", "value": "Antony Blinken", "label": "Antony Blinken"}


def stand(browser: Browser) -> Newsstand:
    news: Newsstand = browser.app.state.newsstand
    return news


def test_a_stranger_is_welcomed_and_has_a_feed_after_one_form(app: Starlette) -> None:
    browser = Browser(app)
    assert browser.get("/").header("location") == "/welcome"
    welcome = browser.get("/welcome")
    assert "Beijing" in plain(welcome)
    begun = browser.post(
        "/welcome", {"name": "Ada", "topic": ["16000000"], "place": ["Beijing"], "places": "Peru, Chile"}
    )
    assert (begun.status, begun.header("location")) == (303, "/")
    page = browser.get("/")
    assert "Ceasefire holds" in plain(page)
    assert "Ada" in plain(page)
    follows = [f.value for f in stand(browser).readers()[0].follows]
    assert follows == ["16000000", "Beijing", "Peru", "Chile"]


def test_a_page_that_was_asked_for_comes_after_the_welcome(app: Starlette) -> None:
    browser = Browser(app)
    sent = browser.get("/search?q=cup").header("location")
    assert sent == "/welcome?next=%2Fsearch%3Fq%3Dcup"
    assert browser.post("/welcome", {"name": "Ada", "next": "/search?q=cup"}).header("location") == "/search?q=cup"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "ada"])
def test_a_name_that_will_not_do_is_said_on_the_same_page_and_choices_are_kept(ada: Browser, name: str) -> None:
    answer = ada.post("/welcome", {"name": name, "topic": ["15000000"]})
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert re.search(r'value="15000000" checked', answer.text)


def test_an_existing_reader_can_be_chosen(ada: Browser) -> None:
    other = Browser(ada.app)
    reader = stand(ada).readers()[0]
    assert other.post("/readers/choose", {"reader": reader.id}).status == 303
    assert "Ceasefire" in plain(other.get("/"))
    assert other.post("/readers/choose", {"reader": "nobody"}).status == 404


def test_a_card_has_headline_quote_publishers_and_reason(ada: Browser) -> None:
    text = plain(ada.get("/"))
    assert "“" not in text.split("Ceasefire holds")[0]
    assert "Ceasefire holds" in text
    assert "The first sentence of Open Times." in text
    assert "3 publishers" in text
    assert "Open Times, Daily Bee and Gazette" in text
    assert "you follow Conflict, war and peace" in text
    assert "Why this?" in text


def test_what_was_shown_is_logged_once_with_its_positions(ada: Browser) -> None:
    ada.get("/")
    ada.get("/")
    reader = stand(ada).readers()[0]
    with stand(ada).engine.connect() as db:
        feed = store.feeds.latest(db, reader.id, 9)
        shown = [e for e in store.readers.events(db, reader.id) if e.kind == "shown"]
    assert len(feed) == 1
    assert [e.position for e in shown] == list(range(len(feed[0].items)))
    assert [e.story for e in shown] == [item.story for item in feed[0].items]
    assert {e.feed for e in shown} == {feed[0].id}


def test_a_page_that_a_browser_only_guesses_at_counts_for_nothing(ada: Browser) -> None:
    ada.get("/", sec_purpose="prefetch")
    ada.get(f"/story/{CEASEFIRE.id}", sec_purpose="prefetch;prerender")
    ada.site = "cross-site"
    ada.get(f"/story/{CEASEFIRE.id}")
    reader = stand(ada).readers()[0]
    assert not reader.opened
    assert not reader.shown


def test_the_reasons_on_the_page_add_up_to_the_score(ada: Browser) -> None:
    ada.get("/")
    text = plain(ada.get(f"/why/{CEASEFIRE.id}"))
    points = [float(p.replace("−", "-")) for p in re.findall(r"[+−]\d+\.\d\d", text)]
    assert len(points) > 2
    assert sum(points[:-1]) == pytest.approx(points[-1], abs=0.01 * len(points))


def test_every_reason_that_can_be_changed_has_its_button_and_it_works(ada: Browser) -> None:
    page = ada.get(f"/why/{CEASEFIRE.id}")
    assert "Unfollow Conflict, war and peace" in plain(page)
    event = next(e for e in map(unescape, re.findall(r'name="event" value="([^"]*)"', page.text)) if '"unfollow"' in e)
    assert ada.post("/act", {"event": event, "next": "/"}).status == 303
    assert stand(ada).readers()[0].follows == ()


@pytest.mark.parametrize("kind", ["more", "less", "saved", "hidden"])
def test_an_act_can_be_taken_back(ada: Browser, kind: str) -> None:
    before = stand(ada).readers()[0]
    done = ada.act(kind=kind, story=CEASEFIRE.id)
    assert done.status == 200
    assert stand(ada).readers()[0] != before
    assert ada.act(kind="undo", target=done.json()["event"]).json()["message"] == "Undone."
    assert stand(ada).readers()[0] == before


def test_without_a_script_an_act_goes_back_and_offers_to_undo(ada: Browser) -> None:
    event = orjson.dumps({"kind": "hidden", "story": CEASEFIRE.id}).decode()
    answer = ada.post("/act", {"event": event, "next": "/?x=1&did=saved&event=1"})
    assert re.fullmatch(r"/\?x=1&did=hidden&event=\d+", answer.header("location"))
    page = plain(ada.follow(answer))
    assert "Hidden: you won't see this story again." in page
    assert "Undo" in page
    assert "Ceasefire" not in page
    assert "1 story hidden by you" in page


def test_nobody_takes_back_what_another_did(ada: Browser) -> None:
    done = ada.act(kind="saved", story=CEASEFIRE.id).json()["event"]
    eve = Browser(ada.app).begin("Eve")
    answer = eve.act(kind="undo", target=done)
    assert answer.status == 404
    assert "nothing to undo" in answer.json()["error"]["message"]


def test_a_person_is_muted_until_sunday_and_the_page_says_what_was_left_out(ada: Browser) -> None:
    done = ada.act(kind="mute", mute=BLINKEN, until="sunday").json()
    assert done["message"] == "Antony Blinken is muted until Sunday 2 August."
    page = plain(ada.get("/"))
    assert "Ceasefire" not in page
    assert "1 story muted: Antony Blinken until Sunday 2 August" in page
    assert "Ceasefire" in plain(ada.get("/latest"))
    assert "person, until Sunday 2 August" in plain(ada.get("/you"))
    ada.act(kind="unmute", mute=BLINKEN)
    assert "Ceasefire" in plain(ada.get("/"))


@pytest.mark.parametrize("weekday", range(7))
def test_until_sunday_is_the_next_sunday_that_begins(weekday: int) -> None:
    now = datetime(2026, 8, 3, 15, tzinfo=UTC) + timedelta(days=weekday)
    until = actions.mute_until("sunday", now)
    assert until is not None
    assert until.weekday() == 6
    assert timedelta(0) < until - now <= timedelta(days=7)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
def test_sunday_begins_where_the_reader_is(zone: str) -> None:
    here = ZoneInfo(zone)
    for days in range(0, 366, 3):  # also across the days when clocks change
        now = (datetime(2026, 1, 1, 15, tzinfo=UTC) + timedelta(days=days)).astimezone(here)
        until = actions.mute_until("sunday", now)
        assert until is not None
        began = until.astimezone(here)
        assert (began.weekday(), began.hour, began.minute) == (6, 0, 0)
        assert timedelta(0) < until - now <= timedelta(days=7, hours=1)


def test_pages_tell_the_time_of_the_zone_that_was_set(tmp_path: Path) -> None:
    tokyo = Browser(a_newsroom(tmp_path, timezone="Asia/Tokyo")).begin("Aki")
    last = stand(tokyo).latest(stand(tokyo).readers()[0], 1)[0].time
    assert last is not None
    page = plain(tokyo.get("/latest"))
    assert f"{last.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}" in page
    assert "JST" in tokyo.get("/latest").text
    done = tokyo.act(kind="mute", mute=BLINKEN, until="sunday").json()
    assert done["message"] == "Antony Blinken is muted until Sunday 2 August."
    mute = stand(tokyo).readers()[0].mutes[-1]
    assert mute.until == datetime(2026, 8, 1, 15, tzinfo=UTC)


def test_a_word_is_followed_and_muted_from_a_form(ada: Browser) -> None:
    ada.post(
        "/act",
        {"event": '{"kind":"follow"}', "follow_kind": "keyword", "follow_value": "harvest", "next": "/following"},
    )
    assert "Harvest is late" in plain(ada.get("/following"))
    ada.post(
        "/act",
        {"event": '{"kind":"mute"}', "mute_kind": "keyword", "mute_value": "cup", "until": "week", "next": "/you"},
    )
    assert "Cup final" not in plain(ada.get("/"))


def test_saved_stories_stay_in_saved(ada: Browser) -> None:
    ada.act(kind="saved", story=CEASEFIRE.id)
    assert "Ceasefire holds" in plain(ada.get("/saved"))
    ada.act(kind="unsaved", story=CEASEFIRE.id)
    assert "Nothing saved" in plain(ada.get("/saved"))


def test_a_story_shows_all_its_articles_and_days_and_is_counted_once_a_visit(ada: Browser) -> None:
    page = ada.get(f"/story/{CEASEFIRE.id}")
    text = plain(page)
    assert "3 articles, in order of time" in text
    assert text.index("Ceasefire holds (1)") < text.index("Ceasefire holds (2)")
    assert "Day by day" in text
    assert "since you read this" not in text
    assert "Follow Antony Blinken" in page.text
    ada.get(f"/story/{CEASEFIRE.id}")
    reader = stand(ada).readers()[0]
    with stand(ada).engine.connect() as db:
        assert [e.kind for e in store.readers.events(db, reader.id)].count("opened") == 1


def test_what_came_since_the_last_visit_is_marked(ada: Browser) -> None:
    ada.get(f"/story/{CEASEFIRE.id}")
    news = stand(ada)
    story, articles = STORIES[0]
    from dataclasses import replace

    from broadsheet.model import ArticleId

    late = replace(articles[0], id=ArticleId("late"), url="https://late.example", title="Late word", publisher="Late Post",
                   published=NOON + HOUR, first_seen=NOON + HOUR, copy_of=articles[0].id)  # fmt: skip
    grown = replace(
        story, articles=(*story.articles, late.id), publishers=(*story.publishers, "Late Post"), last_seen=NOON + HOUR
    )
    with news.engine.begin() as db:
        store.articles.save(db, [late])
        store.stories.save(db, [grown])
    news.refresh(at_once=True)
    text = plain(ada.get(f"/story/{CEASEFIRE.id}"))
    assert "1 article new since you read this" in text
    assert "with nothing that the others do not say" in text
    assert "Late Post new copy of Open Times’s text" in text


def test_what_new_articles_say_that_the_read_ones_do_not_is_quoted_first(ada: Browser) -> None:
    ada.get(f"/story/{CEASEFIRE.id}")
    news = stand(ada)
    story, articles = STORIES[0]
    from dataclasses import replace

    from broadsheet.model import ArticleId

    said = "Foreign minister Ana Vidal signed a treaty of 14 points in Lisbon."
    late = replace(articles[0], id=ArticleId("late"), url="https://late.example", title="Late word", publisher="Late Post",
                   text=f"{articles[0].text}\n\n{said}", published=NOON + HOUR, first_seen=NOON + HOUR)  # fmt: skip
    grown = replace(
        story, articles=(*story.articles, late.id), publishers=(*story.publishers, "Late Post"), last_seen=NOON + HOUR
    )
    with news.engine.begin() as db:
        store.articles.save(db, [late])
        store.stories.save(db, [grown])
    news.refresh(at_once=True)
    assert f"New to you {said} Late Post" in plain(ada.get(f"/story/{CEASEFIRE.id}"))


def test_an_article_is_read_here_and_leads_to_its_publisher(ada: Browser) -> None:
    article = STORIES[0][1][0]
    page = ada.get(f"/article/{article.id}")
    assert f'href="{article.url}" rel="noopener noreferrer nofollow"' in page.text
    assert "The first sentence of Open Times." in plain(page)
    assert "The whole story, from 3 publishers" in plain(page)


def test_latest_hides_nothing_and_pages_without_loss(ada: Browser) -> None:
    ada.act(kind="mute", mute={"kind": "keyword", "value": "ceasefire"})
    assert "Ceasefire" in plain(ada.get("/latest"))
    news, reader = stand(ada), stand(ada).readers()[0]
    whole = [a.id for a in news.latest(reader, 100)]
    pages: list[str] = []
    before, last = None, ""
    while rows := news.latest(reader, 2, before, last):
        pages += [a.id for a in rows]
        before, last = rows[-1].time, rows[-1].id
    assert [p for p in pages if p in whole] == whole


def test_search_finds_marks_and_never_fails(ada: Browser) -> None:
    page = ada.get("/search?q=first+sentence")
    assert "<mark>first</mark>" in page.text.replace(" sentence</mark>", "</mark>")
    for query in ('"', "* OR (", "a:b NEAR/3", "' ; DROP", "%00", "(((("):
        assert ada.get(f"/search?q={query.replace(' ', '+').replace(';', '%3B')}").status == 200
    assert "Nothing found" in plain(ada.get("/search?q=zzzzqqq"))


def test_a_hit_is_a_sentence_of_its_article_and_leads_to_it(ada: Browser) -> None:
    page = ada.get("/search?q=second+topic:conflict")
    quote = re.search(r'<blockquote class="snippet".*?<a href="([^"]+)">(.*?)</a></blockquote>', page.text, re.DOTALL)
    assert quote is not None
    assert quote[2] == "Then a <mark>second</mark> one."
    assert quote[1].startswith("/article/")
    assert quote[1].endswith("#:~:text=Then%20a%20second%20one.")
    titled = ada.get("/search?q=ceasefire").text
    assert re.search(r'<h2 class="headline"[^>]*><a[^>]*><mark>Ceasefire</mark> holds', titled)


def test_a_search_says_what_it_understood_and_what_it_did_not(ada: Browser) -> None:
    text = plain(ada.get("/search?q=cup+-topic:harvest+-lang:de+publisher:open+publisher:daily+after:2026-07"))
    for said in ("with “cup”", "not in the language Deutsch", "published by open or daily", "from 1 July 2026 on"):
        assert said in text
    assert "No topic is called “harvest”." in text
    text = plain(ada.get("/search?q=site:open.example+lang:german+after:school"))
    assert "“site:open.example” is no way to search here, so it was looked for as words." in text
    assert "“lang:german” was left out: a language is written by its code, such as de." in text
    assert "“after:school” gives no day such as 2026-08-01" in text
    assert "This only leaves things out." in plain(ada.get("/search?q=-topic:sport"))
    assert "left out from" in plain(ada.get("/search?q=" + "word+" * 60))


def test_what_a_search_leaves_out_is_not_found(ada: Browser) -> None:
    assert "Ceasefire holds" in plain(ada.get("/search?q=first+-topic:sport"))
    assert "Cup final" not in plain(ada.get("/search?q=first+-topic:sport"))
    assert "Ceasefire" not in plain(ada.get("/search?q=first+-place:Beijing"))
    assert "Nothing found" in plain(ada.get("/search?q=first+lang:en+-lang:en"))


@pytest.mark.parametrize(
    "path",
    ["/story/nope", "/article/nope", "/why/nope", f"/story/{'0' * 16}", "/nowhere", "/story/%00", "/story/..%2f"],
)
def test_what_is_not_here_is_said_in_a_sentence(ada: Browser, path: str) -> None:
    answer = ada.get(path)
    assert answer.status == 404
    assert re.search(r"There is no (such \w+ here|page at this address)", plain(answer))


@pytest.mark.parametrize(
    "event",
    [
        "", "[]", "null", "{", '{"kind":"shown","story":"x"}', '{"kind":"erase everything"}', '{"kind":"saved"}',
        '{"kind":"follow"}', '{"kind":"follow","follow":{"kind":"planet","value":"Mars"}}', '{"kind":"undo"}',
        '{"kind":"undo","target":"x"}', '{"kind":"undo","target":1e400}', '{"kind":"mute","mute":{"kind":"keyword","value":""}}',
        '{"kind":"mute","mute":{"kind":"keyword","value":"a"},"until":"whenever"}', '{"kind":"set_weight","weight":[["a","b"],1]}',
        '{"kind":"mute","mute":{"kind":"keyword","value":"a"},"until":"2001-01-01"}', '{"kind":"dwelled","story":"x"}',
        '{"kind":"set_weight","weight":[["topic","b"],1e9]}', '{"kind":"settings","settings":{"admin":true}}',
        '{"kind":"settings","settings":{"images":"all"}}', '{"kind":"settings","settings":{"languages":"en"}}',
        '{"kind":"dwelled","story":"x","seconds":-1}', '{"kind":"set_weight","weight":[["topic","b"],NaN]}',
    ],
)  # fmt: skip
def test_an_act_that_makes_no_sense_is_refused_with_a_sentence(ada: Browser, event: str) -> None:
    before = stand(ada).readers()[0]
    answer = ada.post("/act", {"event": event})
    assert answer.status in (404, 422)
    assert "That can’t be done" in plain(answer) or "Not found" in plain(answer)
    assert stand(ada).readers()[0] == before


# --- hostile news


@pytest.mark.parametrize(
    "path",
    ["/", "/latest", f"/story/{ODD.id}", f"/why/{ODD.id}", f"/article/{ODD.articles[0]}", "/search?q=odd", "/welcome"],
)
def test_hostile_words_stay_words(ada: Browser, path: str) -> None:
    ada.act(kind="follow", follow={"kind": "person", "value": EVIL, "label": EVIL})
    ada.act(kind="saved", story=ODD.id)
    for page in (ada.get(path), ada.get("/saved"), ada.get("/following"), ada.get("/you")):
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', page.text))
    assert EVIL in plain_with_marks(ada.get(f"/story/{ODD.id}").text)


def plain_with_marks(text: str) -> str:
    return unescape(text)


def test_a_hostile_body_keeps_its_words_and_loses_its_teeth(ada: Browser) -> None:
    text = ada.get(f"/article/{ODD.articles[0]}").text
    body = text.split('<div class="body"')[1].split("</div>")[0]
    assert "Fine" in body
    for tooth in ("<script", "javascript:", "onclick", "onerror", "<iframe", "<style", "srcset", "t.example"):
        assert tooth not in body
    assert "/image?u=https%3A%2F%2Fpics.example%2F1.jpg&amp;s=" in body


@pytest.mark.parametrize(
    ("images", "source", "shown"), [("off", "'self'", 0), ("direct", "'self' https:", 1), ("proxied", "'self'", 1)]
)
def test_images_are_the_readers_choice(ada: Browser, images: str, source: str, shown: int) -> None:
    ada.post("/you/settings", {"images": images, "scope": "all"})
    page = ada.get(f"/article/{ODD.articles[0]}")
    assert f"img-src {source};" in page.header("content-security-policy")
    assert page.text.split('<div class="body"')[1].split("</div>")[0].count("<img") == shown
    assert ('src="https://pics.example' in page.text) == (images == "direct")


def test_the_image_proxy_fetches_only_what_a_page_of_ours_signed(ada: Browser) -> None:
    assert ada.get("/image?u=https%3A%2F%2Fpics.example%2F1.jpg&s=guess").status == 403
    assert ada.get("/image?u=http%3A%2F%2F127.0.0.1%3A1%2F&s=").status == 403


# --- what belongs to whom


def test_a_private_source_is_seen_by_its_subscribers_alone(ada: Browser) -> None:
    eve = Browser(ada.app).begin("Eve")
    letter = PRIVATE.articles[0]
    news = stand(ada)
    ada_id = next(r.id for r in news.readers() if r.name == "Ada")
    news.subscribe(ada_id, opml.Subscription(url="https://closed.example/feed.xml"))
    for path in ("/", "/latest", "/search?q=letter", f"/story/{PRIVATE.id}", f"/article/{letter}", "/sources"):
        assert "A letter for few" in plain(ada.get(path)) or path == "/sources"
        assert "letter for few" not in plain(eve.get(path))
        assert "Closed letter" not in plain(eve.get(path))
    assert eve.get(f"/story/{PRIVATE.id}").status == 404
    assert eve.get(f"/why/{PRIVATE.id}").status == 404
    assert eve.get(f"/article/{letter}").status == 404


def test_one_readers_choices_are_on_no_page_of_another(ada: Browser) -> None:
    ada.act(kind="mute", mute={"kind": "keyword", "value": "Zanzibar", "label": "Zanzibar"})
    ada.act(kind="saved", story=CEASEFIRE.id)
    eve = Browser(ada.app).begin("Eve", topic=["15000000"])
    for path in ("/", "/latest", "/following", "/saved", "/you", "/you/export", "/sources/opml", "/sources"):
        text = eve.get(path).text
        assert "Zanzibar" not in text, path
        assert "Ada" not in text, path
    assert "Nothing saved" in plain(eve.get("/saved"))


def test_erasing_leaves_nothing_and_needs_the_name(ada: Browser) -> None:
    reader = stand(ada).readers()[0]
    assert ada.post("/you/erase", {"confirm": "somebody"}).status == 422
    assert ada.post("/you/erase", {"confirm": "ada"}).header("location") == "/welcome?did=erased"
    assert stand(ada).readers() == []
    with stand(ada).engine.connect() as db:
        assert store.readers.events(db, reader.id) == []
    assert ada.get("/").header("location") == "/welcome"


def test_everything_that_is_kept_can_be_taken_along(ada: Browser) -> None:
    ada.act(kind="more", story=CEASEFIRE.id)
    ada.act(kind="mute", mute=BLINKEN)
    kept = ada.get("/you/export").json()
    assert kept["reader"]["name"] == "Ada"
    assert {"follow", "more", "mute"} <= {e["kind"] for e in kept["events"]}
    assert any(w["of"] == "16000000" for w in kept["reader"]["weights"])


def test_learned_weights_are_seen_set_and_forgotten(ada: Browser) -> None:
    ada.act(kind="more", story=CEASEFIRE.id)
    assert "antony blinken" in plain(ada.get("/you")).casefold()
    event = orjson.dumps({"kind": "set_weight", "weight": [["topic", "16000000"], 0]}).decode()
    ada.post("/act", {"event": event, "weight_value": "-1.5", "next": "/you"})
    assert stand(ada).readers()[0].weights["topic", "16000000"].value == -1.5
    assert "−1.50" in plain(ada.get("/you"))
    ada.act(kind="erase_weight", weight=[["topic", "16000000"], 0])
    assert ("topic", "16000000") not in stand(ada).readers()[0].weights


# --- sources


def test_sources_say_how_they_are_and_can_be_stopped_and_removed(ada: Browser) -> None:
    ada.post("/sources/add", {"url": OPEN.url})
    text = plain(ada.get("/sources"))
    assert "Open Times" in text
    assert "Not read yet: it is fetched at the next round." in text
    assert "one of them yours" in text
    ada.post("/sources/polling", {"source": OPEN.id, "on": ""})
    assert "Stopped: Broadsheet does not ask for it until you resume it." in plain(ada.get("/sources"))
    ada.post("/sources/polling", {"source": OPEN.id, "on": "1"})
    assert stand(ada).source(OPEN.id).next_fetch == NOON
    ada.post("/sources/remove", {"source": OPEN.id})
    assert "none of them yours" in plain(ada.get("/sources"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "example.org", ""])
def test_only_web_addresses_become_sources(ada: Browser, url: str) -> None:
    assert ada.post("/sources/add", {"url": url}).status == 422


def test_a_list_comes_in_with_its_folders_and_goes_out_again(ada: Browser) -> None:
    list_ = b"""<opml version="2.0"><body><outline text="News"><outline text="World">
      <outline type="rss" text="One" xmlUrl="https://one.example/rss"/></outline></outline>
      <outline type="rss" text="Two" xmlUrl="https://two.example/rss"/><outline text="bad" xmlUrl="javascript:x"/>
      <outline type="rss" text="Open" xmlUrl="https://open.example/feed.xml"/></body></opml>"""
    answer = ada.upload("/sources/opml", "file", list_)
    assert answer.status == 200
    assert "2 new sources added" in plain(answer)
    assert "1 was here already" in plain(answer)
    out = opml.read(ada.get("/sources/opml").body)
    assert {(s.url, s.folder) for s in out.subscriptions} == {
        ("https://one.example/rss", ("News", "World")), ("https://two.example/rss", ()), ("https://open.example/feed.xml", ()),
    }  # fmt: skip
    assert "News / World" in plain(ada.get("/sources"))


@pytest.mark.parametrize("content", [b"", b"not xml at all", b"\x00\xff", b"<html><body>hello</body></html>"])
def test_a_file_that_is_no_list_is_refused_with_a_sentence(ada: Browser, content: bytes) -> None:
    answer = ada.upload("/sources/opml", "file", content)
    assert answer.status in (200, 422)
    assert "added" not in plain(answer) or "0 new sources added" in plain(answer)


def test_the_about_page_gives_credit(ada: Browser) -> None:
    ada.app.state.credits, ada.app.state.banner = ["Wikipedia: CC BY-SA 4.0"], "This is the demo."
    text = plain(ada.get("/about"))
    assert "Wikipedia: CC BY-SA 4.0" in text
    assert "This is the demo." in text


def test_an_empty_paper_says_what_to_do(ada: Browser) -> None:
    news = stand(ada)
    with news.engine.begin() as db:
        for story, _ in STORIES[1:]:
            store.stories.merge(db, story.id, CEASEFIRE.id)
    news.refresh(at_once=True)
    ada.act(kind="hidden", story=CEASEFIRE.id)
    text = plain(ada.get("/"))
    assert "Everything is muted, hidden or in a language that you do not read." in text


def test_a_story_that_was_absorbed_leads_to_the_one_that_took_it_in(ada: Browser) -> None:
    news = stand(ada)
    absorbed: Story = STORIES[2][0]
    ada.act(kind="saved", story=absorbed.id)
    with news.engine.begin() as db:
        store.stories.merge(db, absorbed.id, CEASEFIRE.id)
    news.refresh(at_once=True)
    assert "Ceasefire holds" in plain(ada.get(f"/story/{absorbed.id}"))
    assert "Ceasefire holds" in plain(ada.get("/saved"))


def test_an_old_paper_says_how_old_it_is(tmp_path: Path) -> None:
    app = a_newsroom(tmp_path, as_of=(NOON + timedelta(days=400)).isoformat())
    page = plain(Browser(app).begin().get("/"))
    assert "Nothing new has been read in for a while: the newest article came 31 July 2026." in page


def test_articles_under_one_headline_say_it_once(ada: Browser) -> None:
    story, articles = told("One for all", "Open Times", "Daily Bee", "Gazette")
    with stand(ada).engine.begin() as db:
        store.articles.save(db, [replace(a, title="One for all") for a in articles])
        store.stories.save(db, [story])
    stand(ada).refresh(at_once=True)
    page = ada.get(f"/story/{story.id}")
    assert page.text.count("<h3") == 1
    assert "Daily Bee , under the same headline" in plain(page)
    assert all(f'href="/article/{a.id}"' in page.text for a in articles)


def test_a_correction_is_told_on_the_front_page_the_article_and_a_page_of_its_own(ada: Browser) -> None:
    article = CEASEFIRE.articles[0]
    assert "Nothing was changed" in plain(ada.get("/corrections"))
    ada.get(f"/article/{article}")
    with stand(ada).engine.begin() as db:
        (now,) = store.articles.many(db, [article])
        words = now.text.replace("first sentence", "<b>last</b> sentence of 2,000")
        store.versions.save(
            db,
            [
                Version(
                    article=now.id,
                    replaced=NOON + HOUR,
                    title=now.title,
                    text=words,
                    facts=(FactChange(kind="number", old="2,000", new=""),),
                )
            ],
        )
    assert "1 article that you read was corrected" in plain(ada.get("/"))
    for path in ("/corrections", f"/article/{article}", f"/article/{article}/versions"):
        page = ada.get(path)
        assert "A number was taken out: 2,000" in plain(page), path
        assert "<b>last" not in page.text


def test_a_reader_takes_an_article_out_of_a_story_for_themself_alone_and_undoes_it(ada: Browser) -> None:
    bob = Browser(ada.app).begin("Bob")
    first, second, _ = CEASEFIRE.articles
    path = f"/story/{CEASEFIRE.id}"
    done = ada.act(kind="split", one=second, other=first).json()
    page = plain(ada.get(path))
    assert "2 articles, in order of time" in page
    assert "taken out by you" in page
    assert "3 articles, in order of time" in plain(bob.get(path))
    alone = ada.get(f"/story/{identify('story', second)}")
    assert "Ceasefire holds (1)" in plain(alone)
    assert bob.get(f"/story/{identify('story', second)}").status == 404
    ada.act(kind="merge", one=first, other=second)
    assert "3 articles, in order of time" in plain(ada.get(path))
    ada.act(kind="undo", target=done["event"])
    assert "3 articles, in order of time" in plain(ada.get(path))


def test_a_reader_joins_two_stories_and_sees_one_in_the_feed_and_on_its_page(ada: Browser) -> None:
    cup = STORIES[1][0]
    done = ada.act(kind="merge", one=CEASEFIRE.articles[0], other=cup.articles[0]).json()
    front = ada.get("/")
    assert f'id="s-{CEASEFIRE.id}"' in front.text
    assert f'id="s-{cup.id}"' not in front.text
    for path in (f"/story/{CEASEFIRE.id}", f"/story/{cup.id}"):
        page = plain(ada.get(path))
        assert "4 articles, in order of time" in page
        assert "Cup final tonight" in page
    ada.act(kind="undo", target=done["event"])
    assert f'id="s-{cup.id}"' in ada.get("/").text
    assert ada.act(kind="split", one="a", other="a").status == 422


def test_why_this_says_where_it_would_stand_without_the_cause_and_why_not_what_would_lift_it(ada: Browser) -> None:
    page = plain(ada.get(f"/why/{CEASEFIRE.id}"))
    assert "It stands at number 1 of the 4 stories that may be shown to you." in page
    assert re.search(r"Without following Conflict, war and peace: number \d", page)
    ada.act(kind="hidden", story=CEASEFIRE.id)
    ada.act(kind="mute", mute=BLINKEN, until="week")
    answer = ada.get(f"/why/{CEASEFIRE.id}")
    page = plain(answer)
    assert "Why not?" in page
    assert "It is not in your feed: hidden by you, and muted: Antony Blinken." in page
    assert "If you had not hidden it , it would still be out: muted: Antony Blinken" in page.replace("it,", "it ,")
    for label in ("Show it again", "Unmute Antony Blinken"):
        event = next(e for e in map(unescape, re.findall(r'name="event" value="([^"]*)"', answer.text))
                     if ("unhidden" if "Show" in label else "unmute") in e)  # fmt: skip
        ada.post("/act", {"event": event, "next": "/"})
    assert "It stands at number 1" in plain(ada.get(f"/why/{CEASEFIRE.id}"))


def test_why_not_is_answered_for_whoever_may_see_the_story_and_for_one_that_is_no_longer_live(ada: Browser) -> None:
    assert ada.get(f"/why/{PRIVATE.id}").status == 404
    old, articles = told(
        "Long ago", "Gazette", last_seen=NOON - timedelta(days=90), first_seen=NOON - timedelta(days=91)
    )
    with stand(ada).engine.begin() as db:
        store.articles.save(db, articles)
        store.stories.save(db, [old])
    stand(ada).refresh(at_once=True)
    assert "It is in no feed any more" in plain(ada.get(f"/why/{old.id}"))


def test_a_search_is_followed_shown_and_let_go_of(ada: Browser) -> None:
    query, choice = "cup -harvest", {"kind": "search", "value": "cup -harvest", "label": "cup -harvest"}
    page = ada.get("/search?q=cup+-harvest")
    assert "Follow this search" in plain(page)
    assert orjson.dumps({"kind": "follow", "follow": choice}).decode() in unescape(page.text)
    event = ada.act(kind="follow", follow=choice).json()["event"]
    assert "get points on your page, and stand under" in plain(ada.get("/search?q=cup+-harvest"))
    following = ada.get("/following")
    assert "search 1 live story" in plain(following)
    assert "Cup final tonight" in plain(following)
    assert 'href="/search?q=cup%20-harvest"' in following.text
    assert f"it matches your search “{query}”" in plain(ada.get("/"))
    ada.act(kind="undo", target=event)
    assert f"it matches your search “{query}”" not in plain(ada.get("/"))


def test_a_search_that_asks_for_nothing_is_not_followed(ada: Browser) -> None:
    assert ada.act(kind="follow", follow={"kind": "search", "value": "-cup"}).status == 422
    assert "Follow this search" not in plain(ada.get("/search?q=-cup"))


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("He said: “We go.”", True), ("“We go”, he said.", True), ('"Never."', True), ("She called it «finished»!", True), ("Plain.", False),
        ("The ‘deal’ holds.", False), ("", False), ("The deal “holds” for now.", False),
    ],
)  # fmt: skip
def test_a_sentence_with_marks_at_its_edge_wears_no_second_pair(words: str, own: bool) -> None:
    assert (views.own_marks(words) != "") == own


def test_the_front_page_ends_on_purpose(ada: Browser) -> None:
    assert "You are up to date." in plain(ada.get("/"))
    assert "That is the earliest article here." in plain(ada.get("/latest"))


def test_a_card_is_named_by_its_headline_for_who_hears_the_page(ada: Browser) -> None:
    page = ada.get("/").text
    named = re.findall(r'<article class="card[^>]* aria-labelledby="(h-[^"]+)"', page)
    assert len(named) == page.count('<article class="card') > 3
    assert all(page.count(f' id="{name}"') == 1 for name in named)


def test_a_quoted_sentence_leads_to_its_place_in_the_article(ada: Browser) -> None:
    page = ada.get(f"/story/{CEASEFIRE.id}").text
    assert page.count("#:~:text=The%20first%20sentence%20of%20Open%20Times.") >= 3  # a key point, two of the timeline


@pytest.mark.parametrize(
    ("shown", "leads_to"),
    [
        ("… and two were saved.", "and%20two%20were%20saved."),  # what continues a headline: the dots are ours
        ("They were saved …", "They%20were%20saved"),
        ("… " + " ".join("abcdefghijkl"), "a%20b%20c%20d%20e,i%20j%20k%20l"),
        ("well-known words", "well%2Dknown%20words"),
    ],
)
def test_what_leads_to_a_sentence_holds_its_own_words_alone(shown: str, leads_to: str) -> None:
    assert views.text_fragment(shown) == f"#:~:text={leads_to}"


@pytest.mark.parametrize("few", ["", "…", "Yes", "… yes"])
def test_one_word_is_too_few_to_lead_to(few: str) -> None:
    assert views.text_fragment(few) == ""
