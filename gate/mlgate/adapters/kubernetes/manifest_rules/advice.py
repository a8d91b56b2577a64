"""Mistakes in a manifest that Kubernetes and KServe accept without a word, and that cost a night. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlgate.adapters.kubernetes.manifest_rules import operation, resources
from mlgate.adapters.kubernetes.manifest_rules.model_pods import ModelPods, model_pods
from mlgate.core.deploy.advice import Advice, Measured

_RULES: tuple[Callable[[ModelPods], Iterator[Advice]], ...] = (
    resources.resources,
    resources.memory_fits,
    resources.gpus,
    operation.readiness,
    operation.startup_budget,
    operation.replicas,
    operation.images,
    operation.storage,
    operation.kserve_traps,
)


def advice(
    documents: Sequence[Mapping[str, Any]], index: int, measured: Measured, steps: tuple[int, ...], service: str
) -> tuple[Advice, ...]:
    """Return everything that is wrong with the workload *index* of a manifest: errors first, then as it is written."""
    pods = model_pods(documents, index, measured, steps, service)
    found = [one for rule in _RULES for one in rule(pods)]
    return tuple(sorted(found, key=lambda one: not one.is_error))
