"""A consumer's repository, and act over the staged product: one installation for all tests of a session."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from tests.act import runner, staging
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
def act(product: Path, session: Path) -> Act:
    return partial(runner.run, product=product, home=session / "mlgate-home")


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer(tmp_path)
