"""The Role of docs/reference is enough for every mode, and one verb less is not."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.api_proxy import Script, proxied
from tests.support.deploy_project import image
from tests.support.rollout_cluster import EVERYTHING, MODES, Place, place

from mlgate.adapters.kubernetes import access
from mlgate.adapters.kubernetes.kinds import AUTOSCALER, SCALED_OBJECT, Kind
from mlgate.core.deploy.mode import ONE_OBJECT

pytestmark = pytest.mark.needs_cluster

ROLES = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
SHIPPED = list(yaml.safe_load_all((Path(__file__).parents[2] / "docs/reference/deploy-role.yaml").read_text()))
OLD, NEW, WORSE = image("1"), image("2"), image("3")


BESIDE = [
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "summarizer"},
        "spec": {"minAvailable": 1},
    },
]


OF_STATUS = ("", "events", "list")
_ROUTE_ENDS = {("gateway.networking.k8s.io", "httproutes", "delete")}
RARE = {
    "route": _ROUTE_ENDS,
    "deployment": _ROUTE_ENDS,
    "replicas": {("", "services", "delete"), ("apps", "deployments", "update")},
    "knative": {("serving.kserve.io", "inferenceservices", "create")},
}
"""Used where a first model fails after it got traffic, by steps that need other numbers of pods, and by an apply (a
PATCH) that creates."""


def rules_of(mode: str) -> list[dict[str, Any]]:
    """Return the rules that a user of one mode has."""
    roles = SHIPPED if mode in ("deployment", "replicas") else SHIPPED[:1]
    return copy.deepcopy([rule for role in roles for rule in role["rules"]])


@contextmanager
def as_user(found: Place, rules: list[dict[str, Any]]) -> Iterator[Path]:
    """Yield the kubeconfig of a user who has these rules, in this namespace and nothing else."""
    name = "ci"
    for kind in (ROLES, BINDINGS):
        there = found.api.get(kind, name)
        if there is not None:
            found.api.delete(kind, there)
    if found.api.get(ACCOUNTS, name) is None:
        found.api.create(ACCOUNTS, {"metadata": {"name": name}})
    found.api.create(ROLES, {"metadata": {"name": name}, "rules": rules})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": ROLES.group, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": found.namespace}],
    }
    found.api.create(BINDINGS, binding)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = found.api._http.post(f"{ACCOUNTS.path(found.namespace, name)}/token", json=request).json()
    written = yaml.safe_load(found.kubeconfig.read_text())
    written["users"][0]["user"] = {"token": token["status"]["token"]}
    made = found.project.folder / "user-kubeconfig"
    made.write_text(yaml.safe_dump(written))
    yield made


def everything(found: Place, user: Path) -> list[tuple[int, str]]:
    """Do all that mlgate does on a cluster; return the exit codes, and what was printed.

    A first model that fails, one that is promoted, another one, one that fails beside it; show, go back, reconcile.
    """
    beside = [] if found.mode in ONE_OBJECT else BESIDE
    ends = []
    for named, changed in ((WORSE, {"MODEL_FAIL_LOAD": "no weights"}), (OLD, {}), (NEW, {"MODEL_VERSION": "two"})):
        found.manifest(*beside, **changed)
        found.project.judged(named)
        ends += [found.run("deploy", *words, kubeconfig=user) for words in (("--dry-run",), ())]
    found.manifest(*beside, MODEL_FAIL_LOAD="no weights")
    found.project.judged(WORSE)
    ends.append(found.run("deploy", kubeconfig=user))
    ends.extend(found.run(*words, kubeconfig=user) for words in (("status",), ("rollback",), ("reconcile",)))
    return ends


_OBJECT = re.compile(r"/(?:api|apis/([^/]+))/[^/]+/namespaces/[^/]+/([^/]+)(/[^/]+)?")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def asked(script: Script) -> set[tuple[str, str, str]]:
    """Return group, resource and verb of everything that was asked of the namespace's objects."""
    found = set()
    for method, path in script.requests:
        match = _OBJECT.fullmatch(path)
        if (match and match[2] != "configmaps") or (match and "/namespaces/kserve/" not in path):
            verb = _VERBS.get(method) or ("get" if match[3] else "list")
            found.add((match[1] or "", match[2], verb))
    return found


@pytest.mark.parametrize("mode", MODES if EVERYTHING else MODES[:1])
def test_the_role_is_enough_and_all_that_is_asked_for_is_used(mode: str, tmp_path: Path) -> None:
    with place(mode, tmp_path) as found, as_user(found, rules_of(mode)) as user:
        script = Script()
        with proxied(user, tmp_path, script) as kubeconfig:
            ends = everything(found, kubeconfig)
        assert [code for code, _ in ends] == [0, 4, 0, 0, 0, 0, 4, 0, 0, 0], "\n".join(said for _, said in ends)
        documents = yaml.safe_load_all((found.project.folder / "manifest.yaml").read_text())
        rights = access.needed(mode, found.service, documents)
    to_warn = {(kind.group, kind.plural, "list") for kind in (*access.OPTIONAL, AUTOSCALER, SCALED_OBJECT)}
    used, wanted = asked(script) - {OF_STATUS}, {(one.group, one.plural, one.verb) for one in rights}
    assert wanted - used == RARE.get(mode, set())
    assert used - wanted <= to_warn


@pytest.mark.parametrize(
    ("resource", "verb"), [("httproutes", "update"), ("leases", "create"), ("inferenceservices", "delete")]
)
def test_one_verb_less_is_not_enough_and_is_named(resource: str, verb: str, tmp_path: Path) -> None:
    rules = rules_of("route")
    next(rule for rule in rules if resource in rule["resources"])["verbs"].remove(verb)
    with place("route", tmp_path) as found, as_user(found, rules) as user:
        found.deployed(OLD)
        found.manifest(MODEL_VERSION="two")
        found.project.judged(NEW)
        before = found.left()
        code, said = found.run("deploy", kubeconfig=user)
        assert code == 2, said
        assert f"this user may not, in namespace {found.namespace}: {verb} {resource}" in said
        assert "deploy-role.yaml" in said
        assert found.left() == before
