"""What goes over the wire is what is on disk, to a browser."""

from pathlib import Path
from typing import Any

import pytest

from broadsheet.web import trimmed
from broadsheet.web.views import HERE

STATIC = HERE / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
RULES = """css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); return [...sheet.cssRules].map(r => r.cssText) }"""


def sent(path: Path) -> str:
    return trimmed.file(path, path.stat().st_mtime).decode()


def test_a_browser_reads_the_same_rules_from_the_trimmed_style(chromium: Any) -> None:
    whole = (STATIC / "broadsheet.css").read_text("utf-8")
    less = sent(STATIC / "broadsheet.css")
    page = chromium.new_page()
    rules = page.evaluate(RULES, whole)
    page.close()
    assert len(rules) > 200
    page = chromium.new_page()
    # a custom property is kept as it is written
    assert [r.replace(", ", ",") for r in page.evaluate(RULES, less)] == [r.replace(", ", ",") for r in rules]
    page.close()
    assert len(less) < 0.9 * len(whole)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_browser_reads_a_trimmed_script(path: Path, chromium: Any) -> None:
    """That it still does what it says, every other test of the browser shows: the pages load no other."""
    whole, less = path.read_text("utf-8"), sent(path)
    page = chromium.new_page()
    page.evaluate("text => { new Function(text) }", less)  # throws for what is no script
    page.close()
    assert 0 < len(less) < len(whole)
