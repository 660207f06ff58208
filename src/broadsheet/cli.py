"""The commands. Each loads settings, calls the side that does the work, and says what happened in a sentence."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from broadsheet import __version__, config
from broadsheet.errors import BroadsheetError, InputError
from broadsheet.progress import bars

app = typer.Typer(
    name="broadsheet",
    help="A personalised news feed of the stories that matter to you.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console()
err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was said before the command: where the settings are."""

    config: Path | None = None
    database: str | None = None


def _settings(context: typer.Context, **overrides: object) -> config.Settings:
    chosen: Chosen = context.obj or Chosen()
    return config.load(chosen.config, None, database=chosen.database, **overrides)


def _print_json(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"broadsheet {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    context: typer.Context,
    config_file: Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")] = None,
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///PATH or postgresql://USER@HOST/NAME. Default: SQLite in your data folder."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Chosen(config_file, database)


# --- reading in ---------------------------------------------------------------------------------------------------


@app.command()
def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Where the web app listens.")] = 8000,
    feeds_port: Annotated[
        int, typer.Option(help="Where the bundled news is served as feeds.", envvar="BROADSHEET_FEEDS_PORT")
    ] = 8901,
    days: Annotated[int, typer.Option(help="How many days of news to read in.", min=1)] = 42,
    serve: Annotated[bool, typer.Option(help="Stay and serve the web app when everything is read in.")] = True,
) -> None:
    """The whole thing on bundled open-licence news; no network needed."""
    from broadsheet.demo.run import run_demo

    run_demo(_settings(context, port=port), feeds_port=feeds_port, days=days, serve_app=serve, console=err)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; anything but loopback needs a password.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    work: Annotated[bool, typer.Option(help="Also poll sources and group stories here.")] = True,
) -> None:
    """Web app, worker and scheduler in one process."""
    from broadsheet.serving import serve as serve_app

    serve_app(_settings(context, host=host, port=port), work=work, console=err)


@app.command()
def add(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(help="A site, a feed, a sitemap or an article; with --text, where it is from.")
    ],
    text: Annotated[
        typer.FileText | None,
        typer.Option(help="A file with an article's text, as copied from its page; - for standard input."),
    ] = None,
    reader: Annotated[str | None, typer.Option(help="Subscribe this reader to it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the feed behind an address and say what was found."""
    from broadsheet import jobs
    from broadsheet.opening import open_instance

    db, settings = open_instance(_settings(context))
    if text is not None:
        article = asyncio.run(jobs.add_page(db, settings, url=address, text=text.read()))
        added = jobs.Added(message=f"The article “{article.title}” is read.", article=article)
    else:
        added = asyncio.run(jobs.add_address(db, settings, address, reader=reader))
    if as_json:
        _print_json(added.as_json())
    else:
        out.print(escape(added.message))


@app.command(name="import")
def import_opml(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="An OPML file from any reader, or a file of `broadsheet export`.", exists=True, dir_okay=False
        ),
    ],
    reader: Annotated[str | None, typer.Option(help="The reader whom what is in it is for.")] = None,
) -> None:
    """Read subscriptions from an OPML file, folders and all; or a reader's profile from another instance."""
    from broadsheet import jobs, terminal
    from broadsheet.opening import open_instance

    if file.read_bytes().lstrip()[:1] == b"{":
        out.print(escape(terminal.bring(_settings(context), file.read_bytes(), reader)))
        return
    db, settings = open_instance(_settings(context))
    for sentence in jobs.import_opml(db, file.read_bytes(), now=settings.now(), reader=reader):
        out.print(escape(sentence))


@app.command()
def refresh(context: typer.Context) -> None:
    """Poll what is due, once, and bring stories up to date."""
    from broadsheet import jobs
    from broadsheet.opening import open_instance

    db, settings = open_instance(_settings(context))
    with bars(err) as progress:
        done = asyncio.run(jobs.refresh(db, settings, progress=progress))
    out.print(escape(done.sentence()))


@app.command()
def work(context: typer.Context) -> None:
    """Keep polling and grouping until stopped. Run as many as you like, on as many machines."""
    from broadsheet.serving import work_until_stopped

    work_until_stopped(_settings(context), console=err)


# --- reading ------------------------------------------------------------------------------------------------------

ReaderOption = Annotated[str | None, typer.Option("--reader", help="Whose feed; not needed while there is one reader.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def feed(context: typer.Context, reader: ReaderOption = None, as_json: JsonOption = False, count: int = 15) -> None:
    """Your feed, in the terminal."""
    from broadsheet import terminal

    terminal.show_feed(_settings(context), reader, count=count, as_json=as_json, console=out)


@app.command()
def away(
    context: typer.Context,
    reader: ReaderOption = None,
    minutes: Annotated[int | None, typer.Option(help="How much time you have.", min=1, max=120)] = None,
    since: Annotated[str | None, typer.Option(help="Since when: 12h, 3d. Default: your last visit.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The few stories that mattered since you were last here."""
    from broadsheet import terminal

    gap = config.duration(since) if since else None
    terminal.show_away(_settings(context), reader, minutes=minutes, gap=gap, as_json=as_json, console=out)


@app.command()
def digest(
    context: typer.Context,
    count: Annotated[int, typer.Option(help="How many stories for each reader.", min=1, max=100)] = 10,
    after: Annotated[str, typer.Option(help="Go on behind this reader: the last line of a run that was cut off.")] = "",
) -> None:
    """Every reader's first page as JSON lines, for a mailer or whatever brings it to them."""
    from broadsheet import digest as digests
    from broadsheet import terminal

    for line in digests.lines(terminal.newsstand(_settings(context)), count=count, after=after):
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


@app.command()
def story(context: typer.Context, story_id: str, as_json: JsonOption = False) -> None:
    """One story: what is said, by whom, and since when."""
    from broadsheet import terminal

    terminal.show_story(_settings(context), story_id, as_json=as_json, console=out)


@app.command()
def why(context: typer.Context, story_id: str, reader: ReaderOption = None, as_json: JsonOption = False) -> None:
    """Why a story stands where it stands in your feed, and what would change it."""
    from broadsheet import terminal

    terminal.show_why(_settings(context), story_id, reader, as_json=as_json, console=out)


@app.command("why-not")
def why_not(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="[READER] STORY", help="The story; before it, whose feed.")],
    reader: ReaderOption = None,
    as_json: JsonOption = False,
) -> None:
    """What keeps a story down in your feed, or out of it, and what would lift it."""
    from broadsheet import terminal

    if len(words) > 2:
        raise InputError("broadsheet why-not takes a reader and a story.")
    whose = words[0] if len(words) == 2 else reader
    terminal.show_why_not(_settings(context), words[-1], whose, as_json=as_json, console=out)


@app.command("why-together")
def why_together(
    context: typer.Context,
    one: Annotated[str, typer.Argument(help="An article or a story: its id, or an address of it.")],
    other: Annotated[str, typer.Argument(help="Another.")],
    as_json: JsonOption = False,
) -> None:
    """Why two articles are one story or are not: the probability, and the parts that it is made of."""
    from broadsheet import operating

    operating.show_why_together(_settings(context), one, other, as_json=as_json, console=out)


# --- what an operator says of the grouping -------------------------------------------------------------------------

regrouping = typer.Typer(
    help="Put stories together or articles apart, for every reader; see what was said, and undo it.",
    no_args_is_help=True,
)
app.add_typer(regrouping, name="regroup")
WhoOption = Annotated[str, typer.Option("--who", help="Who says so; kept with the ruling.")]


@regrouping.command()
def together(
    context: typer.Context,
    one: Annotated[str, typer.Argument(help="An article or a story: its id, or an address of it.")],
    other: Annotated[str, typer.Argument(help="Another.")],
    who: WhoOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """From now on, these two are one story."""
    from broadsheet import jobs, operating

    operating.regroup(
        _settings(context),
        lambda db, settings: jobs.rule_together(db, settings, one, other, who),
        as_json=as_json,
        console=out,
    )


@regrouping.command()
def apart(
    context: typer.Context,
    article: Annotated[str, typer.Argument(help="The article: its id, or an address of it.")],
    of: Annotated[
        str | None, typer.Argument(metavar="[STORY]", help="The story; by itself, that of the article.")
    ] = None,
    who: WhoOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """From now on, this article is not part of that story."""
    from broadsheet import jobs, operating

    operating.regroup(
        _settings(context),
        lambda db, settings: jobs.rule_apart(db, settings, article, of, who),
        as_json=as_json,
        console=out,
    )


@regrouping.command("list")
def list_rulings(context: typer.Context, as_json: JsonOption = False) -> None:
    """What was said, by whom, and what became of it."""
    from broadsheet import operating

    operating.show_rulings(_settings(context), as_json=as_json, console=out)


@regrouping.command()
def undo(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The ruling's number.")],
    as_json: JsonOption = False,
) -> None:
    """Take a ruling back: grouping decides again about what it moved."""
    from broadsheet import jobs, operating

    operating.regroup(
        _settings(context),
        lambda db, settings: jobs.take_back(db, settings, number),
        as_json=as_json,
        console=out,
    )


# --- stages and measures ------------------------------------------------------------------------------------------


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="parse, extract, enrich, group, quotes, timeline, novelty or rank.")],
    articles: Annotated[Path | None, typer.Option(help="rank: the articles, as JSON lines.")] = None,
    model: Annotated[Path | None, typer.Option(help="rank: a trained ranker.")] = None,
    prequential: Annotated[bool, typer.Option(help="rank: learn from each line after it was scored.")] = False,
) -> None:
    """A stage as a filter: JSON lines in, JSON lines out."""
    from broadsheet import stages

    options: dict[str, Any] = {}
    if name == "rank":
        if articles is None:
            raise InputError("broadsheet stage rank needs --articles FILE.")
        options = {"articles": articles, "model": model, "prequential": prequential}
    for line in stages.filter_lines(name, stages.load(name), sys.stdin.buffer, **options):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


@app.command()
def evaluate(
    task: Annotated[
        str,
        typer.Argument(
            help="extraction, enrichment, entities, feeds, stories, threads, quotes, timelines, novelty, ranking, rankers, beyond, cold, quiet, spreading or authors."
        ),
    ],
    path: Annotated[Path, typer.Argument(help="The labelled set.", exists=True)],
    whole: Annotated[bool, typer.Option(help="ranking, rankers, beyond, cold: all readers.")] = False,
    ablate: Annotated[
        bool, typer.Option(help="rankers: each family of signals left out; beyond: each scorer.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="beyond: where to draw accuracy against diversity, as SVG.")] = None,
    final: Annotated[bool, typer.Option(help="stories: not what the server has meanwhile.")] = False,
    part: Annotated[bool, typer.Option(help="enrichment, ranking: a part of the set, which takes less time.")] = False,
    peers: Annotated[bool, typer.Option(help="extraction, feeds: what other programs make of it, too.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Measure a stage against a labelled set."""
    from broadsheet.evaluation import measure

    options: dict[str, Any] = {"whole": whole} if task in ("ranking", "rankers", "beyond", "cold") else {}
    options |= {"ablate": ablate} if task in ("rankers", "beyond") else {}
    options |= {"plot": plot} if task == "beyond" else {}
    options |= {"final_only": final} if task == "stories" else {}
    options |= {"part": part} if task in ("enrichment", "ranking") else {}
    options |= {"peers": peers} if task in ("extraction", "feeds") else {}
    report = measure(task, path, **options)
    if as_json:
        _print_json(report.as_json())
    else:
        out.print(report.as_table())


@app.command()
def train(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="rank or stories.")],
    model: Annotated[Path | None, typer.Option(help="Where to write what was learned.")] = None,
    kind: Annotated[str, typer.Option(help="rank: auto, trees (needs LightGBM) or linear.")] = "auto",
    articles: Annotated[Path | None, typer.Option(help="rank: the articles, as JSON lines.", exists=True)] = None,
    undo: Annotated[bool, typer.Option("--undo", help="rank: go back to the feed's weights before.")] = False,
    pairs: Annotated[
        Path | None,
        typer.Option(help="stories: labelled pairs beside those of this instance, as JSON lines.", exists=True),
    ] = None,
) -> None:
    """Weigh the feed by what this instance's readers opened; fit a ranker on lines; or grouping on people's words.

    `train rank` alone reads the logged pages and what was opened from them, and uses new weights only where replay of
    later pages shows them to be better. With --articles and --model it fits a ranker on lines of what was shown and
    clicked, read from standard input; its file remembers what was learned up to the last line, readers' ids among it.
    """
    if what == "stories":
        if model is None:
            raise InputError("broadsheet train stories needs --model FILE.")
        from broadsheet import operating

        lines = pairs.read_bytes().splitlines() if pairs else []
        operating.train_stories(_settings(context), lines, model, console=err)
        return
    if what != "rank":
        raise InputError(f"There is nothing called {what!r} to train: broadsheet train rank, broadsheet train stories.")
    if articles is None and model is None:
        from broadsheet import operating

        operating.weigh(_settings(context), undo=undo, console=out)
        return
    if articles is None or model is None:
        raise InputError(
            "broadsheet train rank needs --articles FILE and --model FILE to fit on lines, or neither of them."
        )
    from broadsheet.stages import train_rank

    if kind not in train_rank.KINDS:
        raise InputError(f"There is no ranker of kind {kind!r}: choose one of {', '.join(train_rank.KINDS)}.")
    fitted = train_rank.train(train_rank.readable(sys.stdin.buffer), articles, kind=cast(Any, kind), say=err.print)
    model.write_bytes(orjson.dumps(fitted.as_json()))
    err.print(f"Wrote {model}.")


# --- keeping ------------------------------------------------------------------------------------------------------


@app.command()
def export(
    context: typer.Context,
    reader: Annotated[str, typer.Argument(help="The reader's id.")],
    opml: Annotated[bool, typer.Option("--opml", help="Only the subscriptions, as OPML.")] = False,
) -> None:
    """Everything that is kept about a reader, as JSON (or their subscriptions as OPML)."""
    from broadsheet import terminal

    sys.stdout.buffer.write(terminal.export_of(_settings(context), reader, as_opml=opml))


@app.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="Where to write the copy.")]) -> None:
    """Copy the database while it is in use."""
    from broadsheet.store import backup as copies

    size = copies.backup(_settings(context).database_url(), file)
    out.print(f"Wrote {file}: {size / 1e6:.1f} MB.", highlight=False)


@app.command()
def restore(context: typer.Context, file: Annotated[Path, typer.Argument(help="A copy made by `backup`.")]) -> None:
    """Put a copy in the database's place; the old one is kept beside it."""
    from broadsheet.store import backup as copies

    aside = copies.restore(_settings(context).database_url(), file)
    out.print(f"Restored {file}." + (f" The old database is {aside}." if aside else ""), highlight=False)


@app.command()
def doctor(
    context: typer.Context,
    mend: Annotated[bool, typer.Option(help="Put right what can be put right with nothing lost.")] = False,
) -> None:
    """Look for what is wrong, and say what to do."""
    from datetime import UTC, datetime

    from broadsheet import store

    engine = store.open(_settings(context).database_url())
    if mend:
        with engine.begin() as db:
            for sentence in store.doctor.mend(db):
                out.print(escape(sentence))
    with engine.connect() as db:
        wrong = store.doctor.check(db, datetime.now(UTC))
    for sentence in wrong:
        out.print(escape(sentence))
    if wrong:
        raise typer.Exit(1)
    out.print("Nothing is wrong.")


def _fail(error: BroadsheetError) -> NoReturn:
    err.print(f"[red]{escape(str(error))}[/red]", highlight=False)
    raise SystemExit(1)


def main() -> None:
    """The entry point: what goes wrong on purpose is one clear sentence, not a traceback."""
    try:
        app()
    except BroadsheetError as e:
        _fail(e)
    except BrokenPipeError:  # `broadsheet stage ... | head`
        sys.stderr.close()


if __name__ == "__main__":
    main()
