"""Collects every message that the web app says and brings the catalogues up to date.

    python scripts/update_messages.py            all catalogues under src/broadsheet/web/locale/
    python scripts/update_messages.py fr         begins a new one, for French

Messages that went are dropped, new ones stand empty, and changed ones are never guessed: what is not translated is said
in English until somebody translates it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from broadsheet.articles import topics
from broadsheet.sources.packs import packs
from broadsheet.web.translations import DOMAIN, LOCALE, TOPIC, codes

PACKAGE = LOCALE.parent.parent
KEYWORDS = {
    "_": None, "gettext": None, "phrase": None, "N_": None, "ngettext": (1, 2), "plural": (1, 2),
    "meant": ((1, "c"), 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
# Headers that change by themselves, or that the history of the file tells.
DATED = (
    '"POT-Creation-Date', '"PO-Revision-Date', '"Last-Translator', '"Language-Team', '"Report-Msgid-Bugs-To', '"Generated-By',
    '"Project-Id-Version',
)  # fmt: skip
WAYS = {".py": "python", ".html": "jinja2", ".js": "javascript"}
JINJA = {
    "trimmed": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "newstyle_gettext": "true",
    "silent": "false",
}


def messages() -> Iterator[tuple[str, int, str | tuple[str, ...], str | None]]:
    """Where each message stands, the message (with its plural, if it has one), and its context."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix not in WAYS or "evaluation" in path.parts:
            continue
        options = JINJA if path.suffix == ".html" else {}
        for line, found, _, context in extract_from_file(WAYS[path.suffix], path, KEYWORDS, (), options):
            yield str(path.relative_to(PACKAGE.parent.parent)), line, found, context


def names() -> Iterator[str]:
    """The names of topics, which come from data: those that an article can be given, and those of starter packs."""
    yield from (concept.label for concept in topics.broad_topics())
    known = topics.vocabulary()
    yield from (known[step].label for code, _, _ in topics.seeds() for step in known[code].path)
    yield from (pack.title for pack in packs() if pack.kind == "topic")


def template() -> Catalog:
    """Every message, nothing translated."""
    made = Catalog(project="Broadsheet", copyright_holder="The Broadsheet maintainers", charset="utf-8")
    for place, line, found, context in messages():
        made.add(found, locations=[(place, line)], context=context)
    known = {str(m.id).casefold() for m in made if m.context == TOPIC}
    for name in names():
        if name.casefold() not in known:
            known.add(name.casefold())
            made.add(name, locations=[("src/broadsheet/articles/data", 1)], context=TOPIC)
    return made


def update(code: str, whole: Catalog) -> tuple[int, int]:
    """Brings one catalogue up to date; gives how many messages there are, and how many are not translated."""
    path = LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"
    if path.exists():
        with path.open("rb") as file:
            held = read_po(file, locale=code.replace("-", "_"), domain=DOMAIN)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = Catalog(locale=code.replace("-", "_"), domain=DOMAIN, project="Broadsheet")
        held.fuzzy = False
    held.update(whole, no_fuzzy_matching=True)
    held.obsolete.clear()
    held.header_comment = (
        f"# {held.locale.english_name if held.locale else code} for Broadsheet, under its licence (Apache-2.0)."
    )
    written = BytesIO()
    write_po(written, held, width=120, sort_by_file=True, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(DATED)), "utf-8")
    empty = sum(1 for m in held if m.id and not (all(m.string) if isinstance(m.string, tuple) else m.string))
    return len(held), empty


if __name__ == "__main__":
    every = template()
    for language in sys.argv[1:] or codes()[1:]:
        count, missing = update(language, every)
        print(f"{language}: {count} messages, {missing} not translated")
