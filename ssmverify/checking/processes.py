"""Checks rows in processes of their own, which can be ended at any time: in a loop, in sympy, at an import.

A process that is ended, or dies, costs the row that it was at; another takes its place. Nothing here imports the rows,
nor torch or sympy: whatever they do, this process stays able to report.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, NamedTuple

from ssmverify.checking import worker
from ssmverify.errors import BadInput
from ssmverify.verdict import FAILED, FELL, Verdict

METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
CHECK, EVERYTHING = "ssmverify.checking.check", "ssmverify.checking.preload"  # what is imported once for all workers
QUICK_EXIT = "ssmverify.checking.quick_exit"
GRACE = 0.5  # seconds in which a row may say itself that its time is over
Tell = Callable[[str, str], None]
Message = dict[str, Any]


class Work(NamedTuple):
    """What is done with a row: its name in `worker.WORK`, and what its result is."""

    name: str
    of: Callable[[Mapping[str, Any]], Any]  # the result that a worker sent
    lost: Callable[..., Any]  # of a row whose process was ended (problem="") or died: (row, seed, problem, news)
    retried: Callable[[Any], None]  # says in the result that the process had died once


class News(NamedTuple):
    """What is known of a row that was not finished."""

    told: str = ""
    sources: str = ""
    seconds: float = 0.0


class OutOfBudget(Exception):
    """The time for all rows ran out before it was known which they are."""


class RowName(NamedTuple):
    """All that is known of a row outside of the processes that load it."""

    name: str
    source: str


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """One process, the row it is at, and what it last said."""

    def __init__(self, context: Any, names: Sequence[str], threads: int):
        ours, theirs = context.Pipe()
        self.connection: Connection = ours
        self.process = context.Process(target=worker.serve, args=(tuple(names), threads, theirs))
        self.process.start()
        theirs.close()
        self.ready = False
        self.row, self.again = "", False
        self.began, self.deadline = time.monotonic(), float("inf")
        self.told = self.sources = ""

    def messages(self) -> Iterator[Message]:
        """What it has said since; raises EOFError when it has ended and all is read."""
        with suppress(ConnectionError):
            while self.connection.poll():
                yield json.loads(self.connection.recv_bytes())
        if not self.process.is_alive() and not self.connection.poll():
            raise EOFError

    def end(self) -> None:
        """Kills it, with the processes that its row started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.connection.close()

    @property
    def death(self) -> str:
        """How it died, and where."""
        self.process.join(1)
        code = self.process.exitcode
        how = f"died of {signal.Signals(-code).name}" if code and code < 0 else f"ended itself, with exit status {code}"
        memory = ", perhaps for want of memory: check fewer at once, with --jobs" * (code == -signal.SIGKILL)
        return f"its process {how}{memory}, {self.told or 'before it began'}"


class Workers:
    """Up to `jobs` processes that check the rows which `names` select.

    budget: seconds for all of it, loading included. limit: seconds for each row.
    """

    def __init__(self, names: Sequence[str], jobs: int, budget: float | None = None, limit: float | None = None):
        self.names, self.jobs, self.limit = names, jobs, limit or float("inf")
        self.end = time.monotonic() + budget if budget else float("inf")
        self.context: Any = multiprocessing.get_context(METHOD)
        if METHOD == "forkserver":
            # Forked from here they would inherit the locks of threads, without the threads.
            files_only = bool(names) and all(name.endswith(".py") for name in names)
            self.context.set_forkserver_preload([CHECK if files_only else EVERYTHING, QUICK_EXIT])
        self.workers: list[_Worker] = []
        self.waiting = deque[tuple[str, bool]]()  # rows, and whether they are tried again

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for one in self.workers:
            one.end()
        self.workers.clear()

    def rows(self) -> list[RowName]:
        """The rows. Raises BadInput if they cannot be loaded, and OutOfBudget if that takes too long."""
        first = self._start()
        while not first.ready:
            wait([first.connection, first.process.sentinel], timeout=self._patience())
            try:
                for message in first.messages():
                    if "rows" in message:
                        first.ready = True
                        return [RowName(*row) for row in message["rows"]]
                    if "refused" in message:
                        raise _refusal(message)
                    first.told = message.get("told", first.told)
            except EOFError:
                raise BadInput(f"{first.death}.") from None
            if time.monotonic() > self.end:
                raise OutOfBudget(f"the time given ran out {first.told or 'before anything was loaded'}")
        return []

    def results(self, work: Work, rows: Sequence[RowName], how: dict[str, Any], tell: Tell) -> Iterator[Any]:
        """The results as they come; `how` is passed on, and `tell` called with what is done for a row."""
        self.work = work
        self.waiting.extend((row.name, False) for row in rows)
        while self.waiting or any(one.row for one in self.workers):
            if time.monotonic() > self.end:
                while self.waiting:
                    yield work.lost(self.waiting.popleft()[0], how["seed"], "", News())
            self._employ(how)
            places = [place for one in self.workers for place in (one.connection, one.process.sentinel)]
            wait(places, timeout=self._patience())
            for one in list(self.workers):
                yield from self._news(one, how, tell)

    def _start(self) -> _Worker:
        self.workers.append(_Worker(self.context, self.names, max(cores() // self.jobs, 1)))
        return self.workers[-1]

    def _employ(self, how: dict[str, Any]) -> None:
        """Gives work to whoever has none, and to a new process where there may be one."""
        while self.waiting:
            idle = next((one for one in self.workers if not one.row), None)
            if idle is None and len(self.workers) >= self.jobs:
                return
            one = idle or self._start()
            one.row, one.again = self.waiting.popleft()
            one.told = one.sources = ""
            if one.ready:
                self._send(one, how)

    def _send(self, one: _Worker, how: dict[str, Any]) -> None:
        one.began = time.monotonic()
        one.deadline = min(self.end, one.began + self.limit)
        left = one.deadline - time.monotonic()
        budget = None if left == float("inf") else max(left, 1e-3)
        task = {"work": self.work.name, "row": one.row, "how": {**how, "budget": budget, "careful": one.again}}
        with suppress(ConnectionError):  # it has died, which will be seen
            one.connection.send_bytes(json.dumps(task).encode())

    def _patience(self) -> float | None:
        """Until a row's time is over, or the budget."""
        next_end = min([self.end, *(one.deadline for one in self.workers if one.row)])
        return None if next_end == float("inf") else max(next_end + GRACE - time.monotonic(), 0.01)

    def _news(self, one: _Worker, how: dict[str, Any], tell: Tell) -> Iterator[Any]:
        try:
            for message in one.messages():
                if "rows" in message:
                    one.ready = True
                    self._send(one, how)
                elif "refused" in message:
                    yield self._dismiss(one, how, message["refused"])
                    return
                elif "done" in message:
                    yield self._received(one, message["done"])
                else:
                    one.sources = message.get("sources", one.sources)
                    one.told = message.get("told", one.told)
                    tell(one.row, one.told)
        except EOFError:
            yield from self._died(one, how)
            return
        if one.row and time.monotonic() > min(one.deadline, self.end) + GRACE:
            yield self._dismiss(one, how, "")

    def _received(self, one: _Worker, found: dict[str, Any]) -> Any:
        result = self.work.of(
            {**found, "because": found.get("because") or one.told} if found.get("undecided") else found
        )
        if one.again:
            self.work.retried(result)
        one.row, one.again, one.deadline = "", False, float("inf")
        return result

    def _died(self, one: _Worker, how: dict[str, Any]) -> Iterator[Any]:
        """The row is tried once more, carefully, so that the case that it dies of is known."""
        if not one.row:
            self._remove(one)
        elif one.again or time.monotonic() > self.end:
            yield self._dismiss(one, how, one.death)
        else:
            self.waiting.appendleft((one.row, True))
            self._remove(one)

    def _dismiss(self, one: _Worker, how: dict[str, Any], problem: str) -> Any:
        """Ends the process; its row has the problem, or was out of time."""
        self._remove(one)
        return self.work.lost(one.row, how["seed"], problem, News(one.told, one.sources, time.monotonic() - one.began))

    def _remove(self, one: _Worker) -> None:
        self.workers.remove(one)
        one.end()


def _refusal(message: Message) -> BadInput:
    error = BadInput(message["refused"])
    error.add_note(message["traceback"])
    return error


def _lost(row: str, seed: int, problem: str, news: News) -> Verdict:
    verdict = Verdict(row, FELL, "-", "-", "", because=news.told, undecided=not problem, seed=seed)
    verdict.sources, verdict.seconds = news.sources, news.seconds
    if problem:
        verdict.status, verdict.problems = FAILED, [problem]
    return verdict


def _retried(verdict: Verdict) -> None:
    verdict.problems.append("its process died, and did not when it was tried again")
    verdict.settle()


CHECKING = Work("check", Verdict.of, _lost, _retried)
