"""What a hostile server, name server or address tries, and that none of it gets through."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import socket
import zlib
from datetime import timedelta
from itertools import count

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import AddressRefused, FetchError, TooLarge
from broadsheet.sources.net import AddressPolicy, Limits
from tests.sources.loopback import LOOPBACK, RSS, a_client, says, serving, talking

SMALL = Limits(total=timedelta(seconds=3), max_bytes=100_000)
NOWHERE = AddressPolicy()


class Names(AbstractResolver):
    """A name server that gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=a,
                port=port,
                proto=0,
                flags=0,
                family=socket.AF_INET6 if ":" in a else socket.AF_INET,
            )
            for a in addresses
        ]

    async def close(self) -> None:
        pass


CLOSED = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "100.100.100.200", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.1", "192.0.0.192",
    "192.88.99.1", "168.63.129.16",
    "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "100::1", "3fff::1", "5f00::1",
    "", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_the_open_internet_is_closed(address):
    assert not NOWHERE.is_allowed(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="192.168.0.0/16"))
def test_no_ipv6_clothing_opens_a_private_ipv4_address(inner):
    number = int(inner)
    clothes = [(0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80), number]
    # even where the operator allowed the clothing for the sake of the public addresses in it
    policy = AddressPolicy(("64:ff9b::/96", "2002::/16"))
    for dressed in clothes:
        assert not policy.is_allowed(ipaddress.IPv6Address(dressed))
    assert policy.is_allowed("64:ff9b::808:808")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0", "0.0.0.0",
     "017700000001", "127.0.0.1.", "127。0。0。1", "①②⑦.0.0.1", "LOCALHOST", "localhost."],
)  # fmt: skip
def test_no_spelling_of_this_machine_is_connected_to(host):
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as site, a_client(NOWHERE) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(f"http://{host}:{site.rpartition(':')[2]}/")
        assert seen == []
        # Where the system's resolver does not know the spelling at all, that it has no site is as good an answer.
        assert isinstance(caught.value, AddressRefused) or "no site named" in caught.value.reason

    asyncio.run(story())


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://[::1]:{port}/", "http://localhost:{port}/", "//2130706433:{port}/",
     "http://127.0.0.1:{port}/secret", "http://[::ffff:127.0.0.1]:{port}/", "http://0:{port}/"],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_into_a_private_network_is_refused(target, status):
    """The first hop is on an address that is allowed; the second must be judged for itself."""

    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as inside:
            location = target.format(port=inside.rpartition(":")[2])
            first: list[web.Request] = []
            async with (
                serving(says(status=status, Location=location), first, host="127.0.0.9") as outside,
                a_client(AddressPolicy(("127.0.0.9/32",))) as client,
            ):
                with pytest.raises(AddressRefused):
                    await client.get(outside)
        assert len(first) == 1
        assert seen == []

    asyncio.run(story())


def test_a_name_that_changes_its_mind_gains_nothing():
    """DNS rebinding: the check is on the very address that is connected to, so there is no moment in between."""

    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as site:
            port = site.rpartition(":")[2]
            names = Names(["127.0.0.5"], ["127.0.0.1"])
            again = says(status=302, Location=f"http://rebind.example:{port}/again")
            async with (
                serving(again, host="127.0.0.5") as first,
                a_client(AddressPolicy(("127.0.0.5/32",)), resolver=names) as client,
            ):
                with pytest.raises(AddressRefused):
                    await client.get(first.replace("127.0.0.5", "rebind.example"))
        assert names.asked == 2
        assert seen == []

    asyncio.run(story())


def test_a_name_with_a_public_and_a_private_address_never_reaches_the_private_one():
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as site:
            names = Names(["127.0.0.1", "127.0.0.7"])
            url = site.replace("127.0.0.1", "both.example")
            async with a_client(AddressPolicy(("127.0.0.7/32",)), resolver=names) as client:
                with pytest.raises(FetchError):
                    await client.get(url)  # nothing listens on 127.0.0.7
        assert seen == []

    asyncio.run(story())


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "javascript:alert(1)", "data:text/xml,<rss/>",
     "unix:///run/docker.sock", "ws://127.0.0.1/", "jar:http://127.0.0.1!/"],
)  # fmt: skip
def test_only_the_web_is_opened(address):
    async def story():
        async with a_client() as client:
            with pytest.raises(AddressRefused) as caught:
                await client.get(address)
            async with serving(says(status=302, Location=address)) as site:
                with pytest.raises(AddressRefused):
                    await client.get(site)
        assert "only http and https" in caught.value.reason

    asyncio.run(story())


@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 11211, 9200, 2375])
def test_ports_of_other_services_are_not_opened_even_where_the_network_is(port):
    async def story():
        async with a_client(LOOPBACK) as client:
            with pytest.raises(AddressRefused) as caught:
                await client.get(f"http://127.0.0.1:{port}/")
        assert str(port) in caught.value.reason

    asyncio.run(story())


def test_an_address_cannot_smuggle_a_header():
    async def story():
        seen: list[web.Request] = []
        async with serving(says(RSS), seen) as site, a_client() as client:
            await client.get(f"{site}/x HTTP/1.1\r\nX-Evil: 1\r\n")
        assert "X-Evil" not in seen[0].headers

    asyncio.run(story())


BOMB = gzip.compress(b"\0" * 50_000_000)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", BOMB),
        ("deflate", zlib.compress(b"\0" * 50_000_000)),
        ("identity", BOMB),  # a file that is gzip itself
        ("gzip", gzip.compress(BOMB)),  # a bomb in a bomb, of which the outer one is small
    ],
)
def test_a_compression_bomb_stops_at_the_cap(coding, body):
    async def story():
        async with serving(says(body, Content_Encoding=coding)) as site, a_client(limits=SMALL) as client:
            if coding == "gzip" and body is not BOMB:
                answer = await client.get(site)
                assert len(answer.body) <= SMALL.max_bytes
                return
            with pytest.raises(TooLarge) as caught:
                await client.get(site)
        assert "98 kB" in caught.value.reason

    asyncio.run(story())


def test_an_endless_body_stops_at_the_cap():
    async def story():
        sent = 0

        async def endless(request: web.Request) -> web.StreamResponse:
            nonlocal sent
            answer = web.StreamResponse()
            await answer.prepare(request)
            for _ in count():
                await answer.write(b"<item/>" * 1000)
                sent += 7000
            return answer

        async with serving(endless) as site, a_client(limits=SMALL) as client:
            with pytest.raises(TooLarge):
                await client.get(site)
        assert sent < 50_000_000  # what the sockets' buffers hold, not what the server would give

    asyncio.run(story())


def test_an_endless_stream_that_decodes_to_nothing_stops_too():
    async def story():
        async def nothing(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Encoding": "deflate"})
            await answer.prepare(request)
            await answer.write(b"\x78\x9c")
            for _ in count():
                await answer.write(b"\x00\x00\x00\xff\xff" * 2000)  # empty stored blocks
            return answer

        async with serving(nothing) as site, a_client(limits=SMALL) as client:
            with pytest.raises(TooLarge):
                await client.get(site)

    asyncio.run(story())


def test_a_stream_of_empty_members_is_cut_short():
    async def story():
        body = gzip.compress(b"") * 4000
        async with serving(says(body, Content_Encoding="gzip")) as site, a_client(limits=SMALL) as client:
            assert (await client.get(site)).body == b""

    asyncio.run(story())


def test_an_honest_length_that_is_too_great_is_refused_before_it_is_read():
    async def story():
        async def huge(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(30)

        async with talking(huge) as site, a_client(limits=SMALL) as client:
            with pytest.raises(TooLarge):
                await client.get(site)

    asyncio.run(story())


@pytest.mark.parametrize("where", ["nothing", "headers", "body"])
def test_a_slow_drip_runs_out_of_time(where):
    async def story():
        start = {
            "nothing": b"",
            "headers": b"HTTP/1.1 200 OK\r\nX: ",
            "body": b"HTTP/1.1 200 OK\r\n\r\n",
        }

        async def drip(writer: asyncio.StreamWriter) -> None:
            writer.write(start[where])
            for _ in count():
                writer.write(b"a" if where != "nothing" else b"")
                await writer.drain()
                await asyncio.sleep(0.02)

        limits = Limits(total=timedelta(seconds=0.3))
        async with talking(drip) as site, a_client(limits=limits) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(site)
        assert "longer than 0.3 seconds" in caught.value.reason

    asyncio.run(story())


def test_time_is_counted_over_all_hops_together():
    async def story():
        async def around(request: web.Request) -> web.Response:
            await asyncio.sleep(0.08)
            return web.Response(status=302, headers={"Location": f"/{int(request.path[1:] or 0) + 1}"})

        limits = Limits(total=timedelta(seconds=0.3), redirects=100)
        seen: list[web.Request] = []
        async with serving(around, seen) as site, a_client(limits=limits) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(f"{site}/")
        assert "longer than" in caught.value.reason
        assert len(seen) <= 4

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ({"/": says(status=301, Location="/")}, "circle"),
        ({"/": says(status=302, Location="/b"), "/b": says(status=302, Location="/")}, "circle"),
        ({"/": says(status=302)}, "does not say where"),
        ({"/": says(status=302, Location="http://[::1")}, "not"),
        ({"/": says(status=302, Location="https:///x")}, "names no site"),
    ],
)
def test_redirects_that_lead_nowhere_are_named(pages, said):
    async def story():
        async with serving(pages) as site, a_client() as client:
            with pytest.raises(FetchError) as caught:
                await client.get(f"{site}/")
        assert said in caught.value.reason

    asyncio.run(story())


def test_an_endless_chain_of_redirects_ends():
    async def story():
        async def on(request: web.Request) -> web.Response:
            return web.Response(status=301, headers={"Location": f"/{int(request.path[1:] or 0) + 1}"})

        seen: list[web.Request] = []
        async with serving(on, seen) as site, a_client(limits=Limits(redirects=5)) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(f"{site}/")
        assert "more than 5 times" in caught.value.reason
        assert len(seen) == 6

    asyncio.run(story())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\nbody", TooLarge),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(2000)) + b"\r\nbody", TooLarge),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", FetchError),
        (b"\x00\xff\xfe garbage", FetchError),
        (b"", FetchError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", FetchError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FetchError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", FetchError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope", FetchError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 4\r\n\r\nnope", FetchError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(RSS)[:60], FetchError),
        (b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n", FetchError),
    ],
)
def test_a_server_that_speaks_nonsense_is_an_error_with_a_sentence(answer, kind):
    async def story():
        async def speak(writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            await writer.drain()

        async with talking(speak) as site, a_client(limits=SMALL) as client:
            with pytest.raises(kind) as caught:
                await client.get(site)
        assert caught.value.reason.endswith((".", ")"))

    asyncio.run(story())
