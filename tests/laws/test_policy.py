"""Whatever a change writes into its own mlgate.yaml, it is never judged better than by its base's rules alone."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.accuracy import AccuracyKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance, Row
from mlgate.core.outcome import Outcome
from mlgate.core.rule_change import Direction
from mlgate.core.stats.jackknife import SMALLEST_SLICE
from mlgate.flow.base_rules import joined
from mlgate.flow.judge import Baseline, judge

KINDS = {"accuracy": AccuracyKind()}
WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "house", "quickly", "big", "small"]
METRICS = (
    MetricChoice("chrf", "chrf"),
    MetricChoice("exact_match", "exact_match"),
    MetricChoice("token_f1", "token_f1"),
    MetricChoice("error_rate", "error_rate"),
)
FIELDS = ("half", "third", "tenth")
N = 2 * SMALLEST_SLICE + 10


def examples(seed: int, n: int = N) -> tuple[Example, ...]:
    rng = random.Random(seed)
    found = []
    for i in range(n):
        reference = " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 9)))
        slices = (("half", str(i % 2)), ("third", str(i % 3)), ("tenth", str(i % 10 == 0)))
        found.append(Example(f"{i:03}", f"input {i}", (reference,), slices))
    return tuple(found)


DATA = examples(1)
OTHER = (examples(1, N - 1), (replace(DATA[0], input="another"), *DATA[1:]), (replace(DATA[0], references=("x",)),))


def sliced(data: tuple[Example, ...], fields: tuple[str, ...]) -> tuple[Example, ...]:
    return tuple(replace(one, slices=tuple(pair for pair in one.slices if pair[0] in fields)) for one in data)


def scale(metric: str) -> float:
    return 100.0 if metric == "chrf" else 1.0


SOFT = st.sampled_from([Outcome.INCONCLUSIVE, Outcome.WARNED])
BREACH = st.sampled_from([Outcome.FAILED, Outcome.WARNED])


@st.composite
def rules(draw: st.DrawFn, names: tuple[str, ...], fields: tuple[str, ...]) -> tuple[Rule, ...]:
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(names),
                st.sampled_from([one for one in Bound if one.is_of_checks]),
                st.sampled_from(["", *fields]),
            ),
            unique=True,
            min_size=1,
            max_size=5,
        )
    )
    found = []
    for number, (metric, bound, by) in enumerate(keys):
        falls = bound in (Bound.MAX, Bound.MAX_RISE)
        if falls is not (metric == "error_rate") and bound.compares:
            bound = Bound.MAX_RISE if metric == "error_rate" else Bound.MAX_DROP  # noqa: PLW2901
        found.append(
            Rule(
                metric,
                bound,
                draw(st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.5, 0.8])) * (1 if bound.compares else scale(metric)),
                relative=bound.compares and draw(st.booleans()),
                confidence=draw(st.sampled_from([0.8, 0.95, 0.99])) if bound.compares else 0.95,
                on_breach=draw(BREACH),
                on_inconclusive=draw(SOFT),
                slice_by=by,
                where=f"mlgate.yaml:{number + 1}:1",
            )
        )
    return tuple({(one.metric, one.bound, one.slice_by): one for one in found}.values())


@st.composite
def checks(draw: st.DrawFn, name: str = "notes") -> Check:
    fields = tuple(draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=2)))
    choices = tuple(draw(st.lists(st.sampled_from(METRICS), unique_by=lambda one: one.name, min_size=1)))
    held = draw(rules(tuple(one.name for one in choices), fields))
    asked = sliced(DATA, fields)
    return Check(name, "accuracy", asked, choices, held, fields, data_digest(asked))


def edited(draw: st.DrawFn, base: Check) -> Check:
    """Edit a check as a pull request may try to, one to three times."""
    head = base
    for _ in range(draw(st.integers(1, 3))):
        head = draw(st.sampled_from(EDITS))(draw, head)
    return head


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Check, Check]:
    base = draw(checks())
    return base, edited(draw, base)


def _limits(draw: st.DrawFn, head: Check) -> Check:
    number = draw(st.sampled_from([0.0, 0.3, 0.99, 1e9]))
    return replace(head, rules=tuple(replace(rule, limit=number) for rule in head.rules))


def _rules(draw: st.DrawFn, head: Check) -> Check:
    return replace(head, rules=draw(rules(tuple(one.name for one in head.metrics), head.slices)))


def _softer(draw: st.DrawFn, head: Check) -> Check:
    breach, soft, sure = draw(BREACH), draw(SOFT), draw(st.floats(0.51, 0.999))
    softer = (replace(rule, on_breach=breach, on_inconclusive=soft, confidence=sure) for rule in head.rules)
    return replace(head, rules=tuple(softer))


def _metrics(draw: st.DrawFn, head: Check) -> Check:
    further = draw(st.sampled_from(METRICS))
    named = replace(further, name=draw(st.sampled_from([further.name, "mine"])))
    kept = tuple(one for one in head.metrics if one.name != named.name)
    bound = Bound.MAX if further.kind == "error_rate" else draw(st.sampled_from([Bound.MIN, Bound.MAX_DROP]))
    rule = Rule(named.name, bound, draw(st.sampled_from([0.0, 1.0])), on_breach=draw(BREACH), where="mlgate.yaml:9:9")
    return replace(head, metrics=(*kept, named), rules=(*(r for r in head.rules if r.metric != named.name), rule))


def _renamed(draw: st.DrawFn, head: Check) -> Check:
    kind = draw(st.sampled_from(METRICS)).kind
    return replace(head, metrics=tuple(replace(one, kind=kind) for one in head.metrics))


def _slices(draw: st.DrawFn, head: Check) -> Check:
    fields = tuple(draw(st.lists(st.sampled_from(FIELDS), unique=True)))
    asked = sliced(DATA, fields)
    kept = tuple(rule for rule in head.rules if rule.slice_by in ("", *fields))
    return replace(head, slices=fields, examples=asked, data_digest=data_digest(asked), rules=kept)


def _values(_: st.DrawFn, head: Check) -> Check:
    asked = tuple(replace(one, slices=tuple((name, "all") for name, _ in one.slices)) for one in head.examples)
    return replace(head, examples=asked, data_digest=data_digest(asked))


def _data(draw: st.DrawFn, head: Check) -> Check:
    asked = sliced(draw(st.sampled_from(OTHER)), head.slices)
    return replace(head, examples=asked, data_digest=data_digest(asked))


EDITS = (_limits, _rules, _softer, _metrics, _renamed, _slices, _values, _data)


def answers(draw: st.DrawFn, share: float, failing: bool) -> dict[str, Row]:
    rng = random.Random(draw(st.integers(0, 5)))
    rows: dict[str, Row] = {}
    for one in DATA:
        text = " ".join(word if rng.random() < share else "no" for word in one.references[0].split())
        rows[one.id] = Observation("notes", one.id, {"answer": text})
    if failing:
        for one in DATA[:: draw(st.sampled_from([1, 7, 100]))]:
            rows[one.id] = Gap("notes", one.id, "status 500", "model")
    return rows


def outcome(suite: Suite, rows: dict[str, Row], before: dict[str, Row]) -> Outcome:
    """Judge the same model, asked what each suite asks, under its rules."""
    return judge(suite, KINDS, evidence(suite, rows), Baseline("b", evidence(suite, before))).outcome


def evidence(suite: Suite, rows: dict[str, Row]) -> Evidence:
    data = tuple(sorted((check.id, check.data_digest) for check in suite.checks))
    asked = [replace(rows[e.id], check=check.id) for check in suite.checks for e in check.examples]
    return Evidence.of(Provenance("c", suite.digest, "m", data), [], asked)


@settings(max_examples=40)
@given(checks(), st.data())
def test_no_edit_of_its_rules_makes_a_changes_verdict_better(base: Check, data: st.DataObject) -> None:
    draw: st.DrawFn = data.draw  # type: ignore[assignment]
    head = data.draw(checks()) if data.draw(st.booleans()) else edited(draw, base)
    further = data.draw(st.lists(checks("more"), max_size=1))
    rows = answers(draw, data.draw(st.sampled_from([0.0, 0.5, 0.8, 1.0])), data.draw(st.booleans()))
    before = answers(draw, data.draw(st.sampled_from([0.5, 0.85])), failing=False)
    removed = data.draw(st.booleans()) and bool(further)
    both, changes = joined([base], [*(() if removed else (head,)), *further])
    alone = outcome(Suite.of([base]), rows, before)
    together = outcome(Suite.of(both), rows, before)
    assert together >= alone
    assert not alone.blocks or together.blocks
    own = outcome(Suite.of([head]), {**rows, **{e.id: rows["000"] for e in head.examples if e.id not in rows}}, before)
    if alone > own and head.data_digest == base.data_digest and not removed:
        assert any(change.weakens for change in changes), "what is judged otherwise is told"


@settings(max_examples=20)
@given(checks(), st.data())
def test_what_only_tightens_binds_at_once(base: Check, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(base.rules) - 1))
    rule = base.rules[number]
    step = data.draw(st.sampled_from([0.01, 0.3])) * scale(rule.metric)
    limit = rule.limit + step if rule.bound is Bound.MIN else rule.limit - step
    tighter = replace(rule, limit=limit, on_breach=Outcome.FAILED, on_inconclusive=Outcome.INCONCLUSIVE)
    head = replace(base, rules=(*base.rules[:number], tighter, *base.rules[number + 1 :]))
    draw: st.DrawFn = data.draw  # type: ignore[assignment]
    rows = answers(draw, data.draw(st.sampled_from([0.5, 0.8, 1.0])), failing=False)
    before = answers(draw, 0.8, failing=False)
    both, changes = joined([base], [head])
    assert outcome(Suite.of(both), rows, before) >= outcome(Suite.of([head]), rows, before)
    if Outcome.WARNED in (rule.on_breach, rule.on_inconclusive):
        assert {*base.rules, tighter} == {*both[0].rules}, "where the base softens, the tighter rule stands beside"
    else:
        assert both[0].rules == head.rules, "the tighter rule stands where the base's stood, and each is there once"
    assert {change.direction for change in changes} == {Direction.TIGHTER}


@given(checks())
def test_a_change_that_edits_no_rule_is_judged_as_ever(base: Check) -> None:
    both, changes = joined([base], [base])
    assert both == (base,)
    assert not changes
    assert not any(rule.note or rule.added for rule in both[0].rules)


@given(pairs())
def test_every_loosening_is_named(pair: tuple[Check, Check]) -> None:
    """What the head would judge more mildly, rule by rule, is in the list."""
    base, head = pair
    _, changes = joined([base], [head])
    said = [change.what for change in changes if change.weakens]
    heads = {(rule.metric, rule.bound, rule.slice_by): rule for rule in head.rules}
    for rule in base.rules:
        other = heads.get((rule.metric, rule.bound, rule.slice_by))
        name = f"notes/{rule.metric}" + (f" by {rule.slice_by}" if rule.slice_by else "")
        milder = other is None or (other.limit < rule.limit if rule.bound is Bound.MIN else other.limit > rule.limit)
        milder = milder or (other is not None and other.on_breach < rule.on_breach)
        if milder or (other is not None and other.on_inconclusive < rule.on_inconclusive):
            assert any(text.startswith((f"{name}:", f"{name} ")) for text in said), (name, said)
    for field in base.slices:
        assert field in head.slices or any(f"slices by {field} are removed" in text for text in said)


def spoken(seed: int, share: float) -> dict[str, Row]:
    rng = random.Random(seed)
    said = {one.id: " ".join(w if rng.random() < share else "no" for w in one.references[0].split()) for one in DATA}
    return {name: Observation("notes", name, {"answer": text}) for name, text in said.items()}


def test_comparisons_that_a_change_adds_take_nothing_from_the_bases() -> None:
    """All comparisons of a family hold at once: with more of them each fails less, and a soft rule passes."""
    asked = sliced(DATA, ())
    drop = Rule("token_f1", Bound.MAX_DROP, 0.0, on_inconclusive=Outcome.WARNED)
    base = Check("notes", "accuracy", asked, METRICS[2:3], (drop,), (), data_digest(asked))
    further = ("chrf", "exact_match", "rougeL")
    head = replace(
        base,
        metrics=(*base.metrics, *(MetricChoice(name, name) for name in further)),
        rules=(drop, *(replace(drop, metric=name, limit=1e9, on_breach=Outcome.WARNED) for name in further)),
    )
    both, changes = joined([base], [head])
    rows, before = spoken(3, 0.74), spoken(103, 0.8)
    assert outcome(Suite.of([base]), rows, before) is Outcome.FAILED
    assert outcome(Suite.of([head]), rows, before) is Outcome.WARNED, "by its own rules it would pass"
    assert outcome(Suite.of(both), rows, before) is Outcome.FAILED
    assert {change.direction for change in changes} == {Direction.TIGHTER}
