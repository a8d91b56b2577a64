"""`route` and `deployment`: two models behind one HTTPRoute of ours, whose weights share the traffic.

`route`: two InferenceServices, which KServe gives no route of their own. `deployment`: two Deployments, each with a
Service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlgate.adapters.kubernetes import health, http_route
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.drain import Drain
from mlgate.adapters.kubernetes.health import ABSENT, Condition
from mlgate.adapters.kubernetes.http_route import Audience, Gateway, Split
from mlgate.adapters.kubernetes.kinds import BESIDE_WORKLOAD, DEPLOYMENT, HTTP_ROUTE, INFERENCE_SERVICE
from mlgate.adapters.kubernetes.leftovers import known_releases, leftover_objects
from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL
from mlgate.adapters.kubernetes.release_objects import ReleaseObjects
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.adapters.kubernetes.route_manifest import backend, split
from mlgate.adapters.kubernetes.stamp import is_stamped, stamp_of, stamped
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Opening, Phase, Reading, Rollout

_KNOWN_S = 40.0
"""Until an autoscaler knows of traffic that has come back: it looks every 15 s at what was measured every 15 s."""
_JUDGED = (Phase.LOADING, Phase.CHECKING, Phase.SHIFTING, Phase.HOLDING)


class RouteServing:
    """The two models of one record, and the route before them."""

    def __init__(
        self, api: Api, service: str, gateway: Gateway, record: ServiceRecord, audience: Audience | None = None
    ) -> None:
        self._audience = audience
        self._api, self._service, self._gateway, self._record = api, service, gateway, record
        self._new = ReleaseObjects(api, record.candidate) if record.candidate else None
        self._old = ReleaseObjects(api, record.accepted) if record.accepted else None
        self._route: Obj | None = None
        self._trial: Obj | None = None
        self._drain, self._known = Drain(), Drain(_KNOWN_S)
        self._crashes = Crashes(record)
        self._new_health = self._old_health = ABSENT

    @property
    def _name(self) -> str:
        return f"mlgate-{self._service}"

    @property
    def _trial_name(self) -> str:
        """The route by which the gateway is tried before it is asked to copy users' requests."""
        return f"{self._name}-trial"

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now."""
        assert self._new is not None
        phase = rollout.state.phase
        self._route = self._api.get(HTTP_ROUTE, self._name)
        if rollout.plan.opening:
            self._trial = self._api.get(HTTP_ROUTE, self._trial_name)
        new = self._new_health = self._crashes.judged(self._new.look(), phase)
        if new.health is Health.READY and phase in _JUDGED and self._new.is_small:
            new = replace(new, health=Health.LOADING, why=self._new.is_small)
        old = self._old_health = self._old.look() if self._old else ABSENT
        return Reading(
            at=0.0,
            candidate=new.health,
            stable=health.stable(old, is_first=self._old is None),
            weight=self._weight(rollout),
            is_settled=self._is_settled(phase),
            restarts=tuple(sorted(new.restarts.items())),
            why=self._why(new, old, phase),
        )

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for."""
        assert self._new is not None
        self._try_out(rollout)
        match rollout.state.phase:
            case Phase.LOADING:
                self._new.make_missing(least=self._size)
                self._hold()
            case Phase.CHECKING | Phase.SHIFTING | Phase.HOLDING:
                self._share(rollout)
                self._hold()
            case Phase.PROMOTING:
                self._share(rollout)
                serves = self._new_health.health is Health.READY and self._is_drained(rollout)
                if self._old is not None and not self._old.deployed.is_adopted and serves:
                    self._old.remove()
                if self._is_alone:
                    self._new.give_back()
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
        if self._old is not None:
            self._old.look()
        ours = self._api.list(HTTP_ROUTE, {SERVICE_LABEL: self._service})
        trials = [one for one in ours if one["metadata"]["name"] == self._trial_name]
        confirm()
        if self._old is not None and not self._record.is_under_way:
            self._old.give_back()
        for kind, one in leftovers:
            self._api.delete(kind, one)
        for trial in trials:
            self._remove_route(trial)
        self._remove_route(route)

    def _given(self) -> int:
        """Return the percent that the route gives the candidate, taken by the gateway or not."""
        assert self._new is not None
        return http_route.weight_of(self._route, backend(self._new.deployed).service)

    def _opening(self) -> Opening | None:
        """Return how the route gives the candidate requests besides its share."""
        assert self._new is not None
        return http_route.opening_of(self._route, backend(self._new.deployed).service)

    def _weight(self, rollout: Rollout) -> int | None:
        """Return the candidate's percent once the gateway has taken it; more than is allowed, even before.

        A route that has an opening when it should not, or none when it should, is none that it has taken.
        """
        if self._route is None:
            return 0
        weight = self._given()
        opens = self._opening() is rollout.opening
        is_tried = not self._needs_trial(rollout) or (self._trial is not None and http_route.is_in_effect(self._trial))
        known = http_route.is_in_effect(self._route) and self._is_stamped(rollout) and opens and is_tried
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
            is_held = self._old is not None and not self._old.is_given_back
            return (self._new.deployed.is_adopted or self._new.is_gone) and not is_held
        return phase is Phase.PROMOTING and self._is_alone and self._new.is_given_back

    @property
    def _is_alone(self) -> bool:
        """Whether nothing is left of the model before that shall not be left."""
        return self._old is None or self._old.deployed.is_adopted or self._old.is_gone

    @property
    def _size(self) -> int:
        """Return how many pods the stable model has now, one at least; 0 where there is none."""
        return max(1, self._old.replicas) if self._old is not None else 0

    def _hold(self) -> None:
        """Let no autoscaler make either model smaller than the stable one is: more traffic, or all, may come to it."""
        assert self._new is not None
        if self._old is not None:
            self._new.hold(self._size)
            self._old.hold(self._size)

    def _why(self, new: Condition, old: Condition, phase: Phase) -> str:
        if new.why and new.health is not Health.ABSENT:
            return new.why
        if self._old is not None and old.health is not Health.READY:
            return f"the stable model {self._old.deployed.name}: {old.why}"
        if self._route is not None and phase is Phase.SHIFTING:
            return http_route.complaint(self._route)
        if self._trial is not None and phase is Phase.CHECKING:
            return http_route.complaint(self._trial)
        return ""

    def _try_out(self, rollout: Rollout) -> None:
        """Have the route of the trial while the gateway is tried, and at no other time."""
        assert self._new is not None
        if not self._needs_trial(rollout):
            self._remove_route(self._trial)
        elif self._trial is None:
            labels = {SERVICE_LABEL: self._service}
            whose = self._audience if rollout.plan.opening is Opening.AUDIENCE else None
            wanted = http_route.trial(self._trial_name, self._gateway, backend(self._new.deployed), labels, whose)
            self._trial = self._api.create(HTTP_ROUTE, wanted)

    def _needs_trial(self, rollout: Rollout) -> bool:
        """Whether the gateway is being tried: on copies, and on cookies, which not every gateway can tell apart."""
        opening = rollout.plan.opening if rollout.state.phase is Phase.CHECKING else None
        tells_cookies = self._audience is not None and self._audience.is_cookie
        return opening is Opening.MIRRORED or (opening is Opening.AUDIENCE and tells_cookies)

    def _share(self, rollout: Rollout) -> None:
        """Write the route with the weights of the state. A first model has all of what nobody else has."""
        assert self._new is not None
        beside = self._old.deployed if self._old is not None and rollout.state.phase is not Phase.PROMOTING else None
        shared = split(self._new.deployed, beside, rollout.weight)
        new, opening = backend(self._new.deployed), rollout.opening
        copies = new if opening is Opening.MIRRORED else None
        audience = (self._audience, new) if opening is Opening.AUDIENCE and self._audience else None
        self._write(replace(shared, mirrored=copies, audience=audience), self._stamp(rollout))

    def _restore(self, rollout: Rollout) -> None:
        """Give everything back to the stable model, and remove the candidate once the gateway has taken that.

        A stable model that has no pods any more comes up first, where the candidate can serve until then.
        """
        assert self._new is not None
        if self._old is None:
            self._remove_route(self._route)
        elif health.only_candidate_answers(self._new_health, self._old_health, self._given()):
            self._old.make_missing()
            return
        else:
            self._old.make_missing()
            self._write(Split([(backend(self._old.deployed), ALL)]), self._stamp(rollout))
        if not self._new.deployed.is_adopted and self._is_drained(rollout):
            self._new.remove()
        knows = self._known.is_over(is_quiet=self._is_quiet(rollout)) or rollout.state.step < 0
        if self._old is not None and knows:
            self._old.give_back()

    def _remove_route(self, route: Obj | None) -> None:
        if route is not None and "deletionTimestamp" not in route["metadata"]:
            self._api.delete(HTTP_ROUTE, route)

    def _is_drained(self, rollout: Rollout) -> bool:
        """Whether the model that goes has had no traffic for long enough for what it had begun."""
        is_quiet = self._is_quiet(rollout)
        never_shared = rollout.state.phase is Phase.RESTORING and rollout.state.step < 0
        return self._drain.is_over(is_quiet=is_quiet) or (is_quiet and never_shared)

    def _is_quiet(self, rollout: Rollout) -> bool:
        """Whether the gateway has taken what the state asks for."""
        return self._route is None or (http_route.is_in_effect(self._route) and self._is_stamped(rollout))

    def _write(self, split: Split, stamp: str) -> None:
        """Make the route so, if it is not. Holds for the route that was observed. Raises Conflict when it changed."""
        wanted = http_route.desired(self._name, self._gateway, split, {SERVICE_LABEL: self._service})
        there = self._route
        if there is None:
            self._route = self._api.create(HTTP_ROUTE, {**wanted, "metadata": stamped(wanted["metadata"], stamp)})
        elif not (is_stamped(there, stamp) and _has(there["spec"], wanted["spec"])) or (
            (self._opening() is Opening.MIRRORED) != (split.mirrored is not None)
        ):
            changed = {"metadata": stamped(there["metadata"], stamp), "spec": wanted["spec"]}
            self._route = self._api.replace(HTTP_ROUTE, {**there, **changed})


def _has(there: Any, wanted: Any) -> bool:
    """Whether *there* has all of *wanted*, with whatever defaults the server added."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_has(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_has, there, wanted))
    return bool(there == wanted)
