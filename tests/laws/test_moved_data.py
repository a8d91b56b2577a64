"""Comparing on what is common is comparing on nothing else: rows that only one side has change no comparison."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.laws.test_judge import KINDS, seen, spoken

from mlgate.core.asked import marked
from mlgate.core.check import Bound, Check, Rule, Suite, data_digest
from mlgate.core.evidence import Observation, Row
from mlgate.core.verdict import Finding
from mlgate.flow.fitting import Use
from mlgate.flow.judge import Baseline, judge

RULES = tuple(Rule(name, Bound.MAX_DROP, 1.0) for name in ("bleu", "chrf", "rougeL", "exact_match"))


def part(check: Check, places: set[int]) -> Check:
    examples = tuple(example for i, example in enumerate(check.examples) if i in places)
    return replace(check, examples=examples, data_digest=data_digest(examples))


def compared(after: Check, before: Check, new: list[Row], old: list[Row], use: Use) -> list[Finding]:
    """Judge the rows of *after*'s examples against a baseline that observed *before*'s."""
    today, then = Suite.of([after]), Suite.of([before])
    kept = marked(then, seen(then, [row for row in old if row.example in before.rows]))
    report = judge(
        today, KINDS, seen(today, [row for row in new if row.example in after.rows]), Baseline("file b", kept, use=use)
    )
    return sorted(report.findings, key=lambda finding: finding.rule.metric)


@given(st.integers(0, 10**6), st.integers(4, 40), st.data())
def test_comparing_what_is_common_is_comparing_it_alone(seed: int, n: int, data: st.DataObject) -> None:
    check, new = spoken(seed, n, *RULES)
    old: list[Row] = [
        replace(row, seen={"answer": f"{row.seen['answer']} ."}) if isinstance(row, Observation) and i % 3 else row
        for i, row in enumerate(new)
    ]
    places = st.sets(st.integers(0, n - 1), min_size=1)
    ours, theirs = data.draw(places), data.draw(places)
    if not ours & theirs:
        return
    partly = compared(part(check, ours), part(check, theirs), new, old, Use.COMMON)
    alone = compared(part(check, ours & theirs), part(check, ours & theirs), new, old, Use.SAME)
    for one, other in zip(partly, alone, strict=True):
        assert one.outcome is other.outcome
        assert repr((one.measured, one.why)) == repr((other.measured, other.why))  # as text: NaN is not equal to NaN
        assert one.delta is not None
        assert other.delta is not None
        for name in ("value", "alone", "identical", "unseen", "error"):  # the family's width is drawn, row by row
            assert repr(getattr(one.delta, name)) == repr(getattr(other.delta, name))


@given(st.integers(0, 10**6), st.integers(2, 20))
def test_the_order_of_the_data_changes_no_verdict(seed: int, n: int) -> None:
    check, rows = spoken(seed, n, *RULES)
    turned = replace(check, examples=check.examples[::-1], data_digest=data_digest(check.examples[::-1]))
    straight = compared(check, check, rows, rows, Use.SAME)
    assert [one.outcome for one in compared(turned, check, rows, rows, Use.SAME)] == [one.outcome for one in straight]
