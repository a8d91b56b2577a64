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
from tests.support.rollout_cluster import MODES, Place, place

from mlgate.adapters.kubernetes.kinds import Kind

pytestmark = pytest.mark.needs_cluster

ROLES = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
SHIPPED = list(yaml.safe_load_all((Path(__file__).parents[2] / "docs/reference/deploy-role.yaml").read_text()))
OLD, NEW, WORSE = image("1"), image("2"), image("3")


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


def everything(found: Place, user: Path) -> list[int]:
    """Do all that mlgate does on a cluster: promote, go back, roll back, show, reconcile. Return the exit codes."""
    codes = []
    found.manifest(MODEL_VERSION="one")
    found.project.judged(OLD)
    codes.append(found.run("deploy", kubeconfig=user)[0])
    found.manifest(MODEL_VERSION="two")
    found.project.judged(NEW)
    codes.append(found.run("deploy", kubeconfig=user)[0])
    found.manifest(MODEL_FAIL_LOAD="no weights")
    found.project.judged(WORSE)
    codes.append(found.run("deploy", kubeconfig=user)[0])
    codes.extend(found.run(*words, kubeconfig=user)[0] for words in (("status",), ("rollback",), ("reconcile",)))
    return codes


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


def granted(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_role_is_enough_and_has_no_verb_too_many(tmp_path: Path) -> None:
    used: set[tuple[str, str, str]] = set()
    for mode in MODES:
        folder = tmp_path / mode
        with place(mode, folder) as found, as_user(found, rules_of(mode)) as user:
            script = Script()
            with proxied(user, folder, script) as kubeconfig:
                assert everything(found, kubeconfig) == [0, 0, 4, 0, 0, 0], mode
            used |= asked(script)
    everything_granted = {one for role in SHIPPED for one in granted(role["rules"])}
    assert used == everything_granted


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
        code, said = found.run("deploy", kubeconfig=user)
        assert code != 0
        assert f"cannot {verb} resource" in said
        assert "deploy-role.yaml" in said
