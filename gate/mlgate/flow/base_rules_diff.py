"""The rules of one check in two files: which bind, and what the change under test makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mlgate.core.check import Bound, Check, Rule
from mlgate.core.outcome import Outcome
from mlgate.core.rule_change import Direction, RuleChange

Key = tuple[str, Bound, str]

_LATER = "; it binds once it is merged"


def ruled(
    base: Check, head: Check, *, binds: Callable[[Rule], bool], note: str
) -> tuple[tuple[Rule, ...], tuple[RuleChange, ...]]:
    """Return the base's rules with the head's further ones behind them, and every change.

    A head's rule that nothing could make milder stands in for the base's. Every other one that *binds* (can be judged
    over what the base asks) is added beside it. *note* is what a reader should know of all rules of the base.
    """
    heads, bases = _by_key(head), _by_key(base)
    kept: list[Rule] = []
    added: list[Rule] = []
    changes: list[RuleChange] = []
    for key, rule in bases.items():
        other = heads.get(key)
        if other is None:
            changes.append(
                RuleChange(Direction.LOOSER, f"{_name(base, rule)}: {rule.limit_text} is removed", rule.where)
            )
            nearby = next((one.where for one in head.rules if one.where), rule.where)
            kept.append(replace(rule, where=nearby, note="the base's rule, which this change removes"))
            continue
        found = [*_changes_between(base, rule, other)]
        tighter = [change for change in found if change.direction is Direction.TIGHTER]
        stands_in = binds(other) and _is_never_milder(rule, other, found)
        if found and not stands_in:
            kept.append(replace(rule, where=other.where, note=_note_on_base_rule(rule, other)))
            added += [replace(other, added=True)] if tighter and binds(other) else []
        else:
            here = replace(other, base_limit=rule.limit) if found else rule
            kept.append(replace(here, where=other.where, note=note))
        changes += found if binds(other) else [_later(change) for change in found]
    for key, rule in heads.items():
        if key not in bases:
            change = RuleChange(Direction.TIGHTER, f"{_name(head, rule)}: {rule.limit_text} is new", rule.where)
            changes.append(change if binds(rule) else _later(change))
            added += [replace(rule, added=True)] if binds(rule) else []
    return (*kept, *added), tuple(changes)


def _by_key(check: Check) -> dict[Key, Rule]:
    return {(rule.metric, rule.bound, rule.slice_by): rule for rule in check.rules}


def _later(change: RuleChange) -> RuleChange:
    return replace(change, what=change.what + _LATER) if change.direction is Direction.TIGHTER else change


def _is_never_milder(base: Rule, head: Rule, found: Sequence[RuleChange]) -> bool:
    """Return whether *head* concludes at least as badly as *base* whatever was seen.

    More confidence is no such thing: an interval that is wider fails less. Nor is a rule where the base or the head
    softens anything, even where the limit is tighter: then the head's rule stands beside the base's.
    """
    tighter = all(change.direction is Direction.TIGHTER for change in found)
    soft = any(Outcome.WARNED in (rule.on_breach, rule.on_inconclusive) for rule in (base, head))
    return bool(found) and tighter and base.confidence == head.confidence and not soft


def _note_on_base_rule(base: Rule, head: Rule) -> str:
    """Return what to say of a base's rule at the place where the head has another."""
    if base.limit_text == head.limit_text:
        return "the base's rule, which this change edits"
    return f"the base's rule; this change writes {head.limit_text}"


def _name(check: Check, rule: Rule) -> str:
    return f"{check.id}/{rule.metric}" + (f" by {rule.slice_by}" if rule.slice_by else "")


def _changes_between(check: Check, base: Rule, head: Rule) -> Iterator[RuleChange]:
    name = _name(check, head)
    said = f"{name}: {base.limit_text} becomes {head.limit_text}"
    if base.relative != head.relative:
        yield RuleChange(Direction.DIFFERENT, said, head.where)
    elif base.limit != head.limit:
        rises = head.limit > base.limit
        looser = not rises if head.bound is Bound.MIN else rises
        yield RuleChange(Direction.LOOSER if looser else Direction.TIGHTER, said, head.where)
    if base.confidence != head.confidence:
        way = Direction.LOOSER if head.confidence < base.confidence else Direction.TIGHTER
        said = f"{name} {head.bound.value}: confidence {base.confidence:g} becomes {head.confidence:g}"
        yield RuleChange(way, said, head.where)
    for key, before, after in (
        ("on_breach", base.on_breach, head.on_breach),
        ("on_inconclusive", base.on_inconclusive, head.on_inconclusive),
    ):
        if before != after:
            way = Direction.LOOSER if after is Outcome.WARNED else Direction.TIGHTER
            said = "warn, not block" if way is Direction.LOOSER else "block, not warn"
            yield RuleChange(way, f"{name} {head.bound.value}: {key} becomes {said}", head.where)
