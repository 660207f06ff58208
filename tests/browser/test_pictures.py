"""Pages look as they were approved to look: nine of them, on a desk and on a phone, light and dark.

After a change that is meant, look at the new pictures and approve them:

    BROADSHEET_APPROVE=1 pytest tests/browser/test_pictures.py

All letters are set in Broadsheet's own face here, also those that a device sets in its own, so that machines agree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.model import Entity, Follow, Topic
from broadsheet.store.manners import Asked
from broadsheet.web.app import create_app
from tests.browser import pictures
from tests.browser.conftest import SIZES, served
from tests.browser.test_accessible import COLOUR, RULES, axe, judged
from tests.builders import DAY, HOUR, NOON, a_reader, a_source
from tests.web.newsroom import told

pytestmark = [pytest.mark.browser, pytest.mark.slow]
APPROVED = Path(__file__).parent / "approved"
GAZETTE = a_source(
    "https://gazette.example/feed.xml", title="The Harbour Gazette", homepage="https://gazette.example", etag='"1"',
    next_fetch=NOON + HOUR, last_success=NOON - HOUR, last_fetch=NOON - HOUR, interval=2 * HOUR,
)  # fmt: skip
TOPICS = (
    ("11000000", "politics and government"), ("06000000", "environment"), ("15000000", "sport"), ("07000000", "health"),
    ("04000000", "economy, business and finance"), ("20000065", "armed conflict"), ("16000000", "conflict, war and peace"),
)  # fmt: skip
HEADLINES = (
    ("Council votes to rebuild the old harbour wall before winter", 0, 1), ("Herring return to the bay after forty years", 1, 4),
    ("Ferry crews and owners agree on pay", 4, 0), ("Rowers from three islands meet in the final", 2, 2),
    ("Clinic opens its doors on Sunday evenings", 3, 3), ("Truce holds along the northern road", 5, 6),
    ("Talks on the northern border go on", 6, 0), ("Grain prices fall for a third month", 4, 1),
)  # fmt: skip
PEOPLE = ("The Harbour Gazette", "Daily Lantern", "Island Post", "Evening Courier")


def the_paper() -> list[Any]:
    made = []
    for n, (headline, first, second) in enumerate(HEADLINES):
        topics = tuple(Topic(id=TOPICS[i][0], label=TOPICS[i][1], weight=w) for i, w in ((first, 1.0), (second, 0.5)))
        places = (Entity(text=("Oslo", "Bergen")[n % 2], type="place", count=2),)
        made.append(
            told(headline, *PEOPLE[: 1 + n % 4], topics=dict.fromkeys(topics), entities=places, source=GAZETTE.id)
            if first == second
            else told(headline, *PEOPLE[: 1 + n % 4], topics=topics, entities=places, source=GAZETTE.id, last_seen=NOON - n * HOUR)
        )  # fmt: skip
    return made


STORIES = the_paper()
PAGES = {
    "front": "/", "story": f"/story/{STORIES[3][0].id}", "article": f"/article/{STORIES[0][0].articles[0]}",
    "following": "/following", "tune": "/tune", "bubble": "/bubble", "source": f"/source/{GAZETTE.id}", "welcome": "/welcome",
    "search": "/search?q=first+sentence+-topic:sport+lang:english",
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pictures")
    settings = Settings(database=f"sqlite:///{folder / 'news.sqlite'}", as_of=NOON.isoformat(), timezone="UTC")
    engine = store.open(settings.database)
    follows = (
        Follow(kind="topic", value="06000000", label="Environment"),
        Follow(kind="place", value="Bergen", label="Bergen"),
    )
    with engine.begin() as db:
        store.sources.add(db, GAZETTE)
        store.sources.save(db, GAZETTE)
        store.articles.save(db, [a for _, articles in STORIES for a in articles])
        store.articles.place(db, [(a.id, s.id, a.copy_of) for s, articles in STORIES for a in articles])
        store.stories.save(db, [story for story, _ in STORIES])
        store.readers.add(db, a_reader("Ada", follows=follows, tuning={"exploration": 0.0}))
        store.manners.note(
            db, GAZETTE.id, Asked(asked=40, unchanged=31, size=420_000, status=200, max_age=HOUR / 4), NOON - 9 * DAY
        )
    app = create_app(engine, settings)
    news = app.state.newsstand  # it records nothing: one picture must not change the next
    news.shown, news.read, news.act = lambda *_: None, lambda *_: None, lambda *_, **__: 0
    with served(app) as found:
        yield found


@pytest.fixture(scope="module")
def decoder(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def window(chromium: Any, address: str, size: str, scheme: str) -> Any:
    """A window that reads as Ada. Nothing that it opens is recorded, or one picture would change the next."""
    context = chromium.new_context(
        viewport=dict(zip(("width", "height"), SIZES[size], strict=True)), color_scheme=scheme, reduced_motion="reduce", bypass_csp=True, service_workers="block", extra_http_headers={"X-Purpose": "keep"}
    )  # fmt: skip
    context.route("**/act", lambda route: route.abort())  # on a slow machine a page is looked at long enough to teach
    page = context.new_page()
    page.goto(f"{address}/welcome")
    page.locator(".people button").first.click()
    page.wait_for_load_state("load")
    return page


def settle(page: Any) -> None:
    page.add_style_tag(
        content=':root { --serif: "Approved" !important; --sans: "Approved" !important; } * { caret-color: transparent !important; } .toast { display: none; }'
    )
    page.evaluate(
        """async () => {
        for (const [name, url, style] of [["serif", "serif.woff2", "normal"], ["italic", "serif-italic.woff2", "italic"]]) {
          const face = new FontFace("Approved", `url(/static/${url})`, { weight: "400 700", style, display: "block" });
          document.fonts.add(await face.load());
        }
        await document.fonts.ready;
        const map = document.querySelector('.atlas');
        if (map) map.scrollIntoView(); else scrollTo(0, 0);
        }"""
    )
    page.wait_for_timeout(100)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_look_as_they_were_approved(
    chromium: Any, address: str, decoder: Any, tmp_path: Path, size: str, scheme: str
) -> None:
    page = window(chromium, address, size, scheme)
    wrong = []
    for name, path in PAGES.items():
        page.goto(address + path)
        settle(page)
        now, kept = pictures.taken(page, decoder), APPROVED / f"{name}-{size}-{scheme}.png"
        if os.environ.get("BROADSHEET_APPROVE"):
            pictures.write(kept, now)
            continue
        share = pictures.apart(now, pictures.read(kept))
        if share > pictures.MOST:
            pictures.write(tmp_path / kept.name, now)
            wrong.append(f"{name}: {share:.1%} of it looks different, see {tmp_path / kept.name}")
    page.context.close()
    assert not wrong, (
        f"{'; '.join(wrong)}. If that is meant: BROADSHEET_APPROVE=1 pytest tests/browser/test_pictures.py"
    )


def test_approved_pictures_are_small() -> None:
    files = list(APPROVED.glob("*.png"))
    assert {f.stem for f in files} == {f"{n}-{s}-{c}" for n in PAGES for s in SIZES for c in ("light", "dark")}
    assert sum(f.stat().st_size for f in files) < 2_000_000


def test_the_map_of_topics_keeps_wcag_2_2_aa(chromium: Any, address: str) -> None:
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    context.add_init_script(axe())
    page = context.new_page()
    page.goto(f"{address}/welcome")
    assert page.locator(".atlas .choice").count() >= 5
    page.locator(".atlas .choice").first.click()
    assert page.locator(".atlas input").first.is_checked()
    for size in SIZES.values():
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        for scheme, rules in (("light", RULES), ("dark", COLOUR)):
            page.emulate_media(color_scheme=scheme)
            assert judged(page, rules) == [], (size, scheme)
    page.locator(".atlas input").nth(1).focus()  # and it is worked by the keyboard
    page.keyboard.press("Space")
    assert page.locator(".atlas input").nth(1).is_checked()
    context.close()


# --- the comparison itself


def test_a_picture_that_was_written_is_read_back(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (33, 47, 3)).astype(np.uint8)
    pictures.write(tmp_path / "x.png", picture)
    assert (pictures.read(tmp_path / "x.png") == picture).all()


def test_other_smoothing_passes_and_a_moved_line_or_another_colour_does_not() -> None:
    rng = np.random.default_rng(2)
    page = np.full((400, 600, 3), 250, np.uint8)
    for line in range(20, 380, 10):  # lines of letters
        page[line : line + 5, 40:560] = np.where(rng.random((5, 520, 1)) < 0.45, 40, 250)
    softer = (page.astype(float) + np.roll(page, 1, axis=1)) / 2
    assert pictures.apart(page, softer.astype(np.uint8)) == 0.0
    moved = page.copy()
    moved[200:] = np.roll(page[200:], 6, axis=0)
    assert pictures.apart(page, moved) > pictures.MOST
    tinted = page.copy()
    tinted[:48, :200] = (250, 236, 236)
    assert pictures.apart(page, tinted) > pictures.MOST
    assert pictures.apart(page, page[:, :500]) == 1.0
