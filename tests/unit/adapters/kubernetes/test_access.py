"""A right that is missing is told before anything is made; the Role that is shipped has them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from tests.support.deploy_project import deployment, inference_service
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes, status

from mlgate.adapters.kubernetes import access
from mlgate.adapters.kubernetes.access import Right, needed
from mlgate.adapters.kubernetes.kinds import BESIDE_WORKLOAD, DISRUPTION_BUDGET
from mlgate.core.deploy import mode
from mlgate.core.errors import Denied

MODES = (mode.ROUTE, mode.DEPLOYMENT, mode.REPLICAS, mode.KNATIVE, mode.STANDARD)
ROLE = Path(__file__).parents[4] / "docs/reference/deploy-role.yaml"
BESIDE = [{"apiVersion": kind.api_version, "kind": kind.name} for kind in BESIDE_WORKLOAD]


def manifest(way: str) -> list[dict[str, Any]]:
    beside = BESIDE if way != mode.REPLICAS else [one for one in BESIDE if one["kind"] == DISRUPTION_BUDGET.name]
    scaled = inference_service()
    scaled["metadata"]["annotations"] = {}  # KServe scales it
    return [deployment() if way in (mode.DEPLOYMENT, mode.REPLICAS) else scaled, *beside]


def shipped() -> list[dict[str, Any]]:
    return [rule for role in yaml.safe_load_all(ROLE.read_text()) for rule in role["rules"]]


@pytest.mark.parametrize("way", MODES)
def test_the_shipped_role_is_enough(way: str) -> None:
    fake = FakeKubernetes(rules=shipped())
    access.demand(fake.api(), needed(way, "summarizer", manifest(way)))
    assert len(fake.requests) == 1


def test_the_shipped_role_has_no_verb_too_many() -> None:
    granted = {
        (group, resource, verb)
        for rule in shipped()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    used = {(one.group, one.plural, one.verb) for way in MODES for one in needed(way, "summarizer", manifest(way))}
    of_status = {("", "events", "list")}
    to_warn = {(kind.group, kind.plural, "list") for kind in access.OPTIONAL}
    assert granted == used | of_status | to_warn


@pytest.mark.parametrize("way", MODES)
def test_every_right_that_is_missing_is_named(way: str) -> None:
    rights = needed(way, "summarizer", manifest(way))
    for left_out in rights:
        rules = [_rule(one) for one in rights if one != left_out]
        with pytest.raises(Denied, match=f"may not, in namespace {NAMESPACE}: {left_out.verb} {left_out.plural}"):
            access.demand(FakeKubernetes(rules=rules).api(), rights)


def _rule(right: Right) -> dict[str, Any]:
    rule: dict[str, Any] = {"verbs": [right.verb], "apiGroups": [right.group], "resources": [right.plural]}
    return {**rule, "resourceNames": [right.name]} if right.name else rule


def test_a_rule_for_another_object_of_the_kind_is_none() -> None:
    right = Right("", "configmaps", "get", "mlgate-summarizer")
    fake = FakeKubernetes(rules=[{**_rule(right), "resourceNames": ["mlgate-other"]}])
    with pytest.raises(Denied):
        access.demand(fake.api(), [right])


def test_an_authorizer_that_lists_no_rules_is_asked_by_each_right() -> None:
    fake, asked = FakeKubernetes(rules=[]), []

    def allows(_method: str, path: str) -> httpx2.Response | None:
        asked.append(path)
        return httpx2.Response(201, json={"status": {"allowed": True}}) if path.endswith("accessreviews") else None

    fake.before = allows
    access.demand(fake.api(), [Right("", "pods", "list"), Right("", "configmaps", "create")])
    assert len(asked) == 3


def test_a_cluster_that_does_not_tell_is_not_in_the_way() -> None:
    fake = FakeKubernetes(before=lambda _method, _path: status(403, "Forbidden", "no reviews here"))
    access.demand(fake.api(), [Right("", "pods", "list")])
    assert fake.requests
