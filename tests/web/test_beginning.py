"""A stranger's first minutes: whatever they bring, or nothing, they have a sensible paper at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette

from broadsheet import store, web
from broadsheet.model import Topic
from broadsheet.reading.beginning import lines_of
from tests.web.newsroom import CEASEFIRE, OPEN, STORIES, Browser, a_newsroom, plain, told
from tests.web.test_pages import stand

CUP = STORIES[1][0]
LIST = f"""<opml version="2.0"><body><outline type="rss" text="Open" xmlUrl="{OPEN.url}"/>
<outline type="rss" text="New" xmlUrl="https://new.example/rss"/></body></opml>""".encode()


def first(browser: Browser) -> str:
    news = stand(browser)
    return news.feed(news.readers()[-1].id).items[0].story


def begin(app: Starlette, **form: object) -> tuple[Browser, str]:
    browser = Browser(app)
    answer = browser.post("/welcome", {"name": "Zed", **form})
    assert answer.status in (200, 303), plain(answer)
    return browser, plain(answer)


def test_nothing_gives_what_most_report_and_a_name(app: Starlette) -> None:
    browser = Browser(app)
    for expected in ("Reader", "Reader 2"):
        assert browser.post("/welcome", {"name": "", "nothing": "1"}).header("location") == "/"
        assert expected in {r.name for r in stand(browser).readers()}
    assert first(browser) == CEASEFIRE.id


def test_a_few_stories_that_were_pointed_at_lead_and_nobody_is_offered_what_is_private(app: Starlette) -> None:
    page = Browser(app).get("/welcome")
    assert "Which of these would you read?" in plain(page)
    assert "A letter for few" not in page.text
    news = app.state.newsstand

    def place(name: str) -> int:
        reader = next(r for r in news.readers() if r.name == name)
        return [item.story for item in news.feed(reader.id).items].index(CUP.id)

    begin(app, name="Nobody")
    begin(app, name="Sporty", story=[CUP.id, "f" * 16])
    assert place("Sporty") == 0 < place("Nobody")


def test_a_pasted_list_is_understood_line_by_line(app: Starlette) -> None:
    pasted = f"""
    - Ceasefire holds
    2. sport
    • Antony Blinken
    https://www.bbc.co.uk/news/something-that-is-not-here
    {CEASEFIRE and "https://0.example/" + STORIES[0][1][0].url.rsplit("/", 1)[1]}
    needlework
    Blah blah with nothing known in it at all
    Gazette
    """
    browser, page = begin(app, likes=pasted)
    for said in (
        "Ceasefire holds more like “Ceasefire holds”", "sport you follow sport", "Antony Blinken you follow Antony Blinken",
        "not-here you follow BBC", "needlework you follow needlework", "at all not understood", "Gazette you follow Gazette",
    ):  # fmt: skip
        assert said in page, said
    reader = stand(browser).readers()[0]
    assert {(f.kind, f.value) for f in reader.follows} >= {
        ("topic", "15000000"), ("person", "Antony Blinken"), ("keyword", "needlework"), ("publisher", "Gazette"),
    }  # fmt: skip
    with stand(browser).engine.connect() as db:
        assert [e.story for e in store.readers.events(db, reader.id) if e.kind == "more"] == [CEASEFIRE.id] * 2
    assert first(browser) == CEASEFIRE.id


def test_a_headline_in_other_words_is_taken_for_the_story_that_says_most_of_them(app: Starlette) -> None:
    news = app.state.newsstand
    extra = [
        told(f"The {w} council debates {w} rules", "Open Times", topics=(Topic(id="1", label=w),))
        for w in ("harbour", "heron", "tram")
    ]
    with news.engine.begin() as db:
        store.articles.save(db, [a for _, articles in extra for a in articles])
        store.stories.save(db, [s for s, _ in extra])
    news.refresh(at_once=True)
    (liked,) = news.understand("In the heron debate, the council sets new rules tonight")
    assert liked.story is not None
    assert liked.story.headline == "The heron council debates heron rules"
    (other,) = news.understand("Quantum gardeners applaud their velvet submarine")
    assert (other.story, other.follow) == (None, None)


def test_a_list_of_feeds_is_subscribed_to_and_its_stories_come_first(app: Starlette) -> None:
    browser = Browser(app).begin("Ada")
    edge = "edge"
    fields = {"token": browser.token(), "name": "Olga"}
    parts = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    parts += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f.opml"\r\n\r\n'
    body = parts.encode() + LIST + f"\r\n--{edge}--\r\n".encode()
    answer = browser.call("POST", "/welcome", body, {"content-type": f"multipart/form-data; boundary={edge}"})
    assert "2 feeds are yours now" in plain(answer)
    olga = next(r for r in stand(browser).readers() if r.name == "Olga")
    assert OPEN.id in olga.subscriptions
    items = stand(browser).feed(olga.id).items
    assert any(r.fact == "a source of yours reports it" for r in items[0].reasons)


def test_likes_are_pasted_later_too(ada: Browser) -> None:
    page = plain(ada.post("/you/likes", {"likes": "Beijing"}))
    assert "Beijing you follow Beijing" in page
    assert ada.post("/you/likes", {"likes": "  \n "}).status == 422
    assert ada.post("/you/likes", {"likes": "\n".join(f"w{n}" for n in range(300))}).status == 422


@pytest.mark.parametrize(
    "line", ["<script>alert(1)</script>", "https://[", "http://" + "x" * 400, "\x00\x01", '" OR 1=1 --', "ه" * 299]
)
def test_whatever_is_pasted_is_answered(ada: Browser, line: str) -> None:
    answer = ada.post("/you/likes", {"likes": f"chess\n{line}"})
    assert answer.status == 200
    assert "<script>alert" not in answer.text


def test_bullets_and_numbers_are_not_part_of_what_is_liked() -> None:
    assert lines_of(" * a b\n\n12) c\n- a  b\n3D printing\n") == ["a b", "c", "3D printing"]


def test_topics_lie_on_a_map_and_are_chosen_there(tmp_path: Path) -> None:
    app = a_newsroom(tmp_path)
    codes = [f"{n:02}000000" for n in range(1, 7)] + ["20000065"]
    new = [
        told(f"Story {n} of {code}", "Open Times", topics=(Topic(id=code, label=f"subject {code}"),))
        for code in codes
        for n in range(3)
    ]
    with app.state.newsstand.engine.begin() as db:
        store.articles.save(db, [a for _, articles in new for a in articles])
        store.stories.save(db, [story for story, _ in new])
    app.state.newsstand.refresh(at_once=True)
    browser = Browser(app)
    page = browser.get("/welcome").text
    drawn = re.findall(r'<label class="choice (x\d+ y\d+ s\d+ u\d+ v\d+ t\d+)"><input type="checkbox" name="topic" value="(\d+)"', page)  # fmt: skip
    assert {code for _, code in drawn} >= set(codes)
    assert len({place for place, _ in drawn}) == len(drawn)
    assert " style=" not in page
    assert 'name="topic" value="12000000"' in page  # what nobody reports now can be chosen, too
    styles = (Path(web.__file__).parent / "static/desk.css").read_text("utf-8")
    assert all(f".{name} {{" in styles for place, _ in drawn for name in place.split())
    assert browser.post("/welcome", {"name": "Ada", "topic": ["20000065", "12000000", "99"]}).status == 303
    [reader] = app.state.newsstand.readers()
    assert {(f.value, f.label) for f in reader.follows} == {("20000065", "Subject 20000065"), ("12000000", "Religion")}
