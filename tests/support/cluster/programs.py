"""Which program of this machine a container of the tests' cluster runs: there are no images here, only their names."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

MODEL_SERVER = Path(__file__).with_name("model_server.py")
IMAGE = re.compile(r"(?:^|/)modelserver[^/:@]*(?::(?P<tag>[^@/]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$")
"""Names that stand for the tests' model server: `local/modelserver:v2`, `registry.example.com/modelserver@sha256:…`."""
NO_REGISTRY = "registry.invalid/"
"""Images from here can never be pulled."""
WITHOUT_A_PROCESS = {"queue-proxy"}
"""Sidecars that are said to run without doing so: no traffic of the tests goes through them."""
_REFERENCE = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Program:
    """How to run a container."""

    words: tuple[str, ...] = ()
    """Empty: it has no process, and is said to run."""
    environment: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    """Why the image cannot be pulled; empty: it can."""


def program_of(container: Json, pod: Json, ip: str) -> Program:
    """Return what to run: the container's command, else the model server if its image stands for that."""
    image, command = str(container.get("image", "")), list(container.get("command") or ())
    found = IMAGE.search(image)
    if image.startswith(NO_REGISTRY):
        return Program(refused=f'failed to pull image "{image}": no such host')
    if container["name"] in WITHOUT_A_PROCESS:
        return Program()
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


def probes_of(container: Json) -> dict[str, Json]:
    """Return its probes by kind.

    Knative moves the model's readiness probe into a variable of the queue-proxy; here the proxy has no process, so the
    model is asked itself.
    """
    if container["name"] not in WITHOUT_A_PROCESS:
        kinds = ("startup", "readiness", "liveness")
        return {kind: found for kind in kinds if (found := container.get(f"{kind}Probe"))}
    moved = {one["name"]: one.get("value") for one in container.get("env") or ()}.get("SERVING_READINESS_PROBE")
    found = json.loads(moved) if moved else None
    return {"readiness": found[0] if isinstance(found, list) else found} if found else {}


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
    }
    return str(known.get(path, ""))


def _stored_version(pod: Json) -> str:
    """Return the last part of the storageUri, which KServe hands to an init container: `s3://models/m/v2` is `v2`."""
    for one in pod["spec"].get("initContainers") or ():
        if one["name"] == "storage-initializer" and one.get("args"):
            return str(one["args"][0]).rstrip("/").rpartition("/")[2]
    return ""
