"""The account of the user's tests that record checks: opened before any runs, closed when one has passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from mlgate.adapters.executors import test_completion
from mlgate.pytest_plugin.collector import Collector, is_rerun
from mlgate.pytest_plugin.fixtures import Gate

_FAILED = pytest.StashKey[str]()
"""Why a test failed when it ran first."""


def open_tests(collector: Collector, items: Iterable[pytest.Item]) -> None:
    """Open the account of every test that records a check: one that never ends must not look like one that passed."""
    for item in items:
        for check in _owners(collector, item):
            collector.rows.append(test_completion.opened(check, item.nodeid))


def close_test(collector: Collector, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Close a test's account when it has ended, or say that it failed: a crash is not a good answer."""
    for check in _owners(collector, item):
        if is_rerun(item) and call.when == "setup":
            why = item.stash.get(_FAILED, "it failed")
            collector.rows.append(test_completion.rerun(check, item.nodeid, why))
        if report.failed:
            what = call.excinfo.exconly(tryshort=True).splitlines()[0] if call.excinfo else "failed"
            why = f"it failed in {call.when}: {what[:300]}"
            item.stash.setdefault(_FAILED, why)
            collector.rows.append(test_completion.failed(check, item.nodeid, why))
        elif call.when == "teardown":
            collector.rows.append(test_completion.closed(check, item.nodeid))


def fail_file(collector: Collector, nodeid: str) -> None:
    """Write down a test file that could not be collected: its tests are missing without a name."""
    for check in _checks_of(collector, Path(collector.plan.root) / nodeid.partition("::")[0]):
        collector.rows.append(test_completion.failed(check, nodeid, "it could not be collected"))


def _owners(collector: Collector, item: pytest.Item) -> Sequence[str]:
    """Return the checks that a test records: by the path that the check names, or by what it recorded."""
    held = getattr(item, "funcargs", {}).get("gate")
    recorded = held.recorded if isinstance(held, Gate) else []
    return tuple(dict.fromkeys([*_checks_of(collector, item.path), *recorded]))


def _checks_of(collector: Collector, path: Path) -> Sequence[str]:
    from mlgate.wiring.kinds import tests

    root = Path(collector.plan.root)
    return tuple(
        check.id
        for check in collector.plan.suite.checks
        if any(path.resolve().is_relative_to((root / name.split("::")[0]).resolve()) for name in tests(check))
    )
