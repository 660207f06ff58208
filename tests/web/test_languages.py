"""Pages in their reader's language: nothing a reader sees is left in English by mistake, and each catalogue is whole."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import nodes
from starlette.applications import Starlette

from broadsheet.sources import packs
from broadsheet.web import translations, views
from broadsheet.web.translations import LOCALE, Language, codes, language
from broadsheet.wording import plural
from tests.web.newsroom import CEASEFIRE, CLOSED, OPEN, STORIES, Answer, Browser

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
NEVER = {"Broadsheet", "ETag", "Last-Modified", "IPTC", "JSON", "OPML"}  # names, in every language
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
        given = dict(attrs)
        for name in ("aria-label", "title", "placeholder", "alt"):
            if (value := given.get(name)) and value not in EXAMPLES:
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
    "/search?q=nothing+at+all", f"/story/{CEASEFIRE.id}", f"/article/{CEASEFIRE.articles[0]}",
    f"/article/{CEASEFIRE.articles[0]}/versions", "/corrections", f"/why/{CEASEFIRE.id}", "/welcome", "/tune",
    "/tune?freshness=0.5&quiet=3", "/you", "/you/ledger", "/bubble", "/bubble?of=week", "/bubble?outside=30", "/sources",
    "/sources?q=none", f"/source/{OPEN.id}", "/about", "/offline", "/nothing", "/tune?nonsense=1", "/bubble?nonsense=1",
    "/away?since=never", *(f"/?did={did}&event=1" for did in views.DID),
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
