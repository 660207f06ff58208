"""A small press on loopback: feeds and pages that tests can change while they are read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from aiohttp import web

from tests.builders import NOON

NEWS = (
    ("Floods close the Lisbon railway", "Heavy rain has flooded the railway north of Lisbon. Engineers said the line would stay shut until Friday while water is pumped from two tunnels. Passengers were moved to buses. The transport minister promised an inquiry into the drains, which were last cleaned nine years ago. Freight companies warned of late deliveries of fruit and cement along the whole coast this week."),
    ("Nairobi elects its first woman governor", "Voters in Nairobi have elected their first woman governor after a close count that lasted three days. The candidate thanked her supporters outside city hall and promised cheaper housing and better clinics. Her opponent conceded before midnight. Observers from the African Union called the poll calm, though turnout among the young fell to the lowest share since independence."),
    ("Osaka museum returns stolen painting", "A museum in Osaka has returned a portrait stolen eighty years ago to the grandchildren of its owner. Curators traced the canvas through auction catalogues and a customs stamp found under its frame. A lawyer for the heirs said that eleven other works were still missing. The museum will keep a copy beside a panel that explains how the theft came to light."),
    ("Chess prodigy beats the world champion", "A fourteen year old from Tallinn has beaten the world chess champion in a game of sixty moves. She gave up a rook early and won with two connected pawns. The champion praised her patience and asked for a rematch in spring. Her coach, a retired baker, said that she still had homework in algebra to finish before the next round."),
    ("Volcano wakes near Quito", "The volcano above Quito has thrown ash four kilometres into the sky for the first time in two decades. Schools in the valley were closed and flights were sent to Guayaquil. Geologists measured small quakes every few minutes through the night. Farmers drove their cattle to lower pastures, and the army handed out masks along the northern highway."),
    ("Perth shipyard wins ferry order", "A shipyard in Perth will build six electric ferries for the islands of Scotland under a contract worth four hundred million dollars. The union said the order would keep nine hundred welders at work until the end of the decade. Each vessel will carry forty cars and charge its batteries at the quay. Rival yards in Poland had offered a lower price."),
    ("Doctors in Oslo grow new corneas", "Doctors in Oslo have given sight back to seven patients with corneas grown from their own skin cells. The trial lasted two years and no transplant was rejected. The hospital wants to treat fifty people a year and to train surgeons from Denmark and Finland. A charity for the blind said that the waiting list for donors could vanish within ten years."),
    ("Rice harvest fails in the delta", "Salt water has ruined a third of the rice harvest in the delta south of Hanoi. Growers blamed dams upstream and the driest winter in memory. The government will open its grain stores and has asked merchants not to hoard. Prices in the markets rose by a fifth within a week, and exporters have cancelled shipments to Manila and Jakarta."),
    ("Lagos bank hit by computer thieves", "Computer thieves have taken eleven million dollars from a bank in Lagos by copying the codes of its night managers. Customers found their accounts empty on Monday and queued around the block. Police arrested four former employees at the airport. The central bank has ordered every lender in the country to change how transfers are approved after dark."),
    ("Turin bids farewell to its last tram driver", "The last driver of the oldest tram in Turin has taken his final ride after forty one years. Neighbours hung flowers from the balconies and a brass band played at the terminus. The carriages will go to a workshop to be fitted with motors that need nobody at the wheel. He plans to keep bees in the hills and never to look at a timetable again."),
    ("Basel scientists weigh a single neutrino", "Physicists in Basel say that they have put the tightest limit yet on the mass of a neutrino. Their experiment cooled a crystal of tellurium to within a hair of absolute zero and watched it for five years. If confirmed, the result rules out two popular theories of matter. A rival team under a mountain in Japan expects to publish its own figures in autumn."),
    ("Cork bakers win back their oven", "The bakers of Cork have won back the stone oven that a court had ordered to be pulled down. Judges found that smoke from the bakery was part of the life of the street. The neighbours who had complained will receive a loaf every Saturday under the settlement. The oven was built in 1822 and has gone cold only twice, in a war and in a strike."),
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    title: str
    text: str
    published: datetime


def happenings(count: int) -> list[Item]:
    """The first so many things that happened, one an hour."""
    return [Item(title, text, NOON - timedelta(hours=24 - n)) for n, (title, text) in enumerate(NEWS[:count])]


@dataclass
class Press:
    """What the servers say. `feeds` are by path; `odd` paths answer for themselves."""

    base: str = ""
    feeds: dict[str, list[Item]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    odd: dict[str, Callable[[web.Request], web.Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    summaries: bool = False

    def rss(self, name: str) -> str:
        items = "".join(
            f"<item><title>{escape(i.title)}</title><link>{self.base}/{name}/{n}</link>"
            f"<guid>{self.base}/{name}/{n}</guid><pubDate>{format_datetime(i.published)}</pubDate>"
            f'<source url="{self.base}/{name}">The {name.title()}</source><description>'
            + escape(f"<p>{i.text[:90]}</p>" if self.summaries else f"<p>{i.text}</p>")
            + "</description></item>"
            for n, i in enumerate(self.feeds[name])
        )
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>The {name.title()}</title>'
            f"<link>{self.base}/{name}/</link><description>news</description>{items}</channel></rss>"
        )

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.strip("/")
        self.asked.append(path)
        if path in self.odd:
            return self.odd[path](request)
        if path in self.feeds:
            body = self.rss(path).encode()
            tag = f'"{hash(body)}"'
            if request.headers.get("If-None-Match") == tag:
                return web.Response(status=304, headers={"ETag": tag})
            return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": tag})
        name, _, number = path.partition("/")
        if path in self.pages:
            return web.Response(text=self.pages[path], content_type="text/html")
        if name in self.feeds and number.isdigit():
            item = self.feeds[name][int(number)]
            paragraphs = "".join(f"<p>{s}.</p>" for s in item.text.rstrip(".").split(". "))
            return web.Response(
                text=f"<html><head><title>{item.title}</title></head><body><article><h1>{item.title}</h1>"
                f"{paragraphs}<p>Only the page says this: the story was filed at night by our own reporter there.</p>"
                "</article></body></html>",
                content_type="text/html",
            )
        return web.Response(status=404)


@contextmanager
def press() -> Iterator[Press]:
    """A press that is running, in a thread of its own."""
    told = Press()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/{path:.*}", told.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    told.base = f"http://127.0.0.1:{port}"
    try:
        yield told
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
