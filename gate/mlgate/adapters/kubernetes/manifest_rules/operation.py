"""Mistakes in how pods are kept going: probes, replicas, images that move, what KServe does without a word. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL
from mlgate.adapters.kubernetes.manifest_rules.model_pods import ModelPods
from mlgate.core.check import Json
from mlgate.core.deploy.advice import Advice, Fix, Steps

_LEGACY = ("sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm", "paddle")
"""KServe's keys of old, one a framework."""


def readiness(of: ModelPods) -> Iterator[Advice]:
    """An open port is not a loaded model: by KServe's own probe, traffic comes before the model is there."""
    probe = of.container.get("readinessProbe")
    place = (*of.container_steps, "readinessProbe")
    path = of.measured.ready_path
    fixes = [Fix(place, {"httpGet": {"path": path, "port": of.measured.port}, "periodSeconds": 5})] if path else []
    hint = f"ask the model: httpGet: {{path: {path or '/v2/models/NAME/ready'}, port: {of.measured.port}}}"
    if not probe:
        yield of.error(
            "readiness-by-port", "there is no readinessProbe: an open port counts as ready", hint, place, *fixes
        )
    elif "tcpSocket" in probe:
        says = "the readinessProbe asks for an open port, which is there before the model is loaded"
        yield of.error("readiness-by-port", says, hint, place, *fixes)


def startup_budget(of: ModelPods) -> Iterator[Advice]:
    """A model that loads for longer than its probes wait is killed while it loads, for ever."""
    needs = of.measured.load_s
    for name in ("startupProbe", "livenessProbe"):
        probe = of.container.get(name)
        if not probe:
            continue
        period, failures = _whole(probe.get("periodSeconds"), 10), _whole(probe.get("failureThreshold"), 3)
        budget = _whole(probe.get("initialDelaySeconds"), 0) + period * failures
        if needs and budget < needs:
            place = (*of.container_steps, name)
            wanted = math.ceil(2 * needs / period)
            says = f"the {name} gives the model {budget} s; the gate measured {needs:.0f} s until it was loaded"
            fix = Fix((*place, "failureThreshold"), wanted)
            yield of.error("startup-too-short", says, f"write failureThreshold: {wanted}", place, fix)
        if name == "startupProbe":
            return  # the liveness probe waits for it


def _whole(value: object, default: int) -> int:
    """Return a number of a manifest; the default for nothing, and for what the server will refuse by itself."""
    return value if isinstance(value, int) and value > 0 else default


def replicas(of: ModelPods) -> Iterator[Advice]:
    """One pod is all or nothing: a step of 5 % on one pod each is half of the capacity."""
    spec = of.document["spec"]["predictor"] if of.is_inference_service else of.document["spec"]
    key: Steps = ("spec", "predictor", "minReplicas") if of.is_inference_service else ("spec", "replicas")
    most = spec.get("maxReplicas")
    if isinstance(most, int) and 0 < most < of.replicas:
        yield of.error(
            "replicas-crossed", f"maxReplicas {most} is less than minReplicas {of.replicas}", "raise it", key
        )
    if of.replicas == 1 and min(of.steps_of_rollout) < 50:  # noqa: PLR2004 - percent
        says = f"with one pod each, a step of {min(of.steps_of_rollout)} % has half of the capacity, and no spare"
        yield of.warning("one-replica", says, "run at least two", key, Fix(key, 2))
    spread = of.pod.get("topologySpreadConstraints") or (of.pod.get("affinity") or {}).get("podAntiAffinity")
    if of.is_knative and of.pod.get("topologySpreadConstraints"):
        place = (*of.pod_steps, "topologySpreadConstraints")
        says = "Knative's webhook refuses topologySpreadConstraints, unless an administrator switched them on"
        yield of.warning("knative-no-spread", says, "delete them", place, Fix(place, None))
    if of.replicas > 1 and not spread and not of.is_knative:
        place = (*of.pod_steps, "topologySpreadConstraints")
        says = f"nothing keeps the {of.replicas} pods apart: one node may have them all"
        constraint: dict[str, Json] = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {SERVICE_LABEL: of.service}},
        }
        yield of.warning("not-spread", says, "write topologySpreadConstraints", of.pod_steps, Fix(place, [constraint]))


def images(of: ModelPods) -> Iterator[Advice]:
    """A tag that moves: two pods of one release run two images. The model's own image gets the judged digest anyway."""
    for key in ("initContainers", "containers"):
        for index, container in enumerate(of.pod.get(key) or ()):
            image = str(container.get("image") or "")
            if container is of.container or "@sha256:" in image or not image:
                continue
            tag = image.rpartition("/")[2].partition(":")[2]
            if tag in ("", "latest"):
                says = f"the container {container.get('name')} runs {image}, which is another image tomorrow"
                place = (*of.pod_steps, key, index, "image")
                yield of.error("image-moves", says, "write its digest: name@sha256:…", place)


def storage(of: ModelPods) -> Iterator[Advice]:
    """A URI whose content can change is not what was judged, from the next restart on."""
    uri = str((of.pod.get("model") or {}).get("storageUri") or "")
    place = (*of.pod_steps, "model", "storageUri")
    if uri.startswith("hf://") and ":" not in uri.removeprefix("hf://"):
        says = f"{uri} names no revision: it is another model as soon as somebody pushes"
        yield of.error("storage-moves", says, "write hf://ORG/MODEL:REVISION", place)
    elif uri.startswith(("oci://", "oci+native://", "oci+fetch://")) and "@sha256:" not in uri:
        yield of.error("storage-moves", f"{uri} names no digest", "write oci://…@sha256:…", place)
    elif uri and not uri.startswith(("pvc://", "hf://", "oci")):
        says = f"{uri} can be overwritten: nothing says that it is what was judged"
        yield of.warning("storage-may-move", says, "use a path with a version or a digest in it, written once", place)


def kserve_traps(of: ModelPods) -> Iterator[Advice]:
    """What KServe accepts and does not do as one would think."""
    if not of.is_inference_service:
        return
    spec, notes = of.document["spec"], (of.document.get("metadata") or {}).get("annotations") or {}
    steps: Steps = ("spec", "predictor", "canaryTrafficPercent")
    if "canaryTrafficPercent" in spec["predictor"]:
        says = "canaryTrafficPercent is mlgate's to write; KServe's Standard mode ignores it without a word"
        yield of.error("canary-is-mlgates", says, "delete it", steps, Fix(steps, None))
    if "canary" in spec:
        says = "spec.canary is mlgate's to write; KServe v0.20 accepts it and routes nothing"
        yield of.error("canary-is-mlgates", says, "delete it", ("spec", "canary"), Fix(("spec", "canary"), None))
    scraping = "serving.kserve.io/enable-prometheus-scraping"
    if notes.get(scraping) == "true" and not of.is_knative:
        place: Steps = ("metadata", "annotations", scraping)
        says = "in Standard mode this annotation lets Prometheus scrape port 9091, where nothing listens"
        own = {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(of.measured.port),
            "prometheus.io/path": "/metrics",
        }
        there = spec["predictor"].get("annotations") or {}
        fixes = (Fix(place, None), Fix(("spec", "predictor", "annotations"), {**own, **there}))
        yield of.error("scraping-wrong-port", says, "annotate spec.predictor with prometheus.io/port", place, *fixes)
    if notes.get("serving.kserve.io/autoscalerClass") == "keda" and "scaleMetric" in spec["predictor"]:
        place = ("spec", "predictor", "scaleMetric")
        yield of.error("autoscaler-conflict", "class keda forbids scaleMetric", "write autoScaling.metrics", place)
    for name in _LEGACY:
        if name in spec["predictor"]:
            says = f"`{name}` is rewritten by KServe's webhook: what is applied is never what is written"
            yield of.error(
                "legacy-framework", says, f"write model: {{modelFormat: {{name: {name}}}}}", ("spec", "predictor", name)
            )
