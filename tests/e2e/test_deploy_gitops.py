"""Rendered manifests that another field manager applies to a real cluster, judged by who only looks; and detaching."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import gateway_client
from tests.support.child_environment import child_environment
from tests.support.deploy_project import image
from tests.support.rollout_cluster import GATEWAY, Place, place
from tests.support.waiting import until

from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, HTTP_ROUTE, INFERENCE_SERVICE, LEASE, POD
from mlgate.adapters.kubernetes.lease import name_of
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
MANAGER = "argocd-controller"
RULES = {"error_rate": {"max": 0.1, "max_rise": 0.03}}
KUBECTL = shutil.which("kubectl") or str(Path(__file__).parents[2] / ".cache/cluster/bin/kubectl")


class GitOps:
    """A place whose manifests are applied by another tool, as Argo CD would, and which prunes as it does."""

    def __init__(self, somewhere: Place) -> None:
        self.place = somewhere
        self.folder = somewhere.project.folder / "rendered"

    def rendered(self, image_of: str, *words: str, **changed: Any) -> None:
        self.place.manifest(MODEL_LATENCY="0.02", **changed)
        self.place.project.judged(image_of)
        code, said = self.place.run("render", "--to", str(self.folder), *words)
        assert code == 0, said

    def synced(self) -> None:
        """Apply the folder by a manager of its own, and remove what is in it no more."""
        words = ["apply", "-k", str(self.folder), "--server-side", f"--field-manager={MANAGER}"]
        command = [KUBECTL, "--kubeconfig", str(self.place.kubeconfig), "-n", self.place.namespace, *words]
        done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        names = {path.stem.partition("-")[2] for path in self.folder.glob("*.yaml")}
        for kind in (INFERENCE_SERVICE, DEPLOYMENT):
            for one in self.place.api.list(kind, {SERVICE_LABEL: self.place.service}):
                if one["metadata"]["name"] not in names and RELEASE_LABEL in one["metadata"]["labels"]:
                    self.place.api.delete(kind, one)
        until(self.is_ready)

    def is_ready(self) -> bool:
        pods = [one for one in self.place.api.list(POD, {}) if "deletionTimestamp" not in one["metadata"]]
        conditions = [one.get("status", {}).get("conditions", []) for one in pods]
        ready = [any(c["type"] == "Ready" and c["status"] == "True" for c in found) for found in conditions]
        wanted = sum(1 for path in self.folder.glob("inferenceservice-*.yaml"))
        return len(ready) == 2 * wanted and all(ready)

    def observed(self, *words: str) -> tuple[int, dict[str, Any]]:
        code, said = self.place.run("deploy", "--observe-only", "--json", *words)
        return code, json.loads(said.splitlines()[-1])

    @property
    def writers(self) -> set[str]:
        """Return who wrote the specification of the route."""
        route = self.place.api.get(HTTP_ROUTE, name_of(self.place.service)) or {}
        fields = route["metadata"]["managedFields"]
        return {one["manager"] for one in fields if one.get("subresource") != "status"}


@pytest.fixture
def somewhere(tmp_path: Path) -> Iterator[Place]:
    with place("route", tmp_path) as found:
        analysis = {"prometheus": {"url": os.environ["MLGATE_TEST_PROMETHEUS"], "interval": "1s"}, "rules": RULES}
        gateway = {"name": GATEWAY, "hosts": [found.host]}
        found.project.changed(gateway=gateway, steps=[50, 100], hold="15s", patience="30s", analysis=analysis)
        yield found


def users(stack: ExitStack, somewhere: Place, number: int = 2) -> None:
    for _ in range(number):
        stack.enter_context(gateway_client.asking(os.environ["MLGATE_TEST_GATEWAY"], somewhere.host))


@pytest.mark.parametrize(
    ("changed", "asking", "code", "says"),
    [
        ({}, 2, 0, "requests failed"),
        ({"MODEL_ERROR_RATE": "0.3"}, 2, 1, "requests failed"),
        ({}, 0, 3, "no requests"),
    ],
    ids=["fine", "worse", "nobody asks"],
)
def test_what_another_manager_applied_is_judged_and_not_touched(
    somewhere: Place, changed: dict[str, str], asking: int, code: int, says: str
) -> None:
    gitops = GitOps(somewhere)
    gitops.rendered(OLD, MODEL_VERSION="one")
    gitops.synced()
    gitops.rendered(NEW, "--step", "50", MODEL_VERSION="two", **changed)
    gitops.synced()
    with ExitStack() as stack:
        users(stack, somewhere, asking)
        found, said = gitops.observed()
    assert found == code, said
    assert (said["exit_code"], said["weight"]) == (code, 50)
    assert says in said["why"], said
    assert gitops.writers == {MANAGER}
    assert somewhere.api.get(LEASE, name_of(somewhere.service)) is None


def test_step_by_step_a_model_becomes_the_one_that_serves(somewhere: Place) -> None:
    gitops = GitOps(somewhere)
    gitops.rendered(OLD, MODEL_VERSION="one")
    gitops.synced()
    with ExitStack() as stack:
        users(stack, somewhere)
        for words in (["--step", "0"], ["--step", "50"], ["--step", "100"]):
            gitops.rendered(NEW, *words, MODEL_VERSION="two")
            gitops.synced()
            if words[-1] != "0":
                code, said = gitops.observed()
                assert code == 0, said
        gitops.rendered(NEW, MODEL_VERSION="two")
        gitops.synced()
    until(lambda: somewhere.asked() == (200, "two"))
    code, said = gitops.observed("--for", "1s")
    assert code == 3
    assert "name them" in said["why"]


@pytest.mark.parametrize(
    ("changed", "ends"), [({}, 0), ({"MODEL_ERROR_RATE": "0.3"}, 4)], ids=["promoted", "rolled back"]
)
def test_a_detached_rollout_is_carried_on_by_calls_of_reconcile(
    somewhere: Place, changed: dict[str, str], ends: int
) -> None:
    written = yaml.safe_load(somewhere.project.config.read_text())
    analysis = written["deploy"].pop("analysis")
    somewhere.project.config.write_text(yaml.safe_dump(written))
    somewhere.deployed(OLD, MODEL_VERSION="one", MODEL_LATENCY="0.02")
    somewhere.project.changed(analysis=analysis)
    somewhere.manifest(MODEL_VERSION="two", MODEL_LATENCY="0.02", **changed)
    somewhere.project.judged(NEW)
    with ExitStack() as stack:
        users(stack, somewhere)
        until(lambda: somewhere.run("deploy", "--dry-run")[0] == 0)
        code, said = somewhere.run("deploy", "--detach")
        assert code == 0, said
        assert "detached: " in said
        assert somewhere.record.handover is not None
        assert somewhere.weight == 50
        codes = []
        while somewhere.record.is_detached:
            code, said = somewhere.run("reconcile", "--for", "3s")
            codes.append(code)
    assert codes[-1] == ends, said
    assert set(codes[:-1]) <= {0}
    until(lambda: somewhere.is_at_rest(OLD if ends else NEW) == "")
