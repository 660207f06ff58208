"""The tables as queries see them. What creates them is `migrations/`; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text

from broadsheet.store.types import Duration, Json, Time, Words

metadata = MetaData()


def _id(name: str = "id", **options: bool) -> Column[str]:
    return Column(name, Text, **options)  # type: ignore[arg-type]


counters = Table("counters", metadata, _id("name", primary_key=True), Column("value", BigInteger, nullable=False))
notes = Table("notes", metadata, _id("name", primary_key=True), Column("value", Words, nullable=False))
leases = Table(
    "leases", metadata,
    _id("name", primary_key=True), Column("held_by", Text, nullable=False), Column("until", Time, nullable=False),
)  # fmt: skip

sources = Table(
    "sources", metadata,
    _id(primary_key=True),
    Column("url", Words),
    Column("kind", Text),
    Column("title", Words),
    Column("homepage", Words),
    Column("language", Words),
    Column("outlet", Json),
    Column("full_text", Boolean),
    Column("private", Boolean),
    Column("added", Time),
    Column("etag", Words),
    Column("last_modified", Words),
    Column("next_fetch", Time),
    Column("last_fetch", Time),
    Column("last_success", Time),
    Column("interval", Duration),
    Column("failures", Integer),
    Column("problem", Words),
    Column("gone", Boolean),
    Column("claimed_by", Text),
    Column("claimed_until", Time),
)  # fmt: skip

source_moves = Table("source_moves", metadata, Column("url", Words, primary_key=True), _id("source"))

subscriptions = Table(
    "subscriptions", metadata,
    _id("reader", primary_key=True), _id("source", primary_key=True), Column("folder", Words),
)  # fmt: skip

manners = Table(
    "manners", metadata,
    _id("source", primary_key=True),
    Column("since", Time),
    Column("asked", BigInteger),
    Column("unchanged", BigInteger),
    Column("failed", BigInteger),
    Column("spared", BigInteger),
    Column("size", BigInteger),
    Column("status", Integer),
    Column("max_age", Duration),
    Column("ttl", Duration),
    Column("retry_after", Duration),
)  # fmt: skip

entries = Table(
    "entries", metadata,
    _id(primary_key=True),
    _id("source"),
    Column("guid", Words),
    Column("url", Words),
    Column("title", Words),
    Column("published", Time),
    Column("updated", Time),
    Column("authors", Json),
    Column("tags", Json),
    Column("enclosures", Json),
    Column("image", Words),
    Column("language", Words),
    Column("publisher", Words),
    Column("rights", Words),
    Column("seen", Time),
    Column("done", Boolean),
    Column("attempts", Integer),
    Column("claimed_by", Text),
    Column("claimed_until", Time),
    Column("summary", Words),
    Column("content", Words),
    Column("wording", Text),
    Column("revision", Integer),
)  # fmt: skip

# `text` and `html` come last: SQLite reads a row from its front, so lists never touch the pages that hold them.
articles = Table(
    "articles", metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _id(),
    Column("url", Words),
    Column("title", Words),
    Column("publisher", Words),
    _id("source"),
    Column("key_points", Json),
    Column("authors", Json),
    Column("published", Time),
    Column("updated", Time),
    Column("first_seen", Time),
    Column("time", Time),
    Column("image", Words),
    Column("captions", Json),
    Column("section", Words),
    Column("language", Words),
    Column("confidence", Float),
    Column("tags", Json),
    Column("licence", Words),
    Column("entities", Json),
    Column("topics", Json),
    Column("vector", LargeBinary),
    Column("vector_model", Text),
    Column("fingerprint", LargeBinary),
    _id("copy_of"),
    _id("story"),
    Column("text", Words),
    Column("html", Words),
)  # fmt: skip

rejections = Table(
    "rejections", metadata,
    _id(primary_key=True),
    Column("stage", Words),
    Column("subject", Words),
    Column("reason", Words),
    Column("at", Time),
)  # fmt: skip

stories = Table(
    "stories", metadata,
    _id(primary_key=True),
    Column("headline", Words),
    Column("first_seen", Time),
    Column("last_seen", Time),
    Column("independent", Integer),
    Column("velocity", Float),
    Column("language", Words),
    Column("image", Words),
    _id("lead"),
    Column("vector_model", Text),
    Column("version", BigInteger),
    _id("survivor"),
    Column("articles", Json),
    Column("publishers", Json),
    Column("sources", Json),
    Column("key_points", Json),
    Column("timeline", Json),
    Column("entities", Json),
    Column("topics", Json),
    Column("vector", LargeBinary),
    _id("thread"),
    Column("authors", Json),
    Column("words", Integer),
    Column("voices", Integer),
)  # fmt: skip

quotes = Table("quotes", metadata, _id("article", primary_key=True), Column("said", Json))

stale = Table("stale", metadata, _id("story", primary_key=True), Column("times", Integer))

regroupings = Table(
    "regroupings", metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _id("one"),
    _id("other"),
    Column("same", Boolean),
    Column("who", Words),
    Column("at", Time),
    Column("undone", Time),
    Column("applied", Boolean),
    Column("moved", Json),
)  # fmt: skip

# `text` comes last, as in articles.
versions = Table(
    "versions", metadata,
    _id("article", primary_key=True),
    Column("replaced", Time, primary_key=True),
    Column("title", Words),
    Column("facts", Json),
    Column("text", Words),
)  # fmt: skip

readings = Table(
    "readings", metadata,
    _id("reader", primary_key=True), _id("article", primary_key=True), Column("at", Time),
)  # fmt: skip

rechecks = Table(
    "rechecks", metadata,
    _id("article", primary_key=True),
    Column("due", Time),
    Column("tries", Integer),
    Column("claimed_by", Text),
    Column("claimed_until", Time),
)  # fmt: skip
threads = Table("threads", metadata, _id(primary_key=True), Column("until", Time), Column("memory", LargeBinary))

readers = Table(
    "readers", metadata,
    _id(primary_key=True),
    Column("name", Words),
    Column("created", Time),
    Column("snapshot", Json),
    Column("last_event", BigInteger),
)  # fmt: skip

events = Table(
    "events", metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _id("reader"),
    Column("kind", Text),
    Column("at", Time),
    _id("story"),
    _id("article"),
    _id("feed"),
    Column("payload", Json),
)  # fmt: skip

feeds = Table(
    "feeds", metadata,
    _id(primary_key=True),
    _id("reader"),
    Column("at", Time),
    Column("recipe", Words),
    Column("recipe_hash", Text),
    Column("left_out", Json),
    Column("items", Json),
)  # fmt: skip

receipts = Table(
    "receipts", metadata,
    _id("reader", primary_key=True),
    Column("name", Text, primary_key=True),
    Column("event", BigInteger),
    Column("at", Time),
)  # fmt: skip
