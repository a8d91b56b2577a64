"""Which program of this machine a container of the tests' cluster runs: there are no images here, only their names."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.cluster.network import GATEWAY

Json = Mapping[str, Any]

MODEL_SERVER = Path(__file__).with_name("model_server.py")
IMAGE = re.compile(r"(?:^|/)modelserver[^/:@]*(?::(?P<tag>[^@/]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$")
"""Names that stand for the tests' model server: `local/modelserver:v2`, `registry.example.com/modelserver@sha256:…`."""
NO_REGISTRY = "registry.invalid/"
"""Images from here can never be pulled."""
QUEUE_IMAGE = "local/queue-proxy"
"""What `manifests/knative_settings.yaml` calls the image of Knative's own proxy, which `.ci/cluster` compiles."""
_REFERENCE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Program:
    """How to run a container."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    """Why the image cannot be pulled; empty: it can."""


def program_of(container: Json, pod: Json, ip: str) -> Program:
    """Return what to run: the container's command, else what its image stands for."""
    image, command = str(container.get("image", "")), list(container.get("command") or ())
    found = IMAGE.search(image)
    if image.startswith(NO_REGISTRY):
        return Program(refused=f'failed to pull image "{image}": no such host')
    if image == QUEUE_IMAGE:
        command = [os.environ["QUEUE_PROXY"]]
    if not command and not found:
        return Program(refused=f'"{image}" is not on this node: name a command, or an image …/modelserver')
    environment = _environment(container, pod, ip)
    if found and not command:
        command = [sys.executable, "-u", str(MODEL_SERVER)]
        environment.setdefault("MODEL_VERSION", _stored_version(pod) or found["digest"] or found["tag"] or "latest")
    words = [*command, *(container.get("args") or ())]
    return Program(
        tuple(_REFERENCE.sub(lambda m: environment.get(m[1], m[0]), str(word)) for word in words), environment
    )


def _environment(container: Json, pod: Json, ip: str) -> dict[str, str]:
    """Return the container's variables: what is written in the manifest, and fields of the pod."""
    found = {"PATH": os.environ["PATH"], "HOSTNAME": pod["metadata"]["name"]}
    for one in container.get("env") or ():
        field = ((one.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath")
        value = _field(pod, ip, field) if field else str(one.get("value") or "")
        found[one["name"]] = _REFERENCE.sub(lambda m: found.get(m[1], m[0]), value)
    return found


def _field(pod: Json, ip: str, path: str) -> str:
    known = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "status.podIP": ip,
        "status.hostIP": GATEWAY,
    }
    return str(known.get(path, ""))


def _stored_version(pod: Json) -> str:
    """Return the last part of the storageUri, which KServe hands to an init container: `s3://models/m/v2` is `v2`."""
    for one in pod["spec"].get("initContainers") or ():
        if one["name"] == "storage-initializer" and one.get("args"):
            return str(one["args"][0]).rstrip("/").rpartition("/")[2]
    return ""
