"""A test's own namespace in the tests' cluster: objects from plain dictionaries, and requests through the gateway."""

from __future__ import annotations

import http.client
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lightkube import Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Event, Namespace, Pod, Service
from tests.support.waiting import PATIENCE

Json = dict[str, Any]

InferenceService = create_namespaced_resource("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices")
HTTPRoute = create_namespaced_resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")

KINDS: dict[str, tuple[str, Any]] = {
    "Deployment": ("apps/v1", Deployment),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", HTTPRoute),
    "InferenceService": ("serving.kserve.io/v1beta1", InferenceService),
    "Pod": ("v1", Pod),
    "Service": ("v1", Service),
}
GATEWAY_REF = {"name": "kserve-ingress-gateway", "namespace": "kserve"}


@dataclass(frozen=True)
class OwnNamespace:
    """Everything in it goes when the test is over."""

    client: Client
    name: str

    def apply(self, kind: str, name: str, spec: Json, **metadata: Any) -> None:
        """Create or change an object; metadata: labels, annotations."""
        version, resource = KINDS[kind]
        meta = {"name": name, "namespace": self.name, **metadata}
        self.client.apply(
            resource.from_dict({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}), force=True
        )

    def get(self, kind: str, name: str) -> Json:
        found: Json = self.client.get(KINDS[kind][1], name, namespace=self.name).to_dict()
        return found

    def delete(self, kind: str, name: str) -> None:
        self.client.delete(KINDS[kind][1], name, namespace=self.name)

    def conditions(self, kind: str, name: str) -> dict[str, str]:
        """Return the status of each condition: `{"Ready": "True"}`."""
        status = self.get(kind, name).get("status") or {}
        return {one["type"]: one["status"] for one in status.get("conditions") or ()}

    def pods(self, **labels: str) -> list[Json]:
        return [one.to_dict() for one in self.client.list(Pod, namespace=self.name, labels=dict(labels))]

    def containers(self, **labels: str) -> list[Json]:
        """Return the status of the first container of each pod that has one."""
        found = [one.get("status", {}).get("containerStatuses") for one in self.pods(**labels)]
        return [statuses[0] for statuses in found if statuses]

    def events(self, name: str) -> dict[str, str]:
        """Return the message of each reason, of the events about an object."""
        found = self.client.list(Event, namespace=self.name, fields={"involvedObject.name": name})
        return {str(one.reason): str(one.message) for one in found}

    def log(self, pod: str, container: str) -> str:
        return "".join(self.client.log(pod, namespace=self.name, container=container))

    def host(self, name: str) -> str:
        """Return the host name that KServe gives a service."""
        return f"{name}-{self.name}.example.com"


@contextmanager
def own_namespace(client: Client) -> Iterator[OwnNamespace]:
    name = f"test-{secrets.token_hex(4)}"
    client.create(Namespace(metadata=ObjectMeta(name=name)))
    try:
        yield OwnNamespace(client, name)
    finally:
        client.delete(Namespace, name)


@contextmanager
def cluster_client() -> Iterator[Client]:
    """Yield a client for the cluster that MLGATE_TEST_KUBECONFIG names, and for no other."""
    config = KubeConfig.from_file(os.environ["MLGATE_TEST_KUBECONFIG"])
    with Client(config, field_manager="tests", trust_env=False) as client:
        yield client


def answers(host: str, requests: int) -> Counter[str]:
    """Ask through the gateway so often; return how many came from which version, or ended with which status."""
    at = urlsplit(os.environ["MLGATE_TEST_GATEWAY"])
    line = http.client.HTTPConnection(str(at.hostname), at.port, timeout=PATIENCE)
    asked = json.dumps({"id": "1", "inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["One. Two."]}]})
    found: Counter[str] = Counter()
    try:
        for _ in range(requests):
            line.request("POST", "/v2/models/m/infer", asked, {"Host": host, "Content-Type": "application/json"})
            reply = line.getresponse()
            content = reply.read()
            found[json.loads(content)["model_version"] if reply.status == 200 else f"status {reply.status}"] += 1
    finally:
        line.close()
    return found


def model_container(version: str, **environment: str) -> Json:
    """Return a container with the tests' model server: `model_container("v2", MODEL_LATENCY="0.05")`."""
    return {
        "name": "kserve-container",
        "image": f"local/modelserver:{version}",
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready", "port": 8080}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}},
    }
