"""Observing: ask what is planned, keep every row, stop when the judge has seen enough. Read this file first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlgate.core.asked import marked
from mlgate.core.check import Check, Suite
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Environment, Evidence, Observation, Provenance, Row
from mlgate.core.latency.block import SKIPPED
from mlgate.core.latency.generator import GENERATOR_FLAW
from mlgate.core.outcome import Outcome
from mlgate.core.ports import BaselineStore, Decided, Executor, Journal, Kinds, Progress, Standing
from mlgate.core.verdict import MORE_SETTLES
from mlgate.flow.fitting import Use
from mlgate.flow.judge import Baseline, beside, judge_check
from mlgate.flow.latency_noise import is_restless

OPEN = MORE_SETTLES | {"left-out", "early", "not-measured"}
"""The topics of findings that more rounds may settle."""


def observe(
    suite: Suite,
    kinds: Kinds,
    executor: Executor,
    *,
    kept: Evidence,
    environment: Environment,
    journal: Journal,
    progress: Progress,
) -> Evidence:
    """Ask what is not yet settled. Every row is in the journal before it is counted."""
    rows = []
    kept = usable(suite, kinds, kept)
    with progress:
        for row in executor.observe(suite.without(kept.rows)):
            journal.append(row)
            rows.append(row)
            progress.advance(row)
    fresh = Evidence.of(kept.provenance, [environment], rows)
    return marked(suite, kept | fresh)


def usable(suite: Suite, kinds: Kinds, evidence: Evidence) -> Evidence:
    """Return the part of *evidence* that need not be asked again. The rest must go: its rows will come once more."""
    known = set(settled(suite, kinds, evidence))
    return replace(evidence, rows={key: row for key, row in evidence.rows.items() if key in known})


def settled(suite: Suite, kinds: Kinds, evidence: Evidence) -> Iterable[tuple[str, str]]:
    """Return the examples that need not be asked again: observed, and usable by their kind of check.

    A check whose rows come from tests is asked whole again when anything of it is missing: tests do not run by example.
    """
    usable: dict[str, list[tuple[str, str]]] = {}
    torn: set[str] = set()
    for one in suite.checks:
        rows = evidence.under(one.id)
        kind = kinds[one.kind]
        holes = kind.holes(one, kind.read(one, rows))
        usable[one.id] = [(one.id, name) for name in one.rows if name in rows and name not in holes]
        if kind.together and (holes or len(usable[one.id]) < len(one.rows)):
            torn |= {one.id, one.baseline_of} if one.rounds else {one.id}
    for one in suite.checks:  # two sides that are asked in turn are asked again together
        if one.id not in torn and not (one.rounds and one.baseline_of in torn):
            yield from usable[one.id]


def settles(suite: Suite, kinds: Kinds, provenance: Provenance, baseline: Baseline | None) -> Decided:
    """Return what tells a timed check whether it may stop: no rule of it is open any more, or one is broken.

    It is the very judging that comes at the end, over the rounds so far; the rest counts as not needed.
    """

    def decided(check: Check, rows: Sequence[Row]) -> Standing:
        sides = tuple(one for one in suite.checks if check.id in (one.id, one.baseline_of))
        known = {row.key for row in rows}
        skipped = [
            Observation(one.id, name, {SKIPPED: "not yet"})
            for one in sides
            for name in one.rows
            if (one.id, name) not in known
        ]
        evidence = Evidence.of(provenance, [], [*rows, *skipped])
        asked = next(one for one in sides if one.id == check.id)
        judged = judge_check(asked, kinds, evidence, beside(replace(suite, checks=sides), evidence, baseline))
        broken = any(finding.outcome is Outcome.FAILED for finding in judged.findings)
        if broken or not any(finding.topic in OPEN for finding in judged.findings):
            return Standing.SETTLED
        rounds, past = judged.reading.rounds, judged.past.rounds if judged.past else None
        late = rounds is not None and rounds.flaw.startswith(GENERATOR_FLAW)
        noisy = past is not None and any(is_restless(finding, past) for finding in judged.findings)
        return Standing.DISTURBED if late or noisy else Standing.OPEN

    return decided


def nothing(provenance: Provenance) -> Evidence:
    """Return the evidence of a run that has not begun."""
    return Evidence.of(provenance, [], [])


def look_up(store: BaselineStore, *, first: bool, bootstrap: bool, use: Use = Use.SAME) -> Baseline:
    """Load the baseline. What is absent or damaged is said by every rule that needs it, not by a crash."""
    try:
        evidence = store.load()
    except EvidenceError as error:
        why = f"the baseline ({store.source}) is damaged: {error}"
        return Baseline(store.source, None, why, damaged=True, bootstrap=bootstrap)
    if evidence is None:
        why = f"there is no baseline yet ({store.source}); {store.accept}"
        return Baseline(store.source, None, why, first=first, bootstrap=bootstrap)
    return Baseline(store.source, evidence, bootstrap=bootstrap, use=use)
