"""What a user has to be allowed so that a rollout can begin, go on and go back, and what of it is missing.

It is asked before anything is made: a right that is missing in mid-rollout is found when traffic should go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes import kinds
from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.autoscaling import pod_range
from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.adapters.kubernetes.lease import name_of
from mlgate.adapters.kubernetes.manifest import kind_of
from mlgate.core.deploy import mode
from mlgate.core.errors import AdapterError, Denied

_ANY = "*"
OPTIONAL = (kinds.VERTICAL_AUTOSCALER, kinds.TRAINED_MODEL, kinds.INFERENCE_GRAPH)
"""Kinds that are listed to warn of what is beside a service, by a user who may. Nobody has to."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on the objects of one kind, or on one of them."""

    group: str
    plural: str
    verb: str
    name: str = ""
    """Empty: any object."""

    def __str__(self) -> str:
        return f"{self.verb} {self.plural}" + (f" ({self.group})" if self.group else "")


def needed(
    mode_name: str, service: str, documents: Iterable[Mapping[str, Any]], *, tries: bool = False
) -> frozenset[Right]:
    """Return what a rollout in a mode needs, whose release consists of *documents*; *tries*: by a route of a trial."""
    rights = [*_rights(kinds.HTTP_ROUTE, "get delete", f"{name_of(service)}-trial")] if tries else []
    rights += [*_rights(kinds.POD, "list"), *_of_mode(mode_name, service)]
    for kind in (kinds.CONFIG_MAP, kinds.LEASE):
        rights += [*_rights(kind, "create"), *_rights(kind, "get update", name_of(service))]
    if mode_name not in mode.ONE_OBJECT:
        for kind in (kinds.DISRUPTION_BUDGET,) if mode_name == mode.REPLICAS else kinds.BESIDE_WORKLOAD:
            rights += _rights(kind, "list")
        found = list(documents)
        for kind in {kind_of(one) for one in found} - set(kinds.WORKLOADS):
            rights += _rights(kind, "get create delete")
        for one in found:
            if mode_name in mode.ROUTED and pod_range(one) is not None:
                rights += _rights(kind_of(one), "update")  # it is held while the rollout is under way
    return frozenset(rights)


def _of_mode(mode_name: str, service: str) -> Iterator[Right]:
    """Yield what one mode needs besides the record, the lock, the pods, and what else the manifest has."""
    made, predictor = "get list create delete", f"{service}-predictor"
    if mode_name in mode.ROUTED:
        yield from _rights(kinds.HTTP_ROUTE, "list create")
        yield from _rights(kinds.HTTP_ROUTE, "get update delete", name_of(service))
    if mode_name in mode.ONE_OBJECT:
        yield from _rights(kinds.INFERENCE_SERVICE, "list create")
        yield from _rights(kinds.INFERENCE_SERVICE, "get patch delete", service)
    match mode_name:
        case mode.ROUTE:
            yield from (*_rights(kinds.INFERENCE_SERVICE, made), *_rights(kinds.DEPLOYMENT, "get"))
        case mode.DEPLOYMENT:
            yield from (*_rights(kinds.DEPLOYMENT, made), *_rights(kinds.SERVICE, "get create delete"))
        case mode.REPLICAS:
            yield from (*_rights(kinds.DEPLOYMENT, f"{made} update"), *_rights(kinds.SERVICE, "create"))
            yield from _rights(kinds.SERVICE, "get update delete", service)
        case mode.KNATIVE:
            yield from _rights(kinds.KNATIVE_SERVICE, "get", predictor)
            yield from _rights(kinds.KNATIVE_REVISION, "get list delete")
        case mode.STANDARD:
            yield from _rights(kinds.DEPLOYMENT, "get")
            yield from (right for name in (service, predictor) for right in _rights(kinds.HTTP_ROUTE, "get", name))


def demand(api: Api, rights: Iterable[Right]) -> None:
    """Raise Denied, with all that is missing. Where the cluster does not tell, nothing is said: it refuses later."""
    try:
        rules = api.review("SelfSubjectRulesReview", {"namespace": api.namespace}).get("resourceRules") or ()
        unclear = [one for one in sorted(rights) if not any(_allows(rule, one) for rule in rules)]
        missing = [one for one in unclear if not _is_allowed(api, one)]  # other authorizers need not list their rules
    except (AdapterError, Denied):
        return
    if missing:
        raise Denied(
            f"this user may not, in namespace {api.namespace}: {', '.join(map(str, missing))}; nothing was changed",
            hint="give it the Role of docs/reference/deploy-role.yaml, by a RoleBinding",
        )


def _rights(kind: Kind, verbs: str, name: str = "") -> Iterator[Right]:
    return (Right(kind.group, kind.plural, verb, name) for verb in verbs.split())


def _allows(rule: Mapping[str, Any], right: Right) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _has(rule, "verbs", right.verb)
        and _has(rule, "apiGroups", right.group)
        and _has(rule, "resources", right.plural)
        and (not names or right.name in names)
    )


def _has(rule: Mapping[str, Any], part: str, value: str) -> bool:
    listed = rule.get(part) or ()
    return value in listed or _ANY in listed


def _is_allowed(api: Api, right: Right) -> bool:
    asked = {"namespace": api.namespace, "group": right.group, "resource": right.plural, "verb": right.verb}
    asked |= {"name": right.name} if right.name else {}
    return bool(api.review("SelfSubjectAccessReview", {"resourceAttributes": asked}).get("allowed"))
