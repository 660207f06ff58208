"""What a site lets programs read."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from broadsheet.sources.robots import Robots, parse
from tests.builders import DAY, HOUR, NOON
from tests.sources.loopback import AddressPolicy, a_client, says, serving

RULES = """User-agent: *
Disallow: /private/
Allow: /private/press
Sitemap: https://example.org/news.xml

User-agent: broadsheet
User-agent: other
Disallow: /no-readers*.html$
"""


def ask(pages, *paths, robots=None, now=NOON):
    async def story():
        known = robots or Robots()
        async with serving(pages) as site, a_client() as client:
            return [await known.allowed(site + path, client, now) for path in paths]

    return asyncio.run(story())


def test_our_own_group_is_heeded_and_the_common_one_only_without_it():
    pages = {"/robots.txt": says(RULES)}
    assert ask(pages, "/private/x", "/no-readers-1.html", "/no-readers.html?x", "/") == [True, False, True, True]
    common = {"/robots.txt": says(RULES.partition("\n\n")[0])}
    assert ask(common, "/private/x", "/private/press/1", "/") == [False, True, True]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_where_there_are_no_rules_all_is_allowed(status):
    assert ask({"/robots.txt": says("Disallow: /", status=status)}, "/x") == [True]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_where_the_rules_cannot_be_reached_nothing_is_allowed(status):
    assert ask({"/robots.txt": says(status=status)}, "/x") == [False]


def test_a_site_that_is_down_or_in_a_private_network_is_not_allowed():
    async def story():
        async with a_client() as client, a_client(AddressPolicy()) as stranger:
            assert not await Robots().allowed("http://127.0.0.1:1234/x", client, NOON)
            assert not await Robots().allowed("http://127.0.0.1:1234/x", stranger, NOON)
            assert not await Robots().allowed("nonsense", client, NOON)

    asyncio.run(story())


def test_rules_are_asked_for_once_a_day_even_by_many_at_once():
    async def story():
        seen: list[web.Request] = []
        robots = Robots()
        async with serving({"/robots.txt": says(RULES)}, seen) as site, a_client() as client:
            assert all(await asyncio.gather(*(robots.allowed(f"{site}/{n}", client, NOON) for n in range(20))))
            await robots.allowed(f"{site}/x", client, NOON + 23 * HOUR)
            assert len(seen) == 1
            await robots.allowed(f"{site}/x", client, NOON + 25 * HOUR)
            assert len(seen) == 2

    asyncio.run(story())


def test_known_rules_hold_while_the_site_is_ill_and_a_month_of_silence_lifts_all():
    async def story():
        status = 200

        async def rules(request: web.Request) -> web.Response:
            return web.Response(status=status, text="User-agent: *\nDisallow: /private/")

        robots = Robots()
        async with serving(rules) as site, a_client() as client:
            assert await robots.allowed(f"{site}/x", client, NOON)
            status = 500
            assert await robots.allowed(f"{site}/x", client, NOON + 2 * DAY)
            assert not await robots.allowed(f"{site}/private/x", client, NOON + 2 * DAY)
            assert await robots.allowed(f"{site}/private/x", client, NOON + 40 * DAY)

    asyncio.run(story())


def test_rules_behind_a_redirect_are_found():
    pages = {"/robots.txt": says(status=301, Location="/r"), "/r": says("User-agent: *\nDisallow: /")}
    assert ask(pages, "/x") == [False]


def test_only_so_many_sites_are_remembered():
    async def story():
        robots = Robots(size=2)
        async with serving({}) as one, serving({}) as two, serving({}) as three, a_client() as client:
            for site in (one, two, three):
                assert await robots.allowed(f"{site}/x", client, NOON)
        assert len(robots._known) == 2
        assert robots._asking == {}

    asyncio.run(story())


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00garbage",
        b"<!DOCTYPE html><html>User-agent: *\n</html>",
        b"User-agent: *\n" * 20_000,
        b"".join(b"User-agent: bot%d\n" % n for n in range(15_000)) + b"Disallow: /x\n" * 15_000,
        b"User-agent: *\nDisallow: /" + b"*a" * 5000 + b"$",
        b"Disallow" * 50_000,
        b"",
    ],
)
def test_no_robots_file_breaks_or_stalls(body):
    rules = parse(body)
    assert isinstance(rules.can_fetch("https://example.org/" + "a" * 1900, "Broadsheet"), bool)


def test_its_sitemaps_are_read():
    assert list(parse(RULES.encode()).sitemaps) == ["https://example.org/news.xml"]


def test_a_large_file_is_read_as_far_as_it_counts():
    rules = "User-agent: *\nDisallow: /private/\n" + "# filler\n" * 200_000
    assert ask({"/robots.txt": says(rules)}, "/private/x", "/x") == [False, True]
