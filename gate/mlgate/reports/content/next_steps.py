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
from mlgate.reports.content.next_steps_latency import ONCE_MORE, advice, timed

_MOST_COMMANDS = 3
"""Commands of one sort: a list of twenty is no advice."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: a command to run or a place to open, and what for. Not escaped."""

    do: str
    why: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What the commands of a next step must be told, beyond what they find by themselves."""

    config: str = ""
    """The gate's file, where it is not the one that is found."""
    output: str = ""
    """The run's folder, where it is not the one beside the file."""
    evidence: str = ""
    """The evidence's file, where it is not in that one."""
    asking_helps: bool = True
    """Whether what was not answered may be answered when it is asked again."""

    def check(self, *options: str) -> str:
        """Return `mlgate check` as it runs here."""
        given = [*options, *(("-c", self.config) if self.config else ()), *(("-o", self.output) if self.output else ())]
        return shlex.join(["mlgate", "check", *given])

    def reading(self, verb: str, *options: str) -> str:
        """Return a verb that reads a run's evidence, as it runs here."""
        places = [*([self.evidence] if self.evidence else []), *(("-c", self.config) if self.config else ())]
        return " ".join([shlex.join(["mlgate", verb, *places]), *options])


HERE = Desk()
"""In the project's folder, where everything is where it is looked for."""


def next_steps(report: Report, *, saved: bool = False, desk: Desk = HERE) -> tuple[NextStep, ...]:
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
    steps = [*_observe_again(report, desk), *([] if saved else _accept(told, desk)), *_latency(report, told, desk)]
    steps += [*_power(report, told, desk), *_explain(report, told, desk), *_places(told)]
    return (*steps, NextStep(told[0].docs, "what this finding means"))


def _questions(changes: Sequence[RuleChange]) -> list[NextStep]:
    places = list(dict.fromkeys(change.where for change in changes if change.where))[:_MOST_COMMANDS]
    return [NextStep(place, "what the change asks instead: let a person review it") for place in places]


def _observe_again(report: Report, desk: Desk) -> list[NextStep]:
    gaps = any(check.gaps for check in report.checks)
    if gaps and not desk.asking_helps:
        return [NextStep(desk.check(), "once what the reason names is mended: asking again gives the same")]
    if any(check.missing for check in report.checks):
        return [NextStep(desk.check("--resume"), "ask only for what is missing, or merge the shard that has it")]
    if gaps:
        return [NextStep(desk.check("--resume"), "ask again only for what has no answer")]
    return []


def _accept(told: Sequence[Finding], desk: Desk) -> list[NextStep]:
    if any(f.topic == "no-baseline" for f in told):
        return [NextStep(desk.check("--save-baseline"), "make this run the first baseline, if you trust it")]
    if any(f.topic == "unusable-baseline" for f in told):
        return [
            NextStep(desk.check("--bootstrap", "--save-baseline"), "make this run the baseline, compared with nothing")
        ]
    return []


def _latency(report: Report, told: Sequence[Finding], desk: Desk) -> list[NextStep]:
    steps = islice(advice(report, told), _MOST_COMMANDS)
    return [NextStep(desk.check() if do == ONCE_MORE else do, why) for do, why in steps]


def _power(report: Report, told: Sequence[Finding], desk: Desk) -> list[NextStep]:
    """Return the command that names numbers, where a comparison is open or a rule of times may have failed by chance.

    It says nothing of what was not compared.
    """
    compared = [f for f in told if f.delta is not None and f.outcome.blocks and not f.slice]
    times = timed(report, compared)
    opened = [f for f in compared if f.topic in MORE_SETTLES]
    budgets, examples = any(f in times for f in opened), any(f not in times for f in opened)
    if opened:
        amounts = ["budget"] * budgets + ["number of examples"] * examples
        return [NextStep(desk.reading("power"), f"which {', '.join(amounts)} or margin lets harmless changes pass")]
    if times:
        return [NextStep(desk.reading("power"), "how often these rules would stop a harmless change")]
    return []


def _explain(report: Report, told: Sequence[Finding], desk: Desk) -> list[NextStep]:
    measured = [f for f in told if f.measured is not None and f.topic not in ("signatures", "too-few")]
    measured = [f for f in measured if not (f.delta and f.delta.identical)]
    times = {(f.check, f.rule.metric) for f in timed(report, measured)}
    asked = list(dict.fromkeys(key for f in measured if (key := (f.check, f.rule.metric)) not in times))[
        :_MOST_COMMANDS
    ]
    several = len(report.checks) > 1
    commands = (
        desk.reading(
            "explain", *([f"--check={shlex.quote(check)}"] if several else []), f"--metric={shlex.quote(metric)}"
        )
        for check, metric in asked
    )
    return [NextStep(command, "the examples behind the number") for command in commands]


def _places(told: Sequence[Finding]) -> list[NextStep]:
    rules = {f.rule.where: f for f in reversed(told) if f.rule.where and f.topic != "not-measured"}
    places = list(dict.fromkeys(f.rule.where for f in told if f.rule.where in rules))[:_MOST_COMMANDS]
    return [NextStep(place, f"the rule {_rule(rules[place])}") for place in places]


def _rule(finding: Finding) -> str:
    return f"{finding.check}/{finding.rule.metric} {finding.rule.limit_text}"
