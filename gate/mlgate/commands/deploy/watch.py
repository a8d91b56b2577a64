"""Whether what serves still serves as it did when it was promoted."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.mode import ROUTED
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.errors import AdapterError, ConfigError, GateError, ModelError
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.watch import exit_code, watch
from mlgate.reports.terminal import watch as words
from mlgate.wiring import rollout_traffic
from mlgate.wiring.deploy import Target

_FOLDER = "watch"
"""Of `.mlgate`: what its online checks saw."""


def run_watch(choice: RunOptions) -> int:
    """Look once. Return 0 when it serves as it should, 1 when it is worse for certain, 3 when nobody knows."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    if target.section.analysis is None and not target.section.checks:
        raise ConfigError(
            "`deploy` has no rules for users' requests, and no checks",
            where=target.config.where("deploy"),
            hint="e.g. analysis: {prometheus: http://prometheus:9090, rules: {error_rate: {max: 0.01}}}",
        )
    record = target.records().load()
    if record.accepted is None:
        raise GateError(f"{target.section.service}: nothing is deployed yet", hint="mlgate deploy")
    if record.is_under_way:
        tell(sys.stdout, f"{target.section.service}: a rollout is under way, and it is judged there: mlgate status")
        return 0
    found = [*_by_requests(target, record), *_by_checks(target, choice, record)]
    tell(sys.stdout, words.render(target.section.service, record.accepted.name, found))
    return exit_code([outcome for outcome, _ in found])


def _by_requests(target: Target, record: ServiceRecord) -> Iterator[words.Found]:
    """Hold users' requests against the rules, and against those of its own promotion."""
    rules = target.traffic_rules()
    if rules is None:
        return
    now, then = rollout_traffic.watched(target, record)
    if then is None:
        tell(sys.stderr, "mlgate: notice: its promotion is not on record: only limits are held, and nothing compares")
    yield from ((finding.outcome, finding.why) for finding in watch("live", rules.rules, now, then))


def _by_checks(target: Target, choice: RunOptions, record: ServiceRecord) -> Iterator[words.Found]:
    """Ask it by the online checks, with nothing beside: their limits are held."""
    if not target.section.checks or record.mode not in ROUTED:
        return
    from mlgate.commands.deploy.online_check import judge_online, verdict_of  # most of mlgate

    assert record.accepted is not None
    try:
        found = verdict_of(judge_online(target.config, choice, record.accepted.name, None, _FOLDER))
    except (AdapterError, ModelError) as error:
        found = Judgement(Outcome.ERRORED, f"online checks: {error.message}")
    yield Outcome.ERRORED if found.outcome is None else found.outcome, found.why
