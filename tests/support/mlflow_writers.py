"""Processes of their own that write into one store at the same time, and some that are killed while they do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests.support.child_environment import child_environment
from tests.support.mlflow_records import candidate, record, registry_of
from tests.support.waiting import PATIENCE

from mlgate.adapters.files.pending_folder import PendingFolder
from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.errors import GateError
from mlgate.core.tracking.ledger import Move
from mlgate.flow import promotion

_SPAWN = multiprocessing.get_context("spawn")  # as CI's jobs are: nothing is shared but the store
Work = Callable[..., Any]


def at_once(work: Work, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run *work* once with each tuple, all from the same moment on; return what each said, in order.

    A GateError is said as its text.
    """
    barrier, answers = _SPAWN.Barrier(len(arguments)), _SPAWN.SimpleQueue()
    ours = [
        _SPAWN.Process(target=_one, args=(work, number, words, barrier, answers, child_environment()), daemon=True)
        for number, words in enumerate(arguments)
    ]
    for one in ours:
        one.start()
    try:
        for one in ours:
            one.join(PATIENCE)
            assert one.exitcode == 0, f"a writer ended with {one.exitcode}"
        said = dict(answers.get() for _ in ours)
    finally:
        for one in ours:
            one.kill()
            one.join()
            one.close()
        answers.close()
    return [said[number] for number in range(len(arguments))]


def _one(
    work: Work, number: int, words: tuple[Any, ...], barrier: Barrier, answers: Any, environment: Mapping[str, str]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    import mlflow  # noqa: F401 - before the start: they shall meet while they write

    barrier.wait(PATIENCE)
    try:
        said = work(*words)
    except GateError as error:
        said = f"{type(error).__name__}: {error}"
    answers.put((number, said))


def write(place: StoreAddress, experiment: str, numbers: Sequence[int]) -> list[str]:
    """Log these verdicts; return their runs."""
    runs = MlflowRuns(Server(place), experiment)
    return [runs.log(record(number)).run for number in numbers]


def promote(place: StoreAddress, model: str, run: str, number: int) -> tuple[int, bool]:
    """Promote one verdict; return its version, and whether this moved the alias."""
    done = promotion.promote(registry_of(place, model), candidate(run, number), alias="champion", now=_at(number))
    return done.version.number, done.move is not None


def promote_beside(place: StoreAddress, model: str, run: str, number: int, barrier: Barrier) -> tuple[int, bool]:
    """Promote one verdict where all wait for each other just before they take the place in the ledger."""
    registry = registry_of(place, model)
    append = registry.append

    def append_with_the_others(move: Move) -> bool:
        barrier.wait(PATIENCE)
        return append(move)

    vars(registry)["append"] = append_with_the_others
    done = promotion.promote(registry, candidate(run, number), alias="champion", now=_at(number))
    return done.version.number, done.move is not None


def remember(place: StoreAddress, experiment: str, folder: Path, number: int) -> None:
    """Keep a verdict beside the run, log it, and take it away again: as every run does."""
    pending, one = PendingFolder(folder), record(number)
    pending.add(one)
    MlflowRuns(Server(place), experiment).log(one)
    pending.remove(one.key)


def sync(place: StoreAddress, experiment: str, folder: Path) -> None:
    """Log what waits."""
    pending = PendingFolder(folder)
    for key in tuple(pending.keys()):
        MlflowRuns(Server(place), experiment).log(pending.read(key))
        pending.remove(key)


def kill_at_every_step(steps: Work) -> list[str]:
    """Return what *steps* yields for every point at which a process may be killed: before its first commit, and on.

    *steps* takes a number and returns what happens before, what is killed, what mends it, and a name.
    """
    (said,) = at_once(_kill_all, [(steps,)])
    assert isinstance(said, list), said
    return said


def _kill_all(steps: Work) -> list[str]:
    names = []
    for number in range(100):
        before, doomed, mending, name = steps(number)
        assert _forked(*before) == 0
        code = _forked(_doomed, number, *doomed)
        assert code in (0, -signal.SIGKILL)
        assert _forked(*mending) == 0
        names.append(name)
        if code == 0:
            return names
    raise AssertionError("it never ends")


def _forked(work: Work, *words: Any) -> int:
    """Run it in a process of its own that has MLflow loaded already; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(*words)
            code = 0
        except BaseException:  # noqa: BLE001 - shown here, where nobody else would
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _doomed(left: int, work: Work, *words: Any) -> None:
    """Do the work, but die before the request, or before the commit of something written, that has this number."""
    import requests
    import sqlalchemy

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    send = requests.Session.send

    def send_or_die(self: requests.Session, *args: Any, **named: Any) -> requests.Response:
        count()
        return send(self, *args, **named)

    requests.Session.send = send_or_die  # type: ignore[method-assign] # the wire, which is no type of ours
    dirty = False

    def wrote(*said: Any) -> None:
        nonlocal dirty
        dirty = dirty or said[2].startswith(("INSERT", "UPDATE", "DELETE"))

    def commit(*_: object) -> None:
        nonlocal dirty
        if dirty:
            count()
        dirty = False

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", wrote)
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", commit)
    work(*words)


def _at(number: int) -> str:
    return f"2026-11-23T05:00:{number:02}Z"
