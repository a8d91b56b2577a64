"""Two files made one gate: what each kind of edit comes to, in the words that a reviewer reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, data_digest
from mlgate.core.outcome import Outcome
from mlgate.core.rule_change import Direction
from mlgate.flow.base_rules import joined

MIN = Rule("chrf", Bound.MIN, 30.0, where="mlgate.yaml@base:5:1")
DROP = Rule("chrf", Bound.MAX_DROP, 2.0, where="mlgate.yaml@base:6:1")


def check(*rules: Rule, name: str = "notes", **parts: Any) -> Check:
    data = tuple(Example(str(i), f"input {i}", ("x",), (("kind", "a"),)) for i in range(3))
    choices = tuple(MetricChoice(metric, metric) for metric in dict.fromkeys(rule.metric for rule in rules))
    given = {"metrics": choices, "slices": ("kind",), "examples": data, "data_digest": data_digest(data), **parts}
    return Check(name, parts.pop("kind", "accuracy"), rules=rules, **{k: v for k, v in given.items() if k != "kind"})


def here(rule: Rule, **edits: Any) -> Rule:
    return replace(rule, where="mlgate.yaml:9:1", **edits)


def said(base: Check, head: Check) -> list[tuple[str, str]]:
    return [(change.direction.value, change.what) for change in joined([base], [head])[1]]


EDITS: list[tuple[dict[str, Any], str, str]] = [
    ({"limit": 20.0}, "looser", "notes/chrf: min 30 becomes min 20"),
    ({"limit": 40.0}, "tighter", "notes/chrf: min 30 becomes min 40"),
    ({"on_breach": Outcome.WARNED}, "looser", "notes/chrf min: on_breach becomes warn, not block"),
    ({"on_inconclusive": Outcome.WARNED}, "looser", "notes/chrf min: on_inconclusive becomes warn, not block"),
    ({"confidence": 0.8}, "looser", "notes/chrf min: confidence 0.95 becomes 0.8"),
    ({"confidence": 0.99}, "tighter", "notes/chrf min: confidence 0.95 becomes 0.99"),
]


@pytest.mark.parametrize(("edit", "way", "what"), EDITS)
def test_an_edit_of_a_rule_is_told_by_its_values(edit: dict[str, Any], way: str, what: str) -> None:
    assert said(check(MIN), check(here(MIN, **edit))) == [(way, what)]


def test_a_looser_rule_takes_no_effect_and_says_so_where_it_stands() -> None:
    (one,), _ = joined([check(MIN)], [check(here(MIN, limit=20.0))])
    assert one.rules == (here(MIN),)
    assert one.rules[0].note == "the base's rule; this change writes min 20"


def test_a_tighter_rule_stands_in_for_the_bases() -> None:
    (one,), _ = joined([check(DROP)], [check(here(DROP, limit=1.0))])
    assert one.rules == (here(DROP, limit=1.0),)
    assert not one.rules[0].added


@pytest.mark.parametrize("edit", [{"limit": 1.0, "confidence": 0.99}, {"limit": 1.0, "on_breach": Outcome.WARNED}])
def test_a_rule_that_may_be_milder_stands_beside_the_bases(edit: dict[str, Any]) -> None:
    (one,), _ = joined([check(DROP)], [check(here(DROP, **edit))])
    assert [rule.limit for rule in one.rules] == [2.0, 1.0]
    assert [rule.added for rule in one.rules] == [False, True], "compared in a family of its own"


def test_a_warning_does_not_stand_in_for_what_was_inconclusive_and_blocked() -> None:
    """With the tighter limit what nobody knew would be broken, and a broken rule of these only warns."""
    told = replace(DROP, on_breach=Outcome.WARNED)
    (one,), _ = joined([check(told)], [check(here(told, limit=1.0))])
    assert [rule.limit for rule in one.rules] == [2.0, 1.0]


def test_a_rule_that_is_removed_stays_and_says_so() -> None:
    kept = here(DROP)
    (one,), changes = joined([check(MIN, DROP)], [check(kept)])
    assert one.rules == (replace(MIN, where="mlgate.yaml:9:1"), kept)
    assert one.rules[0].note == "the base's rule, which this change removes"
    assert [(change.what, change.where) for change in changes] == [
        ("notes/chrf: min 30 is removed", "mlgate.yaml@base:5:1")
    ]


def test_a_check_that_is_removed_stays_and_a_new_one_is_added() -> None:
    new = check(here(MIN), name="more")
    both, changes = joined([check(MIN)], [new])
    assert [one.id for one in both] == ["notes", "more"]
    assert [(change.direction, change.what) for change in changes] == [
        (Direction.LOOSER, "the check notes is removed"),
        (Direction.TIGHTER, "the check more is new"),
    ]


def test_slices_that_a_change_adds_are_measured_and_take_nothing_from_the_bases() -> None:
    plain = check(MIN)
    data = tuple(replace(one, slices=(*one.slices, ("half", "b"))) for one in plain.examples)
    richer = check(MIN, examples=data, data_digest=data_digest(data), slices=("kind", "half"))
    (one,), changes = joined([plain], [richer])
    assert one.slices == ("kind", "half")
    assert one.added_slices == ("half",)
    assert not changes


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({"input": "other"}, "1 of 3 examples are edited"),
        ({"input": True}, "1 of 3 examples are edited"),
        ({"references": ("y",)}, "1 of 3 examples are edited"),
        ({"slices": (("kind", "b"),)}, "1 of 3 examples are edited"),
    ],
)
def test_other_questions_are_never_asked_in_place_of_the_bases(edit: dict[str, Any], what: str) -> None:
    base = check(MIN)
    if edit.get("input") is True:
        first = (replace(base.examples[0], input=1), *base.examples[1:])
        base = replace(base, examples=first, data_digest=data_digest(first))
    data = (replace(base.examples[0], **edit), *base.examples[1:])
    head = replace(check(here(MIN, limit=40.0)), examples=data, data_digest=data_digest(data))
    (one,), changes = joined([base], [head])
    assert one.examples == base.examples
    assert type(one.examples[0].input) is type(base.examples[0].input)
    assert one.data_digest == base.data_digest
    assert (changes[0].direction, changes[0].what) == (Direction.DIFFERENT, f"notes: other data, {what}")
    assert one.rules[0].limit == 40.0, "a tighter rule binds on the base's data, too"


def test_a_field_that_a_load_is_mixed_by_is_asked_as_the_base_has_it() -> None:
    base = check(MIN, slices=(), params={"mix": {"by": "kind", "weights": {"a": 9, "b": 1}}})
    data = (replace(base.examples[0], slices=(("kind", "b"),)), *base.examples[1:])
    head = replace(base, examples=data, data_digest=data_digest(data, "kind"))
    (one,), changes = joined([base], [head])
    assert one.examples == base.examples
    assert changes[0].what == "notes: other data, 1 of 3 examples are edited"


def test_slices_in_another_order_edit_no_example() -> None:
    data = tuple(replace(one, slices=(*one.slices, ("half", "b"))) for one in check(MIN).examples)
    turned = tuple(replace(one, slices=one.slices[::-1]) for one in data)
    base, head = (check(MIN, examples=one, data_digest=data_digest(one)) for one in (data, turned))
    assert not said(replace(base, slices=("kind", "half")), replace(head, slices=("half", "kind")))


def test_a_metric_that_is_computed_otherwise_is_the_bases_and_its_rule_waits() -> None:
    other = (MetricChoice("chrf", "chrf", {"word_order": 2}),)
    (one,), changes = joined([check(MIN)], [check(here(MIN, limit=40.0), metrics=other)])
    assert one.metrics == (MetricChoice("chrf", "chrf"),)
    assert one.rules[0].limit == 30.0
    assert [change.what for change in changes] == [
        "notes/chrf is computed with other settings",
        "notes/chrf: min 30 becomes min 40; it binds once it is merged",
    ]


def test_another_kind_is_the_bases() -> None:
    head = replace(check(here(MIN, limit=40.0)), kind="recorded", params={"code": ["x"], "tests": ["t.py"]})
    (one,), changes = joined([check(MIN)], [head])
    assert (one.kind, dict(one.params), one.rules[0].limit) == ("accuracy", {}, 30.0)
    assert changes[0].what == "notes: kind accuracy becomes recorded"


def test_recorded_checks_run_the_changes_tests_under_the_bases_rules() -> None:
    base = replace(check(MIN), kind="recorded", params={"code": ["old"], "tests": ["t.py"]})
    head = replace(base, params={"code": ["new"], "tests": ["t.py"]})
    (one,), changes = joined([base], [head])
    assert one.params == {"code": ["new"], "tests": ["t.py"]}
    assert not changes


@pytest.mark.parametrize("name", ["error_rate", "mine"])
def test_a_first_limit_of_failures_would_forgive_them(name: str) -> None:
    metrics = (MetricChoice("chrf", "chrf"), MetricChoice(name, "error_rate"))
    rates = Rule(name, Bound.MAX, 1.0, where="mlgate.yaml:9:1")
    (one,), changes = joined([check(MIN)], [check(here(MIN), rates, metrics=metrics)])
    assert [rule.metric for rule in one.rules] == ["chrf"]
    assert [choice.name for choice in one.metrics] == ["chrf"]
    assert changes[0].direction is Direction.LOOSER
    assert "no longer block" in changes[0].what


def test_a_field_that_a_metric_of_the_base_goes_by_cannot_be_left_unread() -> None:
    """The head's file reads the data without the field: by it, each example would have the default tokenizer."""
    by_language = MetricChoice("bleu", "bleu", {"tokenize": {"lang": {"zh": "zh", "default": "13a"}}})
    read = tuple(Example(str(i), f"input {i}", ("x",), (("lang", "zh"),)) for i in range(3))
    unread = tuple(replace(example, slices=()) for example in read)
    rule = Rule("bleu", Bound.MIN, 30.0, where="mlgate.yaml@base:5:1")
    base = check(rule, metrics=(by_language,), slices=(), examples=read, data_digest=data_digest(read))
    head = check(here(rule), slices=(), examples=unread, data_digest=data_digest(unread))
    (one,), _ = joined([base], [head])
    assert one.metrics[0] == by_language
    assert [example.slices for example in one.examples] == [example.slices for example in read]
