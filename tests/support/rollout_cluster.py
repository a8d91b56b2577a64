"""A namespace of one's own on the real cluster, mlgate as a process there, and what the cluster shows afterwards."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightkube import KubeConfig
from lightkube.config.client_adapter import Client, ConnectionParams
from tests.support import gateway_client
from tests.support.child_environment import child_environment
from tests.support.deploy_project import DeployProject, deployment, inference_service
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.kinds import (
    DEPLOYMENT,
    HTTP_ROUTE,
    INFERENCE_SERVICE,
    KNATIVE_REVISION,
    POD,
    SERVICE,
    Kind,
)
from mlgate.adapters.kubernetes.lease import holder
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.core.deploy.mode import ROUTED
from mlgate.core.deploy.release import ServiceRecord

GATEWAY = "kserve/kserve-ingress-gateway"
MODES = tuple(os.environ.get("MLGATE_TEST_MODES", "route,deployment,knative,replicas").split(","))
"""Those that the cluster can do. `standard` is none of them: KServe v0.20 does not route it."""
EVERYTHING = os.environ.get("MLGATE_TEST_KILLS") == "all"
"""Whether the long stories are asked for in whole (`make test-kills`); else in one mode or two, and a sample of the
kills: the contract tests have them all in memory."""
_PLAIN = ("deployment", "replicas")
_USERS = "users"
"""The tests' own way in to a service that mlgate puts behind no route."""


@dataclass
class Place:
    """One namespace, one project, one mode."""

    mode: str
    api: Api
    kubeconfig: Path
    project: DeployProject
    host: str

    @property
    def steps(self) -> list[int]:
        """Return the percents of a rollout here. Two pods give no smaller step than half."""
        return [50, 100] if self.mode == "replicas" else [10, 50, 100]

    @property
    def first_step(self) -> str:
        """Return the line's beginning that says that the first step holds."""
        return f"{self.steps[0]} %  holding"

    @property
    def service(self) -> str:
        return self.project.service

    @property
    def namespace(self) -> str:
        return self.project.namespace

    def manifest(self, *beside: dict[str, Any], **changed: Any) -> None:
        """Write the manifest of this mode; *changed*: variables of the model server, *beside*: further objects."""
        if self.mode in _PLAIN:
            self.project.manifest(deployment(**changed), *beside)
            return
        made = inference_service(**changed)
        if self.mode == "knative":
            made["metadata"]["annotations"] = {
                "serving.kserve.io/deploymentMode": "Knative",
                "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",
            }
            made["spec"]["predictor"]["minReplicas"] = 1
            del made["spec"]["predictor"]["topologySpreadConstraints"]  # Knative's webhook refuses it
        self.project.manifest(made, *beside)

    def start(self, *words: str, kubeconfig: Path | None = None) -> subprocess.Popen[str]:
        """Start mlgate."""
        env = child_environment(KUBECONFIG=str(kubeconfig or self.kubeconfig))
        command = [str(Path(sys.executable).with_name("mlgate")), *words, "-c", str(self.project.config)]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *words: str, kubeconfig: Path | None = None) -> tuple[int, str]:
        """Run mlgate to its end; return its exit code and what it printed."""
        return ended(self.start(*words, kubeconfig=kubeconfig))

    def deployed(self, image: str, **changed: Any) -> None:
        """Deploy an image that passed, and see it promoted."""
        self.manifest(**changed)
        self.project.judged(image)
        code, said = self.run("deploy")
        assert code == 0, said

    @property
    def record(self) -> ServiceRecord:
        return ConfigMapRecords(self.api, self.service).load()

    def open_to_users(self) -> None:
        """Let users reach the service through the gateway, where the mode itself puts it behind none."""
        if self.mode == "knative":
            service = self.api.get(INFERENCE_SERVICE, self.service) or {}
            self.host = str(urlsplit(service["status"]["url"]).hostname)
        elif self.mode == "replicas":
            space, _, name = GATEWAY.partition("/")
            spec = {
                "parentRefs": [{"namespace": space, "name": name}],
                "hostnames": [self.host],
                "rules": [{"backendRefs": [{"name": self.service, "port": 80}]}],
            }
            self.api.create(HTTP_ROUTE, {"metadata": {"name": _USERS}, "spec": spec})

    def asked(self) -> tuple[int, str]:
        """Ask the service once through the gateway."""
        return gateway_client.ask(os.environ["MLGATE_TEST_GATEWAY"], self.host)

    @property
    def weight(self) -> int | None:
        """Return the candidate's percent, as the cluster shows it; None: of pods, neither all nor none."""
        return _WEIGHT[self.mode](self)

    def left(self) -> dict[str, list[str]]:
        """Return the names of what is there of this service, by kind; what ends by itself is waited for."""
        until(lambda: not [one for one in self._list(POD) if "deletionTimestamp" in one["metadata"]])
        kinds = (INFERENCE_SERVICE, DEPLOYMENT, SERVICE, HTTP_ROUTE)
        found = {kind.name: sorted(one["metadata"]["name"] for one in self._list(kind)) for kind in kinds}
        return {kind: names for kind, names in found.items() if names}

    def _list(self, kind: Kind) -> tuple[Any, ...]:
        return self.api.list(kind, {}, missing_is_fine=True)

    def is_at_rest(self, image: str) -> str:
        """Return why not everything is on the model with *image*, and nothing of another left; empty when it is."""
        record = self.record
        if record.is_under_way:
            return "a rollout is under way"
        if holder(self.api, self.service):
            return "the lock is held"
        if record.accepted is None or record.accepted.release.image != image:
            return f"{record.accepted and record.accepted.release.image} serves"
        return _AT_REST[self.mode](self, record.accepted.name)


def ended(process: subprocess.Popen[str], seconds: float = PATIENCE) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, said


def await_text(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """Return the lines until one matches."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if re.search(pattern, line):
            return lines
    raise AssertionError(f"{pattern} never came: {lines}")


def _routed(place: Place, name: str) -> str:
    route = place.api.get(HTTP_ROUTE, f"mlgate-{place.service}")
    if route is None:
        return "there is no route"
    refs = route["spec"]["rules"][-1]["backendRefs"]
    if [ref["weight"] for ref in refs] != [100] or not refs[0]["name"].startswith(name):
        return f"the route has {refs}"
    kind = DEPLOYMENT if place.mode in _PLAIN else INFERENCE_SERVICE
    names = [one["metadata"]["name"] for one in place.api.list(kind, {})]
    if names != [name]:
        return f"there are {names}"
    pods = [one for one in place.api.list(POD, {}) if not one["metadata"]["name"].startswith(name)]
    return f"pods are left: {[one['metadata']['name'] for one in pods]}" if pods else ""


def _by_revision(place: Place, name: str) -> str:
    service = place.api.get(INFERENCE_SERVICE, place.service)
    if service is None:
        return "there is no service"
    if "canaryTrafficPercent" in service["spec"]["predictor"]:
        return "a percent is left"
    if service["spec"]["predictor"]["labels"].get(RELEASE_LABEL) != name:
        return "the specification is another one's"
    traffic = service["status"]["components"]["predictor"]["traffic"]
    gets = {one["revisionName"]: one.get("percent", 0) for one in traffic if one.get("percent")}
    if list(gets.values()) != [100]:
        return f"traffic: {gets}"
    revision = place.api.get(KNATIVE_REVISION, next(iter(gets)))
    label = (revision or {}).get("metadata", {}).get("labels", {}).get(RELEASE_LABEL)
    return _rejected_revisions(place, name) if label == name else f"the traffic goes to a revision of {label}"


def _rejected_revisions(place: Place, name: str) -> str:
    rejected = place.record.candidate
    if rejected is None or rejected.name == name:
        return ""
    left = place.api.list(KNATIVE_REVISION, {RELEASE_LABEL: rejected.name})
    return f"the candidate's revision is left: {left[0]['metadata']['name']}" if left else ""


def _by_pods(place: Place, name: str) -> str:
    front = place.api.get(SERVICE, place.service)
    if front is None or front["spec"]["selector"].get(RELEASE_LABEL) != name:
        return f"the Service selects {front and front['spec']['selector']}"
    names = [one["metadata"]["name"] for one in place.api.list(DEPLOYMENT, {})]
    return "" if names == [name] else f"there are {names}"


_AT_REST = {"route": _routed, "deployment": _routed, "knative": _by_revision, "replicas": _by_pods}


def _weight_of_route(place: Place) -> int:
    route = place.api.get(HTTP_ROUTE, f"mlgate-{place.service}") or {}
    refs = route["spec"]["rules"][-1]["backendRefs"]
    return int(refs[1]["weight"]) if len(refs) > 1 else 0


def _weight_of_revision(place: Place) -> int:
    service = place.api.get(INFERENCE_SERVICE, place.service) or {}
    traffic = service["status"]["components"]["predictor"]["traffic"]
    return sum(one.get("percent", 0) for one in traffic if one.get("latestRevision"))


def _weight_of_pods(place: Place) -> int | None:
    accepted = place.record.accepted
    release = ((place.api.get(SERVICE, place.service) or {})["spec"]["selector"]).get(RELEASE_LABEL)
    return None if release is None else 0 if accepted and release == accepted.name else 100


_WEIGHT: dict[str, Callable[[Place], int | None]] = {
    "route": _weight_of_route,
    "deployment": _weight_of_route,
    "knative": _weight_of_revision,
    "replicas": _weight_of_pods,
}


def api_of(kubeconfig: Path, namespace: str) -> Api:
    """Return the API as the kubeconfig's user."""
    one = KubeConfig.from_file(kubeconfig).get()
    assert one is not None
    return Api(Client(one, ConnectionParams()), namespace)


@contextmanager
def place(mode: str, folder: Path) -> Iterator[Place]:
    """Make a namespace and a project in it; delete the namespace at the end."""
    kubeconfig = Path(os.environ["MLGATE_TEST_KUBECONFIG"])
    name = f"t-{secrets.token_hex(4)}"
    api = api_of(kubeconfig, name)
    api._http.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    host = f"{name}.example.com"
    given = {"gateway": {"name": GATEWAY, "hosts": [host]}} if mode in ROUTED else {}
    project = DeployProject(folder, "summarizer", name, mode=mode, **given)
    found = Place(mode, api, kubeconfig, project, host)
    project.changed(steps=found.steps, patience="1m")
    found.manifest()
    try:
        yield found
    finally:
        api._http.delete(f"/api/v1/namespaces/{name}")
        api.close()
