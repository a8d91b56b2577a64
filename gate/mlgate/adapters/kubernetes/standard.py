"""`standard`: KServe's own `spec.canary` in Standard mode, where the controller is seen to route it.

KServe shrinks the stable model by the canary's share, and counts a canary as ready with one pod. So replicas are added
first: with N wanted, the stable one never has fewer than N, and the canary has its share before it gets the traffic
(the surge protocol). KServe v0.20 accepts `spec.canary`, says that it is ready, and routes nothing: the weight is read
from the route that KServe makes, and a canary that stands in none is refused.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

from mlgate.adapters.kubernetes import health, http_route
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, HTTP_ROUTE, INFERENCE_SERVICE, POD
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, bears, workload
from mlgate.adapters.kubernetes.release_objects import edited_image
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading, Rollout
from mlgate.core.errors import Denied

_NOT_IN_A_CANARY = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling", "workerSpec")
"""Fields of a predictor that KServe forbids in a canary."""
_EFFECT_S = 15.0
"""A weight takes less than a second where the controller routes it."""
_NOT_ROUTED = (
    "this KServe takes spec.canary, says that it is ready, and routes nothing to it (as v0.20 does): "
    "write mode: route, or upgrade KServe"
)
_WEBHOOKS_WORDS = "denied the request: "


class StandardServing:
    """The two models of one record, as predictor and canary of one InferenceService."""

    def __init__(self, api: Api, service: str, record: ServiceRecord, *, force: bool = False) -> None:
        self._api, self._service, self._record, self._force = api, service, record, force
        self._there: Obj | None = None
        self._crashes = Crashes(record)
        self._is_decided = False
        """Promoting or restoring: a field that a hand took meanwhile must not hinder the end."""
        self._only_candidate_answers = False
        self._pods = 0
        """Of the candidate: ready ones."""
        self._asked: float | None = None
        """Monotonic seconds: since when the canary is ready and its weight is asked for."""

    @property
    def _new(self) -> Deployed:
        assert self._record.candidate is not None
        return self._record.candidate

    @property
    def _canary(self) -> str:
        """Return the candidate's name within the InferenceService: `v-1f2e3d4c`."""
        return _canary_name(self._new)

    @property
    def _wanted(self) -> int:
        """Return how many pods the service has at rest."""
        return pods_at_rest(self._record.accepted or self._new)

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now."""
        self._there = self._api.get(INFERENCE_SERVICE, self._service)
        phase = rollout.state.phase
        new = self._crashes.judged(self._candidate(), phase)
        weight = self._weight(rollout)
        if phase is Phase.SHIFTING and self._is_ignored(weight, rollout):
            new = Condition(Health.BROKEN, _NOT_ROUTED)
        old = self._stable()
        self._only_candidate_answers = self._record.accepted is not None and health.only_candidate_answers(
            new, old, weight
        )
        return Reading(
            at=0.0,
            candidate=new.health,
            stable=old.health,
            weight=weight,
            is_settled=self._is_settled(phase),
            restarts=tuple(sorted(new.restarts.items())),
            why=new.why or (old.why if self._record.accepted else ""),
        )

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for."""
        self._is_decided = rollout.state.phase in (Phase.PROMOTING, Phase.RESTORING)
        match rollout.state.phase:
            case Phase.LOADING if self._record.accepted is None:
                self._apply(self._new, self._wanted, None)
            case Phase.LOADING:
                self._apply(self._stable_model, self._wanted + 1, self._entry(1, 0))
            case Phase.SHIFTING | Phase.HOLDING if self._record.accepted is not None:
                self._shift(rollout.weight)
            case Phase.PROMOTING:
                self._promote()
            case Phase.RESTORING:
                self._restore()
            case _:
                pass

    def tidy(self, confirm: Callable[[], None]) -> None:
        """Take out a canary that the record does not name any more."""
        self._there = self._api.get(INFERENCE_SERVICE, self._service)
        confirm()
        if self._there is not None and self._there["spec"].get("canary") and self._record.accepted is not None:
            self._apply(self._record.accepted, self._wanted, None)

    @property
    def _stable_model(self) -> Deployed:
        assert self._record.accepted is not None
        return self._record.accepted

    def _shift(self, percent: int) -> None:
        """First the pods of the step, at the percent before; then, when they are there, the percent."""
        pods = canary_pods(self._wanted, percent)
        entry = self._entry_there()
        before = int(entry.get("trafficPercent") or 0) if entry else 0
        now = percent if self._pods >= pods else min(before, percent)
        self._apply(self._stable_model, self._wanted + pods, self._entry(pods, now))

    def _promote(self) -> None:
        """Write the candidate as the predictor, which has no traffic now; when its pods are there, end the canary.

        So no webhook has to take a renamed predictor, and no request meets the model before.
        """
        if self._label() != self._new.name:
            self._apply(self._new, 2 * self._wanted, self._entry(self._wanted, ALL))
        elif self._predictor_runs(self._new.name).health is Health.READY:
            self._apply(self._new, self._wanted, None)

    def _restore(self) -> None:
        if self._record.accepted is None and self._there is None:
            return
        if self._record.accepted is None:
            assert self._there is not None
            self._api.delete(INFERENCE_SERVICE, self._there)
        elif self._only_candidate_answers and (entry := self._entry_there()):  # the stable model comes back beside it
            pods = int(entry["predictor"].get("minReplicas") or 1)
            self._apply(self._record.accepted, self._wanted + pods, entry)
        else:
            self._apply(self._record.accepted, self._wanted, None)

    def _entry(self, pods: int, percent: int) -> dict[str, Any]:
        return canary(self._new, pods, percent)

    def _entry_there(self) -> Mapping[str, Any]:
        spec = (self._there or {}).get("spec") or {}
        return next((one for one in spec.get("canary") or () if one["predictor"].get("name") == self._canary), {})

    def _candidate(self) -> Condition:
        if self._there is None:
            return health.ABSENT
        if self._label() != self._new.name and not self._entry_there():
            return health.ABSENT
        name = f"{self._service}-{self._canary}-predictor" if self._entry_there() else f"{self._service}-predictor"
        deployment = self._api.get(DEPLOYMENT, name)
        pods = self._api.list(POD, {RELEASE_LABEL: self._new.name})
        self._pods = int(((deployment or {}).get("status") or {}).get("availableReplicas") or 0)
        edited = "" if self._entry_there() else edited_image(workload(self._new.manifest), self._there)
        if edited:
            return Condition(Health.BROKEN, edited)
        return health.of_inference_service(self._there, deployment, pods)

    def _stable(self) -> Condition:
        """Return how the predictor's own Deployment is."""
        if self._record.accepted is None:
            return health.ABSENT
        return self._predictor_runs(self._label())

    def _predictor_runs(self, release: str) -> Condition:
        """Return how the predictor's pods are; LOADING while they are of another release than *release*."""
        deployment = self._api.get(DEPLOYMENT, f"{self._service}-predictor")
        if deployment is None:
            return Condition(Health.BROKEN, "the predictor's Deployment is not there any more", ready_pods=0)
        labels = (deployment["spec"]["template"].get("metadata") or {}).get("labels") or {}
        if labels.get(RELEASE_LABEL, "") != release:
            return Condition(Health.LOADING, "KServe has not given the predictor's pods the release yet")
        return health.of_deployment(deployment, ())

    def _is_of(self, deployed: Deployed) -> bool:
        """Whether the predictor is that of *deployed*."""
        return bears(deployed, self._label())

    def _label(self) -> str:
        predictor = _predictor(self._there or {"spec": {"predictor": {}}})
        return str((predictor.get("labels") or {}).get(RELEASE_LABEL, ""))

    def _weight(self, rollout: Rollout) -> int | None:
        """Return the candidate's percent in the routes that KServe made; of a first model, what it may have."""
        if self._there is None:
            return 0
        if self._label() == self._new.name and not self._entry_there():
            return rollout.weight if self._record.accepted is None else ALL
        routes = [self._api.get(HTTP_ROUTE, name) for name in (self._service, f"{self._service}-predictor")]
        known = [one for one in routes if one is not None]
        weight = max(
            (http_route.weight_of(one, f"{self._service}-{self._canary}-predictor") for one in known), default=0
        )
        is_taken = all(map(http_route.is_in_effect, known))
        return weight if is_taken or weight > rollout.weight else None

    def _is_ignored(self, weight: int | None, rollout: Rollout) -> bool:
        """Whether the canary has been ready at its percent for long, and no route knows it."""
        entry = self._entry_there()
        asked = bool(entry) and entry.get("trafficPercent") == rollout.weight and self._pods > 0
        if not asked or weight:
            self._asked = None
            return False
        self._asked = time.monotonic() if self._asked is None else self._asked
        return time.monotonic() - self._asked >= _EFFECT_S

    def _is_settled(self, phase: Phase) -> bool:
        has_canary = bool(((self._there or {}).get("spec") or {}).get("canary"))
        if phase is Phase.PROMOTING:
            runs = self._predictor_runs(self._new.name).health is Health.READY
            return self._label() == self._new.name and not has_canary and runs
        if phase is Phase.RESTORING:
            gone = not self._api.list(POD, {RELEASE_LABEL: self._new.name})
            return gone and (self._there is None if self._record.accepted is None else not has_canary)
        return False

    def _apply(self, deployed: Deployed, replicas: int, entry: Mapping[str, Any] | None) -> None:
        """Make the specification so, if it is not. Holds for the one that was observed."""
        wanted = specified(self._service, deployed, replicas, entry)
        there = self._there
        if there is not None:
            is_same = self._is_of(deployed) and _predictor(there).get("minReplicas") == replicas
            is_same = is_same and not edited_image(workload(deployed.manifest), there)
            if is_same and _has(there["spec"].get("canary") or [], wanted["spec"].get("canary") or []):
                return
            wanted["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
        bare = {key: wanted[key] for key in ("metadata", "spec")}
        try:
            self._api.apply(INFERENCE_SERVICE, bare, force=self._force or self._is_decided)
        except Denied as error:
            who, is_webhook, why = error.message.partition(_WEBHOOKS_WORDS)
            if entry is None or not is_webhook or "kserve" not in who:
                raise
            raise Denied(f"KServe takes no canary of this manifest: {why}", hint="write mode: route") from error


def specified(
    service: str, deployed: Deployed, replicas: int, entry: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the InferenceService whose predictor is *deployed*, with so many pods and a canary's entry."""
    wanted = copy.deepcopy(dict(workload(deployed.manifest)))
    wanted["metadata"] = {**wanted["metadata"], "name": service}
    wanted["spec"]["predictor"]["minReplicas"] = replicas
    if entry is not None:
        wanted["spec"]["canary"] = [dict(entry)]
    return wanted


def canary(candidate: Deployed, pods: int, percent: int) -> dict[str, Any]:
    """Return the canary's entry. A model's name in it must be there, and empty: the schema asks for it."""
    predictor = {
        key: copy.deepcopy(value)
        for key, value in _predictor(workload(candidate.manifest)).items()
        if key not in _NOT_IN_A_CANARY
    }
    if "model" in predictor:
        predictor["model"] = {**predictor["model"], "name": ""}
    return {"trafficPercent": percent, "predictor": {**predictor, "name": _canary_name(candidate), "minReplicas": pods}}


def canary_pods(wanted: int, percent: int) -> int:
    """Return how many pods a canary has for its share of a service that has *wanted* at rest."""
    return max(1, -(-wanted * percent // ALL))


def pods_at_rest(serves: Deployed) -> int:
    """Return how many pods the service has at rest."""
    return int(_predictor(workload(serves.manifest)).get("minReplicas") or 1)


def _canary_name(candidate: Deployed) -> str:
    return f"v-{candidate.name.rpartition('-')[2]}"


def _predictor(service: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = service["spec"]["predictor"]
    return found


def _has(there: list[Any], wanted: list[Any]) -> bool:
    """Whether the canaries are those that are wanted, by name, percent and pods."""
    return [_key(one) for one in there] == [_key(one) for one in wanted]


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["predictor"].get("name"), entry.get("trafficPercent"), entry["predictor"].get("minReplicas")
