"""What an operator asks and says of the grouping, in a terminal, or as JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from broadsheet import jobs
from broadsheet.config import Settings
from broadsheet.jobs.ruling import Told
from broadsheet.model import Article, ArticleId, Ruling, StoryId
from broadsheet.opening import open_instance
from broadsheet.stages.train_stories import read_pairs
from broadsheet.stories.correction import train
from broadsheet.terminal import print_json


def show_why_together(settings: Settings, one: str, other: str, *, as_json: bool, console: Console) -> None:
    """Print the probability that two articles report one story, and the parts that add up to its log odds."""
    found = jobs.why(*open_instance(settings), one, other)
    told = found.told
    pair = ((found.one, found.stories[0]), (found.other, found.stories[1]))
    if as_json:
        print_json(
            {
                "probability": told.probability,
                "log_odds": told.begun + sum(part.points for part in told.parts),
                "begun": told.begun,
                "parts": [asdict(part) for part in told.parts],
                "one_story": found.one_story,
                "articles_a_day": found.a_day,
                "articles": [_named(article, story) for article, story in pair],
                "rulings": [_ruling(ruling) for ruling in found.rulings],
            }
        )
        return
    for article, _ in pair:
        console.print(
            f"  “{escape(article.title)}” [dim]{escape(article.publisher)} · {article.id}[/dim]", highlight=False
        )
    now = "They are in one story now." if found.one_story else "They are in two stories now."
    if None in found.stories:
        now = "They are not grouped yet."
    console.print(f"One story with a probability of [bold]{told.probability:.2f}[/bold]. {now}", highlight=False)
    for ruling in found.rulings:
        said = "together" if ruling.word.same else "apart"
        console.print(f"Ruling {ruling.number} by {escape(ruling.who)} puts them {said}.", highlight=False)
    table = Table("part", "points", "because", box=None, pad_edge=False)
    for part in told.parts:
        table.add_row(part.subject, f"{part.points:+.2f}", escape(part.fact))
    table.add_row("to begin with", f"{told.begun:+.2f}", f"{found.a_day:,.0f} articles a day")
    total = told.begun + sum(part.points for part in told.parts)
    table.add_row(
        "[bold]log odds[/bold]", f"[bold]{total:+.2f}[/bold]", f"1 / (1 + e^{-total:.2f}) = {told.probability:.2f}"
    )
    console.print(table)


def _named(article: Article, story: StoryId | None) -> dict[str, Any]:
    return {
        "id": article.id,
        "title": article.title,
        "publisher": article.publisher,
        "url": article.url,
        "published": article.published,
        "story": story,
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "number": ruling.number,
        "same": ruling.word.same,
        "one": ruling.word.one,
        "other": ruling.word.other,
        "who": ruling.who,
        "at": ruling.at,
        "undone": ruling.undone,
        "moved": ruling.moved,
    }


def regroup(settings: Settings, say: Callable[[Engine, Settings], Ruling], *, as_json: bool, console: Console) -> None:
    """Record what an operator says of the grouping, do it where nobody else groups, and say what became of it."""
    engine, settings = open_instance(settings)
    ruling = jobs.carry_out(engine, settings, say(engine, settings))
    [told] = [t for t in jobs.rulings(engine) if t.ruling.number == ruling.number]
    if as_json:
        print_json(_told(told))
        return
    console.print(escape(_became(told)), highlight=False)


def _became(told: Told) -> str:
    number, moved = told.ruling.number, len(told.ruling.moved)
    them = f"{moved} {'article' if moved == 1 else 'articles'}"
    match told.state:
        case "waits" | "undoing waits":
            return f"Ruling {number} is noted; whoever groups now does it within a minute."
        case "undone":
            return f"Ruling {number} is undone" + (f"; grouping decided again about {them}." if moved else ".")
        case "does not hold":
            return f"Ruling {number} is noted, and another keeps it from being done: see `broadsheet regroup list`."
    stories = " and ".join(str(story) for story in dict.fromkeys(told.stories))
    if told.ruling.word.same:
        done = f"{them} moved" if moved else "they were already, and stay so"
        return f"Ruling {number}: they are one story, {stories} ({done}). `broadsheet regroup undo {number}` takes it back."
    done = f"{them} moved" if moved else "they were not one, and stay so"
    return (
        f"Ruling {number}: they are two stories, {stories} ({done}). `broadsheet regroup undo {number}` takes it back."
    )


def _told(told: Told) -> dict[str, Any]:
    return _ruling(told.ruling) | {
        "state": told.state,
        "stories": told.stories,
        "titles": [article.title if article else None for article in (told.one, told.other)],
    }


def show_rulings(settings: Settings, *, as_json: bool, console: Console) -> None:
    """Print what operators said of the grouping, and what became of it."""
    engine, settings = open_instance(settings)
    rulings = jobs.rulings(engine)
    if as_json:
        print_json([_told(told) for told in rulings])
        return
    if not rulings:
        console.print("Nobody has said anything of the grouping: `broadsheet regroup together A B`, `... apart A`.")
        return
    zone = settings.zone()
    table = Table("number", "when", "who", "says", "articles", "state", box=None, pad_edge=False)
    for told in rulings:

        def title(article: Article | None, id_: ArticleId) -> str:
            return escape(f"“{article.title}” {article.publisher}" if article else f"{id_} (gone)")

        word = told.ruling.word
        table.add_row(
            str(told.ruling.number),
            f"{told.ruling.at.astimezone(zone):%d %b %H:%M}",
            escape(told.ruling.who),
            "together" if word.same else "apart",
            f"{title(told.one, word.one)}\n{title(told.other, word.other)}",
            told.state,
        )
    console.print(table)


def train_stories(settings: Settings, lines: Iterable[bytes], model: Path, *, console: Console) -> None:
    """Fit a correction of grouping on what people said here and on lines of pairs, and write it where it helps."""
    engine, settings = open_instance(settings)
    given, problems = read_pairs(lines)
    for problem in problems:
        console.print(escape(problem), highlight=False)
    with engine.connect() as db:
        said = jobs.labelled_pairs(db)
        alone = jobs.left_alone(db, settings.now() - settings.live, said)
    learned = train([*said, *given, *alone])
    model.write_bytes(orjson.dumps(learned.correction.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
    console.print(escape(learned.sentence()), highlight=False)
    console.print(escape(f'Wrote {model}. The setting stories_model = "{model}" puts it to use.'), highlight=False)


def weigh(settings: Settings, *, undo: bool, console: Console) -> None:
    """Weigh the feed's signals by what was opened, or go back to the weights before; say what counts how much."""
    db, settings = open_instance(settings)
    if undo:
        weights = jobs.undo(db, settings.now())
        console.print("The weights before hold again." if weights else "The feed's weights are as shipped again.")
    else:
        done = jobs.weigh(db, settings.now())
        weights = done.weights
        console.print(done.sentence(), highlight=False)
        console.print(
            f"A place is looked at with a chance of 1 / place^{done.steepness:.2f}; by inverse propensity alone "
            f"{done.replayed.ips:.3f} openings a page, now {done.replayed.now:.3f}.",
            highlight=False,
        )
    for name, x in weights.items():
        console.print(f"  {name} x {x:.2f}", highlight=False)
