"""What every part of the store shares: upserts, batches, and nouns to columns and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
Row = dict[str, Any]

BATCH = 500  # ids in one IN (...), rows in one statement: far below every database's limit on parameters


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The values in lists of at most `size`, in order."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def among(column: Column[Any]) -> ColumnElement[bool]:
    """Whether the column is one of `ids`, a list that is given when the statement is run.

    For statements that are made once: making one anew and finding its SQL takes longer (.3 ms) than most take to run.
    """
    return column.in_(bindparam("ids", expanding=True))


def upsert(
    db: Connection,
    table: Table,
    rows: Iterable[Row],
    *,
    key: Sequence[str],
    update: Collection[str] | None = None,
    special: Mapping[str, Any] | None = None,
) -> int:
    """Insert the rows; where the key is known, update the named columns (none: leave the row). Gives rows written.

    `special` maps a column to a function of the row that was to be inserted, for columns that must not simply be
    overwritten.
    """
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    changes: Row = {name: statement.excluded[name] for name in update or ()}
    changes.update({name: make(statement.excluded) for name, make in (special or {}).items()})
    if changes:
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=changes)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    # Counted by what comes back: psycopg does not say how many rows a batch of inserts wrote.
    statement = statement.returning(*(table.c[name] for name in key))
    return sum(len(db.execute(statement, batch).all()) for batch in batches(rows))
