"""A copy of everything in one file, and back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import make_url

from broadsheet.errors import ConfigError, InputError, NotFound


def _file(url: str) -> Path:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        raise InputError(
            "This database is PostgreSQL: use its own tools, `pg_dump -Fc URL > FILE` and `pg_restore -d URL FILE`."
        )
    if not address.database or address.database == ":memory:":
        raise InputError("A database in memory can't be backed up.")
    return Path(address.database).expanduser()


def _check(path: Path) -> None:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
            db.execute("SELECT count(*) FROM migrations").fetchone()
    except sqlite3.DatabaseError as e:
        raise InputError(f"{path} is not a backup of Broadsheet: {e}.") from e
    finally:
        if "db" in locals():
            db.close()
    if verdict != "ok":
        raise InputError(f"{path} is damaged: {verdict}.")


def backup(url: str, path: Path) -> int:
    """Write everything to a new file while others go on reading and writing; gives its size in bytes.

    The file is whole or not there: it takes its name when it is finished. Raises `InputError` where there is one already.
    """
    source = _file(url)
    if not source.exists():
        raise NotFound(f"There is no database at {source}.")
    if path.exists():
        raise InputError(f"{path} exists: name a file that does not.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    db = sqlite3.connect(source, timeout=30)
    try:
        db.execute("VACUUM INTO ?", (str(unfinished),))
    except sqlite3.DatabaseError as e:
        unfinished.unlink(missing_ok=True)
        raise ConfigError(f"The backup could not be written: {e}.") from e
    finally:
        db.close()
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(path)
    return path.stat().st_size


def restore(url: str, path: Path) -> Path | None:
    """Put a backup in the database's place; gives where the old one went, if there was one.

    Stop Broadsheet first. Raises `InputError` for a file that is no whole backup, and changes nothing then.
    """
    target = _file(url)
    if not path.exists():
        raise NotFound(f"There is no backup at {path}.")
    _check(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_name(target.name + ".arriving")
    shutil.copyfile(path, arriving)
    _check(arriving)
    aside: Path | None = None
    if target.exists():
        # What its write-ahead log still holds must be in the file before it is moved.
        db = sqlite3.connect(target, timeout=5)
        try:
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.DatabaseError:
            busy = 0  # too damaged to ask: it is moved aside as it is
        finally:
            db.close()
        if busy:
            arriving.unlink()
            raise InputError(f"{target} is in use: stop Broadsheet and try again.")
        number = 1
        aside = target.with_name(f"{target.name}.before-restore-{number}")
        while aside.exists():
            number += 1
            aside = target.with_name(f"{target.name}.before-restore-{number}")
        target.rename(aside)
    for rest in ("-wal", "-shm"):
        target.with_name(target.name + rest).unlink(missing_ok=True)
    arriving.rename(target)
    return aside
