"""`replicas`: two Deployments behind one Service, which shares traffic by the number of their pods. Needs no gateway.

The Service selects the pods of one release, or of both. With one it is all or nothing, at once; with both each model
gets as much as it has pods. The stable model keeps all of its pods until the end, so that the way back is one write.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.drain import Drain
from mlgate.adapters.kubernetes.kinds import AUTOSCALER, DEPLOYMENT, DISRUPTION_BUDGET, SCALED_OBJECT, SERVICE
from mlgate.adapters.kubernetes.leftovers import known_releases, leftover_objects
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL, kind_of, ports_before, workload
from mlgate.adapters.kubernetes.release_objects import ReleaseObjects
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.adapters.kubernetes.stamp import is_stamped, stamp_of, stamped
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading, Rollout
from mlgate.core.errors import ConfigError, Denied

_HALF = 50


class ReplicasServing:
    """The two models of one record, and the Service before them."""

    def __init__(self, api: Api, service: str, record: ServiceRecord) -> None:
        self._api, self._service, self._record = api, service, record
        self._new = ReleaseObjects(api, record.candidate) if record.candidate else None
        self._old = ReleaseObjects(api, record.accepted) if record.accepted else None
        self._crashes = Crashes(record)
        self._front: Obj | None = None
        self._new_pods = 0
        """Of the candidate: ready ones."""
        self._old_pods = 0
        self._is_ready = False
        """Whether the candidate was seen ready."""
        self._drain = Drain()

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now."""
        assert self._new is not None
        phase = rollout.state.phase
        self._front = self._api.get(SERVICE, self._service)
        if self._front is not None and SERVICE_LABEL not in (self._front["metadata"].get("labels") or {}):
            raise Denied(
                f"the Service {self._service} was not made by mlgate",
                hint="deploy under another service name; or put a gateway in front: mode: deployment",
            )
        new = self._crashes.judged(self._new.look(), phase)
        old = self._old.look() if self._old else health.ABSENT
        self._is_ready = new.health is Health.READY
        self._new_pods = _available(self._new.workload)
        self._old_pods = _available(self._old.workload) if self._old else 0
        return Reading(
            at=0.0,
            candidate=new.health if self._is_as_large(rollout) or new.health is Health.BROKEN else Health.LOADING,
            stable=health.stable(old, is_first=self._old is None),
            weight=self._weight(rollout),
            is_settled=self._is_settled(phase),
            restarts=tuple(sorted(new.restarts.items())),
            why=new.why or (old.why if self._old is not None else ""),
        )

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for."""
        assert self._new is not None
        match rollout.state.phase:
            case Phase.LOADING:
                self._new.make_missing(replicas=self._pods_for(rollout.plan.steps[0]))
            case Phase.SHIFTING | Phase.HOLDING:
                self._share(rollout)
            case Phase.PROMOTING:
                self._select(self._new.deployed, rollout)
                if self._old is not None and self._is_ready and self._is_drained(ALL):
                    self._old.remove()
            case Phase.RESTORING:
                self._restore(rollout)
            case _:
                pass

    def tidy(self, confirm: Callable[[], None]) -> None:
        """Remove what mlgate made for this service and its record does not name any more."""
        kinds = (DEPLOYMENT, DISRUPTION_BUDGET)
        leftovers = leftover_objects(self._api, self._service, kinds, known_releases(self._record))
        confirm()
        for kind, one in leftovers:
            self._api.delete(kind, one)

    def _pods_for(self, percent: int) -> int:
        """Return how many pods get the candidate at most *percent*, beside all of the stable one's."""
        return pods_for(self._record.candidate, self._record.accepted, percent)

    def _is_as_large(self, rollout: Rollout) -> bool:
        """Whether the candidate has all the pods of its step, ready."""
        phase = rollout.state.phase
        step = rollout.plan.steps[0] if phase in (Phase.LOADING, Phase.CHECKING) else rollout.weight
        return phase is Phase.RESTORING or self._new_pods >= self._pods_for(step)

    def _weight(self, rollout: Rollout) -> int | None:
        """Return the candidate's percent: that of the step, where it has as many pods as that allows."""
        selected = self._selected()
        if selected is not None:
            return selected
        share = math.ceil(ALL * self._new_pods / max(1, self._new_pods + self._old_pods))
        if share > rollout.weight:
            return share
        return rollout.weight if rollout.weight < ALL and self._is_as_large(rollout) else None

    def _is_settled(self, phase: Phase) -> bool:
        assert self._new is not None
        if phase is Phase.RESTORING:
            return self._new.is_gone and (self._old is not None or self._front is None)
        return phase is Phase.PROMOTING and (self._old is None or self._old.is_gone)

    def _share(self, rollout: Rollout) -> None:
        """Give the candidate the pods of its step; then let the Service select both models, or at the end its alone."""
        assert self._new is not None
        self._new.scale(self._pods_for(rollout.weight))
        if rollout.weight < ALL:
            self._write({SERVICE_LABEL: self._service}, rollout)
        elif self._new_pods >= self._pods_for(ALL):
            self._select(self._new.deployed, rollout)

    def _restore(self, rollout: Rollout) -> None:
        assert self._new is not None
        if self._old is not None:
            self._old.make_missing()
            if self._old_pods or not self._new_pods:
                self._select(self._old.deployed, rollout)
        elif self._front is not None:
            self._api.delete(SERVICE, self._front)
        if self._is_drained(0) or rollout.state.step < 0:
            self._new.remove()

    def _is_drained(self, weight: int) -> bool:
        """Whether the candidate has had *weight* percent, 0 or 100, for long enough for requests that had begun."""
        return self._drain.is_over(is_quiet=self._front is None or self._selected() == weight)

    def _selected(self) -> int | None:
        """Return 0 or 100 where the Service selects one release alone; None where it selects both."""
        assert self._new is not None
        selects = ((self._front or {}).get("spec") or {}).get("selector") or {}
        release = selects.get(RELEASE_LABEL)
        if release is None:
            return None if selects else 0
        return ALL if release == self._new.deployed.name else 0

    def _select(self, deployed: Deployed, rollout: Rollout) -> None:
        self._write({SERVICE_LABEL: self._service, RELEASE_LABEL: deployed.name}, rollout)

    def _write(self, selector: Mapping[str, str], rollout: Rollout) -> None:
        """Let the Service select so, if it does not. Holds for the one that was observed."""
        assert self._new is not None
        stamp, there = stamp_of(self._new.deployed.name, rollout), self._front
        if there is None:
            made = front(self._service, self._new.deployed, selector)
            self._front = self._api.create(SERVICE, {**made, "metadata": stamped(made["metadata"], stamp)})
        elif not is_stamped(there, stamp) or there["spec"].get("selector") != selector:
            changed = {
                "metadata": stamped(there["metadata"], stamp),
                "spec": {**there["spec"], "selector": dict(selector)},
            }
            self._front = self._api.replace(SERVICE, {**there, **changed})


def front(service: str, candidate: Deployed, selector: Mapping[str, str]) -> dict[str, Any]:
    """Return the Service before both models."""
    metadata = {"name": service, "labels": {SERVICE_LABEL: service}}
    return {
        "metadata": metadata,
        "spec": {"ports": ports_before(workload(candidate.manifest)), "selector": dict(selector)},
    }


def pods_for(candidate: Deployed | None, stable: Deployed | None, percent: int) -> int:
    """Return how many pods get the candidate at most *percent*, beside all of the stable one's."""
    wanted, beside = _wanted(candidate), _wanted(stable)
    return wanted if percent >= ALL or not beside else beside * percent // (ALL - percent)


def prepared(documents: Sequence[Mapping[str, Any]], steps: Sequence[int]) -> tuple[Mapping[str, Any], ...]:
    """Return a person's documents as this mode needs them. Raises ConfigError for steps that pods cannot give.

    A Service among them is left out: there is one before both models, which is mlgate's.
    """
    spec: Any = workload(documents)["spec"]
    demand_steps(steps, int(spec.get("replicas", 1)))
    scaled = [one for one in documents if kind_of(one) in (AUTOSCALER, SCALED_OBJECT)]
    if scaled:
        raise ConfigError(
            f"the manifest has a {kind_of(scaled[0])}: in mode replicas the number of pods is the share of the traffic",
            hint="take it out of the manifest; or put a gateway in front: mode: deployment",
        )
    return tuple(one for one in documents if kind_of(one) is not SERVICE)


def demand_steps(steps: Sequence[int], replicas: int) -> None:
    """Raise ConfigError for a step that so many pods cannot give: too small for one pod, or more than a doubling."""
    for step in steps:
        if step < ALL and replicas * step // (ALL - step) < 1:
            least = math.ceil(ALL / (replicas + 1))
            raise ConfigError(
                f"a step of {step} % needs {math.ceil(ALL / step) - 1} pods of the stable model, and it has {replicas}",
                hint=f"the smallest step is {least} %: steps: [{least}, 50, 100]; or more replicas",
            )
        if _HALF < step < ALL:
            raise ConfigError(
                f"a step of {step} % would need more pods of the candidate than the service has",
                hint="steps: [50, 100], or a gateway, which shares by weight",
            )


def _wanted(deployed: Deployed | None) -> int:
    if deployed is None:
        return 0
    spec: Any = workload(deployed.manifest)["spec"]
    return int(spec.get("replicas", 1))


def _available(deployment: Obj | None) -> int:
    return int(((deployment or {}).get("status") or {}).get("availableReplicas") or 0)
