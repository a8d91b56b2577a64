"""One gate from two files: the base branch's rules bind, and what the change under test adds can only block more.

A pull request may edit its own mlgate.yaml. Its rules are compared with the base's by meaning; whatever is looser or
not comparable is judged as the base has it, and shown. So no edit of the file turns a block into a pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mlgate.core.check import Check, Example, Json, data_digest
from mlgate.core.groups import groups_of
from mlgate.core.metric import ERROR_RATE
from mlgate.core.rule_change import Direction, RuleChange
from mlgate.flow.base_rules_diff import ruled

_CODE = "code"
"""The parameter with the digest of the user's tests: always the head's, for its tests are what runs."""


def joined(base: Sequence[Check], head: Sequence[Check]) -> tuple[tuple[Check, ...], tuple[RuleChange, ...]]:
    """Return the checks that bind both ways, in the base's order, new ones last; and the changes, looser first."""
    heads, known = {check.id: check for check in head}, {check.id for check in base}
    checks: list[Check] = []
    changes: list[RuleChange] = []
    for check in base:
        other = heads.get(check.id)
        one, found = _both(check, other) if other else _removed_check(check)
        checks.append(one)
        changes += found
    for check in head:
        if check.id not in known:
            changes.append(RuleChange(Direction.TIGHTER, f"the check {check.id} is new", _place(check)))
            checks.append(check)
    return tuple(checks), ordered(changes)


def ordered(changes: Sequence[RuleChange]) -> tuple[RuleChange, ...]:
    """Return changes in the order of their directions, what asks another question first; else as they came."""
    ranks = list(Direction)
    return tuple(sorted(changes, key=lambda change: ranks.index(change.direction)))


def _place(check: Check) -> str:
    return next((rule.where for rule in check.rules if rule.where), "")


def _removed_check(check: Check) -> tuple[Check, list[RuleChange]]:
    note = "the base's rule, whose check this change removes"
    change = RuleChange(Direction.LOOSER, f"the check {check.id} is removed", _place(check))
    return replace(check, rules=tuple(replace(rule, note=note) for rule in check.rules)), [change]


def _both(base: Check, head: Check) -> tuple[Check, list[RuleChange]]:
    """Return one check that asks what the base asks, under the base's rules and the head's further ones."""
    otherwise = [*_asked_otherwise(base, head)]
    recomputed, forgiving = _metrics_computed_otherwise(base, head), _forgiving(base, head)
    known = {choice.name for choice in base.metrics}
    added = tuple(c for c in head.metrics if not (otherwise or c.name in known or c.name in forgiving))
    # a metric of the base may be computed by a field of the data that the head's file does not read
    richer = not otherwise and set(base.slices) <= set(head.slices) and _fields(base) <= _fields(head)
    asked = head if richer else base
    foreign = base.kind != head.kind or (otherwise and base.rounds)  # its rules need what only the head plans
    names = set() if foreign else known - recomputed - forgiving | {choice.name for choice in added}
    rules, changes = ruled(
        base,
        head,
        binds=lambda rule: rule.metric in names and rule.slice_by in ("", *asked.slices),
        note="asked as the base asks it" if otherwise else "",
    )
    own = head.params.get(_CODE) if base.kind == head.kind else None
    params: Mapping[str, Json] = base.params if own is None else {**base.params, _CODE: own}
    one = replace(
        base,
        examples=_in_groups_of(base, asked.examples),
        data_digest=asked.data_digest,
        slices=asked.slices,
        added_slices=tuple(name for name in asked.slices if name not in base.slices),
        notices=asked.notices,
        metrics=(*base.metrics, *added),
        rules=rules,
        params=params,
    )
    otherwise += [] if otherwise else _groups(base, head)
    return one, [*otherwise, *_metric_changes(base, head, recomputed, forgiving), *changes, *_slices(base, head)]


def _asked_otherwise(base: Check, head: Check) -> Iterator[RuleChange]:
    """Yield what makes the answers of the two answers to other questions."""
    if base.kind != head.kind:
        yield RuleChange(Direction.DIFFERENT, f"{base.id}: kind {base.kind} becomes {head.kind}", _place(head))
        return
    if data := _other_data(base, head):
        yield RuleChange(Direction.DIFFERENT, f"{base.id}: other data, {data}", _place(head))
    before = {name: value for name, value in base.params.items() if name != _CODE}
    after = {name: value for name, value in head.params.items() if name != _CODE}
    if before != after or base.rounds != head.rounds:
        names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        yield RuleChange(
            Direction.DIFFERENT, f"{base.id}: asked otherwise ({', '.join(names) or 'rounds'})", _place(head)
        )


def _other_data(base: Check, head: Check) -> str:
    """Return how the data differ in what is asked, in good answers, or in the fields that both read; empty: not.

    By digest: to Python 1 equals True, and a model may tell them apart.
    """
    shared = _fields(base) & _fields(head)
    before, after = ([_asked_of(example, shared) for example in _by_id(check)] for check in (base, head))
    if len(before) != len(after):
        return f"{len(before):,} examples become {len(after):,}"
    edited = sum(one != other for one, other in zip(before, after, strict=True))
    return f"{edited:,} of {len(before):,} examples are edited" if edited else ""


def _by_id(check: Check) -> Sequence[Example]:
    """Return the examples in an order that does not depend on the file's."""
    return sorted(check.examples, key=lambda example: example.id)


def _groups(base: Check, head: Check) -> Iterator[RuleChange]:
    """Yield that the change groups the same examples otherwise: more groups make an interval narrower, fewer wider."""
    before, after = groups_of(_by_id(base)), groups_of(_by_id(head))
    if (None if before is None else before.tolist()) != (None if after is None else after.tolist()):
        what = f"{base.id}: the data are grouped otherwise: the base's groups are used"
        yield RuleChange(Direction.DIFFERENT, what, _place(head))


def _in_groups_of(base: Check, examples: Sequence[Example]) -> tuple[Example, ...]:
    groups = {example.id: example.group for example in base.examples}
    return tuple(replace(example, group=groups[example.id]) for example in examples)


def _fields(check: Check) -> frozenset[str]:
    """Return the fields that a check reads beside inputs and references: to slice by, or to mix its load by."""
    return frozenset(name for example in check.examples for name, _ in example.slices)


def _asked_of(example: Example, fields: Collection[str]) -> tuple[str, Sequence[tuple[str, str]]]:
    return data_digest([example]), sorted(pair for pair in example.slices if pair[0] in fields)


def _metrics_computed_otherwise(base: Check, head: Check) -> frozenset[str]:
    """Return the metrics that the head computes by other options, or that are other ones under the same name."""
    known = {choice.name: choice for choice in base.metrics}
    return frozenset(choice.name for choice in head.metrics if known.get(choice.name, choice) != choice)


def _forgiving(base: Check, head: Check) -> frozenset[str]:
    """Return the head's names of the error rate, where a limit of it is new.

    It looks like one rule more, but failed answers block without it, and are scored with it.
    """
    held, holds = _rates(base), _rates(head)
    return holds if not held else frozenset()


def _rates(check: Check) -> frozenset[str]:
    names = {choice.name for choice in check.metrics if choice.kind == ERROR_RATE.name}
    return frozenset(rule.metric for rule in check.rules if rule.metric in names and not rule.slice_by)


def _metric_changes(
    base: Check, head: Check, recomputed: Collection[str], forgiving: Collection[str]
) -> Iterator[RuleChange]:
    for name in sorted(recomputed):
        yield RuleChange(Direction.DIFFERENT, f"{base.id}/{name} is computed with other settings", _place(head))
    for name in sorted(forgiving):
        where = next(rule.where for rule in head.rules if rule.metric == name)
        yield RuleChange(Direction.LOOSER, f"{base.id}/{name}: failed answers would count, and no longer block", where)


def _slices(base: Check, head: Check) -> Iterator[RuleChange]:
    for name in base.slices:
        if name not in head.slices:
            yield RuleChange(Direction.LOOSER, f"{base.id}: the slices by {name} are removed", _place(head))
