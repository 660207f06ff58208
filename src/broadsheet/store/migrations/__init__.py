"""Numbered changes to the database, each made once, in order, in one transaction of its own.

`NNNN_name.sql` runs on both databases, then `NNNN_name.sqlite.sql` or `NNNN_name.postgresql.sql` where there is one, in
the same transaction. A migration that was released is never edited: write the next number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, Engine, text

from broadsheet.errors import ConfigError

_TYPES = {
    "sqlite": {"{serial}": "INTEGER PRIMARY KEY", "{blob}": "BLOB", "{float}": "REAL"},
    "postgresql": {"{serial}": "BIGSERIAL PRIMARY KEY", "{blob}": "BYTEA", "{float}": "DOUBLE PRECISION"},
}
_LOCK = 0x42524F4144  # "BROAD": the advisory lock that makes one process migrate while the others wait


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    statements: tuple[str, ...]


def _split(script: str) -> list[str]:
    """The statements of a script. A trigger's inner ones stay inside it."""
    statements: list[str] = []
    current: list[str] = []
    in_trigger = False
    for line in script.splitlines():
        if not line.strip() or line.lstrip().startswith("--"):
            continue
        current.append(line)
        in_trigger = in_trigger or line.startswith("CREATE TRIGGER")
        if line.rstrip().endswith(";") and (not in_trigger or line.startswith("END;")):
            statements.append("\n".join(current).rstrip().rstrip(";"))
            current, in_trigger = [], False
    if current:
        raise ConfigError(f"A migration ends inside a statement: {current[0]}")
    return [f"{s};" if s.startswith("CREATE TRIGGER") else s for s in statements]


@cache
def known(dialect: str) -> tuple[Migration, ...]:
    """Every migration of this program, in order."""
    found: list[Migration] = []
    scripts = {f.name: f for f in files(__package__).iterdir() if f.name.endswith(".sql")}
    for name in sorted(scripts):
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", name)) is None:
            continue
        script = scripts[name].read_text("utf-8")
        if (own := scripts.get(f"{match[1]}_{match[2]}.{dialect}.sql")) is not None:
            script += "\n" + own.read_text("utf-8")
        for written, type_ in _TYPES[dialect].items():
            script = script.replace(written, type_)
        found.append(Migration(int(match[1]), match[2], tuple(_split(script))))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ConfigError("The numbers of the migrations have a gap or a double.")
    return tuple(found)


def version(db: Connection) -> int:
    """The number of the last migration that was made here."""
    return int(db.execute(text("SELECT coalesce(max(number), 0) FROM migrations")).scalar_one())


def _lock(db: Connection) -> None:
    # SQLite: `begin()` holds the write lock already.
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def run(engine: Engine) -> int:
    """Bring the database to this program's version; gives how many migrations that took.

    Raises `ConfigError` when a newer program wrote it.
    """
    migrations = known(engine.dialect.name)
    with engine.begin() as db:
        _lock(db)
        db.exec_driver_sql("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    made = 0
    while True:
        with engine.begin() as db:
            _lock(db)
            at = version(db)
            if at > len(migrations):
                raise ConfigError(
                    f"This database is at version {at} and this Broadsheet knows {len(migrations)}: "
                    "install the newer Broadsheet that wrote it."
                )
            if at == len(migrations):
                return made
            next_ = migrations[at]
            for statement in next_.statements:
                db.exec_driver_sql(statement)
            db.execute(
                text("INSERT INTO migrations (number, name) VALUES (:number, :name)"),
                {"number": next_.number, "name": next_.name},
            )
            made += 1
