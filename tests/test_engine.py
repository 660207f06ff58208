"""One promise, every engine: the same results, in the same order."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.engine import AHEAD, ENGINES, Runner, WorkerDied, engine
from broadsheet.errors import ConfigError, MissingExtra


def squares(batch: Sequence[int], add: int = 0) -> list[int]:
    return [n * n + add for n in batch]


def fails_on_seven(batch: Sequence[int]) -> list[int]:
    if 7 in batch:
        raise ValueError("seven")
    return list(batch)


def dies(batch: Sequence[int]) -> list[int]:
    os._exit(3)


def dies_once(batch: Sequence[int], marker: Path) -> list[int]:
    if 5 in batch and not marker.exists():
        marker.touch()
        os._exit(3)
    return [n + 1 for n in batch]


def process_and_threads(batch: Sequence[int]) -> list[tuple[int, str]]:
    return [(os.getpid(), os.environ.get("OPENBLAS_NUM_THREADS", "")) for _ in batch]


@pytest.fixture(
    scope="module", params=[*("serial", "threads", "processes"), pytest.param("ray", marks=pytest.mark.slow)]
)
def run(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param == "ray":
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with engine(request.param, 2) as run:
        yield run


def test_answers_come_in_the_order_of_the_batches(run: Runner) -> None:
    batches = [[n, n + 1] for n in range(25)]
    assert list(run(partial(squares, add=3), batches)) == [squares(batch, 3) for batch in batches]


def test_no_batches_and_empty_batches_are_no_trouble(run: Runner) -> None:
    assert list(run(squares, [])) == []
    assert list(run(squares, [[], [2], []])) == [[], [4], []]


def test_an_endless_input_is_read_only_as_far_as_it_is_asked_for(run: Runner) -> None:
    read = 0

    def endless() -> Iterator[list[int]]:
        nonlocal read
        while True:
            read += 1
            yield [read]

    answers = run(squares, endless())
    assert [next(answers) for _ in range(3)] == [[1], [4], [9]]
    assert read <= 3 + AHEAD * run.workers


def test_a_broken_stage_raises_its_own_error_after_what_came_before(run: Runner) -> None:
    answers = run(fails_on_seven, [[1], [2], [7], [8]])
    assert [next(answers), next(answers)] == [[1], [2]]
    with pytest.raises(ValueError, match="seven"):
        next(answers)
    assert list(run(squares, [[3]])) == [[9]]  # and the engine still runs


@given(batches=st.lists(st.lists(st.integers(-1000, 1000), max_size=5), max_size=12))
def test_threads_agree_with_the_serial_engine(batches: list[list[int]]) -> None:
    with engine("serial") as one, engine("threads", 3) as many:
        assert list(one(squares, batches)) == list(many(squares, batches))


def test_a_worker_that_dies_is_replaced_and_its_batch_run_again(tmp_path: Path) -> None:
    with engine("processes", 2) as run:
        stage = partial(dies_once, marker=tmp_path / "died")
        assert list(run(stage, [[n] for n in range(10)])) == [[n + 1] for n in range(10)]


def test_a_batch_that_kills_every_worker_ends_in_a_clear_error_not_in_a_hang() -> None:
    with engine("processes", 1) as run:
        with pytest.raises(WorkerDied, match="died twice in the stage dies on the same 1 inputs"):
            list(run(dies, [[1]]))
        assert list(run(squares, [[2]])) == [[4]]


def test_processes_are_others_and_keep_to_one_core_each() -> None:
    with engine("processes", 1) as run:
        [[(process, threads)], [(again, _)]] = run(process_and_threads, [[1], [1]])
    assert process != os.getpid()
    assert process == again  # so models are loaded once
    assert threads == "1"


def test_a_closed_engine_leaves_no_process_behind() -> None:
    before = set(multiprocessing.active_children())
    with engine("processes", 2) as run:
        list(run(squares, [[1], [2], [3]]))
        assert set(multiprocessing.active_children()) > before
    assert set(multiprocessing.active_children()) == before


def test_an_engine_that_is_none_is_refused_with_the_names_of_those_that_are() -> None:
    with pytest.raises(ConfigError, match=", ".join(ENGINES)):
        engine("hadoop")
    with pytest.raises(ConfigError, match="workers"):
        engine("serial", -1)


def test_an_engine_whose_extra_is_missing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"broadsheet\[ray\]"):
        engine("ray")
