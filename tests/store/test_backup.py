"""A copy of everything in one file, and back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from broadsheet import store
from broadsheet.errors import ConfigError, InputError, NotFound
from tests.builders import an_article


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def news(tmp_path: Path) -> Path:
    path = tmp_path / "news.sqlite"
    engine = store.open(url_of(path))
    with engine.begin() as db:
        store.articles.save(db, [an_article("One"), an_article("Two")])
    engine.dispose()
    return path


def titles(path: Path) -> set[str]:
    engine = store.open(url_of(path))
    with engine.connect() as db:
        found = {article.title for article in store.articles.all(db)}
        assert {hit.article.title for hit in store.search.search(db, "body")} == found
    engine.dispose()
    return found


def test_a_backup_is_taken_while_others_write_and_restored_with_its_search(news: Path, tmp_path: Path) -> None:
    engine = store.open(url_of(news))
    with engine.begin() as db:
        store.articles.save(db, [an_article("Not yet committed")])
        assert store.backup.backup(url_of(news), tmp_path / "copy") > 0
    engine.dispose()
    aside = store.backup.restore(url_of(news), tmp_path / "copy")
    assert titles(news) == {"One", "Two"}
    assert aside is not None
    assert titles(aside) == {"One", "Two", "Not yet committed"}


def test_a_backup_never_overwrites_a_file(news: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(InputError, match="exists"):
        store.backup.backup(url_of(news), tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_a_file_that_is_no_backup_is_refused_and_changes_nothing(news: Path, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"not a database" * 500)
    sqlite3.connect(tmp_path / "other").executescript("CREATE TABLE cats (name TEXT);")
    for name in ("noise", "other"):
        with pytest.raises(InputError, match="not a backup"):
            store.backup.restore(url_of(news), tmp_path / name)
    with pytest.raises(NotFound):
        store.backup.restore(url_of(news), tmp_path / "nothing")
    assert titles(news) == {"One", "Two"}


def test_a_database_in_use_is_not_replaced(news: Path, tmp_path: Path) -> None:
    store.backup.backup(url_of(news), tmp_path / "copy")
    engine = store.open(url_of(news))
    with engine.begin() as db:
        store.articles.save(db, [an_article("Three")])
        with pytest.raises(InputError, match="in use"):
            store.backup.restore(url_of(news), tmp_path / "copy")
    engine.dispose()
    assert titles(news) == {"One", "Two", "Three"}


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pg_dump"):
        store.backup.backup("postgresql://localhost/news", tmp_path / "copy")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "", "sqlite:////proc/nowhere/news.sqlite"])
def test_an_address_that_cannot_be_a_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(ConfigError):
        store.open(url)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"not a database" * 500)
    with pytest.raises(ConfigError, match="not a database"):
        store.open(url_of(tmp_path / "noise"))


def test_reads_do_not_wait_for_a_writer_and_writers_wait_for_each_other(news: Path) -> None:
    engine = store.open(url_of(news))
    with engine.begin() as writing:
        store.articles.save(writing, [an_article("Three")])
        with engine.connect() as reading:
            assert store.articles.counts(reading)[0] == 2
    with engine.connect() as reading:
        assert store.articles.counts(reading)[0] == 3
    engine.dispose()
