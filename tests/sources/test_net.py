"""The client: what it sends, what it remembers, how it waits, and how it says what went wrong."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import AddressRefused, ConfigError, FetchError
from broadsheet.sources.net import AddressPolicy, Client, Limits, max_age, retry_after, user_agent
from tests.sources.loopback import RSS, a_client, says, serving

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def test_it_says_who_asks_and_sends_no_cookie_and_no_referrer():
    async def story():
        seen: list[web.Request] = []
        pages = {"/": says(status=302, Location="/feed", Set_Cookie="id=1; Path=/"), "/feed": says(RSS)}
        async with serving(pages, seen) as site, a_client() as client:
            await client.get(f"{site}/")
            await client.get(f"{site}/feed")
        assert len(seen) == 3
        for request in seen:
            assert request.headers["User-Agent"] == "Broadsheet/test (+https://example.org)"
            assert "Cookie" not in request.headers
            assert "Referer" not in request.headers

    asyncio.run(story())


def test_the_user_agent_names_a_contact():
    assert "+https://news.example/about" in user_agent("https://news.example/about")


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc"', "abc", '"a b;c,d"', '""', 'W/"ü"'])
def test_validators_go_back_exactly_as_given(etag):
    async def story():
        seen: list[web.Request] = []
        async with serving(says(status=304), seen) as site, a_client() as client:
            answer = await client.get(f"{site}/", etag=etag, last_modified="Sat, 1 Aug 2026 9:00:00 +0200")
        assert answer.status == 304
        assert seen[0].headers["If-None-Match"] == etag
        assert seen[0].headers["If-Modified-Since"] == "Sat, 1 Aug 2026 9:00:00 +0200"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("statuses", "remembered"),
    [
        ([301], "/1"),
        ([308, 301], "/2"),
        ([301, 302], "/1"),  # the second hop may change: only the first is remembered
        ([302, 301], None),  # what a temporary redirect leads to says nothing of where we started
        ([307], None),
        ([303], None),
        ([], None),
    ],
)
def test_a_move_is_remembered_as_far_as_every_step_is_permanent(statuses, remembered):
    async def story():
        pages = {f"/{n}": says(status=status, Location=f"/{n + 1}") for n, status in enumerate(statuses)}
        pages[f"/{len(statuses)}"] = says(RSS)
        async with serving(pages) as site, a_client() as client:
            answer = await client.get(f"{site}/0")
        assert answer.body == RSS
        assert answer.url == f"{site}/{len(statuses)}"
        assert answer.permanent_url == (site + remembered if remembered else None)

    asyncio.run(story())


def test_a_move_to_nothing_is_not_remembered():
    async def story():
        async with serving({"/": says(status=301, Location="/gone")}) as site, a_client() as client:
            answer = await client.get(f"{site}/")
        assert (answer.status, answer.permanent_url) == (404, None)

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/a%2Fb?x=%7Ey&sig=a%2bb", "/%E2%82%AC", "/a;b=1,2(3)'?q[]=1|2", "/caf%c3%a9?"])
def test_an_address_is_asked_for_character_by_character(path):
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as site, a_client() as client:
            await client.get(site + path)
        assert seen[0].raw_path == path.removesuffix("?")

    asyncio.run(story())


def test_an_address_with_letters_of_any_script_is_read():
    async def story():
        async with serving({"/жизнь": says(RSS)}) as site, a_client() as client:
            assert (await client.get(f"{site}/жизнь")).status == 200

    asyncio.run(story())


def test_a_name_and_password_go_to_their_own_site_only():
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as other:
            pages = {"/": says(status=301, Location="/here"), "/here": says(status=302, Location=f"{other}/there")}
            async with serving(pages, seen) as site, a_client() as client:
                answer = await client.get(site.replace("//", "//ada:secret@") + "/")
        assert [r.headers.get("Authorization", "")[:5] for r in seen] == ["Basic", "Basic", ""]
        assert answer.permanent_url == site.replace("//", "//ada:secret@") + "/here"

    asyncio.run(story())


def test_a_password_that_a_redirect_writes_is_dropped():
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as other:
            pages = {"/": says(status=302, Location=other.replace("//", "//eve:trap@") + "/x")}
            async with serving(pages) as site, a_client() as client:
                await client.get(f"{site}/")
        assert "Authorization" not in seen[0].headers

    asyncio.run(story())


def test_an_error_never_shows_the_password():
    async def story():
        async with a_client() as client:
            with pytest.raises(FetchError) as caught:
                await client.get("http://ada:secret@127.0.0.1:1234/feed")
        assert "secret" not in str(caught.value)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),  # without its header, as some servers send it
        ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),  # two members
        ("gzip", lambda data: gzip.compress(data) + b"\0\0\0padding"),
        ("identity", bytes),
    ],
)
def test_compressed_answers_are_read(coding, encode):
    async def story():
        async with serving(says(encode(RSS), Content_Encoding=coding)) as site, a_client() as client:
            assert (await client.get(f"{site}/")).body == RSS

    asyncio.run(story())


def test_a_file_that_is_gzip_itself_is_unpacked():
    async def story():
        pages = {"/sitemap.xml.gz": says(gzip.compress(RSS), Content_Type="application/gzip")}
        async with serving(pages) as site, a_client() as client:
            assert (await client.get(f"{site}/sitemap.xml.gz")).body == RSS

    asyncio.run(story())


def test_no_more_answers_of_one_host_are_awaited_at_once_than_agreed():
    async def story():
        running = most = 0

        async def slow(request: web.Request) -> web.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return web.Response(text="x")

        async with serving(slow) as site, a_client(per_host=3) as client:
            await asyncio.gather(*(client.get(f"{site}/{n}") for n in range(12)))
        assert most == 3

    asyncio.run(story())


def test_redirects_between_two_crowded_hosts_never_lock():
    async def story():
        async def to_the_other(request: web.Request) -> web.Response:
            if request.path == "/end":
                return web.Response(text="x")
            other = "127.0.0.2" if request.host.startswith("127.0.0.1:") else "127.0.0.1"
            port = request.host.partition(":")[2]
            left = int(request.path[1:])
            path = f"/{left - 1}" if left else "/end"
            return web.Response(status=302, headers={"Location": f"http://{other}:{port}{path}"})

        runner = web.ServerRunner(web.Server(to_the_other))
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", 0).start()
        port = runner.addresses[0][1]
        async with a_client(per_host=1, concurrency=2) as client:
            asked = [client.get(f"http://127.0.0.{1 + n % 2}:{port}/3") for n in range(10)]
            answers = await asyncio.wait_for(asyncio.gather(*asked), 5)
        await runner.cleanup()
        assert {answer.status for answer in answers} == {200}

    asyncio.run(story())


def test_a_host_that_says_too_often_is_left_alone_until_its_time():
    async def story():
        at = 0.0
        seen: list[web.Request] = []
        pages = {"/a": says(status=429, Retry_After="120"), "/b": says(RSS)}
        async with serving(pages, seen) as site, a_client(clock=lambda: at) as client:
            first = await client.get(f"{site}/a")
            assert first.retry_after == timedelta(seconds=120)
            with pytest.raises(FetchError) as caught:
                await client.get(f"{site}/b")
            assert caught.value.status == 429
            assert caught.value.retry_after == timedelta(seconds=120)
            assert len(seen) == 1
            at = 121.0
            assert (await client.get(f"{site}/b")).status == 200

    asyncio.run(story())


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "90"}, 90),
        ({"Retry-After": "Sat, 01 Aug 2026 12:05:00 GMT"}, 300),
        # the server's clock is an hour ahead of ours: by its own, it asks for five minutes
        ({"Retry-After": "Sat, 01 Aug 2026 13:05:00 GMT", "Date": "Sat, 01 Aug 2026 13:00:00 GMT"}, 300),
        ({"Retry-After": "Sat, 01 Aug 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers, wait):
    assert retry_after(headers, NOW) == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("max-age=300", 300),
        ("public, max-age=60", 60),
        ("s-maxage=9, Max-Age=7", 7),
        ("no-cache, max-age=5", None),
        ("", None),
    ],
)
def test_max_age_is_noted(said, seconds):
    assert max_age({"Cache-Control": said}) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=60))
def test_no_header_is_too_odd_to_be_looked_at(text):
    headers = {"Retry-After": text, "Date": text, "Cache-Control": text}
    wait = retry_after(headers, NOW)
    assert wait is None or wait >= timedelta(0)
    age = max_age(headers)
    assert age is None or age >= timedelta(0)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (404, {}, b"", "nothing at this address"),
        (401, {}, b"", "user name"),
        (403, {}, b"", "does not let"),
        (410, {}, b"", "gone for good"),
        (429, {}, b"", "too often"),
        (500, {}, b"", "fault of its own"),
        (418, {}, b"", "HTTP 418"),
        (403, {"cf_mitigated": "challenge"}, b"", "human"),
        (503, {"Content_Type": "text/html"}, b"<title>Just a moment...</title>", "human"),
    ],
)
def test_a_refusal_is_said_in_a_sentence(status, headers, body, said):
    async def story():
        async with serving(says(body, status=status, **headers)) as site, a_client() as client:
            answer = await client.get(f"{site}/")
            with pytest.raises(FetchError) as caught:
                answer.raise_for_status()
        assert said in caught.value.reason
        assert caught.value.status == status

    asyncio.run(story())


def test_a_name_that_does_not_exist_is_called_so():
    async def story():
        async with a_client() as client:
            with pytest.raises(FetchError) as caught:
                await client.get("http://no-such-site.invalid/")
        assert "no site named no-such-site.invalid" in caught.value.reason

    asyncio.run(story())


def test_a_closed_door_and_a_broken_handshake_are_told_apart():
    async def story():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with a_client() as client:
            with pytest.raises(FetchError) as closed:
                await client.get(f"http://127.0.0.1:{port}/")
            async with serving(says(RSS)) as site:
                with pytest.raises(FetchError) as insecure:
                    await client.get(site.replace("http:", "https:"))
        assert "nothing answers" in closed.value.reason
        assert "secure connection" in insecure.value.reason

    asyncio.run(story())


@pytest.mark.parametrize(
    "address", ["", "nonsense", "http://", "http:///path", "http://[::1", "http://a:b:c/", "http://x:99999/"]
)
def test_what_is_no_address_is_refused_in_words(address):
    async def story():
        async with a_client() as client:
            with pytest.raises(FetchError) as caught:
                await client.get(address)
        assert "address" in caught.value.reason

    asyncio.run(story())


def test_what_may_be_read_short_is_cut_and_no_error():
    async def story():
        async with serving(says(b"x" * 100_000)) as site, a_client() as client:
            assert (await client.get(f"{site}/", truncate=1000)).body == b"x" * 1000

    asyncio.run(story())


def test_a_network_that_the_operator_allows_is_opened_and_no_other():
    policy = AddressPolicy(("10.1.0.0/16", "fd00:1::/32"))
    assert policy.is_allowed("10.1.2.3")
    assert policy.is_allowed("::ffff:10.1.2.3")
    assert policy.is_allowed("fd00:1::5")
    assert not policy.is_allowed("10.2.0.1")
    assert not policy.is_allowed("fd00:2::5")
    assert not policy.is_allowed("127.0.0.1")


def test_the_open_internet_is_open():
    policy = AddressPolicy()
    for address in ("93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"):
        assert policy.is_allowed(address)


def test_a_client_that_was_not_opened_is_a_mistake_in_the_program():
    with pytest.raises(RuntimeError):
        asyncio.run(Client().get("http://127.0.0.1/"))


def test_it_waits_no_longer_than_the_limit():
    async def story():
        async def never(request: web.Request) -> web.Response:
            await asyncio.sleep(30)
            return web.Response()

        limits = Limits(total=timedelta(seconds=0.1))
        async with serving(never) as site, a_client(limits=limits) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(f"{site}/")
        assert "longer than 0.1 seconds" in caught.value.reason
        assert not isinstance(caught.value, AddressRefused)

    asyncio.run(story())


def test_a_round_over_many_hosts_does_not_leave_a_connection_open_at_each():
    async def story():
        kept = 0

        async def count(request: web.Request) -> web.Response:
            nonlocal kept
            kept += request.headers.get("Connection", "").lower() != "close"
            return web.Response(text="x")

        async with serving(count, host="0.0.0.0") as site, a_client() as client:
            port = site.rpartition(":")[2]
            await asyncio.gather(*(client.get(f"http://127.0.{n // 200}.{1 + n % 200}:{port}/") for n in range(400)))
            assert 0 < kept <= 128
            kept = 0
            await asyncio.gather(*(client.get(f"http://127.0.9.9:{port}/{n}") for n in range(10)))
            assert kept >= 5  # many of one host, one after the other: worth a lasting connection

    asyncio.run(story())


def test_a_client_may_be_opened_again():
    async def story():
        client = a_client()
        async with serving(says(RSS)) as site:
            for _ in range(2):
                async with client:
                    assert (await client.get(site)).status == 200

    asyncio.run(story())


@pytest.mark.parametrize("network", ["home", "10.0.0.0/99", "", "10.0.0"])
def test_a_network_that_is_none_is_a_mistake_in_the_settings(network):
    with pytest.raises(ConfigError, match="is not a network"):
        AddressPolicy((network,))
