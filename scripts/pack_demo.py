"""Build the demo's corpus (src/broadsheet/demo/corpus/) from a folder of open-licence corpora.

    python scripts/pack_demo.py FOLDER

FOLDER holds current-events, whitehouse, wikinews, digitalgov and 18f as .jsonl.gz or .jsonl.xz. Markdown becomes HTML,
site-generator tags go, and what is older than the demo shows is left out (White House before 2025).
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

OUT = Path(__file__).resolve().parent.parent / "src" / "broadsheet" / "demo" / "corpus"
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
TEMPLATE_TAG = re.compile(r"\{\{[<%]?.*?[>%]?\}\}|\{%.*?%\}", re.DOTALL)
EVENT_DAYS = ("2025-01-01", "2026-12-31")  # the days that the corpus is sure of


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    path = next(folder.glob(f"{name}.jsonl.*"))
    unpack = lzma.decompress if path.suffix == ".xz" else gzip.decompress
    yield from map(json.loads, unpack(path.read_bytes()).decode().split("\n")[:-1])


def as_iso(written: str) -> str:
    """A day stays a day; a time becomes ISO 8601 with its zone (the corpora write `8:32:24 -0400` and the like)."""
    match = re.match(r"(\d{4}-\d\d-\d\d)(?:[ T](\d{1,2})(:\d\d(?::\d\d)?)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?)?", written)
    if match is None:
        raise ValueError(f"not a time: {written!r}")
    day, hour, rest, zone = match.groups()
    if hour is None:
        return str(day)
    zone = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
    return f"{day}T{int(hour):02d}{rest}{zone}"


def as_html(markdown: str) -> str:
    return MARKDOWN.render(TEMPLATE_TAG.sub("", markdown)).strip()


def as_paragraphs(text: str) -> str:
    return "\n\n".join(part.strip() for part in re.split(r"\n\s*\n", text) if part.strip())


def write(name: str, records: list[dict[str, Any]]) -> None:
    path = OUT / f"{name}.jsonl.xz"
    body = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in records)
    path.write_bytes(lzma.compress(body.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{path.name}: {len(records)} records, {path.stat().st_size / 1e6:.2f} MB")


def main(folder: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    events = [e for e in lines(folder, "current-events") if EVENT_DAYS[0] <= e["day"] <= EVENT_DAYS[1]]
    write("current-events", sorted(events, key=lambda e: e["day"]))
    for name, since in (("whitehouse", "2025"), ("wikinews", ""), ("digitalgov", ""), ("18f", "")):
        documents = []
        for d in lines(folder, name):
            if d["published"] < since:
                continue
            body = {"html": as_html(d["markdown"])} if "markdown" in d else {"text": as_paragraphs(d["text"])}
            kept = {
                key: d[key] for key in ("url", "title", "published", "publisher", "section", "licence") if d.get(key)
            }
            documents.append(kept | body | {"published": as_iso(d["published"])})
        write(name, sorted(documents, key=lambda d: d["published"]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
