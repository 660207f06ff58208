"""Feeds to start with."""

from __future__ import annotations

from importlib.resources import files

from broadsheet.sources.opml import web_address
from broadsheet.sources.packs import packs


def test_there_are_packs_by_topic_and_by_country():
    by_kind = {kind: [p for p in packs() if p.kind == kind] for kind in ("topic", "country")}
    assert len(by_kind["topic"]) >= 30
    assert len(by_kind["country"]) >= 100
    titles = {pack.title for pack in packs()}
    assert {"World", "Science", "Technology", "France", "India", "United States"} <= titles


def test_each_pack_can_be_found_by_its_id_and_holds_web_addresses_once():
    assert len({pack.id for pack in packs()}) == len(packs())
    for pack in packs():
        assert pack.sources
        urls = [source.url for source in pack.sources]
        assert len(set(urls)) == len(urls)
        for source in pack.sources:
            assert web_address(source.url) == source.url
            assert source.title.strip()
            assert source.homepage == "" or web_address(source.homepage)


def test_what_the_lists_ask_is_kept_their_credit_travels_with_them_and_they_are_small():
    data = files("broadsheet.sources") / "data"
    credits_ = (data / "CREDITS.md").read_text("utf-8")
    for name in ("Kagi", "Yavuz", "Plenary", "Permission is hereby granted"):
        assert name in credits_
    assert sum(len((data / name).read_bytes()) for name in ("outlets.json", "packs.json")) < 300_000
