"""Checks many rows at once, in processes of their own; each has its share of the cores.

A row holds functions that cannot be sent to another process, so each worker loads the rows anew, by the names that the
user gave, and is told which of them to check.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

from ssmverify.catalogue import modules
from ssmverify.rows import Row
from ssmverify.verdict import FELL, Verdict

METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
KILLED = "its process, or another's, was killed, perhaps for want of memory: check fewer at once, with --jobs"
Tell = Callable[[Row, str], None]
T = TypeVar("T")
_worker: dict[str, Any] = {}  # of this process, if it is a worker: its rows, and where it says what it is at


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warm_up() -> None:
    """Starts the process that workers are forked from, which loads the catalogue while this one does.

    Forked from here they would inherit the locks of torch's threads, without the threads.
    """
    if METHOD == "forkserver":
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(["ssmverify.checking.check", *modules()])
        forkserver.ensure_running()


def check_all(
    names: Sequence[str], rows: Sequence[Row], jobs: int, how: dict[str, Any], tell: Tell
) -> Iterator[Verdict]:
    """The verdicts of `rows`, which are those that `names` selects, as they come; `how` is passed on to `check`."""
    for row, verdict in of_each(_check, names, rows, jobs, how, tell):
        yield verdict or Verdict(row.name, FELL, "-", "-", "", problems=[KILLED], seed=how["seed"])


def _check(row: Row, **how: Any) -> Verdict:
    from ssmverify.checking.check import check

    return check(row, **how)


def of_each(
    work: Callable[..., T], names: Sequence[str], rows: Sequence[Row], jobs: int, how: dict[str, Any], tell: Tell
) -> Iterator[tuple[Row, T | None]]:
    """`work(row, **how, tell=...)` for each of `rows`, as they are done; None where a worker was killed.

    `rows` are those that `names` selects, and `work` is a function of a module, which each worker can import.
    """
    if jobs == 1 or len(rows) == 1:
        for row in rows:
            yield row, work(row, **how, tell=lambda what, row=row: tell(row, what))
        return
    context = multiprocessing.get_context(METHOD)
    said: SimpleQueue[tuple[int, str]] = context.SimpleQueue()
    threads = max(cores() // jobs, 1)
    pool = ProcessPoolExecutor(min(jobs, len(rows)), context, _start, (tuple(names), threads, said))
    try:
        submitted = {pool.submit(_work, work, i, how): row for i, row in enumerate(rows)}
        waiting = set(submitted)
        while waiting:
            done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            while not said.empty():
                i, what = said.get()
                tell(rows[i], what)
            yield from ((submitted[future], _result(future)) for future in done)
    finally:
        pool.shutdown(cancel_futures=True)


def _result(future: Future[T]) -> T | None:
    """Of a worker; where one was killed, all rows that were not done have none."""
    try:
        return future.result()
    except BrokenProcessPool:
        return None


def _start(names: Sequence[str], threads: int, said: SimpleQueue[tuple[int, str]]) -> None:
    import torch

    from ssmverify.catalogue import select

    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _worker.update(rows=select(names), said=said)


def _end_with_parent() -> None:
    """A worker waits for work that nobody will give it any more, where the process that started it was killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _work(work: Callable[..., T], i: int, how: dict[str, Any]) -> T:
    return work(_worker["rows"][i], **how, tell=lambda what: _worker["said"].put((i, what)))
