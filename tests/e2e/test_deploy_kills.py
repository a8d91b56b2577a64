"""mlgate is killed before and after every write, and its writes fail in every way: all or nothing, and no leftovers."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.api_proxy import Fault, Script, proxied
from tests.support.deploy_project import image
from tests.support.rollout_cluster import MODES, Place, ended, place
from tests.support.waiting import until

pytestmark = pytest.mark.needs_cluster

OLD, NEW, OTHER = image("1"), image("2"), image("3")


@contextmanager
def prepared(mode: str, folder: Path) -> Iterator[Place]:
    """Yield a place where the old model serves and the new one was judged."""
    with place(mode, folder) as found:
        text = found.project.config.read_text().replace("hold: 1s", "hold: 100ms")
        found.project.config.write_text(text)
        found.deployed(OLD)
        found.manifest(MODEL_VERSION="two")
        found.project.judged(NEW)
        yield found


def writes_of_a_good_rollout(mode: str, folder: Path) -> int:
    with prepared(mode, folder) as found:
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


def resumed(found: Place) -> None:
    found.run("deploy", "--resume-or-rollback")


def replaced(found: Place) -> None:
    found.manifest(MODEL_VERSION="three")
    found.project.judged(OTHER)
    found.run("deploy")


@pytest.mark.parametrize("mode", MODES)
def test_all_or_nothing_wherever_it_is_killed(mode: str, tmp_path: Path) -> None:
    writes = writes_of_a_good_rollout(mode, tmp_path / "count")
    counted = 0
    for number in range(1, writes + 1):
        for after in (False, True):
            counted += 1
            how = signal.SIGKILL if counted % 4 else signal.SIGTERM
            next_one = replaced if counted % 5 == 0 else resumed
            folder = tmp_path / f"{number}-{after}"
            with prepared(mode, folder) as found:
                killed_at(found, folder, number, after=after, how=how)
                next_one(found)
                until(lambda found=found: any(found.is_at_rest(one) == "" for one in (OLD, NEW, OTHER)))  # type: ignore[misc]
    print(f"{mode}: killed {counted} times, at each of {writes} writes")  # noqa: T201 - for the log of CI


FAULTS: dict[str, Callable[[int], Fault | None]] = {
    "409": lambda number: Fault(409) if number in (3, 4, 7) else None,
    "429": lambda number: Fault(429, headers={"Retry-After": "1"}) if number % 4 == 2 else None,
    "500": lambda number: Fault(500) if number % 3 == 0 else None,
    "reset": lambda number: Fault(0) if number % 3 == 1 else None,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_of_the_api_is_no_double_step(mode: str, fault: str, when: str, tmp_path: Path) -> None:
    if (fault, when) in (("409", "after"), ("429", "after")):
        pytest.skip("a server that refuses has not carried it out")
    with prepared(mode, tmp_path) as found:
        script = Script(**{when: FAULTS[fault]})  # type: ignore[arg-type]
        with proxied(found.kubeconfig, tmp_path, script) as kubeconfig:
            code, said = found.run("deploy", kubeconfig=kubeconfig)
        assert code in (0, 3, 4), said
        if code == 3:
            found.run("deploy", "--resume-or-rollback")
        until(lambda: found.is_at_rest(NEW if code == 0 else OLD) == "")
