"""Examples that depend on each other are one observation: no copy of a row makes anybody surer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.test_judge import KINDS, spoken

from mlgate.core.check import Bound, Check, Example, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Observation, Provenance, Row
from mlgate.core.groups import groups_of, with_copies_joined
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.stats.jackknife import ENOUGH_EQUAL, FEWEST_PAIRS, SMALLEST_SLICE
from mlgate.flow.base_rules import joined
from mlgate.flow.judge import Baseline, judge
from mlgate.reports.json_v1 import document as json_v1

DROPS = tuple(Rule(name, Bound.MAX_DROP, margin) for name, margin in (("chrf", 2.0), ("rougeL", 0.03), ("bleu", 4.0)))


def judged(check: Check, rows: Sequence[Row], before: Sequence[Row]) -> Report:
    suite = Suite.of([check])
    run = Provenance("abc", suite.digest, "m", ((check.id, check.data_digest),))
    return judge(
        suite, KINDS, Evidence.of(run, [], rows), Baseline("file b", Evidence.of(replace(run, model="old"), [], before))
    )


def copied(check: Check, rows: Sequence[Row], times: int, group: str) -> tuple[Check, list[Row]]:
    """The same examples so many times, under ids of their own."""
    examples = tuple(
        replace(example, id=f"{example.id}-{i}", group=f"{group}{example.id}" if group else "")
        for i in range(times)
        for example in check.examples
    )
    again: list[Row] = [
        replace(row, example=f"{row.example}-{i}") for i in range(times) for row in rows if isinstance(row, Observation)
    ]
    return replace(check, examples=examples, data_digest=data_digest(examples)), again


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(20, 60), st.integers(2, 5))
def test_copies_of_every_row_change_no_outcome_and_no_interval(seed: int, n: int, times: int) -> None:
    check, before = spoken(seed, n, *DROPS)
    _, rows = spoken(seed, n)
    rng = random.Random(seed)
    rows = [replace(row, seen={"answer": _worse(rng, row)}) for row in rows if isinstance(row, Observation)]
    once = judged(check, rows, before)
    many, again = copied(check, rows, times, "copy of ")
    _, past = copied(check, before, times, "copy of ")
    more = judged(many, again, past)
    found = {f.id: f for f in more.findings}
    for finding in once.findings:
        other = found[finding.id]
        assert other.outcome is finding.outcome
        assert finding.delta is not None
        assert other.delta is not None
        assert np.isclose(other.delta.low, finding.delta.low)
        assert np.isclose(other.delta.high, finding.delta.high)
    assert any(f"{n * times:,} examples in {n:,} groups" in notice for notice in more.notices)
    assert json_v1.parse(json_v1.render(more)).measurements == more.measurements


def _worse(rng: random.Random, row: Observation) -> str:
    return " ".join(word if rng.random() < 0.9 else "no" for word in str(row.seen["answer"]).split())


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.data())
def test_the_order_of_the_data_and_the_names_of_the_groups_change_nothing(seed: int, data: st.DataObject) -> None:
    check, before = spoken(seed, 40, *DROPS)
    _, rows = spoken(seed + 1, 40)
    names = data.draw(st.lists(st.sampled_from(["", *"abcdefghijklmnopqrstuvwxyz"]), min_size=40, max_size=40))
    grouped = tuple(replace(e, group=name) for e, name in zip(check.examples, names, strict=True))
    renamed = tuple(replace(e, group=e.group and f"group {e.group}") for e in data.draw(st.permutations(grouped)))
    one, other = (judged(replace(check, examples=examples), rows, before) for examples in (grouped, renamed))
    assert {f.id: f.outcome for f in one.findings} == {f.id: f.outcome for f in other.findings}
    widths = [{f.id: f.delta.alone.half for f in report.findings if f.delta} for report in (one, other)]
    assert widths[0].keys() == widths[1].keys()
    assert all(np.isclose(widths[0][name], widths[1][name], rtol=1e-9) for name in widths[0])


def test_groups_of_one_are_no_groups() -> None:
    examples = [Example(str(i), f"{i}", group=f"own {i}") for i in range(5)]
    assert groups_of(examples) is None
    assert groups_of([Example(str(i), f"{i}") for i in range(5)]) is None


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "x", "y", "z"])), max_size=12))
def test_joining_copies_keeps_every_group_together_and_loses_no_example(rows: list[tuple[str, str]]) -> None:
    examples = [Example(str(i), asks, group=group) for i, (group, asks) in enumerate(rows)]
    joined, copies = with_copies_joined(examples)
    assert [replace(e, group="") for e in joined] == [replace(e, group="") for e in examples]
    assert copies <= len(rows)
    for name in {group for group, _ in rows} - {""}:
        assert len({e.group for e, (group, _) in zip(joined, rows, strict=True) if group == name}) == 1
    assert with_copies_joined(joined)[0] == joined


@pytest.mark.parametrize(
    "copy", [str.upper, " {} ".format, "\u200b{}".format, "{}\u00ad".format, lambda text: text.replace("a", "\uff41")]
)
def test_a_copy_that_is_written_a_little_otherwise_is_a_copy(copy: Callable[[str], str]) -> None:
    texts = [f"a question {i} of many" for i in range(20)]
    examples = [Example(f"{i}", text) for i, text in enumerate([*texts, *map(copy, texts)])]
    found = groups_of(with_copies_joined(examples)[0])
    assert found is not None
    assert found.tolist() == [*range(20), *range(20)]


@pytest.mark.parametrize("own", [True, False])
def test_documents_that_were_copied_in_part_are_one_document(own: bool) -> None:
    examples = []
    for copy in range(10):
        for doc in range(20):
            kept = [i for i in range(10) if i != copy]
            texts = [f"{doc} {i}" for i in kept] + ([f"{doc} own {copy}"] if own else [])
            examples += [Example(f"{copy} {doc} {text}", text, group=f"{copy} {doc}") for text in texts]
    found = groups_of(with_copies_joined(examples)[0])
    assert found is not None
    assert len(set(found.tolist())) == 20


def test_rows_that_stand_in_one_document_and_again_without_one_are_of_it() -> None:
    examples = [Example(f"{doc} {i}", f"{doc} {i}", group=f"doc {doc}") for doc in range(10) for i in range(2)]
    examples += [replace(e, id=f"again {e.id}", group="") for e in examples]
    found = groups_of(with_copies_joined(examples)[0])
    assert found is not None
    assert len(set(found.tolist())) == 10


def test_too_few_groups_are_inconclusive_however_many_examples_and_say_how_many_would_do() -> None:
    check, before = spoken(5, 400, *DROPS)
    rng = random.Random(5)
    worse: list[Row] = [replace(r, seen={"answer": _worse(rng, r)}) for r in before if isinstance(r, Observation)]
    before, rows = ([*one[::2], *other[1::2]] for one, other in ((before, worse), (worse, before)))
    few = tuple(replace(e, group=f"doc {i % (FEWEST_PAIRS - 1)}") for i, e in enumerate(check.examples))
    report = judged(replace(check, examples=few), rows, before)
    assert {f.outcome for f in report.findings} == {Outcome.INCONCLUSIVE}
    assert report.findings[0].why.startswith("400 examples in 19 groups are too few to compare")
    assert "an interval needs 20 groups" in report.reason
    enough = tuple(replace(e, group=f"doc {i % 25}") for i, e in enumerate(check.examples))
    told = [f.why for f in judged(replace(check, examples=enough), rows, before).findings]
    assert all("400 examples in 25 groups" in why for why in told)
    assert any("groups would settle it" in why for why in told)


def test_a_slice_counts_its_groups() -> None:
    check, before = spoken(5, 4 * SMALLEST_SLICE, *DROPS[:1])
    for each, asked in ((1, True), (4, False)):
        examples = tuple(
            replace(e, slices=(("half", "left" if i % 2 else "right"),), group=f"doc {i // (2 * each)}")
            for i, e in enumerate(check.examples)
        )
        report = judged(replace(check, examples=examples, slices=("half",)), before, before)
        assert any(finding.slice for finding in report.findings) is asked


def some(n: int, *rules: Rule) -> tuple[Check, list[Row]]:
    return spoken(7, n, *rules)


@pytest.mark.parametrize(
    ("n", "rules", "outcome"),
    [
        (10, (DROPS[1],), Outcome.INCONCLUSIVE),
        (ENOUGH_EQUAL - 1, (DROPS[1],), Outcome.INCONCLUSIVE),
        (ENOUGH_EQUAL, (DROPS[1],), Outcome.PASSED),
        (10, (replace(DROPS[1], limit=0.5),), Outcome.PASSED),
        (10, (DROPS[1], Rule("rougeL", Bound.MIN, 0.5)), Outcome.PASSED),
        (10, (DROPS[1], Rule("rougeL", Bound.MIN, 0.0)), Outcome.INCONCLUSIVE),
        (10, (DROPS[1], Rule("rougeL", Bound.MIN, 0.5, base_limit=0.0)), Outcome.INCONCLUSIVE),
        (10, (DROPS[1], Rule("chrf", Bound.MIN, 50.0)), Outcome.INCONCLUSIVE),
        (10, (DROPS[1], Rule("rougeL", Bound.MIN, 0.5, on_breach=Outcome.WARNED)), Outcome.INCONCLUSIVE),
        (10, (DROPS[1], Rule("rougeL", Bound.MIN, 0.5, added=True)), Outcome.INCONCLUSIVE),
    ],
)
def test_few_equal_answers_pass_only_where_a_limit_guards_the_value_or_the_margin_is_wide(
    n: int, rules: tuple[Rule, ...], outcome: Outcome
) -> None:
    check, rows = some(n, *rules)
    report = judged(check, rows, rows)
    assert report.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert report.findings[0].topic == "unseen"
        assert "can miss answers that cost" in report.reason
        assert "would settle it, or a `min` of rougeL beside it" in report.reason


def test_many_small_changes_make_a_loss_that_was_not_seen_no_smaller() -> None:
    """Every answer is reworded a little; a hundred of them say nothing of one in a hundred that breaks."""
    check, before = some(110, Rule("chrf", Bound.MAX_DROP, 1.5))
    changed: list[Row] = [
        replace(row, seen={"answer": f"{row.seen['answer']} ."}) for row in before if isinstance(row, Observation)
    ]
    report = judged(check, changed, before)
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "unseen")
    guarded = replace(check, rules=(*check.rules, Rule("chrf", Bound.MIN, 50.0)))
    assert judged(guarded, changed, before).outcome is Outcome.PASSED


@pytest.mark.parametrize(("mine", "theirs"), [(2, 1), (1, 2), (4, 2), (2, 2)])
def test_a_change_does_not_choose_the_groups_that_it_is_judged_by(mine: int, theirs: int) -> None:
    """Ungrouped rows fail sooner and pass sooner; grouped ones are inconclusive, which a soft rule lets through."""
    check, _ = spoken(5, 40, *DROPS)

    def by(each: int) -> Check:
        examples = tuple(replace(e, group=f"doc {i // each}") for i, e in enumerate(check.examples))
        return replace(check, examples=examples, slices=("x",) if each == mine else ())

    (both,), changes = joined([by(theirs)], [by(mine)])
    assert groups_list(both) == groups_list(by(theirs))
    assert any("grouped otherwise" in change.what and change.weakens for change in changes) is (mine != theirs)


def groups_list(check: Check) -> list[int]:
    found = groups_of(check.examples)
    return list(range(len(check.examples))) if found is None else found.tolist()
