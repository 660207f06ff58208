"""A reader's way through the paper, in Chromium."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SIZES, Window
from tests.web.newsroom import CEASEFIRE, ODD

pytestmark = pytest.mark.browser
NAMES = (f"Ada {n}" for n in itertools.count(1))
CARD = f"#s-{CEASEFIRE.id}"
MISSING = "status of 40"  # what the console says of a page that answered 404 or 403, as it should


@pytest.fixture
def window(chromium: Any, paper: str) -> Iterator[Window]:
    """A new reader's window, on a desk; at the end nothing may have complained."""
    context = chromium.new_context(viewport=dict(zip(("width", "height"), SIZES["desk"], strict=True)))
    page = context.new_page()
    opened = Window(page, paper)
    page.on("console", lambda m: opened.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: opened.complaints.append(str(e)))
    page.on(
        "request", lambda r: None if r.url.startswith((paper, "data:")) else opened.complaints.append(f"asked {r.url}")
    )
    page.goto(f"{paper}/")
    page.fill("#name", next(NAMES))
    page.locator(".choice", has_text="conflict, war and peace").click()
    page.click("text=Show me the news")
    page.wait_for_url(f"{paper}/")
    page.wait_for_load_state("load")
    yield opened
    context.close()
    assert [c for c in opened.complaints if MISSING not in c] == []


def test_a_stranger_chooses_topics_and_reads_a_feed(window: Window) -> None:
    page: Any = window.page
    assert page.locator(".card.lead .headline").inner_text() == "Ceasefire holds"
    assert page.locator(".card").count() == 4
    assert "you follow Conflict, war and peace" in page.locator(f"{CARD} .why").inner_text()


def test_a_topic_is_followed_from_a_story(window: Window) -> None:
    page: Any = window.page
    page.click(f"{CARD} .headline a")
    page.click('button[title="Follow Beijing"]')
    page.wait_for_selector('button[title="Stop following Beijing"]')
    page.click("nav.main >> text=Following")
    assert "Beijing" in page.locator(".follow h2").all_inner_texts()
    assert "Ceasefire holds" in page.locator("main").inner_text()


def test_a_person_is_muted_until_sunday_and_unmuted(window: Window) -> None:
    page: Any = window.page
    page.click(f"{CARD} .headline a")
    page.click('summary[title="Mute Antony Blinken"]')
    page.locator("details[open] button", has_text="until Sunday").click()
    page.wait_for_selector("#toast:not([hidden])")
    page.click("nav.main >> text=For you")
    assert page.locator(CARD).count() == 0
    assert "1 story muted: Antony Blinken until Sunday 2 August" in page.locator(".rail").inner_text()
    page.locator(".rail").get_by_role("button", name="Unmute").click()
    page.wait_for_selector(CARD)


def test_why_this_opens_in_place_and_its_buttons_work(window: Window) -> None:
    page: Any = window.page
    page.click(f"{CARD} a[data-panel]")
    page.wait_for_selector("dialog[open] .reasons")
    points = [float(t.replace("−", "-")) for t in page.locator("dialog td.points").all_inner_texts()]
    assert sum(points[:-1]) == pytest.approx(points[-1], abs=0.01 * len(points))
    page.locator("dialog").get_by_role("button", name="Unfollow Conflict, war and peace").click()
    page.wait_for_selector("#toast:not([hidden])")
    assert page.locator("dialog[open]").count() == 0
    page.goto(f"{window.paper}/following")
    assert "You follow nothing yet" in page.locator("main").inner_text()


def test_saving_is_done_without_a_reload_and_undone(window: Window) -> None:
    page: Any = window.page
    page.evaluate("window.stillHere = true")
    page.locator(f"{CARD} button.save").click()
    page.wait_for_selector(f"{CARD} button.save[aria-pressed=true]")
    page.locator("#toast button").click()
    page.wait_for_selector(f"{CARD} button.save[aria-pressed=false]")
    assert page.evaluate("window.stillHere") is True
    page.click("nav.main >> text=Saved")
    assert "Nothing saved" in page.locator("main").inner_text()


def test_a_hidden_story_folds_and_comes_back_on_undo(window: Window) -> None:
    page: Any = window.page
    page.locator(CARD).get_by_role("button", name="Hide").click()
    page.wait_for_selector(f"{CARD}.folded")
    page.locator("#toast button").click()
    page.wait_for_selector(f"{CARD}:not(.folded)")
    page.reload()
    assert page.locator(CARD).count() == 1


def test_a_site_is_added_by_its_address(window: Window, village: str) -> None:
    page: Any = window.page
    page.click("nav.side >> text=Sources")
    page.fill("#address", village)
    page.click("text=Find its feed")
    assert "Village News" in page.locator("main").inner_text()
    assert "2 entries now" in page.locator("main").inner_text()
    page.click("text=Add it")
    assert "Village News" in page.locator(".sources").first.inner_text()


def test_an_address_without_a_feed_is_answered_with_a_sentence(window: Window) -> None:
    page: Any = window.page
    page.goto(f"{window.paper}/sources")
    page.fill("#address", "http://10.1.2.3/")
    page.click("text=Find its feed")
    assert "No feed found" in page.locator("h1").inner_text()
    assert "10.1.2.3" in page.locator("main").inner_text()


def test_a_list_of_feeds_is_imported(window: Window, downloads: Path) -> None:
    page: Any = window.page
    file = downloads / "feeds.opml"
    file.write_text(
        '<opml version="2.0"><body><outline text="Near"><outline type="rss" text="Hill" xmlUrl="https://hill.example/rss"/>'
        "</outline></body></opml>"
    )
    page.goto(f"{window.paper}/sources")
    page.click("text=Import or export a list")
    page.set_input_files("#opml", str(file))
    page.get_by_role("button", name="Import").click()
    page.wait_for_selector("h1:has-text('Imported')")
    page.click("text=Back to your sources")
    assert "Near" in page.locator(".folder h2").all_inner_texts()
    assert "Hill" in page.locator("main").inner_text()


def test_the_keyboard_walks_saves_and_explains(window: Window) -> None:
    page: Any = window.page
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == CARD[1:]
    page.keyboard.press("s")
    page.wait_for_selector(f"{CARD} button.save[aria-pressed=true]")
    page.keyboard.press("u")
    page.wait_for_selector(f"{CARD} button.save[aria-pressed=false]")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") != CARD[1:]
    page.keyboard.press("k")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#keys[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.wait_for_selector("dialog#panel[open] .reasons")
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    page.wait_for_url(f"**/story/{CEASEFIRE.id}")
    page.keyboard.press("/")
    page.wait_for_url("**/search")


def test_reading_time_is_learned_when_the_reader_leaves(window: Window) -> None:
    page: Any = window.page
    page.goto(f"{window.paper}/story/{CEASEFIRE.id}")
    page.wait_for_timeout(2300)
    page.goto(f"{window.paper}/latest")
    for _ in range(20):  # a beacon is sent in the browser's own time
        page.goto(f"{window.paper}/you")
        if "read once" in page.locator(".ledger").first.inner_text():
            return
        page.wait_for_timeout(250)
    raise AssertionError("the beacon did not arrive")


def test_the_theme_is_chosen_and_kept(window: Window) -> None:
    page: Any = window.page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[data-theme-form] button")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.goto(f"{window.paper}/latest")
    assert page.locator("html[data-theme=dark]").count() == 1


PAGES = (
    "/", "/latest", "/following", "/saved", "/search?q=first", f"/story/{CEASEFIRE.id}", f"/story/{ODD.id}",
    f"/article/{ODD.articles[0]}", f"/why/{CEASEFIRE.id}", "/sources", "/you", "/about", "/welcome", "/nothing",
    "/away", "/away?minutes=5", "/tune", "/tune?freshness=0.5&quiet=3", "/you/ledger", "/bubble", "/bubble?outside=30",
)  # fmt: skip


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_window(window: Window, width: int) -> None:
    page: Any = window.page
    page.set_viewport_size({"width": width, "height": 844})
    for path in PAGES:
        page.goto(window.paper + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_every_control_has_a_name_and_every_page_one_heading(window: Window) -> None:
    page: Any = window.page
    for path in PAGES:
        page.goto(window.paper + path)
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, summary')]
            .filter(e => !(e.textContent || '').trim() && !e.getAttribute('aria-label') && !e.title
                && !(e.labels && e.labels.length) && e.getAttribute('aria-hidden') !== 'true')
            .map(e => e.outerHTML)"""
        )
        assert nameless == [], path
        assert page.locator("h1").count() == 1, path
        assert page.locator("main").count() == 1, path
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_page(window: Window, scheme: str) -> None:
    page: Any = window.page
    page.emulate_media(color_scheme=scheme)
    page.goto(window.paper + "/")
    contrast = page.evaluate(
        """() => { const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const lum = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
          return .2126 * r + .7152 * g + .0722 * b };
        const paper = lum(getComputedStyle(document.body).backgroundColor);
        const ratio = e => { const l = lum(getComputedStyle(e).color); return (Math.max(l, paper) + .05) / (Math.min(l, paper) + .05) };
        return [...document.querySelectorAll('main .headline, main .kicker, main .meta, main .why, main .act button, nav a')].map(ratio) }"""
    )
    assert min(contrast) >= 4.5


def test_a_slider_is_felt_at_once_taken_and_undone(window: Window) -> None:
    page: Any = window.page
    page.goto(f"{window.paper}/tune")
    assert page.locator(".no-live").is_hidden()
    assert page.locator("#would").inner_text() == "Your page as it is"
    page.locator("#slide-interest").fill("2")
    page.wait_for_selector(".take")
    assert page.locator("output[for=slide-interest]").inner_text() == "2.00"
    assert "interest=2" in page.url
    page.reload()
    assert page.locator("#slide-interest").input_value() == "2"
    page.get_by_role("button", name="Take it").click()
    page.wait_for_selector("#toast:not([hidden])")
    assert page.locator("#slide-interest").input_value() == "2"
    page.locator("#toast button").click()
    page.wait_for_function("document.getElementById('slide-interest').value === '1'")


def test_a_preset_is_previewed_before_it_is_taken(window: Window) -> None:
    page: Any = window.page
    page.goto(f"{window.paper}/tune")
    page.locator(".presets a", has_text="Calm").click()
    page.wait_for_selector(".take")
    assert page.locator(".presets a[aria-current]").inner_text() == "Calm"
    assert page.locator("#preset-link").input_value().startswith(f"{window.paper}/tune?name=Calm&")
    page.get_by_role("link", name="Leave it").click()
    page.wait_for_url(f"{window.paper}/tune")
    assert page.locator("#slide-freshness").input_value() == "1"


def test_why_not_is_asked_from_search_and_its_button_lifts_the_story(window: Window) -> None:
    page: Any = window.page
    page.goto(f"{window.paper}/search?q=cup")
    page.get_by_role("link", name="Where in my feed?").first.click()
    page.wait_for_selector("dialog[open] .standing")
    page.locator("dialog .what-ifs button", has_text="Follow sport").click()
    page.wait_for_selector("#toast:not([hidden])")
    page.goto(f"{window.paper}/following")
    assert "sport" in page.locator(".follow h2").all_inner_texts()


def test_a_signal_is_taken_back_in_the_ledger_and_counted_again(window: Window) -> None:
    page: Any = window.page
    page.locator(f"{CARD} .actions button", has_text="More").click()
    page.wait_for_selector("#toast:not([hidden])")
    page.goto(f"{window.paper}/you/ledger")
    page.locator(".signal", has_text="You asked for more like").get_by_role("button", name="Undo").click()
    page.wait_for_selector(".signal.undone")
    page.locator(".signal.undone").get_by_role("button", name="Count again").click()
    page.wait_for_function("!document.querySelector('.signal.undone')")


def test_without_a_script_a_feed_is_tuned_a_budget_set_and_a_gap_read(chromium: Any, paper: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(paper)
    page.get_by_role("button", name="Choose nothing").click()
    page.wait_for_selector(".card")
    assert page.locator(".card").count() == 4
    page.goto(f"{paper}/tune")
    page.locator("#slide-importance").fill("0")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Take it").click()
    page.wait_for_selector("#toast:not([hidden])")
    assert page.locator("#slide-importance").input_value() == "0"
    assert page.locator("#toast").inner_text().startswith("Taken")
    page.goto(f"{paper}/bubble")
    page.fill("#rule-publisher", "20")
    page.get_by_role("button", name="What would it cost?").click()
    page.get_by_role("button", name="Take it").click()
    page.wait_for_selector("#toast:not([hidden])")
    assert page.locator("#rule-publisher").input_value() == "20"
    page.goto(f"{paper}/away")
    assert "That is all that mattered." in page.locator(".end").inner_text()
    page.get_by_role("link", name="2 minutes").click()
    page.wait_for_selector(".switch a[aria-current]:has-text('2 minutes')")
    context.close()


def test_without_a_script_everything_still_works(chromium: Any, paper: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(paper)
    page.fill("#name", next(NAMES))
    page.locator(".choice", has_text="conflict, war and peace").click()
    page.click("text=Show me the news")
    page.locator(f"{CARD} button.save").click()
    page.wait_for_selector("#toast:has-text('Saved.')")
    page.locator("#toast button").click()
    page.wait_for_selector("#toast:has-text('Undone.')")
    page.click(f"{CARD} a[data-panel]")
    assert page.locator(".reasons td.points").count() > 1
    context.close()


def test_on_a_phone_a_budgets_number_stands_beside_its_words(window: Window) -> None:
    page: Any = window.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{window.paper}/bubble")
    for label in page.locator(".rules label").all():
        box, field = label.bounding_box(), label.locator("input").bounding_box()
        assert field["y"] - box["y"] < 12  # on the first line
        assert field["x"] > box["x"] + 40  # after its first words
        after = label.locator("span").evaluate("e => e.getClientRects()[0].top")
        assert abs(after - field["y"]) < field["height"]  # and the next ones begin on the same line
