"""What serves is held against its own promotion: worse for certain, as it was, or not measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.verdict import Finding
from mlgate.flow.deploy import watch as flow
from mlgate.flow.deploy.watch import watch
from mlgate.reports.terminal.watch import render

RULES = (
    Rule("error_rate", Bound.MAX, 0.05),
    Rule("error_rate", Bound.MAX_RISE, 0.005),
    Rule("error_rate", Bound.SUPERIOR, 0.0),
    Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True),
)
EDGES = (50.0, 100.0, 250.0)


def seen(errors: float = 0.001, slow: float = 0.15, *, windows: int = 40, n: float = 500.0) -> Traffic:
    counts = TrafficCounts(n, round(n * errors), (round(n * 0.6), round(n * slow), round(n * slow / 20)), n)
    return Traffic(EDGES, tuple(TrafficWindow(15.0 * (i + 1), 15.0, counts, None) for i in range(windows)))


@pytest.mark.parametrize(
    ("now", "code", "says"),
    [
        (seen(), 0, "serves as it should"),
        (seen(errors=0.02), 1, "serves worse than its rules allow"),
        (seen(slow=0.4), 1, "serves worse than its rules allow"),
        (seen(n=1), 0, "serves as it should"),
        (seen(n=0), 3, "was not measured"),
        (Traffic(why="Prometheus does not answer"), 3, "was not measured"),
    ],
)
def test_one_look(now: Traffic, code: int, says: str) -> None:
    findings = watch("live", RULES, now, seen(windows=25))
    assert code_of(findings) == code, [one.why for one in findings]
    page = render("summarizer", "summarizer-1f2e3d4c", [(one.outcome, one.why) for one in findings])
    assert page.startswith(f"summarizer: summarizer-1f2e3d4c {says}\n")
    assert ("next: mlgate status" in page) == (code == 1)


def code_of(findings: Sequence[Finding]) -> int:
    return flow.exit_code([one.outcome for one in findings])


def test_a_model_that_is_young_has_been_counted_for_a_part_of_the_time_only() -> None:
    now = seen()
    young = tuple(
        one if index > 30 else TrafficWindow(one.at, 15.0, None, None) for index, one in enumerate(now.windows)
    )
    assert code_of(watch("live", RULES, Traffic(EDGES, young), seen())) == 0


def test_without_a_promotion_on_record_only_limits_are_held() -> None:
    findings = watch("live", RULES, seen(errors=0.02), None)
    assert [one.rule.bound for one in findings] == [Bound.MAX]
    assert code_of(findings) == 0
    assert code_of(watch("live", RULES, seen(errors=0.2), None)) == 1


def test_a_promotion_that_was_bad_itself_excuses_no_limit() -> None:
    assert code_of(watch("live", RULES, seen(errors=0.2), seen(errors=0.2))) == 1


def test_a_promotion_that_was_not_counted_is_not_compared_with() -> None:
    assert code_of(watch("live", RULES, seen(), Traffic())) == 3
