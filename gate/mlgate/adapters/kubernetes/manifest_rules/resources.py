"""Mistakes in what pods ask for: CPU, memory, accelerators. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlgate.adapters.kubernetes.manifest_rules.model_pods import ModelPods
from mlgate.adapters.kubernetes.manifest_rules.quantity import quantity
from mlgate.core.deploy.advice import Advice, Fix, Steps

_MEGABYTE = 1e6
_GPUS = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/xe", "habana.ai/gaudi")
"""The accelerators that KServe knows by itself."""
_LOOKS_LIKE_GPU = ("gpu", "tpu", "npu", "gaudi", "neuron", "nvidia", "amd.com", "intel.com")


def resources(of: ModelPods) -> Iterator[Advice]:
    """No requests: the scheduler packs the pods as if they needed nothing. No memory limit: a leak takes the node."""
    resources = of.container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    place = (*of.container_steps, "resources")
    memory = f"{of.measured.memory_limit_mi}Mi" if of.measured.peak_memory_mb else ""
    for name in ("cpu", "memory"):
        if name not in requests:
            value = memory if name == "memory" else "1"
            said = f" (measured: {of.measured.peak_memory_mb:,.0f} MB)" if memory and name == "memory" else ""
            yield of.error(
                f"no-{name}-request",
                f"the model's container asks for no {name}{said}",
                f"write resources.requests.{name}, e.g. {value or '1Gi'}",
                place,
                *([Fix((*place, "requests", name), limits.get(name) or value)] if value or name in limits else []),
            )
    if "memory" not in limits:
        hint = f"write resources.limits.memory, e.g. {memory or '2Gi'}"
        fixes = [Fix((*place, "limits", "memory"), requests.get("memory") or memory)] if memory or requests else []
        yield of.error("no-memory-limit", "the model's container has no memory limit", hint, place, *fixes)
    for name, asked in requests.items():
        if name in limits and quantity(limits[name]) < quantity(asked):
            says = f"the limit of {name} ({limits[name]}) is less than the request ({asked})"
            yield of.error("limit-below-request", says, "raise the limit", (*place, "limits", name))


def memory_fits(of: ModelPods) -> Iterator[Advice]:
    """A limit below what the gate measured: the pod is killed under load (OOMKilled)."""
    limit = ((of.container.get("resources") or {}).get("limits") or {}).get("memory")
    peak = of.measured.peak_memory_mb
    if limit is not None and peak and quantity(limit) < peak * _MEGABYTE:
        place = (*of.container_steps, "resources", "limits", "memory")
        wanted = f"{of.measured.memory_limit_mi}Mi"
        says = f"the memory limit {limit} is below the {peak:,.0f} MB that the gate measured: the pod would be killed"
        request = Fix((*of.container_steps, "resources", "requests", "memory"), wanted)
        yield of.error("memory-below-peak", says, f"write at least {wanted}", place, Fix(place, wanted), request)


def gpus(of: ModelPods) -> Iterator[Advice]:
    """A GPU is asked for by its vendor's key, whole, as a limit; its nodes repel pods that do not tolerate them."""
    resources = of.container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    place = (*of.container_steps, "resources")
    for name in dict.fromkeys((*requests, *limits)):
        if name not in _GPUS:
            yield from _unknown_gpu(of, name, place)
            continue
        asked, limit = requests.get(name), limits.get(name)
        if limit is None or (asked is not None and str(asked) != str(limit)):
            says = f"{name}: the request ({asked}) and the limit ({limit}) differ; a GPU is not shared"
            fix = [Fix((*place, "limits", name), asked)] if limit is None else [Fix((*place, "requests", name), limit)]
            yield of.error("gpu-request-not-limit", says, "write the same number as limit and request", place, *fix)
        if not str(limit if limit is not None else asked).isdecimal():
            yield of.error("gpu-not-whole", f"{name} must be a whole number", "e.g. 1", (*place, "limits", name))
        if not _tolerates(of.pod, name):
            key = {"key": name, "operator": "Exists", "effect": "NoSchedule"}
            fixed = Fix((*of.pod_steps, "tolerations"), [*(of.pod.get("tolerations") or ()), key])
            says = f"the pods ask for {name} and tolerate no node that is kept for it"
            yield of.error("gpu-no-toleration", says, f"tolerations: [{{key: {name}, operator: Exists}}]", place, fixed)
        if not of.pod.get("nodeSelector") and "nodeAffinity" not in (of.pod.get("affinity") or {}):
            says = f"the pods ask for {name}, and any kind of that GPU will do"
            hint = "name it where kinds differ: nodeSelector: {nvidia.com/gpu.product: NVIDIA-L4}"
            yield of.warning("gpu-any-kind", says, hint, of.pod_steps)


def _unknown_gpu(of: ModelPods, name: str, place: Steps) -> Iterator[Advice]:
    notes = (of.document.get("metadata") or {}).get("annotations") or {}
    declared = str(notes.get("serving.kserve.io/gpu-resource-types", ""))
    if any(part in name for part in _LOOKS_LIKE_GPU) and name not in declared and of.is_inference_service:
        says = f"{name} is no accelerator that KServe knows: it would schedule the pods as if they had none"
        hint = f"annotate: serving.kserve.io/gpu-resource-types: '[\"{name}\"]'; KServe knows {', '.join(_GPUS)}"
        yield of.error("gpu-unknown", says, hint, place)


def _tolerates(pod: Mapping[str, Any], key: str) -> bool:
    return any(one.get("key") in (key, None, "") for one in pod.get("tolerations") or ())
