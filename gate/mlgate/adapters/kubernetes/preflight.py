"""Mistakes in a manifest that Kubernetes and KServe accept without a word, and that cost a night. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlgate.adapters.kubernetes import rules_of_operation, rules_of_resources
from mlgate.adapters.kubernetes.model_pods import ModelPods, model_pods
from mlgate.core.deploy.advice import Advice, Measured

_RULES: tuple[Callable[[ModelPods], Iterator[Advice]], ...] = (
    rules_of_resources.resources,
    rules_of_resources.memory_fits,
    rules_of_resources.gpus,
    rules_of_operation.readiness,
    rules_of_operation.startup_budget,
    rules_of_operation.replicas,
    rules_of_operation.images,
    rules_of_operation.storage,
    rules_of_operation.kserve_traps,
)


def advice(
    documents: Sequence[Mapping[str, Any]], index: int, measured: Measured, steps: tuple[int, ...], service: str
) -> tuple[Advice, ...]:
    """Return everything that is wrong with the workload *index* of a manifest: errors first, then as it is written."""
    pods = model_pods(documents, index, measured, steps, service)
    found = [one for rule in _RULES for one in rule(pods)]
    return tuple(sorted(found, key=lambda one: not one.is_error))
