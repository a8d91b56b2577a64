"""A rollout that somebody else moves, composed: where its models, its weights and its numbers are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.adapters.kubernetes.lease import name_of
from mlgate.adapters.kubernetes.observed import names
from mlgate.adapters.kubernetes.observed.models import Seen, Workload, look
from mlgate.adapters.kubernetes.observed.shares import Share, front, share
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.adapters.process import clock
from mlgate.core.deploy.mode import ONE_OBJECT
from mlgate.core.deploy.observed import ObservedRollout
from mlgate.core.deploy.rollout import Health, Phase
from mlgate.core.errors import ConfigError
from mlgate.flow.deploy.observe import ObservedPlan, RolloutObserver
from mlgate.wiring.deploy import Target


@dataclass(frozen=True, slots=True)
class AskedStep:
    """Which step of which rollout is to be judged, in the words of whoever asks."""

    candidate: str = ""
    """`KIND/NAME`, or a name; empty: the record or rendered objects say it."""
    stable: str = ""
    route: str = ""
    """The HTTPRoute or Service that shares the traffic; empty: the one that mlgate would make, or the service's."""
    lasted: float = 0.0
    """Seconds that the present weight has had already."""


class ClusterObserver:
    """Sees one rollout. It reads, and nothing else."""

    def __init__(self, target: Target, asked: AskedStep) -> None:
        self._target = target
        self._routes = [asked.route] if asked.route else [name_of(target.section.service), target.section.service]
        self._asked = self._pair_of(asked)
        self._crashes = Crashes()
        self._of = ""

    def see(self) -> ObservedRollout:
        """Return what the cluster shows now. Raises AdapterError, Denied or EvidenceError where it does not."""
        api = self._target.api
        before = front(api, self._routes)
        pair = self._asked or self._under_way() or names.of_notes(before, self._kind)
        if pair is None:
            why = "no rollout is under way by the record, and no rendered object names two models: name them"
            return ObservedRollout(why=f"{why}: --candidate NAME --stable NAME")
        new, old = look(api, pair[0]), look(api, pair[1]) if pair[1] is not None else None
        found = share(api, before, new.pods, old.pods if old is not None else frozenset())
        return self._seen(pair, new, old, found)

    def _seen(self, pair: names.Pair, new: Seen, old: Seen | None, found: Share) -> ObservedRollout:
        if self._of != pair[0].name:
            self._of, self._crashes = pair[0].name, Crashes()
        has_traffic = bool(found.percent)
        condition = self._crashes.judged(new.condition, Phase.HOLDING if has_traffic else Phase.LOADING)
        whys = [condition.why if condition.health is not Health.READY else "", found.why]
        if old is not None and old.condition.health is not Health.READY:
            whys.append(f"the stable model: {old.condition.why}")
        return ObservedRollout(
            candidate=pair[0].deployed,
            stable=pair[1].deployed if pair[1] is not None else None,
            weight=found.percent,
            is_exact=found.is_exact,
            candidate_health=condition.health,
            stable_health=_health(old),
            why=next(filter(None, whys), ""),
        )

    def _under_way(self) -> names.Pair | None:
        record = self._target.records().load()
        if record.is_under_way and record.mode in ONE_OBJECT:
            raise ConfigError(
                f"the rollout that is under way is in mode {record.mode}: both models have one name, and no rule can "
                "tell their requests apart",
                hint="name two models: --candidate NAME --stable NAME; or deploy with mode: route",
            )
        return names.of_record(record)

    def _pair_of(self, asked: AskedStep) -> names.Pair | None:
        if not asked.candidate:
            return None
        candidate = Workload.parse(asked.candidate, self._kind)
        stable = Workload.parse(asked.stable, self._kind) if asked.stable else None
        if candidate == stable:
            raise ConfigError(
                f"the candidate and the stable model are one: {asked.candidate}",
                where="--stable",
                hint="held against itself every model is as good: name what serves beside the candidate",
            )
        return candidate, stable

    def _kind(self) -> Kind:
        """Return what the manifest runs a model by."""
        values: list[Mapping[str, Any]] = [one.value for one in self._target.documents]
        return manifest.kind_of(manifest.workload(values))


def _health(old: Seen | None) -> Health:
    """Return how what serves beside is: what was named and is not there is broken."""
    if old is None:
        return Health.ABSENT
    return Health.BROKEN if old.condition.health is Health.ABSENT else old.condition.health


def observer(target: Target, asked: AskedStep) -> RolloutObserver:
    """Return who judges the rollout of a service. Raises ConfigError for a file without rules for users' requests."""
    target.demanded_rules()
    rules = target.traffic_rules()
    assert rules is not None
    given = target.section
    plan = ObservedPlan(given.steps, given.hold.total_seconds(), given.patience.total_seconds())
    return RolloutObserver(ClusterObserver(target, asked).see, rules, plan, clock.seconds, asked.lasted)
