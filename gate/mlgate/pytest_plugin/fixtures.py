"""The fixtures for the user's own tests: `gate` records what they see, `mlgate_latency` times their functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlgate.core.check import Check, Example
from mlgate.core.errors import ConfigError
from mlgate.core.evidence import Observation
from mlgate.pytest_plugin.collector import COLLECTOR, Collector, is_rerun

if TYPE_CHECKING:
    from mlgate.pytest_timing import Stopwatch


class Gate:
    """What a user's test holds: the examples of a `recorded` check, and where to record what it saw."""

    def __init__(self, collector: Collector, *, is_rerun: bool = False) -> None:
        self._collector = collector
        self._is_rerun = is_rerun
        self.recorded: list[str] = []
        """Checks that this test recorded rows of."""

    def examples(self, check: str) -> tuple[Example, ...]:
        """Return the check's planned examples, with their references."""
        return self._check(check).examples

    def record(self, check: str, example: str | int, **numbers: float) -> None:
        """Record what was seen for one example: one call an example, all of the check's metrics in it.

        Numbers are judged later, by the rules of mlgate.yaml. Raises ConfigError for a check that is not `recorded`
        and ValueError for what is not a finite number.
        """
        planned = self._check(check)
        seen = {}
        for name, number in numbers.items():
            value = float(number)
            if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is unlike itself
                raise ValueError(f"{name} of {check}/{example} is {value}: record finite numbers")
            seen[name] = value
        self.recorded.append(planned.id)
        if not self._is_rerun:  # a second chance would be chosen by its outcome: what came first stands
            self._collector.rows.append(Observation(planned.id, str(example), seen))

    def _check(self, name: str) -> Check:
        for check in self._collector.plan.suite.checks:
            if check.id == name and "tests" in check.params:
                return check
        known = [check.id for check in self._collector.plan.suite.checks if "tests" in check.params]
        raise ConfigError(
            f"mlgate.yaml has no check {name!r} of kind recorded", hint=f"there are: {', '.join(known) or 'none'}"
        )


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Gate:
    """Record observations that mlgate.yaml's rules judge: `gate.record("tone", example_id, politeness=0.9)`."""
    return Gate(request.config.stash[COLLECTOR], is_rerun=is_rerun(request.node))


@pytest.fixture
def mlgate_latency() -> Stopwatch:
    """Time the test's own functions: `new, old = mlgate_latency.duet(f, g, inputs)`, then `new.ratio(old).high < 1.05`.

    Under xdist other workers share the machine: a duet stays fair, absolute times do not mean much.
    """
    from mlgate.pytest_timing import Stopwatch

    return Stopwatch()
