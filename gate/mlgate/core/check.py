"""What is asked for: examples, metrics, rules, checks and the suite of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

from mlgate.core.outcome import Outcome

START = "start"
"""The id of the row that says how the model of a timed check was started: sandbox, probes, cold start."""

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""A value that JSON can carry."""


def digest_of(value: Json) -> str:
    """Return the SHA-256 of a JSON value in its one canonical form: sorted keys, no spaces, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Bound(Enum):
    """What a rule can say about a metric."""

    MIN = "min"
    MAX = "max"
    MAX_DROP = "max_drop"
    MAX_RISE = "max_rise"
    SUPERIOR = "superior"
    """It must be shown better than the baseline. A rollout's rules alone have this; its limit is 0."""

    @property
    def compares(self) -> bool:
        """Whether the rule holds the candidate against the baseline."""
        return self in (Bound.MAX_DROP, Bound.MAX_RISE, Bound.SUPERIOR)

    @property
    def is_of_checks(self) -> bool:
        """Whether a check's rules can have it."""
        return self is not Bound.SUPERIOR


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to ask the model, and what a good answer is."""

    id: str
    input: Json
    references: tuple[str, ...] = ()
    slices: tuple[tuple[str, str], ...] = ()
    """Field and value, of the fields that the check slices by."""
    group: str = ""
    """Examples of one group depend on each other (a document's, a speaker's, copies): together they are one
    observation to every interval. Empty: this example depends on no other."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One bound that one metric must keep, and where it is written."""

    metric: str
    bound: Bound
    limit: float
    """The bound's number, in the metric's unit; for a relative rule a fraction of the baseline (0.1 is 10 %)."""
    relative: bool = False
    confidence: float = 0.95
    """Of the two-sided interval that a comparing rule is judged by."""
    on_breach: Outcome = Outcome.FAILED
    """FAILED, or WARNED for a rule that only tells."""
    on_inconclusive: Outcome = Outcome.INCONCLUSIVE
    """INCONCLUSIVE, or WARNED for a rule whose check is too small to settle it."""
    slice_by: str = ""
    """Empty: the whole check. Else a field: the rule holds for each of its values."""
    where: str = ""
    """`file:line:column` of the rule's number."""
    added: bool = field(default=False, compare=False)
    """Brought by a change, beyond its base's rules: compared in a family of its own, so that it widens none of them."""
    base_limit: float | None = field(default=None, compare=False)
    """Where it stands in for a looser rule of the base: that one's limit, by which it guards the base's comparisons."""
    note: str = field(default="", compare=False)
    """What a reader of a finding should know of the rule: that it is the base's, where the file has another."""

    @property
    def when_inconclusive(self) -> Outcome:
        """Return what the rule makes of "not settled".

        Where a breach only warns, this warns too: else a tighter limit, which turns "not settled" into a breach, would
        have the milder outcome.
        """
        return min(self.on_inconclusive, Outcome.WARNED) if self.on_breach is Outcome.WARNED else self.on_inconclusive

    @property
    def when_withheld(self) -> Outcome:
        """Return what the rule makes of a pass that is withheld for another reason than too little data."""
        return min(Outcome.INCONCLUSIVE, self.on_breach)

    def margin(self, baseline: float) -> float:
        """Return how much worse than a *baseline*'s value is allowed, in the metric's unit."""
        return self.limit * abs(baseline) if self.relative else self.limit

    def share(self, baseline: float) -> float:
        """Return the same as a share of that value, as times are compared."""
        return self.limit if self.relative else self.limit / baseline

    @property
    def limit_text(self) -> str:
        """Return the bound as it is written: `min 0.3`, `max_rise 10%`."""
        if self.bound is Bound.SUPERIOR:
            return "superior"
        return f"{self.bound.value} {self.limit * 100:g}%" if self.relative else f"{self.bound.value} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """A metric that a check measures: the name its rules use, and how it is computed."""

    name: str
    kind: str
    """The registered metric, e.g. `bleu`."""
    options: Mapping[str, Json] = field(default_factory=dict)
    """E.g. `tokenize: zh`."""
    filters: tuple[Json, ...] = ()
    """What is taken out of an answer before it is scored, as written: see `metrics/filters.py`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of question put to the model over a set of examples, and the rules its answers must keep."""

    id: str
    kind: str
    examples: tuple[Example, ...]
    """In the data's order. Their ids are unique."""
    metrics: tuple[MetricChoice, ...] = ()
    rules: tuple[Rule, ...] = ()
    slices: tuple[str, ...] = ()
    """The fields whose values are measured apart."""
    data_digest: str = ""
    """Of ids, inputs and references, and of the field that a load is mixed by: what the answers are answers to."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """What the kind needs to observe; part of the suite's digest."""
    notices: tuple[str, ...] = ()
    """What a person should know about the data: duplicate rows, empty references."""
    rounds: int = 0
    """0: each example is asked once. Else the most rounds of timed load, each over examples of its own choice."""
    exclusive: bool = False
    """Runs alone: nothing else may load the machine meanwhile. The first shard asks it whole."""
    added_slices: tuple[str, ...] = ()
    """Those of `slices` that a change brought, beyond its base's: see `Rule.added`."""
    baseline_of: str = ""
    """The check whose baseline this one observes, of the baseline's own model, in the same run. It has no rules."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the ids of the rows that must exist: the examples', or how it started and each round."""
        if self.rounds:
            return (START, *(f"{i:04}" for i in range(1, self.rounds + 1)))
        return tuple(example.id for example in self.examples)


def data_digest(examples: Iterable[Example], asked_by: str = "") -> str:
    """Return the digest of what is asked of a data set, by content, whatever file format it came in.

    How answers are divided when they are judged is no part of it: `slices:` come and go, and the answers stay.
    *asked_by* is a field that decides how often each example is asked.
    """
    lines = hashlib.sha256()
    for example in examples:
        asked: list[Json] = [[name, value] for name, value in example.slices if name == asked_by]
        lines.update(digest_of([example.id, example.input, list(example.references), asked]).encode())
    return lines.hexdigest()


MOST_TESTS = 100_000
"""Tests that record: nobody plans how many there are, and no session has more."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything a run asks: what must exist before anything runs, so that what is missing is missing."""

    checks: tuple[Check, ...]
    model: str = "model"
    """The model's name, for people."""
    digest: str = ""
    """Of what is observed (ids, kinds, data, params), not of the rules: evidence can be judged by other rules."""

    @classmethod
    def of(cls, checks: Iterable[Check], model: str = "model") -> Suite:
        """Build a suite with its digest."""
        checks = tuple(checks)
        asked: list[Json] = [[c.id, c.kind, c.data_digest, dict(c.params), c.rounds] for c in checks]
        return cls(checks, model, digest_of(asked))

    def shard(self, k: int, n: int) -> Suite:
        """Return part *k* of *n* (1-based): every n-th example of each check. The digest stays the whole's.

        A check that runs alone is not divided: the first part has it.
        """
        if not 1 <= k <= n:
            raise ValueError(f"shard {k}/{n} does not exist")
        offset = 0
        parts = []
        for check in self.checks:
            if check.exclusive:
                parts.append(check if k == 1 else replace(check, examples=(), rounds=0))
                continue
            start = (k - 1 - offset) % n
            parts.append(replace(check, examples=check.examples[start::n]))
            offset += len(check.examples)
        return replace(self, checks=tuple(parts))

    def only(self, ids: Collection[str]) -> Suite:
        """Return the suite with nothing left to ask but the checks of these *ids*. The digest stays the whole's."""
        checks = (check if check.id in ids else replace(check, examples=(), rounds=0) for check in self.checks)
        return replace(self, checks=tuple(checks))

    def without(self, answered: Iterable[tuple[str, str]]) -> Suite:
        """Return what is left to ask when the (check, example) pairs of *answered* are known."""
        known = set(answered)
        return replace(
            self,
            checks=tuple(_without_known(check, known) for check in self.checks),
        )

    @property
    def most_rows(self) -> int:
        """Return how many rows its evidence may have: the planned ones and, where tests record, a gap for each test."""
        tests = any("tests" in check.params for check in self.checks)
        return sum(len(check.rows) for check in self.checks) + (MOST_TESTS if tests else 0)

    @property
    def planned(self) -> frozenset[tuple[str, str]]:
        """Return the (check, example) pairs that must be observed."""
        return frozenset((check.id, row) for check in self.checks for row in check.rows)


def _without_known(check: Check, known: Collection[tuple[str, str]]) -> Check:
    """Return what is left to ask of one check: the unknown examples; of rounds all, until all are known."""
    if not check.rounds:
        return replace(check, examples=tuple(e for e in check.examples if (check.id, e.id) not in known))
    return replace(check, examples=(), rounds=0) if all((check.id, row) in known for row in check.rows) else check
