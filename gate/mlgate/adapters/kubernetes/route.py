"""`route` and `deployment`: two models behind one HTTPRoute of ours, whose weights share the traffic.

`route`: two InferenceServices, which KServe gives no route of their own. `deployment`: two Deployments, each with a
Service.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlgate.adapters.kubernetes import health, http_route
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.capabilities import MODE_NOTE
from mlgate.adapters.kubernetes.drain import Drain
from mlgate.adapters.kubernetes.health import ABSENT, Condition
from mlgate.adapters.kubernetes.http_route import Backend, Gateway
from mlgate.adapters.kubernetes.kinds import BESIDE_WORKLOAD, DEPLOYMENT, HTTP_ROUTE, INFERENCE_SERVICE, SERVICE
from mlgate.adapters.kubernetes.leftovers import known_releases, leftover_objects
from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL, kind_of, ports_before, workload
from mlgate.adapters.kubernetes.release_objects import ReleaseObjects
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.adapters.kubernetes.stamp import is_stamped, stamp_of, stamped
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading, Rollout
from mlgate.core.errors import AdapterError

_VISIBILITY = "networking.kserve.io/visibility"


class RouteServing:
    """The two models of one record, and the route before them."""

    def __init__(self, api: Api, service: str, gateway: Gateway, record: ServiceRecord) -> None:
        self._api, self._service, self._gateway, self._record = api, service, gateway, record
        self._new = ReleaseObjects(api, record.candidate) if record.candidate else None
        self._old = ReleaseObjects(api, record.accepted) if record.accepted else None
        self._route: Obj | None = None
        self._drain = Drain()
        self._crashes = Crashes()
        self._new_health = self._old_health = ABSENT

    @property
    def _name(self) -> str:
        return f"mlgate-{self._service}"

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now."""
        assert self._new is not None
        phase = rollout.state.phase
        self._route = self._api.get(HTTP_ROUTE, self._name)
        new = self._new_health = self._crashes.judged(self._new.look(), phase)
        old = self._old_health = self._old.look() if self._old else ABSENT
        return Reading(
            at=0.0,
            candidate=new.health,
            stable=health.stable(old, is_first=self._old is None),
            weight=self._weight(rollout),
            is_settled=self._is_settled(phase),
            why=self._why(new, old, phase),
        )

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for."""
        assert self._new is not None
        match rollout.state.phase:
            case Phase.LOADING:
                self._new.make_missing()
            case Phase.CHECKING | Phase.SHIFTING | Phase.HOLDING:
                self._share(rollout)
            case Phase.PROMOTING:
                self._share(rollout)
                serves = self._new_health.health is Health.READY and self._is_drained(rollout)
                if self._old is not None and not self._old.deployed.is_adopted and serves:
                    self._old.remove()
            case Phase.RESTORING:
                self._restore(rollout)
            case _:
                pass

    def tidy(self, confirm: Callable[[], None]) -> None:
        """Remove what mlgate made for this service and its record does not name any more."""
        known = known_releases(self._record)
        kinds = (INFERENCE_SERVICE if self._record.mode == mode.ROUTE else DEPLOYMENT, *BESIDE_WORKLOAD)
        leftovers = leftover_objects(self._api, self._service, kinds, known)
        route = None if known else self._api.get(HTTP_ROUTE, self._name)
        confirm()
        for kind, one in leftovers:
            self._api.delete(kind, one)
        self._remove_route(route)

    def _weight(self, rollout: Rollout) -> int | None:
        """Return the candidate's percent once the gateway has taken it; more than is allowed, even before."""
        assert self._new is not None
        if self._route is None:
            return 0
        weight = http_route.weight_of(self._route, backend(self._new.deployed).service)
        known = http_route.is_in_effect(self._route) and self._is_stamped(rollout)
        return weight if known or weight > rollout.weight else None

    def _is_stamped(self, rollout: Rollout) -> bool:
        """Whether the route was written for the present state, where it has to be."""
        assert self._route is not None
        return rollout.state.phase is Phase.LOADING or is_stamped(self._route, self._stamp(rollout))

    def _stamp(self, rollout: Rollout) -> str:
        assert self._record.candidate is not None
        return stamp_of(self._record.candidate.name, rollout)

    def _is_settled(self, phase: Phase) -> bool:
        assert self._new is not None
        if phase is Phase.RESTORING:
            return self._new.deployed.is_adopted or self._new.is_gone
        if phase is Phase.PROMOTING:
            return self._old is None or self._old.deployed.is_adopted or self._old.is_gone
        return False

    def _why(self, new: Condition, old: Condition, phase: Phase) -> str:
        if new.why and new.health is not Health.ABSENT:
            return new.why
        if self._old is not None and old.health is not Health.READY:
            return f"the stable model {self._old.deployed.name}: {old.why}"
        if self._route is not None and phase is Phase.SHIFTING:
            return http_route.complaint(self._route)
        return ""

    def _share(self, rollout: Rollout) -> None:
        """Write the route with the weights of the state. A first model has all of what nobody else has."""
        assert self._new is not None
        shares = [(backend(self._new.deployed), rollout.weight)]
        if self._old is not None and rollout.state.phase is not Phase.PROMOTING:
            shares.insert(0, (backend(self._old.deployed), ALL - rollout.weight))
        self._write(shares, self._stamp(rollout))

    def _restore(self, rollout: Rollout) -> None:
        """Give everything back to the stable model, and remove the candidate once the gateway has taken that.

        A stable model that somebody removed meanwhile is made anew first, where the candidate can serve until then.
        """
        assert self._new is not None
        if self._old is None:
            self._remove_route(self._route)
        elif self._old_health.ready_pods == 0 and self._new_health.health is Health.READY and rollout.state.step >= 0:
            self._old.make_missing()
            return
        else:
            self._old.make_missing()
            self._write([(backend(self._old.deployed), ALL)], self._stamp(rollout))
        if not self._new.deployed.is_adopted and self._is_drained(rollout):
            self._new.remove()

    def _remove_route(self, route: Obj | None) -> None:
        if route is not None and "deletionTimestamp" not in route["metadata"]:
            self._api.delete(HTTP_ROUTE, route)

    def _is_drained(self, rollout: Rollout) -> bool:
        """Whether the model that goes has had no traffic for long enough for what it had begun."""
        is_quiet = self._route is None or (http_route.is_in_effect(self._route) and self._is_stamped(rollout))
        never_shared = rollout.state.phase is Phase.RESTORING and rollout.state.step < 0
        return self._drain.is_over(is_quiet=is_quiet) or (is_quiet and never_shared)

    def _write(self, shares: Sequence[tuple[Backend, int]], stamp: str) -> None:
        """Make the route so, if it is not. Holds for the route that was observed. Raises Conflict when it changed."""
        wanted = http_route.desired(self._name, self._gateway, shares, {SERVICE_LABEL: self._service})
        there = self._route
        if there is None:
            self._route = self._api.create(HTTP_ROUTE, {**wanted, "metadata": stamped(wanted["metadata"], stamp)})
        elif not is_stamped(there, stamp) or not _has(there["spec"], wanted["spec"]):
            changed = {"metadata": stamped(there["metadata"], stamp), "spec": wanted["spec"]}
            self._route = self._api.replace(HTTP_ROUTE, {**there, **changed})


def prepared(documents: Sequence[Mapping[str, Any]], service: str) -> tuple[dict[str, Any], ...]:
    """Return a person's documents as this mode needs them: without a route of KServe's, with a Service in front.

    The model is called as the service by a runtime that takes a name, whatever the InferenceService is called.
    """
    found = [copy.deepcopy(dict(one)) for one in documents]
    runs = workload(found)
    if kind_of(runs) is INFERENCE_SERVICE:
        metadata: Any = runs["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), _VISIBILITY: "cluster-local"}
        metadata["annotations"] = {MODE_NOTE: "Standard", **(metadata.get("annotations") or {})}
        model = runs["spec"]["predictor"].get("model")
        if model is not None and not any("model_name" in str(one) for one in model.get("args") or ()):
            model["args"] = [*(model.get("args") or ()), f"--model_name={service}"]
    elif not any(kind_of(one) is SERVICE for one in found):
        metadata = {"name": runs["metadata"]["name"]}
        front = {"apiVersion": SERVICE.api_version, "kind": SERVICE.name, "metadata": metadata}
        found.append({**front, "spec": {"ports": ports_before(runs)}})
    return tuple(found)


def backend(deployed: Deployed) -> Backend:
    """Return the Service in front of a release's pods."""
    if kind_of(workload(deployed.manifest)) is INFERENCE_SERVICE:
        return Backend(deployed.name, f"{deployed.name}-predictor", 80)
    for document in deployed.manifest:
        if kind_of(document) is SERVICE:
            spec: Any = document["spec"]
            metadata: Any = document["metadata"]
            return Backend(deployed.name, str(metadata["name"]), int(spec["ports"][0]["port"]))
    raise AdapterError(f"the release {deployed.name} has no Service in front of its pods")


def _has(there: Any, wanted: Any) -> bool:
    """Whether *there* has all of *wanted*, with whatever defaults the server added."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_has(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_has, there, wanted))
    return bool(there == wanted)
