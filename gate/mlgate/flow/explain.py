"""Explaining: which examples moved a metric most, with the texts side by side."""

from __future__ import annotations

from collections.abc import Sequence

from mlgate.core.check import Check, Suite
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.evidence import Evidence
from mlgate.core.ports import Kind, Kinds
from mlgate.core.report import Segment
from mlgate.flow.asking_again import can_help
from mlgate.flow.fitting import Unfit, Use, fit
from mlgate.flow.influential_examples import most_moved
from mlgate.flow.judge import Baseline
from mlgate.flow.scoring import Incomplete, Scored, score

WHOLE_TEXT = 20_000
"""Characters of a text that a person may ask to read."""


def explain(
    suite: Suite, kinds: Kinds, evidence: Evidence, baseline: Baseline | None, *, check: str, metric: str, count: int
) -> Sequence[Segment]:
    """Return the *count* examples that cost *metric* most, worst first. Empty names choose the first there is."""
    chosen = _check(suite, check, metric)
    kind = kinds[chosen.kind]
    scored = _scored(chosen, kind, evidence, Use.RESCORED)
    if isinstance(scored, Incomplete):
        again = can_help(evidence.under(chosen.id).values())
        hint = "mlgate check --resume" if again else "mend what the reason names, then mlgate check"
        raise EvidenceError(f"{chosen.id} cannot be explained: {scored.why}", hint=hint)
    name = metric or next(iter(scored.statistics), "")
    if (name in scored.parts and name not in scored.statistics) or (chosen.rounds and not metric):
        of_examples = ", ".join(f"--metric {one}" for one in scored.statistics)
        raise ConfigError(
            f"{name if metric else chosen.id} is measured by rounds of timed load: no single example explains it",
            hint=f"read its rounds: mlgate replay, or report.json; of examples there are: {of_examples or 'none'}",
        )
    if name not in scored.statistics:
        why = scored.unscored.get(name, f"{chosen.id} does not measure {name or 'anything'}")
        raise ConfigError(why, hint=f"it measures: {', '.join(scored.statistics) or 'nothing'}")
    before = _scored(chosen, kind, baseline.evidence, baseline.use) if baseline and baseline.evidence else None
    past = before if isinstance(before, Scored) else None
    return list(most_moved(chosen, kind, scored, past, name, count=count, limit=WHOLE_TEXT))


def _scored(check: Check, kind: Kind, evidence: Evidence, use: Use) -> Scored | Incomplete:
    found = fit(check, evidence, use)
    if isinstance(found, Unfit):
        return Incomplete(found.why)
    return score(check, kind, found, kind.read(check, found.rows))


def _check(suite: Suite, check: str, metric: str) -> Check:
    fitting = [
        one
        for one in suite.checks
        if check in ("", one.id) and (not metric or any(choice.name == metric for choice in one.metrics))
    ]
    if not fitting:
        if check and all(one.id != check for one in suite.checks):
            raise ConfigError(
                f"no check is called {check}", hint=f"there are: {', '.join(one.id for one in suite.checks)}"
            )
        known = "; ".join(f"{one.id}: {', '.join(choice.name for choice in one.metrics)}" for one in suite.checks)
        raise ConfigError(
            f"{check or 'no check'} {'does not measure' if check else 'measures'} {metric}", hint=f"there are: {known}"
        )
    return fitting[0]
