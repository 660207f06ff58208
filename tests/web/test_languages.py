"""Pages in their reader's language: nothing a reader sees is left in English by mistake, and each catalogue is whole."""

from __future__ import annotations

import importlib.util
import pickle
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes
from starlette.applications import Starlette

from broadsheet.sources import packs
from broadsheet.web import translations, views
from broadsheet.web.translations import LOCALE, TOPIC, Language, codes, language, preferred, stored
from broadsheet.wording import SPEAKER, meant, phrase, plural, words_of
from tests.builders import HOUR, NOON, a_source
from tests.web.newsroom import CEASEFIRE, CLOSED, OPEN, STORIES, Answer, Browser, plain

SCRIPT = Path(__file__).parents[2] / "scripts" / "update_messages.py"
OTHERS = codes()[1:]


# --- the catalogues -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def collected() -> Catalog:
    """Every message that the app says now."""
    spec = importlib.util.spec_from_file_location("update_messages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made: Catalog = script.template()
    return made


@lru_cache(maxsize=8)
def catalogue(code: str) -> Catalog:
    with (LOCALE / code / "LC_MESSAGES" / "broadsheet.po").open("rb") as file:
        return read_po(file, locale=code.replace("-", "_"))


def forms(message: Any) -> list[tuple[str, str]]:
    """Each translated form with the English one that it stands for."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    return [(message.id[min(n, 1)], said) for n, said in enumerate(message.string)]


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|%%|\{\w+(?:![rs])?(?::[^}]*)?\}|<[^>]*>|…(?= %)", text))


def test_german_and_spanish_are_there():
    assert {"de", "es"} <= set(OTHERS)


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_says_every_message_and_no_other(code: str):
    ours = {(m.id, m.context) for m in collected() if m.id}
    said = {(m.id, m.context) for m in catalogue(code) if m.id}
    assert said == ours, "run `make messages`, then translate what is new"
    assert not catalogue(code).obsolete
    for message in catalogue(code):
        assert not message.fuzzy
        assert all(said for _, said in forms(message)) or not message.id, message.id


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_what_is_put_into_it(code: str):
    many = catalogue(code).num_plurals
    for message in catalogue(code):
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            assert len(message.string) == many, message.id
        for english, said in forms(message):
            counted = isinstance(message.id, tuple)  # one form may spell its number out
            kept = [p for p in placeholders(said) if not counted or p not in ("{n}", "%(num)s")]
            assert kept == [p for p in placeholders(english) if not counted or p not in ("{n}", "%(num)s")], said
            assert said.strip() == said
            assert english.endswith(" ") == said.endswith(" ")


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_can_break_no_attribute(code: str):
    for message in catalogue(code):
        for english, said in forms(message) if message.id else ():
            for sign in '"<>':
                assert said.count(sign) == english.count(sign), said


@pytest.mark.parametrize("code", OTHERS)
def test_numbers_take_the_form_that_the_language_gives_them(code: str):
    spoken = language(code)
    assert spoken.say(plural("{n} publisher reports it", "{n} publishers report it", 1)) != spoken.say(
        plural("{n} publisher reports it", "{n} publishers report it", 2)
    )
    assert "5" in spoken.say(plural("{n} publisher reports it", "{n} publishers report it", 5))


# --- nothing is left out ------------------------------------------------------------------------------------------


class Marked(Language):
    """A language in which whatever is translated stands in ⟦these⟧."""

    def gettext(self, message: str, context: str = "") -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int, context: str = "") -> str:
        return f"⟦{one if n == 1 else many}⟧"

    def has_topic(self, label: str) -> bool:
        return True

    def recalled(self, text: str) -> str:
        return f"⟦{text}⟧"

    def country(self, name: str) -> str:
        return f"⟦{name}⟧"


MARKED = Marked("eo")
NEVER = {"Broadsheet", "Python", "SQLite", "ETag", "Last-Modified", "IPTC", "JSON", "OPML"}  # names, in every language
EXAMPLES = {"example.org", "example.org/an-article"}


def read_out(text: str) -> str:
    """The text without what is translated."""
    depth, left = 0, []
    for sign in text:
        depth += (sign == "⟦") - (sign == "⟧")
        assert depth >= 0, text
        left.append(" " if depth or sign == "⟧" else sign)
    return "".join(left)


def drawn(tree: nodes.Template) -> str:
    """What a template writes, with a mark for each expression in it."""
    written = []
    classes = {id(output) for block in tree.find_all(nodes.Block) if block.name == "kind" for output in block.body}
    for output in tree.find_all(nodes.Output):
        if id(output) in classes:
            continue
        for part in output.nodes:
            written.append(part.data if isinstance(part, nodes.TemplateData) else "\x00")
    return "".join(written)


@pytest.mark.parametrize("name", sorted(views.environment("en").list_templates()))
def test_no_template_has_words_of_its_own(name: str):
    env = translations.Speaking(MARKED, loader=views.environment("en").loader, trim_blocks=True, lstrip_blocks=True)
    assert env.loader is not None
    tree = env._parse(env.loader.get_source(env, name)[0], name, None)
    written = drawn(tree)
    for attribute in re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', written):
        assert not re.search("[A-Za-z]{2}", attribute) or attribute in EXAMPLES, attribute
    for words in re.split(r"<[^>]*>|\x00|[·\n]", written):
        assert not re.search("[A-Za-z]{2}", words) or words.strip() in NEVER, words
    said = {
        id(part)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in ("ngettext", "npgettext", "_several")
        for part in call.args
    } | {id(part) for one in tree.find_all(nodes.Compare) for part in (o.expr for o in one.ops)}  # names of causes
    for constant in tree.find_all(nodes.Const):
        value = "" if id(constant) in said else constant.value
        if isinstance(value, str) and not value.startswith("⟦") and "<" not in value:
            assert not re.match(r"[A-Z][a-z]", value) or value in NEVER, value
            assert not re.search(r"[a-z]{2} [a-z]{2}", value), value


class Text(HTMLParser):
    """What a page shows and what it reads out to whoever does not see it, in the order of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style", "code", "kbd")
        found = dict(attrs)
        for name in ("aria-label", "title", "placeholder", "alt"):
            if (value := found.get(name)) and value not in EXAMPLES:
                assert not re.search("[A-Za-z]{2}", known_left_out(read_out(value))), value

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "code", "kbd")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


@lru_cache(maxsize=1)
def data() -> list[str]:
    """What the pages show of the news themselves, and of names: said in no other language."""
    known = {"Ada", "A", "UTC", *views.LANGUAGES.values(), *NEVER, OPEN.title, CLOSED.title, OPEN.url, CLOSED.url}
    known |= {p.title for p in packs.packs()} | {
        "KB",
        "first",
        "Harvest",
        "nothing at all",
        "harvest is late",
        "-topic:sport",
        "English",
        "Deutsch",
        "Español",
        "Esperanto",
    }
    for story, articles in STORIES:
        known |= {
            story.headline,
            *story.publishers,
            *(e.text for e in story.entities),
            *(t.label for t in story.topics),
        }
        for article in articles:
            known |= {article.title, article.url, article.section, article.licence, *article.authors, *article.captions}
            known |= set(re.split("first", article.text))  # as a search for the word marks it
            known |= {*article.key_points, *re.split(r"(?<=[.]) ", article.text), *(p.text for p in story.key_points)}
    return sorted(filter(None, known), key=len, reverse=True)


def known_left_out(text: str) -> str:
    text = " ".join(text.split())
    for known in data():
        text = text.replace(" ".join(known.split()), " ")
    return text


def untranslated(answer: Answer) -> list[str]:
    """The words that stand on a page in no language but English."""
    page = Text()
    page.feed(answer.text)
    left = known_left_out(read_out("\n".join(page.found)))
    return re.findall(r"[A-Za-z][A-Za-z’',;: -]*[A-Za-z]", left)


@pytest.fixture
def marked(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Ada's browser, in the language in which everything translated is marked."""
    browser = Browser(app).begin("Ada")
    monkeypatch.setattr(translations, "codes", lambda: ("en", "eo"))
    monkeypatch.setattr(translations, "language", lambda code: MARKED if code == "eo" else Language("en"))
    views.environment.cache_clear()
    browser.post("/you/settings", {"page_language": "eo"})
    yield browser
    views.environment.cache_clear()


PAGES = (
    "/", "/away", "/away?minutes=5", "/away?since=2020-01-01", "/latest", "/following", "/saved", "/search", "/search?q=first",
    "/search?q=nothing+at+all", "/search?q=first+-topic:sport", "/search?q=-topic:sport", f"/story/{CEASEFIRE.id}", f"/article/{CEASEFIRE.articles[0]}",
    f"/article/{CEASEFIRE.articles[0]}/versions", "/corrections", f"/why/{CEASEFIRE.id}", "/welcome", "/tune",
    "/tune?freshness=0.5&quiet=3", "/you", "/you/ledger", "/bubble", "/bubble?of=week", "/bubble?outside=30", "/sources",
    "/sources?q=none", f"/source/{OPEN.id}", "/about", "/offline", "/nothing", "/tune?nonsense=1", "/bubble?nonsense=1",
    "/away?since=never", "/admin", "/source/nothing", "/?after=nothing", *(f"/?did={did}&event=1" for did in views.DID),
)  # fmt: skip


def test_every_page_says_everything_in_its_readers_language(marked: Browser):
    marked.act(kind="saved", story=CEASEFIRE.id)
    marked.act(kind="more", story=CEASEFIRE.id)
    marked.act(kind="follow", follow={"kind": "publisher", "value": "Daily Bee", "label": "Daily Bee"})
    marked.act(kind="follow", follow={"kind": "search", "value": "Harvest", "label": "Harvest"})
    marked.act(kind="mute", mute={"kind": "keyword", "value": "Cup final tonight"}, until="week")
    left = {path: words for path in PAGES if (words := untranslated(marked.get(path)))}
    assert left == {}


def test_what_a_form_answers_is_in_the_readers_language(marked: Browser):
    answers = [
        marked.post("/you/settings", {"images": "none"}),
        marked.post("/tune/preset", {"name": ""}),
        marked.post("/you/erase", {"confirm": "somebody"}),
        marked.post("/you/likes", {"likes": ""}),
        marked.post("/sources/add", {"url": "nothing"}),
        marked.post("/sources/read", {"text": ""}),
        marked.post("/you/ledger/undo", {"since": "2026-01-02T00:00", "until": "2026-01-01T00:00"}),
        marked.upload("/sources/opml", "file", b"<opml><body><outline xmlUrl='https://a.example/feed'/></body></opml>"),
        marked.post("/welcome", {"name": ""}),
        marked.post("/act", {"event": "nonsense"}),
        marked.post("/act", {"event": "{}"}, token=False),
    ]
    assert [words for answer in answers if (words := untranslated(answer))] == []
    done = [
        marked.act(kind=kind, story=CEASEFIRE.id).json()["message"]
        for kind in ("saved", "unsaved", "hidden", "unhidden", "more", "less")
    ]
    assert all(message.startswith("⟦") for message in done)


# --- whose language it is -----------------------------------------------------------------------------------------


def test_a_stranger_is_welcomed_as_their_browser_asks(app: Starlette):
    german = Browser(app).get("/welcome", accept_language="de-AT,de;q=0.9,en;q=0.5")
    assert '<html lang="de"' in german.text
    assert "Zeigen Sie mir die Nachrichten" in plain(german)
    assert german.header("content-language") == "de"
    assert {"Accept-Language", "Cookie"} <= set(german.header("vary").split(", "))
    spanish = Browser(app).get("/welcome", accept_language="es-MX,es;q=0.8")
    assert "Muéstreme las noticias" in plain(spanish)
    assert '<html lang="en"' in Browser(app).get("/welcome", accept_language="tlh").text


def test_a_reader_who_chose_a_language_keeps_it_on_every_device(app: Starlette, ada: Browser):
    ada.post("/you/settings", {"page_language": "de"})
    assert "Für Sie" in plain(ada.get("/", accept_language="es"))
    other = Browser(app)
    other.get("/welcome")
    reader = ada.get("/api/readers").json()["readers"][0]["id"]
    other.post("/readers/choose", {"reader": reader})
    assert "Für Sie" in plain(other.get("/"))
    ada.post("/you/settings", {"page_language": "es"})
    assert "Para usted" in plain(other.get("/"))
    assert "Wählen Sie" not in plain(other.get("/nothing"))
    assert "No hay ninguna página en esta dirección." in plain(other.get("/nothing"))
    ada.post("/you/settings", {"page_language": ""})
    assert "For you" in plain(ada.get("/"))


def test_a_language_that_is_not_there_is_refused(ada: Browser):
    assert ada.post("/you/settings", {"page_language": "xx"}).status == 422
    assert '<html lang="en"' in ada.get("/").text


def test_the_news_keep_their_own_language(ada: Browser):
    ada.post("/you/settings", {"page_language": "de"})
    page = ada.get("/").text
    assert re.search(r'<h2 [^>]*class="headline[^"]*" dir="auto" lang="en"><a[^>]*>Ceasefire holds', page)
    assert re.search(r'class="source"[^>]* lang="de" dir="ltr"', page)


def test_a_german_page_gives_its_reasons_in_german(ada: Browser):
    ada.post("/you/settings", {"page_language": "de"})
    said = plain(ada.get(f"/why/{CEASEFIRE.id}"))
    assert "Sie folgen Konflikte, Krieg und Frieden" in said
    assert "3 Medien berichten darüber" in said
    assert "Die Punktzahl ist ihre Summe" in said
    assert re.search(r"\+\d,\d\d", said)  # numbers with a comma
    assert "Hier, denn " in plain(ada.get("/"))
    assert "Samstag, 1. August 2026" in plain(ada.get("/"))


def test_a_wrong_form_is_answered_in_spanish(ada: Browser):
    ada.post("/you/settings", {"page_language": "es"})
    wrong = ada.post("/you/ledger/undo", {"since": "2026-01-02T00:00", "until": "2026-01-01T00:00"})
    assert wrong.status == 422
    assert "El final de ese tiempo es anterior a su principio." in plain(wrong)
    assert "Eso no se puede hacer" in plain(wrong)
    assert ada.act(kind="saved", story=CEASEFIRE.id).json()["message"] == "Guardada."
    refused = ada.act(kind="more", story="0000000000000000")
    assert refused.status == 404 or refused.json()["message"] == "De acuerdo, más como esta."


def test_the_api_stays_english(ada: Browser):
    ada.post("/you/settings", {"page_language": "de"})
    reader = ada.get("/api/readers").json()["readers"][0]["id"]
    feed = ada.get(f"/api/readers/{reader}/feed", accept_language="de").json()
    assert any("publishers report it" in r["fact"] for item in feed["items"] for r in item["reasons"])
    assert "There is no" in ada.get("/api/readers/nobody/feed", accept_language="de").json()["error"]["message"]


def test_what_a_device_keeps_is_never_in_two_languages(ada: Browser):
    """The service worker throws away what it kept when X-Reader changes, and is another one when its address does."""
    before = ada.get("/")
    ada.post("/you/settings", {"page_language": "de"})
    after = ada.get("/")
    assert before.header("x-reader") != after.header("x-reader")
    version = r'data-worker="([^"]+)"'
    assert re.search(version, before.text)[1] + "-de" == re.search(version, after.text)[1]  # type: ignore[index]
    assert "Diese Seite wurde auf diesem Gerät nicht aufgehoben." in plain(ada.get("/offline"))


def test_the_installed_app_is_named_in_the_pages_language(ada: Browser):
    ada.post("/you/settings", {"page_language": "es"})
    address = re.search(r'<link rel="manifest" href="([^"]+)"', ada.get("/").text)
    assert address is not None
    told = ada.get(address[1]).json()
    assert (told["lang"], told["shortcuts"][0]["name"]) == ("es", "Guardadas")


def test_scripts_are_given_their_words_and_english_needs_none(ada: Browser):
    assert 'id="words"' not in ada.get("/").text
    ada.post("/you/settings", {"page_language": "de"})
    found = re.search(r'<script type="application/json" id="words">(.*?)</script>', ada.get("/").text)
    assert found is not None
    words = orjson.loads(found[1])
    assert words["Undone."] == "Rückgängig gemacht."
    assert words["{n} new story"] == ["{n} neue Geschichte", "{n} neue Geschichten"]
    scripts = "".join(path.read_text("utf-8") for path in (views.HERE / "static").glob("*.js"))
    called = set(re.findall(r'(?:\b_|ngettext)\("([^"]+)"', scripts))
    assert set(words) == called


@pytest.mark.parametrize(
    ("asked", "best"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("fr, es;q=0.8, de;q=0.9", "de"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_a_browser_gets_what_it_likes_best_of_what_there_is(asked: str, best: str):
    assert preferred(asked) == best


@given(st.text(max_size=200))
def test_any_header_asks_for_a_language_that_there_is(asked: str):
    assert preferred(asked) in codes()


# --- phrases ------------------------------------------------------------------------------------------------------


def test_a_phrase_is_its_english_for_every_program():
    said = plural("{n:,} story", "{n:,} stories", 1200)
    assert said == "1,200 stories"
    assert orjson.dumps({"said": said}) == b'{"said":"1,200 stories"}'
    again = pickle.loads(pickle.dumps(said))
    assert (again, again.many, again.number) == (said, "{n:,} stories", 1200)
    assert hash(said) == hash("1,200 stories")


def test_a_phrase_within_a_phrase_is_translated_and_text_is_not():
    german = language("de")
    fact = phrase("you follow {name}", name="A & B")
    assert german.say(phrase("Here because {facts}.", facts=fact)) == "Hier, denn Sie folgen A & B."
    assert german.say(phrase("you follow {name}", name=meant("topic", "Sport"))) == "Sie folgen Sport"
    assert language("es").say(phrase("you follow {name}", name=meant("topic", "Sport"))) == "usted sigue deporte"
    assert german.say("you follow {name}") == "you follow {name}"


def test_what_is_put_into_a_page_is_escaped_in_every_language():
    said = phrase("you follow {name}", name="<script>")
    assert said.__html__() == "you follow &lt;script&gt;"
    before = SPEAKER.set(language("de"))
    assert said.__html__() == "Sie folgen &lt;script&gt;"
    SPEAKER.reset(before)
    assert said.__html__() == "you follow &lt;script&gt;"


def test_numbers_and_dates_are_written_as_the_language_does():
    assert (
        language("de").say(plural("{n:,} day", "{n:,} days", 12000)) == "12.000 Tage"
        or language("de").say(plural("{n:,} day", "{n:,} days", 12000)) == "12.000 Tagen"
    )
    assert language("de").number(-1.5, ".2f") == "-1,50"
    assert language("es").say(views.full_date(NOON.date())) == "sábado, 1 de agosto de 2026"
    assert language("de").say(views.ago(NOON - 3 * HOUR, NOON)) == "vor 3 Std."
    assert views.ago(NOON - 3 * HOUR, NOON) == "3 h ago"


def test_a_problem_that_the_store_kept_in_english_is_told_in_the_readers_language():
    source = a_source(
        problem="there is no site named x.example, or its name server is down: check the spelling.",
        failures=2,
        next_fetch=NOON,
    )
    assert "Es gibt keine Website namens x.example" in language("de").say(views.health(source, NOON)[1])
    assert language("de").say(stored("nobody ever said this.")) == "Nobody ever said this"


def test_countries_and_topics_have_their_names_in_the_language():
    assert language("de").country("The Netherlands") == "Niederlande"
    assert language("es").country("Atlantis") == "Atlantis"
    assert language("de").say(meant(TOPIC, "Soccer")) == language("de").say(meant(TOPIC, "soccer")) == "Fußball"


def test_an_error_says_what_it_was_raised_with():
    said = phrase("you follow {name}", name="x")
    assert words_of(ValueError(said)) is said
    assert words_of(ValueError("plain", 2)) == "('plain', 2)"
