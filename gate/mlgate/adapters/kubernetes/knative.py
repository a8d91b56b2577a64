"""`knative`: one InferenceService whose revisions share traffic by `canaryTrafficPercent`.

The percent always goes to the last revision that became ready, whichever that is. So a candidate is applied at 0, and
gets traffic only once the last revision is its own, by name. A rejected one is not left as the specification: the next
candidate's percent would go to it while that one loads.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE, KNATIVE_REVISION, KNATIVE_SERVICE, POD
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL, bears, workload
from mlgate.adapters.kubernetes.release_objects import edited_image
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading, Rollout

_PERCENT = "canaryTrafficPercent"
_KNATIVE_SERVICE_LABEL = "serving.knative.dev/service"
_REVISION_LABEL = "serving.knative.dev/revision"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The service as it was observed."""

    service: Obj | None
    knative: Obj | None
    new_revisions: tuple[Obj, ...]
    """Of the candidate's content."""

    @property
    def traffic(self) -> Sequence[Mapping[str, Any]]:
        """Return Knative's own account of who gets what; nothing while it is behind its specification."""
        if self.knative is None:
            return ()
        status = self.knative.get("status") or {}
        is_behind = status.get("observedGeneration") != self.knative["metadata"]["generation"]
        return () if is_behind else status.get("traffic") or ()

    @property
    def created(self) -> str:
        """Return the name of the last revision."""
        return str(((self.knative or {}).get("status") or {}).get("latestCreatedRevisionName", ""))

    @property
    def ready(self) -> str:
        """Return the name of the last revision that became ready."""
        return str(((self.knative or {}).get("status") or {}).get("latestReadyRevisionName", ""))

    @property
    def percent(self) -> int | None:
        """Return what the specification gives to the last ready revision; None: everything."""
        return None if self.service is None else self.service["spec"]["predictor"].get(_PERCENT)

    @property
    def release(self) -> str:
        """Return the release that the specification is of; empty for one that mlgate did not write."""
        predictor = {} if self.service is None else self.service["spec"]["predictor"]
        return str((predictor.get("labels") or {}).get(RELEASE_LABEL, ""))


class KnativeServing:
    """The two models of one record, as revisions of one InferenceService."""

    def __init__(self, api: Api, service: str, record: ServiceRecord, *, force: bool = False) -> None:
        self._api, self._service, self._record, self._force = api, service, record, force
        self._seen = _Seen(None, None, ())
        self._crashes = Crashes(record)
        self._only_candidate_answers = False
        self._is_decided = False
        """Promoting or restoring: a field that a hand took meanwhile must not hinder the end."""

    @property
    def _new(self) -> Deployed:
        assert self._record.candidate is not None
        return self._record.candidate

    @property
    def _old(self) -> Deployed | None:
        return self._record.accepted

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now."""
        self._look()
        phase = rollout.state.phase
        new, old, weight = self._candidate(phase), self._stable(), self._weight(rollout)
        self._only_candidate_answers = self._old is not None and health.only_candidate_answers(new, old, weight)
        return Reading(
            at=0.0,
            candidate=new.health,
            stable=old.health,
            weight=weight,
            is_settled=self._is_settled(phase),
            restarts=tuple(sorted(new.restarts.items())),
            why=new.why or (old.why if old.health is not Health.ABSENT else ""),
        )

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for."""
        self._is_decided = rollout.state.phase in (Phase.PROMOTING, Phase.RESTORING)
        match rollout.state.phase:
            case Phase.LOADING | Phase.CHECKING | Phase.SHIFTING | Phase.HOLDING:
                self._apply(self._new, rollout.weight)
            case Phase.PROMOTING:
                self._apply(self._new, None)
            case Phase.RESTORING:
                if not self._only_candidate_answers:
                    self._restore()
            case _:
                pass

    def tidy(self, confirm: Callable[[], None]) -> None:
        """Take one step back to what the record says that serves, where something else is specified."""
        if self._record.is_under_way:
            return
        self._look()
        confirm()
        known = self._old
        if self._seen.service is not None and known is not None and not self._is_of(known):
            self._apply(known, 0)
        elif self._seen.service is not None and known is None and self._seen.release:
            self._api.delete(INFERENCE_SERVICE, self._seen.service)
        elif known is not None and self._seen.percent is not None and self._is_last_ready(known):
            self._apply(known, None)

    def _look(self) -> None:
        service = self._api.get(INFERENCE_SERVICE, self._service)
        knative = self._api.get(KNATIVE_SERVICE, f"{self._service}-predictor")
        labels = (
            {RELEASE_LABEL: self._record.candidate.name, SERVICE_LABEL: self._service} if self._record.candidate else {}
        )
        revisions = self._api.list(KNATIVE_REVISION, labels, missing_is_fine=True) if labels else ()
        self._seen = _Seen(service, knative, revisions)

    def _candidate(self, phase: Phase) -> Condition:
        seen = self._seen
        if seen.service is None or seen.release != self._new.name:
            return health.ABSENT
        refused = next(health.refused(seen.service.get("status") or {}), "")
        refused = refused or edited_image(workload(self._new.manifest), seen.service)
        if refused:
            return Condition(Health.BROKEN, refused)
        revision = next((one for one in seen.new_revisions if one["metadata"]["name"] == seen.created), None)
        if revision is None:
            return Condition(Health.LOADING, "KServe has not made its revision yet")
        return self._revision(revision, phase)

    def _revision(self, revision: Obj, phase: Phase) -> Condition:
        """Return how the candidate's own revision is."""
        seen = self._seen
        pods = self._api.list(POD, {_REVISION_LABEL: seen.created, RELEASE_LABEL: self._new.name})
        broken = next(health.dead_revision(revision, pods), "")
        if broken:
            return Condition(Health.BROKEN, broken)
        is_ready = seen.ready == seen.created and _is_ready(revision)
        why = "" if is_ready else next(health.waits(pods), "its revision is not ready yet")
        known = Health.READY if is_ready else Health.LOADING
        found = Condition(known, why, health.restarts_by_pod(pods), health.ends_by_pod(pods))
        return self._crashes.judged(found, phase)

    def _stable(self) -> Condition:
        """Return how what serves besides is: who has the rest of the traffic must be of the accepted release."""
        if self._old is None:
            return health.ABSENT
        named = {one["metadata"]["name"] for one in self._seen.new_revisions}
        rest = [str(one.get("revisionName")) for one in self._seen.traffic if one.get("percent")]
        revisions = [self._api.get(KNATIVE_REVISION, name) for name in rest if name not in named]
        for one in revisions:
            release = ((one or {}).get("metadata", {}).get("labels") or {}).get(RELEASE_LABEL, "")
            if one is None or not bears(self._old, release):
                name = one["metadata"]["name"] if one else "a revision that is gone"
                return Condition(
                    Health.BROKEN, f"the rest of the traffic goes to {name}, which is not {self._old.name}"
                )
        if not revisions:  # the candidate has everything: the stable one is what can be gone back to
            revisions = list(self._api.list(KNATIVE_REVISION, self._labels(self._old), missing_is_fine=True))
        if any(one is not None and _is_ready(one) for one in revisions):
            return Condition(Health.READY)
        without_pods = revisions and all(one is not None and _lacks_pods(one) for one in revisions)
        why = f"no revision of the stable model {self._old.name} is ready"
        return Condition(Health.LOADING, why, ready_pods=0 if without_pods else None)

    def _labels(self, deployed: Deployed) -> dict[str, str]:
        """Return the labels of a release's revisions; of one that mlgate left alone so far, the service's own."""
        if deployed.is_adopted and self._seen.release != deployed.name:
            return {_KNATIVE_SERVICE_LABEL: f"{self._service}-predictor"}
        return {RELEASE_LABEL: deployed.name, SERVICE_LABEL: self._service}

    def _weight(self, rollout: Rollout) -> int | None:
        """Return the candidate's percent by the names of revisions; None while Knative is behind.

        Of a first model it is what it may have: there is nobody else to take traffic from, and nowhere else to go.
        """
        if self._seen.service is None or not self._seen.new_revisions:
            return 0
        if not self._seen.traffic:
            return None
        named = {one["metadata"]["name"] for one in self._seen.new_revisions}
        weight = sum(int(one.get("percent") or 0) for one in self._seen.traffic if one.get("revisionName") in named)
        return min(weight, rollout.weight) if self._old is None and rollout.weight < ALL else weight

    def _is_settled(self, phase: Phase) -> bool:
        seen = self._seen
        if phase is Phase.PROMOTING:
            return seen.release == self._new.name and seen.percent is None
        if phase is not Phase.RESTORING:
            return False
        if self._old is None:  # the next one's revisions have the same names
            is_gone = seen.service is None and seen.knative is None and not seen.new_revisions
            return is_gone and not health.living(self._api.list(POD, {RELEASE_LABEL: self._new.name}))
        return self._is_of(self._old) and seen.percent is None and not seen.new_revisions

    def _restore(self) -> None:
        """Take one step back: no percent; the specification before; its revision serves; ours is gone."""
        seen = self._seen
        if self._old is None:
            if seen.service is not None:
                self._api.delete(INFERENCE_SERVICE, seen.service)
        elif seen.service is None:
            self._apply(self._old, None)
        elif seen.release == self._new.name and seen.percent != 0:
            self._apply(self._new, 0)
        elif seen.release == self._new.name:
            if self._is_without_traffic():
                self._apply(self._old, 0)
        elif seen.percent is not None:
            if self._is_last_ready(self._old):
                self._apply(self._old, None)
        elif self._is_without_traffic() and seen.ready == seen.created:
            self._remove_revisions()

    def _remove_revisions(self) -> None:
        for revision in self._seen.new_revisions:
            self._api.delete(KNATIVE_REVISION, revision)

    def _is_without_traffic(self) -> bool:
        named = {one["metadata"]["name"] for one in self._seen.new_revisions}
        gets = {one.get("revisionName") for one in self._seen.traffic if one.get("percent")}
        return bool(self._seen.traffic) and not gets & named

    def _is_of(self, deployed: Deployed) -> bool:
        """Whether the specification is that of *deployed*."""
        return bears(deployed, self._seen.release)

    def _is_last_ready(self, deployed: Deployed) -> bool:
        """Whether the last ready revision is the specification's own, and that is *deployed*."""
        seen = self._seen
        status = (seen.knative or {}).get("status") or {}
        is_current = status.get("observedGeneration") == (seen.knative or {}).get("metadata", {}).get("generation")
        named = {one["metadata"]["name"] for one in seen.new_revisions}
        ours = self._is_of(deployed) and seen.created not in named
        return is_current and ours and seen.created == seen.ready != ""

    def _apply(self, deployed: Deployed, percent: int | None) -> None:
        """Make the specification so, if it is not. Holds for the one that was observed."""
        seen = self._seen.service
        if seen is not None and self._is_of(deployed) and self._seen.percent == percent:
            return
        wanted = specified(self._service, deployed, None if seen is None and self._old is None else percent)
        if seen is not None:
            wanted["metadata"]["resourceVersion"] = seen["metadata"]["resourceVersion"]
        bare = {key: wanted[key] for key in ("metadata", "spec")}
        self._api.apply(INFERENCE_SERVICE, bare, force=self._force or self._is_decided)


def specified(service: str, deployed: Deployed, percent: int | None) -> dict[str, Any]:
    """Return the InferenceService that runs a model at *percent* of the traffic; None: at all of it."""
    wanted = copy.deepcopy(dict(workload(deployed.manifest)))
    wanted["metadata"] = {**wanted["metadata"], "name": service}
    if percent is not None:
        wanted["spec"]["predictor"][_PERCENT] = percent
    return wanted


def _is_ready(revision: Obj) -> bool:
    conditions = (revision.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _lacks_pods(revision: Obj) -> bool:
    """Whether a revision should have pods, and has none. One that was scaled to zero wakes up by a request."""
    status = revision.get("status") or {}
    return bool(status.get("desiredReplicas")) and not status.get("actualReplicas")
