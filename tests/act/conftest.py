"""A consumer's repository, and act over the staged product: one installation for all tests of a session."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.act import runner, staging, table
from tests.act.consumer import Consumer, Event
from tests.act.ran import Ran


class Act(Protocol):
    """runner.run() with the staged product and the session's installation; see there for the options."""

    def __call__(self, consumer: Consumer, event: Event, **options: object) -> Ran: ...


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all xdist workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This tree, staged once a worker."""
    return staging.stage(runner.ROOT, tmp_path_factory.mktemp("product"))


@pytest.fixture
def act(
    product: Path, session: Path, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Act:
    """act over the staged product; each run is a line of the table that the suite ends with."""

    def run(consumer: Consumer, event: Event, **options: Any) -> Ran:
        ran = runner.run(consumer, event, product=product, home=session / "mlgate-home", **options)
        record_property(table.PROPERTY, asdict(table.Line.of(request.node.name, event.name, ran)))
        return ran

    return run


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer(tmp_path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the scenarios that ran with their jobs, verdicts and times; with xdist, in the process that prints."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, [])]
    kept = [value for one in reports for name, value in one.user_properties if name == table.PROPERTY]
    if kept:
        terminalreporter.section("workflows that act ran")
        terminalreporter.write_line(table.render([table.Line(**value) for value in kept]))
