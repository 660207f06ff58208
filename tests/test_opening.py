from datetime import timedelta
from pathlib import Path

from broadsheet import config
from broadsheet.opening import Instance, describe_instance, instance_of, open_instance

SAID = Instance(as_of="2026-08-22T18:00:00+00:00", live=timedelta(days=52), banner="A demo.", credits=("One: CC0.",))


def settings(folder: Path, **said: object) -> config.Settings:
    return config.load(None, {}, database=f"sqlite:///{folder}/news.sqlite", **said)


def test_a_database_that_says_nothing_is_read_by_the_clock(tmp_path: Path):
    engine, read_by = open_instance(settings(tmp_path))
    assert read_by == settings(tmp_path)
    assert instance_of(engine) == Instance()


def test_a_database_says_by_which_clock_it_is_read_and_whose_work_it_holds(tmp_path: Path):
    engine, _ = open_instance(settings(tmp_path))
    describe_instance(engine, SAID)
    _, read_by = open_instance(settings(tmp_path))
    assert (read_by.as_of, read_by.live) == (SAID.as_of, SAID.live)
    assert instance_of(engine) == SAID


def test_what_the_operator_says_goes_before_it(tmp_path: Path):
    engine, _ = open_instance(settings(tmp_path))
    describe_instance(engine, SAID)
    _, read_by = open_instance(settings(tmp_path, as_of="2026-08-01T00:00:00+00:00"))
    assert read_by.as_of == "2026-08-01T00:00:00+00:00"
