"""mlgate is killed before and after every write, and its writes fail in every way: all or nothing, and no leftovers."""

from __future__ import annotations

import itertools
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.api_proxy import Fault, Script, proxied
from tests.support.deploy_project import image
from tests.support.rollout_cluster import EVERYTHING, MODES, Place, ended, place
from tests.support.waiting import until

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
PARTS = 16
"""The kill loop is cut into so many, which run side by side."""
CHOSEN = range(PARTS) if EVERYTHING else range(1)
FAULTY = MODES if EVERYTHING else ("route",)


@contextmanager
def prepared(mode: str, folder: Path) -> Iterator[Place]:
    """Yield a place where the old model serves."""
    with place(mode, folder) as found:
        found.project.changed(hold="100ms")
        found.deployed(OLD)
        yield found


def next_candidate(found: Place, numbers: Iterator[int]) -> str:
    """Let another model be judged that nobody has seen yet; return its image."""
    number = next(numbers)
    named = image("345"[number % 3])
    found.manifest(MODEL_VERSION=f"v{number}")
    found.project.judged(named)
    return named


def writes_of_a_good_rollout(found: Place, folder: Path) -> int:
    script = Script()
    with proxied(found.kubeconfig, folder, script) as kubeconfig:
        code, said = found.run("deploy", kubeconfig=kubeconfig)
    assert code == 0, said
    return len(script.writes)


def killed_at(found: Place, folder: Path, number: int, *, after: bool, how: signal.Signals) -> None:
    """Run a deploy that is ended at its write *number*."""
    running: list[subprocess.Popen[str]] = []

    def kill(written: int) -> Fault | None:
        if written != number:
            return None
        running[0].send_signal(how)
        if how is signal.SIGKILL:
            running[0].wait()
            return Fault(0)
        return None

    script = Script(after=kill) if after else Script(before=kill)
    with proxied(found.kubeconfig, folder, script) as kubeconfig:
        running.append(found.start("deploy", kubeconfig=kubeconfig))
        ended(running[0])


@pytest.mark.parametrize("part", CHOSEN)
@pytest.mark.parametrize("mode", MODES)
def test_all_or_nothing_wherever_it_is_killed(mode: str, part: int, tmp_path: Path) -> None:
    numbers = itertools.count()
    with prepared(mode, tmp_path) as found:
        serves = next_candidate(found, numbers)
        writes = writes_of_a_good_rollout(found, tmp_path)
        points = list(itertools.product(range(1, writes + 1), (False, True)))[part::PARTS]
        for turn, (number, after) in enumerate(points, start=part):
            may_serve = [serves, next_candidate(found, numbers)]
            how = signal.SIGTERM if turn % 4 == 3 else signal.SIGKILL
            killed_at(found, tmp_path, number, after=after, how=how)
            if turn % 5 == 4:
                may_serve.append(next_candidate(found, numbers))
                found.run("deploy")
            else:
                found.run("deploy", "--resume-or-rollback")
            until(lambda: any(found.is_at_rest(one) == "" for one in may_serve))  # noqa: B023 - called at once
            accepted = found.record.accepted
            assert accepted is not None
            serves = accepted.release.image
    print(f"{mode}: killed {len(points)} times; a rollout has {writes} writes")  # noqa: T201 - for the log of CI


FAULTS: dict[str, Callable[[int], Fault | None]] = {
    "409": lambda number: Fault(409) if number in (3, 4, 7) else None,
    "429": lambda number: Fault(429, headers={"Retry-After": "1"}) if number % 4 == 2 else None,
    "500": lambda number: Fault(500) if number % 3 == 0 else None,
    "reset": lambda number: Fault(0) if number % 3 == 1 else None,
}


@pytest.mark.parametrize("mode", [mode for mode in FAULTY if mode in MODES])
@pytest.mark.parametrize(
    ("fault", "when"),
    [
        ("409", "before"),
        ("429", "before"),
        ("500", "before"),
        ("500", "after"),
        ("reset", "before"),
        ("reset", "after"),
    ],
)
def test_a_fault_of_the_api_is_no_double_step(mode: str, fault: str, when: str, tmp_path: Path) -> None:
    with prepared(mode, tmp_path) as found:
        found.manifest(MODEL_VERSION="two")
        found.project.judged(NEW)
        script = Script(**{when: FAULTS[fault]})  # type: ignore[arg-type]
        with proxied(found.kubeconfig, tmp_path, script) as kubeconfig:
            code, said = found.run("deploy", kubeconfig=kubeconfig)
        assert code in (0, 3, 4), said
        if code == 3:
            found.run("deploy", "--resume-or-rollback")
        until(lambda: found.is_at_rest(NEW if code == 0 else OLD) == "")
