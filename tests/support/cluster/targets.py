"""What Prometheus scrapes: a file with every pod, since Debian's Prometheus is built without Kubernetes discovery."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.cluster.pod import Pod


def write_targets(path: Path, pods: Iterable[Pod]) -> None:
    """Replace the file at once, so that Prometheus never reads half of it."""
    found = [target for pod in pods if (target := _target(pod))]
    new = path.with_suffix(".new")
    new.write_text(json.dumps(found, indent=1))
    new.replace(path)


def _target(pod: Pod) -> dict[str, Any] | None:
    """Return one target, with the labels that a PodMonitor would give it; None: it is not to be scraped."""
    meta = pod.spec["metadata"]
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    if annotations.get("prometheus.io/scrape") == "false":
        return None
    ports = [port["containerPort"] for one in pod.spec["spec"]["containers"] for port in one.get("ports") or ()]
    port = annotations.get("prometheus.io/port") or (ports or [8080])[0]
    variant = labels.get("serving.knative.dev/revision") or labels.get("app", "").removeprefix("isvc.")
    return {
        "targets": [f"{pod.network.ip}:{port}"],
        "labels": {
            "__metrics_path__": annotations.get("prometheus.io/path", "/metrics"),
            "namespace": meta["namespace"],
            "pod": meta["name"],
            "inferenceservice": labels.get("serving.kserve.io/inferenceservice", ""),
            "variant": variant,
        },
    }
