"""A process that checks rows, one after another, as `ssmverify.checking.processes` asks for them.

It loads the rows by the names that the user gave, for a row holds functions, which cannot be sent. What it says goes as
JSON: nothing that a row makes is unpickled elsewhere. What a row prints goes to the standard error, so that it cannot
pass for a line of the report.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

Say = Callable[..., None]


def serve(names: Sequence[str], threads: int, connection: Connection) -> None:
    """Says which rows there are, or why they cannot be loaded; then checks what it is told to."""
    os.setsid()  # Ctrl-C is for the process that started this one; and what a row starts ends with it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):  # there may be no standard error
        os.dup2(2, 1)

    own = os.getpid()

    def say(**what: Any) -> None:
        if os.getpid() != own:  # a row has forked, and its copy of this process has no say
            os._exit(1)
        connection.send_bytes(json.dumps(what).encode())

    try:
        rows = _load(names, threads, say)
        listed = [(name, str(row.source)) for name, row in rows.items()]
    except BaseException as error:
        say(refused=_sentence(error), traceback=traceback.format_exc())
        return
    say(rows=listed)
    while True:
        try:
            task = json.loads(connection.recv_bytes())
        except EOFError:
            return
        WORK[task["work"]](rows, task["row"], task["how"], say)


def _load(names: Sequence[str], threads: int, say: Say) -> dict[str, Any]:
    import torch

    from ssmverify.catalogue import select

    torch.set_num_threads(threads)
    say(told=f"while {', '.join(names) or 'the catalogue'} was imported")
    return {row.name: row for row in select(names)}


def _check(rows: dict[str, Any], name: str, how: dict[str, Any], say: Say) -> None:
    from ssmverify.checking.check import check
    from ssmverify.checking.search import shown
    from ssmverify.evidence import sources_hash
    from ssmverify.verdict import FAILED, Verdict

    try:
        say(sources=sources_hash(rows[name]))
        verdict = check(rows[name], **how, tell=lambda what: say(told=what))
    except BaseException as error:  # not even a KeyboardInterrupt that a row raises ends more than the row
        problem = f"the check was stopped by {shown(error)}"
        verdict = Verdict(name, FAILED, "-", "-", "", problems=[problem], seed=how["seed"])
    say(done=asdict(verdict))


def _audit(rows: dict[str, Any], name: str, how: dict[str, Any], say: Say) -> None:
    from ssmverify.checking.audit import Audit, audit
    from ssmverify.checking.search import shown

    try:
        found = audit(rows[name], seed=how["seed"], budget=how["budget"], tell=lambda what: say(told=what))
    except BaseException as error:
        found = Audit(name, problem=f"the audit was stopped by {shown(error)}")
    say(done=asdict(found))


WORK = {"check": _check, "audit": _audit}


def _sentence(error: BaseException) -> str:
    from ssmverify.doctor import foreign_packages
    from ssmverify.errors import BadInput, one_line

    if isinstance(error, BadInput):
        return str(error)
    foreign = foreign_packages() if isinstance(error, ImportError) else []
    return foreign[0] if foreign else f"the rows cannot be loaded: {one_line(f'{type(error).__name__}: {error}')}."


def _end_with_parent() -> None:
    """A worker waits for work that nobody will give it any more, where the process that started it was killed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
