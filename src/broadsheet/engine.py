"""Where a stage runs: in this process, in threads, in processes, on a cluster. The same results, in the same order.

    run = engine("processes", workers=2)
    with run:
        for articles in run(extract, batches): ...

An engine takes batches as it goes, never more than a few ahead of what was asked of it, so an endless or a huge input
runs in bounded memory. Stages are pure: a batch whose worker died is run once more in a new one.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import pickle
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

from broadsheet.errors import BroadsheetError, ConfigError, MissingExtra
from broadsheet.memory import FRUGAL
from broadsheet.model import Stage

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 2  # batches for each worker that are under way or wait to be collected
# One core a child: without this each child's BLAS starts a thread for every core, and they fight.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


class WorkerDied(BroadsheetError):
    """A worker ended in the middle of a batch, twice: the batch kills it (no memory left, or a crash in a library)."""

    def __init__(self, stage: str, size: int) -> None:
        super().__init__(
            f"A worker died twice in the stage {stage} on the same {size} inputs: out of memory, or a crash in a library. "
            "Smaller batches or fewer workers may help."
        )
        self.stage = stage


def name_of(stage: Callable[..., Any]) -> str:
    """A stage's name, also through `functools.partial`."""
    inner = getattr(stage, "func", stage)
    return str(getattr(inner, "__name__", type(inner).__name__))


class Runner(ABC):
    """Runs stages; a context manager, since it may hold workers."""

    workers: int

    @abstractmethod
    def __call__(self, stage: Stage[A, B], batches: Iterable[Sequence[A]]) -> Iterator[Sequence[B]]:
        """The stage's answer to each batch, in the order of the batches."""

    def close(self) -> None:  # noqa: B027
        """Let the workers go. What is under way is dropped."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Serial(Runner):
    """Here and now: the easiest to debug, and what the others must agree with."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = 1

    def __call__(self, stage: Stage[A, B], batches: Iterable[Sequence[A]]) -> Iterator[Sequence[B]]:
        for batch in batches:
            yield stage(batch)


def _in_order(
    submit: Callable[[Sequence[A]], Any],
    collect: Callable[[Any], Sequence[B]],
    batches: Iterable[Sequence[A]],
    most: int,
) -> Iterator[Sequence[B]]:
    """Keep at most `most` batches under way, and give their answers in order."""
    under_way: deque[Any] = deque()
    for batch in batches:
        under_way.append(submit(batch))
        if len(under_way) >= most:
            yield collect(under_way.popleft())
    while under_way:
        yield collect(under_way.popleft())


class Threads(Runner):
    """Threads of this process: for stages that wait, or that leave the interpreter for long (numpy, lxml)."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: Executor | None = None

    def __call__(self, stage: Stage[A, B], batches: Iterable[Sequence[A]]) -> Iterator[Sequence[B]]:
        pool = self._pool = self._pool or ThreadPoolExecutor(self.workers, thread_name_prefix="stage")
        return _in_order(lambda batch: pool.submit(stage, batch), Future.result, batches, AHEAD * self.workers)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class _Died(Exception):
    """The child is gone, and its answer with it."""


def _serve(pipe: Connection) -> None:
    """The life of a child: a stage and a batch in, an answer out, until nobody asks any more."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business, which lets the child finish
    while True:
        try:
            stage, batch = pipe.recv()
        except EOFError:  # the parent is gone, killed even: so is this
            return
        except Exception as e:  # a stage that can't be unpickled here
            pipe.send((False, e))
            continue
        try:
            answer: tuple[bool, Any] = (True, stage(batch))
        except Exception as e:
            answer = (False, e)
        try:
            pipe.send(answer)
        except (TypeError, AttributeError, pickle.PicklingError):
            what = "answer" if answer[0] else f"error {answer[1]!r}"
            pipe.send(
                (False, RuntimeError(f"the {what} of the stage {name_of(stage)} can't be sent between processes"))
            )


class _Child:
    """A process that runs stages one at a time."""

    _starting = threading.Lock()

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with self._starting:
            # The variables are read when the C library and numpy begin, so they must stand when the child does.
            added = {name: value for name, value in (_ONE_THREAD | FRUGAL).items() if name not in os.environ}
            os.environ.update(added)
            try:
                self.process.start()
            finally:
                for name in added:
                    del os.environ[name]
        theirs.close()

    def run(self, stage: Callable[[Any], Any], batch: Any) -> Any:
        """The stage's answer, or its error. Raises `_Died` when there will be none."""
        try:
            self._pipe.send((stage, batch))
            fine, answer = self._pipe.recv()
        except (EOFError, OSError) as e:
            raise _Died from e
        if not fine:
            raise answer
        return answer

    def end(self) -> None:
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._pipe.close()


class Processes(Runner):
    """Processes of this machine, started fresh (`spawn`), each loading its models once.

    Each is looked after by a thread that knows what it is doing, so that a process that dies costs its own batch a
    second try and no other batch anything. (`ProcessPoolExecutor` of Python 3.11 drops the batches of every worker when
    one dies, and hung for good in tests/test_engine.py: a worker that dies soon after its start is not noticed.)
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._children: set[_Child] = set()
        self._mine = threading.local()
        self._closing = False

    def _run(self, stage: Stage[A, B], batch: Sequence[A]) -> Sequence[B]:
        for _ in range(2):
            if self._closing:
                raise CancelledError
            child: _Child | None = getattr(self._mine, "child", None)
            if child is None:
                child = self._mine.child = _Child()
                self._children.add(child)
            try:
                return child.run(stage, batch)  # type: ignore[no-any-return]
            except _Died:
                self._mine.child = None
                self._children.discard(child)
                if not self._closing:
                    child.end()
        raise WorkerDied(name_of(stage), len(batch))

    def __call__(self, stage: Stage[A, B], batches: Iterable[Sequence[A]]) -> Iterator[Sequence[B]]:
        if self._pool is None:
            self._closing = False
            self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="stage process")
        pool = self._pool
        return _in_order(
            lambda batch: pool.submit(self._run, stage, batch), Future.result, batches, AHEAD * self.workers
        )

    def close(self) -> None:
        if self._pool is None:
            return
        self._closing = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in list(self._children):
            child.process.terminate()
        self._pool.shutdown(wait=True)
        for child in list(self._children):
            child.end()
        self._children.clear()
        self._mine = threading.local()
        self._pool = None


class OnRay(Runner):
    """A Ray cluster: the one that `RAY_ADDRESS` names, else one on this machine, started here and stopped with it."""

    def __init__(self, workers: int) -> None:
        if importlib.util.find_spec("ray") is None:
            raise MissingExtra("ray", "The engine ray")
        self.workers = workers
        self._started = False

    def _start(self) -> Any:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        if not ray.is_initialized():
            quiet = {"logging_level": "ERROR", "log_to_driver": False}
            if os.environ.get("RAY_ADDRESS"):
                ray.init(**quiet)
            else:
                ray.init(num_cpus=self.workers, include_dashboard=False, **quiet)
            self._started = True
        return ray

    def __call__(self, stage: Stage[A, B], batches: Iterable[Sequence[A]]) -> Iterator[Sequence[B]]:
        ray = self._start()
        kept = ray.put(stage)  # its settings travel once

        # Tasks of one function share Ray's workers, so a worker that loaded a model keeps it for the next batch.
        task = ray.remote(max_retries=1, retry_exceptions=False)(_apply)

        def collect(one: tuple[int, Any]) -> Sequence[B]:
            size, reference = one
            try:
                return ray.get(reference)  # type: ignore[no-any-return]
            except ray.exceptions.RayTaskError as e:
                raise e.cause if isinstance(e.cause, Exception) else e from None
            except ray.exceptions.WorkerCrashedError as e:
                raise WorkerDied(name_of(stage), size) from e

        return _in_order(lambda batch: (len(batch), task.remote(kept, batch)), collect, batches, AHEAD * self.workers)

    def close(self) -> None:
        if self._started:
            import ray

            ray.shutdown()
            self._started = False


def _apply(stage: Callable[[Any], Any], batch: Any) -> Any:
    return stage(batch)


ENGINES: dict[str, type[Runner]] = {"serial": Serial, "threads": Threads, "processes": Processes, "ray": OnRay}


def engine(name: str = "processes", workers: int = 0) -> Runner:
    """The engine of that name. `workers` 0 means one for each core but one, so that the web app stays quick.

    Raises `ConfigError` for a name that is none, `MissingExtra` for Ray where it is not installed.
    """
    if name not in ENGINES:
        raise ConfigError(f"There is no engine {name!r}: choose one of {', '.join(ENGINES)}.")
    if workers < 0:
        raise ConfigError(f"workers = {workers} can't be: 0 means one for each core but one.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return ENGINES[name](workers or max(1, cores - 1))  # type: ignore[call-arg]
