"""What a person should do next, derived from what was found."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.rule_change import RuleChange
from mlgate.core.verdict import DOCS, MORE_SETTLES, Finding
from mlgate.reports.content.next_steps_latency import advice, timed

_MOST_COMMANDS = 3
"""Commands of one sort: a list of twenty is no advice."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: a command to run or a place to open, and what for. Not escaped."""

    do: str
    why: str


def next_steps(report: Report, *, saved: bool = False) -> tuple[NextStep, ...]:
    """Return the next steps, most useful first; none when everything passed.

    *saved*: this very run becomes the baseline, so nobody needs to be told how to make one.
    """
    if report.outcome is Outcome.PASSED:
        return ()
    if not report.findings:
        return (NextStep("mlgate.yaml", "write at least one rule"),)
    if report.questions and report.verdict.outcome is Outcome.PASSED:
        return (*_questions(report.questions), NextStep(f"{DOCS}#question", "what this warning means"))
    worst = report.findings[0].outcome
    told = [f for f in report.findings if f.outcome is worst or f.outcome.blocks]
    steps = [*_observe_again(report), *([] if saved else _accept(told)), *_latency(report, told)]
    steps += [*_power(report, told), *_explain(report, told), *_places(told)]
    return (*steps, NextStep(told[0].docs, "what this finding means"))


def _questions(changes: Sequence[RuleChange]) -> list[NextStep]:
    places = list(dict.fromkeys(change.where for change in changes if change.where))[:_MOST_COMMANDS]
    return [NextStep(place, "what the change asks instead: let a person review it") for place in places]


def _observe_again(report: Report) -> list[NextStep]:
    if any(check.missing for check in report.checks):
        return [NextStep("mlgate check --resume", "ask only for what is missing, or merge the shard that has it")]
    if any(check.gaps for check in report.checks):
        return [NextStep("mlgate check --resume", "ask again only for what has no answer")]
    return []


def _accept(told: Sequence[Finding]) -> list[NextStep]:
    if any(f.topic == "no-baseline" for f in told):
        return [NextStep("mlgate check --save-baseline", "make this run the first baseline, if you trust it")]
    if any(f.topic == "unusable-baseline" for f in told):
        return [
            NextStep("mlgate check --bootstrap --save-baseline", "make this run the baseline, compared with nothing")
        ]
    return []


def _latency(report: Report, told: Sequence[Finding]) -> list[NextStep]:
    return [NextStep(do, why) for do, why in islice(advice(report, told), _MOST_COMMANDS)]


def _power(report: Report, told: Sequence[Finding]) -> list[NextStep]:
    """Return the command that names numbers, where a comparison is open or a rule of times may have failed by chance.

    It says nothing of what was not compared.
    """
    compared = [f for f in told if f.delta is not None and f.outcome.blocks and not f.slice]
    times = timed(report, compared)
    opened = [f for f in compared if f.topic in MORE_SETTLES]
    budgets, examples = any(f in times for f in opened), any(f not in times for f in opened)
    if opened:
        amounts = ["budget"] * budgets + ["number of examples"] * examples
        return [NextStep("mlgate power", f"which {', '.join(amounts)} or margin lets harmless changes pass")]
    if times:
        return [NextStep("mlgate power", "how often these rules would stop a harmless change")]
    return []


def _explain(report: Report, told: Sequence[Finding]) -> list[NextStep]:
    measured = [f for f in told if f.measured is not None and f.topic not in ("signatures", "too-few")]
    measured = [f for f in measured if not (f.delta and f.delta.identical)]
    times = {(f.check, f.rule.metric) for f in timed(report, measured)}
    asked = list(dict.fromkeys(key for f in measured if (key := (f.check, f.rule.metric)) not in times))[
        :_MOST_COMMANDS
    ]
    several = len(report.checks) > 1
    commands = (
        f"mlgate explain{f' --check={shlex.quote(check)}' if several else ''} --metric={shlex.quote(metric)}"
        for check, metric in asked
    )
    return [NextStep(command, "the examples behind the number") for command in commands]


def _places(told: Sequence[Finding]) -> list[NextStep]:
    rules = {f.rule.where: f for f in reversed(told) if f.rule.where and f.topic != "not-measured"}
    places = list(dict.fromkeys(f.rule.where for f in told if f.rule.where in rules))[:_MOST_COMMANDS]
    return [NextStep(place, f"the rule {_rule(rules[place])}") for place in places]


def _rule(finding: Finding) -> str:
    return f"{finding.check}/{finding.rule.metric} {finding.rule.limit_text}"
